"""The two pixel ranges of the course, and the conversion from bytes to them and back.

Images on disk are uint8, 0 to 255. Models see float32 in [0, 1] (their decoder ends in a sigmoid) or
in [-1, 1] (it ends in a tanh). The course never guesses the range.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from gdl.arguments import is_real
from gdl.errors import CourseError

PIXEL_RANGES = ((0, 1), (-1, 1))
TOLERANCE = 1e-3  # by which floats may exceed the pixel range


def check_pixel_range(pixel_range: Sequence[int]) -> tuple[int, int]:
    """The range as a tuple of two ints; CourseError if it is neither (0, 1) nor (-1, 1).

    >>> check_pixel_range([-1.0, 1.0])
    (-1, 1)
    """
    try:
        known = tuple(pixel_range) in PIXEL_RANGES
    except (TypeError, ValueError):  # a number, or a table of numbers
        known = False
    if not known:
        raise CourseError(f"pixel_range {pixel_range!r} is not known: choose (0, 1) or (-1, 1).")
    low, high = pixel_range
    return int(low), int(high)


def to_float(images: ArrayLike, pixel_range: Sequence[int] = (0, 1)) -> np.ndarray:
    """Bytes to floats in the pixel range: uint8 of any shape -> float32 of the same shape. CourseError for another dtype.

    >>> import gdl, numpy as np
    >>> gdl.data.to_float(np.array([0, 255], np.uint8), pixel_range=(-1, 1)).tolist()
    [-1.0, 1.0]
    """
    low, high = check_pixel_range(pixel_range)
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise CourseError(f"to_float takes uint8 images, 0 to 255; these are {images.dtype}.")
    return images.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)


def to_uint8(images: ArrayLike, pixel_range: Sequence[int] = (0, 1)) -> np.ndarray:
    """Floats in the pixel range to bytes, rounded and clipped: any shape -> uint8 of the same shape.

    >>> import gdl
    >>> gdl.data.to_uint8([0.0, 0.5, 1.1]).tolist()
    [0, 128, 255]
    """
    low, high = check_pixel_range(pixel_range)
    images = np.asarray(images, np.float32)
    return np.clip(np.rint((images - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def check_images(images: ArrayLike, pixel_range: Sequence[int] = (0, 1), size: int | None = None) -> np.ndarray:
    """The images as an array, unchanged; CourseError if they are not images in the pixel range.

    images: (n, height, width, 3) with n at least 0; uint8, 0 to 255, or floats in the pixel range, with a tolerance of 1e-3.
    size: the height and width that they must have; None for any.

    >>> check_images(np.zeros((5, 64, 64, 3)), size=64).shape
    (5, 64, 64, 3)
    """
    low, high = check_pixel_range(pixel_range)
    try:
        images = np.asarray(images)
    except ValueError:
        raise CourseError("These images have different shapes: give an array (n, height, width, 3).") from None
    if images.shape[1:] != (*(images.shape[1:3] if size is None else (size, size)), 3) or 0 in images.shape[1:]:
        wanted = "height, width" if size is None else f"{size}, {size}"
        fix = ": give x[None]" if images.ndim == 3 and images.shape[-1] == 3 else ""
        raise CourseError(f"Images have the shape (n, {wanted}, 3); these have shape {images.shape}{fix}.")
    if images.dtype == np.uint8 or not images.size:
        return images
    if not is_real(images.dtype):
        raise CourseError(f"Pixels are real numbers; these are of dtype {images.dtype}: give uint8 images, 0 to 255, or floats in [{low}, {high}].")
    smallest, largest = float(images.min()), float(images.max())
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        raise CourseError("Some pixels are NaN or infinite, because the model has diverged: train it again with a lower learning rate.")
    if smallest < low - TOLERANCE or largest > high + TOLERANCE:
        fits = size is None and smallest >= -1 - TOLERANCE and largest <= 1 + TOLERANCE  # only a model gives a size, and it has one range
        fix = "give pixel_range=(-1, 1)" if fits else f"give uint8 images, 0 to 255, or floats in [{low}, {high}]"
        raise CourseError(f"The pixels should be in [{low}, {high}]; these range from {smallest:.3g} to {largest:.3g}: {fix}.")
    return images


def checked_uint8(images: ArrayLike, pixel_range: Sequence[int] = (0, 1)) -> np.ndarray:
    """Images as uint8, after `check_images`: (n, height, width, 3) -> the same shape.

    >>> checked_uint8(np.full((1, 2, 2, 3), 1.0)).max()
    np.uint8(255)
    """
    images = check_images(images, pixel_range)
    return images if images.dtype == np.uint8 else to_uint8(images, pixel_range)


def check_uint8(images: ArrayLike) -> np.ndarray:
    """The images as an array, unchanged; CourseError if they are not uint8 images of shape (n, height, width, 3).

    >>> check_uint8(np.zeros((5, 64, 64, 3), np.uint8)).shape
    (5, 64, 64, 3)
    """
    if getattr(images, "dtype", None) != np.uint8:
        kind = getattr(images, "dtype", type(images).__name__)
        raise CourseError(f"Give uint8 images of shape (n, height, width, 3), with pixels from 0 to 255; these are {kind}.")
    return check_images(images)


def unit_range(images: np.ndarray, pixel_range: Sequence[int] = (0, 1), dtype: type = np.float32) -> np.ndarray:
    """Images as floats in [0, 1]: uint8, or floats in the pixel range -> the same shape, of the given dtype.

    >>> unit_range(np.array([-1.0, 0.0, 1.0]), pixel_range=(-1, 1)).tolist()
    [0.0, 0.5, 1.0]
    """
    low, high = (0, 255) if images.dtype == np.uint8 else check_pixel_range(pixel_range)
    return (images.astype(dtype) - dtype(low)) / dtype(high - low)
