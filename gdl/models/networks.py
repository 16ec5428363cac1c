"""The convolutional encoder and decoder that every model of the course is built from.

An encoder halves the image once for each entry of `filters`; a decoder is its mirror.
For 64x64 pixels and filters (32, 64, 128, 256): 64 -> 32 -> 16 -> 8 -> 4 and back again.
"""

import tensorflow as tf
from keras import layers

from gdl.models.architecture import Architecture
from gdl.models.fast_layers import BatchNormalization, Conv2D, Conv2DTranspose, LeakyReLU
from gdl.models.layers import PixelShuffle


def image_features(x: tf.Tensor, architecture: Architecture) -> tf.Tensor:
    """Halves images once for each entry of filters, then flattens. (batch, size, size, 3) -> (batch, features)"""
    return layers.Flatten()(feature_map(x, architecture))


def feature_map(x: tf.Tensor, architecture: Architecture) -> tf.Tensor:
    """Halves images once for each entry of filters. (batch, size, size, 3) -> (batch, feature_size, feature_size, channels)"""
    resnet = architecture.residual == "resnet18"
    for stage, (filters, kernel) in enumerate(zip(architecture.filters, architecture.kernels)):
        if resnet and stage == 1:
            x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
            x = _basic_block(x, filters, architecture)
        elif resnet and stage > 1:
            x = _basic_block(x, filters, architecture, _downsample, kernel)
        else:
            x = normalise_activate(_downsample(x, filters, kernel, architecture), architecture)
        if architecture.residual is True or resnet and stage:
            x = _basic_block(x, filters, architecture)
        x = _drop(x, architecture)
    return x


def code_from_features(features: tf.Tensor, architecture: Architecture, name: str) -> tf.Tensor:
    """A code, float32, from features: a dense layer, or for a spatial code the same weights at each pixel. (batch, ...) -> (batch, z_dim)"""
    if architecture.spatial_code:
        code = layers.Conv2D(architecture.code_channels, 1, dtype="float32", name=name)(features)
        return layers.Flatten(dtype="float32")(code)
    return layers.Dense(architecture.z_dim, dtype="float32", name=name)(layers.Flatten()(features))


def image_from_code(z: tf.Tensor, architecture: Architecture, told: tf.Tensor | None = None) -> tf.Tensor:
    """The mirror of `image_features`. (batch, z_dim) -> (batch, size, size, 3), in the pixel range, float32

    told: what the image should show, (batch, conditions); it changes each normalised feature map, see `scale_shift`.
    """
    size, channels = architecture.feature_size, architecture.filters[-1]
    resnet = architecture.residual == "resnet18"
    if architecture.spatial_code:
        x = layers.Reshape((size, size, architecture.code_channels))(z)
        x = layers.Conv2D(channels, 3, padding="same")(x)
    else:
        x = layers.Dense(size * size * channels)(z)
        x = layers.Reshape((size, size, channels))(x)
    x = normalise_activate(x, architecture, told)
    if architecture.spatial_code:
        x = _basic_block(x, channels, architecture)  # pixels see their neighbours before they are enlarged
    kernels = architecture.kernels[::-1]
    for filters, kernel in zip(architecture.filters[-2::-1], kernels):
        if resnet:
            x = _basic_block(x, x.shape[-1], architecture)
            x = _basic_block(x, filters, architecture, _upsample, kernel)
        else:
            x = normalise_activate(_upsample(x, filters, kernel, architecture), architecture, told)
        if architecture.residual is True:
            x = _basic_block(x, filters, architecture)
        x = _drop(x, architecture)
    x = _upsample(x, 3, kernels[-1], architecture)
    activation = "sigmoid" if architecture.pixel_range == (0, 1) else "tanh"
    return layers.Activation(activation, dtype="float32", name="image")(x)


def normalise_activate(x: tf.Tensor, architecture: Architecture, told: tf.Tensor | None = None) -> tf.Tensor:
    """The architecture's normalisation, if any, then `scale_shift` if something is told, and leaky ReLU."""
    x = _normalise(x, architecture)
    return LeakyReLU()(x if told is None else scale_shift(x, told))


def scale_shift(x: tf.Tensor, told: tf.Tensor) -> tf.Tensor:
    """Each channel times 1 + a plus b, where a and b are linear in what is told. (batch, h, w, channels), (batch, conditions) -> like x

    After a normalisation this is class-conditional normalisation (Dumoulin, Shlens and Kudlur 2017; de Vries et al. 2017). At the
    start of training a and b are 0.
    """
    channels = x.shape[-1]
    a, b = (layers.Reshape((1, 1, channels))(layers.Dense(channels, kernel_initializer="zeros")(told)) for _ in range(2))
    return layers.Add()([x, layers.Multiply()([x, a]), b])


def _normalise(x, architecture):
    if architecture.layer_norm:
        return layers.GroupNormalization(groups=1)(x)  # one group of all channels
    if not architecture.batch_norm:
        return x
    return BatchNormalization(momentum=0.9)(x)  # not Keras's 0.99: the running mean has to settle within a short training


def _downsample(x, filters, kernel, architecture):
    """Half the height and width."""
    bias = not architecture.batch_norm  # batch normalisation subtracts the mean, and a bias with it
    if architecture.downsampling == "stride":
        return Conv2D(filters, kernel, strides=2, padding="same", use_bias=bias)(x)
    x = layers.Conv2D(filters, kernel, dilation_rate=2, padding="same", use_bias=bias)(x)
    return layers.MaxPooling2D(2)(x)


def _upsample(x, filters, kernel, architecture):
    """Twice the height and width."""
    bias = filters == 3 or not architecture.batch_norm  # the image itself is not normalised
    if architecture.upsampling == "transpose":
        return Conv2DTranspose(filters, kernel, strides=2, padding="same", use_bias=bias)(x)
    if architecture.upsampling == "resize":
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        return layers.Conv2D(filters, kernel, padding="same", use_bias=bias)(x)
    x = layers.Conv2D(4 * filters, kernel, padding="same", use_bias=bias)(x)
    return PixelShuffle()(x)


def _basic_block(x, filters, architecture, resize=None, kernel=3):
    """Two convolutions beside a shortcut (He et al. 2016); `resize` changes the size, if it is given."""
    bias = not architecture.batch_norm
    shortcut = x
    if resize or x.shape[-1] != filters:
        if resize is _upsample:
            shortcut = layers.UpSampling2D(2, interpolation="nearest")(x)
        stride = 2 if resize is _downsample else 1
        shortcut = _normalise(layers.Conv2D(filters, 1, strides=stride, use_bias=bias)(shortcut), architecture)
    if resize:
        x = resize(x, filters, kernel, architecture)
    else:
        x = layers.Conv2D(filters, 3, padding="same", use_bias=bias)(x)
    x = normalise_activate(x, architecture)
    x = _normalise(layers.Conv2D(filters, 3, padding="same", use_bias=bias)(x), architecture)
    return LeakyReLU()(layers.Add()([shortcut, x]))


def _drop(x, architecture):
    return layers.Dropout(architecture.dropout)(x) if architecture.dropout else x
