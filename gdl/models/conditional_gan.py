"""The conditional GAN: generator and discriminator are both told what the image should show (chapter 10)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gdl.arguments import number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel, critic_network
from gdl.models.base import in_batches, move_average
from gdl.models.conditions import ConditionalModel, all_told, checked_conditions, partly_told, wrongly_told
from gdl.models.losses import discriminator_loss, generator_loss
from gdl.models.networks import image_from_code


class ConditionalGAN(ConditionalModel, AdversarialModel):
    """A generator of images that show y, and a discriminator that sees the image and y. Mirza and Osindero 2014.

    The generator gets y beside z and in each normalisation (see `gdl.models.networks.scale_shift`). The discriminator's score is
    psi(x) + <V y, phi(x)>, a projection of the image's features on y (Miyato and Koyama 2018): the second term asks whether x fits y.
    conditions: names of attributes, such as ["Smiling", "Male"].
    mismatched: weight of real images beside a y with one attribute the wrong way round, which the discriminator should call fake (Reed et
        al. 2016). Without them it may learn what is real and look at y only late. 0: none.
    Further options: see `gdl.models.adversarial.AdversarialModel`; there is one critic step for each step of the generator.
    Raises CourseError for conditions that are missing or named twice, and for options that are not known or do not fit together.

    >>> import gdl
    >>> model = gdl.ConditionalGAN(image_size=16, conditions=["Smiling"], z_dim=2, filters=(4, 8))
    >>> model.score(model.generate(3, Smiling=True), Smiling=True).shape
    (3,)
    """

    metric_names = ("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self, image_size: int = 64, conditions: Any = (), z_dim: int = 128, filters: tuple = (64, 128, 256, 512), mismatched: float = 0.0,
        **options: Any,
    ):  # fmt: skip
        self.conditions = checked_conditions(conditions)  # first, because the networks need them
        super().__init__(image_size, z_dim, filters, **options)
        self.mismatched = number("mismatched", mismatched)
        if self.critic_steps > 1:
            raise CourseError(f"critic_steps is {self.critic_steps}, and a ConditionalGAN takes one step of each network in turn: leave it out.")

    def make_generator(self) -> keras.Model:
        z, told = keras.Input((self.architecture.z_dim,)), keras.Input((len(self.conditions),))
        code = z if self.architecture.spatial_code else layers.Concatenate()([z, told])
        return keras.Model([z, told], image_from_code(code, self.architecture, told), name="generator")

    def make_critic(self) -> keras.Model:
        return critic_network(self.architecture, self.critic_norm, len(self.conditions))

    def call(self, z: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.decoder([z, tf.zeros((tf.shape(z)[0], len(self.conditions)))], training=training)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)  # (batch, size, size, 3), (batch, conditions)
        x = tf.convert_to_tensor(x)  # an array where the step runs eagerly
        told = partly_told(y, self.seed_generator)
        self.discriminator_step(x, told)
        self.generator_step(told)
        return self.results()

    def discriminator_step(self, x: tf.Tensor, told: tf.Tensor) -> None:
        """One step of the discriminator, on images and as many fakes of which the same is told."""
        fake = self.generator([self.random_codes(tf.shape(x)[0]), told], training=True)
        real, fake = self.augmented(x), self.augmented(fake)
        with tf.GradientTape() as tape:
            real_scores, fake_scores = (self.critic([images, told], training=True) for images in (real, fake))  # (batch,) each
            losses = discriminator_loss(real_scores, fake_scores)  # (batch,)
            if self.mismatched:
                losses += self.mismatched * self.mismatch_loss(real, told)
            scaled_loss = self.critic_optimizer.scale_loss(tf.reduce_mean(losses))
        weights = self.critic.trainable_variables
        self.critic_optimizer.apply_gradients(zip(tape.gradient(scaled_loss, weights), weights))
        self.track(discriminator_loss=losses, real_accuracy=real_scores > 0, fake_accuracy=fake_scores < 0)

    def mismatch_loss(self, x: tf.Tensor, told: tf.Tensor) -> tf.Tensor:
        """Cross-entropy of a discriminator that should call images fake beside a wrong y. -> (batch,), 0 where nothing is told"""
        scores = self.critic([x, wrongly_told(told, self.seed_generator)], training=True)
        return tf.reduce_max(tf.abs(told), axis=1) * generator_loss(-scores)

    def generator_step(self, told: tf.Tensor) -> None:
        """One step of the generator, whose fakes should look real beside what is told."""
        z = self.random_codes(tf.shape(told)[0])
        with tf.GradientTape() as tape:
            fake = self.augmented(self.generator([z, told], training=True))
            losses = generator_loss(self.critic([fake, told], training=True))  # (batch,)
            scaled_loss = self.optimizer.scale_loss(tf.reduce_mean(losses))
        weights = self.generator.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(scaled_loss, weights), weights))
        self.track(generator_loss=losses)
        move_average([self.averaged_generator], [self.generator], self.optimizer, self.ema)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        x, told = tf.convert_to_tensor(x), all_told(y)
        fake = self.generator([self.random_codes(tf.shape(x)[0]), told], training=False)
        real_scores, fake_scores = (self.critic([images, told], training=False) for images in (x, fake))
        self.track(discriminator_loss=discriminator_loss(real_scores, fake_scores), generator_loss=generator_loss(fake_scores))
        self.track(real_accuracy=real_scores > 0, fake_accuracy=fake_scores < 0)
        return self.results()

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mismatched": self.mismatched}

    def score(self, x: np.ndarray, **asked: Any) -> np.ndarray:
        """The discriminator's scores of images beside what is asked; see `decode`. (n, size, size, 3) -> (n,) float32, higher is more real"""
        x = self.check_images(x)
        return in_batches(self.critic, x, self.told(len(x), asked))
