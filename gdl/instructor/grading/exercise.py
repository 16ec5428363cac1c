"""An exercise as its solution notebook defines it: questions, points, given code and checks."""

import ast
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from gdl.checks import CheckFailed
from gdl.errors import CourseError
from gdl.instructor.grading.hidden import ERROR, NO_FUNCTION, STOPPED, Sentences
from gdl.instructor.grading.process import StudentError, WorkerEnded
from gdl.instructor.grading.student import Student
from gdl.machine import start_tensorflow

NOT_ANSWERED = "Write your answer here."  # what `release` leaves in place of an open question's answer


@dataclass
class Check:
    """One check cell: its name (`q1a`), points and source."""

    name: str
    points: float
    source: str


@dataclass
class Question:
    """One question. `names` are those that its answer defines, in one cell or several (`q4`, `q4_train`).

    An open question has `by_hand` points and no checks.
    """

    name: str
    title: str
    names: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    by_hand: float = 0

    @property
    def points(self) -> float:
        """All points of the question."""
        return self.by_hand + sum(check.points for check in self.checks)


class Exercise:
    """An exercise, read from a solution notebook. Raises CourseError for one that is not in the format of solutions/README.md.

    >>> exercise = Exercise("solutions/02_vae.ipynb")  # doctest: +SKIP
    >>> exercise.title, exercise.points  # doctest: +SKIP
    ('Exercise 02 · The variational autoencoder', 20)
    """

    def __init__(self, path: str | Path):
        self.path, self.name = Path(path), Path(path).stem
        try:
            notebook = nbformat.read(path, as_version=4)
        except Exception as error:
            raise CourseError(f"{path} cannot be read as a notebook ({type(error).__name__}): open it in Jupyter and save it again.") from None
        self.digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self.title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        self.questions: list[Question] = []
        self.given: list[str] = []  # sources that run in the grader
        self.prelude: list[str] = []  # sources that run on the student's side before the student's cells
        self.skipped: set[str] = set()  # checks and pictures as they were handed out, which need not run in a student's notebook
        heading, helpers = self.title, []
        for cell in notebook.cells:
            role, name = role_of(cell)
            if cell.cell_type == "markdown":
                heading = next((line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("## ")), heading)
            if role in ("given", "student-side"):
                self.prelude.append(cell.source)
            if role == "given":
                self.given.append(cell.source)
            elif role == "student-side":
                helpers += _defined_names(cell.source)
            elif role == "look":
                self.skipped.add(trimmed(cell.source))
            elif role == "answer" and self.questions and is_more_of(name, self.questions[-1].name):
                self.questions[-1].names += _defined_names(cell.source)
            elif role == "answer":
                self.questions.append(Question(name, heading, names=_defined_names(cell.source)))
            elif role == "open":
                self.questions.append(Question(name, heading, by_hand=cell.metadata.nbgrader.points))
            elif role == "check":
                if not self.questions or not name.startswith(self.questions[-1].name):
                    raise CourseError(
                        f"{path}: the check {name} does not follow its answer: put it below the answer, "
                        "and begin its name with the name of the answer."
                    )
                lines = cell.source.split("\n")
                self.skipped.add(trimmed("\n".join(lines[number - 1] for number in _visible_lines(cell.source))))
                self.questions[-1].checks.append(Check(name, cell.metadata.nbgrader.points, cell.source))
        self.names = {name for question in self.questions for name in question.names} | set(helpers)
        self._namespace: dict[str, Any] | None = None

    def prepare(self) -> None:
        """Runs the given code, on which the checks depend. Starts TensorFlow without its messages if the code uses it."""
        if self._namespace is None:
            namespace = {"__name__": "grader"}
            if re.search(r"\b(keras|tensorflow)\b", "\n".join(self.given)):
                start_tensorflow()
            for source in self.given:
                exec(compile(source, f"{self.name}: given", "exec"), namespace)
            self._namespace = namespace

    @property
    def points(self) -> float:
        """All points of the exercise."""
        return sum(question.points for question in self.questions)

    def sentences(self, check: Check) -> Sentences:
        """What may be said about this check after the first hidden call."""
        return Sentences([check.source, *self.given])

    def run_check(self, check: Check, student: Student, hidden: bool) -> None:
        """Runs a check in this process, with functions that call those of the student. Raises what the check raises.

        hidden: whether the hidden lines run too.
        """
        self.prepare()
        student.received = 0
        namespace = dict(self._namespace or {})
        tree = ast.parse(check.source)
        for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & self.names:
            namespace[name] = _remote_function(student, name)
        visible = set(_visible_lines(check.source))
        for statement in tree.body:
            if hidden or visible.issuperset(range(statement.lineno, (statement.end_lineno or 0) + 1)):
                exec(compile(ast.Module([statement], []), f"{self.name}: {check.name}", "exec"), namespace)


def _remote_function(student: Student, name: str) -> Callable[..., Any]:
    """A function that calls the function `name` on the student's side. An error there becomes CheckFailed."""

    def call(*args, **options):
        try:
            return student.call(name, *args, **options)
        except WorkerEnded as error:
            raise CheckFailed(f"your code was stopped because {error}.", STOPPED, error.name) from None
        except StudentError as error:
            if error.name == "NotImplementedError":
                raise NotImplementedError from None
            if error.text == f"name '{name}' is not defined":
                raise CheckFailed(f"there is no `{name}` in the notebook.", NO_FUNCTION) from None
            raise CheckFailed(f"your code stopped with {error}.", ERROR, error.text) from None

    return call


def role_of(cell: nbformat.NotebookNode) -> tuple[str, str]:
    """The role of a cell of a solution notebook (text, set-up, given, student-side, look, answer, check or open), and its name.

    >>> role_of(nbformat.v4.new_code_cell("x", metadata={"nbgrader": {"solution": True, "grade_id": "q1"}}))
    ('answer', 'q1')
    """
    marks = cell.metadata.get("nbgrader", {})
    name = marks.get("grade_id", "")
    if marks.get("grade"):
        return ("open" if marks.get("solution") else "check"), name
    if cell.cell_type != "code":
        return "text", name
    if marks.get("solution"):
        return "answer", name
    tags = {"set-up", "student-side", "look"} & set(cell.metadata.get("tags", []))
    return (tags.pop() if tags else "given"), name


def is_more_of(name: str, question: str) -> bool:
    """Whether the answer cell of this name holds more of the answer to a question, which begins in the cell of the question's own name.

    >>> is_more_of("q4_train", "q4"), is_more_of("q4", "q4"), is_more_of("q4_train", "")
    (True, False, False)
    """
    return bool(question) and name.startswith(f"{question}_")


def trimmed(source: str) -> str:
    """A cell's text without what an editor may change: blank lines, and spaces at the ends of lines.

    >>> trimmed("a = 1  \\n\\n")
    'a = 1'
    """
    return "\n".join(line.strip() for line in source.split("\n") if line.strip())


def _defined_names(source):
    """The names of the functions and classes that a cell defines at its top level."""
    return [node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def _visible_lines(source):
    """The numbers, from 1, of the lines outside the hidden tests."""
    numbers, hidden = [], False
    for number, line in enumerate(source.split("\n"), 1):
        if "BEGIN HIDDEN TESTS" in line:
            hidden = True
        if not hidden:
            numbers.append(number)
        if "END HIDDEN TESTS" in line:
            hidden = False
    return numbers
