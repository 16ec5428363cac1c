"""How similar reconstructions are to their images, pixel by pixel: one number for each pair of images.

Images are (n, height, width, 3), uint8 or floats in the pixel range; one of a pair may be uint8 and the other float.
"""

import numpy as np
import tensorflow as tf

from gdl.data.pixels import check_images, unit_range
from gdl.errors import CourseError


def mean_squared_error(x: np.ndarray, y: np.ndarray, pixel_range: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Mean squared difference of pixels in [0, 1]. Two (n, h, w, 3) -> (n,) float64; 0 for equal images, at most 1

    Raises CourseError for images of different shapes, and for pixels outside the range.

    >>> mean_squared_error(np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), 0.5)).tolist()
    [0.25]
    """
    x, y = _check_pair(x, y, pixel_range)
    return np.mean((_flat(x) - _flat(y)) ** 2, axis=1)


def ssim(x: np.ndarray, y: np.ndarray, pixel_range: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Structural similarity. Two (n, h, w, 3), at least 11 pixels high and wide -> (n,) float64; 1 for equal images

    Means, variances and the covariance in a Gaussian window of 11 x 11 pixels with sigma 1.5, averaged over its
    positions inside the image and over the channels (Wang et al. 2004).
    Raises CourseError as `mean_squared_error`, and for smaller images.

    >>> x = np.random.default_rng(0).random((1, 16, 16, 3))
    >>> ssim(x, x).round(4).tolist(), (ssim(x, 1 - x) < 0).tolist()
    ([1.0], [True])
    """
    x, y = _check_pair(x, y, pixel_range)
    if min(x.shape[1:3]) < 11:
        raise CourseError(f"SSIM uses a window of 11 x 11 pixels, and these images have {x.shape[1]} x {x.shape[2]}: give larger ones.")
    parts = [tf.image.ssim(x[i : i + 256], y[i : i + 256], max_val=1.0).numpy() for i in range(0, len(x), 256)]
    return np.concatenate([np.zeros(0), *parts])


def pearson(x: np.ndarray, y: np.ndarray, pixel_range: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Correlation of two images over all pixels and channels. Two (n, h, w, 3) -> (n,) float64 in [-1, 1]

    It does not change with brightness and contrast. It is 0 where one of the two images is constant, because the
    correlation is then not defined. Raises CourseError as `mean_squared_error`.

    >>> x = np.random.default_rng(0).random((1, 16, 16, 3))
    >>> pearson(x, 0.5 * x + 0.1).round(4).tolist(), pearson(x, 1 - x).round(4).tolist()
    ([1.0], [-1.0])
    """
    x, y = (_flat(images) for images in _check_pair(x, y, pixel_range))
    x, y = (images - images.mean(axis=1, keepdims=True) for images in (x, y))
    # rounding gives a constant image a spread of about 1e-16; one grey level in one pixel gives far more
    scale = np.sqrt(np.sum(x**2, axis=1)) * np.sqrt(np.sum(y**2, axis=1))
    constant = np.minimum(np.abs(x).max(axis=1), np.abs(y).max(axis=1)) < 1e-9
    return np.clip(np.where(constant, 0.0, np.sum(x * y, axis=1) / np.where(constant, 1.0, scale)), -1, 1)


def _flat(images):
    """Images as rows of pixels. (n, h, w, 3) -> (n, h w 3) float64"""
    return images.reshape(len(images), int(np.prod(images.shape[1:]))).astype(np.float64)


def _check_pair(x, y, pixel_range):
    """Both as float32 in [0, 1]; CourseError if they are not images of one shape."""
    x, y = (np.clip(unit_range(check_images(images, pixel_range), pixel_range), 0, 1) for images in (x, y))
    if x.shape != y.shape:
        raise CourseError(f"Images and reconstructions must have the same shape (n, height, width, 3), not {x.shape} and {y.shape}.")
    return x, y
