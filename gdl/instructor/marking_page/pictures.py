"""The pictures that belong to a question in a student's notebook: what its cells show, and what was pasted into a text."""

import base64
import binascii
import io
import json
import warnings
from typing import Any

from PIL import Image

MAX_PICTURES = 12  # of one question
MAX_BYTES = 4 * 2**20  # of one picture
MAX_PIXELS = 30_000_000  # of one picture
TYPES = {"image/png": "PNG", "image/jpeg": "JPEG"}


def pictures_of(content: bytes, title: str) -> list[tuple[str, bytes]]:
    """The PNG and JPEG pictures below the heading `title` up to the next heading of its level, as (type, bytes). At most twelve.

    content: of a notebook. What is no picture, or a larger one than a page should show, is left out.
    """
    try:
        cells = json.loads(content)["cells"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    found: list[tuple[str, bytes]] = []
    inside = False
    for cell in cells if isinstance(cells, list) else []:
        if not isinstance(cell, dict):
            continue
        headings = [line.lstrip("# ").strip() for line in _text(cell.get("source")).split("\n") if line.startswith("## ")]
        if cell.get("cell_type") == "markdown" and headings:
            inside = title in headings
        if inside:
            found += [picture for bundle in _bundles(cell) if (picture := _picture(bundle))]
    return found[-MAX_PICTURES:]


def _bundles(cell: dict[str, Any]) -> list[Any]:
    """The data of a cell's outputs and attachments, by their types."""
    outputs, attachments = cell.get("outputs"), cell.get("attachments")
    bundles = [output.get("data") for output in outputs if isinstance(output, dict)] if isinstance(outputs, list) else []
    return bundles + (list(attachments.values()) if isinstance(attachments, dict) else [])


def _picture(bundle):
    """A picture as (type, bytes), or None if these data hold none that may be shown."""
    for kind, name in TYPES.items():
        data = _text(bundle.get(kind)) if isinstance(bundle, dict) else ""
        if not data or len(data) > 1.4 * MAX_BYTES:
            continue
        try:
            content = base64.b64decode(data)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(io.BytesIO(content), formats=[name]) as image:  # reads the head only
                    if image.width * image.height <= MAX_PIXELS:
                        return kind, content
        except (binascii.Error, ValueError, OSError, SyntaxError, Image.DecompressionBombError):
            continue
    return None


def _text(value):
    """A text of a notebook, which may be a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
