"""The generative adversarial network: a generator and a discriminator, trained with cross-entropy (chapter 04)."""

from functools import partial
from typing import Any

import keras
import tensorflow as tf

from gdl.arguments import choice, number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel
from gdl.models.losses import (
    discriminator_loss,
    generator_loss,
    hinge_critic_loss,
    relativistic_critic_loss,
    squared_gradient,
    wasserstein_generator_loss,
)

CRITIC_LOSSES = {"cross_entropy": discriminator_loss, "hinge": hinge_critic_loss, "relativistic": relativistic_critic_loss}
GENERATOR_LOSSES = {"cross_entropy": generator_loss, "hinge": wasserstein_generator_loss}  # of the fakes' scores alone


class GAN(AdversarialModel):
    """Generator and discriminator. Goodfellow et al. 2014; Radford, Metz and Chintala 2016.

    loss: "cross_entropy", "hinge" (Lim and Ye 2017) or "relativistic" (Jolicoeur-Martineau 2019); see `gdl.losses`.
    r1, r2: weights of half the discriminator's squared gradient at real images and at fakes (Mescheder et al. 2018); the
        relativistic loss with both is that of R3GAN (Huang et al. 2024).
    label_smoothing: with cross-entropy, the label of real images is 1 - label_smoothing, for example 0.9 instead of 1
        (Salimans et al. 2016).
    label_noise: with cross-entropy, each label moves towards the other one by a random amount between 0 and label_noise.
    Further options: see `gdl.models.adversarial.AdversarialModel`, whose critic is the discriminator here.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> gan = gdl.GAN(image_size=16, z_dim=2, filters=(4, 8), label_smoothing=0.1)
    >>> gan.score(gan.generate(3)).shape
    (3,)
    """

    metric_names = ("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self, image_size: int = 64, z_dim: int = 128, filters: tuple = (64, 128, 256, 512), loss: str = "cross_entropy",
        r1: float = 0.0, r2: float = 0.0, label_smoothing: float = 0.0, label_noise: float = 0.0, **options: Any,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        self.loss_name = choice("loss", loss, CRITIC_LOSSES)
        self.r1, self.r2 = number("r1", r1), number("r2", r2)
        self.label_smoothing, self.label_noise = number("label_smoothing", label_smoothing), number("label_noise", label_noise)
        if max(self.label_smoothing, self.label_noise) >= 0.5:
            raise CourseError(f"label_smoothing is {label_smoothing} and label_noise is {label_noise}: give less than 0.5 for both.")
        if loss != "cross_entropy" and (self.label_smoothing or self.label_noise):
            raise CourseError(f"The loss {loss!r} has no labels: leave label_smoothing and label_noise out, or choose 'cross_entropy'.")

    def critic_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Loss of the discriminator on pairs of images, with its penalties. Two (batch, size, size, 3) -> (batch,)"""
        real_scores, fake_scores = self.critic(real, training=training), self.critic(fake, training=training)  # (batch,), (batch,)
        loss = CRITIC_LOSSES[self.loss_name](real_scores, fake_scores, *self.target_labels(tf.shape(real)[0], training))
        self.track(discriminator_loss=loss, real_accuracy=real_scores > 0, fake_accuracy=fake_scores < 0)
        for weight, images in ((self.r1, real), (self.r2, fake)):
            if weight:
                loss += weight / 2 * self.for_some(partial(squared_gradient, partial(self.critic, training=training)), images)
        return loss

    def target_labels(self, n: int, training: bool) -> tuple:
        """With cross-entropy the labels of n real and n fake images, numbers or (n,) each; the other losses have none."""
        if self.loss_name != "cross_entropy":
            return ()
        real_label, fake_label = 1 - self.label_smoothing, 0.0
        if training and self.label_noise:
            noise = self.label_noise * keras.random.uniform((n, 2), seed=self.seed_generator)
            real_label, fake_label = real_label - noise[:, 0], fake_label + noise[:, 1]
        return real_label, fake_label

    def generator_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """Loss of the generator, whose fakes should score like real images. Two (batch, size, size, 3) -> (batch,)"""
        scores = self.critic(fake, training=training)
        if self.loss_name == "relativistic":
            loss = relativistic_critic_loss(scores, self.critic(real, training=training))
        else:
            loss = GENERATOR_LOSSES[self.loss_name](scores)
        self.track(generator_loss=loss)
        return loss

    @property
    def discriminator(self) -> keras.Model:
        """The network that the other adversarial models call their critic."""
        return self.critic

    def get_config(self) -> dict[str, Any]:
        own = dict(loss=self.loss_name, r1=self.r1, r2=self.r2, label_smoothing=self.label_smoothing, label_noise=self.label_noise)
        return {**super().get_config(), **own}
