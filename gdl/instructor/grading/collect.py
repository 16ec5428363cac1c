"""The notebooks to grade in a folder of submissions: for each its student and its exercise, and which of several is graded."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import names
from gdl.instructor.grading.folders import files_below
from gdl.instructor.grading.reading import read_notebook
from gdl.instructor.grading.submitted import UNTRUSTED


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one exercise.

    student: the name as shown. identifier: the platform's number or name, or "". file: the path inside the folder, `zip!member` in a zip.
    content: the notebook's bytes, empty if there is a problem. modified: seconds since 1970. notes: sentences for the instructor.
    problem: why there is nothing to grade, or None. names_exercise: whether the file's name or its headings name the exercise.
    """

    student: str
    identifier: str
    exercise: str
    file: str
    content: bytes = b""
    modified: float = 0.0
    notes: tuple[str, ...] = ()
    problem: str | None = None
    names_exercise: bool = False


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
    candidates, unknown, problems, others, handed_in, places = [], [], [], {}, set(), set()
    for file, person, level in _with_persons(list(files_below(folder)), 0, exercises):
        if person is None:
            if file.kind == "notebook":
                problems.append((file.shown, file.problem or "It is not clear whose file this is."))
        elif file.kind == "notebook":
            candidate = _candidate(file, person, level, exercises, exercise, questions or {})
            (candidates if candidate.exercise else unknown).append((person, candidate))
            handed_in.add(person.key)
            if len(file.parts) > level + 1:
                places.add(file.parts[:level])  # where students have folders
        elif person.platform or file.kind != "other" or len(file.parts) > level + 1:
            others.setdefault(person.key, (person, file.parts[:level], []))[2].append(file)
    named = {candidate.exercise for _, candidate in candidates}
    usual = exercise or (next(iter(exercises)) if len(exercises) == 1 else next(iter(named)) if len(named) == 1 else "")
    problems += _add_unknown(unknown, candidates, usual)
    for person, place, files in others.values():
        is_student = person.platform or person.identifier or place in places or files[0].kind == "zip"
        if is_student and person.key not in handed_in:
            problems += _add_without_notebook(person, files, candidates, usual)
    grouped = defaultdict(list)
    for person, candidate in candidates:
        grouped[person.key, candidate.exercise].append(candidate)
    submissions = [_newest(group) for group in grouped.values()]
    submissions.sort(key=lambda one: (one.exercise, one.student.casefold(), one.identifier))
    return submissions, problems


def safe_name(what: str | Submission) -> str:
    """A file name for a text or a submission: a different one for each, valid on every system, and without folders.

    >>> safe_name("Ada Lovelace")
    'Ada_Lovelace-7674021617'
    """
    exercise = ""
    if not isinstance(what, str):
        exercise = "__" + re.sub(r"[^0-9A-Za-z_]", "_", what.exercise)[:60]
        shown, exact = f"{what.student} {what.identifier}", f"{names.normalized(what.student)}\0{names.normalized(what.identifier)}"
    else:
        shown, exact = what, what
    letters = unicodedata.normalize("NFC", shown.encode("utf-8", "replace").decode("utf-8"))
    readable = re.sub(r"_+", "_", "".join(c if c.isalnum() else "_" for c in letters)).strip("_").encode()[:80].decode("utf-8", "ignore")
    return f"{readable or 'student'}-{hashlib.sha256(exact.encode('utf-8', 'replace')).hexdigest()[:10]}{exercise}"


def _with_persons(files, level, exercises):
    """Gives (file, Person or None, index in `parts` of the name with the student) for each file. `level`: the index to begin at.

    The outermost name that holds a student is used: the names inside a student's folder or zip were chosen by that student.
    """
    tops = defaultdict(list)
    for file in files:
        if len(file.parts) <= level or file.parts[level] == UNTRUSTED:
            yield file, None, level
        else:
            tops[file.parts[level]].append(file)
    free, several, groups = [], [], []
    for top, inside in tops.items():
        person = names.formatted_name(top)
        is_folder = any(file.kind in ("folder", "zip") or len(file.parts) > level + 1 for file in inside)
        if person and person.platform:
            yield from ((file, person, level) for file in inside)
        elif not person and (names.is_group(top) or is_folder and names.is_only_exercise(top, exercises)):
            groups.append(top)
        elif is_folder and _several_students(inside, level + 1):
            several.append(top)
        elif person or is_folder or any(file.kind == "notebook" for file in inside):
            free.append(top)
    # a folder with names in a platform's format is one for many students, unless it lies among students' own folders
    (groups if len(several) > len(free) else free).extend(several)
    for top in free:
        person = names.formatted_name(top) or names.free_name(top, exercises)
        for file in tops[top]:
            yield file, person if person.recognised else replace(person, name=re.sub(r"\.[^/]*$", "", file.shown)), level
    for top in groups:
        yield from _with_persons(tops[top], level + 1, exercises)


