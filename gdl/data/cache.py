"""Decoded images on disk: each photograph is decoded once, and a set is never held in memory.

An entry is one folder. Its name says what it holds and ends in a fingerprint of everything that determines
its bytes. It holds `images.npy` (uint8, all splits one after the other, opened as a memory map),
`tables.npz` (file names and attributes) and `meta.json`. It gets its name when it is complete.
"""

import hashlib
import io
import itertools
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from gdl.errors import DataError
from gdl.files import whole_folder
from gdl.machine import in_notebook

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
        of uint8 images (size, size, 3) in the same order, with None for an image that cannot be read.
    Unreadable images are left out and reported. DataError if they are more than 1 in 1,000, or if the entry is
    damaged; CourseError if it cannot be written.
    """
    path = folder() / f"{name}-{fingerprint(key)}"
    if not path.exists():
        _build(path, key, size, *plan())
    return _read(path, size)


def decoded(sources: Iterable, decode: Callable[[Any], np.ndarray], block: int = 256) -> Iterator[list]:
    """Yields lists of decode(source), in order, computed by several threads; None where decode failed."""

    def attempt(source):
        try:
            return decode(source)
        except DataError:
            raise
        except Exception:  # a broken file makes Pillow raise errors of many kinds
            return None

    sources = iter(sources)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while part := list(itertools.islice(sources, block)):
            yield list(pool.map(attempt, part))


def _build(path, key, size, names, attributes, counts, blocks):
    needed = len(names) * (size * size * 3 + 500)  # bytes: the pixels and a row of the tables
    room = f"make room for {needed / 1e9:.2f} GB, take fewer images with n"
    place = "set the environment variable GDL_CACHE to a folder of your own on a larger disk"
    with whole_folder(path, room, place) as partial:
        free = shutil.disk_usage(partial).free
        if free < needed:
            raise DataError(f"The disk of the cache {path.parent} has {free / 1e9:.2f} GB free: {room}, or {place}.")
        readable = _write_images(partial / "images.npy", size, len(names), blocks, f"Preparing {path.name.split('-')[0]}, once only")
        skipped = [str(name) for name in np.asarray(names)[~readable]]
        _report_skipped(skipped, len(names))
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


def _write_images(path, size, total, blocks, title):
    """Writes the images that can be read. Returns which they are, (total,) bool."""
    shown = sys.stdout.isatty() or in_notebook()
    bar = tqdm(total=total, desc=title, unit=" images", file=sys.stdout, disable=not shown, leave=False, delay=1)  # notebooks show stderr in red
    readable = []
    with open(path, "wb") as file, bar:
        _write_header(file, (total, size, size, 3))
        for block in blocks:
            images = [image for image in block if image is not None]
            if images:
                file.write(np.stack(images).data)
            readable += [image is not None for image in block]
            bar.update(len(block))
        file.seek(0)
        _write_header(file, (sum(readable), size, size, 3))
    return np.array(readable, dtype=bool)


def _write_header(file, shape):
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _read(path, size):
    fix = f"delete the folder {path} and run again to decode the images anew."
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            raise DataError(f"The cache entry has format {meta['format']} and this version reads format {FORMAT}: {fix}")
        images = np.load(path / "images.npy", mmap_mode="r", allow_pickle=False)
        with open(path / "tables.npz", "rb") as file, np.load(file, allow_pickle=False) as tables:
            names, attributes, columns = tables["names"], tables["attributes"], tables["columns"]
        total = sum(meta["counts"].values())
        whole = images.shape == (total, size, size, 3) and len(names) == len(attributes) == total
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        whole = False  # np.load raises ValueError for a file that is shorter than its header says
    if not whole:
        raise DataError(f"The cache entry is damaged: {fix}")
    return Entry(images, names, pd.DataFrame(attributes, columns=columns.tolist()), meta["counts"])


def _report_skipped(skipped, total):
    if not skipped:
        return
    examples = ", ".join(skipped[:3]) + (", ..." if len(skipped) > 3 else "")
    if len(skipped) * 1000 > total:
        raise DataError(f"{len(skipped):,} of {total:,} images cannot be read ({examples}): copy them again or remove them.")
    print(f"Skipped {len(skipped):,} of {total:,} images that cannot be read: {examples}")
