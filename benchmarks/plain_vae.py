"""The plain recipe: the VAE as most readers would write it, with what Keras brings and nothing of the course's."""

import keras
import tensorflow as tf
from keras import layers


def jpeg_batches(folder, size, batch_size):
    """The JPEG files of a folder, decoded and resized anew in each epoch, as float32 in [0, 1]."""
    images = keras.utils.image_dataset_from_directory(
        folder, labels=None, image_size=(size, size), batch_size=batch_size, crop_to_aspect_ratio=True, verbose=False
    )
    return images.map(lambda x: x / 255).prefetch(tf.data.AUTOTUNE)


def plain_decoder(image_size, z_dim, filters, kernel_size):
    """Code to image, as in `gdl.networks`, in Keras's own layers."""
    size = image_size // 2 ** len(filters)
    x = inputs = keras.Input((z_dim,))
    x = layers.Dense(size * size * filters[-1])(x)
    x = layers.Reshape((size, size, filters[-1]))(x)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    for f in filters[-2::-1]:
        x = layers.Conv2DTranspose(f, kernel_size, strides=2, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.9)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(inputs, layers.Conv2DTranspose(3, kernel_size, strides=2, padding="same", activation="sigmoid")(x))


class PlainVAE(keras.Model):
    """The same network and loss as `gdl.VAE(..., reconstruction="mse")`."""

    def __init__(self, image_size, z_dim, filters, kernel_size, beta):
        super().__init__()
        x = inputs = keras.Input((image_size, image_size, 3))
        for f in filters:
            x = layers.Conv2D(f, kernel_size, strides=2, padding="same", use_bias=False)(x)
            x = layers.BatchNormalization(momentum=0.9)(x)
            x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Flatten()(x)
        self.encoder = keras.Model(inputs, [layers.Dense(z_dim)(x), layers.Dense(z_dim)(x)])
        self.decoder = plain_decoder(image_size, z_dim, filters, kernel_size)
        self.beta = beta
        self.seed_generator = keras.random.SeedGenerator(0)
        self.loss_tracker = keras.metrics.Mean("loss")

    def train_step(self, x):
        with tf.GradientTape() as tape:
            z_mean, z_log_var = self.encoder(x, training=True)
            epsilon = keras.random.normal(tf.shape(z_mean), seed=self.seed_generator)
            x_hat = self.decoder(z_mean + tf.exp(0.5 * z_log_var) * epsilon, training=True)
            error = tf.reduce_mean(tf.reduce_sum(tf.square(x - x_hat), axis=(1, 2, 3)))
            kl = -0.5 * tf.reduce_mean(tf.reduce_sum(1 + z_log_var - tf.square(z_mean) - tf.exp(z_log_var), axis=1))
            loss = error + self.beta * kl
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights))
        self.loss_tracker.update_state(loss)
        return {"loss": self.loss_tracker.result()}

    @property
    def metrics(self):
        return [self.loss_tracker]
