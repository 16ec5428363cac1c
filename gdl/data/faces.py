"""Faces to learn from: CelebA where it is, a folder of your own, or faces that the course draws."""

import os
from pathlib import Path

from gdl.data.celeba import CelebA, looks_like_celeba
from gdl.data.folder import ImageFolder
from gdl.data.pixels import to_float, to_uint8
from gdl.data.splits import Faces, Split, check_size
from gdl.errors import DataError

__all__ = ["CelebA", "DrawnFaces", "Faces", "ImageFolder", "Split", "faces", "to_float", "to_uint8"]


class DrawnFaces(Faces):
    """Faces drawn by the course itself: nothing to download, and every factor is known.

    n: number of faces, 80 % train, 10 % val, 10 % test.  size: height and width, a multiple of 16
    from 16 to 512.  seed: another seed, other faces. Each split has `factors`.
    """

    def __init__(self, n=12_000, size=64, seed=0):
        from gdl import drawn  # here, so that photographs can be read without the drawing code

        size, n = check_size(size), int(n)
        if n < 3:
            raise DataError(f"n={n} is too few: choose at least 3, one image for each split.")
        factors = drawn.factors(n, seed)
        key = {"kind": "drawn", "version": drawn.VERSION, "n": n, "seed": seed, "size": size}

        def plan():
            names = [f"{i:06d}.jpg" for i in range(1, n + 1)]
            tenth = max(1, n // 10)
            counts = {"train": n - 2 * tenth, "val": tenth, "test": tenth}
            return names, drawn.attributes(factors), counts, drawn.images(n, size, seed)

        super().__init__("drawn faces", key, size, plan, factors)


def faces(path=None, size=64, n=None, crop=140):
    """The faces at a path, else CelebA where it is found, else drawn ones; says in one line which.

    The path is the argument, else the environment variable GDL_DATA; one of these that is wrong is
    a DataError. Without either, `data/celeba` is looked for in the working directory, in its parent
    and in the project's folder; if it is in none of them the faces are drawn.
    The path "drawn" asks for the drawn faces even where CelebA is found.
    A path with CelebA's photographs or tables is read as CelebA, any other as an ImageFolder; the
    word "drawn" stands for the drawn faces.
    size, n, crop: see CelebA; only CelebA is cropped to `crop`.
    """
    given = path or os.environ.get("GDL_DATA")
    if given == "drawn":
        found = DrawnFaces(12_000 if n is None else n, size)
    elif given:
        found = _open(given, size, n, crop, "" if path else " (the environment variable GDL_DATA)")
    else:
        roots = (Path.cwd(), Path.cwd().parent, Path(__file__).resolve().parents[2])
        place = next((root / "data" / "celeba" for root in roots if (root / "data" / "celeba").exists()), None)
        found = _open(place or "drawn", size, n, crop)
    print(found.description)
    return found


def _open(given, size, n, crop, origin=""):
    if str(given) == "drawn":
        return DrawnFaces(12_000 if n is None else n, size)
    path = Path(given).expanduser()
    if not path.exists():
        raise DataError(f"{given}{origin} does not exist: correct it, or leave it out for the drawn faces.")
    if looks_like_celeba(path):
        return CelebA(path, size, n, crop)
    return ImageFolder(path, size, n)
