"""Pages and tables of results, with hostile text in every field, and marks that come back from a spreadsheet."""

import copy
import csv
import io
from html.parser import HTMLParser

import pytest

from gdl.errors import CourseError
from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.marks import read_marks, same_identifier
from gdl.instructor.grading.sheet import harmless
from gdl.instructor.grading.summary import summary_page
from gdl.instructor.grading.tables import write_tables

TITLE = "Exercise 02 · The variational autoencoder"


def result(student="Ada Lovelace", identifier="1234567", points=(2, 0), open_points=None, exercise="02_vae", sandboxed=True, **more):
    """A result: q1 of 3 points in two checks, q2 of 2 points by hand."""
    checks = [
        {"name": f"q1{letter}", "points": got, "max": most, "message": "" if got else "one value for each image: shape (64,) expected; got a scalar."}
        for letter, got, most in zip("ab", points, (2, 1))
    ]
    questions = [
        {"name": "q1", "title": "Question 1 · The closed form", "points": sum(points), "max": 3, "by_hand": False, "answer": "def kl(m, v):\n    return 0", "checks": checks},
        {"name": "q2", "title": "Question 2 · Why?", "points": open_points, "max": 2, "by_hand": True, "answer": f"Since {student} says so.\n\n- really", "checks": []},
    ]  # fmt: skip
    person = ["Question 2 · Why?: to be marked by hand."] if open_points is None else []
    return {
        "student": student, "identifier": identifier, "exercise": exercise, "title": TITLE.replace("02", exercise[:2]), "digest": "d", "sandboxed": sandboxed,
        "file": f"{student}_{identifier}_assignsubmission_file_/02_vae.ipynb", "seconds": 2.5, "questions": questions, "problems": [], "person": person,
    } | more  # fmt: skip


def sheet(path):
    """The rows of a CSV file as dicts."""
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


class Tags(HTMLParser):
    """What is in a page besides text."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.words = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        self.tags.append("/" + tag)

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        raise AssertionError("no comment is ours")


EVIL = (
    '"></div></pre></bdi></title></style></details><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>'
    "<a href='javascript:alert(1)'>x</a><!-- --><style>*{display:none}</style>\u202e\0\x1b[31m&#x3c;script&#x3e;"
)


def spoilt(value):
    """The result with hostile text in place of every text that may be the student's or follow from it."""
    if isinstance(value, dict):
        return {key: EVIL if isinstance(inner, str) and key != "name" else spoilt(inner) for key, inner in value.items()}
    return [EVIL if isinstance(inner, str) else spoilt(inner) for inner in value] if isinstance(value, list) else value


def full():
    """A result with something in each place."""
    one = result(problems=["Cell 7 stopped with ValueError: x"], person=["It must be looked at."], comment="Well done.", sandboxed=False)
    one["questions"][0] |= {"comment": "See the lecture.", "automatic": 1}
    return one


