"""Trains each model on one device and on two replicas, here two halves of one CPU, and writes what both came to. Argument: a folder."""

import contextlib
import json
import sys
import traceback
from functools import partial

import numpy as np
import tensorflow as tf

halves = [tf.config.LogicalDeviceConfiguration()] * 2
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], halves)
import keras  # noqa: E402  (TensorFlow has to be told of the halves before Keras starts it)

import gdl  # noqa: E402

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])  # one for all: TensorFlow mixes up those of several
x = np.random.default_rng(0).random((23, 32, 32, 3)).astype("float32")
x16 = np.random.default_rng(1).random((24, 16, 16, 3)).astype("float32")


def fit(replicas, kind=gdl.VAE, x=x[:16], epochs=2, validate=True, two=False, precision="float32", **options):
    # nothing has to be held still here: each replica draws its own rows of the noise of the whole batch
    keras.utils.set_random_seed(0)
    keras.config.set_dtype_policy(precision)
    with strategy.scope() if replicas == 2 else contextlib.nullcontext():
        model = kind(**{**dict(image_size=32, z_dim=4, filters=(4,)), **options})
        optimizers = [keras.optimizers.SGD(1e-4, momentum=0.9)] + two * [keras.optimizers.SGD(2e-4)]
        model.compile(*optimizers)
    data = tf.data.Dataset.from_tensor_slices(x).batch(8)
    history = model.fit(data, validation_data=data if validate else None, epochs=epochs, verbose=0).history
    keras.config.set_dtype_policy("float32")
    return history, model.get_weights()


def play(replicas, kind, x, batch=8, epochs=2, **options):
    keras.utils.set_random_seed(0)
    with strategy.scope() if replicas == 2 else contextlib.nullcontext():
        model = kind(**{**dict(image_size=16, z_dim=4, filters=(4, 8), ema=0.5), **options})
        model.compile(keras.optimizers.SGD(0.02, momentum=0.5), keras.optimizers.SGD(0.01))
    before = model.get_weights()
    data = tf.data.Dataset.from_tensor_slices(x).batch(batch)
    history = model.fit(data, validation_data=tf.data.Dataset.from_tensor_slices(x[:8]).batch(8), epochs=epochs, verbose=0).history
    parts = {"all": model, "generator": model.generator, "critic": model.critic, "average": model.averaged_generator}
    return history, {name: part.get_weights() for name, part in parts.items()}, before


def compare_games(**options):
    (one, weights, before), (two, copies, _) = play(1, **options), play(2, **options)

    def largest(first, second):
        return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))

    differences = {name: largest(weights[name], copies[name]) for name in weights}
    return {"one": one, "two": two, "differences": differences, "moved": largest(before, copies["all"])}


def draw():
    numbers = {}
    for replicas in (1, 2):
        keras.utils.set_random_seed(0)
        with strategy.scope() if replicas == 2 else contextlib.nullcontext():
            model = gdl.GAN(image_size=16, z_dim=3, filters=(4,))
        model.seed_generator.state.assign([5, 5])
        if replicas == 2:
            rows = tf.function(partial(strategy.run, lambda codes=model.random_codes: (codes(3), codes(3))))()
            calls = [np.concatenate([row.numpy() for row in strategy.experimental_local_results(call)]) for call in rows]
        else:
            calls = [model.random_codes(6).numpy() for _ in range(2)]
        numbers[replicas] = [call.tolist() for call in calls]
    return numbers


def noise(rows):
    # what a layer of its own draws for so many images on each replica, and for all of them on one device
    zeros = [tf.zeros((n, 3)) for n in rows]
    one = gdl.Sampling(seed=1)
    alone = [one(tf.concat(zeros, 0), tf.concat(zeros, 0)).numpy().tolist() for _ in range(2)]
    with strategy.scope():
        two = gdl.Sampling(seed=1)
    values = strategy.experimental_distribute_values_from_function(lambda context: zeros[context.replica_id_in_sync_group])
    draw = tf.function(lambda: strategy.run(lambda z: two(z, z), [values]))
    shared = [np.concatenate(strategy.experimental_local_results(draw())).tolist() for _ in range(2)]
    return {"one": alone, "two": shared}


def compare(**options):
    (one, weights), (two, copies) = fit(1, **options), fit(2, **options)
    difference = np.concatenate([(a - b).ravel() for a, b in zip(weights, copies)])
    finite = all(np.isfinite(w).all() for w in copies)
    return {"one": one, "two": two, "largest difference": float(np.abs(difference).max()) if finite else None}


