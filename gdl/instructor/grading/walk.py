"""Every file in a folder of submissions, zips included: no link is followed, nothing is unpacked to disk, nothing waits."""

import io
import os
import re
import stat
import time
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

MIB = 2**20
NOTEBOOK = 20 * MIB  # bytes of one notebook
ZIP_IN_ZIP = 100 * MIB  # bytes of a zip inside a zip, and of all that is read from it
IN_ALL = 1024 * MIB  # bytes of all notebooks
MEMBERS = 10_000  # files in one zip
DIRECTORY = 8 * MIB  # bytes of a zip's list of files
RATIO = 200  # unpacked to packed, from 1 MiB on
NESTING = 2  # a zip in a zip, but no further
DEPTH = 20  # folders in folders
NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the second ending
LOST = "?"  # in place of a path that is not believed


@dataclass(frozen=True)
class Found:
    """A file: the names that lead to it from the folder down, the path as a person may see it, and what it holds or why not.

    kind: "notebook" (also for a link or a broken zip, which may hide one), "other", "folder" or "zip". modified: seconds since 1970.
    """

    parts: tuple
    shown: str
    kind: str
    content: bytes = b""
    modified: float = 0.0
    problem: str | None = None


class Budget:
    """How many bytes may still be read."""

    def __init__(self, left):
        self.left = left


def walk(folder):
    """Gives a Found for each file and folder below `folder`, which may also be a zip or a notebook, sorted by path."""
    budget = Budget(IN_ALL)
    if folder.is_dir():
        yield from _folder(folder, (), budget)
    else:
        yield from _file(folder, (clean(folder.name),), budget)


def clean(text, limit=120):
    """Untrusted text as one line that is safe to show: without control and direction characters, at most `limit` long."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    text = "".join(
        " " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs", "Co") and c not in _DIRECTION
    )
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"


_DIRECTION = set(map(chr, [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]))


def is_notebook(name):
    return name.lower().endswith(NOTEBOOKS)


def is_zip(name):
    return name.lower().endswith(".zip")


def _kind(name):
    return "notebook" if is_notebook(name) or is_zip(name) else "other"


def _hidden(name):
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def _folder(folder, parts, budget):
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield Found(parts, _path(parts), "notebook", problem=f"This folder cannot be read ({error.strerror}).")
        return
    for entry in entries:
        name = clean(os.fsencode(entry.name).decode("utf-8", "replace"), 255) or LOST
        inner = (*parts, name)
        if entry.is_symlink():
            yield Found(inner, _path(inner), "notebook", problem="This is a link to another place, and links are not followed.")
        elif entry.is_dir(follow_symlinks=False):
            if _hidden(name):
                continue
            yield Found(inner, _path(inner), "folder")
            if len(inner) < DEPTH:
                yield from _folder(entry.path, inner, budget)
        elif _hidden(name):
            yield Found(inner, _path(inner), "other")
        else:
            yield from _file(Path(entry.path), inner, budget)


def _file(path, parts, budget):
    shown, kind = _path(parts), _kind(path.name)
    if kind == "other":
        yield Found(parts, shown, "other")
        return
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # opening a device may already do something
            yield Found(parts, shown, kind, problem="This is no plain file.")
            return
        with _DiskFile(os.open(path, flags)) as file:
            status = os.fstat(file.fileno())
            if is_zip(path.name):
                yield from _zip(file, parts, shown, 1, status.st_mtime, budget)
                return
            if status.st_size > NOTEBOOK:
                yield Found(parts, shown, kind, modified=status.st_mtime, problem=_too_large(status.st_size, NOTEBOOK))
                return
            content = b"".join(iter(lambda: file.read(MIB), b""))
    except OSError as error:
        yield Found(parts, shown, kind, problem=f"This file cannot be read ({error.strerror}).")
        return
    yield _notebook(parts, shown, content, status.st_mtime, budget)


def _notebook(parts, shown, content, modified, budget):
    budget.left -= len(content)
    if budget.left < 0:
        return Found(parts, shown, "notebook", modified=modified, problem="This notebook was not read: the notebooks are more than 1 GB in all.")
    return Found(parts, shown, "notebook", content, modified)


def _zip(file, parts, shown, level, modified, budget):
    """What a zip holds. level: 1 for a zip on the disk."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                raise zipfile.BadZipFile(f"more than {MEMBERS} files")
            yield Found(parts, shown, "zip")
            for member in sorted(members, key=lambda member: member.filename):
                yield from _member(archive, member, parts, shown, level, budget)
    except Exception as error:  # whatever a broken file makes zipfile raise: it is long, and differs between versions
        yield Found(parts, shown, "notebook", modified=modified, problem=f"This zip cannot be opened: it is broken, or no zip ({clean(str(error))}).")


