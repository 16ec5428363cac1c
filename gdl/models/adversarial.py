"""What the adversarial models share: a generator, a critic, and a training step in which each is trained in turn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from gdl.arguments import choice, several_choices, whole_number
from gdl.models.architecture import Architecture
from gdl.models.augmentation import AUGMENTATIONS, augmented
from gdl.models.base import DecoderModel, averaged_copy, ema_decay, in_batches, move_average, second_optimizer
from gdl.models.compiling import an_optimizer
from gdl.models.networks import image_features, image_from_code

CRITIC_NORMS = ("batch", "layer", "spectral", None)


class AdversarialModel(DecoderModel):
    """A generator z -> image and a critic image -> score that are trained against each other. Goodfellow et al. 2014.

    critic_steps: steps of the critic for each step of the generator. `fit` takes batches of
        critic_steps * batch_size images, and each critic step gets a part of its own.
    critic_norm: "batch", "layer", "spectral" (of the weights; Miyato et al. 2018) or None, the critic's normalisation;
        `batch_norm` and `layer_norm` are the generator's.
    augment: names of changes that the critic sees in all images, real or fake: "colour", "translation", "cutout", in this
        order. See `gdl.models.augmentation`.
    penalty_every: a penalty on the critic's gradient is computed for every penalty_every-th image of a batch. The mean stays
        the same on average and costs less.
    ema: decay of a moving average of the generator's weights, such as 0.998. The average then makes the
        images of `generate` and `decode` (Yazici et al. 2019). None: no average.
    Further options, the same for both networks: see `gdl.models.architecture.Architecture`.
    A subclass defines `critic_loss` and `generator_loss`, and lists the names of its metrics in `metric_names`.
    Raises CourseError for options that are not known or do not fit together.
    """

    has_validation_loss = False  # no loss falls when the images get better
    metric_names: tuple[str, ...] = ()

    def __init__(
        self, image_size: int = 64, z_dim: int = 128, filters: tuple = (64, 128, 256, 512),
        critic_steps: int = 1, critic_norm: str | None = None, ema: float | None = None, augment: Sequence[str] = (), penalty_every: int = 1,
        **options: Any,
    ):  # fmt: skip
        super().__init__(image_size, z_dim, filters, **options)
        critic_steps = whole_number("critic_steps", critic_steps)
        choice("critic_norm", critic_norm, CRITIC_NORMS)
        self.critic_steps, self.critic_norm, self.ema = critic_steps, critic_norm, ema_decay(ema)
        self.augmentations = several_choices("augment", augment, AUGMENTATIONS)
        self.penalty_every = whole_number("penalty_every", penalty_every)

        self.generator, self.critic = self.make_generator(), self.make_critic()
        self.averaged_generator: Any = None if ema is None else averaged_copy(self.generator)
        self.seed_generator = keras.random.SeedGenerator()
        self.trackers = {name: keras.metrics.Mean(name) for name in self.metric_names}
        self.build((None, z_dim))

    def make_generator(self) -> keras.Model:
        """The network from codes to images. (batch, z_dim) -> (batch, size, size, 3)"""
        z = keras.Input((self.architecture.z_dim,))
        return keras.Model(z, image_from_code(z, self.architecture), name="generator")

    def make_critic(self) -> keras.Model:
        """The network from images to scores. (batch, size, size, 3) -> (batch,)"""
        return critic_network(self.architecture, self.critic_norm)

    def call(self, z: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.decoder(z, training=training)

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)  # (critic_steps * batch, size, size, 3)
        enough = f"The batch has fewer images than the {self.critic_steps} critic steps: give critic_steps * batch_size images."
        tf.debugging.assert_greater_equal(tf.shape(x)[0], self.critic_steps, message=enough)
        for i in range(self.critic_steps):
            real = x[i :: self.critic_steps]  # (batch, size, size, 3), new images for each step
            self.critic_step(real)
        self.generator_step(real)
        return self.results()

    def critic_step(self, real: tf.Tensor) -> None:
        """One step of the critic on real images, (batch, size, size, 3), and as many fakes. The generator does not change."""
        fake = self.generator(self.random_codes(tf.shape(real)[0]), training=True)
        real, fake = self.augmented(real), self.augmented(fake)
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self.critic_loss(real, fake, training=True))  # ()
            scaled_loss = self.critic_optimizer.scale_loss(loss)  # larger in float16, otherwise unchanged
        weights = self.critic.trainable_variables
        gradients = tape.gradient(scaled_loss, weights)
        self.critic_optimizer.apply_gradients(zip(gradients, weights))

    def generator_step(self, real: tf.Tensor) -> None:
        """One step of the generator, on as many random codes as there are real images. The critic does not change."""
        z = self.random_codes(tf.shape(real)[0])
        real = self.augmented(real)
        with tf.GradientTape() as tape:
            fake = self.augmented(self.generator(z, training=True))
            loss = tf.reduce_mean(self.generator_loss(real, fake, training=True))  # ()
            scaled_loss = self.optimizer.scale_loss(loss)
        weights = self.generator.trainable_variables
        gradients = tape.gradient(scaled_loss, weights)
        self.optimizer.apply_gradients(zip(gradients, weights))
        move_average([self.averaged_generator], [self.generator], self.optimizer, self.ema)

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        fake = self.generator(self.random_codes(tf.shape(x)[0]), training=False)
        self.critic_loss(x, fake, training=False)
        self.generator_loss(x, fake, training=False)
        return self.results()

    def critic_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """The critic's loss on pairs of images. Two (batch, size, size, 3) -> (batch,)"""
        raise NotImplementedError

    def generator_loss(self, real: tf.Tensor, fake: tf.Tensor, training: bool) -> tf.Tensor:
        """The generator's loss on its images; few kinds look at the real ones. Two (batch, size, size, 3) -> (batch,)"""
        raise NotImplementedError

    def augmented(self, x: tf.Tensor) -> tf.Tensor:
        """Images as the critic sees them in training. (batch, size, size, 3) -> (batch, size, size, 3)"""
        if not self.augmentations:
            return x
        low, high = self.architecture.pixel_range
        middle, half = (low + high) / 2, (high - low) / 2
        return middle + half * augmented((x - middle) / half, self.augmentations, self.seed_generator)

    def for_some(self, penalty: Callable, *images: tf.Tensor) -> tf.Tensor:
        """The penalty of every penalty_every-th image, repeated for the images that it stands for. (batch, ...) each -> (batch,)"""
        some = penalty(*(x[:: self.penalty_every] for x in images))
        return tf.repeat(some, self.penalty_every)[: tf.shape(images[0])[0]]

    def random_codes(self, n: int) -> tf.Tensor:
        """n codes from a standard normal. -> (n, z_dim)"""
        return keras.random.normal((n, self.architecture.z_dim), seed=self.seed_generator)

    def track(self, **values: tf.Tensor) -> None:
        """Adds values, one for each image, (batch,), to the metrics with these names."""
        for name, value in values.items():
            self.trackers[name].update_state(value)

    def results(self) -> dict[str, tf.Tensor]:
        """The metrics so far, by their names."""
        return {name: tracker.result() for name, tracker in self.trackers.items()}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self.trackers.values())

    @property
    def decoder(self) -> keras.Model:
        """The network that makes the images: the averaged generator if there is one."""
        return self.generator if self.averaged_generator is None else self.averaged_generator

    @property
    def batches_per_step(self) -> int:
        return self.critic_steps

    def default_optimizers(self, learning_rate: float | None = None) -> list[keras.optimizers.Optimizer]:
        return [keras.optimizers.Adam(2e-4 if learning_rate is None else learning_rate, beta_1=0.5, beta_2=0.9) for _ in range(2)]

    def compile(self, optimizer: Any = "adam", critic_optimizer: Any = None, **options: Any) -> None:
        """As in Keras, with an optimiser for the generator and one for the critic, by default another like the first."""
        optimizer = an_optimizer(optimizer)
        if critic_optimizer is None:
            critic_optimizer = type(optimizer).from_config(optimizer.get_config())
        self.critic_optimizer = second_optimizer(critic_optimizer, self.dtype_policy.name)
        super().compile(optimizer, **options)

    @property
    def optimizer_groups(self) -> list[tuple]:
        return [
            (self.optimizer, self.generator.trainable_variables),
            (self.critic_optimizer, self.critic.trainable_variables),
        ]

    def score(self, x: np.ndarray) -> np.ndarray:
        """The critic's scores of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n,) float32, higher is more real"""
        return in_batches(self.critic, self.check_images(x))

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        faces = self.generate(4 * len(x))
        return {f"random z {i}": row for i, row in enumerate(np.split(faces, 4), 1)}

    def get_config(self) -> dict[str, Any]:
        own = dict(critic_steps=self.critic_steps, critic_norm=self.critic_norm, ema=self.ema)
        return {**super().get_config(), **own, "augment": self.augmentations, "penalty_every": self.penalty_every}


