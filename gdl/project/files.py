"""The files of a hand-in, read by their names from a folder or a zip whose author is not trusted.

Nothing is unpacked, no link is followed, and of no file is more read than it may have.
"""

import os
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import Protocol

from gdl.errors import CourseError
from gdl.instructor.grading.submitted import READ_FLAGS, Budget
from gdl.instructor.grading.zips import METHODS, DiskFile
from gdl.project.rules import LARGEST, MIB

MAX_ENTRIES = 10_000  # of a zip


class Missing(CourseError):
    """A file that the hand-in does not have."""


class Files(Protocol):
    """Files that can be read by their names."""

    def read(self, name: str, limit: int | None = None) -> bytes:
        """The bytes of a file. CourseError, one sentence, for one that is missing, too large, or no plain file.

        name: relative, with `/`.  limit: bytes that it may have; None is that of its name in `rules.LARGEST`.
        """


def open_files(path: str | Path) -> Files:
    """The files of a folder, or of a zip of such a folder. CourseError for another path.

    >>> open_files("no such folder")
    Traceback (most recent call last):
    gdl.errors.CourseError: no such folder is no folder and no zip: give the folder of a hand-in, which has a project.toml.
    """
    path = Path(path)
    if path.is_dir():
        return FolderFiles(path)
    if path.is_file() and path.suffix.lower() == ".zip":
        return ZipFiles(path)
    raise CourseError(f"{path} is no folder and no zip: give the folder of a hand-in, which has a project.toml.")


def checked_name(name: str) -> str:
    """The name of a file inside a hand-in, with `/`. CourseError for one that leads out of it.

    >>> checked_name("run/epoch-0001.weights.h5")
    'run/epoch-0001.weights.h5'
    """
    parts = PurePosixPath(name).parts
    inside = name and len(name) <= 200 and name.isprintable() and "\\" not in name and ":" not in name
    if not inside or name.startswith("/") or ".." in parts or not parts:
        raise CourseError(f"{name[:80]!r} is not the name of a file inside the hand-in: give one without '..', such as 'run/epoch-0012.weights.h5'.")
    return "/".join(parts)


class FolderFiles:
    """The files of a folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def read(self, name: str, limit: int | None = None) -> bytes:
        """See `Files`."""
        parts = checked_name(name).split("/")
        for i in range(1, len(parts)):
            if os.path.islink(self.folder.joinpath(*parts[:i])):
                raise CourseError(f"{'/'.join(parts[:i])} is a link: put a copy of the folder in its place.")
        path = self.folder.joinpath(*parts)
        try:
            if os.path.islink(path):
                raise CourseError(f"{name} is a link: put a copy of the file in its place.")
            with os.fdopen(os.open(path, READ_FLAGS), "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise CourseError(f"{name} is no plain file: put one in its place.")
                return _read(file, name, limit, status.st_size)
        except FileNotFoundError:
            raise Missing(f"{name} is missing: put it into the hand-in.") from None
        except OSError as error:
            raise CourseError(f"{name} cannot be read ({error.strerror or error}): put a plain file in its place.") from None


class ZipFiles:
    """The files of a zip, in which project.toml lies at the top or in a folder."""

    def __init__(self, path: Path):
        try:
            self.archive = zipfile.ZipFile(DiskFile(path))
            infos = self.archive.infolist()
        except Exception as error:  # the list of what zipfile raises for broken files is long
            raise CourseError(f"{path.name} is no zip that can be read ({str(error)[:80] or type(error).__name__}): zip the folder again.") from None
        if len(infos) > MAX_ENTRIES:
            raise CourseError(f"{path.name} has more than {MAX_ENTRIES:,} files: zip only what the project asks for.")
        tops = [info.filename.removesuffix("project.toml") for info in infos if info.filename.split("/")[-1] == "project.toml"]
        self.top = min(tops, key=lambda top: (top.count("/"), top), default="")
        self.infos = {info.filename: info for info in reversed(infos)}  # of two with one name, the first

    def read(self, name: str, limit: int | None = None) -> bytes:
        """See `Files`."""
        name = checked_name(name)
        info = self.infos.get(self.top + name)
        if info is None:
            raise Missing(f"{name} is missing: put it into the hand-in.")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise CourseError(f"{name} is a link: put a copy of the file in its place.")
        if info.flag_bits & 1 or info.compress_type not in METHODS:
            raise CourseError(f"{name} is locked or packed in an unusual way: zip the folder again.")
        try:
            with self.archive.open(info) as file:
                return _read(file, name, limit, info.file_size)
        except CourseError:
            raise
        except Exception as error:  # as above
            raise CourseError(f"{name} is broken in its zip ({str(error)[:80] or type(error).__name__}): zip the folder again.") from None


def _read(file, name, limit, size):
    """All of a file. size: what it says of itself, which need not be true."""
    limit = limit or LARGEST[name.split("/")[-1]]
    try:
        if size <= limit:
            return Budget().read(file, limit)
    except CourseError:  # which speaks of notebooks
        pass
    raise CourseError(f"{name} is larger than {limit / MIB:.3g} MB: make it smaller.")
