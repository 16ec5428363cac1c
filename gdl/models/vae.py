"""The variational autoencoder: an encoder that gives a distribution of codes, and a decoder that makes new images (chapters 02 and 03)."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

from gdl.arguments import choice, number, whole_number
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, averaged_copy, ema_decay, in_batches, move_average, second_optimizer, steps_taken
from gdl.models.losses import binary_crossentropy, gaussian_nll, kl_divergence, squared_error
from gdl.models.networks import code_from_features, feature_map, image_from_code, normalise_activate

RECONSTRUCTION: dict[str, Callable] = {"bce": binary_crossentropy, "mse": squared_error, "gaussian": gaussian_nll}


class VAE(EncoderDecoderModel):
    """Encoder to z_mean and z_log_var, sampling, decoder. Kingma and Welling 2014.

    beta: weight of the KL (Higgins et al. 2017).
    reconstruction: "bce" (binary cross-entropy), "mse" (squared error) or "gaussian" (negative log likelihood of a normal
        distribution around the reconstruction, with one variance for all pixels, whose logarithm `log_var` is trained; Rybkin,
        Daniilidis and Levine 2021), of pixels in [0, 1] whatever the pixel range, and summed over the image. Where the standard
        deviation is sigma, "gaussian" weighs as "mse" does with a beta that is 2 sigma^2 times as large.
    narrow_dense: units of a dense layer between the features and z_mean, z_log_var. A narrow one
        saves most of the encoder's weights. None leaves it out.
    warm_up: training steps in which the weight of the KL grows from 0 to beta (Bowman et al. 2016).
    ema: decay of a moving average of the weights of both networks, such as 0.998. The averages then do everything but
        training: codes, images and the validation loss (Yazici et al. 2019). None: no average.
    Further options: see `gdl.models.architecture.Architecture`.
    Losses and metrics are summed over the pixels or dimensions of each image and averaged over the images. The metric
    kl_share is the share of the KL in the loss; "gaussian" has sigma instead, because its loss can be negative.
    Raises CourseError for options that are not known or do not fit together.

    >>> import gdl
    >>> vae = gdl.VAE(image_size=16, z_dim=2, filters=(4, 8), beta=0.5, reconstruction="mse")
    >>> vae.generate(3, seed=0).shape
    (3, 16, 16, 3)
    """

    def __init__(
        self, image_size: int = 64, z_dim: int = 256, filters: tuple = (32, 64, 128, 256),
        beta: float = 1.0, reconstruction: str = "bce", narrow_dense: int | None = None, warm_up: int = 0,
        ema: float | None = None, **options: Any,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        self.reconstruction = choice("reconstruction", reconstruction, RECONSTRUCTION)
        self.beta, self.warm_up = number("beta", beta), number("warm_up", warm_up)
        self.narrow_dense = None if narrow_dense is None else whole_number("narrow_dense", narrow_dense)
        self.ema = ema_decay(ema)
        if self.narrow_dense and self.architecture.spatial_code:
            raise CourseError("narrow_dense is a layer without pixels, and a spatial code needs them: leave one of the two out.")

        x = keras.Input((image_size, image_size, 3))
        features = feature_map(x, self.architecture)
        if self.narrow_dense:
            features = normalise_activate(layers.Dense(self.narrow_dense)(layers.Flatten()(features)), self.architecture)
        z_mean = code_from_features(features, self.architecture, "z_mean")
        z_log_var = code_from_features(features, self.architecture, "z_log_var")
        self.encoder = keras.Model(x, [z_mean, z_log_var], name="encoder")
        self.sampling = Sampling()
        self.decoder = self.make_decoder()
        self.averaged_encoder = self.averaged_decoder = None
        if self.ema is not None:
            self.averaged_encoder, self.averaged_decoder = averaged_copy(self.encoder), averaged_copy(self.decoder)
        self.log_var: Any = None
        if reconstruction == "gaussian":
            start = keras.initializers.Constant(-3.0)  # a deviation of 0.22, about that of pixels
            self.log_var = self.add_weight(shape=(), initializer=start, dtype="float32", name="log_var")
        names = ("loss", "reconstruction_loss", "kl_loss", "kl_share" if self.log_var is None else "sigma")
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.build((None, image_size, image_size, 3))

    def make_decoder(self) -> keras.Model:
        """The network from codes to images. (batch, z_dim) -> (batch, size, size, 3)"""
        z = keras.Input((self.architecture.z_dim,))
        return keras.Model(z, image_from_code(z, self.architecture), name="decoder")

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        encoder, decoder = self.networks(training)
        z_mean, z_log_var = encoder(x, training=training)
        return decoder(self.sampling(z_mean, z_log_var), training=training)

    def networks(self, training: bool) -> tuple[keras.Model, keras.Model]:
        """Encoder and decoder: those that are trained or, outside training, their averages if there are any."""
        if training or self.ema is None:
            return self.encoder, self.decoder
        return self.averaged_encoder, self.averaged_decoder

    def both_losses(self, x: tf.Tensor, training: bool) -> tuple[tf.Tensor, tf.Tensor]:
        """Reconstruction loss and KL of each image. (batch, size, size, 3) -> (batch,) and (batch,)"""
        encoder, decoder = self.networks(training)
        z_mean, z_log_var = encoder(x, training=training)  # (batch, z_dim) each
        z = self.sampling(z_mean, z_log_var)  # (batch, z_dim)
        x_hat = decoder(z, training=training)  # (batch, size, size, 3)
        return self.compare(self.unit_range(x), self.unit_range(x_hat)), kl_divergence(z_mean, z_log_var)

    def compare(self, x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
        """Reconstruction loss of each image, of pixels in [0, 1]. Two (batch, size, size, 3) -> (batch,)"""
        loss = RECONSTRUCTION[self.reconstruction]
        return loss(x, x_hat) if self.log_var is None else loss(x, x_hat, self.log_var)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        beta = self.beta
        if self.warm_up:
            beta = beta * ops.minimum(1.0, steps_taken(self.optimizer) / self.warm_up)
        with tf.GradientTape(persistent=True) as tape:  # persistent: there may be two optimisers
            reconstruction, kl = self.both_losses(x, training=True)  # (batch,), (batch,)
            loss = tf.reduce_mean(reconstruction + beta * kl)  # ()
            scaled = [optimizer.scale_loss(loss) for optimizer, _ in self.optimizer_groups]  # larger in float16, otherwise unchanged
        for (optimizer, weights), scaled_loss in zip(self.optimizer_groups, scaled):
            gradients = tape.gradient(scaled_loss, weights)
            optimizer.apply_gradients(zip(gradients, weights))
        move_average(self.networks(training=False), self.networks(training=True), self.optimizer, self.ema)
        return self.track(reconstruction, kl, beta)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        reconstruction, kl = self.both_losses(x, training=False)
        return self.track(reconstruction, kl, self.beta)

    def track(self, reconstruction: tf.Tensor, kl: tf.Tensor, beta: float) -> dict[str, tf.Tensor]:
        """Adds the losses of a batch, (batch,) each, to the metrics and returns the metrics."""
        loss = reconstruction + beta * kl  # (batch,)
        self.trackers["loss"].update_state(loss)
        self.trackers["reconstruction_loss"].update_state(reconstruction)
        self.trackers["kl_loss"].update_state(kl)
        if self.log_var is None:  # weighted by the loss, the average share is the share of the average loss
            self.trackers["kl_share"].update_state(beta * kl / loss, sample_weight=loss)
        else:
            self.trackers["sigma"].update_state(ops.exp(self.log_var / 2))
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    def compile(self, optimizer: Any = "adam", decoder_optimizer: Any = None, **options: Any) -> None:
        """As in Keras. With a second optimiser, that one trains the decoder and the first trains the encoder alone."""
        self.decoder_optimizer = second_optimizer(decoder_optimizer, self.dtype_policy.name)
        super().compile(optimizer, **options)

    @property
    def optimizer_groups(self) -> list[tuple]:
        if self.decoder_optimizer is None:
            return [(self.optimizer, self.trainable_variables)]
        return [
            (self.optimizer, self.encoder.trainable_variables),
            (self.decoder_optimizer, self.decoder.trainable_variables + ([] if self.log_var is None else [self.log_var])),
        ]

    def posterior(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """z_mean and z_log_var of images. As in `encode` -> two (n, z_dim) float32"""
        return in_batches(self.networks(training=False)[0], self.check_images(x))

    def encode(self, x: np.ndarray) -> np.ndarray:
        """z_mean of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n, z_dim) float32"""
        return self.posterior(x)[0]

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        faces = self.generate(2 * len(x))
        return {**super().preview(x), "random z": faces[: len(x)], " random z": faces[len(x) :]}

    def get_config(self) -> dict[str, Any]:
        own = dict(beta=self.beta, reconstruction=self.reconstruction, narrow_dense=self.narrow_dense, warm_up=self.warm_up)
        return {**super().get_config(), **own, "ema": self.ema}


def copy_networks(trained: VAE, copy: VAE) -> None:
    """Gives a VAE without a moving average the encoder and the decoder of a trained one: its averaged networks, where it has them."""
    for network, source in zip(copy.networks(training=False), trained.networks(training=False)):
        network.set_weights(source.get_weights())
    if trained.log_var is not None:
        copy.log_var.assign(trained.log_var)


class Sampling(layers.Layer):
    """z = z_mean + exp(z_log_var / 2) epsilon, with new epsilon from N(0, 1) at each call.

    Two (batch, z_dim) -> (batch, z_dim). The noise does not depend on z_mean and z_log_var, so gradients reach both: the
    reparameterisation trick of Kingma and Welling 2014.

    >>> import gdl, numpy as np
    >>> gdl.Sampling(seed=0)(np.zeros((5, 2)), np.zeros((5, 2))).shape
    TensorShape([5, 2])
    """

    def __init__(self, seed: int | None = None, dtype: Any = "float32", **options: Any):
        super().__init__(dtype=dtype, **options)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True  # there are no weights

    def call(self, z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(z_log_var / 2) * epsilon


keras.saving.register_keras_serializable("gdl")(Sampling)  # below the class, because a chapter prints it
