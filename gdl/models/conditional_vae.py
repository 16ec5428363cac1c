"""The conditional VAE: the decoder is told what the image should show (chapter 10)."""

from typing import Any

import keras
import tensorflow as tf

from gdl.models.conditions import ConditionalModel, all_told, checked_conditions, partly_told
from gdl.models.losses import kl_divergence
from gdl.models.vae import VAE


class ConditionalVAE(ConditionalModel, VAE):
    """A VAE with a decoder of p(x | z, y), where y is what is told. Kingma et al. 2014; Sohn, Lee and Yan 2015.

    The code then needs to hold only what y does not say. The encoder sees the image alone, whose attributes are in it.
    conditions: names of attributes, such as ["Smiling", "Male"].
    Further options: see `gdl.VAE`.
    Raises CourseError for conditions that are missing or named twice, and for options that are not known or do not fit together.

    >>> import gdl
    >>> model = gdl.ConditionalVAE(image_size=16, conditions=["Smiling"], z_dim=2, filters=(4, 8))
    >>> model.generate(3, Smiling=True).shape
    (3, 16, 16, 3)
    """

    def __init__(
        self, image_size: int = 64, conditions: Any = (), z_dim: int = 256, filters: tuple = (32, 64, 128, 256), **options: Any
    ):  # fmt: skip
        self.conditions = checked_conditions(conditions)  # first, because the decoder needs them
        super().__init__(image_size, z_dim, filters, **options)

    def make_decoder(self) -> keras.Model:
        return self.told_decoder("decoder")

    def call(self, x: Any, training: bool = False) -> tf.Tensor:
        encoder, decoder = self.networks(training)
        z_mean, z_log_var = encoder(x, training=training)
        nothing = tf.zeros((tf.shape(z_mean)[0], len(self.conditions)))
        return decoder([self.sampling(z_mean, z_log_var), nothing], training=training)

    def both_losses(self, x: Any, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """As of a VAE, for images x[0] and what is told, x[1]."""
        x, told = x
        encoder, decoder = self.networks(training)
        z_mean, z_log_var = encoder(x, training=training)
        x_hat = decoder([self.sampling(z_mean, z_log_var), told], training=training)
        return self.compare(self.unit_range(x), self.unit_range(x_hat)), kl_divergence(z_mean, z_log_var)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return super().train_step(((x, partly_told(y, self.sampling.seed_generator)),))

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return super().test_step(((x, all_told(y)),))

    def reconstruct(self, x: Any, **asked: Any) -> Any:
        """Images encoded, and decoded as is asked; see `decode`. (n, size, size, 3) -> the same, float32"""
        return self.decode(self.encode(x), **asked)
