"""The course's own layers: the numbers, and the derivatives, are those of Keras and of the definitions."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gdl.models import fast_layers
from gdl.models.architecture import Architecture
from gdl.models.fast_layers import LeakyReLU
from gdl.models.layers import PixelShuffle
from gdl.models.networks import normalise_activate


def test_pixel_shuffle_equals_the_definition():
    x = np.arange(2 * 3 * 4 * 8, dtype="float32").reshape(2, 3, 4, 8)
    y = PixelShuffle()(x).numpy()
    assert y.shape == (2, 6, 8, 2)
    for row, column in itertools.product(range(2), range(2)):  # each of the four channel groups is one pixel of 2x2
        group = (2 * row + column) * 2
        assert np.array_equal(y[:, row::2, column::2], x[..., group : group + 2])


def test_leaky_relu_is_that_of_keras():
    x = tf.constant([-1e3, -2.0, -1e-6, -0.0, 0.0, 1e-6, 0.5, 1e3])
    weight = tf.range(1.0, 9.0)
    results = []
    for layer in (LeakyReLU(), keras.layers.LeakyReLU(negative_slope=0.2)):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(weight * y)
        results.append((y.numpy(), tape.gradient(total, x).numpy()))
    assert np.array_equal(results[0], results[1])
    assert results[0][0] == pytest.approx(np.maximum(x, 0.2 * x.numpy()))


@pytest.mark.parametrize("dtype,tolerance", [("float32", 1e-4), ("mixed_float16", 2e-2)])
def test_batch_normalisation_is_that_of_keras(dtype, tolerance):
    """Outputs, gradients, and what is remembered for later, with the batch's statistics and with the remembered ones."""
    x = tf.constant(np.random.default_rng(0).normal(3, 2, (4, 6, 5, 7)), tf.float32)
    weight = tf.constant(np.random.default_rng(1).normal(size=x.shape), tf.float32)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        image = keras.Input(x.shape[1:])
        ours = keras.Model(image, normalise_activate(image, Architecture()))
        theirs = keras.Model(image, keras.layers.LeakyReLU(0.2)(keras.layers.BatchNormalization(momentum=0.9)(image)))
    finally:
        keras.config.set_dtype_policy(before)
    scales = np.random.default_rng(2).uniform(0.5, 2, 7)
    results = []
    for network in (ours, theirs):
        network.set_weights([scales, scales - 1, np.zeros(7), np.ones(7)])
        with tf.GradientTape() as tape:
            tape.watch(x)
            trained = tf.cast(network(x, training=True), tf.float32)
            total = tf.reduce_sum(trained * weight)
        gradients = tape.gradient(total, [x, *network.trainable_weights])
        remembered = network.get_weights()[2:]
        results.append([trained, *gradients, *remembered, tf.cast(network(x, training=False), tf.float32)])
    for mine, keras_own in zip(*results, strict=True):
        assert mine.shape == keras_own.shape and np.allclose(mine, keras_own, rtol=tolerance, atol=tolerance)


# --- convolutions that halve and double small maps ---


