"""A solution with one question, for tests of the release."""

import json

import nbformat
from conftest import ROOT

SOLUTIONS = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("[0-9][0-9]_*.ipynb"))
SET_UP = next("".join(cell["source"]) for cell in json.loads(SOLUTIONS[0].read_text())["cells"] if "set-up" in cell["metadata"].get("tags", []))

ANSWER = '''def half(x):
    """Half of x."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION'''
CHECK = """with check("half of four"):
    is_close(half(4.0), 2.0, "half of four")
### BEGIN HIDDEN TESTS
with check("half of seven"):
    is_close(half(7.0), 3.5, "half of seven")
### END HIDDEN TESTS"""


def marks(name, grade=False, solution=False, **more):
    return {"nbgrader": dict(grade=grade, grade_id=name, locked=not solution, schema_version=3, solution=solution, task=False, **more)}


def small_solution(folder, change=None):
    """Writes a solution with one question; `change` may break it before."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        text("# Exercise 01 · A test\n\nAbout 5 minutes."),
        code(SET_UP, metadata={"tags": ["set-up"], "slideshow": {"slide_type": "skip"}, **marks("set-up")}),
        code("from gdl.checks import answered, check, is_close", metadata=marks("given")),
        code(ANSWER, metadata=marks("q1", solution=True)),
        code(CHECK, metadata=marks("q1a", grade=True, points=3)),
        code("with answered():\n    print(half(2.0))", metadata={"tags": ["look"], **marks("look")}),
        text("The model answer, with ![a picture](attachment:secret.png)", metadata=marks("q2", grade=True, solution=True, points=2)),
    ]
    cells[2].outputs = [nbformat.v4.new_output("stream", text="an output")]
    cells[6].attachments = {"secret.png": {"image/png": "aaaa"}}
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "mine", "display_name": "My own", "language": "python"}})
    if change:
        change(notebook.cells)
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / "01_test.ipynb")
    return folder / "01_test.ipynb"


def edit(number, old, new):
    """A change of a solution: other text in a cell."""

    def change(cells):
        assert old in cells[number].source
        cells[number].source = cells[number].source.replace(old, new)

    return change


def remark(number, **changes):
    """A change of a solution: other metadata of nbgrader."""
    return lambda cells: cells[number].metadata.nbgrader.update(changes)


def fake_wheel(monkeypatch, folder):
    """Puts a small file in place of the wheel, so that a test of something else need not build one."""
    wheel = folder / "gdl-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    monkeypatch.setattr("gdl.instructor.bundle.course_wheel", lambda: wheel)
