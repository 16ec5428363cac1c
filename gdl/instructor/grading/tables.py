"""The tables and the summary of all results: for people, for Moodle and for Canvas.

The columns are those that the platforms' own programs import, read in 2025. Moodle's grading worksheet (mod/assign/feedback/offline/
importgradeslib.php) is comma-separated. Moodle identifies the columns by their names: `Identifier` ("Participant 1234567", with the number
of the downloaded file), `Grade`, `Last modified (grade)` and `Feedback comments`; it ignores others. A worksheet is for one assignment, an
empty comment overwrites one in Moodle, and a mark given in Moodle after `Last modified (grade)` stays. Canvas (lib/gradebook_importer.rb)
reads `Student, ID, SIS User ID, SIS Login ID, Section`, then assignments by the number in `Title (12345)` or by their titles, and a row
`Points Possible`. It identifies a student by ID, then by the SIS columns, then by name, and an empty cell clears a score.
So there is one file for each exercise and platform, and it holds final totals only: whoever still waits for a person has no row, since an
empty cell would change what the platform holds. A file that is no notebook waits too. Of two students with one identifier neither has one.
"""

import html
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdl.files import write_file
from gdl.instructor.grading import totals
from gdl.instructor.grading.changes import with_changes, write_changes
from gdl.instructor.grading.check_statistics import COLUMNS as CHECKS
from gdl.instructor.grading.check_statistics import check_statistics
from gdl.instructor.grading.class_list import ClassList, late_sentence
from gdl.instructor.grading.marks import COLUMNS, apply_marks, kept_row, person_rows
from gdl.instructor.grading.names import platform_of
from gdl.instructor.grading.sheet import write_sheet
from gdl.instructor.grading.summary import summary_page
from gdl.instructor.grading.totals import Result, points_text

UNSAFE = "graded without a sandbox"


def write_tables(
    results: Sequence[Result], out: str | Path, problems: Sequence[tuple[str, str]] = (), class_list: ClassList | None = None
) -> list[Result]:
    """Writes the tables of all results into the folder `out`, each whole or not at all. Returns the results with the marks in them.

    The files are grades.csv, moodle_NN_name.csv and canvas_NN_name.csv for each exercise, summary.html, checks.csv, changes.csv if points
    have changed since the last call, and person.csv with what needs a person. Points and comments in a person.csv that is already there are
    applied first, and are never lost. problems: (file, sentence) of files that belong to no student. class_list: who is in the class; with
    it, late days are deducted, and the results that are returned have partners and those who handed in nothing among them. Raises
    CourseError, before anything is written, if that person.csv cannot be read.

    >>> write_tables(results, "marks")  # doctest: +SKIP
    """
    out = Path(out)
    marked, unmatched = list(results), []
    if (out / "person.csv").exists():
        marked, unmatched = apply_marks(out / "person.csv", results, only_open=True)
    added: list[Result] = []
    if class_list:
        marked, added = class_list.apply(marked)
    rows = person_rows(marked, problems)
    rows += [kept_row(problem, row) for problem, row in unmatched]
    write_sheet(out / "person.csv", [COLUMNS, *rows])
    marked = with_changes(_sorted([*marked, *added]) if added else marked, out / "grades.csv")
    write_changes(marked, out / "changes.csv")
    checks = check_statistics([result for result in marked if not {"with", "absent"} & set(result)])
    write_sheet(out / "checks.csv", [CHECKS, *(list(row.values()) for row in checks)])
    write_sheet(out / "grades.csv", grades(marked))
    for exercise in sorted({result["exercise"] for result in marked}):
        of_exercise = [result for result in marked if result["exercise"] == exercise]
        write_sheet(out / f"moodle_{exercise}.csv", moodle(of_exercise), mark=False)
        column = class_list.canvas_column(exercise) if class_list else None
        write_sheet(out / f"canvas_{exercise}.csv", canvas(of_exercise, column), mark=False)
    write_file(out / "summary.html", summary_page(marked, problems, checks))
    return marked


def _sorted(results):
    return sorted(results, key=lambda result: (result["exercise"], result["student"], result["identifier"]))


def grades(results: Sequence[Result]) -> list[list[Any]]:
    """The table of all points: one row for each student and exercise."""
    names = list(dict.fromkeys(question["name"] for result in results for question in result["questions"]))
    names.sort(key=lambda name: (not name.startswith("q"), len(name), name))
    head = ["student", "identifier", "exercise", *names, "automatic", "by hand", "late days", "deducted", "total", "max"]
    head += ["state", "sandboxed", "needs a person", "file"]
    rows: list[list[Any]] = [head]
    for result in results:
        points = {question["name"]: points_text(question["points"]) for question in result["questions"]}
        rows.append([
            result["student"], result["identifier"], result["exercise"], *(points.get(name, "") for name in names),
            points_text(totals.automatic(result)), points_text(totals.by_hand(result)),
            points_text(result.get("late_days") or None), points_text(result.get("deducted") or None), points_text(totals.total(result)),
            points_text(totals.maximum(result)), _state(result),
            "yes" if result["sandboxed"] else "NO: " + UNSAFE,
            " ".join(totals.reasons_with_marks(result)), result["file"],
        ])  # fmt: skip
    return rows


def _state(result):
    return "handed in nothing" if "absent" in result else "final" if totals.final(result) else "provisional"


def moodle(results: Sequence[Result]) -> list[list[Any]]:
    """The final totals of one exercise as Moodle's grading worksheet, for "Upload grading worksheet" in that assignment."""
    now = time.strftime("%Y-%m-%d %H:%M")
    rows = [["Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments", "Graded"]]
    for result in certain(results):
        if not result["identifier"]:
            continue  # Moodle would find nobody
        counted = [question for question in result["questions"] if question["max"]]
        sentences = [f"{question['title']}: {points_text(question['points'])} of {points_text(question['max'])}." for question in counted]
        sentences += [late_sentence(result)] if late_sentence(result) else []
        sentences += [comment for one in (result, *result["questions"]) if (comment := one.get("comment"))]
        rows.append([
            f"Participant {result['identifier']}", result["student"], points_text(totals.total(result)), points_text(totals.maximum(result)), now,
            "<br>".join(html.escape(sentence) for sentence in sentences), "" if result["sandboxed"] else UNSAFE,
        ])  # fmt: skip
    return rows


def certain(results: Sequence[Result]) -> list[Result]:
    """The results of one exercise with final totals whose identifier no other student has: the platform would mark one for the other.

    Students who handed in nothing are not among them. What they get is for the platform's own rule, or for a person.
    """
    count = Counter(result["identifier"] for result in results if result["identifier"])
    return [result for result in results if totals.final(result) and count[result["identifier"]] < 2 and "absent" not in result]


def canvas(results: Sequence[Result], column: str | None = None) -> list[list[Any]]:
    """The final totals of one exercise for "Import" in Canvas's grade book. The column ID is filled for files that Canvas has named.

    column: the assignment as Canvas names it in an export, "Exercise 2 (12345)". Canvas finds it by that number, without one by its title.
    """
    title, maximum = column or results[0]["title"], max(map(totals.maximum, results))
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title], ["    Points Possible", "", "", "", "", points_text(maximum)]]
    for result in certain(results):
        from_canvas = platform_of(result["file"]) == "canvas"
        identifier = result["identifier"]
        name = result["student"].replace("Points Possible", "points possible")  # which Canvas would take for the row above
        section = "" if result["sandboxed"] else UNSAFE  # a column that the import ignores
        rows.append([name, identifier if from_canvas else "", "" if from_canvas else identifier, "", section, points_text(totals.total(result))])
    return rows
