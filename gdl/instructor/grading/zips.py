"""The files in a zip that a student or a learning platform has made. Its size, paths and names are not trusted."""

import io
import os
import re
import stat
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import submitted
from gdl.instructor.grading.clean import clean
from gdl.instructor.grading.submitted import MIB, UNTRUSTED, Budget, SubmittedFile, archive_problem, by_depth, is_hidden, kind_of, too_large

MAX_INNER_ZIP = 100 * MIB  # bytes of a zip inside a zip
MAX_MEMBERS = 100_000  # files in one zip
MAX_DIRECTORY = 8 * MIB  # bytes of a zip's list of files
MAX_RATIO = 200  # unpacked to packed, from 1 MiB on
MAX_NESTING = 3  # a student's zip in a zip, both in the platform's zip, but no further
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)  # others may ask for much memory
UTF_8 = 0x800  # the flag of a member whose name is in UTF-8


@dataclass(frozen=True)
class ZipSource:
    """Where a zip is: a file on the disk, or in it the member with this number, in that one a member, and so on."""

    path: Path
    numbers: tuple[int, ...] = ()

    def __call__(self, budget: Budget) -> bytes:
        """The bytes of a zip inside a zip."""
        return _member_bytes(ZipSource(self.path, self.numbers[:-1]), self.numbers[-1], MAX_INNER_ZIP, budget)


def members(file: SubmittedFile, budget: Budget) -> list[SubmittedFile]:
    """The files in a zip, or one file with a problem if it cannot be opened. Zips in it are not opened."""
    source = file.read
    assert isinstance(source, ZipSource)
    problem = None
    try:
        budget.check()
        infos = _archive(source, budget).infolist()
        budget.files -= len(infos)
        if budget.files < 0:
            raise CourseError(f"This zip was not opened, because there are more than {submitted.MAX_FILES} files in this student's zips.")
        listed = [_member(file, source, number, info) for number, info in enumerate(infos)]
        return sorted((one for one in listed if one), key=by_depth)
    except CourseError as error:
        problem = str(error)
    except Exception as error:  # the list of what zipfile raises for broken files is long, and differs between versions
        problem = _broken(error)
    return [SubmittedFile(file.parts, file.shown, "notebook", file.modified, problem)]


def _broken(error):
    if isinstance(error, OSError):
        return f"This file cannot be read ({error.strerror})."
    return f"This zip cannot be opened: it is broken, or not a zip ({clean(str(error)) or type(error).__name__})."


@lru_cache(maxsize=3)  # of a zip with many files, none is opened as often as that
def _archive_at(source, stamp, reader):
    archive = zipfile.ZipFile(reader())
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise zipfile.BadZipFile(f"more than {MAX_MEMBERS} files")
    begins = sorted((info.header_offset, info.compress_size) for info in infos)
    if any(begin + 30 + size > following for (begin, size), (following, _) in pairwise(begins)):
        raise zipfile.BadZipFile("its files overlap, as in a zip bomb")
    return archive


class _Reader:
    """Opens a zip. All readers are equal, so that the cache looks at the zip alone."""

    def __init__(self, source: ZipSource, budget: Budget):
        self.source, self.budget = source, budget

    def __call__(self):
        if self.source.numbers:
            return _Memory(self.source(self.budget))
        return DiskFile(os.open(self.source.path, submitted.READ_FLAGS))

    def __eq__(self, other):
        return isinstance(other, _Reader)

    def __hash__(self):
        return 0


def _archive(source, budget):
    """The open zip. It is kept open for a while, because its files are read one by one."""
    status = os.stat(source.path)
    return _archive_at(source, (status.st_mtime_ns, status.st_size), _Reader(source, budget))


