"""What all models of the course can do with plain arrays: encode, decode, reconstruct, generate."""

import inspect
import sys
from dataclasses import asdict, fields

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gdl.data.pixels import check_images, to_float
from gdl.errors import CourseError
from gdl.models.architecture import Architecture


class FaceModel(keras.Model):
    """A Keras model with an `architecture` and a `decoder`, most of them with an `encoder` too.

    Its methods take and return NumPy arrays and work through them a batch at a time, with a
    progress bar when it takes long. Images go in as uint8, or as float32 in the model's own
    pixel range; they come out as float32 in that range.
    `model.save("vae.keras")` writes options, weights and optimisers; `keras.models.load_model` reads
    them, in the precision of that moment, once the class has been imported, as by naming `gdl.VAE`.
    """

    images_a_step = 1  # a training step takes so many times the batch size
    labels = False  # the names of the attributes that training needs beside the images
    patience_possible = True  # whether the validation loss says which epoch is best

    def __init__(self, image_size=64, z_dim=256, filters=(32, 64, 128, 256), **options):
        super().__init__()
        shared = [field.name for field in fields(Architecture)]
        if unknown := options.keys() - shared:
            own = [name for name in inspect.signature(type(self).__init__).parameters if name not in ("self", "options", *shared)]
            raise CourseError(f"{type(self).__name__} has no option {min(unknown)!r}: choose from {', '.join(shared + own)}.")
        self.architecture = Architecture(image_size, z_dim, filters, **options)

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        keras.saving.register_keras_serializable(cls.__module__)(cls)

    def encode(self, x):
        """Codes of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n, z_dim) float32"""
        return in_batches(self.encoder, self.check_images(x))

    def decode(self, z):
        """Images of codes. (n, z_dim) -> (n, size, size, 3) float32 in the pixel range"""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.architecture.z_dim:
            mend = ": give z[None]" if z.shape == (self.architecture.z_dim,) else ""
            raise CourseError(f"decode takes codes of shape (n, {self.architecture.z_dim}); these have shape {z.shape}{mend}.")
        return in_batches(self.decoder, z)

    def reconstruct(self, x):
        """Images through the code and back. Shapes as in `encode` and `decode`"""
        return self.decode(self.encode(x))

    def generate(self, n, seed=0):
        """Images of n random codes from a standard normal. -> (n, size, size, 3) float32 in the pixel range"""
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.architecture.z_dim)))

    def compile(self, optimizer="adam", **options):
        """As in Keras. The optimisers are built at once, or loading weights would lose their state."""
        if optimizer is None or options.get("loss") is not None:
            kind = type(self).__name__
            raise CourseError(f"The {kind} has a loss of its own and needs an optimiser: compile it with one, such as 'adam', and without loss.")
        super().compile(optimizer, **options)
        optimizers = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer, _ in self.optimizer_groups]
        if len(set(map(id, optimizers))) < len(optimizers):
            raise CourseError("Both networks have the same optimiser, which can train one of them only: give two.")
        for optimizer, weights in self.optimizer_groups:
            optimizer.build(weights)

    def default_optimizers(self, learning_rate=None):
        """The optimisers for `compile` that this kind of model is usually trained with."""
        return [keras.optimizers.Adam(1e-3 if learning_rate is None else learning_rate)]

    @property
    def optimizer_groups(self):
        """The optimisers and the weights that each of them trains, as pairs."""
        return [(self.optimizer, self.trainable_variables)]

    def get_config(self):
        """The options that this model was made with: `type(model)(**model.get_config())` makes another."""
        return asdict(self.architecture)

    def get_compile_config(self):
        """What `save` writes of the optimisers."""
        return {"optimizers": [keras.saving.serialize_keras_object(optimizer) for optimizer, _ in self.optimizer_groups]} if self.compiled else None

    def compile_from_config(self, config):
        self.compile(*map(keras.saving.deserialize_keras_object, config["optimizers"]))

    def unit_range(self, x):
        """Pixels of the model's range brought to [0, 1], so that losses mean the same in both ranges."""
        dtype = keras.backend.standardize_dtype(x.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise CourseError(
                f"Training takes floats in the pixel range, as faces.train.batches(...) gives; these images are {dtype}: "
                f"gdl.data.to_float(images, {self.architecture.pixel_range}) makes floats of bytes."
            )
        low, high = self.architecture.pixel_range
        return x if (low, high) == (0, 1) else (x - low) / (high - low)

    def preview(self, x):
        """The rows of pictures that training shows after each epoch, by their labels."""
        return {"image": to_float(x, self.architecture.pixel_range), "reconstruction": self.reconstruct(x)}

    def check_images(self, x):
        """Images as float32 in the model's pixel range, or CourseError when they cannot be."""
        x = check_images(x, self.architecture.pixel_range, self.architecture.image_size)
        return to_float(x, self.architecture.pixel_range) if x.dtype == np.uint8 else x.astype(np.float32)


def in_batches(network, array, batch_size=256):
    """A network applied to an array, batch by batch, with a progress bar when it takes more than seconds."""
    starts = range(0, len(array), batch_size)
    bar = tqdm(starts, desc=network.name, unit="batch", file=sys.stdout, leave=False, delay=5)
    parts = [network(array[i : i + batch_size], training=False) for i in bar]
    if not parts:  # an empty array: as many shapes without a row
        return keras.tree.map_structure(lambda output: np.zeros((0, *output.shape[1:]), np.float32), network.output)
    return keras.tree.map_structure(lambda *outputs: np.concatenate(outputs), *parts)


def batch_mean(losses):
    """Mean over the batch; where several devices share a batch, this device's part of it. (n,) -> ()"""
    n = tf.cast(tf.shape(losses)[0], losses.dtype)
    if tf.distribute.get_strategy().num_replicas_in_sync > 1:  # their gradients will be added up
        n = tf.distribute.get_replica_context().all_reduce("SUM", n)
    return tf.reduce_sum(losses) / n


def own_rows(random, shape, seed):
    """Random numbers of a shape; where several devices share a batch, this device's rows of those of the whole batch.

    random: function of a shape and a seed, such as `keras.random.normal`. All devices are given
    the same seeds, and would otherwise draw the same numbers.
    """
    device = tf.distribute.get_replica_context()  # None while a model is built for several devices
    if device is None or device.num_replicas_in_sync == 1:
        return random(shape, seed=seed)
    own = tf.one_hot(device.replica_id_in_sync_group, device.num_replicas_in_sync) * tf.cast(shape[0], tf.float32)
    rows = tf.cast(device.all_reduce("SUM", own), tf.int32)  # of each device; a last batch may not be shared evenly
    first = tf.reduce_sum(rows[: device.replica_id_in_sync_group])
    return random((tf.reduce_sum(rows), *shape[1:]), seed=seed)[first : first + shape[0]]


def second_optimizer(optimizer, precision):
    """What Keras does to the optimiser given to `compile`: a name becomes one, and float16 gets a loss scale."""
    if optimizer is None:
        return None
    optimizer = keras.optimizers.get(optimizer)
    if precision == "mixed_float16" and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def steps_taken(optimizer):
    """How many steps an optimiser has made, as a float32 tensor. A loss scale does not count them in every Keras."""
    return tf.cast(getattr(optimizer, "inner_optimizer", optimizer).iterations.value, tf.float32)


def apply_gradients(optimizer, gradients, weights):
    """`optimizer.apply_gradients`, made safe for float16 on several devices.

    There Keras looks for overflow on the first device only; so each gets the mean of all gradients.
    """
    several = tf.distribute.get_strategy().num_replicas_in_sync > 1
    if several and isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        gradients = tf.distribute.get_replica_context().all_reduce("MEAN", gradients)
    optimizer.apply_gradients(zip(gradients, weights))
