"""The networks: every option builds, halves and doubles as it says, and refuses what does not fit."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import gdl
from gdl.models import networks
from gdl.models.architecture import Architecture
from gdl.models.losses import gradient_penalty
from gdl.models.networks import image_features, image_from_code, normalise_activate

SMALL = dict(image_size=32, z_dim=8, filters=(8, 16))


def autoencoder_step(**options):
    """Builds, trains one step, and returns the model with its weights before and after."""
    keras.utils.set_random_seed(0)
    model = gdl.Autoencoder(**{**SMALL, **options})
    model.compile(keras.optimizers.Adam(1e-2))
    before = [np.copy(w) for w in model.get_weights()]
    size = model.architecture.image_size
    low, high = model.architecture.pixel_range
    x = np.random.default_rng(0).uniform(low, high, (4, size, size, 3)).astype("float32")
    loss = model.train_on_batch(x)
    assert np.isfinite(loss)
    return model, before, model.get_weights()


@pytest.mark.parametrize("size", [32, 64, 96, 128])
def test_sizes_halve_and_double_back(size):
    model = gdl.Autoencoder(image_size=size, z_dim=5, filters=(4, 8, 8, 8))
    x = np.zeros((2, size, size, 3), np.uint8)
    assert model.encode(x).shape == (2, 5)
    assert model.reconstruct(x).shape == (2, size, size, 3)
    assert model.architecture.feature_size == size // 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "down,up,residual,batch_norm",
    list(itertools.product(["stride", "dilation"], ["transpose", "resize", "pixel_shuffle"], [False, True], [False, True])),
)
def test_every_combination_trains_all_its_weights(down, up, residual, batch_norm):
    model, before, after = autoencoder_step(downsampling=down, upsampling=up, residual=residual, batch_norm=batch_norm)
    unchanged = [v.path for v, a, b in zip(model.weights, before, after) if v.trainable and np.array_equal(a, b)]
    # a bias right before batch normalisation has no gradient; nothing else may stand still
    assert all("bias" in path for path in unchanged), unchanged
    has_batch_norm = any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.encoder.layers)
    assert has_batch_norm == batch_norm


@pytest.mark.parametrize("kernel_sizes", [3, 4, (5, 3)])
def test_kernel_sizes(kernel_sizes):
    model, _, _ = autoencoder_step(kernel_sizes=kernel_sizes)
    expected = [kernel_sizes] * 2 if isinstance(kernel_sizes, int) else list(kernel_sizes)
    kernels = [layer.kernel_size[0] for layer in model.encoder.layers if isinstance(layer, keras.layers.Conv2D)]
    mirrored = [layer.kernel_size[0] for layer in model.decoder.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert kernels == expected
    assert mirrored == expected[::-1]


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_decoder_fills_its_pixel_range_and_no_more(pixel_range):
    model = gdl.Autoencoder(**SMALL, pixel_range=pixel_range)
    images = model.decode(1e4 * np.random.default_rng(0).standard_normal((32, 8)))
    low, high = pixel_range
    assert images.dtype == np.float32
    assert low <= images.min() < low + 0.01 and high - 0.01 < images.max() <= high


def test_dropout_acts_in_training_only():
    model = gdl.Autoencoder(**SMALL, dropout=0.5)
    x = np.full((2, 32, 32, 3), 0.5, np.float32)
    assert np.array_equal(model(x, training=False), model(x, training=False))
    assert not np.array_equal(model(x, training=True), model(x, training=True))


# --- second derivatives ---


def penalty_gradients(leaky_relu, monkeypatch, jit_compile, **options):
    """The gradient penalty of a critic with the given activation, and its gradients by all the critic's weights."""
    monkeypatch.setattr(networks, "LeakyReLU", leaky_relu)
    keras.utils.set_random_seed(0)
    x = keras.Input((16, 16, 3))
    features = image_features(x, Architecture(**{**dict(image_size=16, z_dim=1, filters=(4, 8), batch_norm=False), **options}))
    critic = keras.Model(x, keras.layers.Reshape(())(keras.layers.Dense(1)(features)))
    rng = np.random.default_rng(0)
    arrays = [tf.constant(rng.random(shape), tf.float32) for shape in ((5, 16, 16, 3), (5, 16, 16, 3), (5, 1, 1, 1))]

    @tf.function(jit_compile=jit_compile)
    def both():
        with tf.GradientTape() as tape:
            penalty = gradient_penalty(critic, *arrays)
            total = tf.reduce_sum(penalty)
        return penalty, tape.gradient(total, [variable.value for variable in critic.trainable_variables], unconnected_gradients="zero")

    penalty, gradients = both()
    return penalty.numpy(), [gradient.numpy() for gradient in gradients]


