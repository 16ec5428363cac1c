"""Decoded images on disk: each photograph is decoded once, and a set is never held in memory.

An entry is one folder. Its name says what it holds and ends in a fingerprint of everything that determines
its bytes. It holds `images.npy` (uint8, all splits one after the other, opened as a memory map),
`tables.npz` (file names and attributes) and `meta.json`. It gets its name when it is complete. The folder `contents` beside
the entries is that of `gdl.data.contents`.
"""

import errno
import hashlib
import io
import json
import os
import shutil
import sys
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from gdl.data.report import counted, say
from gdl.errors import DataError
from gdl.files import whole_folder
from gdl.machine import in_notebook

NO_MAPS = (errno.EINVAL, errno.ENODEV, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EACCES)
ELSEWHERE = "to save memory, set the environment variable GDL_CACHE to a folder on a local disk"
FORMAT = 1  # increased when the files of an entry change their meaning


class Entry(NamedTuple):
    images: np.ndarray  # (images, size, size, 3) uint8, read-only memory map
    names: np.ndarray  # (images,) str
    attributes: pd.DataFrame  # bool, one row an image
    counts: dict[str, int]  # split -> number of images; the splits lie one after the other


def folder() -> Path:
    """The folder of the cache: the environment variable GDL_CACHE, else `gdl` in the user's cache directory.

    >>> import gdl
    >>> gdl.cache.folder()  # doctest: +SKIP
    PosixPath('/home/ada/.cache/gdl')
    """
    if os.environ.get("GDL_CACHE"):
        return Path(os.environ["GDL_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gdl"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "gdl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gdl"


def fingerprint(key: dict) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a key, a dict of strings, numbers and lists.

    >>> fingerprint({"kind": "drawn", "n": 100})
    '1d9c42544cf3'
    """
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=int).encode()).hexdigest()[:12]


def open_entry(name: str, key: dict, size: int, plan: Callable[[], tuple]) -> Entry:
    """The entry of a key, which is built first if it is not there.

    name: the start of the folder's name.  key: a dict of everything that determines the images.
    plan: a function that is called if the entry must be built. It returns (names, attributes, counts, blocks):
        one name and one row of attributes for each image, {split: number of images}, and an iterator over blocks
        of uint8 images (size, size, 3) in the same order, with the reason, a str, in the place of an image that cannot be read.
    Unreadable images are left out and reported, at each opening. DataError if they are more than 1 in 1,000, or if the
    entry is damaged; CourseError if it cannot be written.
    """
    path = folder() / f"{name}-{fingerprint(key)}"
    if not path.exists():
        with warnings.catch_warnings(action="ignore"):  # Pillow's, about files that are read all the same
            _build(path, key, size, *plan())
    entry, skipped = _read(path, size)
    if skipped:
        number = sum(map(len, skipped.values()))
        say(f"Skipped {number:,} of {number + len(entry.images):,} images: {counted(skipped)}")
    return entry


def progress(total: int, title: str) -> tqdm:
    """A bar that appears when the work takes longer than a second, in a terminal or a notebook. Use it in `with`."""
    shown = sys.stdout.isatty() or in_notebook()
    return tqdm(total=total, desc=title, unit=" images", file=sys.stdout, disable=not shown, leave=False, delay=1)  # notebooks show stderr in red


def _build(path, key, size, names, attributes, counts, blocks):
    needed = len(names) * (size * size * 3 + 500)  # bytes: the pixels and a row of the tables
    room = f"make room for {needed / 1e9:.2f} GB, take fewer images with n"
    place = "set the environment variable GDL_CACHE to another folder, in which you may write"
    with whole_folder(path, room, place) as partial:
        free = shutil.disk_usage(partial).free
        if free < needed:
            raise DataError(f"The disk of the cache {path.parent} has {free / 1e9:.2f} GB free: {room}, or {place}.")
        readable, skipped = _write_images(partial / "images.npy", size, names, blocks, f"Preparing {path.name.split('-')[0]}, once only")
        _check_skipped(skipped, len(names))
        ends = np.cumsum(list(counts.values()))
        counts = {split: int(readable[end - count : end].sum()) for (split, count), end in zip(counts.items(), ends)}
        for split, count in counts.items():
            if count == 0:
                raise DataError(f"No image of the split '{split}' can be read: copy the images again.")
        tables = io.BytesIO()  # first in memory, because a zip file that meets a full disk raises two errors
        np.savez(
            tables,
            names=np.asarray(names, dtype=str)[readable],
            attributes=attributes.to_numpy(dtype=bool)[readable],
            columns=np.asarray(attributes.columns, dtype=str),
        )
        with open(partial / "tables.npz", "wb") as file:
            file.write(tables.getbuffer())
        with open(partial / "meta.json", "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, "key": key, "counts": counts, "skipped": skipped}, file, default=int)


def _write_images(path, size, names, blocks, title):
    """Writes the images that can be read. Returns which they are, (names,) bool, and {reason: names} of the others."""
    readable, skipped = [], {}
    with open(path, "wb") as file, progress(len(names), title) as bar:
        _write_header(file, (len(names), size, size, 3))
        for block in blocks:
            images = [image for image in block if not isinstance(image, str)]
            if images:
                file.write(np.stack(images).data)
            for image in block:
                if isinstance(image, str):
                    skipped.setdefault(image, []).append(str(names[len(readable)]))
                readable.append(not isinstance(image, str))
            bar.update(len(block))
        file.seek(0)
        _write_header(file, (sum(readable), size, size, 3))
    return np.array(readable, dtype=bool), skipped


def _write_header(file, shape):
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _read(path, size):
    fix = f"delete the folder {path} and run again to decode the images anew."
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            raise DataError(f"The cache entry has format {meta['format']} and this version reads format {FORMAT}: {fix}")
        images = _mapped(path / "images.npy")
        with open(path / "tables.npz", "rb") as file, np.load(file, allow_pickle=False) as tables:
            names, attributes, columns = tables["names"], tables["attributes"], tables["columns"]
        attributes, counts = pd.DataFrame(attributes, columns=columns.tolist()), meta["counts"]
        total = counts["train"] + counts["val"] + counts["test"]
        if images.shape == (total, size, size, 3) and len(names) == len(attributes) == total:
            return Entry(images, names, attributes, counts), meta["skipped"]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        pass  # np.load raises ValueError for a file that is shorter than its header says
    raise DataError(f"The cache entry is damaged: {fix}")


def _mapped(file):
    """The images as a memory map; on a drive that knows none, such as some network drives, in memory."""
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        if error.errno not in NO_MAPS:
            raise
        print(f"{file} is on a drive without memory maps, and is read into memory ({file.stat().st_size / 1e9:.2f} GB): {ELSEWHERE}.")
        images = np.load(file, allow_pickle=False)
        images.flags.writeable = False
        return images


def _check_skipped(skipped, total):
    number = sum(map(len, skipped.values()))
    if number * 1000 > total:
        raise DataError(f"{number:,} of {total:,} images cannot be used: {counted(skipped)}; replace or remove them.")
