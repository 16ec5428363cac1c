"""Faces to learn from: CelebA if it is there, a folder of your own, or faces that the course draws."""

import os
from pathlib import Path

from gdl import drawn
from gdl.arguments import whole_number
from gdl.data.celeba import CelebA, looks_like_celeba
from gdl.data.crop import check_size
from gdl.data.folder import ImageFolder
from gdl.data.paths import checked_path
from gdl.data.report import printable, say
from gdl.data.splits import Faces
from gdl.errors import DataError


class DrawnFaces(Faces):
    """Faces drawn by the course: there is nothing to download, and every factor is known.

    n: number of faces, 80 % train, 10 % val, 10 % test.  size: height and width, a multiple of 16
    from 16 to 512.  seed: another seed gives other faces. Each split has `factors`, see `gdl.drawn.factors`.
    DataError for an n or a size that is not possible.

    >>> import gdl
    >>> faces = gdl.DrawnFaces(n=20, size=32)
    >>> faces.train.images.shape, faces.train.factors["smile"].gt(0.5).equals(faces.train.attributes["Smiling"])
    ((16, 32, 32, 3), True)
    """

    def __init__(self, n: int = 12_000, size: int = 64, seed: int = 0):
        size, n = check_size(size), whole_number("n", n, least=0)
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


def faces(path: str | Path | None = None, size: int = 64, n: int | None = None, crop: int = 140) -> Faces:
    """The faces at a path; without one, CelebA if it is there, else drawn faces. Prints one line that says which they are.

    path: CelebA's photographs or tables are read as CelebA, any other folder as an ImageFolder; "drawn" stands for
        the drawn faces. Without a path, the environment variable GDL_DATA gives it. Without either, the folder
        `data/celeba` is opened if it is in the working directory, in its parent or in the project's folder.
    size, n, crop: as in CelebA; drawn faces and an ImageFolder are not cropped to `crop`.
    DataError for a path that does not exist or has no images.

    >>> import gdl
    >>> gdl.faces("drawn", size=32, n=20).train.images.shape
    drawn faces: 20 images of 32x32 pixels (16 train, 2 val, 2 test)
    (16, 32, 32, 3)
    """
    folder = find_faces(path)
    opened: Faces
    if folder is None:
        opened = DrawnFaces(12_000 if n is None else n, size)
    elif looks_like_celeba(folder):
        opened = CelebA(folder, size, n, crop)
    else:
        opened = ImageFolder(folder, size, n)
    say(opened.description)
    return opened


def find_faces(path: str | Path | None = None) -> Path | None:
    """Where `faces` finds the images of a path; None for the drawn faces. DataError for a path that does not exist.

    >>> find_faces("drawn") is None
    True
    """
    origin = "" if path else " (the environment variable GDL_DATA)"
    path = path or os.environ.get("GDL_DATA") or _celeba_nearby() or "drawn"
    folder = checked_path(path, "data/celeba")
    if str(path) == "drawn":
        return None
    if not folder.exists():
        raise DataError(f"{printable(path)}{origin} does not exist: correct it, or leave it out for the drawn faces.")
    return folder


def _celeba_nearby():
    roots = (Path.cwd(), Path.cwd().parent, Path(__file__).resolve().parents[2])
    return next((root / "data" / "celeba" for root in roots if (root / "data" / "celeba").exists()), None)
