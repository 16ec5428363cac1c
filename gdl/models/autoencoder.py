"""The autoencoder: an image to a short code and back (chapter 01)."""

from typing import Any

import keras
import tensorflow as tf
from keras import ops

from gdl.models.base import EncoderDecoderModel
from gdl.models.losses import squared_error
from gdl.models.networks import code_from_features, feature_map, image_from_code


class Autoencoder(EncoderDecoderModel):
    """Encoder, bottleneck z, decoder, trained to reproduce its input. Hinton and Salakhutdinov 2006.

    Takes the options of `gdl.models.architecture.Architecture`. The loss is the squared error of
    pixels in [0, 1], summed over the pixels and channels of each image and averaged over the batch.
    `fit` takes batches of images x, or of pairs (input, target) where the two differ, as in denoising.

    >>> import gdl, numpy as np
    >>> autoencoder = gdl.Autoencoder(image_size=16, z_dim=2, filters=(4, 8))
    >>> autoencoder.encode(np.zeros((5, 16, 16, 3), np.uint8)).shape
    (5, 2)
    """

    def __init__(self, image_size: int = 64, z_dim: int = 256, filters: tuple = (32, 64, 128, 256), **options: Any):
        super().__init__(image_size, z_dim, filters, **options)
        x = keras.Input((image_size, image_size, 3))
        z = code_from_features(feature_map(x, self.architecture), self.architecture, "z")
        self.encoder = keras.Model(x, z, name="encoder")
        z = keras.Input((z_dim,))
        self.decoder = keras.Model(z, image_from_code(z, self.architecture), name="decoder")
        self.build((None, image_size, image_size, 3))

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.decoder(self.encoder(x, training=training), training=training)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> tf.Tensor:
        target = x if y is None else y
        return ops.mean(squared_error(self.unit_range(target), self.unit_range(y_pred)))
