"""The layouts of platforms, courses and people, with the names that students have: each has one submission, and it is theirs."""

import unicodedata

import pytest
from submissions import EXERCISES, A, B, C, notebook, put, rows, zipped

from gdl.instructor.grading.collect import collect

BLACKBOARD = "gradebook_GDL-2026_02_vae_{login}_attempt_2026-11-{day}-10-11-12"
LAYOUTS = {  # {n}: the student's name; {i}: their number
    "nbgrader": "submitted/{n}/02_vae/02_vae.ipynb",
    "nbgrader, from its root": "{n}/02_vae/02_vae.ipynb",
    "exercise first": "02_vae/{n}/solution.ipynb",
    "exercise first, files": "02_vae/{n}.ipynb",
    "a term": "2026 WS/{n}/02_vae.ipynb",
    "a term, exercise": "SoSe26/02_vae/{n}/02_vae.ipynb",
    "a section": "Section A/{n}/02_vae.ipynb",
    "an unknown folder": "Deep faces/{n}/02_vae.ipynb",
    "unknown folders": "AI lab/Prof. Noether/Monday/{n}/02_vae/02_vae.ipynb",
    "a course code": "CS101/{n}/02_vae.ipynb",
    "Moodle": "{n}_{i}_assignsubmission_file_/x.ipynb",
    "Moodle 5": "{n}_{i}_assignsubmission_file/x.ipynb",
    "Moodle, flat": "{n}_{i}_assignsubmission_file_x.ipynb",
    "Moodle in folders": "Group 1/Moodle export/{n}_{i}_assignsubmission_file_/x.ipynb",
    "Ilias": "Exercise 2/{n}_login_{i}/20261128101112_02_vae.ipynb",
    "Google Classroom": "Exercise 2/{n} - Copy of 02_vae.ipynb",
    "Teams": "Student Work/Submitted files/{n}/Exercise 2/Version 1/02_vae.ipynb",
    "GitHub Classroom": "02-vae-submissions/02-vae-{n}/02_vae.ipynb",
    "the course's own": "{n}_{i}_02_vae.ipynb",
}
NAMES = [
    "Ada Lovelace", "Zoë Ó Sé", "Jean-Paul O'Brien", "Gan Li", "阿达", "Müller, Bob", '=SUM(A1) "x"', "ada", "Ili.ipynb", "Smith.zip",
    "Nguyễn Thị To",    "Summer Week", "student-1", "student-2", "Ivan Ilić",
]  # fmt: skip
WITH_FILES = ("exercise first, files", "Google Classroom")  # where what ends like a file is no name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("packed", ["folder", "zip"])
def test_everybody_is_found_in_every_layout(tmp_path, layout, packed):
    names = [name for name in NAMES if layout not in WITH_FILES or "." not in name]
    paths = {LAYOUTS[layout].format(n=name, i=1000 + number): notebook(name, heading="# Exercise 02") for number, name in enumerate(names)}
    if packed == "zip":
        put(tmp_path, {"export.zip": zipped(paths)})
    else:
        put(tmp_path, paths)
    found = collect(tmp_path, EXERCISES)
    assert not found[1]
    assert len(found[0]) == len(names)
    for one in found[0]:
        whose = names[[notebook(name, heading="# Exercise 02") for name in names].index(one.content)]
        assert one.student.removesuffix(" login") == whose.strip(" -.,")
        assert (one.problem, one.exercise) == (None, "02_vae")


def test_sections_of_several_sizes(tmp_path):
    put(tmp_path, {
        "Meier/ada/02_vae.ipynb": A, "Meier/ben/02_vae.ipynb": B, "Schulz/cleo/02_vae.ipynb": C, "Schulz/dora/02_vae.ipynb": A,
        "Huber/emma/02_vae.ipynb": B, "names.csv": b"ada,ben",
    })  # fmt: skip
    assert [row[0] for row in rows(tmp_path)] == ["ada", "ben", "cleo", "dora", "emma"]


