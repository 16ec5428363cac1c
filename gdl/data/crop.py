"""From an image file to a square of the size that the networks take."""

import math
from numbers import Real
from typing import IO

import numpy as np
from PIL import Image

from gdl.data.decode import open_image, upright_rgb
from gdl.errors import DataError


def check_size(size: int) -> int:
    """The size as an int; DataError unless it is a multiple of 16 from 16 to 512.

    >>> check_size(64)
    64
    """
    if not isinstance(size, Real) or not math.isfinite(size):
        raise DataError(f"size is {size!r}: give one number of pixels, such as 64.")
    if size not in range(16, 513, 16):
        near = {min(512, max(16, int(size) // 16 * 16 + step)) for step in (0, 16)}
        raise DataError(
            f"size={size} is not possible, because the networks halve an image four times: "
            f"choose {' or '.join(map(str, sorted(near)))} (any multiple of 16 from 16 to 512)."
        )
    return int(size)


def square(image: Image.Image, side: int, size: int) -> np.ndarray:
    """The central square of `side` pixels, resized to (size, size, 3) uint8 with Lanczos antialiasing.

    Lanczos is the filter in the protocol of WAE (Tolstikhin et al. 2018). The square is cut out first,
    so that no pixel outside it affects the result.
    """
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))


def load_square(file: IO[bytes], size: int) -> np.ndarray:
    """The central square of an open image file as (size, size, 3) uint8; see `upright_rgb`, also for what it raises."""
    with open_image(file) as opened:
        opened.draft("RGB", (3 * size, 3 * size))  # a large JPEG is decoded at 1/2, 1/4 or 1/8, which is faster
        image = upright_rgb(opened)
        return square(image, min(image.size), size)
