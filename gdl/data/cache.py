"""Decoded images on disk: each photograph is decoded once, and a set is never held in memory.

An entry is one folder, named for what it holds and for a fingerprint of everything that decides
its bytes. In it lie `images.npy` (uint8, all splits one after the other, opened as a memory map),
`tables.npz` (file names and attributes) and `meta.json`. An entry is built in a temporary folder
beside its place and renamed when it is whole, so what has an entry's name is always complete.
"""

import errno
import hashlib
import io
import itertools
import json
import os
import platform
import secrets
import shutil
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from tqdm import tqdm

from gdl.errors import DataError
from gdl.machine import in_notebook

FORMAT = 1  # raised when the files of an entry change their meaning
HOST = platform.node().replace(".", "-")
DAY = 24 * 60 * 60  # seconds


class Entry(NamedTuple):
    images: np.ndarray  # (images, size, size, 3) uint8, read-only memory map
    names: np.ndarray  # (images,) str
    attributes: pd.DataFrame  # bool, one row an image
    counts: dict  # split -> number of images; the splits lie one after the other


def folder():
    """The cache's folder: environment variable GDL_CACHE, else `gdl` in the user's cache directory."""
    if os.environ.get("GDL_CACHE"):
        return Path(os.environ["GDL_CACHE"]).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "gdl"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "gdl"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gdl"


def fingerprint(key):
    """Twelve hexadecimal digits that stand for a key (a dict of texts, numbers and lists)."""
    return hashlib.sha256(json.dumps(key, sort_keys=True, default=int).encode()).hexdigest()[:12]


def open_entry(name, key, size, plan):
    """The entry of a key, built first if it is not there.

    name: readable start of the folder's name.  key: dict of all that decides the images.
    plan: called only if the entry must be built; returns (names, attributes, counts, blocks) with
    one name and one row of attributes an image, {split: number of images}, and an iterator over
    blocks of uint8 images (size, size, 3) in the same order, None for one that could not be read.
    Unreadable images are left out and reported; more than 1 in 1,000 of them is a DataError.
    """
    path = folder() / f"{name}-{fingerprint(key)}"
    _remove_stale(path.parent)
    if not path.exists():
        _build(path, key, size, *plan())
    return _read(path, size)


def decoded(sources, decode, block=256):
    """Yield lists of decode(source), in order, worked out by threads; None where decode failed."""

    def attempt(source):
        try:
            return decode(source)
        except DataError:
            raise
        except Exception:  # a broken file makes Pillow raise errors of many kinds
            return None

    sources = iter(sources)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while some := list(itertools.islice(sources, block)):
            yield list(pool.map(attempt, some))


def _build(path, key, size, names, attributes, counts, blocks):
    temporary = temporary_name(path)
    needed = len(names) * (size * size * 3 + 500)  # bytes: the pixels and a row of the tables
    try:
        temporary.mkdir(parents=True)
        free = shutil.disk_usage(temporary).free
        if free < needed:
            raise _disk_full(path.parent, needed, free)
        good = _write_images(temporary / "images.npy", size, len(names), blocks)
        skipped = [str(name) for name in np.asarray(names)[~good]]
        _report_skipped(skipped, len(names))
        ends = np.cumsum(list(counts.values()))
        counts = {split: int(good[end - count : end].sum()) for (split, count), end in zip(counts.items(), ends)}
        for split, count in counts.items():
            if count == 0:
                raise DataError(f"No image of the split '{split}' could be read: copy the images again.")
        tables = io.BytesIO()  # first in memory, because a zip file that meets a full disk says so twice
        np.savez(
            tables,
            names=np.asarray(names, dtype=str)[good],
            attributes=attributes.to_numpy(dtype=bool)[good],
            columns=np.asarray(attributes.columns, dtype=str),
        )
        with open(temporary / "tables.npz", "wb") as file:
            file.write(tables.getbuffer())
            _flush(file)
        with open(temporary / "meta.json", "w", encoding="utf-8") as file:
            json.dump({"format": FORMAT, "key": key, "counts": counts, "skipped": skipped}, file, default=int)
            _flush(file)
        _move(temporary, path)
    except OSError as error:  # reading errors never get here: `decoded` turns them into None
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise _disk_full(path.parent, needed) from None
        raise DataError(
            f"The cache {path.parent} cannot be written ({error.strerror or error}): set the environment variable GDL_CACHE to a folder of your own."
        ) from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # after the rename there is nothing of that name


