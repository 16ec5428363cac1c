"""Sharpening finished pictures: a filter amplifies the details that they contain and adds no new ones (chapter 07)."""

import numbers

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from gdl.data.pixels import checked_uint8, to_float
from gdl.errors import CourseError

METHODS = ("sharpness", "unsharp")


def sharpen(images: np.ndarray, factor: float = 3, method: str = "sharpness", pixel_range: tuple[int, int] = (0, 1), radius: float = 2) -> np.ndarray:
    """Images sharpened by Pillow: smoothed + factor * (image - smoothed), clipped to the pixel range.

    images: (n, height, width, 3) or one image (height, width, 3), uint8 or float in the pixel range.
    factor: from 0 to 100. 1 returns the image unchanged, 0 the smoothed image, more than 1 sharpens.
    method: how the image is smoothed.
        "sharpness": Pillow's ImageEnhance.Sharpness, a weighted mean of 3x3 pixels in which the centre has five times the
        weight of the others; the outermost pixels stay unchanged.
        "unsharp": Pillow's ImageFilter.UnsharpMask without a threshold, a Gaussian blur that Pillow approximates by three
        box blurs (within 4 of 255 grey levels for a radius of at least 1, except at the edges). The factor is rounded to
        hundredths.
    radius: standard deviation of the Gaussian in pixels, more than 0 and at most 100; only for "unsharp".
    -> the same shape; uint8 for uint8, float32 in the pixel range for floats.

    Pillow's filters work on bytes. Floats are rounded to 256 grey levels first, except with factor 1. The smoothed image
    is rounded too. The factor multiplies these rounding errors, to about `factor` grey levels.
    Raises CourseError for other shapes, pixels outside the range, an unknown method and numbers outside their bounds.
    Paul Haeberli and Douglas Voorhies, "Image Processing by Linear Interpolation and Extrapolation", 1994.

    >>> import gdl
    >>> dot = np.full((1, 5, 5, 3), 100, np.uint8)
    >>> dot[:, 2, 2] = 113
    >>> gdl.sharpen(dot, factor=3)[0, 2, :, 0].tolist()
    [100, 98, 129, 98, 100]
    """
    if method not in METHODS:
        raise CourseError(f"method={method!r} is not known: choose 'sharpness' or 'unsharp'.")
    if not isinstance(factor, numbers.Real) or not 0 <= factor <= 100:
        raise CourseError(f"factor is {factor!r}: give a number from 0 to 100; 1 leaves the images as they are.")
    if not isinstance(radius, numbers.Real) or not 0 < radius <= 100:
        raise CourseError(f"radius is {radius!r}: give a number of pixels, more than 0 and at most 100.")
    images = np.asarray(images)
    pixels = checked_uint8(images[None] if images.ndim == 3 else images, pixel_range)  # (n, height, width, 3)
    if factor == 1:
        return images.copy() if images.dtype == np.uint8 else images.astype(np.float32)
    sharpened = np.empty_like(pixels)
    for i, image in enumerate(map(Image.fromarray, pixels)):
        sharpened[i] = _sharpened(image, factor, method, radius)
    sharpened = sharpened.reshape(images.shape)
    return sharpened if images.dtype == np.uint8 else to_float(sharpened, pixel_range)


def _sharpened(image, factor, method, radius):
    if method == "sharpness":
        return ImageEnhance.Sharpness(image).enhance(factor)
    return image.filter(ImageFilter.UnsharpMask(radius, percent=round(100 * (factor - 1)), threshold=0))
