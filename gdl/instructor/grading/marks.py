"""person.csv: what needs a person, and the points and comments that come back in it."""

import copy
import hashlib
import re
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import totals
from gdl.instructor.grading.names import canonical
from gdl.instructor.grading.sheet import as_typed, harmless, read_sheet
from gdl.instructor.grading.totals import number

COLUMNS = ["student", "identifier", "exercise", "question", "max", "points", "comment", "why", "answer", "version", "file"]
CHANGED = "The answer has changed"
MISSING = "not among the results this time"
EXCERPT = 2000  # characters of an answer


def person_rows(results, problems=()):
    """The rows of person.csv: open questions by exercise and question, then results, then files that are nobody's."""
    rows = []
    for result in results:
        about = [result["student"], result["identifier"], result["exercise"]]
        unsafe = "" if result["sandboxed"] else " (graded without a sandbox)"
        for question in result["questions"]:
            if question["points"] is None or "comment" in question or "earlier" in question:
                why = question.get("earlier") or ("marked by hand" if question["by_hand"] else "changed by hand")
                marked = number(question["points"]) if "comment" in question else ""
                answer = question["answer"] if len(question["answer"]) <= EXCERPT else question["answer"][:EXCERPT] + "…"
                given = [question["name"], number(question["max"]), marked, question.get("comment", "")]
                row = [*about, *given, why + unsafe, answer, version_of(question), result["file"]]
                rows.append(((0, result["exercise"], question["name"], result["student"].casefold(), result["identifier"]), row))
        why = totals.reasons(result)
        if why or result.get("comment"):
            row = [*about, "", "", "", result.get("comment", ""), " ".join(why) + unsafe, "", "", result["file"]]
            rows.append(((1, result["exercise"], result["student"].casefold(), result["identifier"]), row))
    rows.sort(key=lambda row: row[0])
    return [row for _, row in rows] + [["", "", "", "", "", "", "", why, "", "", file] for file, why in problems]


def version_of(question):
    """Which answer was marked, so that points for one are not given to another. It begins with a letter: a spreadsheet leaves it alone."""
    return "v" + hashlib.sha256(question["answer"].encode("utf-8", "replace")).hexdigest()[:12]


def read_marks(path, results):
    """Returns the results with the points and comments of a filled-in person.csv; rows without points stay as they are.

    Any question may be given points, also one that the grader marked. Points for an answer that has changed since are not taken
    over, but told in the next person.csv. Raises CourseError for a student or question that is not there, and for points that
    are no number, below 0 or above what the question has.
    """
    results, left = apply_marks(Path(path), results)
    for sentence, row in left:
        if row.get("why") != MISSING:  # which was told before
            raise CourseError(sentence)
    return results


def apply_marks(path, results, only_open=False):
    """As `read_marks`, but returns (results, [(sentence, row), ...]) with the rows whose student or question is not there.

    only_open: what already has a person's points or comment stays.
    """
    results = copy.deepcopy(results)
    left, seen = [], {}
    for line, row in read_sheet(path, ("student", "exercise", "question", "points")):
        points, comment, told = row["points"], as_typed(row.get("comment", "")), row.get("why", "").startswith(CHANGED)
        if not points and not comment and not told:
            continue
        what = f"{path.name}, line {line} ({harmless(row['student'], 60)}, {harmless(row['question'], 30) or 'no question'})"
        try:
            result = _result(row, results, what)
            question = _question(row, result, what)
        except LookupError as error:
            left.append((str(error), row))
            continue
        if told and not points and not comment:
            question.setdefault("earlier", as_typed(row["why"]).removesuffix(" (graded without a sandbox)"))
            continue
        if question is None:
            if points:
                raise CourseError(f"{what}: name the question that the points are for.")
            if not (only_open and result.get("comment")):
                result["comment"] = comment
            continue
        value = _points(points, question, what) if points else None
        place = (id(question), result["file"])
        if seen.setdefault(place, (value, comment)) != (value, comment):
            raise CourseError(f"{what}: there are two different lines for this question.")
        if only_open and "comment" in question:
            continue
        if row.get("version") and row["version"] != version_of(question):
            said = ": " + comment if comment else ""
            question["earlier"] = f"{CHANGED}: it got {number(value) or 'no'} points before{said}"
            continue
        question["comment"] = comment
        if value is not None:
            if not question["by_hand"]:
                question.setdefault("automatic", question["points"])
            question["points"] = value
    return results, left


def _result(row, results, what):
    """The result that a row is about. LookupError if there is none, CourseError if it may be several."""
    name, exercise, identifier = (_key(row.get(column, "")) for column in ("student", "exercise", "identifier"))
    found = [result for result in results if _key(result["student"]) == name and _key(result["exercise"]) == exercise]
    if identifier:
        found = [result for result in found if _same_number(result["identifier"], row["identifier"])]
    if not found:
        raise LookupError(f"{what}: no such student with exercise {harmless(row['exercise'], 60) or '?'} is among the results.")
    if len(found) > 1:
        raise CourseError(f"{what}: there are several students of this name, so give the identifier.")
    return found[0]


def _question(row, result, what):
    """The question that a row is about, None for a row about the whole notebook."""
    name = _key(row["question"])
    if not name:
        return None
    for question in result["questions"]:
        if name in (_key(question["name"]), _key(question["title"])):
            return question
    raise LookupError(f"{what}: {result['exercise']} has no such question, only {', '.join(question['name'] for question in result['questions'])}.")


def _points(text, question, what):
    """Points as typed, with a decimal point or comma."""
    sign = text.replace(" ", "").lstrip("'")
    if re.fullmatch(r"-\d+([.,]\d*)?", sign) and float(sign.replace(",", ".")) < 0:
        raise CourseError(f"{what}: {text} points are below 0.")
    if not re.fullmatch(r"\d+([.,]\d*)?|[.,]\d+", sign, re.ASCII):
        raise CourseError(f"{what}: {harmless(text, 60)} is not a number of points.")
    value = float(sign.replace(",", "."))
    if value > question["max"]:
        raise CourseError(f"{what}: {number(value)} points, but the question has {number(question['max'])}.")
    return int(value) if value.is_integer() else value


def _key(text):
    """A name as it is compared: without what a spreadsheet, or `harmless`, may have put there or taken away."""
    return canonical(harmless(text)) or harmless(text).replace("'", "").strip()


def _same_number(known, typed):
    """Whether an identifier is the known one, though a spreadsheet took it for a number: 00123 as 123, 1234567890123 as 1.23457E+12."""
    known, typed = known.strip(), typed.strip().lstrip("'")
    if _key(known) == _key(typed):
        return True
    if not re.fullmatch(r"\d{1,50}", known, re.ASCII):
        return False
    if whole := re.fullmatch(r"(\d{1,50})([.,]0*)?", typed, re.ASCII):
        return int(known) == int(whole[1])
    if science := re.fullmatch(r"(\d(?:[.,](\d{0,20}))?)E\+?(\d{1,2})", typed, re.ASCII | re.IGNORECASE):
        power = int(science[3])
        return abs(int(known) - float(science[1].replace(",", ".")) * 10**power) <= 0.51 * 10 ** (power - len(science[2] or ""))
    return False
