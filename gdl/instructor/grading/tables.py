"""The tables and the summary of all results: for people, for Moodle and for Canvas.

What the platforms import was looked up in their own programs, as of 2025. Moodle's grading worksheet (mod/assign/feedback/offline/
importgradeslib.php): comma-separated, found by their names are the columns `Identifier`, which is "Participant 1234567" with the
number that the downloaded file had, `Grade`, `Last modified (grade)` and `Feedback comments`; others are passed over. It is of one
assignment, an empty comment there overwrites one, and a mark given in Moodle after `Last modified (grade)` stays. Canvas
(lib/gradebook_importer.rb): `Student, ID, SIS User ID, SIS Login ID, Section`, then assignments by their titles, and a row `Points
Possible`; a student is found by ID, then by the SIS columns, then by name, and an empty cell clears a score.
So there is one file for each exercise and platform, and only final totals are in it.
"""

import html
import time
from pathlib import Path

from gdl.files import whole_file
from gdl.instructor.grading import totals
from gdl.instructor.grading.marks import CHANGED, COLUMNS, MISSING, apply_marks, person_rows
from gdl.instructor.grading.names import platform
from gdl.instructor.grading.sheet import write_sheet
from gdl.instructor.grading.summary import summary_page
from gdl.instructor.grading.totals import number

UNSAFE = "graded without a sandbox"


def write_tables(results, out, problems=()):
    """Writes the tables of all results into the folder `out`, each whole or not at all, and returns the results as they are in them.

    grades.csv, moodle_NN_name.csv and canvas_NN_name.csv for each exercise, summary.html, and person.csv, what needs a person.
    What was filled into a person.csv that lies there is taken over first, and is never lost. problems: (file, sentence) of files
    that are nobody's. Raises CourseError before anything is written if that person.csv cannot be read.
    """
    out = Path(out)
    results, left = apply_marks(out / "person.csv", results, only_open=True) if (out / "person.csv").exists() else (results, [])
    rows = person_rows(results, problems)
    for _, row in left:  # of a student who is not among the results this time
        kept = [row.get(column, "") for column in COLUMNS]
        if not row.get("why", "").startswith(CHANGED):
            kept[COLUMNS.index("why")] = MISSING
        rows.append(kept)
    write_sheet(out / "person.csv", [COLUMNS, *rows])
    write_sheet(out / "grades.csv", grades(results))
    for exercise in sorted({result["exercise"] for result in results}):
        of_it = [result for result in results if result["exercise"] == exercise]
        write_sheet(out / f"moodle_{exercise}.csv", moodle(of_it), mark=False)
        write_sheet(out / f"canvas_{exercise}.csv", canvas(of_it), mark=False)
    with whole_file(out / "summary.html") as partial:
        partial.write_text(summary_page(results, problems), encoding="utf-8")
    return results


def grades(results):
    """One row for each student and exercise."""
    names = list(dict.fromkeys(question["name"] for result in results for question in result["questions"]))
    names.sort(key=lambda name: (not name.startswith("q"), len(name), name))
    head = ["student", "identifier", "exercise", *names, "automatic", "by hand", "total", "max", "state", "sandboxed", "needs a person", "file"]
    rows = [head]
    for result in results:
        points = {question["name"]: number(question["points"]) for question in result["questions"]}
        rows.append([
            result["student"], result["identifier"], result["exercise"], *(points.get(name, "") for name in names),
            number(totals.automatic(result)), number(totals.by_hand(result)), number(totals.total(result)), number(totals.maximum(result)),
            "final" if totals.final(result) else "provisional", "yes" if result["sandboxed"] else "NO: " + UNSAFE,
            " ".join(totals.reasons_with_marks(result)), result["file"],
        ])  # fmt: skip
    return rows


def moodle(results):
    """The final totals of one exercise as Moodle's grading worksheet, for "Upload grading worksheet" in that assignment."""
    now = time.strftime("%Y-%m-%d %H:%M")
    rows = [["Identifier", "Full name", "Grade", "Maximum grade", "Last modified (grade)", "Feedback comments", "Graded"]]
    for result in filter(totals.final, results):
        said = [
            f"{question['title']}: {number(question['points'])} of {number(question['max'])}." for question in result["questions"] if question["max"]
        ]
        said += [comment for one in (result, *result["questions"]) if (comment := one.get("comment"))]
        rows.append([
            f"Participant {result['identifier']}", result["student"], number(totals.total(result)), number(totals.maximum(result)), now,
            "<br>".join(html.escape(sentence) for sentence in said), "" if result["sandboxed"] else UNSAFE,
        ])  # fmt: skip
    return rows


def canvas(results):
    """The final totals of one exercise for "Import" in Canvas's grade book. Its numbers of users are only in names that Canvas made."""
    title, most = results[0]["title"], max(map(totals.maximum, results))
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title], ["    Points Possible", "", "", "", "", number(most)]]
    for result in filter(totals.final, results):
        number_of_user = platform(result["file"]) == "canvas"
        identifier = result["identifier"]
        name = result["student"].replace("Points Possible", "points possible")  # which would be taken for the row above
        section = "" if result["sandboxed"] else UNSAFE  # a column that the import does not look at
        rows.append([name, identifier if number_of_user else "", "" if number_of_user else identifier, "", section, number(totals.total(result))])
    return rows
