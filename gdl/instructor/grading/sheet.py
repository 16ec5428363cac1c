"""CSV files that spreadsheets and learning platforms write and read, with text in them that nobody need trust."""

import csv
import io
import re

from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.instructor.grading.walk import clean

# A spreadsheet takes a cell that begins so for a formula; after a separator, too, if it splits at another one than ours.
_FORMULA = re.compile(r'(?:^|(?<=[,;|\t"]))(\s*)(?=[=+\-@\uff0b\uff0d\uff1d\uff20])')
_HARMLESS = re.compile(r"""(^|[,;|\t"])(\s*)'(?=[=+\-@\uff0b\uff0d\uff1d\uff20])""")
LONGEST = 30_000  # characters in a cell; Excel takes 32,767


def harmless(value, limit=LONGEST):
    """A cell that no spreadsheet takes for a formula: one line, with an apostrophe before what would begin one."""
    if isinstance(value, (int, float)):
        return value
    lines = [clean(line, limit) for line in re.split(r"\r\n|[\n\r\v\f\x85\u2028\u2029]", str(value))]
    return _FORMULA.sub(r"\1'", clean(" ¶ ".join(line for line in lines if line), limit))


def as_typed(cell):
    """The text that `harmless` made a cell of."""
    return _HARMLESS.sub(r"\1\2", cell).replace(" ¶ ", "\n")


def write_sheet(path, rows, mark=True):
    """Writes rows of cells to a CSV file, whole or not at all. mark: with the byte order mark without which Excel takes é for Ã©."""
    with whole_file(path) as partial, open(partial, "w", newline="", encoding="utf-8-sig" if mark else "utf-8", errors="replace") as file:
        csv.writer(file).writerows([harmless(cell) for cell in row] for row in rows)


def read_sheet(path, needed):
    """The rows of a CSV file as Excel or LibreOffice saves it: a list of (row number, dict by column in lower case).

    Commas, semicolons or tabs; UTF-8, UTF-16 or a Western code page; columns in any order. needed: columns that must be there.
    Raises CourseError.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CourseError(f"{path} cannot be read ({error.strerror}).") from None
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise CourseError(f"{path} is a spreadsheet: save it as CSV first.")
    text = _decoded(content)
    if told := re.match(r"sep=(.)\r?\n", text):
        text = text[told.end() :]
    head = text.split("\n", 1)[0]
    separator = told[1] if told else max(",;\t", key=head.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise CourseError(f"{path} is not a CSV file that can be read ({error}).") from None
    columns = [name.strip().strip('"').casefold() for name in rows[0]] if rows else []
    missing = [name for name in needed if name not in columns]
    if missing:
        raise CourseError(f"{path} has no column {', '.join(missing)} in its first line: keep the first line as it was.")
    first = 2 if told else 1
    return [(number, dict(zip(columns, map(str.strip, row)))) for number, row in enumerate(rows[1:], first + 1) if any(map(str.strip, row))]


def _decoded(content):
    encodings = ["utf-16"] if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            pass
    return content.decode("latin-1")