@pytest.mark.slow
@pytest.mark.parametrize("options,jit_compile", [(dict(), False), (dict(layer_norm=True), True)], ids=["no norm", "layer norm and XLA"])
def test_second_derivatives_are_those_of_keras(options, jit_compile, monkeypatch):
    """Through the course's own leaky ReLU, which leaves out an idle part of them, and through that of Keras."""
    own = penalty_gradients(networks.LeakyReLU, monkeypatch, jit_compile, **options)
    theirs = penalty_gradients(lambda: keras.layers.LeakyReLU(negative_slope=0.2), monkeypatch, False, **options)
    assert np.allclose(own[0], theirs[0], rtol=1e-5)
    assert len(own[1]) == len(theirs[1]) > 3
    for mine, keras_own in zip(own[1], theirs[1]):
        assert np.allclose(mine, keras_own, rtol=1e-3, atol=1e-5 * max(1, np.abs(keras_own).max()))
    assert np.abs(own[1][0]).max() > 1e-4, "the penalty reaches the first kernel"


# --- layer normalisation ---


def test_layer_normalisation_looks_at_each_image_alone():
    """Another image in the batch changes nothing for the rest; with batch normalisation it does."""
    rng = np.random.default_rng(0)
    x = rng.random((4, 16, 16, 3)).astype("float32")
    other = x.copy()
    other[2] = 5 * rng.random((16, 16, 3))
    changed = {}
    for norm in ("batch_norm", "layer_norm"):
        image = keras.Input((16, 16, 3))
        options = Architecture(image_size=16, z_dim=1, filters=(4, 8), **{"batch_norm": False, norm: True})
        network = keras.Model(image, image_features(image, options))
        first, second = (network(a, training=True).numpy() for a in (x, other))
        changed[norm] = [not np.allclose(a, b, atol=1e-6) for a, b in zip(first, second)]
    assert changed == {"batch_norm": [True] * 4, "layer_norm": [False, False, True, False]}


def test_layer_normalisation_is_that_of_the_formula():
    """Ba, Kiros and Hinton 2016: mean 0 and variance 1 over an image's whole feature map, then a scale and a shift for each channel."""
    x = np.random.default_rng(0).normal(3, 2, (4, 6, 5, 7)).astype("float32")
    image = keras.Input(x.shape[1:])
    network = keras.Model(image, normalise_activate(image, Architecture(batch_norm=False, layer_norm=True)))
    scales = np.random.default_rng(2).uniform(0.5, 2, 7)
    network.set_weights([scales, scales - 1])
    axes = (1, 2, 3)
    y = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-3) * scales + scales - 1
    assert np.allclose(network(x), np.maximum(y, 0.2 * y), atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("options", [dict(), dict(residual="resnet18", upsampling="resize")])
def test_layer_normalisation_trains_all_its_weights(options):
    model, before, after = autoencoder_step(batch_norm=False, layer_norm=True, **options)
    assert not [v.path for v, a, b in zip(model.weights, before, after) if v.trainable and np.array_equal(a, b)]
    kinds = {type(layer).__name__ for layer in (*model.encoder.layers, *model.decoder.layers)}
    assert "GroupNormalization" in kinds and "BatchNormalization" not in kinds


def trainable_weights(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_the_resnet18_encoder_is_that_of_the_paper():
    """torchvision's ResNet-18 has 11,689,512 weights, 513,000 of them in its classifier of 1,000 classes."""
    options = Architecture(image_size=32, z_dim=8, filters=(64, 64, 128, 256, 512), kernel_sizes=(7, 3, 3, 3, 3), residual="resnet18")
    x = keras.Input((32, 32, 3))
    network = keras.Model(x, image_features(x, options))
    assert trainable_weights(network) == 11_689_512 - 513_000 == 11_176_512
    convolutions = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)]
    shortcuts = [layer for layer in convolutions if layer.kernel_size == (1, 1)]
    assert len(convolutions) - len(shortcuts) == 17 and len(shortcuts) == 3, "with the classifier 18 layers"
    assert convolutions[0].kernel_size == (7, 7) and convolutions[0].filters == 64
    assert sum(isinstance(layer, keras.layers.Add) for layer in network.layers) == 8
    assert network.output.shape == (None, 512)


@pytest.mark.parametrize("filters", [(8, 8), (4, 8), (8, 4, 4), (4, 6, 8, 10)])
def test_resnet18_of_any_filters_halves_and_doubles_back(filters):
    options = Architecture(image_size=32, z_dim=3, filters=filters, residual="resnet18")
    x, z = keras.Input((32, 32, 3)), keras.Input((3,))
    features = image_features(x, options)
    assert features.shape[1] == options.feature_size**2 * filters[-1]
    network = keras.Model(z, image_from_code(z, options))
    assert network.output.shape == (None, 32, 32, 3)
    blocks = sum(isinstance(layer, keras.layers.Add) for layer in network.layers)
    assert blocks == 2 * (len(filters) - 1), "as many blocks as in the encoder"


@pytest.mark.slow
@pytest.mark.parametrize(
    "down,up,batch_norm",
    [("stride", "transpose", True), ("dilation", "resize", True), ("stride", "pixel_shuffle", False), ("dilation", "transpose", False)],
)
def test_resnet18_trains_all_its_weights(down, up, batch_norm):
    model, before, after = autoencoder_step(residual="resnet18", filters=(8, 8), downsampling=down, upsampling=up, batch_norm=batch_norm)
    unchanged = [v.path for v, a, b in zip(model.weights, before, after) if v.trainable and np.array_equal(a, b)]
    assert all("bias" in path for path in unchanged), unchanged


