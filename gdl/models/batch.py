"""What is wrong with a batch, in one sentence: images of another kind or range, labels or targets that do not fit, codes that are none."""

from typing import Any

import keras
import numpy as np

from gdl.arguments import is_real
from gdl.data.pixels import TOLERANCE
from gdl.data.splits import Faces, Split
from gdl.errors import CourseError

NOISY = 10  # an input with a target of its own may be noisy, and exceed the pixel range by that much
WEIGHTS = ("sample_weight", "class_weight", "validation_sample_weight")


def check_batch(model: Any, method: str, x: Any, y: Any = None, sample_weight: Any = None) -> None:
    """CourseError if a model cannot be given x, y and the weights by a method of Keras: "fit", "predict_on_batch", "call" and so on.

    The pixels of a model for (-1, 1) that are all above 0 in four images or more are taken for pixels in (0, 1).
    """
    who, training = f"{type(model).__name__}.{method}", not method.startswith(("predict", "call"))
    if isinstance(x, (Faces, Split)):
        raise CourseError(f"{who} takes batches: give faces.train.batches(64, pixel_range), or call gdl.train(model, faces, epochs).")
    if isinstance(x, (dict, tuple)) and not is_ours(model, "call"):
        return  # a class of somebody's own, with inputs of its own
    check_weights(model, method, {"sample_weight": sample_weight})
    if not training and takes_codes(model):
        check_codes(x, model.architecture.z_dim, who)
        return
    uses = what_y_is(model) if training else ""
    pair = uses == "target" and y is not None
    images = as_array(x, who)
    check_images(images, model, f"{who} takes images", NOISY if pair else 0)
    if uses and y is not None:
        y = as_array(y, who)
        if len(y) != len(images):
            raise CourseError(f"{who}: there are {len(images)} images and {len(y)} of what belongs to them: give as many of both.")
    if pair:
        check_images(y, model, f"{who} takes images alone, or pairs whose second is the image that should come out,", 0)
    if uses == "labels":
        check_labels(y, model.labels, who)


def check_images(x: np.ndarray, model: Any, takes: str, margin: float) -> None:
    """CourseError unless x is a batch of float images for the model. takes: begin of the sentence.  margin: how far pixels may exceed the range."""
    size, (low, high) = model.architecture.image_size, model.architecture.pixel_range
    wanted = f"{takes} of shape (n, {size}, {size}, 3) as floats in [{low}, {high}]"
    if x.shape[1:] != (size, size, 3):
        raise CourseError(f"{wanted}; these have shape {_shape(x)}: {_shape_fix(x.shape, size)}.")
    if not _is_float(x.dtype):
        to_bytes = "" if x.dtype == np.uint8 else ".astype('uint8')"
        fix = f"convert images of 0 to 255 with gdl.data.to_float(images{to_bytes}, ({low}, {high}))"
        raise CourseError(f"{wanted}, as faces.train.batches(...) gives; these images are {x.dtype}: {fix}.")
    if not x.size:
        return
    smallest, largest = float(x.min()), float(x.max())
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        raise CourseError(f"{wanted}; some of these pixels are NaN or infinite: look where they come from, and leave those images out.")
    if smallest < low - TOLERANCE - margin or largest > high + TOLERANCE + margin:
        raise CourseError(f"{wanted}; these range from {smallest:.3g} to {largest:.3g}: {_range_fix(smallest, largest, low)}.")
    if low < 0 <= smallest < largest and len(x) >= 4:
        raise CourseError(
            f"{wanted}; these range from {smallest:.3g} to {largest:.3g}, with no dark pixel: if they are in [0, 1], give 2 * x - 1, "
            "or make the model with pixel_range=(0, 1)."
        )


def check_labels(y: Any, names: tuple[str, ...], who: str) -> None:
    """CourseError unless y has a number from 0 to 1 for each image and attribute."""
    wanted = f"{who} takes a label for each image and attribute, shape (n, {len(names)}), 1 where it is present and 0 where not"
    if y is None:
        raise CourseError(f"{wanted}: give pairs of images and labels, as faces.train.batches(64, labels=True) does.")
    if y.shape[1:] != (len(names),):
        fix = "give y[:, None]" if y.ndim == 1 and len(names) == 1 else f"give a column for each of {', '.join(names[:5])}"
        raise CourseError(f"{wanted}; these have shape {_shape(y)}: {fix}.")
    if not is_real(y.dtype):
        raise CourseError(f"{wanted}; these are of dtype {y.dtype}: convert them to numbers.")
    if not y.size:
        return
    smallest, largest = float(y.min()), float(y.max())
    if not (smallest >= 0 and largest <= 1):
        fix = "give y > 0" if (smallest, largest) == (-1, 1) else "give 1 and 0"
        raise CourseError(f"{wanted}; these range from {smallest:.3g} to {largest:.3g}: {fix}.")


