"""A result that stands is not lost to trouble with files: of the hand-in, and of the results themselves."""

import json
import os

import pytest
from made_results import sheet
from test_grading import SOLUTION, write_notebook

from gdl.instructor.grading import grade as grade_module
from gdl.instructor.grading import submitted
from gdl.instructor.grading.grade import grade


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """(submissions of two students, marks, solutions), and a grader that gives the points that the first cell names."""
    real = grade_module.mark

    def mark(submission, exercise, start, limits):
        if submission.problem:
            return real(submission, exercise, start, limits)
        given = json.loads(submission.content)["cells"][0]["source"]
        questions = [
            {"name": q.name, "title": q.title, "max": q.points, "by_hand": bool(q.by_hand), "answer": "", "causes": [], "checks": []}
            | {"points": min(int(given), q.points)}
            for q in exercise.questions
        ]
        return {"questions": questions, "problems": [], "person": list(submission.notes), "machine_busy": False, "outside": ""}

    monkeypatch.setattr(grade_module, "mark", mark)
    monkeypatch.setattr(grade_module, "try_solutions", lambda *_: None)
    write_notebook(tmp_path / "solutions" / "50_twice.ipynb", SOLUTION)
    for name in ("Ada", "Ben"):
        write_notebook(tmp_path / "in" / name / "50_twice.ipynb", ["2"])
    return tmp_path / "in", tmp_path / "marks", tmp_path / "solutions"


def totals_of(folders):
    results = grade(*folders, unsafe=True)
    assert sorted({row["student"] for row in sheet(folders[1] / "grades.csv")}) == sorted({one["student"] for one in results})
    return {one["student"]: sum(question["points"] for question in one["questions"]) for one in results}


def refused():
    raise PermissionError(13, "Permission denied")


def why(folders, student):
    return " ".join(row["why"] for row in sheet(folders[1] / "person.csv") if row["student"] == student)


@pytest.mark.parametrize(
    "trouble", ["removed", "empty", "a PDF", "cut off", "a FIFO", "a link", "too large", "a folder", "a broken zip", "a rar", "unreadable"]
)
def test_trouble_with_a_hand_in_leaves_its_mark(folders, trouble, monkeypatch):
    before = totals_of(folders)
    path = folders[0] / "Ada" / "50_twice.ipynb"
    content = path.read_bytes()
    path.unlink()
    if trouble == "empty":
        path.touch()
    elif trouble == "a PDF":
        path.write_bytes(b"%PDF-1.7")
    elif trouble == "cut off":
        path.write_bytes(content[:-20])
    elif trouble == "a FIFO":
        os.mkfifo(path)
    elif trouble == "a link":
        path.symlink_to(folders[0] / "Ben" / "50_twice.ipynb")
    elif trouble == "too large":
        path.write_bytes(b" " * (submitted.MAX_NOTEBOOK + 1))
    elif trouble == "a folder":
        path.mkdir()
    elif trouble in ("a broken zip", "a rar"):
        path.with_suffix(".zip" if "zip" in trouble else ".rar").write_bytes(b"PK")
    elif trouble == "unreadable":
        path.write_bytes(content)
        real = os.open
        monkeypatch.setattr(os, "open", lambda file, *more, **options: refused() if file == path else real(file, *more, **options))
    for _ in range(2):
        assert totals_of(folders) == before
        assert "earlier result" in why(folders, "Ada")


def test_a_student_who_is_gone_keeps_the_mark_until_the_result_is_deleted(folders):
    before = totals_of(folders)
    (folders[0] / "Ada" / "50_twice.ipynb").unlink()
    (folders[0] / "Ada").rmdir()
    assert totals_of(folders) == before
    sentence = why(folders, "Ada")
    assert "no longer among the submissions" in sentence
    (folders[1] / sentence.split("Delete ")[1].split(" if")[0]).unlink()
    assert list(totals_of(folders)) == ["Ben"]


def test_a_worse_notebook_counts_and_is_told(folders):
    totals_of(folders)
    write_notebook(folders[0] / "Ada" / "50_twice.ipynb", ["1"])
    for _ in range(2):
        assert totals_of(folders)["Ada"] == 3
        assert "got 4 points from the checks, and this one 2" in why(folders, "Ada")


def test_a_notebook_that_cannot_be_read_gets_no_mark_rather_than_0(folders):
    (folders[0] / "Ada" / "50_twice.ipynb").write_bytes(b" " * (submitted.MAX_NOTEBOOK + 1))
    (ada, ben) = grade(*folders, unsafe=True)
    assert [question["points"] for question in ada["questions"]] == [None] * 3
    assert [question["points"] for question in ben["questions"]] == [2, 2, 2]
    assert "at most 20 MB are read" in why(folders, "Ada")
    assert [row["Student"].strip() for row in sheet(folders[1] / "canvas_50_twice.csv")] == ["Points Possible", "Ben"]
    assert not sheet(folders[1] / "moodle_50_twice.csv"), "Moodle finds students by its own numbers, which these folders do not have"


DAMAGED = {
    "a list": lambda text: "[1, 2]", "nothing": lambda text: "", "a part": lambda text: text[:-40], "a number": lambda text: "7",
    "null": lambda text: "null",
    "bytes": lambda text: "\udcff\udcfe", "deep": lambda text: "[" * 100_000, "another object": lambda text: '{"digest": "x"}',
    "NaN": lambda text: text.replace('"points": 2', '"points": NaN'), "text": lambda text: text.replace('"points": 2', '"points": "2"'),
    "too many": lambda text: text.replace('"points": 2', '"points": 99'), "below 0": lambda text: text.replace('"points": 2', '"points": -1'),
    "true": lambda text: text.replace('"points": 2', '"points": true'), "no questions": lambda text: text.replace('"questions"', '"q"'),
    "another name": lambda text: text.replace('"name": "Ada', '"name": "../../Ada'),
    "person": lambda text: text.replace('"person": []', '"person": 3'),
    "a mark of nobody": lambda text: text.replace('"by_hand": true', '"by_hand": true, "comment": "x"'),
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_result_is_made_again(folders, damage):
    before = totals_of(folders)
    (path,) = (folders[1] / "results").glob("Ada*.json")
    text = path.read_text(encoding="utf-8")
    damaged = DAMAGED[damage](text)
    assert damaged != text
    path.write_text(damaged, encoding="utf-8", errors="surrogateescape")
    (folders[1] / "results" / "notes.json").write_text("[]")  # not the grader's
    assert totals_of(folders) == before
    assert json.loads(path.read_text(encoding="utf-8")) == json.loads(text) | {"seconds": json.loads(path.read_text())["seconds"]}
    path.write_text(damaged, encoding="utf-8", errors="surrogateescape")
    (folders[0] / "Ada" / "50_twice.ipynb").unlink()
    (folders[0] / "Ada").rmdir()
    assert totals_of(folders) == {"Ben": before["Ben"]}
    assert [row["why"] for row in sheet(folders[1] / "person.csv") if row["file"] == f"results/{path.name}"] == [
        "This file holds no result that can be read, and its notebook is not among the submissions."
    ]
