"""The variational autoencoder: a code that is a distribution, and a decoder that invents (chapters 02 and 03)."""

import keras
import tensorflow as tf
from keras import layers, ops

from gdl.arguments import number, whole_number
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, in_batches, second_optimizer, steps_taken
from gdl.models.losses import binary_crossentropy, kl_divergence, squared_error
from gdl.models.networks import image_features, image_from_code, normalise_activate

RECONSTRUCTION = {"bce": binary_crossentropy, "mse": squared_error}


class VAE(EncoderDecoderModel):
    """Encoder to z_mean and z_log_var, sampling, decoder. Kingma and Welling 2014.

    beta: weight of the KL (Higgins et al. 2017).
    reconstruction: "bce" (binary cross-entropy) or "mse" (squared error), of pixels in [0, 1]
        whatever the pixel range, and summed over the image.
    narrow_dense: units of a dense layer between the features and z_mean, z_log_var; a narrow one
        saves most of the encoder's weights. None leaves it out.
    warm_up: training steps in which the weight of the KL grows from 0 to beta (Bowman et al. 2016).
    Further options: see `gdl.models.architecture.Architecture`.
    All losses and metrics are averages over the images of sums over pixels or dimensions.
    """

    def __init__(
        self, image_size=64, z_dim=256, filters=(32, 64, 128, 256),
        beta=1.0, reconstruction="bce", narrow_dense=None, warm_up=0, **options,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        if reconstruction not in RECONSTRUCTION:
            raise CourseError(f"reconstruction={reconstruction!r} is not known: choose 'bce' or 'mse'.")
        self.reconstruction, self.beta, self.warm_up = reconstruction, number("beta", beta), number("warm_up", warm_up)
        self.narrow_dense = None if narrow_dense is None else whole_number("narrow_dense", narrow_dense)

        x = keras.Input((image_size, image_size, 3))
        features = image_features(x, self.architecture)
        if self.narrow_dense:
            features = normalise_activate(layers.Dense(self.narrow_dense)(features), self.architecture)
        z_mean = layers.Dense(self.architecture.z_dim, dtype="float32", name="z_mean")(features)
        z_log_var = layers.Dense(self.architecture.z_dim, dtype="float32", name="z_log_var")(features)
        self.encoder = keras.Model(x, [z_mean, z_log_var], name="encoder")
        self.sampling = Sampling()
        z = keras.Input((z_dim,))
        self.decoder = keras.Model(z, image_from_code(z, self.architecture), name="decoder")
        names = ("loss", "reconstruction_loss", "kl_loss", "kl_share")
        self.trackers = {name: keras.metrics.Mean(name) for name in names}
        self.build((None, image_size, image_size, 3))

    def call(self, x, training=False):
        z_mean, z_log_var = self.encoder(x, training=training)
        return self.decoder(self.sampling(z_mean, z_log_var), training=training)

    def both_losses(self, x, training):
        """(batch, size, size, 3) -> reconstruction and KL of each image, (batch,) and (batch,)"""
        z_mean, z_log_var = self.encoder(x, training=training)  # (batch, z_dim) each
        z = self.sampling(z_mean, z_log_var)  # (batch, z_dim)
        x_hat = self.decoder(z, training=training)  # (batch, size, size, 3)
        compare = RECONSTRUCTION[self.reconstruction]
        return compare(self.unit_range(x), self.unit_range(x_hat)), kl_divergence(z_mean, z_log_var)

    def train_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        beta = self.beta
        if self.warm_up:
            beta = beta * ops.minimum(1.0, steps_taken(self.optimizer) / self.warm_up)
        with tf.GradientTape(persistent=True) as tape:  # persistent: there may be two optimisers
            reconstruction, kl = self.both_losses(x, training=True)  # (batch,), (batch,)
            loss = tf.reduce_mean(reconstruction + beta * kl)  # ()
            scaled = [optimizer.scale_loss(loss) for optimizer, _ in self.optimizer_groups]  # changes something in float16 only
        for (optimizer, weights), scaled_loss in zip(self.optimizer_groups, scaled):
            gradients = tape.gradient(scaled_loss, weights)
            optimizer.apply_gradients(zip(gradients, weights))
        return self.track(reconstruction, kl, beta)

    def test_step(self, data):
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        reconstruction, kl = self.both_losses(x, training=False)
        return self.track(reconstruction, kl, self.beta)

    def track(self, reconstruction, kl, beta):
        """Adds a batch to the metrics and returns them."""
        loss = reconstruction + beta * kl  # (batch,)
        self.trackers["loss"].update_state(loss)
        self.trackers["reconstruction_loss"].update_state(reconstruction)
        self.trackers["kl_loss"].update_state(kl)
        # weighted by the loss, the average share is the share of the average loss
        self.trackers["kl_share"].update_state(beta * kl / loss, sample_weight=loss)
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self):
        return list(self.trackers.values())

    def compile(self, optimizer="adam", decoder_optimizer=None, **options):
        """As in Keras; a second optimiser trains the decoder, and the first then the encoder alone."""
        self.decoder_optimizer = second_optimizer(decoder_optimizer, self.dtype_policy.name)
        super().compile(optimizer, **options)

    @property
    def optimizer_groups(self):
        if self.decoder_optimizer is None:
            return [(self.optimizer, self.trainable_variables)]
        return [
            (self.optimizer, self.encoder.trainable_variables),
            (self.decoder_optimizer, self.decoder.trainable_variables),
        ]

    def posterior(self, x):
        """z_mean and z_log_var of images. As in `encode` -> two (n, z_dim) float32"""
        return in_batches(self.encoder, self.check_images(x))

    def encode(self, x):
        """z_mean of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n, z_dim) float32"""
        return self.posterior(x)[0]

    def preview(self, x):
        faces = self.generate(2 * len(x))
        return {**super().preview(x), "random z": faces[: len(x)], " random z": faces[len(x) :]}

    def get_config(self):
        own = dict(beta=self.beta, reconstruction=self.reconstruction, narrow_dense=self.narrow_dense, warm_up=self.warm_up)
        return {**super().get_config(), **own}


class Sampling(layers.Layer):
    """z = z_mean + exp(z_log_var / 2) epsilon, with epsilon from N(0, 1) anew at each call.

    Two (batch, z_dim) -> (batch, z_dim). The noise is drawn apart from z_mean and z_log_var, so that gradients
    reach both: the reparameterisation trick of Kingma and Welling 2014.
    """

    def __init__(self, seed=None, **options):
        super().__init__(dtype="float32", **options)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True  # there are no weights

    def call(self, z_mean, z_log_var):
        epsilon = keras.random.normal(ops.shape(z_mean), seed=self.seed_generator)
        return z_mean + ops.exp(z_log_var / 2) * epsilon
