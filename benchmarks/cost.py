"""python -m benchmarks cost: what each option of the adversarial models and of the VAE adds to the time of a training step."""

import time

import keras
import numpy as np
import pandas as pd

import gdl

RELATIVISTIC = dict(loss="relativistic", r1=0.2, r2=0.2)
OPTIONS = {
    "GAN": {
        "cross-entropy": {},
        "hinge": dict(loss="hinge"),
        "spectral normalisation": dict(critic_norm="spectral"),
        "translation": dict(augment=("translation",)),
        "colour, translation, cutout": dict(augment=("colour", "translation", "cutout")),
        "R1": dict(r1=0.2),
        "R1 of every 8th image": dict(r1=0.2, penalty_every=8),
        "relativistic, R1 and R2": RELATIVISTIC,
        "relativistic, R1 and R2 of every 8th image": RELATIVISTIC | dict(penalty_every=8),
        "no moving average": dict(ema=None),
    },
    "WGANGP": {
        "one critic step": {},
        "penalty of every 4th image": dict(penalty_every=4),
        "three critic steps": dict(critic_steps=3),
        "layer normalisation": dict(critic_norm="layer"),
    },
    "VAE": {"squared error": {}, "moving average": dict(ema=0.998), "learned variance": dict(reconstruction="gaussian")},
}
SHARED = {
    "GAN": dict(ema=0.998, pixel_range=(-1, 1)),
    "WGANGP": dict(ema=0.998, critic_steps=1, pixel_range=(-1, 1)),
    "VAE": dict(reconstruction="mse"),
}


def add_options(command):
    command.add_argument("--models", nargs="+", choices=tuple(OPTIONS), default=tuple(OPTIONS))
    command.add_argument("--precision", default="mixed_bfloat16")
    command.add_argument("--filters", type=int, nargs="+", default=(32, 64, 128, 256))
    command.add_argument("--size", type=int, default=64)
    command.add_argument("--batch-size", type=int, default=64)
    command.add_argument("--rounds", type=int, default=5, help="times that each option is measured, in turn")
    command.add_argument("--steps", type=int, default=5, help="training steps in a round")


def main(options):
    keras.config.set_dtype_policy(options.precision)
    for kind in options.models:
        steps = {name: step_of(kind, SHARED[kind] | own, options) for name, own in OPTIONS[kind].items()}
        rounds = pd.DataFrame([{name: seconds(step, options.steps) for name, step in steps.items()} for _ in range(options.rounds)])
        first = rounds.columns[0]
        table = pd.DataFrame({"CPU seconds a step": rounds.median().round(3), "ratio": rounds.div(rounds[first], axis=0).median().round(2)})
        print(f"\n{kind}, {options.precision}, batches of {options.batch_size}\n\n{table.to_string()}")
        keras.backend.clear_session()


def step_of(kind, own, options):
    """A training step on random images, traced already. -> a function without arguments"""
    keras.utils.set_random_seed(0)
    model = getattr(gdl, kind)(options.size, 128, tuple(options.filters), kernel_sizes=4, **own)
    model.compile(*model.default_optimizers())
    low, high = model.architecture.pixel_range
    n = options.batch_size * model.batches_per_step
    x = np.random.default_rng(0).uniform(low, high, (n, options.size, options.size, 3)).astype("float32")

    def step():
        model.train_on_batch(x)

    step()
    return step


def seconds(step, times):
    """Processor time of a step, of all cores together."""
    start = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - start) / times
