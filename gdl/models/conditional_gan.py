"""The conditional GAN: generator and discriminator are both told what the image should show (chapter 10)."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import number
from gdl.errors import CourseError
from gdl.models.adversarial import AdversarialModel, critic_network
from gdl.models.base import in_batches, move_average
from gdl.models.conditions import ConditionalModel, all_told, checked_conditions, partly_told
from gdl.models.losses import discriminator_loss, generator_loss


class ConditionalGAN(ConditionalModel, AdversarialModel):
    """A generator of images that show y, and a discriminator that sees the image and y. Mirza and Osindero 2014.

    The generator gets y beside z and in each normalisation (see `gdl.models.networks.scale_shift`). The discriminator's score is
    psi(x) + <V y, phi(x)>, a projection of the image's features on y (Miyato and Koyama 2018): the second term asks whether x fits y.
    conditions: names of attributes, such as ["Smiling", "Male"].
    classify: weight of a second loss of both networks. By how much the score is higher where an attribute is told rightly than where it is
        told wrongly, 2 y <v, phi(x)>, is the logit of a classifier. The discriminator should be right about images, and the
        generator's fakes should be what they were told (Odena, Olah and Shlens 2017). 0: the adversarial loss alone.
    Further options: see `gdl.models.adversarial.AdversarialModel`; there is one critic step for each step of the generator.
    Raises CourseError for conditions that are missing or named twice, and for options that are not known or do not fit together.

    >>> import gdl
    >>> model = gdl.ConditionalGAN(image_size=16, conditions=["Smiling"], z_dim=2, filters=(4, 8))
    >>> model.score(model.generate(3, Smiling=True), Smiling=True).shape
    (3,)
    """

    metric_names = ("discriminator_loss", "generator_loss", "real_accuracy", "fake_accuracy")

    def __init__(
        self, image_size: int = 64, conditions: Any = (), z_dim: int = 128, filters: tuple = (64, 128, 256, 512), classify: float = 0.0,
        **options: Any,
    ):  # fmt: skip
        self.conditions = checked_conditions(conditions)  # first, because the networks need them
        super().__init__(image_size, z_dim, filters, **options)
        self.classify = number("classify", classify)
        features = self.critic.get_layer("score").input
        self.__dict__["features"] = keras.Model(self.critic.inputs[0], features)  # past Keras, which would save its weights again
        if self.critic_steps > 1:
            raise CourseError(f"critic_steps is {self.critic_steps}, and a ConditionalGAN takes one step of each network in turn: leave it out.")

    def make_generator(self) -> keras.Model:
        return self.told_decoder("generator")

    def make_critic(self) -> keras.Model:
        return critic_network(self.architecture, self.critic_norm, len(self.conditions))

    def call(self, z: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.decoder([z, tf.zeros((tf.shape(z)[0], len(self.conditions)))], training=training)

    def judge(self, x: tf.Tensor, told: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """What the critic says of images in training: scores, (batch,), and what each attribute adds if it is told, (batch, conditions)."""
        phi = self.features(x, training=True)
        v = self.critic.get_layer("wanted")(tf.eye(len(self.conditions)), training=True)  # (conditions, features)
        attributes = tf.matmul(tf.cast(phi, tf.float32), v, transpose_b=True)
        return self.critic.get_layer("score")(phi, training=True)[:, 0] + tf.reduce_sum(told * attributes, axis=1), attributes

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
            (real_scores, attributes), (fake_scores, _) = (self.judge(images, told) for images in (real, fake))
            losses = discriminator_loss(real_scores, fake_scores)  # (batch,)
            both = losses + self.classify * attribute_loss(attributes, told)
            scaled_loss = self.critic_optimizer.scale_loss(tf.reduce_mean(both))
        weights = self.critic.trainable_variables
        self.critic_optimizer.apply_gradients(zip(tape.gradient(scaled_loss, weights), weights))
        self.track(discriminator_loss=losses, real_accuracy=real_scores > 0, fake_accuracy=fake_scores < 0)

    def generator_step(self, told: tf.Tensor) -> None:
        """One step of the generator, whose fakes should look real beside what is told."""
        z = self.random_codes(tf.shape(told)[0])
        with tf.GradientTape() as tape:
            fake = self.augmented(self.generator([z, told], training=True))
            scores, attributes = self.judge(fake, told)
            losses = generator_loss(scores)  # (batch,)
            both = losses + self.classify * attribute_loss(attributes, told)
            scaled_loss = self.optimizer.scale_loss(tf.reduce_mean(both))
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
        return {**super().get_config(), "classify": self.classify}

    def score(self, x: np.ndarray, **asked: Any) -> np.ndarray:
        """The discriminator's scores of images beside what is asked; see `decode`. (n, size, size, 3) -> (n,) float32, higher is more real"""
        x = self.check_images(x)
        return in_batches(self.critic, x, self.told(len(x), asked))


def attribute_loss(attributes: tf.Tensor, told: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the logits 2 y <v, phi(x)> over the attributes that are told. Two (batch, conditions) -> (batch,), in nats"""
    return tf.reduce_sum(tf.abs(told) * tf.nn.softplus(-2 * told * attributes), axis=1)
