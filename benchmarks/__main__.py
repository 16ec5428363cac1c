"""python -m benchmarks vae | wgan_gp: images per second of a model and of the plain recipe; cost, inception, latent, quality, ruler: see there."""

import argparse
import tempfile
import time
import zipfile
from pathlib import Path

import gdl
from gdl.machine import start_tensorflow

start_tensorflow()

import keras  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

from benchmarks import cost, inception, latent, quality, ruler  # noqa: E402
from benchmarks.plain_vae import PlainVAE, jpeg_batches  # noqa: E402
from benchmarks.plain_wgan_gp import PlainWGANGP  # noqa: E402

PLAIN = "plain recipe"
DEFAULTS = {
    "vae": dict(filters=[32, 64, 128, 256], batch_size=128, steps=20),
    "wgan_gp": dict(filters=[64, 128, 256, 512], batch_size=64, critic_steps=3, steps=5),
}
OTHERS = {"cost": cost, "inception": inception, "latent": latent, "quality": quality, "ruler": ruler}
WARM_UP = 3  # steps at the start of each round that are not timed


class Clock(keras.callbacks.Callback):
    """Seconds from the end of the warm-up to the last step."""

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        if batch + 1 == WARM_UP:
            self.start = now
        self.seconds = now - getattr(self, "start", now)


