"""How much of a picture is coarse and how much is fine: its power at each frequency (chapter 07)."""

import numpy as np

from gdl.data.pixels import check_images, unit_range
from gdl.data.splits import Split
from gdl.errors import CourseError


def radial_power(images: np.ndarray | Split, pixel_range: tuple[int, int] = (0, 1)) -> tuple[np.ndarray, np.ndarray]:
    """Power of images by frequency, averaged over all directions, channels and images.

    images: a split, or (n, height, width, 3) with n at least 1, uint8 or float in the pixel range. Pixels are scaled to [0, 1].
    -> frequency in cycles per pixel, ascending, and power, both (rings,) float64.

    0.5 is the finest pattern of lines, with a period of two pixels. Higher frequencies are diagonal, up to the finest
    checkerboard at 0.71. Power is that of each single frequency: noise with independent pixels of variance v has power v
    at all of them, for every image size. Rings are 1/min(height, width) wide; frequency 0, the mean, is left out.

    The mean under a Hann window is subtracted from each image, and the image is multiplied by the window. Without it the
    step from one edge to the opposite one would count as detail, because a Fourier transform treats an image as periodic.
    Raises CourseError for arrays that are not images.

    >>> rng = np.random.default_rng(0)
    >>> noise = np.clip(0.5 + 0.1 * rng.standard_normal((50, 32, 32, 3)), 0, 1)
    >>> frequency, power = radial_power(noise)
    >>> power[5:].round(2).tolist() == [0.01] * len(power[5:])
    True
    """
    power = _power(images, pixel_range)
    height, width = power.shape
    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))  # cycles per pixel
    ring = np.rint(distance * min(height, width)).astype(int).clip(1).ravel()[1:]  # all but frequency 0
    members = np.bincount(ring)[1:]
    power = np.bincount(ring, weights=power.ravel()[1:])[1:] / members
    return np.arange(1, len(power) + 1) / min(height, width), power


def checkerboard(images: np.ndarray | Split, pixel_range: tuple[int, int] = (0, 1)) -> float:
    """How much stronger patterns with a period of two pixels are than slightly coarser ones: about 1 without such patterns.

    images, pixel_range, errors: see `radial_power`.  -> the power of horizontal lines, vertical lines and a checkerboard of period two,
    each over the mean power two to four steps of frequency before it in the same direction, and the mean of these three ratios.
    Layers that double an image can leave such patterns (Odena, Dumoulin and Olah 2016).

    >>> noise = np.random.default_rng(0).uniform(0.4, 0.6, (200, 32, 32, 3))
    >>> lines = noise + 0.1 * (np.arange(32) % 2)[:, None, None]
    >>> round(checkerboard(noise), 1), checkerboard(lines) > 10
    (1.0, True)
    """
    power = _power(images, pixel_range)
    row, column, steps = power.shape[0] // 2, power.shape[1] // 2, np.arange(2, 5)
    lines = power[row, 0] / power[row - steps, 0].mean(), power[0, column] / power[0, column - steps].mean()
    return float(np.mean([*lines, power[row, column] / power[row - steps, column - steps].mean()]))


def _power(images, pixel_range):
    """Mean power at each frequency, in the order of NumPy's Fourier transform. (height, width) float64"""
    x_all = check_images(images.images if isinstance(images, Split) else images, pixel_range)
    if not len(x_all):
        raise CourseError(f"A spectrum needs at least one image; these have shape {x_all.shape}.")
    images = x_all
    height, width = images.shape[1:3]
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])[..., None]  # (height, width, 1)

    power = np.zeros((height, width))
    for start in range(0, len(images), 256):  # a memory map is never read whole
        x = unit_range(images[start : start + 256], pixel_range, np.float64)
        x -= np.sum(window * x, axis=(1, 2), keepdims=True) / np.sum(window)
        transformed = np.fft.fft2(window * x, axes=(1, 2))
        power += np.sum(np.abs(transformed) ** 2, axis=(0, 3)) / np.sum(window**2)
    return power / (3 * len(images))
