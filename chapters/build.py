"""Executes the chapters and keeps each with its outputs; `make chapters` then makes the site from them.

    python chapters/build.py            executed notebooks in build/chapters/; those that are up to date stay
    python chapters/build.py --write    also writes the outputs back into the notebooks, for committing
    python chapters/build.py 00 01      only these chapters
    python chapters/build.py score      only the appendix whose name begins so

The environment variable GDL_PROFILE sets how much is computed; without it the profile is `quick`.
"""

import argparse
import base64
import hashlib
import io
import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import numpy as np
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

from gdl.files import whole_file

CHAPTERS = Path(__file__).resolve().parent
ROOT = CHAPTERS.parent
EXECUTED_HERE = ROOT / "build" / "chapters"
EXECUTED = CHAPTERS / "executed.txt"  # for each notebook the hash of the code that made its committed outputs
LIMIT = 1_450_000  # characters of a notebook with its pictures
CLOCK = re.compile(r" \[[\d:]+<[\d:]+, +[\d.]+(?:batch/s|s/batch)(?:, |\])")  # of a progress bar


def main():
    parser = argparse.ArgumentParser(description="Executes the chapters and keeps each with its outputs.")
    parser.add_argument("chapters", nargs="*", help="how the chapters' names begin, such as 00 or 01_auto; the default is all chapters")
    parser.add_argument("--write", action="store_true", help="also write the outputs into the notebooks")
    options = parser.parse_args()
    os.environ.setdefault("GDL_PROFILE", "quick")

    all_chapters = sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb")) + sorted((CHAPTERS / "appendix").glob("*.ipynb"))
    chosen = [path for path in all_chapters if not options.chapters or path.name.startswith(tuple(options.chapters))]
    if not chosen:
        sys.exit(f"No chapter's name begins with {' or '.join(options.chapters)}: the chapters are {', '.join(p.stem for p in all_chapters)}.")
    failed = 0
    with tempfile.TemporaryDirectory() as runs:  # empty, so that each chapter trains its own models
        os.environ["GDL_RUNS"] = runs
        for path in chosen:
            if not options.write and up_to_date(path):
                print(f"{path.stem}: up to date")
            else:
                failed += not build(path, options.write)
    sys.exit(bool(failed))


def build(path, write):
    """Executes one chapter and keeps it with its outputs. Returns whether every cell ran."""
    notebook = nbformat.read(path, as_version=4)
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    fingerprint = sources(path)
    start = time.monotonic()

    def progress(cell, cell_index):
        done = sum(c.cell_type == "code" for c in notebook.cells[: cell_index + 1])
        print_progress(f"{path.stem}: cell {done} of {cells}, {time.monotonic() - start:.0f} s")

    client = NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=progress,
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        extra_arguments=["--log-level=ERROR"],
    )
    problem = None
    try:
        client.execute()
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    remove_widgets(notebook)
    remove_blank_text(notebook)
    attach_finished_picture(notebook)
    keep(path, notebook, "" if problem else fingerprint)
    if problem:
        print_progress(f"{path.stem}: stopped with {problem}\n")
        return False
    if write:
        remove_clock(notebook)
        shrink_pictures(notebook)
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook.metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
        with whole_file(path) as partial:
            nbformat.write(notebook, partial)
        record(path.stem, code_hash(notebook))
    print_progress(f"{path.stem}: done, {time.monotonic() - start:.0f} s\n")
    return True


