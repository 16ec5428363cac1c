"""person.csv: what needs a person, and the points and comments that a person has filled in."""

import copy
import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading import totals
from gdl.instructor.grading.matching import key as _key
from gdl.instructor.grading.matching import result_of
from gdl.instructor.grading.sheet import as_typed, harmless, read_sheet
from gdl.instructor.grading.totals import BY_HAND, Result, points_text

COLUMNS = ["student", "identifier", "exercise", "question", "max", "points", "comment", "why", "answer", "version", "file"]
CHANGED = "The answer has changed"  # the column `why` is read back: these sentences stay as they are
MAXIMUM = "The maximum has changed"
NOTICES = (CHANGED, MAXIMUM)
KEPT = "not among the results this time"
NO_POINTS = "not graded, for a reason outside the notebook"
NO_SANDBOX = " (graded without a sandbox)"
MAX_EXCERPT = 2000  # characters of an answer


def person_rows(results: Sequence[Result], problems: Sequence[tuple[str, str]] = ()) -> list[list[Any]]:
    """The rows of person.csv: open questions by exercise and question, then whole notebooks, then files that belong to no student."""
    rows: list[tuple[tuple[Any, ...], list[Any]]] = []  # (sort key, cells)
    for result in results:
        student = [result["student"], result["identifier"], result["exercise"]]
        unsafe = "" if result["sandboxed"] else NO_SANDBOX
        for question in result["questions"]:
            if question["points"] is None or "comment" in question or "earlier" in question:
                automatic = "changed by hand" if "comment" in question else NO_POINTS
                why = question.get("earlier") or (BY_HAND.rstrip(".") if question["by_hand"] else automatic)
                points = points_text(question["points"]) if "comment" in question else ""
                answer = question["answer"] if len(question["answer"]) <= MAX_EXCERPT else question["answer"][:MAX_EXCERPT] + "…"
                filled_in = [question["name"], points_text(question["max"]), points, question.get("comment", "")]
                row = [*student, *filled_in, why + unsafe, answer, version_of(question), result["file"]]
                rows.append(((0, result["exercise"], question["name"], result["student"].casefold(), result["identifier"]), row))
        reasons = totals.reasons(result)
        if reasons or result.get("comment"):
            row = [*student, "", "", "", result.get("comment", ""), " ".join(reasons) + unsafe, "", "", result["file"]]
            rows.append(((1, result["exercise"], result["student"].casefold(), result["identifier"]), row))
    rows.sort(key=lambda row: row[0])
    return [row for _, row in rows] + [["", "", "", "", "", "", "", why, "", "", file] for file, why in problems]


def kept_row(problem: str, row: dict[str, str]) -> list[str]:
    """The row of a person.csv that fits no result, as it is kept in the next one. problem: why it fits none."""
    kept = [row.get(column, "") for column in COLUMNS]
    if not row.get("why", "").startswith((*NOTICES, KEPT)):
        kept[COLUMNS.index("why")] = f"{KEPT}: {problem.partition(': ')[2]}" if "no such student" not in problem else KEPT
    return kept


def version_of(question: dict[str, Any]) -> str:
    """A digest of the answer: points for one answer must not be given to another. It begins with a letter, so no spreadsheet changes it."""
    return "v" + hashlib.sha256(question["answer"].encode("utf-8", "replace")).hexdigest()[:12]


def read_marks(path: str | Path, results: Sequence[Result]) -> list[Result]:
    """Returns the results with the points and comments of a filled-in person.csv. Rows without points change nothing.

    Any question may be given points, also one that the grader has marked. Points for an answer that has changed since, or above a maximum
    that was lowered since, are not applied; the next person.csv mentions them. Raises CourseError for a student or question that does not
    exist, and for points that are not a number, below 0 or above the maximum of the question.

    >>> read_marks("marks/person.csv", results)  # doctest: +SKIP
    """
    marked, unmatched = apply_marks(Path(path), results)
    for problem, row in unmatched:
        if not row.get("why", "").startswith(KEPT):  # which is known
            raise CourseError(problem)
    return marked


