"""The two pixel ranges of the course and the way from bytes to them and back.

Images on disk are uint8, 0 to 255. Models see float32 in [0, 1] (a decoder that ends in a
sigmoid) or in [-1, 1] (one that ends in a tanh). Nothing in the course guesses which it is.
"""

import numpy as np

from gdl.errors import CourseError

PIXEL_RANGES = ((0, 1), (-1, 1))


def check_pixel_range(pixel_range):
    """The range as a tuple of two ints, or CourseError if it is neither (0, 1) nor (-1, 1)."""
    try:
        known = tuple(pixel_range) in PIXEL_RANGES
    except (TypeError, ValueError):  # a number, or a table
        known = False
    if not known:
        raise CourseError(f"pixel_range {pixel_range!r} is not known: choose (0, 1) or (-1, 1).")
    return tuple(int(bound) for bound in pixel_range)


def to_float(images, pixel_range=(0, 1)):
    """Bytes to float32 in the pixel range. uint8, any shape -> float32, same shape"""
    low, high = check_pixel_range(pixel_range)
    images = np.asarray(images)
    if images.dtype != np.uint8:
        raise CourseError(f"to_float takes uint8 images, 0 to 255; these are {images.dtype}.")
    return images.astype(np.float32) * np.float32((high - low) / 255) + np.float32(low)


def to_uint8(images, pixel_range=(0, 1)):
    """Floats in the pixel range to bytes, rounded; what lies outside is clipped. Any shape -> uint8, same shape"""
    low, high = check_pixel_range(pixel_range)
    images = np.asarray(images, np.float32)
    return np.clip(np.rint((images - low) * (255 / (high - low))), 0, 255).astype(np.uint8)


def check_images(images, pixel_range=(0, 1), size=None):
    """The array as it was given where it holds images; CourseError where it does not. Whole package, one answer.

    images: (n, height, width, 3), n at least 0; uint8, 0 to 255, or floats in the pixel range, up to a rounding error of 1e-3.
    size: the height and width that they must have; None for any.
    """
    low, high = check_pixel_range(pixel_range)
    images = np.asarray(images)
    if images.shape[1:] != (*(images.shape[1:3] if size is None else (size, size)), 3):
        wanted = "height, width" if size is None else f"{size}, {size}"
        fix = ": give x[None]" if images.ndim == 3 and images.shape[-1] == 3 else ""
        raise CourseError(f"Images have the shape (n, {wanted}, 3); these have shape {images.shape}{fix}.")
    if images.dtype == np.uint8 or not images.size:
        return images
    smallest, largest = float(images.min()), float(images.max())
    if not (np.isfinite(smallest) and np.isfinite(largest)):
        raise CourseError(
            "Some of the images hold NaN or infinity: the model that made them has diverged; train it again with a lower learning rate."
        )
    if smallest < low - 1e-3 or largest > high + 1e-3:
        fits = smallest >= -1 - 1e-3 and largest <= 1 + 1e-3
        fix = "give pixel_range=(-1, 1)" if fits else f"give uint8 images, 0 to 255, or floats in [{low}, {high}]"
        raise CourseError(f"The pixels should be in [{low}, {high}], and these reach from {smallest:.3g} to {largest:.3g}: {fix}.")
    return images


def checked_uint8(images, pixel_range=(0, 1)):
    """Images as uint8, checked by `check_images` first. (n, height, width, 3) -> the same shape"""
    images = check_images(images, pixel_range)
    return images if images.dtype == np.uint8 else to_uint8(images, pixel_range)
