"""The Wasserstein GAN: a critic whose loss estimates a distance (chapter 05)."""

from typing import Any

import keras
import tensorflow as tf

from gdl.arguments import number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel
from gdl.models.losses import wasserstein_critic_loss, wasserstein_generator_loss


class WGAN(AdversarialModel):
    """Generator and critic; the critic's weights are clipped. Arjovsky, Chintala and Bottou 2017.

    critic_steps: steps of the critic for each step of the generator.
    clip: bound on the absolute value of the critic's weights. The bound on the scales of its normalisation
        layers is 1: with scales of 0.01 the signal would vanish from layer to layer.
    critic_norm: "batch" as in the paper, "layer" or None.
    Further options: see `gdl.models.adversarial.AdversarialModel`. The usual learning rate is the paper's,
    5e-5; a short training needs about ten times as much.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> gdl.WGAN(image_size=16, z_dim=2, filters=(4, 8), clip=0.05).get_config()["clip"]
    0.05
    """

    metric_names = ("critic_loss", "generator_loss", "wasserstein")

    def __init__(
        self, image_size: int = 64, z_dim: int = 128, filters: tuple = (64, 128, 256, 512),
        critic_steps: int = 5, clip: float = 0.01, critic_norm: str | None = "batch", **options: Any,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, critic_steps=critic_steps, critic_norm=critic_norm, **options)
        self.clip = number("clip", clip)
        if not self.clip:
            raise CourseError(f"clip is {clip}: it bounds the critic's weights, so give more than 0, such as 0.01.")

    def critic_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Score of the fake image minus score of the real image. Two (batch, size, size, 3) -> (batch,)"""
        loss = wasserstein_critic_loss(self.critic(real, training=training), self.critic(fake, training=training))
        self.track(critic_loss=loss, wasserstein=-loss)
        return loss

    def generator_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """The negative of the critic's score of the fake image. Two (batch, size, size, 3) -> (batch,)"""
        loss = wasserstein_generator_loss(self.critic(fake, training=training))
        self.track(generator_loss=loss)
        return loss

    def critic_step(self, real: tf.Tensor) -> None:
        """One step of the critic, after which its weights are clipped."""
        super().critic_step(real)
        for weight, limit in self.limits:
            weight.assign(tf.clip_by_value(weight, -limit, limit))

    @property
    def limits(self) -> list[tuple]:
        """Each of the critic's weights with the bound on its absolute value."""
        return [(weight, 1.0 if weight.name == "gamma" else self.clip) for weight in self.critic.trainable_variables]

    def default_optimizers(self, learning_rate: float | None = None) -> list[keras.optimizers.Optimizer]:
        return [keras.optimizers.RMSprop(5e-5 if learning_rate is None else learning_rate) for _ in range(2)]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "clip": self.clip}
