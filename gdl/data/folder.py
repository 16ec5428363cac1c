"""A folder of images of any kind, in the layouts in which such folders are usually shared."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from gdl.data import contents
from gdl.data.crop import check_size, load_square
from gdl.data.layout import Layout, complete, find_layout
from gdl.data.listing import list_images
from gdl.data.paths import checked_path
from gdl.data.report import printable, say
from gdl.data.splits import Faces, choose
from gdl.errors import DataError

VERSION = 1  # increased when the same files give other pixels


class ImageFolder(Faces):
    """Images of any size and mode, in any format that Pillow opens: the central square of each, resized.

    path: one of
        a folder of images, with or without sub-folders, split at random 80/10/10;
        folders `train`, `val` (`valid`, `validation`, `dev`) and `test`, also as `Training`, `seg_train` or `train2017`, or in
            each class;
        Food-101 (`images/CLASS/*.jpg` and `meta/train.txt`, `meta/test.txt`).
        A missing val or test is a random tenth of train; every random choice has a fixed seed.
    size: height and width of the images, a multiple of 16 from 16 to 512.
    n: at most n images, sampled with a fixed seed in the proportions of the splits.
    Sub-folders are classes: `classes` has their names, `attributes` one column for each.
    Pixels are read as in `gdl.load_photo`. Whatever is passed over is printed with its reason, except hidden files. The
    fingerprint changes with the contents of the images, and is the same for a copy of the folder.
    DataError for a folder or options that cannot be used, and if more than 1 image in 1,000 is damaged.

    >>> gdl.ImageFolder("data/flowers", size=64).classes  # doctest: +SKIP
    ['daisy', 'rose', 'tulip']
    """

    def __init__(self, path: str | Path, size: int = 64, n: int | None = None):
        size = check_size(size)
        root = checked_path(path, "data/flowers").absolute()
        if not root.is_dir():
            what = "is not a folder (unpack an archive first)" if root.exists() else "does not exist"
            raise DataError(f"{printable(path)} {what}: give a folder with images.")
        listing = list_images(root)
        is_food101 = (root / "meta" / "train.txt").is_file() and (root / "meta" / "test.txt").is_file()
        layout = _food101(root, listing.images) if is_food101 else find_layout(listing.images, listing.folders)
        listing.passed_over["outside of the folders of the splits"] = layout.left_out
        listing.report(root)
        if layout.remark:
            say(layout.remark)
        splits = complete(layout.splits)
        for split, names in splits.items():
            if not names:
                found = f"({len(listing.images)} found; at least 3 are needed, one for each split)"
                what = f"has no image for the split '{split}' {found}"
                raise DataError(f"{printable(path)} {what}: put images (.jpg, .png or others that Pillow reads; not HEIC) there.")
        chosen = choose(splits, n)
        names = [name for members in chosen.values() for name in members]
        self.classes = sorted({name for name in layout.class_of.values() if name})
        labels = [layout.class_of[name] or "" for name in names]
        files = contents.Files(root, {name: name for name in names})
        counts = {split: len(members) for split, members in chosen.items()}
        digest = contents.digest(files, names, f"Comparing {printable(root.name)} with the cache")
        key = {
            "kind": "folder",
            "version": VERSION,
            "splits": counts,
            "images": digest,
            "classes": hashlib.sha256(json.dumps([self.classes, labels]).encode()).hexdigest()[:16],
            "size": size,
        }
        sizes = [f"{split} {name} {listing.images[name]}" for split, members in splits.items() for name in members]
        former = {
            "kind": "folder",
            "images": hashlib.sha256("\n".join(sizes).encode(errors="surrogateescape")).hexdigest()[:16],
            "size": size,
            "n": n if n is not None and n < len(sizes) else None,
        }

        def plan():
            attributes = pd.DataFrame({name: np.array(labels) == name for name in self.classes}, index=range(len(names)))
            blocks = contents.decoded(files, names, digest, lambda file, _: load_square(file, size))
            return names, attributes, counts, blocks

        super().__init__(root.name, key, size, plan, former=former)


def _food101(root, images):
    splits = {}
    for split in ("train", "test"):
        lines = (root / "meta" / f"{split}.txt").read_text(encoding="utf-8").splitlines()
        splits[split] = [f"images/{line}.jpg" for line in sorted(lines) if f"images/{line}.jpg" in images]
    both = set(splits["train"]) & set(splits["test"])
    if both:
        raise DataError(f"{min(both).removeprefix('images/')} is in meta/train.txt and in meta/test.txt of {root}: keep it in one of them.")
    class_of: dict[str, str | None] = {name: name.split("/")[1] for names in splits.values() for name in names}
    return Layout(splits, class_of, sorted(images.keys() - class_of.keys()))
