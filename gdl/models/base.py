"""What the models of the course share: plain arrays in and out, optimisers, saving; and a base class for each kind of model.

FaceModel            every model: an architecture, its optimisers, and what saving writes
DecoderModel         makes images of codes: decode, generate (the adversarial models)
EncoderDecoderModel  and codes of images: encode, reconstruct (the autoencoders)
"""

import inspect
import sys
from contextlib import suppress
from dataclasses import asdict, fields
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from gdl.arguments import did_you_mean, number, whole_number
from gdl.data.pixels import check_images, to_float
from gdl.errors import CourseError
from gdl.models import OWN_CLASSES, readable_options, replicas
from gdl.models.architecture import Architecture
from gdl.models.batch import check_codes
from gdl.models.compiling import an_optimizer, check_compile, check_optimizers, saved_options
from gdl.models.inputs import CheckedInputs
from gdl.models.own import made_again
from gdl.registration import check_keras


class FaceModel(CheckedInputs, keras.Model):
    """A Keras model with an `architecture`; `compile`, `fit` and callbacks do what Keras says.

    Its methods take and return NumPy arrays and work through them a batch at a time, with a progress bar when it takes
    long. Images go in as uint8, or as float32 in the model's own pixel range; they come out as float32 in that range.
    `model.save("vae.keras")` writes options, weights and optimisers. `keras.models.load_model` reads them wherever `gdl` is
    imported, in the precision that Keras is then set to; and so it reads the networks, such as `vae.decoder`, which can be
    saved as .h5, too.
    """

    has_validation_loss: bool = True  # whether a lower validation loss means better images, so that patience can watch it

    def __init__(self, image_size: int = 64, z_dim: int = 256, filters: tuple = (32, 64, 128, 256), **options: Any):
        check_keras()
        super().__init__()
        shared = [field.name for field in fields(Architecture)]
        if unknown := options.keys() - shared:
            own = [name for name in inspect.signature(type(self).__init__).parameters if name not in ("self", "options", *shared)]
            meant = did_you_mean(min(unknown), shared + own)
            raise CourseError(f"{type(self).__name__} has no option {min(unknown)!r}: choose from {', '.join(shared + own)}{meant}.")
        self.architecture = Architecture(image_size, z_dim, filters, **options)

    @property
    def batches_per_step(self) -> int:
        """The number of batches that one training step takes."""
        return 1

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the attributes that training needs beside the images."""
        return ()

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        ours = cls.__module__.rpartition(".")[0] == __package__
        keras.saving.register_keras_serializable("gdl" if ours else cls.__module__)(cls)
        if not ours:
            OWN_CLASSES[cls.__name__] = cls

    def compile(self, optimizer: Any = "adam", **options: Any) -> None:
        """As in Keras. The optimisers are built at once, because loading weights would lose their state otherwise."""
        check_compile(self, optimizer, options)
        super().compile(an_optimizer(optimizer), **options)
        check_optimizers(self.optimizer_groups)
        for optimizer, weights in self.optimizer_groups:
            optimizer.build(weights)
        if self.distribute_strategy.num_replicas_in_sync > 1:
            replicas.share_batch(self)

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """As in Keras; metrics given to `compile` compare what comes out with the images, where there is no other target."""
        return super().compute_metrics(x, x if y is None else y, y_pred, sample_weight)

    def default_optimizers(self, learning_rate: float | None = None) -> list[keras.optimizers.Optimizer]:
        """The optimisers for `compile` that this kind of model is usually trained with."""
        return [keras.optimizers.Adam(1e-3 if learning_rate is None else learning_rate)]

    @property
    def optimizer_groups(self) -> list[tuple]:
        """The optimisers and the weights that each of them trains, as pairs."""
        return [(self.optimizer, self.trainable_variables)]

    def get_config(self) -> dict[str, Any]:
        """The options that this model was made with: `type(model)(**model.get_config())` makes another."""
        return asdict(self.architecture)

    @classmethod
    def from_config(cls, config: dict, custom_objects: Any = None) -> "FaceModel":
        return made_again(cls, readable_options(config))

    def save(self, filepath: Any, *arguments: Any, **options: Any) -> None:
        """As in Keras, to a file that ends in .keras."""
        if str(filepath).endswith((".h5", ".hdf5")):
            raise CourseError(
                f"{filepath}: HDF5 cannot hold a whole {type(self).__name__}: save it as .keras, or save its weights with save_weights, "
                "or one of its networks."
            )
        super().save(filepath, *arguments, **options)

    def export(self, filepath: Any, *arguments: Any, **options: Any) -> None:
        """As in Keras: the model's `call`, for TensorFlow without Keras."""
        self(tf.zeros((1, *self.get_build_config()["input_shape"][1:])))  # Keras exports only what has been called
        super().export(filepath, *arguments, **options)

    def get_compile_config(self) -> dict | None:
        """What `save` writes about the optimisers and the options of `compile`."""
        if not self.compiled:
            return None
        optimizers = [keras.saving.serialize_keras_object(optimizer) for optimizer, _ in self.optimizer_groups]
        return {"optimizers": optimizers, "options": saved_options(super().get_compile_config())}

    def compile_from_config(self, config: dict) -> None:
        optimizers, options = config["optimizers"], config.get("options", {})  # version 0.1.0 wrote no options
        self.compile(*map(keras.saving.deserialize_keras_object, optimizers), **keras.saving.deserialize_keras_object(options))

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The rows of pictures that training shows after each epoch, by their labels. x: (n, size, size, 3) uint8"""
        raise NotImplementedError

    def unit_range(self, x: Any) -> Any:
        """Pixels of the model's range scaled to [0, 1], so that a loss means the same in both ranges."""
        dtype = keras.backend.standardize_dtype(x.dtype)
        if not keras.backend.is_float_dtype(dtype):
            raise CourseError(
                f"Training takes floats in the pixel range, as faces.train.batches(...) gives; these images are {dtype}: "
                f"convert uint8 images with gdl.data.to_float(images, {self.architecture.pixel_range})."
            )
        x = x.astype(np.float32) if isinstance(x, np.ndarray) else keras.ops.cast(x, "float32")
        low, high = self.architecture.pixel_range
        return x if (low, high) == (0, 1) else (x - low) / (high - low)

    def check_images(self, x: np.ndarray) -> np.ndarray:
        """Images as float32 in the model's pixel range; CourseError if they are not images in that range."""
        x = check_images(x, self.architecture.pixel_range, self.architecture.image_size)
        if x.dtype != np.uint8 and x.dtype.kind != "f":
            low, high = self.architecture.pixel_range
            raise CourseError(f"Images are uint8, 0 to 255, or floats in [{low}, {high}]; these are {x.dtype}: give images.astype('uint8').")
        return to_float(x, self.architecture.pixel_range) if x.dtype == np.uint8 else x.astype(np.float32)