def parser():
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    models = parser.add_subparsers(metavar="MODEL", dest="model", required=True)
    for name, defaults in DEFAULTS.items():
        command = models.add_parser(name, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
        command.add_argument("--data", default="drawn", help="folder of CelebA, or 'drawn'")
        command.add_argument("--n", type=int, default=4000, help="images, at most")
        command.add_argument("--filters", type=int, nargs="+")
        command.add_argument("--kernel-size", type=int, default=4)
        command.add_argument("--z-dim", type=int, default=128)
        command.add_argument("--batch-size", type=int)
        command.add_argument("--critic-steps", type=int, default=1, help="of a WGAN-GP, for each step of the generator")
        command.add_argument("--rounds", type=int, default=5, help="times that each variant is measured, in turn")
        command.add_argument("--steps", type=int, help="training steps in a round")
        command.set_defaults(**defaults)
    for name, benchmark in OTHERS.items():
        benchmark.add_options(models.add_parser(name, formatter_class=argparse.ArgumentDefaultsHelpFormatter))
    return parser


def main():
    options = parser().parse_args()
    if options.model in OTHERS:
        return OTHERS[options.model].main(options)
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
    our_input = faces.train.batches(options.batch_size * options.critic_steps).repeat()
    variants = models(options)
    ours, *_ = (name for name in variants if name != PLAIN)
    speeds, peaks, inputs = pd.DataFrame(), [], []
    for _ in range(options.rounds):
        peaks.append({dtype: matrix_peak(dtype) for dtype in ("float32", "bfloat16")})
        inputs.append({name: input_alone(data) for name, data in ((PLAIN, plain_input), ("gdl", our_input))})
        row = {name: training(model, plain_input if name == PLAIN else our_input, options) for name, model in variants.items()}
        speeds = pd.concat([speeds, pd.DataFrame([row])])
    peak, flops = pd.DataFrame(peaks).median(), flops_of_an_image(variants[ours])
    table = pd.DataFrame({
        "images/s": speeds.median().round(),
        "ratio": speeds.div(speeds[PLAIN], axis=0).median().round(2),
        "share of matrix peak": {name: f"{flops * speeds[name].median() / peak[model.compute_dtype]:.0%}" for name, model in variants.items()},
        "loss after the same steps": losses(options, faces),
    })  # fmt: skip
    print(f"\nTraining, {options.rounds} rounds of {options.steps} steps, batch {options.batch_size}, filters {options.filters}, "
          f"kernel {options.kernel_size}, {flops / 1e6:.0f} MFLOP an image\n\n{table.to_string()}")  # fmt: skip
    if options.critic_steps > 1:
        print(f"\nImages are those that the critic is shown: batch x {options.critic_steps} critic steps for each step of the generator.")
    print(f"\nMatrix peak (2048x2048 product), GFLOP/s: float32 {peak['float32'] / 1e9:.0f}, bfloat16 {peak['bfloat16'] / 1e9:.0f}")
    alone = pd.DataFrame(inputs).median()
    print(f"Input alone, images/s: plain recipe {alone[PLAIN]:,.0f}, gdl {alone['gdl']:,.0f}")


def models(options):
    """The compared models by their names."""
    name = {"vae": "gdl.VAE", "wgan_gp": "gdl.WGANGP"}[options.model]
    return {
        PLAIN: plain(options),
        name: ours(options, "float32"),
        f"{name}, mixed_bfloat16": ours(options, "mixed_bfloat16"),
    }


def ours(options, precision):
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    common = (64, options.z_dim, options.filters)
    if options.model == "vae":
        model = gdl.VAE(*common, kernel_sizes=options.kernel_size, reconstruction="mse", beta=0.5)
    else:
        model = gdl.WGANGP(*common, kernel_sizes=options.kernel_size, critic_steps=options.critic_steps)
    model.compile(*model.default_optimizers())
    keras.config.set_dtype_policy("float32")
    return model


def plain(options):
    if options.model == "vae":
        model = PlainVAE(64, options.z_dim, options.filters, options.kernel_size, beta=0.5)
        model.compile(keras.optimizers.Adam(1e-3))
    else:
        model = PlainWGANGP(64, options.z_dim, options.filters, options.kernel_size, options.critic_steps)
        model.compile(keras.optimizers.Adam(2e-4, 0.5, 0.9), keras.optimizers.Adam(2e-4, 0.5, 0.9))
    return model


def training(model, data, options):
    """Images per second of `fit`."""
    clock = Clock()
    model.fit(data, steps_per_epoch=WARM_UP + options.steps, epochs=1, callbacks=[clock], shuffle=False, verbose=0)
    return options.batch_size * options.critic_steps * options.steps / clock.seconds


def losses(options, faces):
    """Mean loss of the last ten of some steps: same first weights, images and noise for each variant."""
    networks, loss, steps = {"vae": (("encoder", "decoder"), "loss", 100), "wgan_gp": (("critic", "generator"), "critic_loss", 20)}[options.model]
    first = ours(options, "float32")
    batches = faces.train.batches(options.batch_size, seed=1).take(10).cache().repeat()
    for_all_critic_steps = batches.map(lambda x: tf.repeat(x, options.critic_steps, axis=0))  # as the plain recipe does it
    means = {}
    for name, model in models(options).items():
        for network in networks:
            getattr(model, network).set_weights(getattr(first, network).get_weights())
        noise = getattr(model, "sampling", model).seed_generator
        noise.state.assign([0, 0])
        data = batches if name == PLAIN else for_all_critic_steps
        history = model.fit(data, steps_per_epoch=10, epochs=steps // 10, shuffle=False, verbose=0)
        means[name] = round(history.history[loss][-1], 2)
    return means


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


def flops_of_an_image(model):
    """Multiplications and additions that training needs for each real image."""
    if isinstance(model, gdl.VAE):
        forward, first = forward_flops(model.encoder)
        return 3 * (forward + forward_flops(model.decoder)[0]) - first  # the image itself needs no gradient
    critic, first = forward_flops(model.critic)
    generator, _ = forward_flops(model.generator)
    # fake image; critic forward and its two gradients, twice; penalty: forward, gradient of the image, derivative of both
    critic_step = generator + 2 * (3 * critic - first) + 4 * critic
    generator_step = 3 * generator + 2 * critic
    return critic_step + generator_step / model.critic_steps


def forward_flops(network):
    """Multiplications and additions for one image in a network: all of them, and those of the first layer."""
    flops = []
    for layer in network.layers:
        if isinstance(layer, (layers.Conv2D, layers.Conv2DTranspose)):
            small = layer.input if isinstance(layer, layers.Conv2DTranspose) else layer.output
            flops.append(2 * np.prod(layer.kernel.shape) * small.shape[1] * small.shape[2])
        elif isinstance(layer, layers.Dense):
            flops.append(2 * np.prod(layer.kernel.shape))
    return sum(flops), flops[0]


if __name__ == "__main__":
    main()
