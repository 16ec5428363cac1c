"""A folder of images of any kind, in the layouts in which such folders are usually shared."""

import hashlib
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd

from gdl.data import cache
from gdl.data.crop import check_size, load_square
from gdl.data.splits import Faces, choose
from gdl.errors import DataError

ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SPLIT_OF = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


class ImageFolder(Faces):
    """Images of any size and mode: the central square of each, resized.

    path: one of
        a folder of images, with or without sub-folders, split at random 80/10/10;
        folders `train`, `val` (`valid`, `validation`) and `test`;
        Food-101 (`images/CLASS/*.jpg` and `meta/train.txt`, `meta/test.txt`);
        COCO (`train2017`, `val2017`, `test2017`, whichever are there; any year).
        A missing val or test is a random tenth of train; every random choice has a fixed seed.
    size: height and width of the images, a multiple of 16 from 16 to 512.
    n: at most n images, sampled with a fixed seed in the proportions of the splits.
    Sub-folders are classes: `classes` has their names, `attributes` one column for each.
    Hidden files and files that are not images are ignored. DataError for a folder or options that cannot be used.

    >>> gdl.ImageFolder("data/flowers", size=64).classes  # doctest: +SKIP
    ['daisy', 'rose', 'tulip']
    """

    def __init__(self, path: str | Path, size: int = 64, n: int | None = None):
        size = check_size(size)
        root = Path(path).expanduser().absolute()
        if not root.is_dir():
            what = "is not a folder (unpack an archive first)" if root.exists() else "does not exist"
            raise DataError(f"{path} {what}: give a folder with images.")
        splits, class_of = find_splits(root)
        for split, names in splits.items():
            if not names:
                kinds = ", ".join(ENDINGS)
                raise DataError(f"{path} has no image for the split '{split}': put images ({kinds}) there.")
        stamps = [f"{split} {name} {(root / name).stat().st_size}" for split in splits for name in splits[split]]
        total = len(stamps)
        key = {
            "kind": "folder",
            "images": hashlib.sha256("\n".join(stamps).encode(errors="surrogateescape")).hexdigest()[:16],
            "size": size,
            "n": n if n is not None and n < total else None,
        }
        self.classes = sorted({name for name in class_of.values() if name})

        def plan():
            chosen = choose(splits, n)
            names = [name for members in chosen.values() for name in members]
            label = np.array([class_of[name] or "" for name in names])
            attributes = pd.DataFrame({name: label == name for name in self.classes}, index=range(len(names)))
            counts = {split: len(members) for split, members in chosen.items()}
            sources = (root / name for name in names)
            return names, attributes, counts, cache.decoded(sources, lambda source: load_square(source, size))

        super().__init__(root.name, key, size, plan)


def find_splits(root: Path) -> tuple[dict[str, list[str]], dict[str, str | None]]:
    """({split: names relative to root}, {name: class or None}) of a folder in any of the layouts."""
    folders = sorted(path.name for path in root.iterdir() if path.is_dir())
    named = {SPLIT_OF[name.lower()]: name for name in folders if name.lower() in SPLIT_OF}
    coco = {match[1]: name for name in folders if (match := re.fullmatch(r"(train|val|test)\d{4}", name))}
    if (root / "meta" / "train.txt").is_file() and (root / "meta" / "test.txt").is_file():
        splits, class_of = _food101(root)
    elif "train" in named or coco:
        class_of = {}
        splits = {}
        for split, name in (coco if "train" not in named else named).items():
            images = list_images(root / name)
            splits[split] = [f"{name}/{image}" for image in images]
            class_of |= {f"{name}/{image}": _class(image) for image in images}
    else:
        images = list_images(root)
        splits, class_of = {"train": images}, {image: _class(image) for image in images}
    return _complete(splits), class_of


def list_images(folder: Path) -> list[str]:
    """Paths of all images below a folder, relative to it and with `/`, sorted."""
    images = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__MACOSX"))]
        inside = Path(place).relative_to(folder)
        images += [(inside / name).as_posix() for name in files if _is_image(name)]
    return sorted(images)


def _is_image(name):
    return name.lower().endswith(ENDINGS) and not name.startswith(".")


def _class(name):
    return name.split("/")[0] if "/" in name else None


def _food101(root):
    there = set(list_images(root / "images"))
    splits = {}
    for split in ("train", "test"):
        lines = (root / "meta" / f"{split}.txt").read_text(encoding="utf-8").splitlines()
        splits[split] = [f"images/{line}.jpg" for line in sorted(lines) if f"{line}.jpg" in there]
    both = set(splits["train"]) & set(splits["test"])
    if both:
        raise DataError(f"{min(both)} is in meta/train.txt and in meta/test.txt of {root}: keep it in one of them.")
    return splits, {name: name.split("/")[1] for names in splits.values() for name in names}


def _complete(splits):
    """Takes a missing val and a missing test from train, a tenth of it each, at random with a fixed seed."""
    if "train" not in splits:  # COCO's val2017 alone, for instance
        splits = {"train": sorted(name for names in splits.values() for name in names)}
    train = splits["train"]
    order = np.random.default_rng(0).permutation(len(train))
    tenth = max(1, len(train) // 10)
    complete = dict(splits)
    for split in ("val", "test"):
        if split not in splits:
            complete[split] = [train[i] for i in sorted(order[:tenth])]
            order = order[tenth:]
    complete["train"] = [train[i] for i in sorted(order)]
    return {split: complete[split] for split in ("train", "val", "test")}