class DecoderModel(FaceModel):
    """A FaceModel whose network `decoder` makes images of codes, or `averaged_decoder` if there is one."""

    decoder: keras.Model
    averaged_decoder: keras.Model | None = None

    @property
    def image_decoder(self) -> keras.Model:
        """The network that makes the images: `averaged_decoder` if there is one, else `decoder`."""
        return self.decoder if self.averaged_decoder is None else self.averaged_decoder

    def decode(self, z: np.ndarray) -> np.ndarray:
        """Images of codes. (n, z_dim) -> (n, size, size, 3) float32 in the pixel range"""
        return in_batches(self.image_decoder, self.check_codes(z))

    def generate(self, n: int, seed: int = 0) -> np.ndarray:
        """Images of n random codes from a standard normal. -> (n, size, size, 3) float32 in the pixel range"""
        return self.decode(self.normal_codes(n, seed))

    def normal_codes(self, n: int, seed: int | None) -> np.ndarray:
        """The codes of `generate`: n from a standard normal. -> (n, z_dim)"""
        n, seed = whole_number("n", n, least=0), None if seed is None else whole_number("seed", seed, least=0)
        return np.random.default_rng(seed).standard_normal((n, self.architecture.z_dim))

    def check_codes(self, z: np.ndarray) -> np.ndarray:
        """Codes, or lists of their numbers, as (n, z_dim) float32; CourseError if they are none."""
        if isinstance(z, (list, tuple)):
            with suppress(ValueError):  # lists of different lengths: `check_codes` says what is wrong
                z = np.array(z)
        return check_codes(z, self.architecture.z_dim, "decode")