def _member(archive, member, parts, shown, level, budget):
    name = _member_name(member)
    names = [clean(part, 255) for part in re.split(r"[/\\]", name)]
    inner = (*parts, *(part for part in names if part not in ("", ".")))
    shown = f"{shown}!{clean('/'.join(names), 255)}"
    kind = _kind(inner[-1])
    if ".." in names or name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name) or "\0" in member.orig_filename:
        if kind == "notebook":
            yield Found((*parts, LOST), shown, kind, problem="The path of this file leads out of its zip, so it is not graded.")
        return
    if len(inner) == len(parts) or any(map(_hidden, inner[len(parts) : -1])) or len(inner) > DEPTH + len(parts):
        return
    if member.is_dir():
        yield Found(inner, shown, "folder")
        return
    if kind == "other" or _hidden(inner[-1]):
        yield Found(inner, shown, "other")
        return
    modified, limit = _time(member), ZIP_IN_ZIP if is_zip(inner[-1]) else NOTEBOOK
    problem = None
    if stat.S_ISLNK(member.external_attr >> 16):
        problem = "This is a link to another place, and links are not followed."
    elif member.flag_bits & 1:
        problem = "This file is locked with a password."
    elif member.file_size > limit:
        problem = _too_large(member.file_size, limit)
    elif member.file_size > MIB and member.file_size > RATIO * member.compress_size:
        problem = "This file unpacks to far more than it should, so it was not unpacked."
    elif is_zip(inner[-1]) and level == NESTING:
        problem = "This is a zip in a zip in a zip, which is not opened."
    if problem is None:
        try:
            content = _unpacked(archive, member, limit)
        except Exception as error:  # as above
            problem = f"This file is broken in its zip ({clean(str(error)) or type(error).__name__})."
    if problem:
        yield Found(inner, shown, kind, modified=modified, problem=problem)
    elif is_zip(inner[-1]):
        own = Budget(min(ZIP_IN_ZIP, budget.left))  # one student's zip does not use up what all have
        before = own.left
        yield from _zip(_Memory(content), inner, shown, level + 1, modified, own)
        budget.left -= before - max(own.left, 0)
    else:
        yield _notebook(inner, shown, content, modified, budget)


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
    """A member's name. Some programs write UTF-8 without saying so, which is then read in a code page of 1981."""
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


def _too_large(size, limit):
    return f"This file has {size / MIB:.0f} MB, and at most {limit // MIB} are read: clearing a notebook's outputs makes it small."


def _path(parts):
    return clean("/".join(parts), 255)


class _Bounded:
    """A file whose reads are small, since ZipFile reads as much for a zip's list of files as the zip says."""

    def read(self, size=-1):
        if size is None or size < 0:
            size = DIRECTORY
        if size > max(DIRECTORY, NOTEBOOK):
            raise zipfile.BadZipFile("its list of files is too long")
        return super().read(size)


class _DiskFile(_Bounded, io.FileIO):
    pass


class _Memory(_Bounded, io.BytesIO):
    pass
