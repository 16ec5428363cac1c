"""The generative adversarial network: a generator and a discriminator, trained with cross-entropy (chapter 04)."""

from typing import Any

import keras
import tensorflow as tf

from gdl.arguments import number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel
from gdl.models.losses import discriminator_loss, generator_loss


class GAN(AdversarialModel):
    """Generator and discriminator, trained with cross-entropy. Goodfellow et al. 2014; Radford, Metz and Chintala 2016.

    label_smoothing: the label of real images is 1 - label_smoothing, for example 0.9 instead of 1 (Salimans et al. 2016).
    label_noise: each label moves towards the other one by a random amount between 0 and label_noise.
    Further options: see `gdl.models.adversarial.AdversarialModel`, whose critic is the discriminator here.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> gan = gdl.GAN(image_size=16, z_dim=2, filters=(4, 8), label_smoothing=0.1)
    >>> gan.score(gan.generate(3)).shape
    (3,)
    """

    metric_names = ("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self, image_size: int = 64, z_dim: int = 128, filters: tuple = (64, 128, 256, 512),
        label_smoothing: float = 0.0, label_noise: float = 0.0, **options: Any,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        self.label_smoothing, self.label_noise = number("label_smoothing", label_smoothing), number("label_noise", label_noise)
        if max(self.label_smoothing, self.label_noise) >= 0.5:
            raise CourseError(f"label_smoothing is {label_smoothing} and label_noise is {label_noise}: give less than 0.5 for both.")

    def critic_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Cross-entropy of the discriminator on pairs of images. Two (batch, size, size, 3) -> (batch,)"""
        real_label, fake_label = 1 - self.label_smoothing, 0.0
        if training and self.label_noise:
            noise = self.label_noise * keras.random.uniform((tf.shape(real)[0], 2), seed=self.seed_generator)
            real_label, fake_label = real_label - noise[:, 0], fake_label + noise[:, 1]
        real_logits, fake_logits = self.critic(real, training=training), self.critic(fake, training=training)  # (batch,), (batch,)
        loss = discriminator_loss(real_logits, fake_logits, real_label, fake_label)
        self.track(discriminator_loss=loss, real_accuracy=real_logits > 0, fake_accuracy=fake_logits < 0)
        return loss

    def generator_loss(self, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Cross-entropy of the generator, whose fakes should be classified as real. (batch, size, size, 3) -> (batch,)"""
        loss = generator_loss(self.critic(fake, training=training))
        self.track(generator_loss=loss)
        return loss

    @property
    def discriminator(self) -> keras.Model:
        """The network that the other adversarial models call their critic."""
        return self.critic

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing, "label_noise": self.label_noise}
