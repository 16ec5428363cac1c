"""A class in a term: pairs, late days, who handed in nothing, whose points have changed, the checks, and feedback for the platforms."""

import io
import zipfile

import nbformat
import pytest
from made_results import Tags, result, sheet

from gdl.errors import CourseError
from gdl.instructor.grading import totals
from gdl.instructor.grading.class_list import ClassList, Member, read_class
from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.feedback_zips import write_feedback_zips
from gdl.instructor.grading.hidden import NOTE
from gdl.instructor.grading.names import formatted_name
from gdl.instructor.grading.tables import write_tables


def students_csv(folder, text):
    (folder / "students.csv").write_text(text, encoding="utf-8")
    return folder / "students.csv"


@pytest.mark.parametrize(
    "text",
    [
        "student,identifier,pair,late 02_vae\nAda Lovelace,1234567,A,2\nBen,7,,\n",
        "Identifier;Full name;Group;Late 2\nParticipant 1234567;Ada Lovelace;a;2,0\nParticipant 7;Ben;;\n",
        'Student,ID,SIS User ID,pair,late 02 vae\n    Points Possible,,,,\n"Ada Lovelace",1234567,x,A,2\nBen,7,,,\n"Student, Test",99,,,\n',
    ],
    ids=["by hand", "Moodle", "Canvas"],
)
def test_the_list_of_the_class(tmp_path, text):
    ada, ben = read_class(students_csv(tmp_path, text)).members
    assert (ada.student, ada.identifier, ada.pair, ada.days("02_vae"), ada.days("12_flow_matching")) == ("Ada Lovelace", "1234567", "a", 2, 0)
    assert (ben.student, ben.identifier, ben.pair, ben.late) == ("Ben", "7", "", {})


