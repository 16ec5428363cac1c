"""Trains with XLA and without, and prints for each kind of model "" or what went wrong. Keras leaves XLA out, with a warning, once
deterministic operations are on, as gdl.train turns them on: so this runs in a process of its own, and gdl.train comes last."""

import json
import traceback
import warnings

import keras
import numpy as np
import tensorflow as tf

import gdl

warnings.simplefilter("error", UserWarning)  # Keras warns when it leaves XLA out


def adversarial():
    x = np.random.default_rng(0).random((8, 16, 16, 3), np.float32)
    normal, uniform = keras.random.normal, keras.random.uniform

    def waves(shape, seed=None):  # XLA draws other numbers from the same seed
        return tf.reshape(tf.sin(tf.cast(tf.range(tf.reduce_prod(shape)), "float32")), shape)

    games = (
        (gdl.GAN, dict(critic_norm="batch", label_noise=0.2)),
        (gdl.WGAN, dict(critic_norm=None)),
        (gdl.WGANGP, dict(critic_steps=2, filters=(4, 8))),
    )
    for kind, options in games:
        keras.random.normal, keras.random.uniform = waves, lambda shape, seed=None: waves(shape) / 2 + 0.5
        ends = []
        for jit in (False, True):
            keras.utils.set_random_seed(0)
            model = kind(**{**dict(image_size=16, z_dim=4, filters=(4,), critic_steps=1, ema=0.9), **options})
            model.compile(keras.optimizers.SGD(0.01, momentum=0.9), keras.optimizers.SGD(0.01), jit_compile=jit)
            before = model.get_weights()
            numbers = model.fit(x, batch_size=8, epochs=2, shuffle=False, verbose=0).history
            assert model.jit_compile is jit
            ends.append((numbers, model.get_weights()))
        for name, number in ends[0][0].items():
            assert np.allclose(number, ends[1][0][name], rtol=1e-3, atol=1e-4), (kind, name, number, ends[1][0][name])
        assert all(np.allclose(a, b, rtol=1e-3, atol=1e-4) for a, b in zip(ends[0][1], ends[1][1])), kind
        assert max(np.abs(a - b).max() for a, b in zip(before, ends[1][1])) > 1e-3

    keras.random.normal, keras.random.uniform = normal, uniform
    model = gdl.WGANGP(16, 4, (4,), critic_steps=1, batch_norm=False)
    model.compile(keras.optimizers.SGD(0.0), jit_compile=True)
    history = model.fit(x, batch_size=8, epochs=3, shuffle=False, verbose=0).history
    assert len(set(history["generator_loss"])) == len(set(history["gradient_penalty"])) == 3, "the noise is new at each step"


def vae():
    x = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
    normal, ends = keras.random.normal, []
    for jit in (False, True):
        # XLA draws other numbers from the same seed, so the noise is a constant here
        keras.random.normal = lambda shape, seed=None: 0.5 * keras.ops.ones(shape)
        keras.utils.set_random_seed(0)
        model = gdl.VAE(32, 4, (4, 8), warm_up=3)
        model.compile(keras.optimizers.SGD(1e-4, momentum=0.9), keras.optimizers.SGD(1e-4), jit_compile=jit)
        losses = model.fit(x, batch_size=8, epochs=3, shuffle=False, verbose=0).history["loss"]
        assert model.jit_compile is jit
        ends.append((losses, model.get_weights()))
    assert np.allclose(ends[0][0], ends[1][0], rtol=1e-4)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(ends[0][1], ends[1][1]))

    keras.random.normal = normal
    model = gdl.VAE(32, 4, (4, 8), batch_norm=False)
    model.compile(keras.optimizers.SGD(0.0), jit_compile=True)
    losses = model.fit(x, batch_size=8, epochs=3, shuffle=False, verbose=0).history["reconstruction_loss"]
    assert len(set(losses)) == 3, "the noise is new at each step"

    model = gdl.VAE(32, 4, (4, 8))
    model.compile(keras.optimizers.Adam(1e-3), jit_compile=True)
    history = gdl.train(model, gdl.DrawnFaces(n=60, size=32), 2, batch_size=16, quiet=True)
    assert model.jit_compile and history["loss"][2] < history["loss"][1]


problems = {}
for part in (adversarial, vae):
    try:
        part()
        problems[part.__name__] = ""
    except Exception:
        problems[part.__name__] = traceback.format_exc(limit=-5)[-3000:]
print(json.dumps(problems))
