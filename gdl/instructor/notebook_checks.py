"""Checks of a solution before a release, and of the exercise that is made from it: what an author can get wrong."""

import ast
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gdl.errors import CourseError

if TYPE_CHECKING:
    from nbformat import NotebookNode

BELONGS = {"SOLUTION": "an answer", "HIDDEN TESTS": "a check that has points"}


def check_solution(name: str, notebook: "NotebookNode", roles: Sequence[str]) -> None:
    """Raises CourseError for mistakes that nbgrader does not notice, or reports without their place.

    name: the notebook's file. roles: what each cell is for, see `grading.exercise.role_of`.
    """
    first_use: dict[str, int] = {}
    for number, (cell, role) in enumerate(zip(notebook.cells, roles, strict=True), 1):
        marks = cell.metadata.get("nbgrader", {})
        place = _place(name, number, cell)
        if marks:
            first = first_use.setdefault(marks.get("grade_id"), number)
            if first != number:
                raise CourseError(f"{place}: cell {first} has the same grade_id; give each cell its own.")
        if marks.get("grade") and not (isinstance(marks.get("points"), (int, float)) and marks["points"] >= 0):
            raise CourseError(f"{place}: it has no points; give the check of a stretch question 0 points.")
        for kind, allowed in (("SOLUTION", ("answer", "open")), ("HIDDEN TESTS", ("check",))):
            if regions(cell.source, kind, place) and role not in allowed:
                raise CourseError(f"{place}: ### BEGIN {kind} belongs in {BELONGS[kind]}, but this cell is {role}.")
        if cell.cell_type == "code":
            _parse(cell.source, f"{place} does not parse")


def check_exercise(name: str, notebook: "NotebookNode", roles: Sequence[str]) -> None:
    """Raises CourseError when the exercise would stop a student who runs it untouched, or shows an answer or a hidden test."""
    for number, (cell, role) in enumerate(zip(notebook.cells, roles, strict=True), 1):
        place = _place(name, number, cell)
        leftover = re.search(r"(?i)#+ *(begin|end) +(solution|hidden|test|answer|mark)[\w ]*", cell.source)
        if leftover:
            raise CourseError(f"{place}: {leftover.group()!r} is left over; write ### BEGIN SOLUTION, ### BEGIN HIDDEN TESTS, and END for each.")
        if cell.cell_type == "code":
            removed = "answer" if role == "answer" else "hidden tests"
            tree = _parse(cell.source, f"{place} no longer parses without its {removed}")
            if role == "answer" and _raises_at_once(tree.body):
                raise CourseError(
                    f"{place}: the answer stands outside a function, so the untouched notebook would stop here; "
                    "put ### BEGIN SOLUTION and ### END SOLUTION inside one."
                )


def regions(source: str, kind: str, place: str = "") -> list[str]:
    r"""The texts between the lines ### BEGIN `kind` and ### END `kind`. Raises CourseError where one of the two lines is missing.

    >>> regions("def f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION", "SOLUTION")
    ['    return 1']
    """
    texts: list[str] = []
    lines: list[str] | None = None  # of the open region
    for line in source.split("\n"):
        begins, ends = f"BEGIN {kind}" in line, f"END {kind}" in line
        if begins and lines is not None or ends and lines is None:
            raise CourseError(f"{place}: ### {'BEGIN' if begins else 'END'} {kind} without its {'END' if begins else 'BEGIN'}.")
        if begins:
            lines = []
        elif ends:
            texts.append("\n".join(lines or ()))
            lines = None
        elif lines is not None:
            lines.append(line)
    if lines is not None:
        raise CourseError(f"{place}: ### BEGIN {kind} without its END.")
    return texts


def _place(name, number, cell):
    """Where a cell is, for a message: the notebook, the cell's number and its grade_id."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    return f"{name}, cell {number}" + (f" ({grade_id})" if grade_id else "")


def _parse(source, problem):
    """The syntax tree of a cell without its % and ! lines. Raises CourseError, which begins with `problem`."""
    try:
        return ast.parse(re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", source))
    except SyntaxError as error:
        raise CourseError(f"{problem}: line {error.lineno}, {error.msg}.") from None


def _raises_at_once(body):
    """Whether these statements hold a `raise` that runs with them, and not only when a function is called."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            if _raises_at_once(node.body):
                return True
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(isinstance(part, ast.Raise) for part in ast.walk(node)):
            return True
    return False
