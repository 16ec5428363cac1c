"""How different two images look to a network that has learned to tell faces apart (chapter 11).

A squared error compares pixel with pixel: a hair that is moved by a pixel counts twice, and a hair that is missing once. The
features of a trained network change little when an image moves by a pixel, and much when its texture changes. The literature takes
a VGG network (Johnson, Alahi and Fei-Fei 2016; Zhang et al. 2018). The course takes its own classifier, which needs no download.
"""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl.models.classifier import AttributeClassifier


def feature_stages(classifier: AttributeClassifier) -> keras.Model:
    """The network of a classifier up to its last feature map, with the maps after each activation as outputs. (batch, size, size, 3) -> list"""
    network = classifier.network
    return keras.Model(network.input, [layer.output for layer in network.layers if isinstance(layer, layers.LeakyReLU)], name="features")


def perceptual_distance(stages: keras.Model, x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """How far apart images are for a classifier: squared distances of its features at all depths. Two (batch, h, w, 3) in [0, 1] -> (batch,)

    At each depth the feature vector of each pixel is divided by its length. The squared distances of these vectors, 0 to 4, are
    averaged over the pixels and added over the depths. So Zhang et al. 2018 do, who also weigh the channels.
    stages: see `feature_stages`. Images of another size than the classifier's are resized.

    >>> import gdl, numpy as np
    >>> stages = feature_stages(gdl.AttributeClassifier(16, attributes=["Smiling"], filters=(4, 8)))
    >>> x = np.random.default_rng(0).random((2, 16, 16, 3), np.float32)
    >>> perceptual_distance(stages, x, x).numpy()
    array([0., 0.], dtype=float32)
    """
    size = stages.input.shape[1:3]
    if tuple(x.shape[1:3]) != size:
        x, x_hat = ops.image.resize(x, size), ops.image.resize(x_hat, size)
    maps, maps_hat = (keras.tree.flatten(stages(images, training=False)) for images in (x, x_hat))
    return sum(ops.mean(ops.sum(ops.square(_unit(a) - _unit(b)), axis=3), axis=(1, 2)) for a, b in zip(maps, maps_hat))


def _unit(features):
    """Feature vectors divided by their lengths, in float32. (batch, h, w, channels) -> the same"""
    features = ops.cast(features, "float32")
    return features * ops.rsqrt(ops.sum(ops.square(features), axis=3, keepdims=True) + 1e-8)