def critic_network(architecture: Architecture, norm: str | None, conditions: int = 0) -> keras.Model:
    """A network image -> score, (batch, size, size, 3) -> (batch,). norm: see `AdversarialModel`, instead of the architecture's own.

    conditions: number of attributes that are told, (batch, conditions), beside the image; the score then has a second term, the product
        of the image's features with a linear function of what is told (Miyato and Koyama 2018).
    """
    x, told = keras.Input((architecture.image_size, architecture.image_size, 3)), keras.Input((conditions,))
    features = image_features(x, replace(architecture, batch_norm=norm == "batch", layer_norm=norm == "layer"))
    score = layers.Dense(1, dtype="float32", name="score")(features)
    if conditions:
        wanted = layers.Dense(features.shape[-1], use_bias=False, dtype="float32", name="wanted")(told)
        score = layers.Add(dtype="float32")([score, layers.Dot(1, dtype="float32")([features, wanted])])
    critic = keras.Model([x, told] if conditions else x, layers.Reshape((), dtype="float32")(score), name="critic")
    return with_spectral_norm(critic) if norm == "spectral" else critic


def with_spectral_norm(network: keras.Model) -> keras.Model:
    """A network like this one that divides the weights of each layer by their largest singular value. Miyato et al. 2018."""

    def wrap(layer):
        copy = type(layer).from_config(layer.get_config())
        return layers.SpectralNormalization(copy, dtype=layer.dtype_policy, name=layer.name) if hasattr(layer, "kernel") else copy

    return keras.models.clone_model(network, clone_function=wrap)