def follow(replicas, make, rates, images=15, momentum=0.0):
    """Three epochs of a model that is given attributes with its images, whether it uses them or not."""
    rng = np.random.default_rng(0)
    x, y = rng.random((images, 16, 16, 3)).astype("float32"), rng.integers(0, 2, (images, 2)).astype("float32")
    keras.utils.set_random_seed(0)
    with strategy.scope() if replicas == 2 else contextlib.nullcontext():
        model = make()
        model.compile(*(keras.optimizers.SGD(rate, momentum=momentum) for rate in rates))
    before = model.get_weights()
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)  # the last one of 7
    history = model.fit(data, epochs=3, verbose=0).history
    return history, model.get_weights(), before


def compare_followers(*arguments, **options):
    (one, weights, before), (two, copies, _) = follow(1, *arguments, **options), follow(2, *arguments, **options)
    difference = max(float(np.abs(a - b).max()) for a, b in zip(weights, copies, strict=True))
    return {"one": one, "two": two, "largest difference": difference, "moved": max(float(np.abs(a - b).max()) for a, b in zip(weights, before))}


def classifier():
    return gdl.AttributeClassifier(16, ["a", "b"], (4,))


def vae_gan():
    judge = gdl.AttributeClassifier(16, ["a"], (4,))
    return gdl.VAEGAN(16, 2 * 64, (4,), spatial_code=True, perceptual=1.0, classifier=judge, ema=0.5)


def train(run):
    faces = gdl.DrawnFaces(n=60, size=32)
    with strategy.scope():
        model = gdl.VAE(image_size=32, z_dim=4, filters=(4,), warm_up=4)
        model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
        assert model.distribute_strategy.num_replicas_in_sync == 2
        gdl.train(model, faces, 1, run=run, batch_size=16, halve_every=1, quiet=True)
        history = gdl.train(model, faces, 2, run=run, batch_size=16, halve_every=1, quiet=True)
    alone = gdl.load(run)
    assert np.allclose(model.encode(faces.test.images), alone.encode(faces.test.images), atol=1e-5)
    return {"losses": history["loss"].tolist(), "iterations": [int(o.iterations) for o, _ in alone.optimizer_groups]}


# half of each batch is easy and half is hard, so that the gradients of one replica alone overflow at first
grey, white = np.full((4, 32, 32, 3), 0.5, "float32"), np.ones((4, 32, 32, 3), "float32")
uneasy = np.concatenate([grey, white, grey, white])
half = dict(x=uneasy, epochs=6, validate=False, precision="mixed_float16", batch_norm=False, reconstruction="mse")

cases = {
    "one optimiser": lambda: compare(warm_up=3, filters=(4, 8)),
    "two optimisers": lambda: compare(two=True),
    "average and variance": lambda: compare(two=True, ema=0.5, reconstruction="gaussian"),
    "autoencoder": lambda: compare(kind=gdl.Autoencoder),
    "uneven batch": lambda: compare(x=x, validate=False),  # of 8, 8 and 7
    "gdl.train": lambda: train(sys.argv[1] + "/run"),
    "mixed_float16": lambda: compare(**half, two=True),
    "GAN": lambda: compare_games(kind=gdl.GAN, x=x16[:16], filters=(4,), critic_norm="batch", label_noise=0.2),
    "WGAN": lambda: compare_games(kind=gdl.WGAN, x=x16[:16], filters=(4,), critic_steps=2, clip=0.05),
    "WGANGP": lambda: compare_games(kind=gdl.WGANGP, x=x16[:16], filters=(4,), critic_steps=2, critic_norm="layer"),
    "classifier": lambda: compare_followers(classifier, (0.05,), images=23, momentum=0.9),  # of 8, 8 and 7
    "ConditionalVAE": lambda: compare_followers(lambda: gdl.ConditionalVAE(16, ["a", "b"], 4, (4,)), (1e-4,)),
    "ConditionalGAN": lambda: compare_followers(lambda: gdl.ConditionalGAN(16, ["a", "b"], 4, (4,), classify=0.5, ema=0.5), (0.02, 0.01)),
    "VAEGAN": lambda: compare_followers(vae_gan, (1e-4, 1e-4, 0.01)),
    "Flow": lambda: compare_followers(lambda: gdl.Flow(16, ["a", "b"], (4, 8), ema=0.5, dropout=0.1, pixel_range=(0, 1)), (1e-4,)),
    "codes": draw,
    "noise": lambda: noise([4, 4]),
    "noise of an uneven batch": lambda: noise([4, 1]),
}
results = {}
for name, case in cases.items():
    try:
        results[name] = case()
    except Exception:
        results[name] = {"error": traceback.format_exc(limit=-5)[-3000:]}
with open(sys.argv[1] + "/results.json", "w") as file:
    json.dump(results, file)