def test_blackboard(tmp_path):
    """Attempts are of one student, the newest counts, and a login may hold what the title holds too."""
    first, second = (BLACKBOARD.format(login="alovelace", day=day) for day in (28, 29))
    put(tmp_path, {
        f"{first}_vae.ipynb": (B, 0), f"{first}.txt": b"Name: Ada Lovelace (alovelace)", f"{second}_vae.ipynb": (A, 99), f"{second}.txt": b"",
        BLACKBOARD.format(login="ben_k", day=28) + "_mine.zip": zipped({"02_vae.ipynb": B}),
        BLACKBOARD.format(login="ben_l", day=28) + "_x.ipynb": C,
        BLACKBOARD.format(login="dora", day=28) + ".txt": b"I forgot the file.",
    })  # fmt: skip
    submissions, problems = collect(tmp_path, EXERCISES)
    assert not problems
    assert [(one.student, one.content) for one in submissions] == [("alovelace", A), ("ben_k", B), ("ben_l", C), ("dora", b"")]
    assert submissions[0].notes == (f"There is also {first}_vae.ipynb, which was not graded.",)
    assert submissions[3].problem.startswith("There is no notebook, only gradebook")


def test_brightspace(tmp_path):
    attempts = {"Nov 28, 2026 1012 AM": A, "Nov 28, 2026 1245 PM": C, "Nov 28, 2026 103 PM": B}
    put(tmp_path, {f"1234-5678 - Ada Lovelace - {when}/02_vae.ipynb": (content, 0 if content == A else 9) for when, content in attempts.items()})
    put(tmp_path, {"1235-5678 - Anne-Marie Bo - 28 November, 2026 1012/02_vae.ipynb": C, "index.html": b"<html>"})
    found, _ = collect(tmp_path, EXERCISES)
    assert [(one.student, one.identifier) for one in found] == [("Ada Lovelace", "1234"), ("Anne-Marie Bo", "1235")]
    assert "103 PM" in found[0].file and "1012 AM" in found[0].notes[0]


def test_attempts_of_other_platforms(tmp_path):
    put(tmp_path / "exchange", {
        "inbound/ada+02_vae+2026-11-28 10:11:12 UTC/02_vae.ipynb": (A, 0), "inbound/ada+02_vae+2026-11-29 10:11:12 UTC/02_vae.ipynb": (B, 9),
        "inbound/ben+02_vae+2026-11-28 10:11:12 UTC/02_vae.ipynb": C,
    })  # fmt: skip
    assert [one.content for one in collect(tmp_path / "exchange", EXERCISES)[0]] == [B, C]
    put(
        tmp_path / "teams",
        {f"Submitted files/{n}/Ex 2/Version {v}/02_vae.ipynb": (x, v) for n, v, x in [("ada", 1, A), ("ada", 12, B), ("ben", 2, C)]},
    )
    assert [one.content for one in collect(tmp_path / "teams", EXERCISES)[0]] == [B, C]
    put(tmp_path / "canvas", {"lovelaceada_123_456_02_vae.ipynb": A, "lovelaceada_LATE_123_457_02_vae-1.ipynb": B, "li_124_458_02_vae.ipynb": C})
    assert [one.content for one in collect(tmp_path / "canvas", EXERCISES)[0]] == [C, B]


def test_nbgraders_other_folders_are_no_students(tmp_path):
    put(tmp_path, {f"{folder}/ada/02_vae/02_vae.ipynb": A for folder in ("submitted", "autograded")})
    put(
        tmp_path,
        {"source/02_vae/02_vae.ipynb": B, "release/02_vae/02_vae.ipynb": B, "submitted/ada/02_vae/timestamp.txt": b"2026-11-28 10:11:12 UTC"},
    )
    assert rows(tmp_path) == [("ada", "", "02_vae", "submitted/ada/02_vae/02_vae.ipynb")]


