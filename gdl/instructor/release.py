"""The exercises, made from the solutions: `python -m gdl release`.

The answers and hidden tests are taken out by nbgrader's own preprocessors. Of those that its `generate_assignment`
uses, four are left out: headers and generated tests, which the course has not, and the checksums and the grade book,
which only nbgrader's grading reads.
"""

import ast
import re
from pathlib import Path

from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.instructor.bundle import bundle, check_replaceable, to_text, write_folder, write_zip

STUB = 'raise NotImplementedError("This question waits for your answer: put it in place of this line.")'
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
KEPT = ("deletable", "editable", "nbgrader", "tags")  # of a cell's metadata


def release(solutions="solutions", exercises="exercises", out="dist/students", address=None):
    """Makes every notebook of `exercises` from `solutions`, and the folder `out` and `out`.zip to hand to students.

    `address` is where students find the wheel: a folder's, ending in /, or the file's. It is written into the bundle's notebooks only.
    Everything is made and checked before anything is written. Raises CourseError, naming notebook and cell.
    """
    solutions, exercises, out = Path(solutions), Path(exercises), Path(out)
    paths = sorted(solutions.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise CourseError(f"{solutions} holds no solution, such as 01_autoencoder.ipynb: --solutions names their folder.")
    made = {path.name: exercise(path) for path in paths}
    files = bundle(made, address)
    check_exercises(exercises, made)
    check_replaceable(out)
    for name, notebook in made.items():
        write_text(exercises / name, to_text(notebook))
    write_folder(out, files)
    write_zip(out.with_name(f"{out.name}.zip"), out.name, files)
    print(f"{len(made)} exercises in {exercises}; for students {out} and {out}.zip")


def exercise(path):
    """The notebook that students get, made from the solution at `path`. Raises CourseError for what its author has to mend."""
    try:
        import nbformat
        from nbgrader.preprocessors import CheckCellMetadata, ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions, LockCells

        from gdl.instructor.grading.exercise import NOT_ANSWERED, role_of
    except ModuleNotFoundError as error:
        raise CourseError(
            f"gdl release needs {error.name}: pip install 'gdl[instructor]', in a checkout of the course pip install --editable '.[instructor]'."
        ) from None
    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise CourseError(f"{path} is no notebook that can be read ({type(error).__name__}).") from None
    roles = [role_of(cell)[0] for cell in notebook.cells]
    check_solution(path.name, notebook, roles)
    steps = [
        LockCells(),  # in JupyterLab, checks and given cells cannot be changed by accident
        ClearSolutions(code_stub={"python": STUB}, text_stub=NOT_ANSWERED),
        ClearOutput(),
        CheckCellMetadata(),
        ClearHiddenTests(),
        ClearMarkScheme(),
    ]
    notebook.metadata = nbformat.from_dict(METADATA)
    try:
        for step in steps:
            notebook, _ = step.preprocess(notebook, {})
    except Exception as error:
        raise CourseError(f"{path.name}: nbgrader refuses it: {error}") from None
    for number, (cell, role) in enumerate(zip(notebook.cells, roles), 1):
        cell.setdefault("id", f"cell-{number}")  # Colab saves none
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in KEPT if key in cell.metadata})
        if role in ("set-up", "look"):  # to be played with
            cell.metadata.pop("editable", None)
        if role == "open":
            cell.pop("attachments", None)  # pictures of the model answer
    check_exercise(path.name, notebook, roles)
    return nbformat.from_dict({"cells": notebook.cells, "metadata": notebook.metadata, "nbformat": 4, "nbformat_minor": 5})


