"""python -m benchmarks vae: images per second of gdl.VAE and of the plain recipe, alternating in one run."""

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

import gdl
from gdl.quiet import start_tensorflow

start_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from benchmarks.plain_vae import PlainVAE, jpeg_batches  # noqa: E402

PLAIN = "plain recipe"
WARM_UP = 3  # steps at the start of each round that are not timed


class Clock(keras.callbacks.Callback):
    """Seconds from the end of the warm-up to the last step."""

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if batch + 1 == WARM_UP:
            self.start = now
        self.seconds = now - getattr(self, "start", now)


def parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("model", choices=["vae"])
    parser.add_argument("--data", default="drawn", help="folder of CelebA, or 'drawn'")
    parser.add_argument("--n", type=int, default=4000, help="images, at most")
    parser.add_argument("--filters", type=int, nargs="+", default=[32, 64, 128, 256])
    parser.add_argument("--kernel-size", type=int, default=4)
    parser.add_argument("--z-dim", type=int, default=128)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=5, help="times that each variant is measured, in turn")
    parser.add_argument("--steps", type=int, default=20, help="training steps in a round")
    return parser


def main():
    options = parser().parse_args()
    faces = gdl.faces(options.data, size=64, n=options.n)
    with tempfile.TemporaryDirectory() as folder:
        compare(options, faces, jpeg_files(options, folder))


def jpeg_files(options, folder):
    """A folder with about as many JPEG files as there are training images."""
    if options.data == "drawn":
        return gdl.drawn.write_celeba(folder, options.n)
    if (archive := Path(options.data) / "img_align_celeba.zip").is_file():
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder, [name for name in opened.namelist() if name.endswith(".jpg")][: options.n])
        return folder
    return Path(options.data) / "img_align_celeba"


def compare(options, faces, folder):
    """Prints the tables."""
    plain_input = jpeg_batches(folder, 64, options.batch_size).repeat()
    our_input = faces.train.batches(options.batch_size).repeat()
    variants = models(options)
    speeds, peaks, inputs = pd.DataFrame(), [], []
    for _ in range(options.rounds):
        peaks.append({dtype: matrix_peak(dtype) for dtype in ("float32", "bfloat16")})
        inputs.append({name: input_alone(data) for name, data in (("plain recipe", plain_input), ("gdl", our_input))})
        row = {name: training(model, plain_input if name == PLAIN else our_input, options) for name, model in variants.items()}
        speeds = pd.concat([speeds, pd.DataFrame([row])])
    peak, flops = pd.DataFrame(peaks).median(), flops_of_a_step(variants["gdl.VAE"])
    table = pd.DataFrame({
        "images/s": speeds.median().round(),
        "ratio": speeds.div(speeds[PLAIN], axis=0).median().round(2),
        "share of matrix peak": {name: f"{flops * speeds[name].median() / peak[model.compute_dtype]:.0%}" for name, model in variants.items()},
        "loss after the same steps": losses(options, faces),
    })  # fmt: skip
    print(f"\nTraining, {options.rounds} rounds of {options.steps} steps, batch {options.batch_size}, filters {options.filters}, "
          f"kernel {options.kernel_size}, {flops / 1e6:.0f} MFLOP an image\n\n{table.to_string()}")  # fmt: skip
    print(f"\nMatrix peak (2048x2048 product), GFLOP/s: float32 {peak['float32'] / 1e9:.0f}, bfloat16 {peak['bfloat16'] / 1e9:.0f}")
    alone = pd.DataFrame(inputs).median()
    print(f"Input alone, images/s: plain recipe {alone['plain recipe']:,.0f}, gdl {alone['gdl']:,.0f}")


def models(options):
    """The compared models by their names."""
    return {
        PLAIN: plain(options),
        "gdl.VAE": ours(options, "float32"),
        "gdl.VAE, mixed_bfloat16": ours(options, "mixed_bfloat16"),
    }


def ours(options, precision):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    model = gdl.VAE(64, options.z_dim, options.filters, kernel_sizes=options.kernel_size, reconstruction="mse", beta=0.5)
    model.compile(keras.optimizers.Adam(1e-3))
    keras.config.set_dtype_policy("float32")
    return model


def plain(options):
    model = PlainVAE(64, options.z_dim, options.filters, options.kernel_size, beta=0.5)
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def training(model, data, options):
    """Images per second of `fit`."""
    clock = Clock()
    model.fit(data, steps_per_epoch=WARM_UP + options.steps, epochs=1, callbacks=[clock], shuffle=False, verbose=0)
    return options.batch_size * options.steps / clock.seconds


def losses(options, faces, steps=100):
    """Mean training loss of the last ten of some steps: same first weights, images and noise for each variant."""
    first = ours(options, "float32")
    batches = faces.train.batches(options.batch_size, seed=1).take(10).cache().repeat()
    found = {}
    for name, model in models(options).items():
        model.encoder.set_weights(first.encoder.get_weights())
        model.decoder.set_weights(first.decoder.get_weights())
        noise = getattr(model, "sampling", model).seed_generator
        noise.state.assign([0, 0])
        history = model.fit(batches, steps_per_epoch=10, epochs=steps // 10, shuffle=False, verbose=0)
        found[name] = round(history.history["loss"][-1], 2)
    return found


def input_alone(data, batches=15):
    """Images per second of an input pipeline that nobody waits for."""
    iterator = iter(data)
    next(iterator)
    start = time.perf_counter()
    images = sum(len(next(iterator)) for _ in range(batches))
    return images / (time.perf_counter() - start)


def matrix_peak(dtype, size=2048, repeats=4):
    """FLOP/s of a matrix product, the best of some."""
    a = tf.cast(tf.random.normal([size, size]), dtype)
    product = tf.function(lambda: tf.linalg.matmul(a, a))
    product()
    best = np.inf
    for _ in range(repeats):
        start = time.perf_counter()
        product().numpy()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


def flops_of_a_step(model):
    """Multiplications and additions for one image: forward, and twice that for the gradients of weights and inputs."""
    total = 0
    for layer in model.encoder.layers + model.decoder.layers:
        if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
            small = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
            forward = 2 * np.prod(layer.kernel.shape) * small.shape[1] * small.shape[2]
        elif isinstance(layer, layers.Dense):
            forward = 2 * np.prod(layer.kernel.shape)
        else:
            continue
        of_an_image = not total  # the first layer's input needs no gradient
        total += (2 if of_an_image else 3) * forward
    return total


if __name__ == "__main__":
    main()
