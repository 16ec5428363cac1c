"""What all models of the course can do with plain arrays: encode, decode, reconstruct, generate."""

import sys

import keras
import numpy as np
from tqdm import tqdm

from gdl.errors import CourseError
from gdl.networks import Architecture
from gdl.pixels import to_float


class FaceModel(keras.Model):
    """A Keras model with an `architecture` and a `decoder`, most of them with an `encoder` too.

    Its methods take and return NumPy arrays and work through them a batch at a time, with a
    progress bar when it takes long. Images go in as uint8, or as float32 in the model's own
    pixel range; they come out as float32 in that range.
    """

    def __init__(self, image_size=64, z_dim=256, filters=(32, 64, 128, 256), **options):
        super().__init__()
        self.architecture = Architecture(image_size, z_dim, filters, **options)

    def encode(self, x):
        """Codes of images. (n, size, size, 3), uint8 or float32 in the pixel range -> (n, z_dim) float32"""
        return in_batches(self.encoder, self.check_images(x))

    def decode(self, z):
        """Images of codes. (n, z_dim) -> (n, size, size, 3) float32 in the pixel range"""
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[1] != self.architecture.z_dim:
            raise CourseError(f"decode takes codes of shape (n, {self.architecture.z_dim}); these have shape {z.shape}.")
        return in_batches(self.decoder, z)

    def reconstruct(self, x):
        """Images through the code and back. Shapes as in `encode` and `decode`"""
        return self.decode(self.encode(x))

    def generate(self, n, seed=0):
        """Images of n random codes from a standard normal. -> (n, size, size, 3) float32 in the pixel range"""
        return self.decode(np.random.default_rng(seed).standard_normal((n, self.architecture.z_dim)))

    def preview(self, x):
        """The rows of pictures that training shows after each epoch, by their labels."""
        return {"image": to_float(x, self.architecture.pixel_range), "reconstruction": self.reconstruct(x)}

    def check_images(self, x):
        """Images as float32 in the model's pixel range, or CourseError when they cannot be."""
        x = np.asarray(x)
        size, pixel_range = self.architecture.image_size, self.architecture.pixel_range
        if x.ndim != 4 or x.shape[1:] != (size, size, 3):
            raise CourseError(f"The model takes images of shape (n, {size}, {size}, 3); these have shape {x.shape}.")
        if x.dtype == np.uint8:
            return to_float(x, pixel_range)
        low, high = pixel_range
        if x.size and (x.min() < low - 1e-3 or x.max() > high + 1e-3):
            raise CourseError(
                f"The model's pixels are in [{low}, {high}]; these reach from {x.min():.3g} to {x.max():.3g}: "
                "give uint8 images, or floats from batches(pixel_range=model.architecture.pixel_range)."
            )
        return x.astype(np.float32)


def in_batches(network, array, batch_size=256):
    """A network applied to an array, batch by batch, with a progress bar when it takes more than seconds."""
    starts = range(0, len(array), batch_size)
    bar = tqdm(starts, desc=network.name, unit="batch", file=sys.stdout, leave=False, delay=5)
    parts = [keras.ops.convert_to_numpy(network(array[i : i + batch_size], training=False)) for i in bar]
    return np.concatenate(parts) if parts else np.zeros((0, *network.output_shape[1:]), np.float32)
