"""person.csv, in which the page fills in points and comments one answer at a time."""

import hashlib
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading.earlier import read_result
from gdl.instructor.grading.marks import COLUMNS, version_of
from gdl.instructor.grading.matching import key, result_of
from gdl.instructor.grading.sheet import as_typed, read_sheet, write_sheet
from gdl.instructor.grading.totals import Result, points_text

MAX_COMMENT = 5000  # characters


class Changed(Exception):
    """The row is no longer the one that the page has shown: another window, a spreadsheet or the grader has written it."""


@dataclass
class Answer:
    """One answer that a person marks, and its row in person.csv. number: of the row. identity: the same in each run, and says no name."""

    identity: str
    result: Result
    question: dict[str, Any]
    row: dict[str, str]

    @property
    def points(self) -> str:
        """The points in the row as a number with a decimal point, or ""."""
        typed = self.row.get("points", "").replace(" ", "").lstrip("'").replace(",", ".")
        return points_text(float(typed)) if re.fullmatch(r"\d{1,4}(\.\d{0,4})?|\.\d{1,4}", typed, re.ASCII) else ""

    @property
    def comment(self) -> str:
        """The comment in the row."""
        return as_typed(self.row.get("comment", ""))

    @property
    def revision(self) -> str:
        """Changes with each change of the points, the comment or the answer."""
        return hashlib.sha256(repr((self.points, self.comment, version_of(self.question))).encode("utf-8", "replace")).hexdigest()[:16]


class MarksFile:
    """The rows of person.csv in a folder of marks that are about an answer. It can be used from several threads.

    The file is read again whenever another program has written it. Raises CourseError if there is no such file, or it cannot be read.
    """

    def __init__(self, folder: str | Path):
        self.folder, self.path = Path(folder), Path(folder) / "person.csv"
        if not self.path.is_file():
            raise CourseError(f"There is no {self.path}: grade first, python -m gdl grade submissions --out {folder}.")
        self._lock = threading.RLock()
        self._stamp: tuple[int, int] | None = None
        self._rows: list[dict[str, str]] = []
        self._answers: dict[str, Answer] = {}

    def answers(self) -> dict[str, Answer]:
        """All answers by their identities, in an order that is the same each time and says nothing about the students."""
        with self._lock:
            if self._stamp != (stamp := self._stamp_now()):
                self._read()
                self._stamp = stamp
            return self._answers

    def save(self, identity: str, points: str, comment: str, revision: str) -> Answer:
        """Writes points, "" for none, and a comment into the row of an answer, and the file whole or not at all. Returns the answer.

        revision: that of the answer when the page has shown it. Raises Changed if it is another one now, KeyError if there is no such answer,
        and CourseError for points that the question does not have or when the file cannot be written.
        """
        with self._lock:
            answer = self.answers()[identity]
            if answer.revision != revision:
                raise Changed
            maximum = answer.question["max"]
            kept = points == answer.points  # as in the file, where somebody may have typed 0.333
            if points and not kept and not (re.fullmatch(r"\d{1,4}(\.\d{1,2})?", points, re.ASCII) and float(points) <= maximum):
                raise CourseError(f"{points} points: give a number from 0 to {points_text(maximum)}.")
            filled_in = {"points": points, "comment": comment[:MAX_COMMENT], "version": version_of(answer.question), "max": points_text(maximum)}
            before = dict(answer.row)
            answer.row.update(filled_in)
            try:
                write_sheet(self.path, [COLUMNS, *([row.get(column, "") for column in COLUMNS] for row in self._rows)])
            except CourseError:
                answer.row.clear()
                answer.row.update(before)
                raise
            self._stamp = self._stamp_now()
            return answer

    def _stamp_now(self):
        try:
            stat = self.path.stat()
        except OSError as error:
            raise CourseError(f"{self.path} cannot be read ({error.strerror}): put it back, or grade again.") from None
        return stat.st_mtime_ns, stat.st_size

    def _read(self):
        results = [result for path in sorted((self.folder / "results").glob("[!.]*.json")) if (result := read_result(path))]
        self._rows = [row for _, row in read_sheet(self.path, COLUMNS[:6])]
        answers = {}
        for number, row in enumerate(self._rows, 2):
            try:
                result = result_of(row, results, f"{self.path.name}, line {number}")
            except (LookupError, CourseError):
                continue  # the grader keeps this row and says what is wrong
            question = next((one for one in result["questions"] if row["question"] and key(one["name"]) == key(row["question"])), None)
            if question is not None:
                identity = hashlib.sha256(f"{result['name']}\0{question['name']}".encode()).hexdigest()[:20]
                answers[identity] = Answer(identity, result, question, row)
        self._answers = dict(sorted(answers.items()))
