"""The plain recipe: a WGAN-GP as most readers would write it, with what Keras brings and nothing of the course's."""

import keras
import tensorflow as tf
from keras import layers

from benchmarks.plain_vae import plain_decoder


class PlainWGANGP(keras.Model):
    """The same networks, losses and number of steps as `gdl.WGANGP`, but one real batch for all critic steps of a generator step."""

    def __init__(self, image_size, z_dim, filters, kernel_size, critic_steps, gp_weight=10.0):
        super().__init__()
        x = inputs = keras.Input((image_size, image_size, 3))
        for f in filters:
            x = layers.Conv2D(f, kernel_size, strides=2, padding="same")(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        self.critic = keras.Model(inputs, layers.Dense(1)(layers.Flatten()(x)))
        self.generator = plain_decoder(image_size, z_dim, filters, kernel_size)
        self.z_dim, self.critic_steps, self.gp_weight = z_dim, critic_steps, gp_weight
        self.seed_generator = keras.random.SeedGenerator(0)
        self.critic_loss = keras.metrics.Mean("critic_loss")
        self.generator_loss = keras.metrics.Mean("generator_loss")

    def compile(self, critic_optimizer, generator_optimizer):
        super().compile()
        self.critic_optimizer, self.generator_optimizer = critic_optimizer, generator_optimizer

    def train_step(self, real):
        n = tf.shape(real)[0]
        for _ in range(self.critic_steps):
            z = keras.random.normal((n, self.z_dim), seed=self.seed_generator)
            with tf.GradientTape() as tape:
                fake = self.generator(z, training=True)
                score = tf.reduce_mean(self.critic(fake, training=True)) - tf.reduce_mean(self.critic(real, training=True))
                loss = score + self.gp_weight * self.gradient_penalty(real, fake)
            gradients = tape.gradient(loss, self.critic.trainable_variables)
            self.critic_optimizer.apply_gradients(zip(gradients, self.critic.trainable_variables))
            self.critic_loss.update_state(loss)
        z = keras.random.normal((n, self.z_dim), seed=self.seed_generator)
        with tf.GradientTape() as tape:
            loss = -tf.reduce_mean(self.critic(self.generator(z, training=True), training=True))
        gradients = tape.gradient(loss, self.generator.trainable_variables)
        self.generator_optimizer.apply_gradients(zip(gradients, self.generator.trainable_variables))
        self.generator_loss.update_state(loss)
        return {"critic_loss": self.critic_loss.result(), "generator_loss": self.generator_loss.result()}

    def gradient_penalty(self, real, fake):
        alpha = keras.random.uniform((tf.shape(real)[0], 1, 1, 1), seed=self.seed_generator)
        between = fake + alpha * (real - fake)
        with tf.GradientTape() as tape:
            tape.watch(between)
            score = self.critic(between, training=True)
        gradient = tape.gradient(score, between)
        norm = tf.sqrt(tf.reduce_sum(tf.square(gradient), axis=(1, 2, 3)))
        return tf.reduce_mean(tf.square(norm - 1))

    @property
    def metrics(self):
        return [self.critic_loss, self.generator_loss]
