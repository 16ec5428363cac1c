"""Whose each submitted file is: which of the names on the way to it is the student's."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import replace

from gdl.instructor.grading import names, zips
from gdl.instructor.grading.exercise_names import find_exercise
from gdl.instructor.grading.names import Person
from gdl.instructor.grading.submitted import UNTRUSTED, Budget, SubmittedFile, is_zip, opened

Whose = tuple[SubmittedFile, Person | None, int]
MAX_LISTED = 200_000  # files in a zip that may be the zip of a whole class


def with_persons(files: list[SubmittedFile], exercises: Collection[str], level: int = 0) -> Iterator[Whose]:
    """Gives (file, Person or None, index in `parts` of the name with the student) for each file. level: the index to begin at.

    The outermost name that holds a student is used: the names inside a student's folder or zip were chosen by that student. A folder is
    one for several students if its name says so, if names in a platform's format are in it, or if several of its folders hold the same exercise.
    Zips of students are given as they are, and not opened.
    """
    tops: dict[str, list[SubmittedFile]] = defaultdict(list)
    for file in files:
        if file.kind == "zip" and len(file.parts) == level:  # of several students
            for inner in zips.members(file, Budget(MAX_LISTED)):
                if len(inner.parts) > level and inner.parts[level] != UNTRUSTED:
                    tops[inner.parts[level]].append(inner)
                else:
                    yield inner, None, level
        elif len(file.parts) <= level or file.parts[level] == UNTRUSTED:
            yield file, None, level
        else:
            tops[file.parts[level]].append(file)
    if "submitted" in tops:  # nbgrader's own folders
        for other in names.NBGRADER_OTHERS:
            tops.pop(other, None)
    boards = names.blackboard_names(tops, exercises)
    free, several, groups = [], [], []
    for top, inside in tops.items():
        is_folder = any(file.kind == "folder" or len(file.parts) > level + 1 for file in inside)
        is_several = is_folder or is_zip(top)  # or may be
        person = boards.get(top) or names.formatted_name(top, is_folder)
        if person and person.platform:
            yield from ((file, person, level) for file in inside)
        elif not person and (names.is_group(top) or is_several and names.is_only_exercise(top, exercises)):
            groups.append(top)
        elif is_several and _holds_several(inside, level + 1, exercises, bool(person), alone=len(tops) == 1):
            several.append(top)
        elif person or is_several or any(file.kind == "notebook" for file in inside):
            free.append(top)
        else:
            yield from ((file, None, level) for file in inside)
    # a folder with several names is one for many students, unless it lies among students' own folders
    people = [top for top in free if not names.is_only_exercise(top, exercises)]
    is_class = len(several) > len(people) or len(several) == len(people) and not all(map(is_zip, several))
    if is_class:  # also those with one student each
        groups += several + [top for top in free if _only_named_folders(tops[top], level + 1, exercises)]
        free = [top for top in free if top not in groups]
    else:
        free += several
    for top in free:
        is_folder = any(file.kind == "folder" or len(file.parts) > level + 1 for file in tops[top])
        person = names.formatted_name(top, is_folder) or names.free_name(top, exercises, is_folder)
        for file in tops[top]:
            yield file, person if person.recognised else replace(person, name=file.shown.rsplit(".", 1)[0]), level
    for top in groups:
        yield from with_persons(tops[top], exercises, level + 1)


def _holds_several(inside, level, exercises, is_person, alone):
    """Whether the names from `level` inwards hold several students.

    is_person: whether the folder's name is in a student's format. alone: whether nothing lies beside this folder.
    """
    people, flat, folders = {}, defaultdict(set), defaultdict(set)
    files = [file for file in opened(inside, zips.members, Budget(MAX_LISTED)) if len(file.parts) > level]
    for part in {part for file in files for part in file.parts[level:]}:
        if (person := names.formatted_name(part)) and not names.is_inner(part):
            people[person.key] = person
    if len(people) > 1 or any(person.platform for person in people.values()):
        return True
    if is_person:
        return False
    while len({file.parts[level] for file in files}) == 1 and (deeper := [file for file in files if len(file.parts) > level + 1]):
        files, level = deeper, level + 1  # one folder in another
    for file in files:
        if file.kind != "notebook" or file.problem:
            continue
        top = file.parts[level]
        is_file = len(file.parts) == level + 1
        if (person := names.free_name(top, exercises, not is_file)).recognised:
            if is_file and (person.rest or alone):
                flat[find_exercise(person.rest, exercises)[0]].add(person.key)
            elif not is_file and not names.is_inner(top) and not names.is_only_exercise(top, exercises):
                found = (find_exercise(part, exercises)[0] for part in reversed(file.parts[level + 1 :]))
                folders[next(filter(None, found), None)].add(person.key)
    return any(len(found) > 1 for found in [*flat.values(), *folders.values()])


def _only_named_folders(files, level, exercises):
    """Whether all notebooks lie in folders with a name that may be a student's."""
    tops = {file.parts[level] if len(file.parts) > level + 1 else "" for file in files if file.kind == "notebook" and len(file.parts) > level}
    return bool(tops) and all(top and not names.is_inner(top) and not names.is_only_exercise(top, exercises) for top in tops)