def _several_students(files, level):
    """Whether the names from `level` inwards hold several students."""
    people = {person.key: person for file in files for part in file.parts[level:] if (person := names.formatted_name(part))}
    return len(people) > 1 or any(person.platform for person in people.values())


def _candidate(file, person, level, exercises, forced, questions):
    """The submission that one file would be. Its exercise is "" if nothing names one."""
    notes, problem, cells = [], file.problem, []
    if problem is None:
        try:
            cells = read_notebook(file.content)
        except CourseError as error:
            problem = str(error)
    in_name = _first_exercise([*reversed(file.parts[level + 1 :]), person.rest], exercises)
    in_headings = names.exercise_of_headings(cells, exercises, questions) or ""
    around = _first_exercise(reversed(file.parts[:level]), exercises)
    exercise = forced or in_name or in_headings or around
    if in_headings and in_headings != exercise:
        notes.append(f"The headings are those of {in_headings}, but it was graded as {exercise}.")
    if person.late:
        notes.append("Handed in late, according to Canvas.")
    if not person.recognised:
        notes.append("No student's name is in the name of the file.")
    content = b"" if problem else file.content
    names_exercise = bool(exercise) and exercise in (in_name, in_headings)
    return Submission(person.name, person.identifier, exercise, file.shown, content, file.modified, tuple(notes), problem, names_exercise)


def _first_exercise(texts, exercises):
    return next((exercise for text in texts if (exercise := names.find_exercise(text, exercises)[0])), "")


def _add_unknown(unknown, candidates, usual):
    """Adds submissions without an exercise to the candidates: to the notes of their student, or as the usual exercise. Returns problems."""
    problems, students = [], {person.key for person, _ in candidates}
    for person, one in unknown:
        if person.key in students and (one.problem or not usual):
            note = f"There is also {one.file}: {one.problem or 'it is not clear which exercise this is.'}"
            candidates[:] = [(p, replace(c, notes=(*c.notes, note)) if p.key == person.key else c) for p, c in candidates]
        elif usual:
            note = f"Neither its name nor its headings name an exercise: graded as {usual}."
            candidates.append((person, replace(one, exercise=usual, notes=(*one.notes, note))))
        else:
            problem = one.problem or "It is not clear which exercise this is."
            problems.append((one.file, f"{one.student}: {problem} Put the exercise into the file's name, or grade one exercise at a time."))
    return problems


def _add_without_notebook(person, files, candidates, usual):
    """Adds a student who has handed in no notebook to the candidates of the usual exercise. Returns the problem if there is no usual one."""
    others = [file.shown for file in files if file.kind == "other"]
    problem = f"There is no notebook, only {', '.join(others[:5])}." if others else "There is no notebook, and no other file."
    if not usual:
        return [(files[0].shown, f"{person.name}: {problem}")]
    candidates.append((person, Submission(person.name, person.identifier, usual, (others or [files[0].shown])[0], problem=problem)))
    return []


def _newest(group):
    """The submission that is graded of those of one student for one exercise. Its notes name the others."""
    usable = [one for one in group if one.problem is None]
    best = max(usable or group, key=lambda one: (one.names_exercise, names.copy_number(one.file), one.modified, one.file))
    notes = list(best.notes)
    for one in sorted(group, key=lambda one: one.file):
        if one.file == best.file or one.problem is None and one.content == best.content:
            continue
        notes.append(f"There is also {one.file}: {one.problem}" if one.problem else f"There is also {one.file}, which was not graded.")
    return replace(best, notes=tuple(dict.fromkeys(notes)))
