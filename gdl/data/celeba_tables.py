"""CelebA's two tables, the attributes and the official split, in the forms in which copies of them are shared."""

import csv
import io
import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gdl.data.report import printable, say
from gdl.errors import DataError

ATTRIBUTES = (
    "5_o_Clock_Shadow Arched_Eyebrows Attractive Bags_Under_Eyes Bald Bangs Big_Lips Big_Nose Black_Hair Blond_Hair Blurry Brown_Hair "
    "Bushy_Eyebrows Chubby Double_Chin Eyeglasses Goatee Gray_Hair Heavy_Makeup High_Cheekbones Male Mouth_Slightly_Open Mustache "
    "Narrow_Eyes No_Beard Oval_Face Pale_Skin Pointy_Nose Receding_Hairline Rosy_Cheeks Sideburns Smiling Straight_Hair Wavy_Hair "
    "Wearing_Earrings Wearing_Hat Wearing_Lipstick Wearing_Necklace Wearing_Necktie Young"
).split()
ABSENT = -2  # said in words, while 0 beside -1 may stand for "unknown"
VALUES = {"1": 1, "+1": 1, "0": 0, "-1": -1}  # of attributes, in small letters
VALUES |= dict.fromkeys(("true", "yes", "t", "y"), 1) | dict.fromkeys(("false", "no", "f", "n"), ABSENT)
SPLIT_OF = {"0": "train", "1": "val", "2": "test"}  # as list_eval_partition numbers them
SPLIT_OF |= {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test", "testing": "test"}
SPLIT_COLUMNS = ("partition", "split", "set", "subset", "evaluationstatus")  # without capitals and anything but letters and digits
NAME_COLUMNS = ("imageid", "filename", "imagename", "file", "image", "photo", "img", "name", "id", "path", "imagepath", "filepath")


def photo_key(name: str) -> str:
    """What a photograph's name and its row in a table have in common: no folder, no ending, no leading zeros.

    >>> photo_key("img_align_celeba/000012.jpg"), photo_key("12")
    ('12', '12')
    """
    name = name.strip().replace("\\", "/").rpartition("/")[2]
    stem, _, ending = name.rpartition(".")
    stem = stem if stem and ending[:1].isalpha() else name
    return (stem.lstrip("0") or "0") if stem.isdecimal() else stem


def read_attributes(path: Path, names: Sequence[str]) -> pd.DataFrame:
    """The attributes of photographs as a DataFrame of bool with their names as index; DataError if the table is wrong.

    Values: -1 or 1, 0 or 1, True or False, yes or no. Columns: CelebA's attributes, also with spaces or in another
    case, and others with such values. The rest is left out, which is printed.
    """
    table = _rows_of(_read(path), path, names)
    official = {_plain(name): name for name in ATTRIBUTES}
    columns, left_out = {}, []
    for column in table.columns:
        numbers = _numbers(table[column], VALUES, (ABSENT, -1, 0, 1))
        name = official.get(_plain(column), column)
        if _plain(column) in SPLIT_COLUMNS:
            continue
        if np.isnan(numbers).any():
            if name in ATTRIBUTES:
                raise _wrong_value(path, table[column], np.isnan(numbers), "-1 or 1")
            left_out.append(printable(column))
        elif name in columns:
            raise DataError(f"{path} has two columns for {name}: remove one.")
        else:
            columns[name] = numbers
    if not columns:
        raise DataError(f"{path} has no column with an attribute: name its columns in the first line, as in image_id, {', '.join(ATTRIBUTES[:2])}.")
    values = np.column_stack(list(columns.values()))
    if (values == -1).any() and (values == 0).any():
        name = next(name for name, numbers in columns.items() if (numbers == 0).any())
        column = next(column for column in table.columns if official.get(_plain(column), column) == name)
        raise _wrong_value(path, table[column], columns[column] == 0, "-1 or 1")
    if left_out:
        say(f"{printable(path)}: columns that are no attributes are left out ({', '.join(left_out[:6])}).")
    return pd.DataFrame(values == 1, index=table.index, columns=list(columns))


def read_partition(path: Path, names: Sequence[str]) -> pd.Series:
    """The splits of photographs, "train", "val" or "test", with their names as index; DataError if the table is wrong.

    Values: 0, 1 or 2, or the names of the splits.
    """
    table = _read(path)
    column = split_column(table.columns)
    if column is None:
        raise DataError(f"{path} has no column that tells the split: name it partition (0 train, 1 val, 2 test).")
    column_of_names = _rows_of(table, path, names)[column]
    places = {word: ("train", "val", "test").index(split) for word, split in SPLIT_OF.items()}
    numbers = _numbers(column_of_names, places, (0, 1, 2))
    if np.isnan(numbers).any():
        raise _wrong_value(path, column_of_names, np.isnan(numbers), "0, 1 or 2")
    return pd.Series(np.array(("train", "val", "test"))[numbers.astype(int)], index=column_of_names.index)


def has_partition(path: Path) -> bool:
    """Whether a table tells the splits."""
    return split_column(_read(path).columns) is not None


def split_column(columns: Iterable[str]) -> str | None:
    """The column that tells the split: by its name, or because it is the only one. None if there is none."""
    columns = list(columns)
    named = [column for name in SPLIT_COLUMNS for column in columns if _plain(column) == name]
    return named[0] if named else columns[0] if len(columns) == 1 else None


def _read(path):
    """A table with the names of the photographs, as they are in it, as index."""
    lines = [line for line in re.split("[\r\n]+", _text(path)) if line.strip() and not line.lower().startswith(("#", "sep="))]  # Excel's first line
    count, first = None, 0
    if lines and (match := re.fullmatch(r'[\s"]*(\d+)[\s",;]*', lines[first])):
        count, first = int(match[1]), first + 1
    if lines and lines[0].lstrip().startswith("<"):
        raise _no_table(path, "it is a web page")
    if first + 1 >= len(lines):
        raise _no_table(path, "it has no rows")
    separator = next((mark for mark in "\t;,|" if mark in lines[first + 1]), None)
    header, row = (_cells(lines[first + i], separator) for i in (0, 1))
    last = [cell.lower() for cell in header[1:] if cell][-1:]
    if last and (last[0] in VALUES or last[0] in SPLIT_OF):  # it is a row already
        header = {2: ["", "partition"], len(ATTRIBUTES) + 1: ["", *ATTRIBUTES]}.get(len(row), [])
        if not header:
            raise _no_table(path, "its first line does not name its columns")
    else:
        first += 1
    columns = _columns(path, header, row)
    try:
        with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
            rows = io.StringIO("\n".join(lines[first:]))
            table = pd.read_csv(
                rows, sep=separator or r"\s+", header=None, names=range(len(columns)), low_memory=False, keep_default_na=False, na_values=[""]
            )
    except (ValueError, pd.errors.ParserWarning) as error:  # pandas' own errors are ValueErrors
        found = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        why = f"row {found[2]} has {found[3]} values and the first row {found[1]}" if found else "its rows cannot be told apart"
        raise _no_table(path, why) from None
    if count is not None and count != len(table):
        raise _no_table(path, f"its first line says {count:,} rows and it has {len(table):,}")
    table = table.set_axis(columns, axis=1)
    names = _names_column(path, table)
    kept = [i for i, column in enumerate(columns) if i != names and not _is_number_of_row(column) and not table.iloc[:, i].isna().all()]
    index = table.iloc[:, names].astype(str).str.strip()
    if _plain(index.iloc[0]) in NAME_COLUMNS:
        raise _no_table(path, "its first line does not name its columns")
    table = table.iloc[:, kept].set_axis(index)
    if table.columns.has_duplicates:
        raise DataError(f"{path} has two columns {table.columns[table.columns.duplicated()][0]}: remove one.")
    return table


def _text(path):
    try:
        content = path.read_bytes()
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): make sure that you may read it.") from None
    except UnicodeError:
        raise _no_table(path, "it is no text in UTF-8") from None


