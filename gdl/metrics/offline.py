"""Inception features that come with the course: a true FID without photographs, and without the download of the Inception."""

import io
import zipfile
import zlib

import numpy as np

from gdl.errors import CourseError
from gdl.shipped import FOLDER

FILE = FOLDER / "features" / "inception-celeba64.npz"


def shipped_features(name: str) -> np.ndarray:
    """Features of 300 images, as of `inception_features`, rounded to float16 in the file. -> (300, 2048) float32

    name: "train" and "val", photographs of CelebA's training and validation splits at 64x64 pixels; or "vae-celeba64",
        "gan-celeba64" and "wgan_gp-celeba64", images of codes from the prior. 300 images give a larger FID than the 5,000 of the
        model cards.
    Made by `python -m benchmarks ruler`. Raises CourseError for another name, and for a file that is missing or damaged.

    >>> shipped_features("train").shape
    (300, 2048)
    """
    try:
        with np.load(io.BytesIO(FILE.read_bytes()), allow_pickle=False) as sets:
            if name not in sets.files:
                raise CourseError(f"No features {name!r} come with the course: choose from {', '.join(sets.files)}.")
            return sets[name].astype(np.float32)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise CourseError(f"{FILE} is missing or damaged: install the course again.") from None
