"""The list of the class, students.csv: who has handed in nothing, who works in a pair, and who handed in how many days late."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading import names, totals
from gdl.instructor.grading.exercise_names import find_exercise, letters_and_digits
from gdl.instructor.grading.matching import same_identifier
from gdl.instructor.grading.sheet import as_typed, harmless, read_columns, read_sheet
from gdl.instructor.grading.submission import Submission, safe_name
from gdl.instructor.grading.totals import Result, points_text

NAMES = ("student", "full name", "name")  # what platforms call these columns
IDENTIFIERS = ("identifier", "id")
PAIRS = ("pair", "group")
ASSIGNMENT = re.compile(r"(.+) \(\d+\)")  # a column of Canvas's grade book: a title and the number of the assignment
NOTHING = "Handed in nothing."
NO_NUMBER = "Moodle's number of the partner {} in this assignment is not known: give a list with these numbers, or enter the mark in Moodle."


@dataclass(frozen=True)
class Member:
    """One student of the class. late: days by the digits and letters of an exercise's name, such as "02vae" or "02"."""

    student: str
    identifier: str = ""
    pair: str = ""
    late: dict[str, float] = field(default_factory=dict)

    def days(self, exercise: str) -> float:
        """The days by which this student handed in an exercise late."""
        return next((days for name, days in self.late.items() if _is_exercise(name, exercise)), 0)


@dataclass(frozen=True)
class ClassList:
    """The class and its rule for late notebooks: percent of the maximum for each day after `free_days` days in the whole term.

    columns: the names of the columns of its file, among which Canvas's grade book has the assignments.
    """

    members: Sequence[Member]
    percent: float = 0
    free_days: float = 0
    columns: Sequence[str] = ()

    def canvas_column(self, exercise: str) -> str | None:
        """The column of an exercise in Canvas's grade book, such as "Exercise 2 (12345)". None if there is none or there are several."""
        titles = [(match[1], match[0]) for column in self.columns if (match := ASSIGNMENT.fullmatch(column))]
        found = [column for title, column in titles if find_exercise(title, [exercise], topics=False)[0]]
        return found[0] if len(found) == 1 else None

    def charged_days(self, member: Member, exercise: str) -> float:
        """The late days of an exercise that cost points. Earlier exercises use up the free days first."""
        free = self.free_days
        for name in sorted(member.late, key=_number):
            if _is_exercise(name, exercise):
                break
            free -= member.late[name]
        return max(0.0, member.days(exercise) - max(0.0, free))

    def apply(self, results: Sequence[Result]) -> tuple[list[Result], list[Result]]:
        """Returns the results with late days and points deducted for them, and the results that are added.

        These are copies for partners whose pair has handed in one notebook, and for each exercise the students who have handed in nothing.
        They have the entry `with` or `absent`.
        """
        members = {id(result): self.member(result) for result in results}
        own = [self._with_late(result, members[id(result)]) for result in results]
        if self.members:
            for result, made in zip(results, own):
                if members[id(result)] is None:
                    made["person"] = [*made["person"], "This student is not in the list of the class, or several are alike there."]
        added: list[Result] = []
        for exercise in sorted({result["exercise"] for result in results}):
            of_exercise = [(members[id(result)], made) for result, made in zip(results, own) if result["exercise"] == exercise]
            there = {id(member) for member, _ in of_exercise if member}
            by_pair = defaultdict(list)
            for member, result in of_exercise:
                if member and member.pair:
                    by_pair[member.pair].append((result, member))
            for pair, of_pair in by_pair.items():
                if len(of_pair) > 1:
                    for result, _ in of_pair:
                        others = [other["student"] for other, _ in of_pair if other is not result]
                        result["person"] = [*result["person"], f"{' and '.join(others)} of the pair {harmless(pair, 60)} handed in another notebook."]
            for member in self.members:
                if id(member) not in there:
                    shared = by_pair.get(member.pair, []) if member.pair else []
                    if not shared:
                        added.append(_nothing(member, of_exercise[0][1]))
                        continue
                    result, giver = shared[0]
                    added.append(self._copy(result, giver, member))
                    if names.platform_of(result["file"]) == "moodle" and not added[-1]["identifier"]:
                        result["person"] = [*result["person"], NO_NUMBER.format(harmless(member.student, 60))]
        return own, added

    def member(self, result: Result) -> Member | None:
        """The student of a result, or None if there is none in the list or several are alike."""
        same_number = [one for one in self.members if one.identifier and same_identifier(one.identifier, result["identifier"])]
        named = [one for one in self.members if names.sounds_like(one.student) == names.sounds_like(result["student"])]
        exact = [one for one in named if one in same_number]
        for found in (exact, named, same_number):
            if len(found) == 1:
                return found[0]
        return None

    def _with_late(self, result, member):
        days = member.days(result["exercise"]) if member else 0
        if not days:
            return dict(result)
        charged = self.charged_days(member, result["exercise"])
        return result | {"late_days": days, "deducted": round(self.percent / 100 * totals.maximum(result) * charged, 2)}

    def _copy(self, result, giver, member):
        """The result of `member`, whose partner `giver` has handed in a notebook.

        The list has the partner's number if it has the giver's own: Moodle numbers the students anew in each assignment.
        """
        of_others = names.platform_of(result["file"]) and not same_identifier(result["identifier"], giver.identifier)
        identifier = "" if of_others else member.identifier
        without = {name: value for name, value in result.items() if name not in ("late_days", "deducted")}
        own = {"student": member.student, "identifier": identifier, "person": [f"With {result['student']}."], "with": result["student"]}
        own["name"] = safe_name(Submission(member.student, identifier, result["exercise"], ""))
        return self._with_late(without | own, member)