@pytest.mark.parametrize("page", [feedback_page, lambda one: summary_page([one], [(one["file"], one["problems"][0])])], ids=["feedback", "summary"])
def test_no_tag_comes_from_the_student(page):
    kind, evil = Tags(page(full())), Tags(page(spoilt(full())))
    assert evil.tags == kind.tags  # the same page, but for its text
    assert {name for name, _ in evil.attributes} <= {"lang", "charset", "http-equiv", "content", "name", "class", "style", "title", "open"}
    assert not {"script", "img", "a", "svg", "link", "iframe", "form", "base"} & set(evil.tags)
    at = evil.attributes.index(("http-equiv", "Content-Security-Policy"))
    assert evil.attributes[at + 1] == ("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
    words = "".join(evil.words)
    assert "<script>alert(1)</script>" in words  # shown as text
    assert "<U+202E><U+0000><U+001B>[31m&#x3c;script" in words
    assert not set(words) & set("\u202e\0\x1b")
    source = page(spoilt(full()))
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source


def test_feedback_says_what_the_checks_say_and_no_more():
    one = result(open_points=1.5)
    for check in one["questions"][0]["checks"]:
        check["source"] = "### BEGIN HIDDEN TESTS\nassert kl(17, 4) == 3\n### END HIDDEN TESTS"
    words = "".join(Tags(feedback_page(one)).words)
    assert "HIDDEN" not in words
    assert "kl(17" not in words
    assert "3.5 of 5 points" in words
    assert "1.5 of 2 points" in words
    assert "one value for each image: shape (64,) expected; got a scalar." in words
    assert "1 of 2 checks passed." in words
    assert "def kl(m, v):\n    return 0" in words
    assert "Since Ada Lovelace says so.\n\n- really" in words
    assert "rovisional" not in words


def test_feedback_with_an_open_question_is_provisional():
    words = "".join(Tags(feedback_page(result())).words)
    assert "2 of 3 points so far" in words
    assert "Provisional: a person still has to mark answers for 2 more points." in words


def test_feedback_for_no_answers_a_stretch_question_and_long_text():
    one = result(points=(0, 0), open_points=0)
    one["questions"][0]["answer"] = ""
    one["questions"][1]["answer"] = "x" * 50_000
    one["questions"].append({"name": "stretch", "title": "For the quick", "points": 0, "max": 0, "by_hand": False, "answer": "f", "checks": [
        {"name": "stretch_a", "points": 0, "max": 0, "message": ""}]})  # fmt: skip
    words = "".join(Tags(feedback_page(one)).words)
    assert "No answer was found." in words
    assert "0 of 5 points" in words
    assert "For the quickno points" in words
    assert "All checks passed." in words
    assert "(30,000 more characters)" in words


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
        "grades.csv", "person.csv", "summary.html", "moodle_02_vae.csv", "canvas_02_vae.csv", "moodle_05_wgan.csv", "canvas_05_wgan.csv",
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


def test_summary_of_questions():
    page = summary_page([result("a", "1", (2, 1), 0), result("b", "2", (2, 0), 0), result("c", "3", (0, 0), 1), result("d", "4", (0, 0), None)])
    words = " ".join("".join(Tags(page).words).split())
    assert "4 notebooks, 3 final, 1 provisional. Mean so far 1.5 of 5 points, median 1.5, from 0 to 3." in words
    titles = dict.fromkeys(value for name, value in Tags(page).attributes if name == "title" and "waiting" in value)
    assert list(titles) == ["25% all, 25% some, 50% none, 0% waiting", "0% all, 25% some, 50% none, 25% waiting"]
    assert page.index("Question 2 · Why? <span") < page.index("hardest</span>")
    assert summary_page([])  # of nothing


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "x;=1+1", 'x"=1', "x,\t@y", "a\n=1"])
def test_no_cell_is_a_formula(tmp_path, text):
    one = result(student=text, identifier=text, person=[text], open_points=None, file=text)
    one["questions"][1]["answer"] = text
    write_tables([one], tmp_path)
    for path in tmp_path.glob("*.csv"):
        content = path.read_text(encoding="utf-8-sig")
        for separator in ",;\t":
            for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
                for cell in row:
                    assert cell.strip()[:1] not in tuple("=+-@\uff1d"), (path.name, cell)


def test_harmless_leaves_other_text_alone():
    for text in ("Ada", "O'Brien", "Zoë Ó Sé", "3-4", "a@b.c", "阿达", "1.5"):
        assert harmless(text) == text
    assert harmless("a\r\nb\x00\u202ec") == "a ¶ bc"


# person.csv, there and back


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


CLASS = [("Ada Lovelace", "007"), ("Zoë Ó Sé", "1234567890123"), ("=cmd|'/c calc'!A1", "9"), ("Ben, Jr.", "")]


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
    ("3", "3 points, but the question has 2"), ("-1", "below 0"), ("'-1", "below 0"), ("good", "not a number"), ("nan", "not a number"), ("inf", "not a number"),
    ("1e0", "not a number"), ("2. Mai", "not a number"), ("1/2", "not a number"), ("٢", "not a number"), ("0x1", "not a number"), ("=1+1", "not a number"),
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
        ("Ada,1,", "Eve,1,", "line 2 .Eve, q2.: no such student"), ("Ada,1,", "Ada,3,", "no such student"), ("02_vae,q2", "05_wgan,q2", "no such student"),
        (",q2,", ",q9,", "has no such question, only q1, q2"), (",q2,", ",,", "name the question"), ("Ada,1,", "Ada,,", "several students of this name"),
        ("points", "pints", "no column points"),
    ]:  # fmt: skip
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
