"""The Wasserstein GAN with gradient penalty: a critic whose gradient is kept near norm 1 (chapter 06)."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from gdl.arguments import number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel
from gdl.models.losses import gradient_penalty, wasserstein_critic_loss, wasserstein_generator_loss


class WGANGP(AdversarialModel):
    """Generator and critic; a penalty keeps the norm of the critic's gradient near 1. Gulrajani et al. 2017.

    critic_steps: steps of the critic for each step of the generator.
    gp_weight: weight of the gradient penalty.
    Further options: see `gdl.models.adversarial.AdversarialModel`; critic_norm can be "layer" or None.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> gdl.WGANGP(image_size=16, z_dim=2, filters=(4, 8)).generate(3).shape
    (3, 16, 16, 3)
    """

    metric_names = ("critic_loss", "generator_loss", "wasserstein", "gradient_penalty")

    def __init__(
        self, image_size: int = 64, z_dim: int = 128, filters: tuple = (64, 128, 256, 512),
        critic_steps: int = 5, gp_weight: float = 10.0, **options: Any,
    ):  # fmt: skip
        if str(options.get("critic_norm")) == "batch":
            raise CourseError(
                "critic_norm='batch' does not work with a gradient penalty, because batch normalisation makes the score of an "
                "image depend on all images of the batch: choose 'layer' or None."
            )
        super().__init__(image_size, z_dim, filters, critic_steps=critic_steps, **options)
        self.gp_weight = number("gp_weight", gp_weight)

    def critic_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Score of the fake image minus score of the real image, plus the penalty. Two (batch, size, size, 3) -> (batch,)"""
        difference = wasserstein_critic_loss(self.critic(real, training=training), self.critic(fake, training=training))
        alpha = keras.random.uniform((tf.shape(real)[0], 1, 1, 1), seed=self.seed_generator)
        penalty = self.for_some(partial(gradient_penalty, partial(self.critic, training=training)), real, fake, alpha)
        loss = difference + self.gp_weight * penalty
        self.track(critic_loss=loss, wasserstein=-difference, gradient_penalty=penalty)
        return loss

    def generator_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """The negative of the critic's score of the fake image. Two (batch, size, size, 3) -> (batch,)"""
        loss = wasserstein_generator_loss(self.critic(fake, training=training))
        self.track(generator_loss=loss)
        return loss

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gp_weight": self.gp_weight}
