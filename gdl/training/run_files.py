"""The files of a run folder without TensorFlow: where it is, the settings in run.json, which epochs there are, and the history."""

import csv
import io
import json
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd

from gdl.errors import CourseError
from gdl.files import write_file

KINDS = {"model": str, "options": dict, "precision": str, "optimizers": dict, "data": str, "training": dict}  # of the entries of run.json


def run_path(run: Any) -> Path:
    """The path of a run folder; CourseError for what is not the name of a folder."""
    if not isinstance(run, (str, os.PathLike)) or not str(run).strip() or "\0" in str(run):
        raise CourseError(f"run is {run!r}: give the name of a folder, such as 'runs/vae'.")
    return Path(run).expanduser()


def read_settings(folder: Path) -> dict:
    """The settings that a training began with, from its run.json. CourseError for a folder without them."""
    file = folder / "run.json"
    if not file.exists():
        why = "it has no run.json" if folder.is_dir() else "there is no such folder"
        raise CourseError(f"{folder} is not a run: {why}; give the folder that a training wrote to.")
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        if not all(isinstance(settings[name], kind) and settings[name] for name, kind in KINDS.items()):
            raise ValueError
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror or error}): {_without_settings(folder)}.") from None
    except (ValueError, KeyError, TypeError):  # no JSON, an entry is missing, or it is no dict
        raise CourseError(f"{file} is damaged or not of this course: {_without_settings(folder)}.") from None
    return settings


def _without_settings(folder):
    files = weights_files(folder)
    rescue = f", or make the model as before and read its weights with model.load_weights({str(files[-1])!r})" if files else ""
    return f"copy it again from where the run was trained{rescue}"


def check_no_weights(folder: Path) -> None:
    """CourseError for a folder with weights, from which run.json is missing."""
    if files := weights_files(folder):
        raise CourseError(f"{folder} has {files[-1].name} but no run.json, which says how it was trained: {_without_settings(folder)}.")


def weights_files(folder: Path) -> list[Path]:
    """Paths of the saved epochs, oldest first."""
    files = [file for file in folder.glob("epoch-*.weights.h5") if re.fullmatch(r"epoch-\d+\.weights\.h5", file.name)]
    return sorted(files, key=epoch_of)


def epoch_of(file: Path) -> int:
    """The number of the epoch whose weights a file has.

    >>> epoch_of(Path("runs/vae/epoch-0003.weights.h5"))
    3
    """
    return int(file.name.split(".")[0].removeprefix("epoch-"))


def write_history(folder: Path, rows: list[dict], counters: dict) -> None:
    """Writes the history in history.json, from which training continues, and in history.csv, for people.

    A spreadsheet that has history.csv open, or has changed it, does not stop or change the training.
    counters: see `gdl.training.counters.Counters`.
    """
    write_file(folder / "history.json", json.dumps({"rows": rows, "counters": counters}, default=_plain))
    try:
        write_file(folder / "history.csv", pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))
    except CourseError as error:
        print(f"{error} The training goes on; the file is written again after the next epoch.")


def read_history(folder: Path, epochs: int) -> tuple[list[dict], dict]:
    """The rows of the first `epochs` epochs, and the counters of all epochs. Prints a note if rows are missing."""
    try:
        history = json.loads((folder / "history.json").read_text(encoding="utf-8"))
        rows, counters = [{**row, "epoch": int(row["epoch"])} for row in history["rows"]], dict(history["counters"])
    except (OSError, ValueError, KeyError, TypeError):  # missing, as in a run of version 0.1.0, or damaged
        rows, counters = _read_csv(folder / "history.csv"), {}
    rows = [row for row in rows if row["epoch"] <= epochs]
    if missing := sorted(set(range(1, epochs + 1)) - {row["epoch"] for row in rows}):
        words = ", ".join(map(str, missing))
        print(f"The history in {folder} lacks the epochs {words}, because its files are missing or changed; the weights have all epochs.")
    return rows, counters


def _read_csv(file):
    """The rows of history.csv, as written here or by a spreadsheet; none if it cannot be read."""
    try:
        text = file.read_text(encoding="utf-8-sig")
        separator = next((mark for mark in ";\t" if mark in text.split("\n")[0]), ",")
        if separator != ",":
            text = text.replace(",", ".")  # decimal commas
        rows = csv.DictReader(io.StringIO(text), delimiter=separator)  # pandas does not read back the exact floats in every version
        numbers = [{name: _number(entry) for name, entry in row.items()} for row in rows]
        return [{**row, "epoch": int(row["epoch"])} for row in numbers]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []


def _number(text):
    """The number that a text is; an empty one is NaN, and another text stays."""
    for kind in (int, float):
        try:
            return kind(text or "nan")
        except ValueError:
            continue
    return text


def _plain(value):
    """A number of NumPy or TensorFlow as Python's; anything else that a callback puts into the history as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