def _cells(line, separator):
    cells = next(csv.reader([line], delimiter=separator), []) if separator else line.split()
    return [cell.strip().strip('"') for cell in cells]


def _columns(path, header, row):
    """The names of the columns, as many as a row has cells."""
    if len(header) == len(row):
        return header
    if len(header) == len(row) - 1:  # the official table does not name its first column
        return [*header, ""] if not row[-1] else ["", *header]
    if _plain("".join(header)).removeprefix("imageid") == _plain("".join(ATTRIBUTES)) and len(row) == len(ATTRIBUTES) + 1:
        return ["", *ATTRIBUTES]  # their names were split at spaces
    raise _no_table(path, f"its header names {len(header)} columns and a row has {len(row)} values")


def _names_column(path, table):
    """The number of the column with the names of the photographs."""
    texts = [i for i in range(table.shape[1]) if isinstance(table.iloc[0, i], str) and re.search(r"\.[A-Za-z]\w{1,4}$", table.iloc[0, i].strip())]
    named = [i for name in NAME_COLUMNS for i, column in enumerate(table.columns) if _plain(column) == name]
    best = [i for i in named if i in texts] or texts or named
    if best:
        return best[0]
    first = table.iloc[:, 0]
    if isinstance(first.iloc[0], str) or (first.dtype.kind == "i" and first.is_unique and first.min() > 0):
        return 0
    raise _no_table(path, "it has no column with the names of the photographs (image_id)")


