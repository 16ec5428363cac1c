"""Flow matching on the codes of an autoencoder: the idea of latent diffusion (chapter 12)."""

from typing import Any

import tensorflow as tf

from gdl.errors import CourseError
from gdl.models.conditions import ConditionalModel
from gdl.models.flow import Flow
from gdl.models.parts import described, frozen_part
from gdl.models.vae import VAE, copy_networks


class LatentFlow(Flow):
    """A flow from noise to the spatial codes of a trained VAE, which makes images of them. Rombach et al. 2022.

    autoencoder: a trained VAE or VAE-GAN with spatial_code=True. Its encoder and its decoder do not change, and are saved with the
        flow's network.
    Further options: see `gdl.Flow`. filters: the codes are small, so their first feature map can have many channels.
    The points are samples of the autoencoder's posterior in training and validation, and its means elsewhere. The KL of the
    autoencoder, as small as its weight may be, leaves them with about the variance of the noise.
    Raises CourseError for another autoencoder, and for options that are not possible.

    >>> import gdl
    >>> vae = gdl.VAE(image_size=16, z_dim=64, filters=(4, 8), spatial_code=True)
    >>> gdl.LatentFlow(16, autoencoder=vae, filters=(8, 16)).point_shape
    (4, 4, 4)
    """

    def __init__(
        self, image_size: int = 64, autoencoder: Any = None, conditions: Any = (), filters: tuple = (128, 192), steps: int = 20,
        guidance: float = 1.0, ema: float | None = 0.999, dropout: float = 0.0,
    ):  # fmt: skip
        given = isinstance(autoencoder, VAE)
        autoencoder = encoder_and_decoder(autoencoder) if given else frozen_part(autoencoder, "autoencoder", VAE)
        if not autoencoder.architecture.spatial_code:
            raise CourseError("This autoencoder's code has no height and width: give a VAE or a VAEGAN with spatial_code=True.")
        self.autoencoder, shared = autoencoder, autoencoder.architecture
        if image_size != shared.image_size:
            raise CourseError(f"image_size is {image_size}, and the autoencoder makes images of {shared.image_size} pixels: give the same size.")
        super().__init__(image_size, conditions, filters, steps, guidance, ema, dropout, shared.pixel_range)

    def shape_of_points(self, image_size: int) -> tuple[int, int, int]:
        shared = self.autoencoder.architecture
        return shared.feature_size, shared.feature_size, shared.code_channels

    def points(self, x: tf.Tensor, sample: bool) -> tf.Tensor:
        encoder, _ = self.autoencoder.networks(training=False)
        z_mean, z_log_var = encoder(x, training=False)
        z = self.autoencoder.sampling(z_mean, z_log_var) if sample else z_mean
        return tf.reshape(z, (-1, *self.point_shape))

    def images(self, points: tf.Tensor) -> tf.Tensor:
        return self.autoencoder.image_decoder(tf.reshape(points, (-1, self.architecture.z_dim)), training=False)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["pixel_range"], config["patch"]  # the autoencoder's, and of pixels
        return {**config, "autoencoder": described(self.autoencoder)}


def encoder_and_decoder(autoencoder: VAE) -> VAE:
    """A frozen VAE with the two networks of a trained VAE or VAE-GAN, averaged where there is an average, and nothing else of it."""
    if isinstance(autoencoder, ConditionalModel):
        raise CourseError("This autoencoder's decoder has to be told something, and a flow's cannot be: give a VAE or a VAEGAN.")
    vae = VAE(**VAE.get_config(autoencoder) | {"ema": None})
    copy_networks(autoencoder, vae)
    vae.trainable = False
    return vae
