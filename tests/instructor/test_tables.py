"""The tables for people, Moodle and Canvas."""

import pytest
from made_results import TITLE, Tags, result, sheet

from gdl.errors import CourseError
from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.tables import write_tables


def test_unsafe_is_stated_everywhere(tmp_path):
    write_tables([result("Ada", "1", open_points=2, sandboxed=False, person=["Look."]), result("Ben", "2", open_points=1)], tmp_path)
    assert [row["sandboxed"] for row in sheet(tmp_path / "grades.csv")] == ["NO: graded without a sandbox", "yes"]
    assert [row["Graded"] for row in sheet(tmp_path / "moodle_02_vae.csv")] == ["graded without a sandbox", ""]
    assert [row["Section"] for row in sheet(tmp_path / "canvas_02_vae.csv")] == ["", "graded without a sandbox", ""]
    assert "graded without a sandbox" in sheet(tmp_path / "person.csv")[0]["why"]
    assert "Graded without a sandbox" in feedback_page(result(sandboxed=False))
    assert "Graded without a sandbox" not in feedback_page(result())
    summary = "".join(Tags((tmp_path / "summary.html").read_text(encoding="utf-8")).words)
    assert "1 of 2: Graded without a sandbox" in summary
    assert summary.count("no sandbox") == 2  # the legend, and Ada


def test_tables(tmp_path):
    results = [
        result("Ada Lovelace", "1", points=(2, 1), open_points=2), result("Ben", "2"), result("Ben", "3", exercise="05_wgan", open_points=0),
        result("lovelaceada", "12345", open_points=1, file="export.zip!lovelaceada_12345_67890_02_vae.ipynb"),
    ]  # fmt: skip
    write_tables(results, tmp_path, [("x.zip", "This zip cannot be opened.")])
    assert {path.name for path in tmp_path.iterdir()} == {
        "grades.csv", "person.csv", "summary.html", "checks.csv", "moodle_02_vae.csv", "canvas_02_vae.csv", "moodle_05_wgan.csv",
        "canvas_05_wgan.csv",
    }  # fmt: skip
    ada, ben, _, _ = sheet(tmp_path / "grades.csv")
    assert (ada["q1"], ada["q2"], ada["automatic"], ada["by hand"], ada["total"], ada["max"], ada["state"]) == ("3", "2", "3", "2", "5", "5", "final")
    assert (ben["q2"], ben["total"], ben["state"], ben["needs a person"]) == ("", "2", "provisional", "Question 2 · Why?: to be marked by hand.")
    moodle = sheet(tmp_path / "moodle_02_vae.csv")  # only what is final
    assert [(row["Identifier"], row["Grade"], row["Maximum grade"]) for row in moodle] == [
        ("Participant 1", "5", "5"),
        ("Participant 12345", "3", "5"),
    ]
    assert moodle[0]["Feedback comments"] == "Question 1 · The closed form: 3 of 3.<br>Question 2 · Why?: 2 of 2."
    points, ada, canvas = sheet(tmp_path / "canvas_02_vae.csv")
    assert list(points)[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert (points["Student"], points[TITLE]) == ("Points Possible", "5")
    assert (ada["ID"], ada["SIS User ID"], ada[TITLE]) == ("", "1", "5")
    assert (canvas["ID"], canvas["SIS User ID"], canvas[TITLE]) == ("12345", "", "3")
    assert not (tmp_path / "canvas_02_vae.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert (tmp_path / "grades.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # for Excel
    person = sheet(tmp_path / "person.csv")
    assert [(row["student"], row["question"], row["points"], row["why"]) for row in person] == [
        ("Ben", "q2", "", "marked by hand"), ("", "", "", "This zip cannot be opened."),
    ]  # fmt: skip
    summary = "".join(Tags((tmp_path / "summary.html").read_text(encoding="utf-8")).words)
    assert "Marks: 4 notebooks of 4 students" in summary
    assert "1 answer to mark by hand" in summary
    assert "This zip cannot be opened." in summary


def test_students_with_one_identifier_are_in_no_platforms_table(tmp_path):
    write_tables([result("Ada", "7", open_points=2), result("Ben", "7", open_points=1), result("Cleo", "8", open_points=1)], tmp_path)
    assert [row["student"] for row in sheet(tmp_path / "grades.csv")] == ["Ada", "Ben", "Cleo"]
    assert [row["Identifier"] for row in sheet(tmp_path / "moodle_02_vae.csv")] == ["Participant 8"]
    assert [row["Student"].strip() for row in sheet(tmp_path / "canvas_02_vae.csv")] == ["Points Possible", "Cleo"]


def test_tables_are_written_whole(tmp_path, monkeypatch):
    write_tables([result()], tmp_path)
    before = (tmp_path / "grades.csv").read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(CourseError, match="No space left"):
        write_tables([result(open_points=2)], tmp_path)
    assert (tmp_path / "grades.csv").read_bytes() == before
    assert not list(tmp_path.glob(".partial*"))
