"""CSV files for spreadsheets and learning platforms. The text in them is not trusted."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.instructor.grading.clean import clean

# A spreadsheet takes a cell with such a beginning for a formula. If it splits lines at another separator, what follows that one is a cell too.
_FORMULA = re.compile(r'(?:^|(?<=[,;|\t"]))(\s*)(?=[=+\-@\uff0b\uff0d\uff1d\uff20])')
_HARMLESS = re.compile(r"""(^|[,;|\t"])(\s*)'(?=[=+\-@\uff0b\uff0d\uff1d\uff20])""")
MAX_CELL = 30_000  # characters; Excel allows 32,767


def harmless(value: Any, limit: int = MAX_CELL) -> Any:
    """A cell that no spreadsheet takes for a formula: one line, with an apostrophe before what would begin one. Numbers stay numbers.

    >>> harmless("=1+1")
    "'=1+1"
    """
    if isinstance(value, (int, float)):
        return value
    lines = [clean(line, limit) for line in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", str(value))]
    return _FORMULA.sub(r"\1'", clean(" ¶ ".join(line for line in lines if line), limit))


def as_typed(cell: str) -> str:
    """The text from which `harmless` has made this cell."""
    return _HARMLESS.sub(r"\1\2", cell).replace(" ¶ ", "\n")


def write_sheet(path: Path, rows: Iterable[Sequence[Any]], mark: bool = True) -> None:
    """Writes rows of cells to a CSV file, whole or not at all. mark: begin with a byte order mark, without which Excel shows é as Ã©."""
    with whole_file(path) as partial, open(partial, "w", newline="", encoding="utf-8-sig" if mark else "utf-8", errors="replace") as file:
        csv.writer(file).writerows([harmless(cell) for cell in row] for row in rows)


def read_sheet(path: Path, needed: Iterable[str]) -> list[tuple[int, dict[str, str]]]:
    """The rows of a CSV file as Excel or LibreOffice saves it: a list of (line number, cells by column in lower case).

    The separator may be a comma, a semicolon or a tab, the encoding UTF-8, UTF-16 or a Western code page, and the columns in any order.
    needed: columns that must be there. A cell that a short row lacks is "". Raises CourseError.
    """
    rows, first = _lines(path)
    columns = [name.casefold() for name in _names(rows)]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise CourseError(f"{path} has no column {', '.join(missing)} in its first line: keep the first line as the grader wrote it.")
    cells = ((number, [cell.strip() for cell in row[: len(columns)]]) for number, row in enumerate(rows[1:], first + 1) if any(map(str.strip, row)))
    return [(number, dict(zip_longest(columns, row, fillvalue=""))) for number, row in cells]


def read_columns(path: Path) -> list[str]:
    """The names of the columns of such a file, as its first line has them. Raises CourseError."""
    return _names(_lines(path)[0])


def _names(rows):
    return [name.strip().strip('"') for name in rows[0]] if rows else []


def _lines(path):
    """The lines of a CSV file as lists of cells, and the number of the first one. Raises CourseError."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}): check the path.") from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CourseError(f"{path} is a spreadsheet: save it as CSV first.")
    text = _decoded(content)
    if sep_line := re.match(r"sep=(.)\r?\n", text):  # Excel's way to name the separator
        text = text[sep_line.end() :]
    head = text.split("\n", 1)[0]
    separator = sep_line[1] if sep_line else max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise CourseError(f"{path} cannot be read as CSV ({error}): save it as CSV again.") from None
    return rows, 2 if sep_line else 1


def _decoded(content):
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1")