def check_solution(name, notebook, roles):
    """Raises CourseError for the mistakes of an author that nbgrader would pass over, or tell without the place."""
    seen = {}
    for number, (cell, role) in enumerate(zip(notebook.cells, roles), 1):
        marks = cell.metadata.get("nbgrader", {})
        where = f"{name}, cell {number}" + (f" ({marks['grade_id']})" if marks.get("grade_id") else "")
        if marks:
            first = seen.setdefault(marks.get("grade_id"), number)
            if first != number:
                raise CourseError(f"{where}: cell {first} has the same grade_id; each cell needs its own.")
        if marks.get("grade") and not (isinstance(marks.get("points"), (int, float)) and marks["points"] >= 0):
            raise CourseError(f"{where}: it has no points; a stretch question's check has 0.")
        for kind, place in (("SOLUTION", ("answer", "open")), ("HIDDEN TESTS", ("check",))):
            if regions(cell.source, kind, where) and role not in place:
                raise CourseError(
                    f"{where}: ### BEGIN {kind} belongs into {'an answer' if kind == 'SOLUTION' else 'a check that has points'}, and this cell is {role}."
                )
        if cell.cell_type == "code":
            parse(cell.source, f"{where} does not parse")


def regions(source, kind, where=""):
    """The texts between the lines ### BEGIN `kind` and ### END `kind`. Raises CourseError where one of the two lines is missing."""
    found, inside = [], None
    for line in source.split("\n"):
        begins, ends = f"BEGIN {kind}" in line, f"END {kind}" in line
        if begins and inside is not None or ends and inside is None:
            raise CourseError(f"{where}: ### {'BEGIN' if begins else 'END'} {kind} without its {'END' if begins else 'BEGIN'}.")
        if begins:
            inside = []
        elif ends:
            found.append("\n".join(inside))
            inside = None
        elif inside is not None:
            inside.append(line)
    if inside is not None:
        raise CourseError(f"{where}: ### BEGIN {kind} without its END.")
    return found


def check_exercise(name, notebook, roles):
    """Raises CourseError when the result would stop a student, or tell an answer."""
    for number, (cell, role) in enumerate(zip(notebook.cells, roles), 1):
        where = f"{name}, cell {number}" + (f" ({cell.metadata.nbgrader.grade_id})" if "nbgrader" in cell.metadata else "")
        left = re.search(r"(?i)#+ *(begin|end) +(solution|hidden|test|answer|mark)[\w ]*", cell.source)
        if left:
            raise CourseError(f"{where}: {left.group()!r} is left over; the marks are ### BEGIN SOLUTION, ### BEGIN HIDDEN TESTS, and END of each.")
        if cell.cell_type == "code":
            tree = parse(cell.source, f"{where} does not parse any more without its {'answer' if role == 'answer' else 'hidden tests'}")
            if role == "answer" and raises_at_once(tree.body):
                raise CourseError(
                    f"{where}: the answer stands outside a function, so the untouched notebook would stop here; put ### BEGIN SOLUTION and ### END SOLUTION inside one."
                )


def parse(source, complaint):
    """The syntax tree of a cell, whose % and ! lines count as nothing. Raises CourseError beginning with `complaint`."""
    try:
        return ast.parse(re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", source))
    except SyntaxError as error:
        raise CourseError(f"{complaint}: line {error.lineno}, {error.msg}.") from None


def raises_at_once(body):
    """Whether these statements hold a `raise` that runs when they do, and not only when a function is called."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            if raises_at_once(node.body):
                return True
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and any(isinstance(part, ast.Raise) for part in ast.walk(node)):
            return True
    return False


def check_exercises(folder, made):
    """Raises CourseError when the folder of exercises holds a notebook that a release would spoil, or one that has lost its solution."""
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if '"grade_id"' not in text or "BEGIN SOLUTION" in text:
            raise CourseError(f"{path} is not from a release: choose another folder with --exercises.")
        if path.name not in made:
            raise CourseError(f"{path} has no solution any more: delete it.")


def write_text(path, text):
    """Writes a file whole, and leaves one alone that holds this text already."""
    if not (path.is_file() and path.read_text(encoding="utf-8") == text):
        with whole_file(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="\n")
