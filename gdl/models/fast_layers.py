"""Four layers of Keras that are quicker here and give the same numbers: leaky ReLU, batch normalisation, two convolutions.

They have the names of Keras's layers, after which saved weights are named, and in files the names of `gdl.registration`, so that
nothing takes one for Keras's.
"""

import keras
import tensorflow as tf
from keras import layers

from gdl.models import replicas


@keras.saving.register_keras_serializable("gdl", "FastLeakyReLU")
class LeakyReLU(layers.LeakyReLU):
    """max(x, negative_slope x), quicker in a gradient penalty.

    The second derivative is 0 almost everywhere. TensorFlow's own layer propagates these zeros through the whole network;
    here a second derivative treats the slope as a constant.
    """

    def __init__(self, negative_slope=0.2, **options):
        super().__init__(negative_slope, **options)

    def call(self, inputs):
        return _leaky_relu(inputs, self.negative_slope)


def _leaky_relu(x, slope):
    @tf.custom_gradient
    def activate(x):
        def gradient(upstream):
            return tf.raw_ops.LeakyReluGrad(gradients=upstream, features=tf.stop_gradient(x), alpha=slope)

        return tf.nn.leaky_relu(x, slope), gradient

    return activate(x)


@keras.saving.register_keras_serializable("gdl", "FastBatchNormalization")
class BatchNormalization(layers.BatchNormalization):
    """Keras's layer, trained by TensorFlow's fused operation: the same numbers in fewer passes over the images.

    Ioffe and Szegedy 2015. For channels last, as everywhere in the course. On several devices the statistics are those of
    the whole batch, as on one.
    """

    def __init__(self, **options):
        super().__init__(**{"synchronized": replicas.several(), **options})

    def call(self, x, training=None, mask=None):
        if not training or self.synchronized or len(x.shape) != 4:
            return super().call(x, training=training, mask=mask)
        fused = tf.compat.v1.nn.fused_batch_norm
        y, mean, variance = fused(x, self.gamma, self.beta, epsilon=self.epsilon, is_training=True)
        n = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
        variance *= (n - 1) / n  # the operation divides by n - 1, Keras by n
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(self.momentum * moving + (1 - self.momentum) * new)
        return y


@keras.saving.register_keras_serializable("gdl", "FastConv2D")
class Conv2D(layers.Conv2D):
    """Keras's layer. In bfloat16 on a processor, where it halves a small map, the gradient of its filters takes half the time."""

    def convolution_op(self, inputs, kernel):
        if _small_halving(self, *inputs.shape[1:3]):
            return _halve(inputs, tf.convert_to_tensor(kernel))
        return super().convolution_op(inputs, kernel)


@keras.saving.register_keras_serializable("gdl", "FastConv2DTranspose")
class Conv2DTranspose(layers.Conv2DTranspose):
    """Keras's layer, with the quicker gradient of `Conv2D`: it is the same convolution in the other direction."""

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        if _small_halving(self, 2 * height, 2 * width) and not self.use_bias:
            return _double(inputs, tf.convert_to_tensor(self.kernel))
        return super().call(inputs)


def _small_halving(layer, height, width):
    """Whether a layer between maps of such a size and half of it is one for which `_filters_gradient` is the quicker way."""
    if layer.compute_dtype != "bfloat16" or tf.config.list_logical_devices("GPU"):
        return False
    k, other = layer.kernel_size
    halves = (layer.strides, layer.dilation_rate, layer.padding) == ((2, 2), (1, 1), "same") and height % 2 == width % 2 == 0
    return halves and k == other > 1 and max(height, width) <= 16  # in larger maps TensorFlow's own is as quick


@tf.custom_gradient
def _halve(x, kernel):
    """(batch, 2 h, 2 w, c), (k, k, c, d) -> (batch, h, w, d)"""
    return tf.nn.conv2d(x, kernel, 2, "SAME"), lambda dy: (_double(dy, kernel), _filters_gradient(x, dy, kernel.shape[0]))


@tf.custom_gradient
def _double(x, kernel):
    """(batch, h, w, d), (k, k, c, d) -> (batch, 2 h, 2 w, c)"""
    shape = tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], kernel.shape[2]
    return tf.nn.conv2d_transpose(x, kernel, shape, 2), lambda dy: (_halve(dy, kernel), _filters_gradient(dy, x, kernel.shape[0]))


def _filters_gradient(large, small, k):
    """Gradient of the filters between two maps: itself a convolution, of the large map with the small one as its filters.

    The images of the batch take the place of the channels. (batch, 2 h, 2 w, c), (batch, h, w, d) -> (k, k, c, d)
    """
    margin = [(k - 2) // 2, (k - 1) // 2]
    with tf.name_scope("filters_gradient"):
        large = tf.pad(tf.transpose(large, [3, 1, 2, 0]), [[0, 0], margin, margin, [0, 0]])  # (c, 2 h + k - 2, 2 w + k - 2, batch)
        small = tf.transpose(small, [1, 2, 0, 3])  # (h, w, batch, d)
        return tf.transpose(tf.nn.conv2d(large, small, 1, "VALID", dilations=2), [1, 2, 0, 3])