def code_hash(notebook):
    """A hash of the notebook's code. The address of the course in the set-up cell does not count, because it changes no output."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(re.sub(r'^COURSE = ".*?"', "", "\n\n".join(code), flags=re.MULTILINE).encode()).hexdigest()


def record(name, digest):
    """Writes the hash of the code that has been executed into EXECUTED."""
    lines = dict(line.split() for line in EXECUTED.read_text(encoding="utf-8").splitlines()) if EXECUTED.is_file() else {}
    lines[name] = digest
    with whole_file(EXECUTED) as partial:
        partial.write_text("".join(f"{name} {digest}\n" for name, digest in sorted(lines.items())), encoding="utf-8")


def remove_widgets(notebook):
    """Removes the widgets from the outputs, because their kernel has ended; the picture beside each widget is shown instead."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def remove_blank_text(notebook):
    """Removes what a progress bar leaves when it has cleared itself."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.output_type != "stream" or output.text.strip()]


def remove_clock(notebook):
    """Removes from the progress bars how long the steps took, which says something about this machine only."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                output.text = CLOCK.sub(lambda match: "" if match.group().endswith("]") else " [", output.text)


def attach_finished_picture(notebook):
    """Copies the picture of the cell tagged `finished-picture` into the first cell, which shows it."""
    tagged = [cell for cell in notebook.cells if "finished-picture" in cell.metadata.get("tags", [])]
    pictures = [output.data["image/png"] for cell in tagged for output in cell.outputs if "image/png" in output.get("data", {})]
    if pictures:
        notebook.cells[0]["attachments"] = {"finished.png": {"image/png": pictures[-1]}}
    else:  # the chapter stopped before this cell
        notebook.cells[0].source = re.sub(r"!\[[^]]*\]\(attachment:.*?\)", "", notebook.cells[0].source)


def shrink_pictures(notebook):
    """Makes the PNG files smaller without a visible change: no transparency, 256 colours for charts, best compression.

    In a notebook that would still be larger than LIMIT, pictures of faces get 256 colours too, then 128 and 64, the largest first.
    """
    attachments = [bundle for cell in notebook.cells for bundle in cell.get("attachments", {}).values()]
    outputs = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    with_picture = [data for data in attachments + outputs if "image/png" in data]
    for data in with_picture:
        picture = decoded(data["image/png"])
        reduced = in_colours(picture, 256)
        is_chart = np.abs(np.asarray(reduced.convert("RGB"), int) - np.asarray(picture, int)).mean() < 0.5
        data["image/png"] = encoded(reduced if is_chart else picture)
    for colours in (256, 128, 64):
        for data in sorted(with_picture, key=lambda data: len(data["image/png"]), reverse=True):
            if len(nbformat.writes(notebook)) <= LIMIT:
                return
            data["image/png"] = encoded(in_colours(decoded(data["image/png"]), colours))


def in_colours(picture, colours):
    return picture.quantize(colours, method=Image.Quantize.MEDIANCUT, kmeans=2, dither=Image.Dither.NONE)


def decoded(letters):
    """The picture of a PNG file that is written in the letters of a notebook."""
    return Image.open(io.BytesIO(base64.b64decode(letters))).convert("RGB")


def encoded(picture):
    """A picture as PNG, in the letters of a notebook."""
    packed = io.BytesIO()
    picture.save(packed, format="PNG", optimize=True)
    return base64.b64encode(packed.getvalue()).decode()


def print_progress(text):
    """Prints a line of progress, which replaces the last one in a terminal. Elsewhere only the finished line is printed."""
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    elif text.endswith("\n"):
        print(text, end="", flush=True)


def sources(path):
    """A hash of everything that the outputs are made from."""
    digest = hashlib.sha256(path.read_bytes())
    for file in sorted((ROOT / "gdl").rglob("*.py")):
        digest.update(file.read_bytes())
    for name in ("GDL_PROFILE", "GDL_DATA"):
        digest.update(os.environ.get(name, "").encode())
    return digest.hexdigest()


def up_to_date(path):
    """Whether the chapter was executed with this code, this package and this profile."""
    kept = EXECUTED_HERE / f"{path.stem}.ipynb"
    return kept.is_file() and nbformat.read(kept, as_version=4).metadata.get("made_from") == sources(path)


def keep(path, notebook, made_from):
    """Writes the executed notebook into EXECUTED_HERE. made_from: the hash of its sources, or "" if it stopped with an error."""
    notebook.metadata["made_from"] = made_from
    with whole_file(EXECUTED_HERE / f"{path.stem}.ipynb") as partial:
        nbformat.write(notebook, partial)


if __name__ == "__main__":
    main()