@pytest.mark.parametrize(
    "text, options, said",
    [
        ("a,b\n1,2\n", {}, "has no column `student`"), ("student,late 02\nAda,soon\n", {}, "line 2, column late 02: soon is not a number of days"),
        ("student\nAda\n", {"percent": 101}, "--late-percent"), ("student\nAda\n", {"free_days": -1}, "--free-days"), ("", {}, "has no column"),
        ("student,identifier\n", {}, "no line below it"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_read(tmp_path, text, options, said):
    with pytest.raises(CourseError, match=said):
        read_class(students_csv(tmp_path, text), **options)


def test_late_days_by_hand():
    """Of 20 points 10 percent a day is 2 points. Ada has 3 free days: exercise 02 uses up 2 of them, so of 4 days for 05 she pays 3."""
    ada = Member("Ada", "1", late={"02vae": 2, "05wgan": 4, "10": 1})
    rule = ClassList([ada], percent=10, free_days=3)
    assert [rule.charged_days(ada, name) for name in ("01_autoencoder", "02_vae", "05_wgan", "10_conditional")] == [0, 0, 3, 1]
    late = result("Ada", "1", points=(2, 1), open_points=2, exercise="05_wgan")  # 5 of 5 points
    (made,), _ = rule.apply([late])
    assert (made["late_days"], made["deducted"], totals.total(made)) == (4, 1.5, 3.5)
    assert "4 days late: 1.5 points less." in "".join(Tags(feedback_page(made)).words)
    (free,), _ = rule.apply([result("Ada", "1", points=(2, 1), open_points=2)])
    assert totals.total(free) == 5 and "2 days late, within the free days." in "".join(Tags(feedback_page(free)).words)
    (nothing_left,), _ = ClassList([Member("Ada", "1", late={"05": 99})], percent=100).apply([late])
    assert totals.total(nothing_left) == 0  # and never below


def class_of_six(tmp_path, percent=0, free=0):
    text = "student,identifier,pair,late 02_vae\nAda,1,A,\nBen,2,A,1\nCleo,3,B,\nDan,4,B,\nEve,5,,\nFay,6,,\n"
    return read_class(students_csv(tmp_path, text), percent, free)


def test_pairs_and_those_who_handed_in_nothing(tmp_path):
    handed_in = [result("Ada", "1", open_points=2), result("Cleo", "3", open_points=1), result("Dan", "4", open_points=0), result("Eve", "5")]
    handed_in.append(result("Zoe", "9", open_points=1))
    returned = write_tables(handed_in, tmp_path / "out", class_list=class_of_six(tmp_path, percent=20))
    rows = {row["student"]: row for row in sheet(tmp_path / "out" / "grades.csv")}
    assert {name: (row["total"], row["state"], row["late days"], row["deducted"]) for name, row in rows.items()} == {
        "Ada": ("4", "final", "", ""), "Ben": ("3", "final", "1", "1"), "Cleo": ("3", "final", "", ""), "Dan": ("2", "final", "", ""),
        "Eve": ("2", "provisional", "", ""), "Fay": ("0", "handed in nothing", "", ""), "Zoe": ("3", "final", "", ""),
    }  # fmt: skip
    assert "With Ada." in rows["Ben"]["needs a person"]
    assert "Dan of the pair b handed in another notebook." in rows["Cleo"]["needs a person"]
    assert "not in the list of the class" in rows["Zoe"]["needs a person"]
    platform = [row["Full name"] for row in sheet(tmp_path / "out" / "moodle_02_vae.csv")]
    assert platform == ["Ada", "Ben", "Cleo", "Dan", "Zoe"]  # Eve waits, and Fay's 0 is for a person to decide
    person = sheet(tmp_path / "out" / "person.csv")
    assert [row["student"] for row in person if row["question"]] == ["Eve"]  # a pair's answer is marked once
    assert len({one["name"] for one in returned if "name" in one}) == 2  # pages for Ben and Fay's entry have names of their own
    words = "".join(Tags((tmp_path / "out" / "summary.html").read_text(encoding="utf-8")).words)
    assert "Marks: 5 notebooks of 6 students" in words and "1 student handed in nothing: Fay" in words
    ben = next(one for one in returned if one["student"] == "Ben")
    assert "Handed in together with Ada." in "".join(Tags(feedback_page(ben)).words)
    again = write_tables(handed_in, tmp_path / "out", class_list=class_of_six(tmp_path, percent=20))
    assert [row["student"] for row in sheet(tmp_path / "out" / "grades.csv")] == list(rows) and not any("changed" in one for one in again)


def test_a_member_is_found_by_number_and_by_name():
    """Moodle numbers a participant anew in each assignment, so a name is enough where it is the only one."""
    members = [Member("Lovelace, Ada", "111"), Member("Ben", "2", late={"02": 1}), Member("Ben", "3", late={"02": 2})]
    late = lambda *who: ClassList(members, 10).apply([result(*who)])[0][0].get("late_days")  # noqa: E731
    assert late("Ben", "3") == 2 and late("Ben", "2") == 1
    (ada,), added = ClassList(members).apply([result("Ada Lovelace", "999")])
    assert [one["student"] for one in added] == ["Ben", "Ben"] and not ada["person"][1:]
    (unclear,), _ = ClassList(members).apply([result("Ben", "")])
    assert "several are alike" in unclear["person"][-1]


def pair_of(tmp_path, list_, *handed_in):
    """The rows of grades.csv and of Moodle's and Canvas's tables by student, and the members of the zips, for a list of the class."""
    out = tmp_path / "out"
    returned = write_tables(list(handed_in), out, class_list=read_class(students_csv(tmp_path, list_)))
    for number, one in enumerate(returned):
        one.setdefault("name", f"page-{number}")
    zips = write_feedback_zips(returned, {one["name"]: "" for one in returned}, out)
    members = [name.split("/")[1] for path in zips for name in zipfile.ZipFile(path).namelist() if "moodle" in path.name]
    grades = {row["student"]: row for row in sheet(out / "grades.csv")}
    return grades, {row["Full name"]: row["Identifier"] for row in sheet(out / "moodle_02_vae.csv")}, sheet(out / "canvas_02_vae.csv"), members


def test_a_partner_gets_no_number_of_another_assignment(tmp_path):
    """Ada's number in the list is not that of her file, so the list is of another assignment, or has the university's numbers."""
    list_ = "student,identifier,pair\nAda,901,A\nBen,902,A\n"
    grades, moodle, canvas, members = pair_of(tmp_path, list_, result("Ada", "411", open_points=2))
    assert moodle == {"Ada": "Participant 411"} and members == ["Ada_411_assignsubmission_file_"]
    assert grades["Ben"]["total"] == "4" and grades["Ben"]["identifier"] == "" and "With Ada." in grades["Ben"]["needs a person"]
    assert "Moodle's number of the partner Ben in this assignment is not known" in grades["Ada"]["needs a person"]
    assert any("partner Ben" in row["why"] for row in sheet(tmp_path / "out" / "person.csv"))
    assert [row["Student"] for row in canvas[1:]] == ["Ada", "Ben"]  # Canvas finds him by his name


def test_a_partner_gets_the_number_of_this_assignment(tmp_path):
    list_ = "Identifier,Full name,pair\nParticipant 411,Ada,A\nParticipant 412,Ben,A\n"
    grades, moodle, _, members = pair_of(tmp_path, list_, result("Ada", "411", open_points=2))
    assert moodle == {"Ada": "Participant 411", "Ben": "Participant 412"}
    assert members == ["Ada_411_assignsubmission_file_", "Ben_412_assignsubmission_file_"]
    assert "is not known" not in grades["Ada"]["needs a person"] and grades["Ben"]["identifier"] == "412"


def test_a_partner_in_canvas(tmp_path):
    file = "lovelaceada_12345_67890_02_vae.ipynb"
    for list_, number in (
        ("Student,ID,pair\nlovelaceada,12345,A\nBen,12346,A\n", "12346"),
        ("student,identifier,pair\nlovelaceada,7,A\nBen,8,A\n", ""),
    ):
        _, moodle, canvas, _ = pair_of(tmp_path, list_, result("lovelaceada", "12345", file=file, open_points=2))
        assert [(row["Student"], row["ID"]) for row in canvas[1:]] == [("Ben", number), ("lovelaceada", "12345")]
        assert ("Ben" in moodle) == bool(number)


def test_the_column_of_canvas_is_that_of_its_grade_book(tmp_path):
    columns = "Student,ID,SIS Login ID,Section,Week 1 (70),Exercise 2: VAE (71),02_vae,05_wgan (72),Exercise 05 again (73),Exercises Current Score"
    rule = read_class(students_csv(tmp_path, columns + "\n    Points Possible,,,,5,20,,20,20,(read only)\nAda,1,a,S,,,,,,\n"))
    assert [rule.canvas_column(name) for name in ("02_vae", "05_wgan", "06_wgan_gp")] == ["Exercise 2: VAE (71)", None, None]
    ada = result("Ada", "1", file="Ada_1_9001_02_vae.ipynb", open_points=2)
    write_tables([ada], tmp_path / "out", class_list=rule)
    assert list(sheet(tmp_path / "out" / "canvas_02_vae.csv")[0])[-1] == "Exercise 2: VAE (71)"
    write_tables([ada], tmp_path / "out")
    assert list(sheet(tmp_path / "out" / "canvas_02_vae.csv")[0])[-1] == ada["title"]


def test_whose_points_have_changed(tmp_path):
    write_tables([result("Ada", "1", points=(2, 0)), result("Ben =1", "2", points=(2, 1), open_points=1)], tmp_path)
    assert not (tmp_path / "changes.csv").exists()
    first = write_tables([result("Ada", "1", points=(2, 0), open_points=2), result("Ben =1", "2", points=(2, 1), open_points=1)], tmp_path)
    assert not any("changed" in one for one in first)  # a first mark is no change
    write_tables([result("Ada", "1", points=(2, 0), open_points=2), result("Ben =1", "2", points=(2, 0), open_points=1)], tmp_path)
    write_tables([result("Ada", "1", points=(2, 1), open_points=2), result("Ben =1", "2", points=(2, 0), open_points=1)], tmp_path)
    rows = sheet(tmp_path / "changes.csv")
    assert [(row["student"], row["total before"], row["total now"], row["state before"], row["what"]) for row in rows] == [
        ("Ben =1", "4", "3", "final", "q1: 3 → 2"), ("Ada", "4", "5", "final", "q1: 2 → 3"),
    ]  # fmt: skip
    words = "".join(Tags((tmp_path / "summary.html").read_text(encoding="utf-8")).words)
    assert "Changed since the last run" in words and "q1: 2 → 3" in words and "q1: 3 → 2" not in words


def test_statistics_by_check(tmp_path):
    many = [
        result("Ada", "1", points=(2, 1)),
        result("Ben", "2", points=(2, 0)),
        result("Cleo", "3", points=(0, 0)),
        result("Dan", "4", points=(2, 0)),
    ]
    many[1]["questions"][0]["checks"][1]["message"] = "the other sign." + NOTE
    many[3]["questions"][0]["checks"][1] |= {"points": None}  # stopped for a reason outside it
    write_tables(many, tmp_path)
    a, b = sheet(tmp_path / "checks.csv")
    assert (a["check"], a["max"], a["notebooks"], a["passed"], a["share"], a["failed a hidden test"]) == ("q1a", "2", "4", "3", "0.75", "0")
    assert (b["check"], b["notebooks"], b["passed"], b["share"], b["failed a hidden test"]) == ("q1b", "3", "1", "0.333", "1")
    assert a["most frequent message"].startswith("one value for each image") and a["times"] == "1"
    assert "2 checks" in "".join(Tags((tmp_path / "summary.html").read_text(encoding="utf-8")).words)


def test_feedback_zips_have_the_names_that_the_platforms_read(tmp_path):
    """Moodle splits each part of a path at its underscores, and Canvas takes the first two numbers of the file's name."""
    many = [
        result("Ada_Anna Lovelace/..", "1234567", open_points=2), result("Ben", "7", file="Ben_7_assignsubmission_file_02_vae.ipynb", open_points=1),
        result("waits", "8"), result("lovelaceada", "12345", file="export.zip!lovelaceada_LATE_12345_67890_02_vae-1.ipynb", open_points=0),
        result("noetheremmy", "77", file="noetheremmy_77_9001_answers.pdf", open_points=0),
        result("by hand", "5", file="by hand/02_vae.ipynb", open_points=0),
        result("anon_AbC12", "AbC12", file="anon_AbC12_67891_02_vae.ipynb", open_points=0),
    ]  # fmt: skip
    for number, one in enumerate(many):
        one["name"] = f"page-{number}"
    pages = {one["name"]: f"<p>page of {one['student']}</p>" for one in many}
    assert [path.name for path in write_feedback_zips(many, pages, tmp_path)] == ["feedback_moodle_02_vae.zip", "feedback_canvas_02_vae.zip"]
    moodle = zipfile.ZipFile(io.BytesIO((tmp_path / "feedback_moodle_02_vae.zip").read_bytes()))
    numbers = {}
    for name in moodle.namelist():
        folder, file = name.split("/")[-2:]
        info = folder.split("_", 4)  # as importziplib.php does
        assert info[2:] == ["assignsubmission", "file", ""] and file == "feedback_02_vae.html" and len(name.split("/")) == 3
        numbers[info[1]] = moodle.read(name).decode()
    assert numbers == {"1234567": pages["page-0"], "7": pages["page-1"]}
    canvas = zipfile.ZipFile(tmp_path / "feedback_canvas_02_vae.zip")
    found = {}
    for name in canvas.namelist():
        parts = [part for part in name.split("/")[-1].split("_") if part != "LATE"]  # as abstract_assignment.rb does
        key = tuple(parts[1:3]) if parts[0] == "anon" else tuple([part for part in parts if part.isdigit()][:2])
        found[key] = canvas.read(name).decode()
        assert formatted_name(name.split("/")[-1]).platform == "canvas"
    assert set(found) == {("12345", "67890"), ("77", "9001"), ("AbC12", "67891")}
    assert found["77", "9001"] == pages["page-4"]
    notebook = nbformat.reads(found["12345", "67890"], 4)
    nbformat.validate(notebook)
    assert notebook.cells[0].outputs[0].data["text/html"] == pages["page-3"]
    waits = [one | {"questions": many[2]["questions"]} for one in many]  # marked anew, so that none is final
    assert write_feedback_zips(waits, pages, tmp_path) == [] and not list(tmp_path.glob("*.zip"))


def test_no_tag_comes_from_a_student_or_a_message(tmp_path):
    """In what the summary says about checks, changes, partners and those who handed in nothing."""

    def class_with(evil):
        one, other = result(f"Ada{evil}", "1", points=(0, 0), open_points=1), result("Ben", "2", open_points=1)
        one["questions"][0]["checks"][0]["message"] = f"your code stopped with {evil}."
        members = [Member(f"Ada{evil}", "1", f"pair{evil}"), Member("Ben", "2", f"pair{evil}"), Member(f"Cleo{evil}", "3")]
        write_tables([one, other], tmp_path / "out", class_list=ClassList(members))
        one["questions"][0]["points"] = 3
        returned = write_tables([one, other], tmp_path / "out", class_list=ClassList(members))
        assert "changed" in returned[0]
        return Tags((tmp_path / "out" / "summary.html").read_text(encoding="utf-8"))

    plain, evil = class_with(" x"), class_with(' "><script>alert(1)</script></td></table><img src=x onerror=alert(1)>')
    assert plain.tags == evil.tags and "<script>alert(1)</script>" in "".join(evil.words)
