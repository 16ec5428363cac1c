"""The page for students: which exercises there are, and how to begin, answer and hand in."""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

PAGE = """# Exercises: generative deep learning with faces

| exercise | points | minutes |
| --- | --- | --- |
{rows}

Do an exercise after you have read the chapter of the same number. It is a notebook. It runs in Colab (in a browser, with a GPU, free of charge) or on a laptop.

## In Colab

1. Open <https://colab.research.google.com>, choose *File*, *Upload notebook*, and take the exercise's `.ipynb` file.
2. Under *Runtime*, *Change runtime type*, choose the latest version and, if one is offered, a GPU.
3. {colab}
4. Run the first code cell. It installs the course and does not change Colab's own TensorFlow.
5. Run the cells from top to bottom. Colab saves your copy in your Drive; files that you upload beside it are deleted when the session ends.

## On a laptop

You need Python 3.11, 3.12 or 3.13. In the folder of this file (on Windows, write `course\\Scripts\\` instead of `course/bin/`):

1. `python3 -m venv course`
2. `course/bin/pip install "{wheel}[lab]"`; TensorFlow is large, so this takes some minutes.
3. `course/bin/jupyter lab`, and open an exercise.

## How an exercise works

- Write your answer in place of the line `raise NotImplementedError(...)`. Keep the function's name and arguments; you may add functions of your own to the same cell.
- The cell below it checks your answer. It prints `✓`, or `✗` and what is wrong. It tries one or two inputs, and the grader tries others too: a `✓` is a good sign, but no proof.
- You may leave a question out. The notebook still runs to its end, and the other questions keep their points.
- *Hint* unfolds when you click it. Hints cost no points.
- Answer the open question in words, in place of "{text}". A person reads it.
- The stretch question gives no points.

## The final project

If your course has one, [project/README.md](project/README.md) says what to do, and `project/project.ipynb` leads through it.

## Handing in

Restart the kernel and run everything once (in Colab *Runtime*, *Restart session and run all*; in JupyterLab *Kernel*, *Restart Kernel and Run All Cells*). Then hand in the `.ipynb` file itself, without renaming it. In Colab you get it with *File*, *Download*, *Download .ipynb*. A PDF or a link cannot be graded.

The code of the course is under the MIT licence, its text and figures under CC BY 4.0, and the trained models in it are for non-commercial research only; see the file LICENSE in the wheel.
"""  # noqa: E501  (a paragraph is one line of Markdown)
WITH_ADDRESS = "Nothing to upload: the notebook knows the address of the course."
WITHOUT_ADDRESS = (
    "Open the folder symbol on the left and upload `{wheel}` there. Or put it into your Google Drive once, "
    "and in each session click *Mount Drive* in the same place."
)


def students_page(notebooks: Mapping[str, "NotebookNode"], wheel: str, address: str | None) -> str:
    """The page as Markdown. notebooks: the exercises by file name. wheel: its file name. address: its address on the web, or None."""
    from gdl.instructor.grading.exercise import NOT_ANSWERED

    rows = []
    for name, notebook in notebooks.items():
        first = notebook.cells[0].source
        title = first.partition("\n")[0].lstrip("# ").removeprefix("Exercise ")
        points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
        minutes = re.search(r"(\d+) minutes", first)
        rows.append(f"| [{title}]({name}) | {points:g} | {minutes.group(1) if minutes else ''} |")
    colab = (WITH_ADDRESS if address else WITHOUT_ADDRESS).format(wheel=wheel)
    return PAGE.format(rows="\n".join(rows), colab=colab, wheel=wheel, text=NOT_ANSWERED)
