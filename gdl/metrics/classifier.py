"""The ruler of the chapters: what a small classifier of faces sees. It comes with the course, so that no download is needed.

FID compares the features of a network that has learned a thousand kinds of things. A network that has learned the attributes of
faces has features of its own, and knows nothing but faces. One is of photographs, one of the faces that the course draws.
"""

from functools import cache

import keras
import numpy as np
import tensorflow as tf

from gdl.data.pixels import check_uint8
from gdl.shipped import pretrained

CLASSIFIERS = {"classifier-celeba64": 256, "classifier-drawn64": 128}  # their names, and their numbers of features


def classifier_features(images: np.ndarray, name: str) -> np.ndarray:
    """Features of images: the last feature maps of a classifier, averaged over height and width. (n, height, width, 3) uint8 -> (n, d) float32

    name: "classifier-celeba64", d = 256, or "classifier-drawn64", d = 128, which come with the course. Images of another size
    than 64x64 are resized. The network computes in float32 under every dtype policy of Keras.
    Raises CourseError for other arrays and names.

    >>> classifier_features(np.zeros((2, 32, 32, 3), np.uint8), "classifier-drawn64").shape
    (2, 128)
    """
    images, network = check_uint8(images), _network(name)
    parts = [network(tf.constant(images[i : i + 256])).numpy() for i in range(0, len(images), 256)]
    return np.concatenate([np.zeros((0, CLASSIFIERS[name]), np.float32), *parts])


@cache
def _network(name):
    """The network as one TensorFlow graph, built once per process. (n, h, w, 3) uint8 -> (n, d) float32"""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        network = pretrained(name).network
    finally:
        keras.config.set_dtype_policy(policy)
    flatten = next(layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    maps = keras.Model(network.input, flatten.input)

    @tf.function(input_signature=[tf.TensorSpec((None, None, None, 3), tf.uint8)], autograph=False)
    def features(images):
        x = tf.image.resize(tf.cast(images, tf.float32) / 255, (64, 64), antialias=True)
        return tf.reduce_mean(maps(x, training=False), axis=(1, 2))

    return features
