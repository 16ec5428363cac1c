"""Every file in a folder of submissions. No link is followed, no file is read before it is asked for, and nothing is unpacked to the disk."""

import os
import stat
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import submitted
from gdl.instructor.grading.clean import clean
from gdl.instructor.grading.submitted import UNTRUSTED, Budget, SubmittedFile, archive_problem, is_hidden, kind_of, shown_path, too_large
from gdl.instructor.grading.zips import ZipSource


def files_below(folder: Path) -> Iterator[SubmittedFile]:
    """Each file and folder below `folder`, sorted by path. Zips are not opened. `folder` may also be a zip or a notebook."""
    if folder.is_dir():
        yield from _folder(folder, ())
    else:
        yield _file(folder, (clean(folder.name),))


def _folder(folder, parts):
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
                yield from _folder(entry.path, inner)
            else:
                yield SubmittedFile(inner, shown_path(inner), "notebook", problem="This folder lies in too many others, and was not opened.")
        elif is_hidden(name):
            yield SubmittedFile(inner, shown_path(inner), "other")
        else:
            yield _file(Path(entry.path), inner)


def _file(path, parts):
    shown, kind = shown_path(parts), kind_of(path.name)
    if kind == "other":
        return SubmittedFile(parts, shown, "other")
    problem, modified = archive_problem(path.name), 0.0
    try:
        status = os.lstat(path)
        modified = status.st_mtime
        if not stat.S_ISREG(status.st_mode):  # to open a device may already have an effect
            problem = "This is not a regular file."
    except OSError as error:
        problem = f"This file cannot be read ({error.strerror})."
    if problem:
        return SubmittedFile(parts, shown, "notebook", modified, problem)
    if kind == "zip":
        return SubmittedFile(parts, shown, "zip", modified, read=ZipSource(path))
    return SubmittedFile(parts, shown, kind, modified, read=partial(_read, path))


def _read(path: Path, budget: Budget) -> bytes:
    try:
        with open(os.open(path, submitted.READ_FLAGS), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise CourseError("This is not a regular file.")
            if status.st_size > submitted.MAX_NOTEBOOK:
                raise CourseError(too_large(status.st_size, submitted.MAX_NOTEBOOK))
            return budget.read(file, submitted.MAX_NOTEBOOK)
    except OSError as error:
        raise CourseError(f"This file cannot be read ({error.strerror}).") from None
