"""The report on answers that are alike: similar.html and similar.csv in a folder of marks."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import nbformat

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.instructor.grading.class_list import ClassList
from gdl.instructor.grading.earlier import read_result
from gdl.instructor.grading.exercise import NOT_ANSWERED, is_more_of, role_of
from gdl.instructor.grading.html import page, student_text, text
from gdl.instructor.grading.sheet import write_sheet
from gdl.instructor.grading.totals import Result
from gdl.instructor.notebook_checks import regions
from gdl.instructor.similarity.fingerprint import Fingerprint, of_code, of_text
from gdl.instructor.similarity.pairs import Pair, nearest_pairs

COLUMNS = ["exercise", "score", "student", "identifier", "other student", "other identifier", "questions"]
ALIKE = 0.3  # the score of a question from which the report shows both answers
NOTE = (
    "A high score is no proof. It says that two students have written in common what few others have written. Names of variables, comments and "
    "layout are left out, as is whatever the solution and the given code contain. Read both answers, and talk to the students before you decide."
)


def similar(marks: str | Path, solutions: str | Path = "solutions", class_list: ClassList | None = None, shown: int = 20) -> list[tuple[str, Pair]]:
    """Compares the answers in a folder of marks, and writes similar.html and similar.csv into it. Returns (exercise, pair) of those in it.

    solutions: the folder of the solution notebooks. class_list: students of one pair in it are not compared. shown: pairs for each exercise.
    Raises CourseError.

    >>> similar("marks")  # doctest: +SKIP
    """
    results = [result for path in sorted((Path(marks) / "results").glob("[!.]*.json")) if (result := read_result(path))]
    if not results:
        raise CourseError(f"There are no results in {marks}: grade first, python -m gdl grade submissions --out {marks}.")
    if shown < 1:
        raise CourseError(f"--pairs {shown}: give a number of at least 1.")
    rows, body, listed = [], [f'<h1>Answers that are alike</h1><section class="note">{text(NOTE)}</section>'], []
    for exercise in sorted({result["exercise"] for result in results}):
        of_exercise = [result for result in results if result["exercise"] == exercise]
        pairs = nearest_pairs([_fingerprints(result) for result in of_exercise], known_parts(Path(solutions) / f"{exercise}.ipynb"))
        partners = _partners(of_exercise, class_list)
        pairs = [pair for pair in pairs if (pair.first, pair.second) not in partners]
        listed += [(exercise, pair) for pair in pairs[:shown]]
        rows += [_row(of_exercise, pair) for pair in pairs[:shown]]
        body.append(_section(of_exercise, pairs, shown))
    write_sheet(Path(marks) / "similar.csv", [COLUMNS, *rows])
    write_file(Path(marks) / "similar.html", page("Answers that are alike", "\n".join(body)).encode(errors="replace"))
    return listed


def known_parts(solution: Path) -> dict[str, Fingerprint]:
    """What students are given or may read in the course: the solution's answers, and the cells as they are handed out, by question."""
    if not solution.is_file():
        return {}
    texts: dict[str, str] = {}
    answers: dict[str, list[str]] = {}
    handed_out: dict[str, list[str]] = {}
    for cell in nbformat.read(solution, as_version=4).cells:
        role, name = role_of(cell)
        if role == "open":
            texts[name] = cell.source
        elif role == "answer":
            first = next(reversed(answers), "")
            name = first if is_more_of(name, first) else name
            answers.setdefault(name, []).append(cell.source)
            without = cell.source
            for region in regions(cell.source, "SOLUTION"):
                without = without.replace(region, " " * (len(region) - len(region.lstrip())) + "raise NotImplementedError('')")
            handed_out.setdefault(name, []).append(without)
    known = {name: of_code("\n".join(answers[name])) | of_code("\n".join(handed_out[name])) for name in answers}
    return known | {name: of_text(source) | of_text(NOT_ANSWERED) for name, source in texts.items()}


def _fingerprints(result: Result) -> dict[str, Fingerprint]:
    return {question["name"]: (of_text if question["by_hand"] else of_code)(question["answer"]) for question in result["questions"]}


def _partners(results, class_list):
    """The places of students who work as a pair."""
    if not class_list:
        return set()
    members = [class_list.member(result) for result in results]
    pairs = [member.pair if member else "" for member in members]
    return {(i, j) for i in range(len(pairs)) for j in range(i + 1, len(pairs)) if pairs[i] and pairs[i] == pairs[j]}


def _row(results, pair):
    one, other = results[pair.first], results[pair.second]
    questions = " ".join(f"{name}: {score:.2f}" for name, score in sorted(pair.by_question.items()) if score >= 0.005)
    return [one["exercise"], round(pair.score, 3), one["student"], one["identifier"], other["student"], other["identifier"], questions]


def _section(results: Sequence[Result], pairs: Sequence[Pair], shown: int) -> str:
    if not pairs:
        return f"<section><h2>{text(results[0]['title'])}</h2><p>There are no two students to compare.</p></section>"
    scores = [pair.score for pair in pairs]
    words = f"{len(results)} students, {len(pairs)} pairs. Half of all pairs have a score below {median(scores):.2f}; the highest is {scores[0]:.2f}."
    entries = "".join(_entry(results, pair) for pair in pairs[:shown])
    return f'<section><h2>{text(results[0]["title"])}</h2><p class="soft">{words}</p>{entries}</section>'


def _entry(results, pair):
    one, other = results[pair.first], results[pair.second]
    names = [f"{student_text(who['student'])} <span class=soft>{student_text(who['identifier'])}</span>" for who in (one, other)]
    parts = []
    others = {question["name"]: question for question in other["questions"]}
    for question in one["questions"]:
        score = pair.by_question.get(question["name"], 0)
        if score >= ALIKE:
            both = question, others[question["name"]]
            answers = "".join(f"<td><pre>{text(which['answer'], 5000)}</pre></td>" for which in both)
            parts.append(f'<h3>{text(question["title"])}: {score:.2f}</h3><div class="wide"><table class="two"><tr>{answers}</tr></table></div>')
    inside = "".join(parts) or "<p>No single question is alike.</p>"
    return f"<details><summary><b>{pair.score:.2f}</b> {names[0]} and {names[1]}</summary>{inside}</details>"
