"""Flow matching: noise is carried to images along straight lines (chapter 12)."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import number, whole_number
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, averaged_copy, batch_slices, ema_decay, move_average
from gdl.models.conditions import ConditionalModel, all_told, checked_conditions, partly_told
from gdl.models.losses import squared_error
from gdl.models.velocity import velocity_network


class Flow(ConditionalModel, EncoderDecoderModel):
    """A network of velocities that carry noise, at time 0, to images, at time 1. Lipman et al. 2023; Liu, Gong and Liu 2023.

    In training a point x_t = (1 - t) noise + t image moves along the line from its noise to its image, with the velocity
    image - noise. The network learns the mean velocity of all lines through a point. The code z of an image is the noise that is
    carried to it, image_size * image_size * 3 numbers.
    conditions: names of attributes that the network may be told; none for a model of images alone.
    filters: channels of the network's feature maps, each half as large as the one before.
    steps: steps of Heun's method from noise to image, with two evaluations of the network each.
    guidance: weight w of what is asked: the velocity is v(nothing told) + w (v(told) - v(nothing told)). 1 is the conditional
        model; more makes the images more typical of what is asked (classifier-free guidance; Ho and Salimans 2022).
    ema: decay of a moving average of the weights, which does everything but training. None: no average.
    dropout: share of values that each block drops in training.
    patch: side of the squares of pixels that the network sees as one pixel with more channels. 2 makes a step quicker.
    `steps` and `guidance` can be changed after training: `model.guidance = 2`.
    Raises CourseError for options that are not possible.

    >>> import gdl
    >>> flow = gdl.Flow(image_size=16, filters=(8, 16))
    >>> flow.generate(3, seed=0).shape  # doctest: +SKIP
    (3, 16, 16, 3)
    >>> flow.architecture.z_dim
    768
    """

    def __init__(
        self, image_size: int = 32, conditions: Any = (), filters: tuple = (32, 64, 128), steps: int = 20, guidance: float = 1.0,
        ema: float | None = 0.999, dropout: float = 0.0, pixel_range: tuple = (-1, 1), patch: int = 1,
    ):  # fmt: skip
        self.conditions, self.patch = checked_conditions(conditions, least=0), whole_number("patch", patch)
        self.point_shape = self.shape_of_points(image_size)
        super().__init__(image_size, math.prod(self.point_shape), filters, dropout=dropout, pixel_range=pixel_range)
        halvings, height = 2 ** (len(self.architecture.filters) - 1), self.point_shape[0]
        if height % halvings:
            raise CourseError(f"filters has {len(filters)} entries, which halve {height} pixels to less than whole ones: give fewer.")
        self.steps, self.guidance, self.ema = whole_number("steps", steps), number("guidance", guidance), ema_decay(ema)
        self.network = velocity_network(self.point_shape, self.architecture.filters, len(self.conditions), self.architecture.dropout)
        self.averaged_network: Any = None if self.ema is None else averaged_copy(self.network)
        self.seed_generator = keras.random.SeedGenerator()
        self._step: Any = None
        self.loss_tracker = keras.metrics.Mean("loss")
        self.build((None, image_size, image_size, 3))

    def shape_of_points(self, image_size: int) -> tuple[int, int, int]:
        """Height, width and channels of what is carried: here of the images, whose patches become channels."""
        if whole_number("image_size", image_size) % self.patch:
            raise CourseError(f"patch is {self.patch}, and {image_size} pixels are not a multiple of it: give a patch that divides them, such as 2.")
        return image_size // self.patch, image_size // self.patch, 3 * self.patch**2

    def points(self, x: tf.Tensor, sample: bool) -> tf.Tensor:
        """Images as points, with values of about -1 to 1. (batch, size, size, 3) -> (batch, *point_shape). sample: see `LatentFlow`."""
        x = 2 * self.unit_range(x) - 1
        return x if self.patch == 1 else tf.nn.space_to_depth(x, self.patch)

    def images(self, points: tf.Tensor) -> tf.Tensor:
        """Points as images in the pixel range. (batch, *point_shape) -> (batch, size, size, 3)"""
        x = points if self.patch == 1 else tf.nn.depth_to_space(points, self.patch)
        low, high = self.architecture.pixel_range
        return low + (high - low) * (tf.clip_by_value(x, -1, 1) + 1) / 2

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        """The velocities at images, at time 1, with nothing told. (batch, size, size, 3) -> (batch, *point_shape)"""
        n = tf.shape(x)[0]
        network = self.network_for(training)
        return network([self.points(x, sample=False), tf.ones((n,)), tf.zeros((n, len(self.conditions)))], training=training)

    def network_for(self, training: bool) -> keras.Model:
        """The network that is trained or, outside training, its average if there is one."""
        return self.network if training or self.averaged_network is None else self.averaged_network

    def flow_loss(self, x: tf.Tensor, told: tf.Tensor, training: bool) -> tf.Tensor:
        """Squared error of the velocity at a random time on a random line to each image. (batch, size, size, 3) -> (batch,)"""
        end = self.points(x, sample=True)
        start = keras.random.normal(tf.shape(end), seed=self.seed_generator)
        t = keras.random.uniform((tf.shape(x)[0],), seed=self.seed_generator)
        between = start + t[:, None, None, None] * (end - start)
        return squared_error(end - start, self.network_for(training)([between, t, told], training=training))

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        told = partly_told(self.answers(x, y), self.seed_generator)
        with tf.GradientTape() as tape:
            losses = self.flow_loss(x, told, training=True)  # (batch,)
            scaled_loss = self.optimizer.scale_loss(tf.reduce_mean(losses))  # larger in float16, otherwise unchanged
        weights = self.network.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(scaled_loss, weights), weights))
        move_average([self.averaged_network], [self.network], self.optimizer, self.ema)
        self.loss_tracker.update_state(losses)
        return {"loss": self.loss_tracker.result()}

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        self.loss_tracker.update_state(self.flow_loss(x, all_told(self.answers(x, y)), training=False))
        return {"loss": self.loss_tracker.result()}

    def answers(self, x: tf.Tensor, y: tf.Tensor | None) -> tf.Tensor:
        """The attributes of images, (batch, conditions), also where the model has no conditions."""
        return y if self.conditions else tf.zeros((tf.shape(x)[0], 0))

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.loss_tracker]

    @property
    def optimizer_groups(self) -> list[tuple]:
        return [(self.optimizer, self.network.trainable_variables)]

    def velocity(self, x: tf.Tensor, t: tf.Tensor, told: tf.Tensor, guidance: float = 1.0) -> tf.Tensor:
        """The velocity at points at one time, guided as the class says. (batch, *point_shape), (), (batch, conditions) -> (batch, *point_shape)"""
        network = self.network_for(training=False)
        times = tf.fill(tf.shape(x)[:1], t)
        if guidance == 1 or not self.conditions:
            return network([x, times, told], training=False)
        free = network([x, times, tf.zeros_like(told)], training=False)
        return free + guidance * (network([x, times, told], training=False) - free)

    def heun_step(self, x: tf.Tensor, t: tf.Tensor, after: tf.Tensor, told: tf.Tensor, guidance: float = 1.0) -> tf.Tensor:
        """Points at the time `after`, from points at the time t: the mean of the velocity here and that at the end of Euler's step."""
        v = self.velocity(x, t, told, guidance)
        ahead = x + (after - t) * v
        return x + (after - t) * (v + self.velocity(ahead, after, told, guidance)) / 2

    def carry(self, x: tf.Tensor, told: tf.Tensor, start: float = 0.0, end: float = 1.0, keep: Callable | None = None) -> tf.Tensor:
        """Points that are carried from one time to another in `steps` steps. (batch, *point_shape), (batch, conditions) -> like x

        keep: function (points, time) -> points that is applied after each step.
        """
        if self._step is None:
            self._step = tf.function(self.heun_step, reduce_retracing=True)
        times = tf.linspace(tf.constant(start), end, whole_number("steps", self.steps) + 1)
        for t, after in zip(times, times[1:]):
            x = self._step(x, t, after, told, self.guidance)
            x = x if keep is None else keep(x, after)
        return x

    def decode(self, z: np.ndarray, **asked: Any) -> np.ndarray:
        z = self.check_codes(z)
        told, noise = self.told(len(z), asked), z.reshape(-1, *self.point_shape)
        return self._together(lambda rows: self.images(self.carry(noise[rows], told[rows])), len(z))

    def encode(self, x: np.ndarray, **asked: Any) -> np.ndarray:
        """The noise that is carried to these images: the same way backwards. (n, size, size, 3) -> (n, z_dim) float32. asked: see `decode`"""
        x = self.check_images(x)
        told, end = self.told(len(x), asked), partial(self.points, sample=False)
        parts = [self.carry(end(x[rows]), told[rows], 1.0, 0.0) for rows in batch_slices(len(x), "flow", 64)]
        return np.concatenate([np.zeros((0, *self.point_shape), np.float32), *parts]).reshape(len(x), self.architecture.z_dim)

    def reconstruct(self, x: np.ndarray, **asked: Any) -> np.ndarray:
        """Images carried to noise and back; the way back shows what is asked, which changes the images. Shapes as in `encode` and `decode`"""
        return self.decode(self.encode(x), **asked)

    def inpaint(self, x: np.ndarray, known: np.ndarray, seed: int = 0, **asked: Any) -> np.ndarray:
        """Images whose unknown pixels are made anew, to fit the known ones. (n, size, size, 3) -> (n, size, size, 3) float32

        known: (size, size) bool. At each time the known points are where the lines from their noise to the images are at that time.
        """
        x, known, told = self.check_images(x), self.known_points(known), self.told(len(x), asked)
        noise = np.random.default_rng(whole_number("seed", seed, least=0)).standard_normal((len(x), *self.point_shape)).astype(np.float32)

        def paint(rows):
            start, end = noise[rows], self.points(x[rows], sample=False)
            return self.images(self.carry(start, told[rows], keep=lambda points, t: tf.where(known, start + t * (end - start), points)))

        return self._together(paint, len(x))

    def _together(self, images_of, n):
        """The images of n rows, made batch by batch by a function of the rows."""
        size = self.architecture.image_size
        parts = [images_of(rows) for rows in batch_slices(n, "flow", 64)]
        return np.concatenate([np.zeros((0, size, size, 3), np.float32), *parts])

    def known_points(self, known: np.ndarray) -> np.ndarray:
        """Which points belong to known pixels alone. (size, size) bool -> (height, width, 1) bool; CourseError for anything else."""
        size, (height, width, _) = self.architecture.image_size, self.point_shape
        known = np.asarray(known)
        if known.shape != (size, size) or known.dtype != bool:
            raise CourseError(f"known says of each pixel whether it is known, ({size}, {size}) bool; this is {known.dtype} of shape {known.shape}.")
        return known.reshape(height, size // height, width, size // width).all(axis=(1, 3)).reshape(height, width, 1)

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        faces = self.generate(2 * len(x))
        return {"random z": faces[: len(x)], " random z": faces[len(x) :]}

    def get_config(self) -> dict[str, Any]:
        shared = self.architecture
        own = dict(image_size=shared.image_size, filters=shared.filters, dropout=shared.dropout, pixel_range=shared.pixel_range)
        return own | dict(conditions=self.conditions, steps=self.steps, guidance=self.guidance, ema=self.ema, patch=self.patch)
