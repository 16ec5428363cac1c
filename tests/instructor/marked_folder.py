"""A folder of marks with open answers, a solution and submissions, for tests of the page for marking."""

import base64
import io
import json

import nbformat
from made_results import result
from PIL import Image
from small_solution import marks as nbgrader
from submissions import put

from gdl.instructor.grading.submission import digest_of_notebook
from gdl.instructor.grading.tables import write_tables

HEADING = "Question 2 · Why?"
EVIL = "<script>window.evil = 1</script><img src=x onerror='window.evil = 1'>[x](javascript:alert(1)) $\\text{<script>window.evil = 1</script>}$"
SOLUTION = (
    "**Model answer.** The variance is $v = \\sigma^2$.\n\n```python\nx < 1\n```\n\n"
    "**Marking:** 1 point for $v$, half a point for a reason."
)  # fmt: skip


def png(colour):
    """The bytes of a small picture in one colour."""
    made = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(made, "PNG")
    return made.getvalue()


def notebook_with_picture(colour, answer):
    """The bytes of a notebook with a picture below the heading of the open question."""
    data = {"image/png": base64.b64encode(png(colour)).decode(), "text/html": "<script>window.evil = 1</script>"}
    output = {"output_type": "display_data", "data": data, "metadata": {}}
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": "# Exercise 02 · The variational autoencoder"},
        {"cell_type": "markdown", "metadata": {}, "source": f"## {HEADING}\n\nWhy is that so?"},
        {"cell_type": "code", "metadata": {}, "source": "show()", "outputs": [output], "execution_count": 1},
        {"cell_type": "markdown", "metadata": {"nbgrader": {"grade_id": "q2"}}, "source": answer},
        {"cell_type": "markdown", "metadata": {}, "source": "## Something else"},
        {"cell_type": "code", "metadata": {}, "source": "show()", "outputs": [output], "execution_count": 2},
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def marked_folder(folder, answers=("Because $v < 1$.", EVIL, "")):
    """Makes folder/marks, folder/submissions and folder/solutions. Returns the three paths. One student for each answer."""
    names = ["Ada Lovelace", "Ben =1+1", "Çelik Ümit", "Dora", "Emil"][: len(answers)]
    results = []
    for number, (name, answer) in enumerate(zip(names, answers)):
        content = notebook_with_picture((10 * number, 200, 30), answer)
        one = result(name, str(1000 + number), name=f"student-{number}__02_vae", notebook=digest_of_notebook(content))
        one["questions"][1] |= {"answer": answer}
        put(folder / "submissions", {one["file"]: content})
        (folder / "marks" / "results").mkdir(parents=True, exist_ok=True)
        (folder / "marks" / "results" / f"{one['name']}.json").write_text(json.dumps(one), encoding="utf-8")
        results.append(one)
    write_tables(results, folder / "marks", [("lost.zip", "This zip cannot be opened.")])
    text = nbformat.v4.new_markdown_cell
    cells = [
        text("# Exercise 02 · The variational autoencoder"),
        text(f"## {HEADING}\n\nWhy is $\\sigma^2$ a variance?"),
        text(SOLUTION, metadata=nbgrader("q2", grade=True, solution=True, points=2)),
    ]
    (folder / "solutions").mkdir(exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "solutions" / "02_vae.ipynb")
    (folder / "solutions" / "02_vae.md").write_text("# Exercise\n\n| a |\n|---|\n| b |\n\nAccept other reasons.\n")
    return folder / "marks", folder / "submissions", folder / "solutions"