def _nothing(member: Member, example: Result) -> Result:
    """The result of a student who has handed in nothing. example: a result of the same exercise."""
    questions: list[dict[str, Any]] = [
        {name: question[name] for name in ("name", "title", "max", "by_hand")} | {"points": 0, "answer": "", "causes": [], "checks": []}
        for question in example["questions"]
    ]
    submission = Submission(member.student, member.identifier, example["exercise"], "")
    return {
        "student": member.student, "identifier": member.identifier, "exercise": example["exercise"], "title": example["title"], "file": "",
        "name": safe_name(submission), "questions": questions, "problems": [NOTHING], "person": [NOTHING], "sandboxed": True, "seconds": None,
        "absent": True,
    }  # fmt: skip


def late_sentence(result: Result) -> str:
    """What a student is told about late days, or ""."""
    if not result.get("late_days"):
        return ""
    days = f"{points_text(result['late_days'])} day{'s' * (result['late_days'] != 1)} late"
    deducted = result.get("deducted")
    return f"{days}: {points_text(deducted)} point{'s' * (deducted != 1)} less." if deducted else f"{days}, within the free days."


def read_class(path: str | Path, percent: float = 0, free_days: float = 0) -> ClassList:
    """Reads students.csv. Raises CourseError.

    It needs a column `student`, or `Full name` as Moodle's grading worksheet, or `Student` as Canvas's grade book. Other columns that are
    read: `identifier` or `ID`; `pair` or `group`, a name that partners share; and for each exercise `late 02_vae`, the days late.

    >>> read_class("students.csv", percent=10, free_days=3)  # doctest: +SKIP
    """
    path = Path(path)
    if not 0 <= percent <= 100:
        raise CourseError(f"--late-percent {percent:g}: give a number from 0 to 100.")
    if free_days < 0:
        raise CourseError(f"--free-days {free_days:g}: give a number of at least 0.")
    rows = read_sheet(path, ())
    if not rows:
        raise CourseError(f"{path} has no column `student`, or no line below it: name the students' column so, and give each student a line.")
    columns = list(rows[0][1])
    name = next((column for column in NAMES if column in columns), None)
    if name is None:
        raise CourseError(f"{path} has no column `student` in its first line: name the students' column so.")
    members = []
    for line, row in rows:
        student = " ".join(as_typed(row[name]).split())
        if not student or student.casefold().startswith(("points possible", "student, test")):  # of Canvas's grade book
            continue
        late = {
            letters_and_digits(column.removeprefix("late ")): _days(value, f"{path.name}, line {line}, column {column}")
            for column, value in row.items()
            if column.startswith("late ") and value
        }
        identifier = next((row[column] for column in IDENTIFIERS if row.get(column)), "").removeprefix("Participant ")
        members.append(Member(student, identifier, next((row[column] for column in PAIRS if row.get(column)), "").casefold(), late))
    return ClassList(members, percent, free_days, read_columns(path))


def _days(text, place):
    if not re.fullmatch(r"\d{1,3}([.,]\d{1,2})?", text, re.ASCII):
        raise CourseError(f"{place}: {harmless(text, 60)} is not a number of days.")
    return float(text.replace(",", "."))


def _number(name):
    """The number of an exercise in the name of a column, by which exercises are ordered."""
    match = re.match(r"\d+", name)
    return (int(match[0]) if match else 0, name)


def _is_exercise(name, exercise):
    """Whether a column `late 02`, `late 02_vae` or `late 2` is about this exercise."""
    whole = letters_and_digits(exercise)
    return name == whole or name.isdecimal() and int(name) == _number(whole)[0]
