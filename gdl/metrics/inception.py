"""The network behind FID: Inception v3 as released with TensorFlow on 2015-12-05, up to its last pooling.

It is not the Inception of `keras.applications`: it was trained for 1008 classes, its average
pooling does not count the padding, and its last block pools the maximum instead of the average.
Features of these two networks cannot be compared.

It computes in float32, unless the environment variable GDL_FID_PRECISION is bfloat16, or "auto", which is bfloat16 where
the processor multiplies such numbers. There it is faster, and what changes FID most is float32 all the same: the first three
convolutions and the last biases. results/inception_speed.md has the speed and the error. Values in float32 are the ones to
compare with pytorch-fid's.
"""

import os
from collections.abc import Callable
from functools import cache

import numpy as np
import tensorflow as tf

from gdl.data.pixels import check_uint8
from gdl.errors import CourseError
from gdl.machine import bfloat16_instructions
from gdl.metrics.common import progress
from gdl.metrics.weights import read_weights, weights_file

BATCH = 50  # images: the activations of 50 images of 299 x 299 need about 1 GB
PRECISIONS = ("float32", "bfloat16")
EXACT_KERNELS, EXACT_BIASES = 3, 18  # convolutions at the start, and biases at the end (of the blocks of 8 x 8), that are float32 in bfloat16 too


def default_precision() -> str:
    """The dtype in which the network computes: that of GDL_FID_PRECISION, else "float32".

    "auto" is bfloat16 where there is no GPU and the processor multiplies bfloat16 numbers, else float32.
    Raises CourseError for other values.
    """
    chosen = os.environ.get("GDL_FID_PRECISION") or "float32"
    if chosen == "auto":
        return "bfloat16" if bfloat16_instructions() and not tf.config.list_physical_devices("GPU") else "float32"
    return check_precision(chosen)


def check_precision(precision: str) -> str:
    """The precision; CourseError unless it is "float32" or "bfloat16"."""
    if precision not in PRECISIONS:
        raise CourseError(f"The precision of FID is {precision!r}: choose 'float32' or 'bfloat16', or 'auto' in the variable GDL_FID_PRECISION.")
    return precision


def inception_features(images: np.ndarray, precision: str | None = None) -> np.ndarray:
    """Features that FID compares: the 2,048 numbers after the last pooling of the 2015 Inception.

    images: (n, height, width, 3) uint8 array or memory map, any size -> (n, 2048) float32, each at least 0.
    They are resized to 299 x 299 bilinearly without anti-aliasing, as in pytorch-fid, so that values can be
    compared with those of pytorch-fid. The weights (81 MB) are downloaded on first use.
    precision: "float32" or "bfloat16" under every dtype policy of Keras; None for that of `default_precision`.
    Raises CourseError for other arrays or precisions, and when the weights cannot be downloaded.
    Szegedy et al. 2016 (the network), Heusel et al. 2017 (its use for FID).

    >>> inception_features(np.zeros((2, 64, 64, 3), np.uint8)).shape  # doctest: +SKIP
    (2, 2048)
    """
    images = check_uint8(images)
    network = _network(default_precision() if precision is None else check_precision(precision))
    features = np.zeros((len(images), 2048), np.float32)
    tensor_float = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)  # some GPUs would round to 10 bits
    try:
        for i in progress(range(0, len(images), BATCH), "Inception features", "batch"):
            features[i : i + BATCH] = network(images[i : i + BATCH])
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(tensor_float)
    return features


@cache
def _network(precision):
    """The network as one TensorFlow graph, built once per process and precision. (n, h, w, 3) uint8 -> (n, 2048) float32"""
    weights, last = [], len(arrays := read_weights(weights_file())) - EXACT_BIASES
    for i, (kernel, bias) in enumerate(arrays):
        kernel = tf.constant(kernel, "float32" if i < EXACT_KERNELS else precision)
        weights.append((kernel, tf.constant(bias, "float32" if i >= last else kernel.dtype)))

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)], autograph=False)
    def network(images):
        return inception(resized(images), _convolutions(weights))

    return network


