"""Whose points another run of the grader has changed, such as after a check was corrected."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading import totals
from gdl.instructor.grading.matching import key
from gdl.instructor.grading.sheet import read_sheet, write_sheet
from gdl.instructor.grading.totals import Result, points_text

COLUMNS = ["when", "student", "identifier", "exercise", "total before", "total now", "state before", "what"]


def with_changes(results: Sequence[Result], grades: Path) -> list[Result]:
    """The results, with the entry `changed` for those whose points differ from those in the grades.csv of the run before.

    Points for an answer that had none yet are no change. The entry is a dictionary with the columns of changes.csv.
    """
    try:
        rows = read_sheet(grades, ("student", "identifier", "exercise", "total", "state")) if grades.exists() else []
    except CourseError:
        rows = []  # somebody has saved it as something else; it is written anew
    before = {_place(row): row for _, row in rows}
    return [result | ({"changed": change} if (change := _change(before.get(_place(result)), result)) else {}) for result in results]


def write_changes(results: Sequence[Result], path: Path) -> None:
    """Adds the changes of this run to changes.csv, which keeps those of earlier runs. Without a change nothing is written."""
    new = [result["changed"] for result in results if "changed" in result]
    if new:
        kept = [[row.get(column, "") for column in COLUMNS] for _, row in read_sheet(path, COLUMNS)] if path.exists() else []
        write_sheet(path, [COLUMNS, *kept, *([row[column] for column in COLUMNS] for row in new)])


def _place(row):
    return tuple(key(row[name]) for name in ("student", "identifier", "exercise"))


def _change(before: dict[str, str] | None, result: Result) -> dict[str, Any] | None:
    if before is None:
        return None
    pairs = [(question["name"], before.get(question["name"], ""), points_text(question["points"])) for question in result["questions"]]
    pairs.append(("late", before.get("deducted", ""), points_text(result.get("deducted") or None)))
    what = [f"{name}: {old or 'none'} → {new or 'none'}" for name, old, new in pairs if old != new and (old or name == "late")]
    if not what:
        return None
    return {
        "when": time.strftime("%Y-%m-%d %H:%M"), "student": result["student"], "identifier": result["identifier"], "exercise": result["exercise"],
        "total before": before["total"], "total now": points_text(totals.total(result)), "state before": before["state"], "what": "; ".join(what),
    }  # fmt: skip
