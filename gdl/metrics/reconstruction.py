"""How near reconstructions are to their images, pixel by pixel: one number for each pair of images.

Images are (n, height, width, channels), uint8 or float in [0, 1]; the two of a pair may differ in this.
"""

import numpy as np
import tensorflow as tf

from gdl.errors import CourseError


def mean_squared_error(x, y):
    """Mean squared difference of pixels in [0, 1]. Twice (n, h, w, c) -> (n,) float64; 0 for equal images, at most 1"""
    x, y = _check(x, y)
    return np.mean((_flat(x) - _flat(y)) ** 2, axis=1)


def ssim(x, y):
    """Structural similarity. Twice (n, h, w, c), at least 11 pixels high and wide -> (n,) float64; 1 for equal images

    Means, variances and the covariance in a Gaussian window of 11 x 11 pixels, sigma 1.5, averaged
    over its places inside the image and over the channels (Wang et al. 2004).
    """
    x, y = _check(x, y)
    if min(x.shape[1:3]) < 11:
        raise CourseError(f"SSIM has a window of 11 x 11 pixels; these images have {x.shape[1]} x {x.shape[2]}.")
    parts = [tf.image.ssim(x[i : i + 256], y[i : i + 256], max_val=1.0).numpy() for i in range(0, len(x), 256)]
    return np.concatenate([np.zeros(0), *parts])


def pearson(x, y):
    """Correlation of two images over all pixels and channels. Twice (n, h, w, c) -> (n,) float64 in [-1, 1]

    It does not see brightness and contrast. 0 where one of the two images is constant, as it has no
    correlation with anything.
    """
    x, y = (_flat(images) for images in _check(x, y))
    x, y = (images - images.mean(axis=1, keepdims=True) for images in (x, y))
    # rounding leaves a constant image a spread of about 1e-16; a single grey level in a single pixel is far above
    scale = np.sqrt(np.sum(x**2, axis=1)) * np.sqrt(np.sum(y**2, axis=1))
    constant = np.minimum(np.abs(x).max(axis=1, initial=0), np.abs(y).max(axis=1, initial=0)) < 1e-9
    return np.clip(np.where(constant, 0.0, np.sum(x * y, axis=1) / np.where(constant, 1.0, scale)), -1, 1)


def _flat(images):
    """Images as rows of pixels. (n, h, w, c) -> (n, h w c) float64"""
    return images.reshape(len(images), int(np.prod(images.shape[1:]))).astype(np.float64)


def _check(x, y):
    """Both as float32 in [0, 1], or CourseError."""
    x, y = (_unit_range(np.asarray(images)) for images in (x, y))
    if x.shape != y.shape or x.ndim != 4:
        raise CourseError(f"Images and reconstructions must have one shape (n, height, width, channels), not {x.shape} and {y.shape}.")
    return x, y


def _unit_range(images):
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    if not np.isfinite(images).all():
        raise CourseError("Images hold NaN or infinite pixels: the model has diverged, train it anew with a smaller learning rate.")
    if images.size and (images.min() < -1e-3 or images.max() > 1 + 1e-3):
        raise CourseError(
            f"Images are uint8 or floats in [0, 1]; these reach from {images.min():.3g} to {images.max():.3g}: "
            "bring them there first, from [-1, 1] with (images + 1) / 2."
        )
    return np.clip(images, 0, 1).astype(np.float32)
