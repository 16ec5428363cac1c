"""person.csv, there and back through a spreadsheet."""

import copy
import csv
import io

import pytest
from made_results import Tags, result, sheet

from gdl.errors import CourseError
from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.marks import read_marks
from gdl.instructor.grading.matching import same_identifier
from gdl.instructor.grading.tables import write_tables

CLASS = [("Ada Lovelace", "007"), ("Zoë Ó Sé", "1234567890123"), ("=cmd|'/c calc'!A1", "9"), ("Ben, Jr.", "")]


def filled(path, marks, change=lambda text: text, encoding="utf-8"):
    """Fills points and comments by student into a person.csv, as a person would, and saves it as a spreadsheet would."""
    rows = sheet(path)
    for row in rows:
        if row["student"].lstrip("'") in marks and row["question"]:
            row["points"], row["comment"] = marks[row["student"].lstrip("'")]
    made = io.StringIO(newline="")
    writer = csv.DictWriter(made, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(change(made.getvalue()).encode(encoding))
    return path


def points(results, question=1):
    return [one["questions"][question]["points"] for one in results]


def test_identifiers_that_a_spreadsheet_took_for_numbers():
    for known, typed, same in [
        ("007", "7", True), ("007", "7.0", True), ("7", "70", False), ("1234567890123", "1.23457E+12", True), ("1234667890123", "1,23457E+12", False),
        ("AbC12", "abc12", True), ("=1", "'=1", True), ("s7", "7", False), ("7", "9" * 5000, False), ("5000000", "5E+06", True),
    ]:  # fmt: skip
        assert same_identifier(known, typed) is same, (known, typed)


def test_marks_come_back_and_stay(tmp_path):
    results = [result(*who) for who in CLASS]
    before = copy.deepcopy(results)
    write_tables(results, tmp_path)
    marks = {"Ada Lovelace": ("2", "-1 for nothing; =) well"), "Zoë Ó Sé": ("0,5", "é"), "=cmd|'/c calc'!A1": ("1.25", ""), "Ben, Jr.": ("", "later")}
    path = filled(tmp_path / "person.csv", marks)
    back = read_marks(path, results)
    assert points(back) == [2, 0.5, 1.25, None]
    assert [one["questions"][1]["comment"] for one in back] == ["-1 for nothing; =) well", "é", "", "later"]
    assert results == before  # the given ones are left alone
    for _ in range(3):  # written again and again, from results that know nothing of it
        back = write_tables(results, tmp_path)
        assert points(back) == [2, 0.5, 1.25, None]
        assert [one["questions"][1]["comment"] for one in back] == ["-1 for nothing; =) well", "é", "", "later"]
    assert [row["state"] for row in sheet(tmp_path / "grades.csv")] == ["final", "final", "final", "provisional"]
    assert [row["Grade"] for row in sheet(tmp_path / "moodle_02_vae.csv")] == ["4", "2.5", "3.25"]
    assert "-1 for nothing; =) well" in "".join(Tags(feedback_page(back[0])).words)


@pytest.mark.parametrize("habit", ["as it was", "excel in german", "utf-16", "code page", "reordered", "sep", "numbers", "science"])
def test_habits_of_spreadsheets(tmp_path, habit):
    results = [result(*who) for who in CLASS]
    write_tables(results, tmp_path)
    path = filled(tmp_path / "person.csv", {"Ada Lovelace": ("1,5", "ja; gut"), "Zoë Ó Sé": ("2", "")})

    def again(separator, columns=None):
        rows = sheet(path)
        made = io.StringIO(newline="")
        writer = csv.DictWriter(made, columns or list(rows[0]), delimiter=separator, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        return made.getvalue()

    text = path.read_text(encoding="utf-8")
    if habit == "excel in german":
        path.write_bytes(b"\xef\xbb\xbf" + again(";").encode())
    elif habit == "utf-16":
        path.write_bytes(again("\t").encode("utf-16"))
    elif habit == "code page":
        path.write_bytes(again(";").encode("cp1252"))
    elif habit == "reordered":
        path.write_text(
            again(",", ["Points", "points", "question", "comment", "exercise", "identifier", "student"]).replace("Points,", "x,", 1), encoding="utf-8"
        )
    elif habit == "sep":
        path.write_text("sep=;\r\n" + again(";"), encoding="utf-8", newline="")
    elif habit == "numbers":
        path.write_text(text.replace(",007,", ",7,"), encoding="utf-8", newline="")
    elif habit == "science":
        path.write_text(text.replace("1234567890123,", "1.23457E+12,", 1), encoding="utf-8", newline="")
    back = read_marks(path, results)
    assert points(back) == [1.5, 2, None, None]
    assert back[0]["questions"][1]["comment"] == "ja; gut"


@pytest.mark.parametrize(("given", "words"), [
    ("3", "3 points, but the question has 2"), ("-1", "below 0"), ("'-1", "below 0"),
    *((text, "not a number") for text in ("good", "nan", "inf", "1e0", "2. Mai", "1/2", "٢", "0x1", "=1+1")),
])  # fmt: skip
def test_points_that_cannot_be(tmp_path, given, words):
    results = [result("Ada", "1"), result("Ben", "2")]
    write_tables(results, tmp_path)
    path = filled(tmp_path / "person.csv", {"Ben": (given, "")})
    with pytest.raises(CourseError, match=words) as caught:
        read_marks(path, results)
    assert "person.csv, line 3 (Ben, q2)" in str(caught.value)
    before = path.read_bytes()
    with pytest.raises(CourseError, match=words):
        write_tables(results, tmp_path)
    assert path.read_bytes() == before  # what was typed is not lost


def rewritten(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8", newline="")
    return path


def test_lines_that_fit_nothing(tmp_path):
    results = [result("Ada", "1"), result("Ada", "2")]
    write_tables(results, tmp_path)
    path = filled(tmp_path / "person.csv", {"Ada": ("1", "")})
    text = path.read_text(encoding="utf-8")
    for old, new, words in [
        ("Ada,1,", "Eve,1,", "line 2 .Eve, q2.: no such student"),
        ("Ada,1,", "Ada,3,", "no such student"),
        ("02_vae,q2", "05_wgan,q2", "no such student"),
        (",q2,", ",q9,", "has no such question, only q1, q2"),
        (",q2,", ",,", "name the question"),
        ("Ada,1,", "Ada,,", "several students of this name"),
        ("points", "pints", "no column points"),
    ]:
        path.write_text(text, encoding="utf-8", newline="")
        rewritten(path, old, new)
        with pytest.raises(CourseError, match=words):
            read_marks(path, results)
    path.write_text(f"{text}Ada,2,02_vae,q2,2,2,\r\n", encoding="utf-8", newline="")
    with pytest.raises(CourseError, match="line 4 .Ada, q2.: there are two different lines"):
        read_marks(path, results)
    for content, words in [(b"PK\3\4...", "save it as CSV"), (b"", "no column"), (b"\xff\xfe\x00", "no column")]:
        path.write_bytes(content)
        with pytest.raises(CourseError, match=words):
            read_marks(path, results)
    with pytest.raises(CourseError, match="cannot be read"):
        read_marks(tmp_path / "nowhere.csv", results)


def test_marks_of_who_is_missing_this_time_are_kept(tmp_path):
    both = [result("Ada", "1"), result("Ben", "2")]
    write_tables(both, tmp_path)
    filled(tmp_path / "person.csv", {"Ada": ("1", "-a"), "Ben": ("2", "-b")})
    write_tables(both[:1], tmp_path)
    write_tables(both[:1], tmp_path)
    (ben,) = [row for row in sheet(tmp_path / "person.csv") if row["student"] == "Ben"]
    assert (ben["points"], ben["why"]) == ("2", "not among the results this time")
    assert points(read_marks(tmp_path / "person.csv", both[:1])) == [1]
    back = write_tables(both, tmp_path)
    assert points(back) == [1, 2]
    assert back[1]["questions"][1]["comment"] == "-b"


def test_points_for_an_answer_that_has_changed_are_not_taken_over(tmp_path):
    results = [result("Ada", "1")]
    write_tables(results, tmp_path)
    path = filled(tmp_path / "person.csv", {"Ada": ("2", "very good")})
    results[0]["questions"][1]["answer"] = "Something new."
    assert points(read_marks(path, results)) == [None]
    for _ in range(2):
        assert points(write_tables(results, tmp_path)) == [None]
        (row,) = sheet(path)
        assert (row["points"], row["comment"], row["why"]) == ("", "", "The answer has changed: it got 2 points before: very good")


def test_a_person_may_change_any_question_and_comment_on_the_whole(tmp_path):
    results = [result("Ada", "1", open_points=1, person=["Not every cell ran."])]
    write_tables(results, tmp_path)
    path = tmp_path / "person.csv"
    path.write_text(
        path.read_text(encoding="utf-8").replace(",,,,Not", ',,,"Mind ""return""",Not') + "Ada,1,02_vae,q1,,3,a typing error\r\n", encoding="utf-8"
    )
    for _ in range(2):
        (one,) = write_tables(results, tmp_path)
        assert (one["questions"][0]["points"], one["questions"][0]["automatic"], one["comment"]) == (3, 2, 'Mind "return"')
    words = "".join(Tags(feedback_page(one)).words)
    assert "a typing error" in words
    assert "the checks gave 2" in words
    assert 'Mind "return"' in words
    assert sheet(tmp_path / "grades.csv")[0]["total"] == "4"


def test_newer_marks_count_more_than_those_in_the_folder(tmp_path):
    results = [result("Ada", "1")]
    write_tables(results, tmp_path)
    other = filled(tmp_path / "person.csv", {"Ada": ("1", "old")}).rename(tmp_path / "mine.csv")
    write_tables(read_marks(other, results), tmp_path)
    filled(other, {"Ada": ("2", "new")})
    back = write_tables(read_marks(other, results), tmp_path)
    assert points(back) == [2]
    assert sheet(tmp_path / "person.csv")[0]["comment"] == "new"


def spoiled(path, how):
    """Saves a person.csv as a spreadsheet would that does not know its code page, or that loses letters."""
    text = path.read_text(encoding="utf-8-sig")
    if how == "lost letters":
        path.write_bytes(text.encode("cp1252", "replace"))
    elif how == "ascii":
        path.write_bytes(text.encode("ascii", "replace"))
    elif how == "twice":
        path.write_bytes(text.encode().decode("cp1252", "replace").encode())
    else:
        path.write_bytes(text.replace(",", ";").encode(how, "replace"))


@pytest.mark.parametrize("how", ["lost letters", "ascii", "twice", "cp850", "cp1250", "mac_roman", "cp1252", "utf-16"])
def test_code_pages(tmp_path, how):
    """A name with lost letters is matched by the rest of its row, and nobody gets another student's points."""
    people = [("Ivan Ilić", "31"), ("Ivan Iliš", "32"), ("Jörg Übel", ""), ("Jürg Öbel", ""), ("Ada", "7")]
    results = [result(*who) for who in people]
    write_tables(results, tmp_path)
    marks = {name: (str(number * 0.5), f"for {number}") for number, (name, _) in enumerate(people)}
    spoiled(filled(tmp_path / "person.csv", marks), how)
    for _ in range(2):
        back = write_tables(results, tmp_path)
        for number, (one, (name, identifier)) in enumerate(zip(back, people)):
            given = one["questions"][1]["points"]
            assert given in (number * 0.5, None), name
            assert given is not None or not identifier, name
        kept = {float(row["points"]) for row in sheet(tmp_path / "person.csv") if row["points"]}
        assert kept == {0, 0.5, 1, 1.5, 2}  # nothing is lost


def test_names_alike_are_not_exchanged(tmp_path):
    """Without an identifier and with the same letters left, nobody can say whose the points are: they stay in person.csv with the reason."""
    results = [result("Ilić", "", file="hand-in/a.ipynb"), result("Iliš", "", file="hand-in/a.ipynb")]
    write_tables(results, tmp_path)
    spoiled(filled(tmp_path / "person.csv", {"Ilić": ("1", ""), "Iliš": ("2", "")}), "ascii")
    assert points(write_tables(results, tmp_path)) == [None, None]
    rows = [row for row in sheet(tmp_path / "person.csv") if row["points"]]
    assert [row["points"] for row in rows] == ["1", "2"]
    assert all("this may be Ilić or Iliš" in row["why"] for row in rows)


def test_two_students_whose_names_differ_in_a_sign(tmp_path):
    results = [result("Ben, Jr.", "", open_points=None), result("Ben Jr", "", open_points=None)]
    write_tables(results, tmp_path)
    filled(tmp_path / "person.csv", {"Ben, Jr.": ("1", ""), "Ben Jr": ("2", "")})
    assert points(write_tables(results, tmp_path)) == [1, 2]


@pytest.mark.parametrize(("known", "cell"), [("3-4", "03. Apr"), ("MAR1", "01-Mar"), ("1E5", "1.00E+05")])
def test_identifiers_that_became_dates(tmp_path, known, cell):
    results = [result("Ada", known), result("Ben", "8")]
    write_tables(results, tmp_path)
    path = rewritten(filled(tmp_path / "person.csv", {"Ada": ("2", "")}), f"Ada,{known},", f"Ada,{cell},")
    assert points(write_tables(results, tmp_path)) == [2, None]
    assert sheet(path)[0]["identifier"] == known


def with_maximum(maximum):
    one = result("Ada", "1")
    one["questions"][1]["max"] = maximum
    return [one]


def test_a_maximum_that_was_lowered_or_raised(tmp_path):
    write_tables(with_maximum(4), tmp_path)
    filled(tmp_path / "person.csv", {"Ada": ("3.5", "good")})
    assert points(write_tables(with_maximum(6), tmp_path)) == [3.5]
    assert sheet(tmp_path / "person.csv")[0]["why"] == "The maximum has changed from 4 to 6: it got 3.5 points before: good"
    for _ in range(2):
        assert points(write_tables(with_maximum(2), tmp_path)) == [None]  # a person decides, and the others have their marks
        (row,) = sheet(tmp_path / "person.csv")
        assert (row["points"], row["max"]) == ("", "2")
        assert "The maximum has changed" in row["why"] and "3.5 points before: good" in row["why"]
    filled(tmp_path / "person.csv", {"Ada": ("2", "")})
    assert points(write_tables(with_maximum(2), tmp_path)) == [2]


def test_a_question_that_was_renamed_or_removed(tmp_path):
    results = [result("Ada", "1"), result("Ben", "2")]
    write_tables(results, tmp_path)
    filled(tmp_path / "person.csv", {"Ada": ("1", "why so")})
    for one in results:
        one["questions"][1]["name"], one["questions"][1]["title"] = "q3", "Question 3 · How?"
    for _ in range(2):
        assert points(write_tables(results, tmp_path)) == [None, None]
        (row,) = [row for row in sheet(tmp_path / "person.csv") if row["question"] == "q2"]
        assert (row["points"], row["comment"]) == ("1", "why so")
        assert row["why"] == "not among the results this time: 02_vae has no such question, only q1, q3."
    for one in results:
        one["questions"][1]["name"] = "q2"
    assert points(write_tables(results, tmp_path)) == [1, None]
