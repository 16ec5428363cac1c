"""One student's notebook for one exercise, and the name of its files."""

import hashlib
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from gdl.errors import CourseError
from gdl.instructor.grading import names


def digest_of_notebook(content: bytes) -> str:
    """The digest by which a notebook is recognised."""
    return hashlib.sha256(content).hexdigest()


class NotRead(CourseError):
    """A notebook can no longer be read, which says nothing about its answers."""


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one exercise.

    student: the name as shown. identifier: the platform's number or name, or "". file: the path inside the folder, `zip!member` in a zip.
    digest: of the notebook's bytes, "" if there is a problem. modified: seconds since 1970. notes: sentences for the instructor.
    problem: why there is nothing to grade, or None. unread: whether the file could not be read at all, which says nothing about its answers.
    names_exercise: whether the file's name or its headings name the exercise. read: gives the notebook's bytes.
    """

    student: str
    identifier: str
    exercise: str
    file: str
    digest: str = ""
    modified: float = 0.0
    notes: tuple[str, ...] = ()
    problem: str | None = None
    unread: bool = False
    names_exercise: bool = False
    read: Callable[[], bytes] | None = field(default=None, compare=False, repr=False)

    @property
    def content(self) -> bytes:
        """The notebook's bytes, b"" if there is a problem. Raises NotRead if they can no longer be read, or are others than before."""
        if self.problem or self.read is None:
            return b""
        try:
            content = self.read()
        except CourseError as error:
            raise NotRead(str(error)) from None
        if digest_of_notebook(content) != self.digest:
            raise NotRead("This file has changed while the grader ran: grade again.")
        return content


def safe_name(what: str | Submission) -> str:
    """A file name for a text or a submission: a different one for each, valid on every system, and without folders.

    >>> safe_name("Ada Lovelace")
    'Ada_Lovelace-7674021617'
    """
    exercise = ""
    if not isinstance(what, str):
        exercise = "__" + re.sub(r"[^0-9A-Za-z_]", "_", what.exercise)[:60]
        shown, exact = f"{what.student} {what.identifier}", f"{names.normalized(what.student)}\0{names.normalized(what.identifier)}"
    else:
        shown, exact = what, what
    letters = unicodedata.normalize("NFC", shown.encode("utf-8", "replace").decode("utf-8"))
    readable = re.sub(r"_+", "_", "".join(c if c.isalnum() else "_" for c in letters)).strip("_").encode()[:80].decode("utf-8", "ignore")
    return f"{readable or 'student'}-{hashlib.sha256(exact.encode('utf-8', 'replace')).hexdigest()[:10]}{exercise}"
