"""Tries every model, precision and chapter on this machine's GPU in ten minutes, and writes a report to paste into an issue.

    python tools/gpu_check.py                                drawn faces, on the GPU if there is one; the report is gpu_check.md
    python tools/gpu_check.py --data data/celeba             on CelebA
    python tools/gpu_check.py --cpu --quick                  small networks, for a look at the report itself
    python tools/gpu_check.py --only "chapter 06"            the checks with these words in their names

A check trains for a few steps. It fails when a loss is not finite or anything is raised, such as running out of memory; the others go
on. Exit status 1 when one has failed. The memory on a GPU is TensorFlow's peak; on Linux without one, how much the process grew, which
is too little after other checks, whose memory TensorFlow keeps: measure one alone, with --only.
"""

import argparse
import ctypes
import gc
import os
import platform
import subprocess
import sys
import time
from functools import cache, partial
from pathlib import Path

import gdl
from gdl.files import write_file
from gdl.machine import start_tensorflow

start_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tensorflow as tf  # noqa: E402
from chapter_models import BOTH, IN_CHAPTERS, VAE, chapter_models, estimated_bytes  # noqa: E402

from gdl.models import model_class  # noqa: E402
from gdl.training.recipes import CHAPTERS, CONDITIONS, PHOTOGRAPHS  # noqa: E402

WARM_UP = 2  # steps that are not timed
MB = 2**20
TRAINING = ("epochs", "batch_size", "learning_rate", "halve_every", "patience", "flip")  # what is gdl.train's in a recipe


class Clock(keras.callbacks.Callback):
    """When each step ended."""

    def on_train_begin(self, logs=None):
        self.ends = []

    def on_train_batch_end(self, batch, logs=None):
        float(next(iter(logs.values())))  # waits for the device
        self.ends.append(time.perf_counter())


class StopAfter(keras.callbacks.Callback):
    """Ends the training after the epoch in which the time is over."""

    def __init__(self, seconds):
        super().__init__()
        self.end = time.perf_counter() + seconds

    def on_epoch_end(self, epoch, logs=None):
        self.model.stop_training = time.perf_counter() > self.end


def _kilobytes(name):
    """A number of Linux's about this process: VmRSS, its memory now, or VmHWM, the largest since it was reset."""
    return next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))


def watch_memory(gpu):
    """Begins to measure; -> a function that gives the peak in bytes, NaN where nothing can be measured."""
    if gpu:
        tf.config.experimental.reset_memory_stats("GPU:0")
        return lambda: tf.config.experimental.get_memory_info("GPU:0")["peak"]
    try:
        ctypes.CDLL(None).malloc_trim(0)  # what earlier checks have freed
        Path("/proc/self/clear_refs").write_text("5")
        before = _kilobytes("VmRSS")
    except (OSError, AttributeError, TypeError):
        return lambda: float("nan")
    return lambda: 1024 * (_kilobytes("VmHWM") - before)


@cache
def open_faces(data, size, n):
    return gdl.faces(data, size, n)


