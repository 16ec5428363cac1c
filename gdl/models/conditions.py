"""Conditions: a model is told what its images should show (chapter 10).

A condition is an attribute, such as Smiling. It is told as 1 (present) or -1 (absent), and 0 says nothing about it. In training each
image tells a random part of its attributes. So one model learns p(x | y) for every choice of what y names, and p(x) for none.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gdl.arguments import did_you_mean
from gdl.errors import CourseError
from gdl.models.base import DecoderModel, in_batches
from gdl.models.networks import image_from_code


class ConditionalModel(DecoderModel):
    """A DecoderModel whose decoder takes codes and what is told, [(batch, z_dim), (batch, conditions)].

    It stands before another class of models in the list of bases. `fit` takes pairs (images, attributes as 0 or 1).
    """

    conditions: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        return self.conditions

    def decode(self, z: np.ndarray, **asked: Any) -> np.ndarray:
        """Images of codes, (n, z_dim) -> (n, size, size, 3) float32 in the pixel range, that show what is asked.

        asked: attributes among the conditions; True, False, or a bool for each image. Nothing is told about the others.
        """
        z = self.check_codes(z)
        return in_batches(self.image_decoder, z, self.told(len(z), asked))

    def generate(self, n: int, seed: int = 0, **asked: Any) -> np.ndarray:
        """Images of n random codes from a standard normal that show what is asked, as in `decode`. -> (n, size, size, 3) float32

        >>> import gdl
        >>> model = gdl.ConditionalGAN(16, conditions=["Smiling", "Male"], z_dim=2, filters=(4, 8))
        >>> model.generate(3, Smiling=True, Male=[True, False, False]).shape
        (3, 16, 16, 3)
        """
        return self.decode(self.normal_codes(n, seed), **asked)

    def told_decoder(self, name: str) -> keras.Model:
        """A network from codes and what is told to images. [(batch, z_dim), (batch, conditions)] -> (batch, size, size, 3)"""
        z, told = keras.Input((self.architecture.z_dim,)), keras.Input((len(self.conditions),))
        code = z if self.architecture.spatial_code else layers.Concatenate()([z, told])
        return keras.Model([z, told], image_from_code(code, self.architecture, told), name=name)

    def told(self, n: int, asked: Mapping[str, Any]) -> np.ndarray:
        """What is asked as the decoder takes it. -> (n, conditions) float32: 1, -1 or 0. CourseError for an unknown attribute or no bool."""
        told = np.zeros((n, len(self.conditions)), np.float32)
        if asked and not self.conditions:
            raise CourseError("Nothing can be asked of this model, which has no conditions: make one with conditions=['Smiling'], for example.")
        for name, value in asked.items():
            if name not in self.conditions:
                meant = did_you_mean(name, self.conditions)
                raise CourseError(f"This model has no condition {name!r}: choose from {', '.join(self.conditions)}{meant}.")
            value = np.asarray(value)
            if value.dtype != bool or value.shape not in ((), (n,)):
                raise CourseError(f"{name} is asked as True, False or a bool for each of the {n} images; this is {value!r}: correct it.")
            told[:, self.conditions.index(name)] = np.where(value, 1, -1)
        return told

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "conditions": self.conditions}


def checked_conditions(conditions: Any, least: int = 1) -> tuple[str, ...]:
    """Names of attributes as a tuple; CourseError for too few, for a single text, and for a name that is there twice."""
    if isinstance(conditions, (str, Mapping)) or not hasattr(conditions, "__iter__"):
        raise CourseError(f"conditions is {conditions!r}: give a list of names, such as ['Smiling', 'Male'].")
    conditions = tuple(map(str, conditions))
    if len(conditions) < least:
        raise CourseError("A conditional model needs conditions: give names of attributes, such as conditions=['Smiling', 'Male'].")
    if len(set(conditions)) < len(conditions):
        raise CourseError(f"The conditions {', '.join(conditions)} contain one of them twice: give each once.")
    return conditions


def all_told(labels: tf.Tensor) -> tf.Tensor:
    """Attributes as 0 or 1, told as -1 or 1. (batch, conditions) -> the same, float32"""
    return 2 * tf.cast(labels, tf.float32) - 1


def partly_told(labels: tf.Tensor, seed: keras.random.SeedGenerator) -> tf.Tensor:
    """Attributes as 0 or 1, told as -1 or 1, or hidden as 0. (batch, conditions) -> the same, float32

    For each image a share is drawn uniformly from [0, 1], and each of its attributes is hidden with that probability. So with k
    conditions, 1 image in k + 1 tells nothing, and as many tell everything.
    """
    images, k = tf.shape(labels)[0], labels.shape[1]
    share = keras.random.uniform((images, 1), seed=seed)
    kept = keras.random.uniform((images, k), seed=seed) >= share
    return all_told(labels) * tf.cast(kept, tf.float32)
