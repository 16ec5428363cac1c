"""The notebooks to grade in a folder of submissions: whose each is, of which exercise, and which of several counts."""

import hashlib
import re
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import names
from gdl.instructor.grading.reading import read_notebook
from gdl.instructor.grading.walk import LOST, walk

__all__ = ["Submission", "collect", "read_notebook", "safe_name"]


@dataclass(frozen=True)
class Submission:
    """One student's notebook for one exercise.

    student: the name as shown. identifier: the platform's, or "". file: the path inside the folder, `zip!member` in a zip.
    content: the notebook's bytes, empty if there is a problem. modified: seconds since 1970.
    notes: sentences for the person who grades. problem: why there is nothing to grade, or None. told: whether the file says its exercise.
    """

    student: str
    identifier: str
    exercise: str
    file: str
    content: bytes = b""
    modified: float = 0.0
    notes: tuple = ()
    problem: str | None = None
    told: bool = False


def collect(folder, exercises, exercise=None, questions=None):
    """Returns the submissions in `folder` and what cannot be graded there, as (submissions, [(file, sentence), ...]).

    folder: a folder as a learning platform exports it, or its zip. exercises: a dict from an exercise's name (02_vae) to its title.
    exercise: the name that all notebooks are of. questions: a dict from a name to the titles of its questions, which also tell an exercise.
    One student has one submission for each exercise. Whatever can be told to be a student's is a submission, if need be with a problem.
    Raises CourseError if there is no such folder.
    """
    folder = Path(folder)
    if not folder.exists():
        raise CourseError(f"{folder} is not there: name the folder with the submissions.")
    candidates, unknown, problems, others, handed_in, places = [], [], [], {}, set(), set()
    for file, who, level in _whose(list(walk(folder)), 0, exercises):
        if who is None:
            if file.kind == "notebook":
                problems.append((file.shown, file.problem or "It is not clear whose file this is."))
        elif file.kind == "notebook":
            candidate = _candidate(file, who, level, exercises, exercise, questions or {})
            (candidates if candidate.exercise else unknown).append((who, candidate))
            handed_in.add(who.key)
            if len(file.parts) > level + 1:
                places.add(file.parts[:level])  # where students have folders
        elif who.platform or file.kind != "other" or len(file.parts) > level + 1:
            others.setdefault(who.key, (who, file.parts[:level], []))[2].append(file)
    told = {candidate.exercise for _, candidate in candidates}
    usual = exercise or (next(iter(exercises)) if len(exercises) == 1 else next(iter(told)) if len(told) == 1 else "")
    problems += _place(unknown, candidates, usual)
    for who, place, files in others.values():
        student = who.platform or who.identifier or place in places or files[0].kind == "zip"
        if student and who.key not in handed_in:
            problems += _without_notebook(who, files, candidates, usual)
    grouped = defaultdict(list)
    for who, candidate in candidates:
        grouped[who.key, candidate.exercise].append(candidate)
    submissions = [_newest(group) for group in grouped.values()]
    submissions.sort(key=lambda one: (one.exercise, one.student.casefold(), one.identifier))
    return submissions, problems


def safe_name(what):
    """A file's name for a text, or for a student's submission: another one for each, on every system, and never out of its folder."""
    exercise = ""
    if not isinstance(what, str):
        exercise = "__" + re.sub(r"[^0-9A-Za-z_]", "_", what.exercise)[:60]
        shown, exact = f"{what.student} {what.identifier}", f"{names.same(what.student)}\0{names.same(what.identifier)}"
    else:
        shown, exact = what, what
    letters = unicodedata.normalize("NFC", shown.encode("utf-8", "replace").decode("utf-8"))
    readable = re.sub(r"_+", "_", "".join(c if c.isalnum() else "_" for c in letters)).strip("_").encode()[:80].decode("utf-8", "ignore")
    return f"{readable or 'student'}-{hashlib.sha256(exact.encode('utf-8', 'replace')).hexdigest()[:10]}{exercise}"


