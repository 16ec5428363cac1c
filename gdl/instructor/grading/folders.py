"""Every file in a folder of submissions, including those in zips. No link is followed, and nothing is unpacked to the disk."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from gdl.instructor.grading import submitted
from gdl.instructor.grading.clean import clean
from gdl.instructor.grading.submitted import MIB, UNTRUSTED, Budget, SubmittedFile, is_hidden, is_zip, kind_of, notebook_file, shown_path, too_large
from gdl.instructor.grading.zips import DiskFile, files_of_zip


def files_below(folder: Path) -> Iterator[SubmittedFile]:
    """Each file and folder below `folder`, sorted by path. `folder` may also be a zip or a notebook."""
    budget = Budget(submitted.MAX_ALL)
    if folder.is_dir():
        yield from _folder(folder, (), budget)
    else:
        yield from _file(folder, (clean(folder.name),), budget)


def _folder(folder, parts, budget):
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield SubmittedFile(parts, shown_path(parts), "notebook", problem=f"This folder cannot be read ({error.strerror}).")
        return
    for entry in entries:
        name = clean(os.fsencode(entry.name).decode("utf-8", "replace"), 255) or UNTRUSTED
        inner = (*parts, name)
        if entry.is_symlink():
            yield SubmittedFile(inner, shown_path(inner), "notebook", problem="This is a link to another place, and links are not followed.")
        elif entry.is_dir(follow_symlinks=False):
            if is_hidden(name):
                continue
            yield SubmittedFile(inner, shown_path(inner), "folder")
            if len(inner) < submitted.MAX_DEPTH:
                yield from _folder(entry.path, inner, budget)
        elif is_hidden(name):
            yield SubmittedFile(inner, shown_path(inner), "other")
        else:
            yield from _file(Path(entry.path), inner, budget)


def _file(path, parts, budget):
    shown, kind = shown_path(parts), kind_of(path.name)
    if kind == "other":
        yield SubmittedFile(parts, shown, "other")
        return
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):  # to open a device may already have an effect
            yield SubmittedFile(parts, shown, kind, problem="This is not a regular file.")
            return
        with DiskFile(os.open(path, flags)) as file:
            status = os.fstat(file.fileno())
            if is_zip(path.name):
                yield from files_of_zip(file, parts, shown, status.st_mtime, budget)
                return
            if status.st_size > submitted.MAX_NOTEBOOK:
                problem = too_large(status.st_size, submitted.MAX_NOTEBOOK)
                yield SubmittedFile(parts, shown, kind, modified=status.st_mtime, problem=problem)
                return
            content = b"".join(iter(lambda: file.read(MIB), b""))
    except OSError as error:
        yield SubmittedFile(parts, shown, kind, problem=f"This file cannot be read ({error.strerror}).")
        return
    yield notebook_file(parts, shown, content, status.st_mtime, budget)
