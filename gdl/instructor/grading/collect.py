"""The notebooks to grade in a folder of submissions: for each its student and its exercise, and which of several is graded.

Only digests of the notebooks are kept. A notebook is read again when it is graded.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import names, zips
from gdl.instructor.grading.choose import Found, add_similar, chosen, told_apart
from gdl.instructor.grading.exercise_names import exercise_of_headings, find_exercise
from gdl.instructor.grading.folders import files_below
from gdl.instructor.grading.names import Person
from gdl.instructor.grading.reading import read_notebook
from gdl.instructor.grading.students import with_persons
from gdl.instructor.grading.submission import Submission, digest_of_notebook, safe_name
from gdl.instructor.grading.submitted import UNTRUSTED, Budget, SubmittedFile, by_depth, opened

__all__ = ["Submission", "collect", "safe_name"]
MAY_BE_HANDED_IN = (".pdf", ".py", ".html", ".htm", ".doc", ".docx", ".odt", ".pages")
NOT_CLEAR_WHOSE = "It is not clear whose file this is."


@dataclass
class HandIn:
    """All files that one student has handed in at one place. Each comes with its Person and the index of the student's name in `parts`."""

    person: Person
    files: list[tuple[SubmittedFile, Person, int]] = field(default_factory=list)


def collect(
    folder: str | Path, exercises: Mapping[str, str], exercise: str | None = None, questions: Mapping[str, Collection[str]] | None = None
) -> tuple[list[Submission], list[tuple[str, str]]]:
    """Returns the submissions in `folder`, and the files that cannot be graded as (file, sentence).

    folder: as a learning platform exports it, or its zip. exercises: their titles by name (02_vae). exercise: the name of the exercise that
    all notebooks are of. questions: the titles of the questions of each exercise by its name; they identify an exercise too.
    Each student has at most one submission for each exercise. A file that belongs to a student is a submission even if it cannot be
    graded; its `problem` then says why. Raises CourseError if there is no such folder.

    >>> collect("submissions", {"02_vae": "Exercise 02"})  # doctest: +SKIP
    ([Submission(student='Ada Lovelace', identifier='1234567', exercise='02_vae', ...)], [])
    """
    folder = Path(folder)
    if not folder.exists():
        raise CourseError(f"{folder} does not exist: give the folder with the submissions.")
    hand_ins: dict[tuple[tuple[str, str], tuple[str, ...]], HandIn] = {}
    problems: list[tuple[str, str]] = []
    for file, person, level in with_persons(list(files_below(folder)), exercises):
        if person is not None:
            hand_ins.setdefault((person.key, file.parts[:level]), HandIn(person)).files.append((file, person, level))
        elif file.kind in ("notebook", "zip"):
            problems.append((file.shown, file.problem or NOT_CLEAR_WHOSE))
        elif file.kind == "other" and file.shown.lower().endswith(MAY_BE_HANDED_IN):
            problems.append((file.shown, f"This is no notebook. {NOT_CLEAR_WHOSE}"))
    found: list[Found] = []
    without: list[tuple[HandIn, list[SubmittedFile]]] = []
    places = set()  # where students have folders
    for hand_in in hand_ins.values():
        notebooks, others = _of_student(hand_in, exercises, exercise, questions or {})
        found += notebooks
        if notebooks:
            places |= {file.parts[:level] for file, _, level in hand_in.files if len(file.parts) > level + 1}
        else:
            without.append((hand_in, others))
    named = {one.submission.exercise for one in found if one.submission.exercise}
    usual = exercise or (next(iter(exercises)) if len(exercises) == 1 else next(iter(named)) if len(named) == 1 else "")
    handed_in = {one.person.key for one in found}
    for hand_in, others in without:
        if hand_in.person.key not in handed_in:
            found += _without_notebook(hand_in, others, usual, places, problems)
    return _each_once(found, usual, problems), problems


def _of_student(hand_in, exercises, forced, questions):
    """The notebooks that a student has handed in, and the other files. The reading of each student's files has a limit of its own."""
    budget, notebooks, others = Budget(), [], []
    outer = sorted(hand_in.files, key=lambda one: by_depth(one[0]))
    files = ((inner, person, level) for top, person, level in outer for inner in opened([top], zips.members, budget))
    for file, person, level in files:
        if file.kind != "notebook":
            others.append(file)
            continue
        is_in_folder = len(hand_in.files[0][0].parts) > level + 1 or hand_in.files[0][0].kind == "folder"
        container = tuple(part for part in file.parts[:level] if not names.is_only_exercise(part, exercises))
        home = (*container, file.parts[level] if is_in_folder else "")
        submission = _submission(file, person, level, exercises, forced, questions, budget)
        notebooks.append(Found(person, submission, home, file.parts[level + 1 :] or file.parts[-1:]))
    return notebooks, others


