"""Which of several notebooks is graded, and what the instructor is told about the others and about names that are alike."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gdl.instructor.grading import names
from gdl.instructor.grading.names import Person
from gdl.instructor.grading.submission import Submission

MAX_NOTES = 10


@dataclass(frozen=True)
class Found:
    """A notebook with its student. home: the student's folder, or the folder that holds the student's files."""

    person: Person
    submission: Submission
    home: tuple[str, ...]
    parts: tuple[str, ...]  # inside the student's folder


def chosen(group: Sequence[Found], notes: Sequence[str] = ()) -> Submission:
    """The submission that is graded of those of one student for one exercise: the newest. Its notes name the others, and are at most ten."""
    usable = [one for one in group if one.submission.problem is None]
    unread = [one for one in group if one.submission.unread]  # may hold good answers, which a PDF does not
    best = max(usable or unread or group, key=_age)
    told = [*best.submission.notes]
    for one in sorted(group, key=lambda one: one.submission.file):
        other = one.submission
        if one is best or other.problem is None and other.digest == best.submission.digest:
            continue
        told.append(f"There is also {other.file}: {other.problem}" if other.problem else f"There is also {other.file}, which was not graded.")
    told = list(dict.fromkeys([*told, *notes]))
    if len(told) > MAX_NOTES:
        told = [*told[:MAX_NOTES], f"There are {len(told) - MAX_NOTES} more files of this kind."]
    return replace(best.submission, notes=tuple(told))


def _age(one):
    """What is larger for the newer of two notebooks: what a platform says comes before the times of files, which copying changes."""
    file = one.submission
    version = names.version_number(one.parts[:-1])
    return file.names_exercise, one.person.when, version, names.copy_number(file.file), file.modified, not names.is_copy(file.file), file.file


def told_apart(found: Sequence[Found]) -> list[Found]:
    """The same, but students of one name without an identifier whose folders differ get the folder into their name, and a note.

    They may be two students, or one who has handed in twice: both notebooks are graded, and a person decides.
    """
    homes: dict[tuple[str, str], set[tuple[str, ...]]] = defaultdict(set)
    exercises = defaultdict(lambda: defaultdict(set))  # by student: by exercise: the homes
    for one in found:
        if not one.person.identifier and one.person.recognised:
            homes[one.person.key].add(one.home)
            exercises[one.person.key][one.submission.exercise].add((one.home, one.submission.digest))
    twice = {
        key for key, of_student in exercises.items()
        if any(len({home for home, _ in of_one}) > 1 and not _same(of_one) for of_one in of_student.values())
    }  # fmt: skip
    labels = {key: _labels(homes[key]) for key in twice}
    made = []
    for one in found:
        key = one.person.key
        if key not in twice or one.person.identifier or not one.person.recognised:
            made.append(one)
            continue
        name = f"{one.person.name} ({labels[key][one.home]})"
        note = f"There are {len(homes[key])} folders of a student with this name: it is one student, or several."
        changed = replace(one.submission, student=name, notes=(*one.submission.notes, note))
        made.append(replace(one, person=replace(one.person, name=name), submission=changed))
    return made


def _same(homes):
    """Whether these are copies of one notebook in one folder."""
    return len({digest for _, digest in homes}) == 1 and len({home[:-1] for home, _ in homes}) == 1


def _labels(homes):
    """A text for each home that tells it from the others."""
    ordered = sorted(homes)
    containers = {home[:-1] for home in ordered}
    texts = ["/".join(home[:-1] if len(containers) == len(ordered) else home) or "top folder" for home in ordered]
    count = {names.normalized(text): 0 for text in texts}
    labels = {}
    for home, text in zip(ordered, texts):
        count[names.normalized(text)] += 1
        number = count[names.normalized(text)]
        labels[home] = text if number == 1 else f"{text}, {number}"
    return labels


def add_similar(submissions: Sequence[Submission]) -> list[Submission]:
    """The submissions with a note for each that may be of the same student as another, or whose identifier another student has too."""
    same_number, same_name = defaultdict(list), defaultdict(list)
    for one in submissions:
        if one.identifier:
            same_number[one.exercise, names.normalized(one.identifier)].append(one)
        same_name[one.exercise, names.sounds_like(one.student)].append(one)
    made = []
    for one in submissions:
        notes = []
        numbered = [other for other in same_number[one.exercise, names.normalized(one.identifier)] if other is not one and one.identifier]
        notes += [f"{other.student} has the same identifier: {other.file}." for other in numbered[:3]]
        alike = [other for other in same_name[one.exercise, names.sounds_like(one.student)] if other is not one]
        unclear = [other for other in alike if not (one.identifier and other.identifier)]
        notes += [f"This may be the same student as {other.student} {other.identifier}".strip() + f": {other.file}." for other in unclear[:3]]
        made.append(replace(one, notes=(*one.notes, *notes)))
    return made
