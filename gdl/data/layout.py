"""The splits and classes of a folder of images, by the names of its folders."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from gdl.data.report import printable

SPLIT_OF = {"train": "train", "training": "train"}
SPLIT_OF |= dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val")
SPLIT_OF |= dict.fromkeys(("test", "testing", "eval", "evaluation"), "test")
WORD = "|".join(sorted(SPLIT_OF, key=len, reverse=True))
NAMED = re.compile(rf"((?:.*[^a-z])?)({WORD})((?:set|data|images?)?(?:[^a-z].*)?)")  # train, seg_train, testset, val2017
ALMOST = re.compile(rf"{NAMED.pattern}|({WORD})[a-z]")  # also trainA


class Layout(NamedTuple):
    splits: dict[str, list[str]]  # split -> images; train alone if the folders tell nothing
    class_of: dict[str, str | None]
    left_out: list[str]  # images outside of the folders of the splits
    remark: str = ""  # what has to be said about how the folders are taken


def find_layout(images: Collection[str], folders: Sequence[str]) -> Layout:
    """The layout of images by their paths. folders: the paths of all folders, also of those without images.

    >>> find_layout(["Training/cat/1.png", "Testing/dog/2.png"], ["Training", "Testing"]).splits
    {'train': ['Training/cat/1.png'], 'test': ['Testing/dog/2.png']}
    """
    top = ""  # all images are below it
    while True:
        children = _children(images, top, deeper=True)
        groups = split_folders(_children(folders, top), children)
        if groups:
            return _by_folders(images, {f"{top}{name}/": split for split, names in groups.items() for name in names})
        loose = _children(images, top) - children
        if loose or len(children) != 1:
            break
        top += f"{children.pop()}/"
    if not loose and (prefixes := _splits_of_classes(folders, top, children)):
        layout = _by_folders(images, prefixes)
        return layout._replace(class_of={image: _first(image[len(top) :]) for image in layout.class_of})
    if not children:
        top = ""
    remark = ""
    like_splits = sorted({part for folder in folders for part in folder.split("/") if ALMOST.fullmatch(part.lower())})
    if like_splits:
        names = ", ".join(map(printable, like_splits[:6]))
        remark = f"Folders ({names}) are not taken as splits: all images are split at random (to keep a split, name its folders train, val and test)."
    return Layout({"train": sorted(images)}, {image: _first(image[len(top) :]) for image in images}, [], remark)


def split_folders(names: Iterable[str], with_images: Collection[str]) -> dict[str, list[str]]:
    """{split: folders} of sibling folders whose names differ in the word for the split alone; empty if there are none.

    `train` alone, or `val2017` alone, is a split if no other of the siblings has images (`with_images`).

    >>> split_folders(["seg_pred", "seg_test", "seg_train"], ())
    {'test': ['seg_test'], 'train': ['seg_train']}
    >>> split_folders(["bus", "car", "train"], ["bus", "car", "train"])
    {}
    """
    groups = {}
    for name in sorted(names):
        match = NAMED.fullmatch(name.lower())
        if match:
            before, word, after = match.groups()
            groups.setdefault((before, after), {}).setdefault(SPLIT_OF[word], []).append(name)
    pairs = [group for group in groups.values() if "train" in group and len(group) > 1]
    if ("", "") in groups and groups["", ""] in pairs:
        return groups["", ""]
    if pairs:
        return pairs[0] if len(pairs) == 1 else {}
    plain = [group for (before, after), group in groups.items() if not before and re.fullmatch(r"(\d{4})?", after)]
    merged = {split: [name for group in plain for name in group.get(split, [])] for split in ("train", "val", "test")}
    merged = {split: folders for split, folders in merged.items() if folders}
    return merged if set(with_images) <= {name for folders in merged.values() for name in folders} else {}


def complete(splits: dict[str, list[str]]) -> dict[str, list[str]]:
    """Takes a missing val and a missing test from train, a tenth of it each, at random with a fixed seed."""
    if "train" not in splits:  # COCO's val2017 alone, for instance
        splits = {"train": sorted(name for names in splits.values() for name in names)}
    train = splits["train"]
    order = np.random.default_rng(0).permutation(len(train))
    tenth = max(1, len(train) // 10)
    whole = dict(splits)
    for split in ("val", "test"):
        if split not in splits:
            whole[split] = [train[i] for i in sorted(order[:tenth])]
            order = order[tenth:]
    whole["train"] = [train[i] for i in sorted(order)]
    return {split: whole[split] for split in ("train", "val", "test")}


def _children(paths, top, deeper=False):
    """What lies directly below a folder, from paths; deeper: only what has something below itself."""
    parts = [path[len(top) :].split("/") for path in paths if path.startswith(top)]
    return {part[0] for part in parts if len(part) > deeper}


def _splits_of_classes(folders, top, children):
    """{path: split} of the folders for the splits in each class; empty unless all classes have them."""
    prefixes = {}
    for name in sorted(children):
        groups = split_folders(_children(folders, f"{top}{name}/"), ())
        if not groups:
            return {}
        prefixes |= {f"{top}{name}/{folder}/": split for split, names in groups.items() for folder in names}
    return prefixes


def _by_folders(images, split_of):
    """The Layout of images below folders, {path with a `/` at the end: split}."""
    splits = {split: [] for split in ("train", "val", "test") if split in split_of.values()}
    class_of = {}
    for folder, split in split_of.items():
        inside = [image for image in sorted(images) if image.startswith(folder)]
        again = f"{folder}{folder.split('/')[-2]}/"  # seg_train/seg_train, as Kaggle unpacks it
        top = again if inside and all(image.startswith(again) for image in inside) else folder
        splits[split] += inside
        class_of |= {image: _first(image[len(top) :]) for image in inside}
    left_out = sorted(set(images) - class_of.keys())
    remark = "" if "train" in splits else f"There are no images for training but for {' and '.join(splits)}: all of them are split at random."
    return Layout({split: sorted(names) for split, names in splits.items()}, class_of, left_out, remark)


def _first(path):
    return path.split("/")[0] if "/" in path else None
