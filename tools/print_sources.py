"""Refreshes the cells of the chapters that print source code of the package, and leaves every other output as it is.

    python tools/print_sources.py           writes what these cells print now into chapters/*.ipynb
    python tools/print_sources.py --check   exit status 1, with the cells' places, where a chapter shows an older source

A chapter prints the code that it teaches. When that code changes without a change of a number, this saves executing all chapters.
"""

import argparse
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from gdl.files import whole_file

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"


def main():
    parser = argparse.ArgumentParser(description="Refreshes the cells of the chapters that print source code of the package.")
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where a chapter shows an older source")
    check = parser.parse_args().check
    stale = False
    for path in sorted(CHAPTERS.glob("[0-9][0-9]_*.ipynb")) + sorted((CHAPTERS / "appendix").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        older = {number: printed for number, printed in printed_sources(notebook).items() if notebook.cells[number].outputs[0].text != printed}
        for number, printed in older.items():
            print(f"{path.name}, cell {number}: {'an older source' if check else 'refreshed'}")
            notebook.cells[number].outputs[0].text = printed
        stale |= bool(older)
        if older and not check:
            with whole_file(path) as partial:
                nbformat.write(notebook, partial)
    sys.exit(check and stale)


def printed_sources(notebook):
    """What the cells with `getsource` print now, by their numbers; only they, the set-up and the settings are executed."""
    wanted = ("getsource", "gdl.settings(", "import gdl")
    chosen = [number for number, cell in enumerate(notebook.cells) if cell.cell_type == "code" and any(word in cell.source for word in wanted)]
    part = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(notebook.cells[number].source) for number in chosen])
    NotebookClient(
        part, kernel_name="python3", resources={"metadata": {"path": str(CHAPTERS)}}, coalesce_streams=True, extra_arguments=["--log-level=ERROR"]
    ).execute()
    return {number: cell.outputs[0].text for number, cell in zip(chosen, part.cells) if "getsource" in cell.source}


if __name__ == "__main__":
    main()
