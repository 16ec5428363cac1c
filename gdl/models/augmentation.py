"""Differentiable augmentation: the critic sees no image as it is, real or fake, and the generator learns through the changes.

With few photographs a critic soon knows them by heart. Changed at random each time, they keep it learning (Zhao et al. 2020,
DiffAugment; Karras et al. 2020). Each function takes and returns images in [-1, 1], (batch, size, size, 3), and changes each
image by an amount of its own. What it leaves empty is grey.
"""

from collections.abc import Sequence

import keras
import tensorflow as tf


def colour(x: tf.Tensor, seed: keras.random.SeedGenerator) -> tf.Tensor:
    """Brightness by up to a quarter of the range, saturation times 0 to 2, contrast times 0.5 to 1.5. Shapes as above."""
    brightness, saturation, contrast = tf.unstack(keras.random.uniform((tf.shape(x)[0], 3), seed=seed)[:, None, None, :, None], axis=3)
    x = x + (brightness - 0.5)
    grey = tf.reduce_mean(x, axis=3, keepdims=True)
    x = grey + 2 * saturation * (x - grey)
    mean = tf.reduce_mean(x, axis=(1, 2, 3), keepdims=True)
    return mean + (0.5 + contrast) * (x - mean)


def translation(x: tf.Tensor, seed: keras.random.SeedGenerator) -> tf.Tensor:
    """Moves each image by up to an eighth of its size in both directions. Shapes as above."""
    size = x.shape[1]
    most = size // 8
    moves = keras.random.uniform((tf.shape(x)[0], 2), -most, most + 1, seed=seed)
    moves = tf.cast(tf.floor(moves), tf.int32)[:, :, None]  # (batch, 2, 1), whole pixels
    rows, columns = tf.unstack(tf.one_hot(tf.range(size) + moves, size), axis=1)  # (batch, size, size) each, one 1 in a row
    return tf.einsum("bij,bjkc,blk->bilc", rows, x, columns)


def cutout(x: tf.Tensor, seed: keras.random.SeedGenerator) -> tf.Tensor:
    """A square of half the image's size, anywhere, becomes grey. Shapes as above."""
    size = x.shape[1]
    centres = size * keras.random.uniform((tf.shape(x)[0], 2), seed=seed)[:, :, None]  # (batch, 2, 1)
    near = tf.abs(tf.range(size, dtype=tf.float32) + 0.5 - centres) < size / 4  # (batch, 2, size)
    return tf.where((near[:, 0, :, None] & near[:, 1, None, :])[..., None], tf.zeros_like(x), x)


AUGMENTATIONS = {"colour": colour, "translation": translation, "cutout": cutout}


def augmented(x: tf.Tensor, names: Sequence[str], seed: keras.random.SeedGenerator) -> tf.Tensor:
    """Images in [-1, 1] after the named changes, in this order. (batch, size, size, 3) -> (batch, size, size, 3)"""
    for name in names:
        x = AUGMENTATIONS[name](x, seed)
    return x
