"""A file among the submissions: how it is read, and how much is read of one student."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from gdl.errors import CourseError
from gdl.instructor.grading.clean import clean

MIB = 2**20
MAX_NOTEBOOK = 20 * MIB  # bytes of one notebook
MAX_STUDENT = 512 * MIB  # bytes that are read or unpacked of one student
MAX_SECONDS = 60  # of reading and unpacking one student's files
MAX_FILES = 10_000  # of one student
MAX_DEPTH = 20  # folders in folders
NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the second ending
ARCHIVES = (".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")  # of which the grader opens none
READ_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)  # no link, no waiting
UNTRUSTED = "?"  # stands in `parts` for a path that leads out of its zip


class Budget:
    """What may still be read of one student's files: bytes, files in zips, and seconds. One student's files use up no other's budget."""

    def __init__(self, files: int | None = None):
        self.bytes, self.files, self.seconds = MAX_STUDENT, files or MAX_FILES, float(MAX_SECONDS)

    def read(self, file: BinaryIO, limit: int) -> bytes:
        """All of a file, unless it has more than `limit` bytes or the budget ends before. Then raises CourseError."""
        content = bytearray()
        while True:
            start = time.monotonic()
            chunk = file.read(MIB)
            self.seconds -= time.monotonic() - start
            if not chunk:
                return bytes(content)
            self.bytes -= len(chunk)
            content += chunk
            self.check()
            if len(content) > limit:
                raise CourseError(too_large(len(content), limit))

    def check(self) -> None:
        """Raises CourseError if nothing may be read any more."""
        if self.bytes < 0:
            raise CourseError(f"This file was not read, because this student's files together are larger than {MAX_STUDENT // MIB} MB.")
        if self.seconds < 0:
            raise CourseError(f"This file was not read, because reading this student's files takes longer than {MAX_SECONDS} seconds.")


@dataclass(frozen=True)
class SubmittedFile:
    """One file: the names on the way to it from the folder of submissions, the path as it is shown, and how to read it or why not.

    kind: "notebook" (also for a link or a broken zip, which may hide one), "other", "folder" or "zip". modified: seconds since 1970.
    read: gives the bytes, and raises CourseError. For a zip, `zips.members` gives its files.
    """

    parts: tuple[str, ...]
    shown: str
    kind: str
    modified: float = 0.0
    problem: str | None = None
    read: Callable[[Budget], bytes] | None = field(default=None, compare=False)


def by_depth(file: SubmittedFile) -> tuple[bool, int, tuple[str, ...]]:
    """The order in which a student's files are read: first what lies outermost, and zips last, so that these do not use up the budget."""
    return file.kind == "zip", len(file.parts), file.parts


def opened(files: list[SubmittedFile], members: Callable[[SubmittedFile, Budget], list[SubmittedFile]], budget: Budget) -> Iterator[SubmittedFile]:
    """The files, and after each zip what is in it. members: gives the files in a zip."""
    for file in files:
        yield file
        if file.kind == "zip":
            yield from opened(members(file, budget), members, budget)


def is_zip(name: str) -> bool:
    """Whether this is the name of a zip."""
    return name.lower().endswith(".zip")


def kind_of(name: str) -> str:
    """The kind of a file with this name: "zip", "notebook", also for an archive of another kind, or "other"."""
    return "zip" if is_zip(name) else "notebook" if name.lower().endswith((*NOTEBOOKS, *ARCHIVES)) else "other"


def archive_problem(name: str) -> str | None:
    """The sentence about an archive that is not opened, or None for any other file."""
    ending = next((ending for ending in ARCHIVES if name.lower().endswith(ending)), None)
    return ending and f"This is an archive of the kind {ending[1:]}, which is not opened: unpack it, or hand in the .ipynb file itself."


def is_hidden(name: str) -> bool:
    """Whether an operating system or a program has left this file or folder, and not a student."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def too_large(size: int, limit: int) -> str:
    """The sentence about a file that is larger than the limit, both in bytes."""
    return f"This file has {size / MIB:.0f} MB, and at most {limit // MIB} MB are read: clear the outputs of the notebook to make it smaller."


def shown_path(parts: tuple[str, ...]) -> str:
    """The path as it is shown to a person."""
    return clean("/".join(parts), 255)
