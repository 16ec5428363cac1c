"""The VAE-GAN: a VAE whose decoder has to pass a critic, and whose errors are also measured on features (chapter 11)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import choice, number
from gdl.errors import CourseError
from gdl.models.adversarial import CRITIC_NORMS, critic_network
from gdl.models.base import in_batches, move_average, second_optimizer
from gdl.models.classifier import AttributeClassifier
from gdl.models.compiling import an_optimizer
from gdl.models.losses import discriminator_loss, generator_loss, kl_divergence
from gdl.models.parts import described, frozen_part
from gdl.models.perceptual import feature_stages, perceptual_distance
from gdl.models.vae import VAE


class VAEGAN(VAE):
    """Encoder, decoder and critic, each with a loss and an optimiser of its own. Larsen et al. 2016.

    The encoder's loss is that of the VAE. The decoder's has no KL, which it cannot change, and has the generator's loss of a GAN on
    its reconstructions. The critic tells images from reconstructions. The encoder gets no gradient from the critic.
    adversarial: weight of the generator's loss in the decoder's.
    perceptual: weight of the perceptual distance, which is added to the reconstruction loss; see `gdl.models.perceptual`. Larsen et al.
        take features of the critic for it.
    classifier: whose features the perceptual distance compares, such as `gdl.pretrained("classifier-celeba64")`.
    critic_norm: "batch", "layer", "spectral" or None, the critic's normalisation.
    Further options: see `gdl.VAE`.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> model = gdl.VAEGAN(image_size=16, z_dim=64, filters=(4, 8), spatial_code=True)
    >>> model.score(model.generate(3)).shape
    (3,)
    """

    has_validation_loss = False  # a blurred reconstruction has the lower error

    def __init__(
        self, image_size: int = 64, z_dim: int = 256, filters: tuple = (64, 128, 256), beta: float = 1.0, reconstruction: str = "mse",
        adversarial: float = 1.0, perceptual: float = 0.0, classifier: AttributeClassifier | None = None, critic_norm: str | None = None,
        **options: Any,
    ):  # fmt: skip
        self.critic_norm = choice("critic_norm", critic_norm, CRITIC_NORMS)  # first, because `build` needs them
        self.classifier = None if classifier is None else frozen_part(classifier, "classifier", AttributeClassifier)
        super().__init__(image_size, z_dim, filters, beta, reconstruction, **options)
        self.adversarial, self.perceptual = number("adversarial", adversarial), number("perceptual", perceptual)
        if (self.perceptual > 0) != (classifier is not None):
            raise CourseError("A perceptual distance has a weight and a classifier: give both perceptual=10 and classifier=..., or none of them.")
        if self.classifier is not None and self.classifier.architecture.pixel_range != (0, 1):
            raise CourseError("The classifier takes pixels in [-1, 1], and perceptual distances are of pixels in [0, 1]: give another classifier.")
        if self.warm_up:
            raise CourseError(f"warm_up is {self.warm_up}, and a VAEGAN weighs the KL alike in all steps: leave it out, and give a smaller beta.")

    def build(self, input_shape: Any) -> None:
        self.critic = critic_network(self.architecture, self.critic_norm)
        self.stages = None if self.classifier is None else feature_stages(self.classifier)
        self.trackers |= {name: keras.metrics.Mean(name) for name in ("realism_loss", "critic_loss")}
        super().build(input_shape)

    def compare(self, x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
        loss = super().compare(x, x_hat)
        return loss if self.stages is None else loss + self.perceptual * perceptual_distance(self.stages, x, x_hat)

    def four_losses(self, x: tf.Tensor, training: bool) -> tuple[tf.Tensor, ...]:
        """Reconstruction loss, KL, the generator's loss and the critic's of each image. (batch, size, size, 3) -> four of (batch,)"""
        encoder, decoder = self.networks(training)
        z_mean, z_log_var = encoder(x, training=training)  # (batch, z_dim) each
        x_hat = decoder(self.sampling(z_mean, z_log_var), training=training)  # (batch, size, size, 3)
        reconstruction = self.compare(self.unit_range(x), self.unit_range(x_hat))
        realism = generator_loss(self.critic(x_hat, training=training))
        critic = discriminator_loss(self.critic(x, training=training), self.critic(tf.stop_gradient(x_hat), training=training))
        return reconstruction, kl_divergence(z_mean, z_log_var), realism, critic

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        with tf.GradientTape(persistent=True) as tape:
            reconstruction, kl, realism, critic = self.four_losses(x, training=True)
            losses = [reconstruction + self.beta * kl, reconstruction + self.adversarial * realism, critic]  # of encoder, decoder, critic
            scaled = [optimizer.scale_loss(tf.reduce_mean(loss)) for (optimizer, _), loss in zip(self.optimizer_groups, losses)]
        gradients = [tape.gradient(loss, weights) for loss, (_, weights) in zip(scaled, self.optimizer_groups)]
        for (optimizer, weights), of_network in zip(self.optimizer_groups, gradients):
            optimizer.apply_gradients(zip(of_network, weights))
        move_average(self.networks(training=False), self.networks(training=True), self.optimizer, self.ema)
        return self.track_all(reconstruction, kl, realism, critic)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        return self.track_all(*self.four_losses(x, training=False))

    def track_all(self, reconstruction: tf.Tensor, kl: tf.Tensor, realism: tf.Tensor, critic: tf.Tensor) -> dict[str, tf.Tensor]:
        """Adds the losses of a batch, (batch,) each, to the metrics and returns the metrics."""
        self.trackers["realism_loss"].update_state(realism)
        self.trackers["critic_loss"].update_state(critic)
        return self.track(reconstruction, kl, self.beta)

    def compile(self, optimizer: Any = "adam", decoder_optimizer: Any = None, critic_optimizer: Any = None, **options: Any) -> None:
        """As in Keras, with an optimiser for each network; those that are missing are like the first."""
        optimizer = an_optimizer(optimizer)
        decoder_optimizer, critic_optimizer = (
            type(optimizer).from_config(optimizer.get_config()) if other is None else other for other in (decoder_optimizer, critic_optimizer)
        )
        self.critic_optimizer = second_optimizer(critic_optimizer, self.dtype_policy.name)
        super().compile(optimizer, decoder_optimizer, **options)

    @property
    def optimizer_groups(self) -> list[tuple]:
        return [*super().optimizer_groups, (self.critic_optimizer, self.critic.trainable_variables)]

    def default_optimizers(self, learning_rate: float | None = None) -> list[keras.optimizers.Optimizer]:
        rates = [1e-3 if learning_rate is None else learning_rate] * 3
        return [keras.optimizers.Adam(rate, beta_1=0.5, beta_2=0.99) for rate in rates]

    def score(self, x: np.ndarray) -> np.ndarray:
        """The critic's scores of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n,) float32, higher is more real"""
        return in_batches(self.critic, self.check_images(x))

    def get_config(self) -> dict[str, Any]:
        own = dict(adversarial=self.adversarial, perceptual=self.perceptual, critic_norm=self.critic_norm)
        return {**super().get_config(), **own, "classifier": self.classifier and described(self.classifier)}