def maps(k, height=8, width=12, dtype="float32"):
    """A large and a small map of 3 images, and filters between them."""
    rng = np.random.default_rng(k)
    shapes = (3, height, width, 5), (3, height // 2, width // 2, 7), (k, k, 5, 7)
    return [tf.constant(rng.normal(size=shape), dtype) for shape in shapes]


@pytest.mark.parametrize("k", [2, 3, 4, 5, 7])
def test_the_quick_gradient_of_filters_is_that_of_tensorflow(k):
    large, small, filters = maps(k)
    with tf.GradientTape() as tape:
        tape.watch(filters)
        total = tf.reduce_sum(tf.nn.conv2d(large, filters, 2, "SAME") * small)
    assert np.allclose(fast_layers._filters_gradient(large, small, k), tape.gradient(total, filters), rtol=1e-4, atol=1e-4)


def derivatives(halve, double, arrays):
    """What both directions give, their first derivatives, and those of a gradient penalty."""
    large, small, filters = arrays
    with tf.GradientTape() as outer:
        outer.watch(arrays)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([large, small])
            down, up = halve(large, filters), double(small, filters)
            scores = tf.reduce_sum(tf.nn.tanh(down) ** 2) + tf.reduce_sum(tf.nn.tanh(up) ** 2)
        gradients = tape.gradient(scores, [large, small])
        total = scores + sum(tf.reduce_sum(gradient**3) for gradient in gradients)
    return [down, up, *gradients, *outer.gradient(total, arrays)]


@pytest.mark.parametrize("k", [2, 3, 4, 5])
def test_first_and_second_derivatives_of_halving_and_doubling_are_those_of_tensorflow(k):
    arrays = maps(k)
    own = derivatives(fast_layers._halve, fast_layers._double, arrays)
    theirs = derivatives(
        lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"),
        lambda x, w: tf.nn.conv2d_transpose(x, w, arrays[0].shape, 2),
        arrays,
    )
    for mine, other in zip(own, theirs, strict=True):
        assert np.allclose(mine, other, rtol=1e-3, atol=1e-4 * np.abs(other).max())


PAIRS = {"Conv2D": (fast_layers.Conv2D, keras.layers.Conv2D), "Conv2DTranspose": (fast_layers.Conv2DTranspose, keras.layers.Conv2DTranspose)}


def step(layer, x):
    """Output and gradients of the input and of all weights, and the operations that found them."""

    @tf.function
    def both(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.cast(y, "float32") ** 2)
        return y, *tape.gradient(total, [x, *(weight.value for weight in layer.trainable_variables)])

    graph = both.get_concrete_function(x).graph
    return [tf.cast(array, "float32").numpy() for array in both(x)], [operation.type for operation in graph.get_operations()]


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("dtype,tolerance", [("float32", 1e-4), ("mixed_bfloat16", 3e-2), ("mixed_float16", 3e-3)])
def test_convolutions_are_those_of_keras_in_every_precision(kind, use_bias, dtype, tolerance):
    x = tf.constant(np.random.default_rng(0).normal(size=(3, 8, 8, 5)), tf.float32)
    results, names = [], []
    for layer_class in PAIRS[kind]:
        layer = layer_class(6, 4, strides=2, padding="same", use_bias=use_bias, dtype=dtype)
        layer.build(x.shape)
        layer.set_weights([np.random.default_rng(1).normal(size=weight.shape) for weight in layer.weights])
        names.append(layer.name.rstrip("_0123456789"))
        results.append(step(layer, x)[0])
    assert names[0] == names[1], "saved weights are found by this name"
    for mine, theirs in zip(*results, strict=True):
        assert np.allclose(mine, theirs, rtol=tolerance, atol=tolerance * np.abs(theirs).max())


@pytest.mark.parametrize("kind", PAIRS)
def test_the_quick_gradient_is_taken_for_small_maps_in_bfloat16_without_a_gpu_only(kind, monkeypatch):
    def quick(dtype, size, **options):
        options = dict(strides=2, padding="same", use_bias=False, dtype=dtype) | options
        layer = PAIRS[kind][0](6, 4, **options)
        return "Conv2DBackpropFilter" not in step(layer, tf.ones((2, size, size, 5)))[1]

    large = {"Conv2D": 16, "Conv2DTranspose": 8}[kind]
    assert quick("mixed_bfloat16", large) and quick("mixed_bfloat16", large // 2)
    assert not quick("mixed_bfloat16", 2 * large)
    assert not quick("float32", large) and not quick("mixed_float16", large)
    assert not quick("mixed_bfloat16", large, padding="valid") and not quick("mixed_bfloat16", large, strides=1)
    if kind == "Conv2D":
        assert not quick("mixed_bfloat16", large, strides=1, dilation_rate=2) and not quick("mixed_bfloat16", large - 1)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [f"{kind}:0"])
    assert not quick("mixed_bfloat16", large)