def _is_number_of_row(column):
    """Whether pandas has made this column, which numbers the rows."""
    return _plain(column) in ("", "index") or re.fullmatch(r"unnamed\d+", _plain(column)) is not None


def _rows_of(table, path, names):
    """The rows of photographs, in their order, with their names as index."""
    rows, keys = table.index, list(names)
    if not set(keys) <= set(rows):
        rows, keys = rows.map(photo_key), list(map(photo_key, names))
    if rows.has_duplicates:
        raise _no_table(path, f"{printable(table.index[rows.duplicated()][0])} is in it twice")
    known = set(rows)
    missing = [name for name, key in zip(names, keys) if key not in known]
    if missing:
        number = "1 photograph" if len(missing) == 1 else f"{len(missing):,} photographs"
        have = "has" if len(missing) == 1 else "have"
        raise DataError(f"{number} ({printable(missing[0])}) {have} no row in {path}: use photographs and tables from the same copy of CelebA.")
    return table.set_axis(rows).loc[keys].set_axis(list(names))


def _numbers(column, words, numbers):
    """The numbers of a column, float64, of which each is one of `numbers`; NaN for any other value."""
    if column.dtype.kind == "b":
        values = np.where(column, 1.0, ABSENT)
    elif column.dtype.kind in "iuf":
        values = column.to_numpy(np.float64)
    else:
        values = column.astype(str).str.strip().str.lower().str.removesuffix(".0").map(words).to_numpy(np.float64)
    return np.where(np.isin(values, numbers), values, np.nan)


def _plain(name):
    return re.sub(r"[^a-z0-9]", "", str(name).lower())


def _wrong_value(path, column, wrong, allowed):
    name, value = column.index[wrong][0], column[wrong].iloc[0]
    value = "empty" if pd.isna(value) else value
    number = "1 such value" if wrong.sum() == 1 else f"{int(wrong.sum()):,} such values"
    return DataError(f"In {path} a value is not {allowed} but {value} ({name}, {column.name}; {number}): correct it there.")


def _no_table(path, why):
    return DataError(f"The table {path} cannot be used because {why}: correct it, or copy it again.")