def test_dilation_sees_further_than_stride():
    """With kernel 3 and one stage, a feature of the strided encoder sees 3 pixels, of the dilated and pooled one 6."""

    def reach(downsampling):
        options = Architecture(image_size=32, z_dim=1, filters=(1,), downsampling=downsampling, batch_norm=False)
        x = keras.Input((32, 32, 3))
        network = keras.Model(x, image_features(x, options))
        network.set_weights([np.full_like(w, 0.1) for w in network.get_weights()])
        # with noise every pixel of a pooling window is the largest in some image
        image = tf.constant(np.random.default_rng(0).random((64, 32, 32, 3)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(image)
            feature = tf.reduce_sum(network(image)[:, 16 * 8 + 8])
        touched = np.abs(tape.gradient(feature, image)).sum(axis=(0, 3)) > 0
        rows = np.flatnonzero(touched.any(axis=1))
        return rows.max() - rows.min() + 1

    assert reach("stride") == 3
    assert reach("dilation") == 6


def test_the_decoder_mirrors_the_encoder():
    options = Architecture(image_size=64, z_dim=7, filters=(8, 16, 32))
    z = keras.Input((7,))
    network = keras.Model(z, image_from_code(z, options))
    channels = [layer.filters for layer in network.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert channels == [16, 8, 3]
    assert network.layers[1].units == 8 * 8 * 32


@pytest.mark.parametrize(
    "options,words",
    [
        (dict(image_size=60), "multiple of 16, such as 64"),
        (dict(image_size=8), "multiple of 16, such as 16"),
        (dict(filters=()), "filters is empty"),
        (dict(kernel_sizes=(3, 3)), "2 entries"),
        (dict(downsampling="pool"), "'stride' or 'dilation'"),
        (dict(upsampling="deconv"), "'transpose', 'resize' or 'pixel_shuffle'"),
        (dict(residual="resnet50"), "False, True or 'resnet18'"),
        (dict(residual="resnet18", filters=(8,)), "at least two filters"),
        (dict(pixel_range=(0, 255)), "(0, 1) or (-1, 1)"),
        (dict(dropout=1.0), "less than 1"),
        (dict(layer_norm=True), "set batch_norm=False for layer_norm"),
        (dict(z_dim=0), "z_dim is 0: give a whole number, at least 1."),
        (dict(z_dim=4.5), "z_dim is 4.5"),
        (dict(z_dim=True), "z_dim is True"),
        (dict(image_size="32"), "image_size is '32': give a whole number"),
        (dict(image_size=(32, 32)), "image_size is (32, 32)"),
        (dict(image_size=32.0), "image_size is 32.0"),
        (dict(filters=32), "filters is 32: give a tuple of whole numbers"),
        (dict(filters="32,64"), "filters is '32,64'"),
        (dict(filters=(4.0, 8.0)), "filters is (4.0, 8.0)"),
        (dict(filters=(0, 8)), "filters is (0, 8)"),
        (dict(kernel_sizes=0), "kernel_sizes is 0"),
        (dict(kernel_sizes=3.0), "kernel_sizes is 3.0"),
        (dict(kernel_sizes="3"), "kernel_sizes is '3'"),
        (dict(kernel_sizes=(3, 3, 3, 0)), "kernel_sizes is (3, 3, 3, 0)"),
        (dict(dropout="0.1"), "dropout is '0.1'"),
        (dict(dropout=-0.1), "dropout is -0.1"),
        (dict(pixel_range=1), "pixel_range 1 is not known: choose (0, 1)"),
        (dict(pixel_range=None), "pixel_range None"),
        (dict(pixel_range="01"), "pixel_range '01' is not known"),
        (dict(kernel_size=3), "Autoencoder has no option 'kernel_size': choose from image_size, "),
    ],
)
def test_options_that_do_not_fit_are_refused_in_one_sentence(options, words):
    with pytest.raises(gdl.CourseError) as error:
        gdl.Autoencoder(**options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_arrays_and_numbers_of_numpy_are_options_too():
    one = np.int64(1)
    given = Architecture(64 * one, 8 * one, np.array([4, 8]), np.array([5, 3]), dropout=np.float64(0.5), pixel_range=np.array([-1, 1]))
    plain = Architecture(64, 8, (4, 8), (5, 3), dropout=0.5, pixel_range=(-1, 1))
    assert given == plain and repr(given) == repr(plain)
    assert Architecture(64, 8, [4, 8], 3 * one).kernels == (3, 3)
    model = gdl.Autoencoder(32 * one, 8 * one, 4 * np.arange(1, 3), kernel_sizes=3 * one)
    assert model.reconstruct(np.zeros((2, 32, 32, 3), np.uint8)).shape == (2, 32, 32, 3)
