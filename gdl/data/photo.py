"""A photograph of your own, cropped as the course crops CelebA's faces."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gdl.data.celeba import HEIGHT, WIDTH
from gdl.data.crop import check_size, square
from gdl.data.decode import Unusable, open_image, upright_rgb
from gdl.data.paths import checked_path
from gdl.data.report import printable
from gdl.errors import DataError

Points = Sequence[Sequence[float]]  # ((x, y), (x, y))
CROP = 140  # side of the central square of CelebA's 178x218 pixels, as in gdl.CelebA
EYES = (69.5, 111.3), (107.5, 111.2)  # (x, y) in those 178x218 pixels, the mean of CelebA's landmarks (Liu et al. 2015)
OVERSAMPLING = 2  # an aligned photograph is resampled at twice its size and then shrunk, so that it stays sharper


def load_photo(path: str | Path, size: int = 64, eyes: Points | None = None) -> np.ndarray:
    """A photograph of your own, cropped as CelebA is for the models: uint8 (size, size, 3), 0 to 255.

    Models take several images: `model.encode(photo[None])`.
    path: an image of any size and mode, in a format that Pillow reads. The orientation in the camera's EXIF
        data is applied, unless that data is damaged. A colour profile is converted to sRGB, and transparent pixels become
        white. Of an animation or a file with several pages, the first is taken. 16 bits become 8. Fractional pixels may be
        0 to 1, 0 to 255 or 0 to 65535, and those of 32-bit integers 0 to 255 or 0 to 65535.
    size: height and width of the result, a multiple of 16 from 16 to 512.
    eyes: ((x, y), (x, y)), the two pupils in either order, in pixels of the upright photograph;
        (0, 0) is the middle of its top left pixel. The photograph is rotated, scaled and shifted so
        that the eyes have their mean position in CelebA (EYES). The eye that is further left stays on the
        left. Outside the photograph its edge is repeated.
    Without `eyes`, the face should be in the middle: the result is the central square of 140/178 of the width
    of the largest centred rectangle with CelebA's shape, 178:218. A photograph of CelebA itself gives the
    pixels of gdl.CelebA. A photograph that is too small is enlarged.
    DataError for a file, a size or eyes that cannot be used.
    Alignment: Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015.
    Crop: I. Tolstikhin, O. Bousquet, S. Gelly, B. Schölkopf, "Wasserstein Auto-Encoders", ICLR 2018.

    >>> gdl.load_photo("me.jpg", size=64, eyes=((410, 520), (610, 515))).shape  # doctest: +SKIP
    (64, 64, 3)
    """
    size = check_size(size)
    photo = _read(path)
    side = max(1, round(CROP * min(photo.width / WIDTH, photo.height / HEIGHT)))
    if eyes is not None:
        side = OVERSAMPLING * size
        photo = _align(photo, _check_eyes(eyes, photo, path), side)
    return np.array(square(photo, side, size))


def _read(path):
    if not isinstance(path, (str, Path)):
        raise DataError(f"load_photo takes the path of a photograph, not a {type(path).__name__}: give the path of its file.")
    if "://" in str(path):
        raise DataError(f"{path} is an address: download the photograph and give the path of its file.")
    shown, file = printable(path), checked_path(path, "me.jpg")
    if not os.path.exists(file):
        raise DataError(f"{shown} {'is a link to nothing' if file.is_symlink() else 'does not exist'}: give the path of a photograph.")
    if file.is_dir():
        raise DataError(f"{shown} is a folder: give one photograph, or open the folder with gdl.ImageFolder.")
    if not file.is_file():
        raise DataError(f"{shown} is a pipe, a socket or a device: give the path of a photograph.")
    try:
        with warnings.catch_warnings(action="ignore"), open(file, "rb") as opened, open_image(opened) as image:
            return upright_rgb(image)
    except PermissionError:
        raise DataError(f"You have no permission to read {shown}: change its permissions, or use a copy of your own.") from None
    except Image.DecompressionBombError:
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        raise DataError(f"{shown} has more than {limit:,} pixels, too many to open: make it smaller first.") from None
    except Image.UnidentifiedImageError:
        raise DataError(f"{shown} is not an image that Pillow can read; HEIC, for example, is not: save it as JPEG or PNG.") from None
    except Unusable as error:
        raise DataError(f"{shown} is a file {error}: save it in another way.") from None
    except Exception:  # a broken file makes Pillow raise errors of many kinds
        raise DataError(f"{shown} is damaged or was cut short: copy or download it again.") from None


def _check_eyes(eyes, photo, path):
    """The eye at the left and the eye at the right, each as a complex number x + iy."""
    try:
        eyes = sorted((float(x), float(y)) for x, y in eyes)
        (left_x, left_y), (right_x, right_y) = eyes
    except (TypeError, ValueError):
        raise DataError("eyes are two points in pixels of the photograph: give them as ((x, y), (x, y)).") from None
    for x, y in eyes:
        if not (0 <= x < photo.width and 0 <= y < photo.height):
            raise DataError(
                f"The eye ({x:g}, {y:g}) is outside {path}: give x below {photo.width} and y below "
                f"{photo.height}, the width and height of the upright photograph."
            )
    left, right = complex(left_x, left_y), complex(right_x, right_y)
    if abs(right - left) < 1:
        raise DataError(f"Both eyes are at ({left_x:g}, {left_y:g}): give the position of each.")
    return left, right


def _align(photo, eyes, side):
    """The square of CelebA's crop with `side` pixels, in which the eyes of the photograph are at EYES."""
    half = 0.5 + 0.5j  # from the corner of a pixel, which is Pillow's origin, to its middle
    corner = complex((WIDTH - CROP) // 2, (HEIGHT - CROP) // 2)
    left, right = ((complex(*eye) - corner + half) * side / CROP for eye in EYES)
    turn = (eyes[1] - eyes[0]) / (right - left)  # the point z of the square is turn * z + shift in the photograph
    shift = eyes[0] + half - turn * left
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    shrink = max(1, abs(turn))  # first, because `transform` samples pixels and does not average those between
    small = photo.resize([max(1, round(length / shrink)) for length in photo.size], Image.Resampling.LANCZOS)
    matrix *= np.divide(small.size, photo.size)[:, None]
    padded = np.pad(small, ((side, side), (side, side), (0, 0)), mode="edge")  # no corner of the square is further from an eye
    matrix[:, 2] += side
    affine = tuple(matrix.flat)
    return Image.fromarray(padded).transform((side, side), Image.Transform.AFFINE, affine, Image.Resampling.BICUBIC)
