"""The convolutional encoder and decoder that every model of the course is built from.

An encoder halves the image once for each entry of `filters`; a decoder is its mirror.
For 64x64 pixels and filters (32, 64, 128, 256): 64 -> 32 -> 16 -> 8 -> 4 and back again.
"""

from dataclasses import dataclass

import tensorflow as tf
from keras import layers

from gdl.errors import CourseError
from gdl.pixels import check_pixel_range

DOWNSAMPLING = ("stride", "dilation")
UPSAMPLING = ("transpose", "resize", "pixel_shuffle")


@dataclass(frozen=True)
class Architecture:
    """The options that all models share.

    image_size: height and width in pixels, a multiple of 2 ** len(filters).
    z_dim: length of the code z.
    filters: channels after each halving, from the image to the code.
    kernel_sizes: one size for all convolutions, or one for each entry of `filters`.
    downsampling: "stride" (convolution with stride 2) or "dilation" (convolution with
        dilation 2, then max pooling).
    upsampling: "transpose" (transposed convolution with stride 2), "resize" (nearest
        neighbour, then convolution; Odena, Dumoulin and Olah 2016) or "pixel_shuffle"
        (convolution to four times the channels, rearranged into 2x2 pixels; Shi et al. 2016).
    residual: adds a block of two convolutions with a shortcut after each stage (He et al. 2016).
    batch_norm: batch normalisation after each convolution (Ioffe and Szegedy 2015).
    dropout: share of each stage's values that are set to zero while training, 0 <= dropout < 1.
    pixel_range: (0, 1), then the decoder ends in a sigmoid, or (-1, 1), then in a tanh.
    Raises CourseError, in one sentence, for options that do not fit together.
    """

    image_size: int = 64
    z_dim: int = 256
    filters: tuple = (32, 64, 128, 256)
    kernel_sizes: int | tuple = 3
    downsampling: str = "stride"
    upsampling: str = "transpose"
    residual: bool = False
    batch_norm: bool = True
    dropout: float = 0.0
    pixel_range: tuple = (0, 1)

    def __post_init__(self):
        # lists become tuples, so that options read back from JSON equal the ones written
        object.__setattr__(self, "filters", tuple(self.filters))
        object.__setattr__(self, "pixel_range", check_pixel_range(self.pixel_range))
        if not isinstance(self.kernel_sizes, int):
            object.__setattr__(self, "kernel_sizes", tuple(self.kernel_sizes))
            if len(self.kernel_sizes) != len(self.filters):
                raise CourseError(
                    f"kernel_sizes {self.kernel_sizes} has {len(self.kernel_sizes)} entries and filters {self.filters} "
                    f"has {len(self.filters)}: give one kernel size, or one for each entry of filters."
                )
        if not self.filters:
            raise CourseError("filters is empty: give at least one number of channels, such as (32, 64, 128, 256).")
        if self.z_dim < 1:
            raise CourseError(f"z_dim is {self.z_dim}: the code needs at least one number.")
        for name, value, known in (
            ("downsampling", self.downsampling, DOWNSAMPLING),
            ("upsampling", self.upsampling, UPSAMPLING),
        ):
            if value not in known:
                raise CourseError(f"{name}={value!r} is not known: choose one of {', '.join(map(repr, known))}.")
        if not 0 <= self.dropout < 1:
            raise CourseError(f"dropout is {self.dropout}: it is a share, at least 0 and less than 1.")
        halvings = 2 ** len(self.filters)
        if self.image_size < halvings or self.image_size % halvings:
            raise CourseError(
                f"image_size {self.image_size} cannot be halved {len(self.filters)} times: with {len(self.filters)} "
                f"filters it has to be a multiple of {halvings}, such as {halvings * max(1, round(self.image_size / halvings))}."
            )

    @property
    def kernels(self):
        """One kernel size for each entry of `filters`."""
        return (self.kernel_sizes,) * len(self.filters) if isinstance(self.kernel_sizes, int) else self.kernel_sizes

    @property
    def feature_size(self):
        """Height and width in pixels of the smallest feature map."""
        return self.image_size // 2 ** len(self.filters)


class PixelShuffle(layers.Layer):
    """Rearranges channels into pixels: (batch, h, w, 4 c) -> (batch, 2 h, 2 w, c). Shi et al. 2016."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, shape):
        batch, height, width, channels = shape
        return batch, 2 * height, 2 * width, channels // 4


def image_features(x, architecture):
    """Halves images once for each entry of filters, then flattens. (batch, size, size, 3) -> (batch, features)"""
    for filters, kernel in zip(architecture.filters, architecture.kernels):
        x = _downsample(x, filters, kernel, architecture)
        x = _stage_end(x, filters, architecture)
    return layers.Flatten()(x)


def image_from_code(z, architecture):
    """The mirror of `image_features`. (batch, z_dim) -> (batch, size, size, 3), in the pixel range, float32"""
    size, channels = architecture.feature_size, architecture.filters[-1]
    x = layers.Dense(size * size * channels)(z)
    x = layers.Reshape((size, size, channels))(x)
    x = _normalise_activate(x, architecture)
    kernels = architecture.kernels[::-1]
    for filters, kernel in zip(architecture.filters[-2::-1], kernels):
        x = _upsample(x, filters, kernel, architecture)
        x = _stage_end(x, filters, architecture)
    x = _upsample(x, 3, kernels[-1], architecture)
    activation = "sigmoid" if architecture.pixel_range == (0, 1) else "tanh"
    return layers.Activation(activation, dtype="float32", name="image")(x)


def _downsample(x, filters, kernel, architecture):
    bias = not architecture.batch_norm  # batch normalisation subtracts the mean, and a bias with it
    if architecture.downsampling == "stride":
        return layers.Conv2D(filters, kernel, strides=2, padding="same", use_bias=bias)(x)
    x = layers.Conv2D(filters, kernel, dilation_rate=2, padding="same", use_bias=bias)(x)
    return layers.MaxPooling2D(2)(x)


def _upsample(x, filters, kernel, architecture):
    bias = filters == 3 or not architecture.batch_norm  # the image itself is not normalised
    if architecture.upsampling == "transpose":
        return layers.Conv2DTranspose(filters, kernel, strides=2, padding="same", use_bias=bias)(x)
    if architecture.upsampling == "resize":
        x = layers.UpSampling2D(2, interpolation="nearest")(x)
        return layers.Conv2D(filters, kernel, padding="same", use_bias=bias)(x)
    x = layers.Conv2D(4 * filters, kernel, padding="same", use_bias=bias)(x)
    return PixelShuffle()(x)


def _stage_end(x, filters, architecture):
    """What follows each change of size: normalise, activate, refine, drop."""
    x = _normalise_activate(x, architecture)
    if architecture.residual:
        shortcut = x
        x = _normalise_activate(layers.Conv2D(filters, 3, padding="same")(x), architecture)
        x = layers.Conv2D(filters, 3, padding="same")(x)
        x = _normalise_activate(layers.Add()([shortcut, x]), architecture)
    if architecture.dropout:
        x = layers.Dropout(architecture.dropout)(x)
    return x


def _normalise_activate(x, architecture):
    if architecture.batch_norm:
        # momentum 0.9, not Keras's 0.99: the running mean has to settle within a short training
        x = layers.BatchNormalization(momentum=0.9)(x)
    return layers.LeakyReLU(negative_slope=0.2)(x)
