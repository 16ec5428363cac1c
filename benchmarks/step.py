"""python -m benchmarks.step vae | wgan_gp: where the time of a training step goes, by TensorFlow's own profiler."""

import re
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.__main__ import PLAIN, models, parser

import gdl  # isort: skip
import pandas as pd
import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

KINDS = {  # beginning of an operation's name: what it is, the first that fits
    "Conv2DBackpropFilter": "convolution: gradient of filters",
    "Conv2DBackpropInput": "convolution: gradient of inputs, transposed",
    "Conv2D": "convolution: forward",
    "FusedBatchNorm": "batch normalisation, fused",
    "MatMul": "matrix product",
    "FusedMatMul": "matrix product",
    "LeakyRelu": "leaky ReLU",
}


def main():
    options = parser().parse_args()
    faces = gdl.faces(options.data, size=64, n=2000)
    x = next(iter(faces.train.batches(options.batch_size * options.critic_steps)))
    shares = {name: profile(model, x[: options.batch_size] if name == PLAIN else x) for name, model in models(options).items()}
    table = pd.DataFrame(shares).fillna(0)
    order = list(dict.fromkeys([*KINDS.values(), "all else, element by element"]))
    print(f"Share of the time of all operations in a step, filters {options.filters}, kernel {options.kernel_size}, batch {options.batch_size}\n")
    print(table.reindex(order).map("{:.0%}".format).to_string())


def profile(model, x, steps=6):
    """Share of the summed time of operations by kind."""
    step = tf.function(model.train_step)
    step(x), step(x)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder, tf.profiler.experimental.ProfilerOptions(host_tracer_level=2))
        for _ in range(steps):
            list(step(x).values())[0].numpy()  # wait for the step to end
        tf.profiler.experimental.stop()
        (file,) = Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(file.read_bytes())
    times = Counter()
    for plane in space.planes:
        for event in (event for line in plane.lines for event in line.events):
            name = plane.event_metadata[event.metadata_id].name
            operation = re.search(r":_?(?:Mkl)?(?:Native)?([A-Z]\w+)$", name)
            if operation and operation[1] not in ("Process", "Run"):  # these two contain the others
                operation = "Conv2DBackpropFilter" if "filters_gradient" in name else operation[1]  # in gdl.models.fast_layers it is a convolution
                kind = next((kind for start, kind in KINDS.items() if operation.startswith(start)), "all else, element by element")
                times[kind] += event.duration_ps
    return {kind: time / sum(times.values()) for kind, time in times.items()}


if __name__ == "__main__":
    main()
