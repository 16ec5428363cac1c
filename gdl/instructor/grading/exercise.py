"""An exercise as its solution notebook has it: questions, points, given code and checks."""

import ast
import builtins
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path

import nbformat

from gdl.checks import CheckFailed
from gdl.errors import CourseError
from gdl.instructor.grading.student import StudentError, WorkerEnded
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
    """One question. `names` are those that its answer defines; an open question has `by_hand` points and no checks."""

    name: str
    title: str
    names: list = field(default_factory=list)
    checks: list = field(default_factory=list)
    by_hand: float = 0

    @property
    def points(self):
        return self.by_hand + sum(check.points for check in self.checks)


class Exercise:
    """Reads a solution notebook. Raises CourseError for one that is not in the format of solutions/README.md."""

    def __init__(self, path):
        self.name = Path(path).stem
        try:
            notebook = nbformat.read(path, as_version=4)
        except Exception as error:
            raise CourseError(f"{path} is no notebook that can be read ({type(error).__name__}).") from None
        self.digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        self.title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        self.questions = []
        self.given, self.prelude = [], []  # sources: what runs in the grader, and what on the student's side before the student's cells
        self.skipped = set()  # what a student's notebook need not run again: checks and pictures, as they were handed out
        heading, harness = self.title, []
        for cell in notebook.cells:
            role, name = role_of(cell)
            if cell.cell_type == "markdown":
                heading = next((line.lstrip("# ") for line in cell.source.splitlines() if line.startswith("## ")), heading)
            if role in ("given", "student-side"):
                self.prelude.append(cell.source)
            if role == "given":
                self.given.append(cell.source)
            elif role == "student-side":
                harness += defined(cell.source)
            elif role == "look":
                self.skipped.add(bare(cell.source))
            elif role == "answer":
                self.questions.append(Question(name, heading, names=defined(cell.source)))
            elif role == "open":
                self.questions.append(Question(name, heading, by_hand=cell.metadata.nbgrader.points))
            elif role == "check":
                if not self.questions or not name.startswith(self.questions[-1].name):
                    raise CourseError(f"{path}: the check {name} does not follow the answer that it belongs to.")
                self.skipped.add(bare("\n".join(visible_lines(cell.source))))
                self.questions[-1].checks.append(Check(name, cell.metadata.nbgrader.points, cell.source))
        self.names = {name for question in self.questions for name in question.names}
        self.names |= set(harness)
        self.space = None

    def prepare(self):
        """Runs the given code, which the checks stand on. Its TensorFlow starts without notes."""
        if self.space is None:
            space = {"__name__": "grader"}
            if re.search(r"\b(keras|tensorflow)\b", "\n".join(self.given)):
                start_tensorflow()
            for source in self.given:
                exec(compile(source, f"{self.name}: given", "exec"), space)
            self.space = space

    @property
    def points(self):
        return sum(question.points for question in self.questions)

    def run_check(self, check, student, hidden):
        """Runs a check cell here, outside, with stand-ins for what the student has defined. Raises what the check raises.

        hidden: with the hidden lines too. An error of the student's code then comes without its text, which could tell what they asked.
        """
        self.prepare()
        space = dict(self.space)
        tree = ast.parse(check.source)
        for name in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & self.names:
            space[name] = stand_in(student, name, hidden)
        visible = set(visible_lines(check.source, numbers=True))
        for statement in tree.body:
            if hidden or visible.issuperset(range(statement.lineno, statement.end_lineno + 1)):
                exec(compile(ast.Module([statement], []), f"{self.name}: {check.name}", "exec"), space)


def stand_in(student, name, hidden):
    """A function that asks the student's side to call its function `name`."""

    def call(*args, **options):
        try:
            return student.call(name, *args, **options)
        except WorkerEnded as error:
            problem = f"your code was ended, because {error}."
        except StudentError as error:
            if error.name == "NotImplementedError":
                raise NotImplementedError from None
            if error.text == f"name '{name}' is not defined":
                problem = f"there is no `{name}` in the notebook."
            else:
                problem = f"your code stopped with {known_name(error.name) if hidden else error}."
        raise CheckFailed(problem)

    return call


def known_name(name):
    """The name of an error if it is one of Python's own: any other may have been made up to tell something."""
    return name if isinstance(getattr(builtins, name, None), type) else "an error"


def role_of(cell):
    """What a cell of a solution notebook is for, and its name: text, set-up, given, student-side, look, answer, check or open."""
    marks = cell.metadata.get("nbgrader", {})
    name = marks.get("grade_id", "")
    if marks.get("grade"):
        return ("open" if marks.get("solution") else "check"), name
    if cell.cell_type != "code":
        return "text", name
    if marks.get("solution"):
        return "answer", name
    tagged = {"set-up", "student-side", "look"} & set(cell.metadata.get("tags", []))
    return (tagged.pop() if tagged else "given"), name


def defined(source):
    """The names that a cell defines at its top level."""
    return [node.name for node in ast.parse(source).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]


def visible_lines(source, numbers=False):
    """The lines outside the hidden tests; with `numbers`, their numbers from 1."""
    lines, hidden = [], False
    for number, line in enumerate(source.split("\n"), 1):
        if "BEGIN HIDDEN TESTS" in line:
            hidden = True
        if not hidden:
            lines.append(number if numbers else line)
        if "END HIDDEN TESTS" in line:
            hidden = False
    return lines


def bare(source):
    """A cell's text without what an editor may change: blank lines and spaces at the ends of lines."""
    return "\n".join(line.strip() for line in source.split("\n") if line.strip())