class EncoderDecoderModel(DecoderModel):
    """A DecoderModel whose network `encoder` gives the code of an image."""

    encoder: keras.Model

    def encode(self, x: np.ndarray) -> np.ndarray:
        """Codes of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n, z_dim) float32"""
        return in_batches(self.encoder, self.check_images(x))

    def reconstruct(self, x: np.ndarray) -> np.ndarray:
        """Images encoded and decoded again. Shapes as in `encode` and `decode`"""
        return self.decode(self.encode(x))

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {"image": to_float(x, self.architecture.pixel_range), "reconstruction": self.reconstruct(x)}


def check_encoder(model: keras.Model) -> None:
    """CourseError unless the model gives codes of images, as an autoencoder and a VAE do."""
    if not isinstance(model, EncoderDecoderModel):
        raise CourseError(f"{_a(model)} has no encoder and gives no code for an image: take an Autoencoder or a VAE.")


def check_decoder(model: keras.Model) -> None:
    """CourseError unless the model makes images, as all but the classifier do."""
    if not isinstance(model, DecoderModel):
        raise CourseError(f"{_a(model)} makes no images: take a model that does, such as a VAE or a GAN.")


def _a(model):
    """The model's class with its article: a VAE, an Autoencoder."""
    name = type(model).__name__
    return f"An {name}" if name[0] == "A" else f"A {name}"


def in_batches(network, *arrays):
    """A network applied to its inputs, batch by batch, with a progress bar when it takes more than five seconds."""
    inputs = ([array[rows] for array in arrays] for rows in batch_slices(len(arrays[0]), network.name))
    parts = [network(batch if len(batch) > 1 else batch[0], training=False) for batch in inputs]
    if not parts:  # an empty array: the shapes of the outputs, with no row
        return keras.tree.map_structure(lambda output: np.zeros((0, *output.shape[1:]), np.float32), network.output)
    return keras.tree.map_structure(lambda *outputs: np.concatenate(outputs), *parts)


def batch_slices(n, title, batch_size=256):
    """Yields the slices of n rows, batch by batch, with a progress bar when it takes more than five seconds."""
    for start in tqdm(range(0, n, batch_size), desc=title, unit="batch", file=sys.stdout, leave=False, delay=5):
        yield slice(start, start + batch_size)


def second_optimizer(optimizer, precision):
    """The second optimiser, treated as Keras's `compile` treats the first: a name becomes an optimiser, and float16 gets a loss scale."""
    if optimizer is None:
        return None
    optimizer = an_optimizer(optimizer)
    if precision == "mixed_float16" and not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    return optimizer


def steps_taken(optimizer):
    """The number of steps that an optimiser has made, float32. A LossScaleOptimizer does not count them in every version of Keras."""
    return tf.cast(getattr(optimizer, "inner_optimizer", optimizer).iterations.value, tf.float32)


def ema_decay(value):
    """The decay of a moving average as a float, or None for no average; CourseError unless it is at least 0 and less than 1."""
    decay = None if value is None else number("ema", value)
    if decay is not None and decay >= 1:
        raise CourseError(f"ema is {decay}: it is the decay of an average, so give at least 0 and less than 1, such as 0.998.")
    return decay


def averaged_copy(network):
    """A copy of a network, with the same weights, that is moved by `move_average` and not trained."""
    copy = keras.models.clone_model(network)
    copy.trainable = False
    copy.set_weights(network.get_weights())
    return copy


def move_average(averages, networks, optimizer, decay):
    """Moves averaged networks towards those that the optimiser trains. decay: see `ema_decay`; with None nothing moves.

    Faster in the first steps, so that the averages soon forget the initial weights. The statistics of batch normalisation move, too.
    """
    if decay is None:
        return
    step = steps_taken(optimizer)
    decay = tf.minimum(decay, (1 + step) / (10 + step))
    for average, network in zip(averages, networks):
        for old, new in zip(average.weights, network.weights):
            old.assign(decay * old + (1 - decay) * new)
