"""Reads the file that a student has handed in as a notebook, whatever it is."""

import json
from typing import Any

import nbformat

from gdl.errors import CourseError

_LOOKS_LIKE = {
    b"%PDF": "a PDF", b"\x89PNG": "a picture", b"\xff\xd8\xff": "a picture", b"PK\x03\x04": "a zip or an office document", b"<": "a web page",
    b"Rar!": "an archive", b"7z\xbc\xaf": "an archive", b"\x1f\x8b": "an archive",
}  # fmt: skip
_FIX = "hand in the .ipynb file itself, as Jupyter or Colab saves or downloads it"


def read_notebook(content: bytes) -> list[tuple[str, str, dict[str, Any]]]:
    """The cells of a notebook as (cell_type, source, metadata). What is not a cell is left out.

    Format 4 is read as it is, an older one is converted. Raises CourseError, one sentence, if the content is not a notebook.

    >>> read_notebook(b'{"cells": [{"cell_type": "code", "source": ["a = 1"]}]}')
    [('code', 'a = 1', {})]
    """
    if not content.strip():
        raise CourseError(f"The file is empty: {_FIX}.")
    for start, kind in _LOOKS_LIKE.items():
        if content.lstrip().startswith(start):
            raise CourseError(f"The file is {kind}, not a notebook: {_FIX}.")
    try:
        notebook = json.loads(content.decode(json.detect_encoding(content), "replace").removeprefix("\ufeff"))
    except RecursionError:
        raise CourseError(f"The file is nested too deeply for a notebook: {_FIX}.") from None
    except ValueError:
        raise CourseError(f"The file is not in a notebook's format, or is only a part of one: {_FIX}.") from None
    version = notebook.get("nbformat") if isinstance(notebook, dict) else None
    if isinstance(version, int) and 1 <= version < 4:
        try:
            notebook = nbformat.convert(nbformat.from_dict(notebook), 4)
        except Exception:  # an old notebook may hold anything
            raise CourseError(
                f"The file is a notebook in an old format ({version}) that cannot be converted: open it in Jupyter and save it again."
            ) from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list):
        raise CourseError(f"The file has no cells, so it is not a notebook: {_FIX}.")
    return [cell for cell in map(_cell, cells) if cell]


def _cell(cell):
    """A cell as (cell_type, source, metadata), or None for what is not a cell."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return None
    source, metadata = cell.get("source", ""), cell.get("metadata")
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return None
    source = source.encode("utf-8", "replace").decode("utf-8")  # half a character, which could not be written later
    return cell["cell_type"], source, dict(metadata) if isinstance(metadata, dict) else {}