def apply_marks(path: Path, results: Sequence[Result], only_open: bool = False) -> tuple[list[Result], list[tuple[str, dict[str, str]]]]:
    """As `read_marks`, but returns (results, [(problem, row), ...]) with the rows whose student or question does not exist or is not clear.

    only_open: what already has a person's points or comment stays.
    """
    marked = copy.deepcopy(list(results))
    unmatched: list[tuple[str, dict[str, str]]] = []
    seen: dict[tuple[int, str], tuple[float | None, str]] = {}
    for line, row in read_sheet(path, ("student", "exercise", "question", "points")):
        points, comment, is_notice = row["points"], as_typed(row.get("comment", "")), row.get("why", "").startswith(NOTICES)
        if not points and not comment and not is_notice:
            continue
        place = f"{path.name}, line {line} ({harmless(row['student'], 60)}, {harmless(row['question'], 30) or 'no question'})"
        try:
            result = result_of(row, marked, place)
            question = _question(row, result, place)
        except LookupError as error:
            unmatched.append((str(error), row))
            continue
        if question is not None and (row.get("why", "").startswith(MAXIMUM) or is_notice and not points and not comment):
            question.setdefault("earlier", as_typed(row["why"]).removesuffix(NO_SANDBOX))
        if not points and not comment:
            continue
        if question is None:
            if points:
                raise CourseError(f"{place}: name the question that the points are for.")
            if not (only_open and result.get("comment")):
                result["comment"] = comment
            continue
        before = _maximum_before(row, question)
        value = _points(points, question["max"] if before is None else max(before, question["max"]), place) if points else None
        key = (id(question), result["file"])
        if seen.setdefault(key, (value, comment)) != (value, comment):
            raise CourseError(f"{place}: there are two different lines for this question.")
        if only_open and "comment" in question:
            continue
        got = f"it got {points_text(value) or 'no'} points before{': ' + comment if comment else ''}"
        if row.get("version") and row["version"] != version_of(question):
            question["earlier"] = f"{CHANGED}: {got}"
            continue
        if before is not None and value is not None:
            question["earlier"] = f"{MAXIMUM} from {points_text(before)} to {points_text(question['max'])}: {got}"
            if value > question["max"]:
                continue
        question["comment"] = comment
        if value is not None:
            if not question["by_hand"]:
                question.setdefault("automatic", question["points"])
            question["points"] = value
    return marked, unmatched


def _question(row, result, place):
    """The question that a row is about, or None for a row about the whole notebook. Raises LookupError if there is no such question."""
    name = _key(row["question"])
    if not name:
        return None
    for question in result["questions"]:
        if name in (_key(question["name"]), _key(question["title"])):
            return question
    raise LookupError(f"{place}: {result['exercise']} has no such question, only {', '.join(question['name'] for question in result['questions'])}.")


def _maximum_before(row, question):
    """The maximum that a row names if it is another than the question has now, or None."""
    text = row.get("max", "").replace(",", ".").lstrip("'")
    if not re.fullmatch(r"\d{1,6}(\.\d{0,6})?", text, re.ASCII) or abs(float(text) - question["max"]) < 1e-4:
        return None
    return float(text)


def _points(text, maximum, place):
    """Points as a person types them, with a decimal point or comma."""
    digits = text.replace(" ", "").lstrip("'")
    if re.fullmatch(r"-\d+([.,]\d*)?", digits) and float(digits.replace(",", ".")) < 0:
        raise CourseError(f"{place}: {text} points are below 0.")
    if not re.fullmatch(r"\d+([.,]\d*)?|[.,]\d+", digits, re.ASCII):
        raise CourseError(f"{place}: {harmless(text, 60)} is not a number of points.")
    value = float(digits.replace(",", "."))
    if value > maximum:
        raise CourseError(f"{place}: {points_text(value)} points, but the question has {points_text(maximum)}.")
    return int(value) if value.is_integer() else value