def _write_images(path, size, total, blocks):
    """Write the images that could be read; return which they were, (total,) bool."""
    good = []
    with open(path, "wb") as file, _progress(total, path.parent.name.split("-")[0]) as bar:
        _write_header(file, (total, size, size, 3))
        for block in blocks:
            images = [image for image in block if image is not None]
            if images:
                file.write(np.stack(images).data)
            good += [image is not None for image in block]
            bar.update(len(block))
        file.seek(0)
        _write_header(file, (sum(good), size, size, 3))
        _flush(file)
    return np.array(good, dtype=bool)


def _write_header(file, shape):
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})


def _flush(file):
    file.flush()
    os.fsync(file.fileno())


def _move(temporary, path):
    """Give a finished folder its name; if another process was first, its entry is as good."""
    try:
        os.rename(temporary, path)
    except OSError:
        if not path.is_dir():
            raise
    if os.name != "nt":  # Windows has no handle of a folder
        parent = os.open(path.parent, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)


def _read(path, size):
    mend = f"delete the folder {path} and run again, the images are then decoded anew."
    try:
        meta = json.loads((path / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] != FORMAT:
            raise DataError(f"The cache entry is of format {meta['format']}, this version reads {FORMAT}: {mend}")
        images = np.load(path / "images.npy", mmap_mode="r", allow_pickle=False)
        with np.load(path / "tables.npz", allow_pickle=False) as tables:
            names, attributes, columns = tables["names"], tables["attributes"], tables["columns"]
        total = sum(meta["counts"].values())
        whole = images.shape == (total, size, size, 3) and len(names) == len(attributes) == total
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        whole = False  # np.load raises ValueError for a file that is shorter than its header says
    if not whole:
        raise DataError(f"The cache entry is damaged: {mend}")
    return Entry(images, names, pd.DataFrame(attributes, columns=columns.tolist()), meta["counts"])


def temporary_name(path):
    """A path beside `path` for what is not whole yet; if this process is killed, a later one removes it."""
    return path.with_name(f"{path.name}.{HOST}.{os.getpid()}.{secrets.token_hex(4)}.tmp")


def _remove_stale(parent):
    """Remove what interrupted builds left: of processes that are gone, or more than a day old."""
    for path in parent.glob("*.tmp"):
        try:
            _, host, pid, _, _ = path.name.rsplit(".", 4)
            gone = host == HOST and os.name != "nt" and not _is_running(int(pid))
            if gone or time.time() - path.stat().st_mtime > DAY:
                shutil.rmtree(path, ignore_errors=True)
        except (ValueError, OSError):  # not one of ours, or another process has just removed it
            continue


def _is_running(pid):
    try:
        os.kill(pid, 0)  # signal 0 only asks (not on Windows, where it would end the process)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _progress(total, what):
    shown = sys.stdout.isatty() or in_notebook()
    text = f"Preparing {what}, once only"  # on standard output: notebooks show the other in red
    return tqdm(total=total, desc=text, unit=" images", file=sys.stdout, disable=not shown, leave=False, delay=1)


def _report_skipped(skipped, total):
    if not skipped:
        return
    some = ", ".join(skipped[:3]) + (", ..." if len(skipped) > 3 else "")
    if len(skipped) * 1000 > total:
        raise DataError(f"{len(skipped):,} of {total:,} images cannot be read ({some}): copy them again or remove them.")
    print(f"Skipped {len(skipped):,} of {total:,} images, which cannot be read: {some}")


def _disk_full(parent, needed, free=None):
    has = "is full" if free is None else f"has {free / 1e9:.2f} GB free"
    return DataError(
        f"The images need {needed / 1e9:.2f} GB and the disk of the cache {parent} {has}: free some, "
        "set the environment variable GDL_CACHE to a folder on a larger disk, or ask for fewer images with n."
    )
