"""The files in a zip that a student or a learning platform has made. Its size, paths and names are not trusted."""

import io
import re
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from gdl.instructor.grading import submitted
from gdl.instructor.grading.clean import clean
from gdl.instructor.grading.submitted import MIB, UNTRUSTED, Budget, SubmittedFile, is_hidden, is_zip, kind_of, notebook_file, too_large

MAX_INNER_ZIP = 100 * MIB  # bytes of a zip inside a zip, and of all that is read from it
MAX_MEMBERS = 10_000  # files in one zip
MAX_DIRECTORY = 8 * MIB  # bytes of a zip's list of files
MAX_RATIO = 200  # unpacked to packed, from 1 MiB on
MAX_NESTING = 2  # a zip in a zip, but no further


def files_of_zip(file: BinaryIO, parts: tuple[str, ...], shown: str, modified: float, budget: Budget, level: int = 1) -> Iterator[SubmittedFile]:
    """The zip itself and each file in it. A zip that cannot be opened is one file with a problem.

    parts, shown, modified: of the zip, as in SubmittedFile. budget: what may be read. level: 1 for a zip on the disk, 2 for a zip in it.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise zipfile.BadZipFile(f"more than {MAX_MEMBERS} files")
            yield SubmittedFile(parts, shown, "zip")
            for member in sorted(members, key=lambda member: member.filename):
                yield from _member(archive, member, parts, shown, level, budget)
    except Exception as error:  # the list of what zipfile raises for broken files is long, and differs between versions
        problem = f"This zip cannot be opened: it is broken, or not a zip ({clean(str(error))})."
        yield SubmittedFile(parts, shown, "notebook", modified=modified, problem=problem)


def _member(archive, member, parts, shown, level, budget):
    name = _member_name(member)
    names = [clean(part, 255) for part in re.split(r"[/\\]", name)]
    inner = (*parts, *(part for part in names if part not in ("", ".")))
    shown = f"{shown}!{clean('/'.join(names), 255)}"
    kind = kind_of(inner[-1])
    if ".." in names or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name) or "\0" in member.orig_filename:
        if kind == "notebook":
            yield SubmittedFile((*parts, UNTRUSTED), shown, kind, problem="The path of this file leads out of its zip, so it is not graded.")
        return
    if len(inner) == len(parts) or any(map(is_hidden, inner[len(parts) : -1])) or len(inner) > submitted.MAX_DEPTH + len(parts):
        return
    if member.is_dir():
        yield SubmittedFile(inner, shown, "folder")
        return
    if kind == "other" or is_hidden(inner[-1]):
        yield SubmittedFile(inner, shown, "other")
        return
    modified, limit = _time(member), MAX_INNER_ZIP if is_zip(inner[-1]) else submitted.MAX_NOTEBOOK
    problem = _reason_not_to_read(member, limit, is_zip(inner[-1]) and level == MAX_NESTING)
    if problem is None:
        try:
            content = _unpacked(archive, member, limit)
        except Exception as error:  # as in files_of_zip
            problem = f"This file is broken in its zip ({clean(str(error)) or type(error).__name__})."
    if problem:
        yield SubmittedFile(inner, shown, kind, modified=modified, problem=problem)
    elif is_zip(inner[-1]):
        inner_budget = Budget(min(MAX_INNER_ZIP, budget.left))  # one student's zip does not use up everybody's budget
        before = inner_budget.left
        yield from files_of_zip(_Memory(content), inner, shown, modified, inner_budget, level + 1)
        budget.left -= before - max(inner_budget.left, 0)
    else:
        yield notebook_file(inner, shown, content, modified, budget)


def _reason_not_to_read(member, limit, too_deep):
    if stat.S_ISLNK(member.external_attr >> 16):
        return "This is a link to another place, and links are not followed."
    if member.flag_bits & 1:
        return "This file is locked with a password."
    if member.file_size > limit:
        return too_large(member.file_size, limit)
    if member.file_size > MIB and member.file_size > MAX_RATIO * member.compress_size:
        return "This file is far larger unpacked than packed, so it was not unpacked."
    if too_deep:
        return "This is a zip in a zip in a zip, and it is not opened."
    return None


def _unpacked(archive, member, limit):
    """The bytes of a member, at most `limit` of them whatever its zip says."""
    content = bytearray()
    with archive.open(member) as file:
        while chunk := file.read(MIB):
            content += chunk
            if len(content) > limit:
                raise zipfile.BadZipFile("larger than its zip says")
    return bytes(content)


def _member_name(member):
    """A member's name. Some programs write UTF-8 without the flag for it, and zipfile then decodes the name as code page 437."""
    if not member.flag_bits & 0x800:
        try:
            return member.filename.encode("cp437").decode("utf-8")
        except UnicodeError:
            pass
    return member.filename


def _time(member):
    try:
        return time.mktime((*member.date_time, 0, 0, -1))
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


class _Memory(io.BytesIO):
    def read(self, size=-1):
        return small_read(super().read, size)
