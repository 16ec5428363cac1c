"""The generative adversarial network: a forger and a detective (chapter 04)."""

import keras
import tensorflow as tf

from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel
from gdl.models.losses import discriminator_loss, generator_loss


class GAN(AdversarialModel):
    """Generator and discriminator, trained with cross-entropy. Goodfellow et al. 2014; Radford, Metz and Chintala 2016.

    label_smoothing: real images are labelled 1 - label_smoothing, as 0.1 (Salimans et al. 2016).
    label_noise: labels are moved towards the other side by a random share, at most this.
    Further options: see `gdl.models.adversarial.AdversarialModel`, whose critic is the discriminator here.
    """

    metric_names = ("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self, image_size=64, z_dim=128, filters=(64, 128, 256, 512),
        label_smoothing=0.0, label_noise=0.0, **options,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        if not (0 <= label_smoothing < 0.5 and 0 <= label_noise < 0.5):
            raise CourseError(f"label_smoothing is {label_smoothing} and label_noise {label_noise}: both are at least 0 and less than 0.5.")
        self.label_smoothing, self.label_noise = label_smoothing, label_noise

    def critic_loss(self, real, fake, training):
        """Cross-entropy of the discriminator on pairs of images. Two (batch, size, size, 3) -> (batch,)"""
        real_label, fake_label = 1 - self.label_smoothing, 0.0
        if training and self.label_noise:
            noise = self.label_noise * keras.random.uniform((tf.shape(real)[0], 2), seed=self.seed_generator)
            real_label, fake_label = real_label - noise[:, 0], fake_label + noise[:, 1]
        real_logits, fake_logits = self.critic(real, training=training), self.critic(fake, training=training)  # (batch,), (batch,)
        loss = discriminator_loss(real_logits, fake_logits, real_label, fake_label)
        self.track(discriminator_loss=loss, real_accuracy=real_logits > 0, fake_accuracy=fake_logits < 0)
        return loss

    def generator_loss(self, fake, training):
        """Cross-entropy of the generator, who wants its fakes to be called real. (batch, size, size, 3) -> (batch,)"""
        loss = generator_loss(self.critic(fake, training=training))
        self.track(generator_loss=loss)
        return loss

    @property
    def discriminator(self):
        """The network that the other adversarial models call their critic."""
        return self.critic

    def get_config(self):
        return {**super().get_config(), "label_smoothing": self.label_smoothing, "label_noise": self.label_noise}
