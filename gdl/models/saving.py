"""The weights of a model and the state of its optimisers as a file: written from memory, and read only if all of it fits the model."""

import io
from pathlib import Path

import h5py
import keras

from gdl.errors import CourseError
from gdl.files import write_file


class MemoryFile(io.BytesIO):
    """A file in memory. Keras asks what kind of file it is by the ending of its name."""

    def __str__(self):
        return "memory.weights.h5"


def weights_in_memory(model: keras.Model) -> MemoryFile:
    """What `model.save_weights` writes."""
    file = MemoryFile()
    model.save_weights(file)
    return file


def write_weights(model: keras.Model, path: str | Path, **attributes: float) -> None:
    """Writes what `model.save_weights` writes, whole or not at all, and numbers as attributes of the file.

    CourseError if it cannot be written. HDF5 never meets a full disk, which would end the process.
    """
    file = weights_in_memory(model)
    if attributes:
        with h5py.File(file, "a") as opened:
            opened.attrs.update(attributes)
    write_file(path, file.getvalue())


def read_weights(model: keras.Model, path: str | Path) -> None:
    """Reads weights and the state of the optimisers into a compiled model.

    CourseError, and the model stays as it is, for a file that is missing, damaged, or of another model.
    """
    try:
        file = MemoryFile(Path(path).read_bytes())
        with h5py.File(file) as opened:
            found = _shapes(opened)
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror or 'it is damaged'})") from None
    except Exception:  # HDF5 has errors of many kinds for a damaged file
        raise CourseError(f"{path} cannot be read (it is damaged)") from None
    with h5py.File(weights_in_memory(model)) as own:
        if found != _shapes(own):
            raise CourseError(f"{path} has the weights of another model, or of one with other optimisers")
    model.load_weights(file)


def _shapes(file):
    """The shape of each array of an HDF5 file by its name, from reading all of them."""
    shapes = {}
    file.visititems(lambda name, item: shapes.update({name: item[()].shape}) if isinstance(item, h5py.Dataset) else None)
    return shapes
