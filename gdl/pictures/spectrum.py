"""How much of a picture is coarse and how much is fine: its power at each frequency (chapter 07)."""

import numpy as np

from gdl.data.pixels import check_images
from gdl.errors import CourseError


def radial_power(images, pixel_range=(0, 1)):
    """Power of images by frequency, averaged over all directions, channels and images.

    images: (n, height, width, 3), n at least 1, uint8 or float in the pixel range. Pixels are brought to [0, 1].
    -> frequency in cycles per pixel, ascending, and power, both (rings,) float64.

    0.5 is the finest pattern of lines, with a period of two pixels; what lies above it is diagonal, up to the finest
    checkerboard at 0.71. Power is that of each single frequency: noise with independent pixels of variance v has power v
    at all of them, whatever the size. Rings are 1/min(height, width) wide; frequency 0, the mean, is left out.

    Each image is multiplied by a Hann window, less its mean under that window: a Fourier transform takes an image for
    one tile of a pattern without end, and the jump from one edge to the other would count as detail.
    Raises CourseError for what are no images.
    """
    images = np.asarray(getattr(images, "images", images))
    if images.size == 0:
        raise CourseError(f"radial_power needs at least one image; these have shape {images.shape}.")
    check_images(images, pixel_range)
    height, width = images.shape[1:3]
    window = np.outer(np.hanning(height + 2)[1:-1], np.hanning(width + 2)[1:-1])[..., None]  # (height, width, 1)

    power = np.zeros((height, width))
    for start in range(0, len(images), 256):  # they need not all be in memory
        x = _unit_range(images[start : start + 256], pixel_range)
        x -= np.sum(window * x, axis=(1, 2), keepdims=True) / np.sum(window)
        transformed = np.fft.fft2(window * x, axes=(1, 2))
        power += np.sum(np.abs(transformed) ** 2, axis=(0, 3)) / np.sum(window**2)
    power /= 3 * len(images)

    distance = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width))  # cycles per pixel
    ring = np.rint(distance * min(height, width)).astype(int).clip(1).ravel()[1:]  # all but frequency 0
    members = np.bincount(ring)[1:]
    power = np.bincount(ring, weights=power.ravel()[1:])[1:] / members
    return np.arange(1, len(power) + 1) / min(height, width), power


def _unit_range(images, pixel_range):
    """Pixels in [0, 1] as float64."""
    if images.dtype == np.uint8:
        return images / 255
    low, high = pixel_range
    return (images.astype(np.float64) - low) / (high - low)