def test_students_of_one_name_are_graded_both(tmp_path):
    """Nobody can know whether it is one student: both are graded, and a person is told."""
    for folders in (("Section A/Anna Müller", "Section B/Anna Müller"), ("ada", "ADA"), ("02_vae - ada", "ada")):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        put(folder, {f"{folders[0]}/02_vae.ipynb": A, f"{folders[1]}/02_vae.ipynb": B, "ben/02_vae.ipynb": C, f"{folders[0]}/05_wgan.ipynb": C})
        submissions, _ = collect(folder, EXERCISES, "02_vae" if folders[0] == "x" else None)
        twice = [one for one in submissions if one.student.casefold()[:2] in ("an", "ad")]
        assert len({one.student for one in twice}) == 2
        assert sorted(one.content for one in twice if one.exercise == "02_vae") == sorted([A, B])
        assert all("it is one student, or several" in one.notes[-1] for one in twice)


def test_one_name_in_two_ways_to_write_an_umlaut_is_one_student(tmp_path):
    name = "Zoë Müller"
    put(tmp_path, {f"{unicodedata.normalize('NFD', name)}/02_vae.ipynb": A, f"{unicodedata.normalize('NFC', name)}/05_wgan.ipynb": B})
    put(tmp_path, {"Ben/02_vae.ipynb": C})
    assert [(row[0], row[2]) for row in rows(tmp_path)] == [("Ben", "02_vae"), (name, "02_vae"), (name, "05_wgan")]


def test_who_may_be_the_same_student_is_told(tmp_path):
    put(tmp_path, {
        "Ada Lovelace/02_vae.ipynb": A, "Lovelace, Ada.ipynb": notebook("x", heading="# Exercise 02"), "Ben_101_02_vae.ipynb": B,
        "Bob_101_02_vae.ipynb": C,
    })  # fmt: skip
    notes = {one.student: one.notes[-1] for one in collect(tmp_path, EXERCISES)[0]}
    assert notes == {
        "Ada Lovelace": "This may be the same student as Lovelace, Ada: Lovelace, Ada.ipynb.",
        "Lovelace, Ada": "This may be the same student as Ada Lovelace: Ada Lovelace/02_vae.ipynb.",
        "Ben": "Bob has the same identifier: Bob_101_02_vae.ipynb.", "Bob": "Ben has the same identifier: Ben_101_02_vae.ipynb.",
    }  # fmt: skip


@pytest.mark.parametrize("copy", ["02_vae-Copy1", "02_vae - Kopie", "02_vae copy 2", "Copy of 02_vae", "02_vae (1)"])
def test_of_two_copies_one_is_graded_and_the_other_is_told(tmp_path, copy):
    put(tmp_path, {"ada_02_vae.ipynb": A, f"ada_{copy}.ipynb": B, "Ben/02_vae.ipynb": A, f"Ben/{copy}.ipynb": B})
    ada, ben = collect(tmp_path, EXERCISES)[0]
    assert (ada.student, ben.student) == ("ada", "Ben")
    for one in (ada, ben):
        assert one.content in (A, B)
        assert len(one.notes) == 1
        assert one.notes[0].endswith("which was not graded.")
    assert (ben.content == B) is (copy in ("02_vae (1)", "Copy of 02_vae"))  # a browser's number is the later one


def test_a_students_folder_cannot_take_a_class_apart(tmp_path):
    """Folders named like others in one student's folder or zip neither hand in for those nor change whose the others' are."""
    put(tmp_path, {
        "eve/Grace/02_vae.ipynb": A, "eve/Hedy/02_vae.ipynb": A, "Grace/mine/02_vae.ipynb": B, "Hedy/own/02_vae.ipynb": C, "Ines/x/02_vae.ipynb": C,
        "mallory.zip": zipped({"Grace_1_assignsubmission_file_/02_vae.ipynb": A, "submitted/Hedy/02_vae.ipynb": A}),
    })  # fmt: skip
    contents = {one.student: one.content for one in collect(tmp_path, EXERCISES)[0]}
    assert contents == {"eve": A, "mallory": A, "Grace": B, "Hedy": C, "Ines": C}
