"""Results of earlier runs: read with care, and kept where a notebook cannot be read this time or is no longer there."""

import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from gdl.instructor.grading import totals
from gdl.instructor.grading.submission import Submission
from gdl.instructor.grading.totals import Result, points_text

OF_A_PERSON = ("comment", "earlier", "automatic")  # of questions: `marks` adds them, and no file of a result holds them


def read_result(path: Path) -> Result:
    """The result that an earlier call has written to `path`, or an empty one if there is none or the file holds anything else."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    try:
        return result if _is_result(result) and result["name"] == path.stem else {}
    except (KeyError, TypeError, AttributeError):
        return {}


def _is_result(result):
    texts = [result[key] for key in ("student", "identifier", "exercise", "title", "file", "name", "digest")]
    texts += [*result["problems"], *result["person"]]
    for question in result["questions"]:
        texts += [question[key] for key in ("name", "title", "answer")] + [check[key] for check in question["checks"] for key in ("name", "message")]
        for one in [question, *question["checks"]]:
            if not _is_number(one["max"]) or one["points"] is not None and not (_is_number(one["points"]) and one["points"] <= one["max"]):
                return False
        if not isinstance(question["by_hand"], bool) or any(key in question for key in OF_A_PERSON):
            return False
    seconds = result.get("seconds")
    return (
        bool(result["questions"]) and all(isinstance(text, str) for text in texts) and isinstance(result["sandboxed"], bool)
        and "comment" not in result and (seconds is None or _is_number(seconds))
    )  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def still_stands(earlier: Result, submission: Submission) -> Result | None:
    """The earlier result with a sentence about the trouble, if there is one of a notebook and this time there is none. Else None."""
    if not submission.problem or not _is_of_notebook(earlier):
        return None
    sentence = f"The earlier result of {earlier['file']} stays, because this time {submission.file} cannot be graded: {submission.problem}"
    return earlier | {"person": [*submission.notes, *earlier["person"], sentence]}


def no_longer_there(folder: Path, names: Collection[str], exercises: Collection[str]) -> tuple[list[Result], list[tuple[str, str]]]:
    """The results in a folder of students whose notebooks are no longer among the submissions, each with a sentence that says so.

    names: of the results of this time. exercises: those that are graded this time. Also returns the files that hold no result, as (file,
    sentence).
    """
    results: list[Result] = []
    problems: list[tuple[str, str]] = []
    for path in sorted(folder.glob("[!.]*.json")) if folder.is_dir() else []:
        if path.stem in names:
            continue
        result = read_result(path)
        if not result:
            if path.stem.partition("__")[2] in exercises:
                sentence = "This file holds no result that can be read, and its notebook is not among the submissions."
                problems.append((f"{folder.name}/{path.name}", sentence))
        elif result["exercise"] in exercises and _is_of_notebook(result):
            fix = f"Delete {folder.name}/{path.name} if it must not count."
            sentence = f"The notebook is no longer among the submissions, and its earlier result stays. {fix}"
            results.append(result | {"person": [*result["person"], sentence]})
    return results, problems


def if_worse(earlier: Result, result: Result, submission: Submission) -> list[str]:
    """A sentence for the instructor if another notebook of the same student got more points before."""
    if not _is_of_notebook(earlier) or earlier.get("notebook") == submission.digest:
        return []
    before, now = totals.automatic(earlier), totals.automatic(result)
    if now >= before:
        return []
    points = f"{points_text(before)} points from the checks, and this one {points_text(now)}"
    return [f"The notebook that was here before ({earlier['file']}) got {points}."]


def _is_of_notebook(result):
    return bool(result) and bool(result.get("notebook") or totals.total(result))