def _member(file, source, number, info):
    """A member of the zip `file`, or None for one that no student has made or that has no name."""
    name = _member_name(info)
    names = [clean(part, 255) for part in re.split(r"[/\\]", name)]
    inner = (*file.parts, *(part for part in names if part not in ("", ".")))
    shown = f"{file.shown}!{clean('/'.join(names), 255)}"
    kind = kind_of(inner[-1])
    if ".." in names or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name) or "\0" in info.orig_filename:
        if kind == "other":
            return None
        problem = "The path of this file leads out of its zip, so it is not graded."
        return SubmittedFile((*file.parts, UNTRUSTED), shown, "notebook", problem=problem)
    if len(inner) == len(file.parts) or any(map(is_hidden, inner[len(file.parts) : -1])) or len(inner) > submitted.MAX_DEPTH + len(file.parts):
        return None
    if info.is_dir():
        return SubmittedFile(inner, shown, "folder")
    if kind == "other" or is_hidden(inner[-1]):
        return SubmittedFile(inner, shown, "other")
    too_deep = kind == "zip" and len(source.numbers) + 1 >= MAX_NESTING
    problem = archive_problem(inner[-1]) or _reason_not_to_read(info, MAX_INNER_ZIP if kind == "zip" else submitted.MAX_NOTEBOOK, too_deep)
    if problem:
        return SubmittedFile(inner, shown, "notebook", _time(info), problem)
    if kind == "zip":
        return SubmittedFile(inner, shown, "zip", _time(info), read=ZipSource(source.path, (*source.numbers, number)))
    return SubmittedFile(inner, shown, kind, _time(info), read=partial(_member_bytes, source, number, submitted.MAX_NOTEBOOK))


def _reason_not_to_read(info, limit, too_deep):
    if stat.S_ISLNK(info.external_attr >> 16):
        return "This is a link to another place, and links are not followed."
    if info.flag_bits & 1:
        return "This file is locked with a password."
    if info.compress_type not in METHODS:
        return "This file is packed in an unusual way: zip it again, or hand in the .ipynb file itself."
    if info.file_size > limit:
        return too_large(info.file_size, limit)
    if info.file_size > MIB and info.file_size > MAX_RATIO * info.compress_size:
        return "This file is far larger unpacked than packed, so it was not unpacked."
    if too_deep:
        return "This is a zip in a zip in a zip, and it is not opened."
    return None


def _member_bytes(source: ZipSource, number: int, limit: int, budget: Budget) -> bytes:
    """The bytes of a member, at most `limit` of them whatever its zip says. Raises CourseError."""
    try:
        budget.check()
        archive = _archive(source, budget)
        with archive.open(archive.infolist()[number]) as file:
            return budget.read(file, limit)
    except CourseError:
        raise
    except Exception as error:  # as in `members`
        raise CourseError(f"This file is broken in its zip ({clean(str(error)) or type(error).__name__}).") from None


def _member_name(info):
    """A member's name. Some programs write UTF-8 without the flag for it, and zipfile then decodes the name as code page 437."""
    if not info.flag_bits & UTF_8:
        try:
            return info.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return info.filename


def _time(info):
    try:
        return time.mktime((*info.date_time, 0, 0, -1))
    except (ValueError, OverflowError):
        return 0.0


def small_read(read: Callable[[int], bytes], size: int | None) -> bytes:
    """Reads at most what an honest zip needs: ZipFile asks for as many bytes for the list of files as the zip says."""
    if size is None or size < 0:
        size = MAX_DIRECTORY
    if size > max(MAX_DIRECTORY, submitted.MAX_NOTEBOOK):
        raise zipfile.BadZipFile("its list of files is too long")
    return read(size)


class DiskFile(io.FileIO):
    """A file on the disk whose reads are small."""

    def read(self, size: int | None = -1) -> bytes:
        """At most `size` bytes, see `small_read`."""
        return small_read(super().read, size)

    def __del__(self) -> None:
        self.close()  # when the last zip that reads it is forgotten


class _Memory(io.BytesIO):
    def read(self, size=-1):
        return small_read(super().read, size)
