"""A file among the submissions: which files are read, and how many bytes of them."""

from dataclasses import dataclass

from gdl.instructor.grading.clean import clean

MIB = 2**20
MAX_NOTEBOOK = 20 * MIB  # bytes of one notebook
MAX_ALL = 1024 * MIB  # bytes of all notebooks
MAX_DEPTH = 20  # folders in folders
NOTEBOOKS = (".ipynb", ".ipynb.txt", ".ipynb.json")  # browsers add the second ending
UNTRUSTED = "?"  # stands in `parts` for a path that leads out of its zip


@dataclass(frozen=True)
class SubmittedFile:
    """One file: the names on the way to it from the folder of submissions, the path as it is shown, and its content or why there is none.

    kind: "notebook" (also for a link or a broken zip, which may hide one), "other", "folder" or "zip". modified: seconds since 1970.
    """

    parts: tuple[str, ...]
    shown: str
    kind: str
    content: bytes = b""
    modified: float = 0.0
    problem: str | None = None


class Budget:
    """How many bytes may still be read."""

    def __init__(self, left: int):
        self.left = left


def notebook_file(parts: tuple[str, ...], shown: str, content: bytes, modified: float, budget: Budget) -> SubmittedFile:
    """The file of a notebook with this content, which is charged to the budget."""
    budget.left -= len(content)
    if budget.left < 0:
        problem = "This notebook was not read because all notebooks together are larger than 1 GB."
        return SubmittedFile(parts, shown, "notebook", modified=modified, problem=problem)
    return SubmittedFile(parts, shown, "notebook", content, modified)


def is_zip(name: str) -> bool:
    """Whether this is the name of a zip."""
    return name.lower().endswith(".zip")


def kind_of(name: str) -> str:
    """The kind of a file with this name: "notebook", also for a zip, or "other"."""
    return "notebook" if name.lower().endswith(NOTEBOOKS) or is_zip(name) else "other"


def is_hidden(name: str) -> bool:
    """Whether an operating system or a program has left this file or folder, and not a student."""
    return name.startswith(".") or name in ("__MACOSX", "Thumbs.db", "desktop.ini")


def too_large(size: int, limit: int) -> str:
    """The sentence about a file that is larger than the limit, both in bytes."""
    return f"This file has {size / MIB:.0f} MB, and at most {limit // MIB} MB are read: clear the outputs of the notebook to make it smaller."


def shown_path(parts: tuple[str, ...]) -> str:
    """The path as it is shown to a person."""
    return clean("/".join(parts), 255)