def _whose(found, level, exercises):
    """Gives (file, Person or None, number of the part that tells) for each file, looking at the names from the outermost inwards.

    The outermost name that is a student's counts, since what is inside a student's folder or zip was named by the student.
    """
    tops = defaultdict(list)
    for file in found:
        if len(file.parts) <= level or file.parts[level] == LOST:
            yield file, None, level
        else:
            tops[file.parts[level]].append(file)
    plain, several, groups = [], [], []
    for top, files in tops.items():
        who = names.person(top)
        holds = any(file.kind in ("folder", "zip") or len(file.parts) > level + 1 for file in files)
        if who and who.platform:
            yield from ((file, who, level) for file in files)
        elif not who and (names.is_group(top) or holds and names.only_exercise(top, exercises)):
            groups.append(top)
        elif holds and _several(files, level + 1):
            several.append(top)
        elif who or holds or any(file.kind == "notebook" for file in files):
            plain.append(top)
    # a folder that holds names like a platform's is one for many students, unless it lies among students' own folders
    (groups if len(several) > len(plain) else plain).extend(several)
    for top in plain:
        named = names.person(top) or names.plain_person(top, exercises)
        for file in tops[top]:
            yield file, named if named.sure else replace(named, name=re.sub(r"\.[^/]*$", "", file.shown)), level
    for top in groups:
        yield from _whose(tops[top], level + 1, exercises)


def _several(files, level):
    """Whether the names from `level` inwards tell of several students."""
    people = {who.key: who for file in files for part in file.parts[level:] if (who := names.person(part))}
    return len(people) > 1 or any(who.platform for who in people.values())


def _candidate(file, who, level, exercises, forced, questions):
    """The submission that one file would be; its exercise is "" if nothing tells."""
    notes, problem, cells = [], file.problem, []
    if problem is None:
        try:
            cells = read_notebook(file.content)
        except CourseError as error:
            problem = str(error)
    inner = reversed(file.parts[level + 1 :])
    named = next((name for part in [*inner, who.rest] if (name := names.mention(part, exercises)[0])), "")
    told = names.from_headings(cells, exercises, questions) or ""
    around = next((name for part in reversed(file.parts[:level]) if (name := names.mention(part, exercises)[0])), "")
    exercise = forced or named or told or around
    if told and told != exercise:
        notes.append(f"The first heading says {told}, but it was graded as {exercise}.")
    if who.late:
        notes.append("Handed in late, says Canvas.")
    if not who.sure:
        notes.append("No student's name is in the name of the file.")
    content = b"" if problem else file.content
    return Submission(
        who.name, who.identifier, exercise, file.shown, content, file.modified, tuple(notes), problem, bool(exercise) and exercise in (named, told)
    )


def _place(unknown, candidates, usual):
    """Adds submissions whose exercise nothing tells to the candidates: as another file of theirs, or as the usual exercise. Returns problems."""
    problems, known = [], {who.key for who, _ in candidates}
    for who, one in unknown:
        if who.key in known and (one.problem or not usual):
            sentence = f"There is also {one.file}: {one.problem or 'it is not clear which exercise this is.'}"
            candidates[:] = [(w, replace(c, notes=(*c.notes, sentence)) if w.key == who.key else c) for w, c in candidates]
        elif usual:
            candidates.append((who, replace(one, exercise=usual, notes=(*one.notes, f"Nothing in it tells the exercise: taken for {usual}."))))
        else:
            why = one.problem or "It is not clear which exercise this is."
            problems.append((one.file, f"{one.student}: {why} Name the exercise in the file's name, or grade one exercise at a time."))
    return problems


def _without_notebook(who, files, candidates, usual):
    """Adds a student of whom there are only other files, or none, to the candidates of the usual exercise, or returns it as a problem."""
    others = [file.shown for file in files if file.kind == "other"]
    problem = f"There is no notebook, only {', '.join(others[:5])}." if others else "There is no notebook, and no other file."
    if not usual:
        return [(files[0].shown, f"{who.name}: {problem}")]
    candidates.append((who, Submission(who.name, who.identifier, usual, (others or [files[0].shown])[0], problem=problem)))
    return []


def _newest(group):
    """The submission that counts of those of one student for one exercise, with the others in its notes."""
    usable = [one for one in group if one.problem is None]
    best = max(usable or group, key=lambda one: (one.told, names.again(one.file), one.modified, one.file))
    notes = list(best.notes)
    for one in sorted(group, key=lambda one: one.file):
        if one.file == best.file or one.problem is None and one.content == best.content:
            continue
        notes.append(f"There is also {one.file}: {one.problem}" if one.problem else f"There is also {one.file}, which was not graded.")
    return replace(best, notes=tuple(dict.fromkeys(notes)))