def resized(images: tf.Tensor) -> tf.Tensor:
    """uint8 images as float32 in [-1, 1], 299 x 299. Bilinear, pixel centres at halves, no anti-aliasing."""
    return tf.image.resize(tf.cast(images, tf.float32) / 255, (299, 299)) * 2 - 1


def inception(x: tf.Tensor, conv: Callable) -> tf.Tensor:
    """The network. (n, 299, 299, 3) of any float dtype -> (n, 2048) float32

    conv: a function that applies the next convolution, with its weights and a ReLU.
    """
    x = conv(x, 2, "VALID")  # (n, 149, 149, 32)
    x = conv(x, 1, "VALID")  # (n, 147, 147, 32)
    x = half(conv(x))  # (n, 73, 73, 64)
    x = conv(conv(x), 1, "VALID")  # (n, 71, 71, 192)
    x = half(x)  # (n, 35, 35, 192)
    for _ in range(3):
        x = block_a(x, conv)  # (n, 35, 35, 256), then 288 twice
    x = block_b(x, conv)  # (n, 17, 17, 768)
    for _ in range(4):
        x = block_c(x, conv)
    x = block_d(x, conv)  # (n, 8, 8, 1280)
    x = block_e(x, conv, average)  # (n, 8, 8, 2048)
    x = block_e(x, conv, maximum)  # the released network has the maximum here, not the average
    return tf.reduce_mean(tf.cast(x, tf.float32), axis=(1, 2))


def block_a(x: tf.Tensor, conv: Callable) -> tf.Tensor:
    return tf.concat([conv(x), conv(conv(x)), conv(conv(conv(x))), conv(average(x))], -1)


def block_b(x: tf.Tensor, conv: Callable) -> tf.Tensor:
    return tf.concat([conv(x, 2, "VALID"), conv(conv(conv(x)), 2, "VALID"), half(x)], -1)


def block_c(x: tf.Tensor, conv: Callable) -> tf.Tensor:
    return tf.concat([conv(x), conv(conv(conv(x))), conv(conv(conv(conv(conv(x))))), conv(average(x))], -1)


def block_d(x: tf.Tensor, conv: Callable) -> tf.Tensor:
    return tf.concat([conv(conv(x), 2, "VALID"), conv(conv(conv(conv(x))), 2, "VALID"), half(x)], -1)


def block_e(x: tf.Tensor, conv: Callable, pool: Callable) -> tf.Tensor:
    first, second = conv(x), conv(x)
    wide = [conv(second), conv(second)]
    third = conv(conv(x))
    return tf.concat([first, *wide, conv(third), conv(third), conv(pool(x))], -1)


def half(x: tf.Tensor) -> tf.Tensor:
    """Maximum of 3 x 3 pixels at every second pixel. (n, h, w, c) -> (n, (h - 1) // 2, (w - 1) // 2, c)"""
    return tf.nn.max_pool2d(x, 3, 2, "VALID")


def average(x: tf.Tensor) -> tf.Tensor:
    """Mean of the 3 x 3 neighbours that are inside the image; the padding does not count. The shape stays the same."""
    return tf.nn.avg_pool2d(x, 3, 1, "SAME")


def maximum(x: tf.Tensor) -> tf.Tensor:
    """Maximum of the 3 x 3 neighbours. The shape stays the same."""
    return tf.nn.max_pool2d(x, 3, 1, "SAME")


def _convolutions(weights):
    """A function that applies one convolution after the other, in the order of the weights."""
    weights = iter(weights)

    def conv(x, stride=1, padding="SAME"):
        kernel, bias = next(weights)
        x = tf.nn.conv2d(tf.cast(x, kernel.dtype), kernel, stride, padding)
        return tf.cast(tf.nn.relu(tf.nn.bias_add(tf.cast(x, bias.dtype), bias)), kernel.dtype)

    return conv
