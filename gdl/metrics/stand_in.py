"""A small stand-in for Inception: no download, fast on a processor. Its distance is not FID.

It has three convolutions with random weights and is not trained. Such a network can still
distinguish sets of images (Naeem et al. 2020 use one). Its features depend on colours, contrast,
blur, noise and on what is missing from a set. They hardly depend on where in an image something
is, nor on whether a face is well formed. The distance can compare settings of one model in smoke
tests and quick trials; it cannot rank kinds of models.
"""

import numpy as np
import tensorflow as tf

from gdl.data.pixels import check_uint8

FILTERS = 10  # of each convolution
SHAPES = ((5, 5, 3, FILTERS), (3, 3, FILTERS, FILTERS), (3, 3, FILTERS, FILTERS))  # height, width, channels in and out

_random = np.random.RandomState(0)  # the generator whose numbers NumPy promises never to change
KERNELS = [_random.standard_normal(shape) for shape in SHAPES]
KERNELS = [(kernel / np.sqrt(np.sum(kernel**2, axis=(0, 1, 2)))).astype(np.float32) for kernel in KERNELS]


def stand_in_features(images: np.ndarray) -> np.ndarray:
    """Mean and log spread of the output of 30 random filters. (n, height, width, 3) uint8 -> (n, 60) float32

    Images are resized to 64x64; the filters are the same on every machine. Raises CourseError for other arrays.

    >>> stand_in_features(np.zeros((2, 64, 64, 3), np.uint8)).shape
    (2, 60)
    """
    images = check_uint8(images)
    with tf.device("CPU"):  # a GPU rounds differently
        parts = [network(tf.constant(images[i : i + 256])).numpy() for i in range(0, len(images), 256)]
    return np.concatenate([np.zeros((0, 2 * FILTERS * len(SHAPES)), np.float32), *parts])


def network(images: tf.Tensor) -> tf.Tensor:
    """The network on a batch, in TensorFlow and differentiable. (n, height, width, 3), pixels 0 to 255 -> (n, 60) float32"""
    x = tf.image.resize(tf.cast(images, tf.float32), (64, 64), antialias=True) / 127.5 - 1  # (n, 64, 64, 3)
    features = []
    for kernel in KERNELS:
        x = tf.nn.conv2d(x, kernel, strides=2, padding="SAME")  # (n, 32, 32, 10), then 16 and 8
        mean, variance = tf.nn.moments(x, axes=(1, 2))  # (n, 10) each
        features += [mean, tf.math.log(variance + 1e-4) / 2]
        x = tf.nn.relu(x) * 2**0.5  # keeps the scale of the numbers (He et al. 2015)
    return tf.concat(features, axis=1)
