"""Makes the exercises from the solutions: `python -m gdl release`.

nbgrader's preprocessors remove the answers and the hidden tests. nbgrader's `generate_assignment` has four more steps, which
are left out: the course has no headers and no generated tests, and only nbgrader's own grading reads checksums and a grade book.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from gdl.errors import CourseError
from gdl.files import write_file, write_zip
from gdl.instructor.bundle import bundle, check_replaceable, to_text, write_folder
from gdl.instructor.notebook_checks import check_exercise, check_solution
from gdl.instructor.seed import check_seed, write_solutions

if TYPE_CHECKING:
    from nbformat import NotebookNode

STUB = 'raise NotImplementedError("This question waits for your answer: put it in place of this line.")'
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
CELL_METADATA = ("deletable", "editable", "nbgrader", "tags")  # the entries that stay in a cell


def release(
    solutions: str | Path = "solutions",
    exercises: str | Path = "exercises",
    out: str | Path = "dist/students",
    address: str | None = None,
    seed: int | None = None,
) -> None:
    """Makes the notebooks in `exercises` from those in `solutions`, and the folder `out` and `out`.zip for students.

    address: where students download the wheel: the address of its folder, which ends in /, or of the file itself. It is written
    into the notebooks of `out`, and not into those of `exercises`.
    seed: also write a folder `solutions-SEED` beside `out`, whose hidden tests draw other numbers; see `write_solutions`.
    Nothing is written before everything is made and checked. Raises CourseError, which names the notebook and the cell.

    >>> release(out="/tmp/students")  # doctest: +SKIP
    12 exercises in exercises; for students /tmp/students and /tmp/students.zip
    """
    solutions, exercises, out = Path(solutions), Path(exercises), Path(out)
    check_seed(seed)
    paths = sorted(solutions.glob("[0-9][0-9]_*.ipynb"))
    if not paths:
        raise CourseError(f"{solutions} holds no solution, such as 01_autoencoder.ipynb: give their folder with --solutions.")
    notebooks = {path.name: make_exercise(path) for path in paths}
    files = bundle(notebooks, address)
    _check_exercises_folder(exercises, notebooks)
    check_replaceable(out)
    for name, notebook in notebooks.items():
        _write_if_changed(exercises / name, to_text(notebook))
    write_folder(out, files)
    write_zip(out.with_name(f"{out.name}.zip"), out.name, files)
    print(f"{len(notebooks)} exercises in {exercises}; for students {out} and {out}.zip")
    if seed is not None:
        private = out.with_name(f"solutions-{seed}")
        write_solutions(solutions, private, seed)
        print(f"For you alone: {private}. Grade with --solutions {private}.")


def make_exercise(path: str | Path) -> "NotebookNode":
    """Makes the notebook for students from the solution at `path`. Raises CourseError when its author has something to fix.

    >>> make_exercise("solutions/02_vae.ipynb").cells[0].source.splitlines()[0]  # doctest: +SKIP
    '# Exercise 02 · The variational autoencoder'
    """
    try:
        import nbformat
        from nbgrader.preprocessors import CheckCellMetadata, ClearHiddenTests, ClearMarkScheme, ClearOutput, ClearSolutions, LockCells

        from gdl.instructor.grading.exercise import NOT_ANSWERED, role_of
    except ModuleNotFoundError as error:
        raise CourseError(
            f"gdl release needs {error.name}: pip install 'gdl[instructor]', or pip install --editable '.[instructor]' in a checkout of the course."
        ) from None
    path = Path(path)
    try:
        notebook = nbformat.read(path, as_version=4)
    except Exception as error:
        raise CourseError(f"{path} cannot be read as a notebook ({type(error).__name__}): open it in Jupyter and save it again.") from None
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
        cell.metadata = nbformat.from_dict({key: cell.metadata[key] for key in CELL_METADATA if key in cell.metadata})
        if role in ("set-up", "look"):  # students may change these
            cell.metadata.pop("editable", None)
        if role == "open":
            cell.pop("attachments", None)  # pictures of the model answer
    check_exercise(path.name, notebook, roles)
    return nbformat.from_dict({"cells": notebook.cells, "metadata": notebook.metadata, "nbformat": 4, "nbformat_minor": 5})


def _check_exercises_folder(folder, notebooks):
    """Raises CourseError when `folder` holds a notebook that no release has made, or an exercise whose solution is gone."""
    for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if '"grade_id"' not in text or "BEGIN SOLUTION" in text:
            raise CourseError(f"{path} was not made by a release: choose another folder with --exercises.")
        if path.name not in notebooks:
            raise CourseError(f"{path} no longer has a solution: delete it.")


def _write_if_changed(path, text):
    if not (path.is_file() and path.read_text(encoding="utf-8") == text):
        write_file(path, text)