def _submission(file, person, level, exercises, forced, questions, budget):
    """The submission that one file would be. Its exercise is "" if nothing names one."""
    notes, problem, digest, cells, unread = [], file.problem, "", [], file.problem is not None
    if problem is None:
        try:
            content = file.read(budget)
        except CourseError as error:
            problem, unread = str(error), True
        else:
            start = time.monotonic()
            try:
                cells, digest = read_notebook(content), digest_of_notebook(content)
            except CourseError as error:
                problem = str(error)
            budget.seconds -= time.monotonic() - start
    in_name = _first_exercise([*reversed(file.parts[level + 1 :]), person.rest], exercises)
    in_headings = exercise_of_headings(cells, exercises, questions) or ""
    around = _first_exercise(reversed(file.parts[:level]), exercises)
    exercise = forced or in_name or in_headings or around
    if in_headings and in_headings != exercise:
        notes.append(f"The headings are those of {in_headings}, but it was graded as {exercise}.")
    if person.late:
        notes.append("Handed in late, according to Canvas.")
    if not person.recognised:
        notes.append("No student's name is in the name of the file.")
    return Submission(
        person.name, person.identifier, exercise, file.shown, digest, file.modified, tuple(notes), problem, unread,
        names_exercise=bool(exercise) and exercise in (in_name, in_headings), read=None if problem else lambda: file.read(Budget()),
    )  # fmt: skip


def _first_exercise(texts, exercises):
    return next((exercise for text in texts if (exercise := find_exercise(text, exercises)[0])), "")


def _without_notebook(hand_in, files, usual, places, problems):
    """The submission without a notebook of a student who has handed in none, if this is a student. Else a problem is added, so it is told."""
    person, shown = hand_in.person, [file.shown for file in files if file.kind == "other"]
    first, _, level = hand_in.files[0]
    problem = "There is no notebook, and no other file."
    if shown:
        problem = f"There is no notebook, only {', '.join(shown[:5])}: hand in the .ipynb file itself."
    is_flat = len(hand_in.files) == 1 and first.kind == "other" and len(first.parts) == level + 1
    is_student = person.platform or not is_flat and (person.identifier or first.parts[:level] in places or first.kind == "zip")
    file = (shown or [first.shown])[0]
    if not is_student or UNTRUSTED in first.parts:
        problems.append((first.shown, f"{problem} It is not clear whether a student has handed this in."))
    elif not usual:
        problems.append((first.shown, f"{person.name}: {problem}"))
    else:
        return [Found(person, Submission(person.name, person.identifier, usual, file, problem=problem), first.parts[:level], (file,))]
    return []


def _each_once(found, usual, problems):
    """One submission for each student and exercise. Those without an exercise become notes of their student, the usual exercise, or problems."""
    placed, notes = [], defaultdict(list)
    students = {one.person.key for one in found if one.submission.exercise}
    for one in found:
        file = one.submission
        if file.exercise:
            placed.append(one)
        elif one.person.key in students and (file.problem or not usual):
            notes[one.person.key].append(f"There is also {file.file}: {file.problem or 'it is not clear which exercise this is.'}")
        elif usual:
            note = f"Neither its name nor its headings name an exercise: graded as {usual}."
            placed.append(replace(one, submission=replace(file, exercise=usual, notes=(*file.notes, note))))
        else:
            problem = file.problem or "It is not clear which exercise this is."
            fix = "Put the exercise into the file's name, or grade one exercise at a time."
            problems.append((file.file, f"{file.student}: {problem} {fix}"))
    grouped = defaultdict(list)
    for before, one in zip(placed, told_apart(placed)):
        grouped[one.person.key, one.submission.exercise, before.person.key].append(one)
    submissions = [chosen(group, notes.get(key, ())) for (_, _, key), group in grouped.items()]
    return add_similar(sorted(submissions, key=lambda one: (one.exercise, one.student.casefold(), one.identifier)))
