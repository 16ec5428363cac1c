"""A small stand-in for Inception: nothing to download, quick on a processor, and its distance is not FID.

Three convolutions with random weights, which were never trained on anything. Even such a network
tells sets of images apart (Naeem et al. 2020 measure with one). It sees colours, contrast, blur,
noise and what is missing from a set; it hardly minds where in an image something is, and it cannot
tell whether a face is well formed. So it compares settings of one model in smoke tests and quick
trials, and it cannot rank kinds of models.
"""

import numpy as np
import tensorflow as tf

from gdl.errors import CourseError

FILTERS = 10  # of each convolution
SHAPES = ((5, 5, 3, FILTERS), (3, 3, FILTERS, FILTERS), (3, 3, FILTERS, FILTERS))  # height, width, channels in and out

_random = np.random.RandomState(0)  # the one generator whose numbers NumPy promises never to change
KERNELS = [_random.standard_normal(shape) for shape in SHAPES]
KERNELS = [(kernel / np.sqrt(np.sum(kernel**2, axis=(0, 1, 2)))).astype(np.float32) for kernel in KERNELS]


def stand_in_features(images):
    """Mean and log spread of what each of 30 random filters finds in an image. (n, height, width, 3) uint8 -> (n, 60) float32

    Images are resized to 64x64; the filters are the same on every machine.
    """
    if getattr(images, "dtype", None) != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise CourseError("The stand-in takes uint8 images of shape (n, height, width, 3).")
    with tf.device("CPU"):  # a GPU rounds in its own way
        parts = [network(tf.constant(images[i : i + 256])).numpy() for i in range(0, len(images), 256)]
    return np.concatenate([np.zeros((0, 2 * FILTERS * len(SHAPES)), np.float32), *parts])


def network(images):
    """The network on a batch, in TensorFlow and differentiable. (n, height, width, 3), pixels 0 to 255 -> (n, 60) float32"""
    x = tf.image.resize(tf.cast(images, tf.float32), (64, 64), antialias=True) / 127.5 - 1  # (n, 64, 64, 3)
    found = []
    for kernel in KERNELS:
        x = tf.nn.conv2d(x, kernel, strides=2, padding="SAME")  # (n, 32, 32, 10), then 16 and 8
        mean, variance = tf.nn.moments(x, axes=(1, 2))  # (n, 10) each
        found += [mean, tf.math.log(variance + 1e-4) / 2]
        x = tf.nn.relu(x) * 2**0.5  # keeps the size of the numbers (He et al. 2015)
    return tf.concat(found, axis=1)
