"""The network of flow matching: where does a point at time t go? A small U-Net (chapter 12).

A U-Net halves a feature map some times and doubles it again, and each stage on the way up also sees the map of its size on the
way down (Ronneberger, Fischer and Brox 2015), here with residual blocks that are told the time (Ho, Jain and Abbeel 2020).
"""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl.models.networks import scale_shift

FREQUENCIES = 2.0 ** np.arange(7)  # of the time, in half turns from t = 0 to t = 1


def velocity_network(shape: tuple[int, int, int], filters: tuple[int, ...], conditions: int, dropout: float = 0.0) -> keras.Model:
    """A network [x, t, told] -> velocity: (batch, *shape), (batch,) in [0, 1] and (batch, conditions) -> (batch, *shape), float32.

    filters: channels of each size, from the largest feature map to the smallest, where the pixels also attend to each other
        (Vaswani et al. 2017).
    At the start of training the velocity is 0.
    """
    x, t, told = keras.Input(shape), keras.Input(()), keras.Input((conditions,))
    about = layers.Concatenate()([TimeFeatures()(t), told]) if conditions else TimeFeatures()(t)
    about = layers.Dense(2 * filters[-1], activation="silu")(about)
    about = layers.Dense(2 * filters[-1], activation="silu")(about)

    y = layers.Conv2D(filters[0], 3, padding="same")(x)
    maps = []
    for i, channels in enumerate(filters):
        if i:
            y = layers.Conv2D(channels, 3, strides=2, padding="same")(y)
        y = _block(y, about, channels, dropout)
        maps.append(y)
    y = _attend(y)
    y = _block(y, about, filters[-1], dropout)
    for i, channels in reversed(list(enumerate(filters))):
        y = _block(layers.Concatenate()([y, maps[i]]), about, channels, dropout)
        if i:
            y = layers.UpSampling2D(2, interpolation="nearest")(y)
            y = layers.Conv2D(filters[i - 1], 3, padding="same")(y)
    y = layers.Activation("silu")(_normalise(y))
    velocity = layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer="zeros", dtype="float32")(y)
    return keras.Model([x, t, told], velocity, name="velocity")


@keras.saving.register_keras_serializable("gdl")
class TimeFeatures(layers.Layer):
    """Cosines and sines of a time in [0, 1] at growing frequencies, in float32. (batch,) -> (batch, 14)"""

    def __init__(self, dtype: Any = "float32", **options: Any):
        super().__init__(dtype=dtype, **options)

    def call(self, t: tf.Tensor) -> tf.Tensor:
        angles = math.pi * t[:, None] * FREQUENCIES.astype(np.float32)
        return ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=1)


def _block(x, about, channels, dropout):
    """Two convolutions beside a shortcut (He et al. 2016); what is known about the image scales and shifts the map between them."""
    y = layers.Conv2D(channels, 3, padding="same")(layers.Activation("silu")(_normalise(x)))
    y = layers.Activation("silu")(scale_shift(_normalise(y), about))
    if dropout:
        y = layers.Dropout(dropout)(y)
    y = layers.Conv2D(channels, 3, padding="same", kernel_initializer="zeros")(y)
    return layers.Add()([x if x.shape[-1] == channels else layers.Conv2D(channels, 1)(x), y])


def _attend(x):
    """Attention of all pixels to all, beside a shortcut. (batch, h, w, channels) -> the same"""
    height, width, channels = x.shape[1:]
    y = layers.Reshape((height * width, channels))(_normalise(x))
    y = layers.MultiHeadAttention(4, max(1, channels // 4))(y, y)
    return layers.Add()([x, layers.Reshape((height, width, channels))(y)])


def _normalise(x):
    return layers.GroupNormalization(math.gcd(8, x.shape[-1]))(x)
