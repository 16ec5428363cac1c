"""Image files in a folder or in a zip file, and a digest of what is in them, which follows every change.

A file can change while its name, size and time of modification stay the same (`cp -p`, `rsync`, `tar`, two edits in
one second). So the digest is computed from the bytes of the files. It is kept in the cache under the numbers by which
the system tells files apart, among them the time of the last change (ctime), which no program can set. As long as these
are the same, no file is read again. Windows does not tell that time; there the files are read each time.
"""

import hashlib
import io
import math
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from gdl.data import cache
from gdl.data.decode import Unusable, why
from gdl.errors import CourseError, DataError
from gdl.files import write_file

LARGEST = 2**31  # bytes of one file; Pillow opens no image that needs more
QUIET = 10  # seconds: a file that changed more recently may change again within the same tick of the system's clock
UNREAD = "unread"  # in the place of the digest of a file that cannot be read
BLOCK = 256  # files that are read before the next ones are begun


class Files:
    """Image files that can be opened by their names.

    place: a folder or a zip file.  paths: {name: the path inside}.
    """

    def __init__(self, place: Path, paths: dict[str, str]):
        self.place, self.paths = place, paths
        self.archive = None if place.is_dir() else zipfile.ZipFile(place)

    def open(self, name: str) -> IO[bytes]:
        """The file, open for reading. Unusable, or an error of the system or of the zip file, where that is not possible."""
        path = self.paths[name]
        if self.archive is None:
            return open(self.place / path, "rb")
        if self.archive.getinfo(path).file_size > LARGEST:
            raise Unusable("larger than 2 GB")
        return io.BytesIO(self.archive.read(path))

    def marks(self, names: Sequence[str]) -> tuple[str, float]:
        """(a text that changes when one of the files is changed or replaced, the time of the last change)."""
        text, last = hashlib.sha256(), 0.0
        files = [self.place] if self.archive else (os.path.join(self.place, self.paths[name]) for name in names)
        for file in files:
            try:
                state = os.stat(file)
            except OSError:  # it has just been removed
                last = math.inf
                continue
            text.update(f"{state.st_dev} {state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}\n".encode())
            last = max(last, state.st_ctime)
        for name in names:
            text.update(f"{name}\0{self.paths[name]}\n".encode(errors="surrogatepass"))
        return text.hexdigest(), last


def digest(files: Files, names: Sequence[str], title: str) -> str:
    """A digest of the names and the bytes of files. title: shown beside the progress bar when it takes longer than a second."""
    started = time.time()
    marks, changed = files.marks(names) if os.name != "nt" else ("", 0.0)
    note = _note(marks)
    with suppress(OSError, ValueError):
        if marks and re.fullmatch("[0-9a-f]{64}", known := note.read_text(encoding="ascii")):
            return known
    digests = {}

    def read(name):
        digests[name] = UNREAD
        with suppress(Exception), files.open(name) as file:  # what is wrong is said when the file is decoded
            digests[name] = _sha256(file)

    with cache.progress(len(names), title) as bar:
        for block in in_threads(names, read):
            bar.update(len(block))
    computed = _together(names, digests)
    if marks and changed < started - QUIET and files.marks(names)[0] == marks:
        with suppress(CourseError):  # a cache that cannot be written is told when the images are written
            write_file(note, computed)
    return computed


def decoded(files: Files, names: Sequence[str], expected: str, decode: Callable[[IO[bytes], str], Any]) -> Iterator[list]:
    """Yields lists of decode(file, name) in the order of the names, computed by several threads.

    In the place of an image that cannot be read stands the reason, a str. DataError at the end if the digest of what
    was read is not `expected`: files have changed in the meantime.
    """
    digests = {}

    def attempt(name):
        digests[name] = UNREAD
        try:
            with files.open(name) as file:
                digests[name] = _sha256(file)
                if file.seek(0, os.SEEK_END) == 0:
                    raise Unusable("empty")
                file.seek(0)
                return decode(file, name)
        except DataError:
            raise
        except Exception as error:  # a damaged file makes Pillow raise errors of many kinds
            return why(error)

    yield from in_threads(names, attempt)
    if _together(names, digests) != expected:
        with suppress(OSError):
            _note(files.marks(names)[0]).unlink()
        raise DataError(f"Files in {files.place} changed while they were read: run again when no other program writes there.")


def in_threads(items: Sequence, function: Callable[[Any], Any]) -> Iterator[list]:
    """Yields lists of function(item), in order, computed by several threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(items), BLOCK):
            yield list(pool.map(function, items[start : start + BLOCK]))


def _note(marks):
    """The file that remembers the digest of files with these marks."""
    return cache.folder() / "contents" / (marks[:32] or "none")


def _sha256(file):
    return hashlib.file_digest(file, "sha256").hexdigest()


def _together(names, digests):
    text = hashlib.sha256()
    for name in names:
        text.update(f"{name}\0{digests[name]}\n".encode(errors="surrogatepass"))
    return text.hexdigest()