def check_codes(z: Any, z_dim: int, who: str) -> np.ndarray:
    """Codes as an array of float32, (n, z_dim); CourseError if they are none."""
    z = as_array(z, who)
    if z.ndim != 2 or z.shape[1] != z_dim:
        fix = ": give z[None]" if z.shape == (z_dim,) else ""
        raise CourseError(f"{who} takes codes of shape (n, {z_dim}); these have shape {_shape(z)}{fix}.")
    if not is_real(z.dtype) or z.dtype == bool:
        raise CourseError(f"{who} takes codes of real numbers; these are of dtype {z.dtype}: convert them with astype('float32').")
    z = z.astype(np.float32)
    if not np.isfinite(z).all():
        raise CourseError(f"{who}: some numbers of these codes are NaN or infinite: look where they come from.")
    return z


def check_weights(model: Any, method: str, given: dict) -> None:
    """CourseError for weights of images or classes, which no model of the course uses."""
    weights = [name for name in WEIGHTS if given.get(name) is not None]
    if weights and is_ours(model, "train_step") and is_ours(model, "compute_loss"):
        raise CourseError(
            f"{type(model).__name__}.{method}: the course's losses count every image alike, so {weights[0]} has no effect: leave it out."
        )


def what_y_is(model: Any) -> str:
    """What is trained with y: "labels", "target", an image, or "" where nothing is, or a class of somebody's own decides."""
    if not (is_ours(model, "train_step") and is_ours(model, "compute_loss")):
        return ""
    if model.labels:
        return "labels"
    return "target" if type(model).train_step is keras.Model.train_step else ""


def takes_codes(model: Any) -> bool:
    """Whether the model is called with codes, as the adversarial ones are, and not with images."""
    return len(model.get_build_config()["input_shape"]) == 2


def is_ours(model: Any, method: str) -> bool:
    """Whether a method is the course's or Keras's, and not of somebody's own class."""
    owner = next(cls for cls in type(model).__mro__ if method in vars(cls))
    return owner.__module__.startswith(("gdl.", "keras."))


def as_array(x: Any, who: str) -> np.ndarray:
    """A NumPy array of an array, tensor or table; CourseError for anything else."""
    if not isinstance(x, np.generic) and hasattr(x, "__array__"):
        try:
            return np.asarray(x)
        except (TypeError, ValueError, NotImplementedError):  # a ragged or sparse tensor
            pass
    raise CourseError(f"{who} takes one array, or a dataset of arrays; this is {type(x).__name__}: make an array with np.stack or np.asarray.")


def _is_float(dtype):
    return dtype.kind == "f" or dtype.name == "bfloat16"


def _shape(x):
    """The shape of a batch in words: n is the number of images of which only the kind is known."""
    return str(x.shape).replace("(0,", "(n,") if x.ndim else "()"


def _shape_fix(shape, size):
    """What to do with images of another shape."""
    if shape == (size, size, 3):
        return "give x[None], or batches of a dataset with .batch(64)"
    if len(shape) < 3:
        return "leave labels out, as with batches.map(lambda images, labels: images)"
    if len(shape) == 4 and shape[1] == 3 and shape[3] != 3:
        return "the channels have to come last: give np.moveaxis(x, 1, -1)"
    if len(shape) == 3 or len(shape) == 4 and shape[3] == 1:
        grey = "x" if len(shape) == 4 else "x[..., None]"
        return f"grey images have to be given as colours: np.repeat({grey}, 3, axis=-1)"
    if len(shape) == 4 and shape[3] == 4:
        return "leave the fourth channel out: give x[..., :3]"
    if len(shape) == 4 and shape[3] == 3:
        return "change their size, or make the model with another image_size"
    return "give an array of images"


def _range_fix(smallest, largest, low):
    """What to do with pixels out of range."""
    if largest > 2:
        return "if they are in [0, 255], give x / 255" + (" * 2 - 1" if low else "")
    if low == 0 and -1.001 <= smallest < -0.5 and largest <= 1.001:
        return "if they are in [-1, 1], give (x + 1) / 2, or make the model with pixel_range=(-1, 1)"
    return f"clip them with np.clip(x, {low}, 1)"
