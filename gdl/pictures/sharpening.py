"""Sharpening pictures after the fact: a filter enlarges what is sharp in them, and invents nothing (chapter 07)."""

import numbers

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from gdl.data.pixels import checked_uint8, to_float
from gdl.errors import CourseError

METHODS = ("sharpness", "unsharp")


def sharpen(images, factor=3, method="sharpness", pixel_range=(0, 1), radius=2):
    """Images sharpened by Pillow: smoothed + factor * (image - smoothed), clipped to the pixel range.

    images: (n, height, width, 3) or one image (height, width, 3), uint8 or float in the pixel range.
    factor: from 0 to 100. 1 gives the image back as it is, 0 the smoothed image, more than 1 sharpens.
    method: what smooths.
        "sharpness": Pillow's ImageEnhance.Sharpness: a mean of 3x3 pixels in which the middle one counts five times; the
        outermost pixels stay as they are.
        "unsharp": Pillow's ImageFilter.UnsharpMask without a threshold: a Gaussian blur, which Pillow makes of three box
        blurs (within 4 of 255 grey levels for a radius of 1 and more, except at the edges). Its factor is rounded to hundredths.
    radius: standard deviation of the Gaussian in pixels, more than 0 and at most 100; for "unsharp" alone.
    -> the same shape; uint8 for uint8, float32 in the pixel range for floats.

    Pillow's filters work on bytes. Floats are rounded to the 256 grey levels first, and have at most 256 values
    afterwards; only with factor 1 are they left unrounded. The smoothed image is rounded too, and a factor makes these
    roundings larger: by up to about `factor` grey levels.
    Raises CourseError for other shapes, pixels outside the range, an unknown method and numbers that are out of bounds.
    Paul Haeberli and Douglas Voorhies, "Image Processing by Linear Interpolation and Extrapolation", 1994.
    """
    if method not in METHODS:
        raise CourseError(f"method={method!r} is not known: choose 'sharpness' or 'unsharp'.")
    if not isinstance(factor, numbers.Real) or not 0 <= factor <= 100:
        raise CourseError(f"factor is {factor!r}: give a number from 0 to 100; 1 leaves the images as they are.")
    if not isinstance(radius, numbers.Real) or not 0 < radius <= 100:
        raise CourseError(f"radius is {radius!r}: give a number of pixels, more than 0 and at most 100.")
    images = np.asarray(images)
    if images.ndim not in (3, 4) or images.shape[-1] != 3 or 0 in images.shape[-3:]:
        raise CourseError(f"sharpen takes images of shape (n, height, width, 3), or one of (height, width, 3); these have shape {images.shape}.")
    given = checked_uint8(images if images.ndim == 4 else images[None], pixel_range)  # (n, height, width, 3)
    if factor == 1:
        return images.copy() if images.dtype == np.uint8 else images.astype(np.float32)
    sharpened = np.empty_like(given)
    for i, image in enumerate(map(Image.fromarray, given)):
        sharpened[i] = _sharpened(image, factor, method, radius)
    sharpened = sharpened.reshape(images.shape)
    return sharpened if images.dtype == np.uint8 else to_float(sharpened, pixel_range)


def _sharpened(image, factor, method, radius):
    if method == "sharpness":
        return ImageEnhance.Sharpness(image).enhance(factor)
    return image.filter(ImageFilter.UnsharpMask(radius, percent=round(100 * (factor - 1)), threshold=0))
