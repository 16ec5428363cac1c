"""A model made from what a hand-in says of it, with weights that are read as numbers: no code, no pickle, no optimiser."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.models import COMMANDS, MODULES, constructor_options, model_class, readable_options
from gdl.models.base import DecoderModel, FaceModel
from gdl.models.saving import MemoryFile, weights_in_memory
from gdl.project.archives import read_arrays
from gdl.project.rules import MAX_SIZE, MAX_WIDTH
from gdl.registration import PRECISIONS


def pack(model: FaceModel, path: str | Path) -> None:
    """Writes the weights of a model as an .npz file, without the optimisers: about a third of its .weights.h5.

    >>> pack(gdl.load("runs/gan"), "hand-in/weights.npz")  # doctest: +SKIP
    """
    content = io.BytesIO()
    np.savez_compressed(content, **{f"weight {i}": weight for i, weight in enumerate(model.get_weights())})
    write_file(path, content.getvalue())


def open_model(settings: Mapping[str, Any], name: str, weights: str, content: bytes) -> DecoderModel:
    """The model that run.json describes, with the weights of a file.

    settings: the content of run.json.  name: class of the course to make, or "" for the run's.
    weights: name of the file, .weights.h5 or .npz.  content: its bytes.
    CourseError, one sentence, for another class, for options that it does not take, and for weights that do not fit or are not finite.
    """
    name = COMMANDS.get(name or settings["model"], name or settings["model"])
    if name not in MODULES:
        raise CourseError(
            f'The run is of a class {name[:40]!r}, which is not of the course, and code is not run: give model = "GAN" or the like in '
            "project.toml if its networks are those of that class."
        )
    if not issubclass(model_class(name), DecoderModel):
        raise CourseError(f"A {name} makes no images: hand in a model that does, such as a VAE or a GAN.")
    before = keras.config.dtype_policy()
    try:
        if settings["precision"] not in PRECISIONS:
            raise CourseError(f"precision in run.json is none of {', '.join(PRECISIONS)}: copy the run folder again.")
        keras.config.set_dtype_policy(settings["precision"])
        known = constructor_options(name)
        options = {option: value for option, value in readable_options(settings["options"]).items() if option in known}
        _check_width(options)
        model = model_class(name).from_config(options)
    except CourseError:
        raise
    except Exception as error:  # whatever a constructor or Keras says about options that make no sense
        reason = str(error).splitlines()[0][:150] if str(error) else type(error).__name__
        raise CourseError(f"run.json has options with which no {name} can be made ({reason}): copy the run folder again.") from None
    finally:
        keras.config.set_dtype_policy(before)
    (_read_npz if weights.endswith(".npz") else _read_h5)(model, weights, content)
    if not all(np.isfinite(weight).all() for weight in model.get_weights()):
        raise CourseError(f"{weights} has weights that are NaN or infinite, because the training diverged: hand in an earlier epoch.")
    return model


def _check_width(options):
    """CourseError for a model that would only fill the memory, before it is made."""
    for option, most in (("image_size", MAX_SIZE), ("z_dim", MAX_WIDTH), ("filters", MAX_WIDTH), ("kernel_sizes", MAX_WIDTH)):
        value = options.get(option, 0)
        if any(isinstance(one, int) and one > most for one in (value if isinstance(value, list) else [value])):
            raise CourseError(f"run.json has the {option} {str(value)[:60]}: the project takes models with at most {most}.")


def _read_npz(model, weights, content):
    own = model.get_weights()
    arrays = read_arrays(content, weights, most=8 * sum(weight.size for weight in own) + 8)
    names = [f"weight {i}" for i in range(len(own))]
    if sorted(arrays) != sorted(names) or any(arrays[name].shape != weight.shape for name, weight in zip(names, own)):
        raise CourseError(f"{weights} {_OTHER}")
    model.set_weights([arrays[name] for name in names])


def _read_h5(model, weights, content):
    """Looks at all names, shapes and kinds before Keras reads: an array that the model lacks, or another shape, is never read."""
    with h5py.File(weights_in_memory(model), "r") as own:
        needed = _shapes(own, weights)
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            found = _shapes(file, weights)
        if any(found.get(name) != shape for name, shape in needed.items()):
            raise CourseError(f"{weights} {_OTHER}")
        model.load_weights(MemoryFile(content))
    except CourseError:
        raise
    except Exception as error:  # HDF5 has errors of many kinds for a damaged file
        raise CourseError(f"{weights} is damaged or no file of Keras weights ({type(error).__name__}): copy it again.") from None


_OTHER = "has the weights of another model than run.json describes: hand in both from one run folder."


def _shapes(file, weights):
    """The shape of each array by its name. Links are not followed; CourseError for arrays that lie in other files, and for other than numbers."""
    shapes = {}

    def look(name, item):
        if isinstance(item, h5py.Dataset):
            if item.is_virtual or item.external:
                raise CourseError(f"{weights} refers to other files: hand in one that Keras's save_weights has written.")
            if item.dtype.kind not in "biuf":
                raise CourseError(f"{weights} holds other than numbers: hand in a file that Keras's save_weights has written.")
            shapes[name] = item.shape

    file.visititems(look)
    return shapes