def parts(kind, size, faces):
    """What a model of this kind needs beside numbers: names of attributes, or another model."""
    if kind == "classifier":
        return {"attributes": faces.train.attributes.columns}
    if kind in ("conditional_vae", "conditional_gan"):
        return {"conditions": [name for name in CONDITIONS if name in faces.train.attributes]}
    if kind == "vae_gan":
        return {"perceptual": 1.0, "classifier": gdl.AttributeClassifier(size, faces.train.attributes.columns, (8, 16))}
    if kind == "latent_flow":
        return {"autoencoder": gdl.VAE(size, 4 * (size // 8) ** 2, (8, 16, 32), spatial_code=True)}
    return {}


def steps(o, kind, size, options, precision="float32", rate=2e-4, make_strategy=tf.distribute.get_strategy):
    """A few steps of `gdl.train` -> what the report says of them."""
    faces = open_faces(o.data, size, o.n)
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    options = options | parts(kind, size, faces)
    peak = watch_memory(o.gpus)
    with make_strategy().scope():
        model = model_class(kind)(size, **options)
    clock = Clock()
    history = gdl.train(model, faces, epochs=1, callbacks=clock, quiet=True, batch_size=o.batch_size, learning_rate=rate, steps_per_epoch=o.steps)
    if not np.isfinite(history.select_dtypes("number")).all(axis=None):
        raise FloatingPointError(f"not finite: {', '.join(history.columns[~np.isfinite(history.iloc[-1].astype(float))])}")
    seconds = float(np.median(np.diff(clock.ends[WARM_UP - 1 :])))
    estimate = estimated_bytes(model, o.batch_size)
    return {"seconds a step": f"{seconds:.3f}", "peak MB": f"{peak() / MB:.0f}", "estimated MB": f"{estimate / MB:.0f}"}


def short_training(o):
    """FID of a GAN before and after some minutes; the stand-in distance with --quick."""
    size, count, network = (32, 200, "stand_in") if o.quick else (64, 5000 if o.gpus else 500, "inception")
    faces = open_faces(o.data, size, 400 if o.quick else 12_000)
    keras.utils.set_random_seed(0)
    recipe = {name: value for name, value in PHOTOGRAPHS["gan"].items() if name not in TRAINING} | dict(ema=None)
    gan = gdl.GAN(size, **(recipe | (dict(filters=(16, 32)) if o.quick else {})))
    real = gdl.metrics.reference(faces.train.images[:count], network)
    distance = gdl.metrics.stand_in_distance if o.quick else gdl.metrics.fid
    before, begin = distance(gan.generate(count), real, (-1, 1)), time.perf_counter()
    history = gdl.train(
        gan, faces, epochs=1000, callbacks=StopAfter(15 * o.minutes), quiet=True, batch_size=o.batch_size, learning_rate=2e-4, flip=True
    )
    seconds, after = time.perf_counter() - begin, distance(gan.generate(count), real, (-1, 1))
    said = f"{'stand-in distance' if o.quick else 'FID'} {before:.1f}, after {len(history)} epochs in {seconds:.0f} s {after:.1f}"
    if not after < before:
        raise ArithmeticError(f"{said}: it did not fall")
    return {"note": f"{said} ({count:,} samples)"}


def list_checks(o):
    """All checks: name -> a function that returns what the report says, or raises."""
    small = dict(z_dim=8, filters=(8, 16)) if o.quick else dict(z_dim=128, filters=(32, 64, 128, 256))
    size = 32 if o.quick else 64
    losses = {"hinge": dict(loss="hinge", critic_norm="spectral"), "relativistic, R1, R2": dict(loss="relativistic", r1=0.2, r2=0.2)}
    kinds = [("autoencoder", "", {}), ("vae", "", VAE), ("gan", "", BOTH), *(("gan", f" {name}", BOTH | own) for name, own in losses.items())]
    kinds += [("wgan", "", BOTH | dict(critic_steps=3)), ("wgan_gp", "", BOTH | dict(critic_steps=3)), ("classifier", "", {})]
    kinds += [("conditional_vae", "", VAE), ("conditional_gan", "", BOTH), ("vae_gan", "", {}), ("flow", "", {}), ("latent_flow", "", {})]
    checks = {}
    for chapter in IN_CHAPTERS:
        for kind, side, options in chapter_models(chapter, o.profile):
            checks[f"chapter {chapter} {kind}"] = partial(steps, o, kind, side, options)
    for kind, (options, training) in ((kind, profiles[o.profile]) for kind, profiles in CHAPTERS.items()):
        checks[f"chapter recipe {kind}"] = partial(steps, o, kind, size, options, rate=training.get("learning_rate"))
    for precision in ("float32", "mixed_float16", "mixed_bfloat16"):
        for kind, name, own in kinds:
            shape = {"filters": small["filters"]} if kind in ("classifier", "flow", "latent_flow") else small
            checks[f"{kind}{name}, {precision}"] = partial(steps, o, kind, size, shape | own, precision)
    if len(o.gpus) > 1:
        checks[f"gan on {len(o.gpus)} GPUs"] = partial(steps, o, "gan", size, small | BOTH, make_strategy=tf.distribute.MirroredStrategy)
    return checks | {"short training of a GAN": partial(short_training, o)}


def machine(gpus):
    """What the report says of the machine: lines of Markdown."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        cards = subprocess.run(query, capture_output=True, text=True, timeout=30, check=True).stdout.splitlines() if gpus else []
    except (OSError, subprocess.SubprocessError):
        cards = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
    cuda = tf.sysconfig.get_build_info().get("cuda_version", "none")
    return [
        f"- machine: {platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        f"- GPU, driver, memory: {'; '.join(cards) or 'none used'}; CUDA of TensorFlow: {cuda}",
        f"- TensorFlow {tf.__version__}, Keras {keras.__version__}, Python {platform.python_version()}, course {gdl.__version__}",
    ]


def run(check):
    """One row of the report. Whatever a check raises is its result."""
    try:
        return {"result": "passed", **check()}
    except Exception as error:
        reason = next(iter(str(error).strip().splitlines()), "")
        return {"result": "failed", "note": f"{type(error).__name__}: {reason[:200]}".replace("|", "/")}
    finally:
        keras.config.set_dtype_policy("float32")
        keras.backend.clear_session()
        gc.collect()


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Tries every model, precision and chapter on this machine, and writes a report.")
    parser.add_argument("--data", default="drawn", help="folder of CelebA, or 'drawn'")
    parser.add_argument("--cpu", action="store_true", help="do not use a GPU")
    parser.add_argument("--quick", action="store_true", help="small networks, a few images, and the chapters' profile smoke")
    parser.add_argument("--only", default="", help="only the checks with this text in their names")
    parser.add_argument("--minutes", type=float, default=10, help="checks that would begin later are skipped; a quarter is the short training")
    parser.add_argument("--steps", type=int, default=8, help=f"steps of each check, more than {WARM_UP}")
    parser.add_argument("--output", type=Path, default=Path("gpu_check.md"), help="the report")
    o = parser.parse_args(arguments)
    if o.steps <= WARM_UP:
        parser.error(f"--steps is {o.steps}: give more than {WARM_UP}.")
    if o.cpu:
        tf.config.set_visible_devices([], "GPU")
    o.gpus = tf.config.get_visible_devices("GPU")
    o.profile, o.n, o.batch_size = ("smoke", 300, 8) if o.quick else ("full", 4 * 64 * o.steps, 64)
    begin, rows = time.perf_counter(), {}
    for name, check in list_checks(o).items():
        if o.only in name:
            share = 1 if name.startswith("short") else 0.7
            late = time.perf_counter() - begin > 60 * o.minutes * share
            rows[name] = {"result": "skipped", "note": "no time left: give more --minutes"} if late else run(check)
            print(name, *rows[name].values(), sep="  ", file=sys.stderr, flush=True)
    columns = ["result", "seconds a step", "peak MB", "estimated MB", "note"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns).fillna("")
    lines = [" | ".join(["", "check", *columns, ""]).strip(), "| --- " * (len(columns) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(row) + " |" for name, row in zip(table.index, table.to_numpy())]
    counts = ", ".join(f"{(table.result == result).sum()} {result}" for result in ("passed", "failed", "skipped"))
    title = f"# GPU check: {counts}, in {(time.perf_counter() - begin) / 60:.1f} minutes"
    faces = "drawn faces" if o.data == "drawn" else "photographs"
    where = f"- {faces}, chapters' profile {o.profile}, {o.steps} steps of each check, {o.batch_size} images a batch"
    report = "\n".join([title, "", *machine(o.gpus), where, "", *lines, ""])
    write_file(o.output, report)
    print(report)
    return int((table.result == "failed").any())


if __name__ == "__main__":
    sys.exit(main())
