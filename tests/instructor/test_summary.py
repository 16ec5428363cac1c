"""The instructor's page."""

from made_results import Tags, result

from gdl.instructor.grading.summary import summary_page


def test_summary_of_questions():
    page = summary_page([result("a", "1", (2, 1), 0), result("b", "2", (2, 0), 0), result("c", "3", (0, 0), 1), result("d", "4", (0, 0), None)])
    words = " ".join("".join(Tags(page).words).split())
    assert "4 notebooks, 3 final, 1 provisional. Mean so far 1.5 of 5 points, median 1.5, from 0 to 3." in words
    titles = dict.fromkeys(value for name, value in Tags(page).attributes if name == "title" and "waiting" in value)
    assert list(titles) == ["25% all, 25% some, 50% none, 0% waiting", "0% all, 25% some, 50% none, 25% waiting"]
    assert page.index("Question 2 · Why? <span") < page.index("hardest</span>")
    assert summary_page([])  # of nothing


def test_summary_says_how_many_students_wait():
    words = "".join(Tags(summary_page([result("a", "1", open_points=0), result("b", "2"), result("c", "3")])).words)
    assert "2 answers to mark by hand" in words
    assert "2 students wait for this, and moodle_*.csv and canvas_*.csv leave out what is not final." in words
    assert "wait for this" not in "".join(Tags(summary_page([result("a", "1", open_points=0)])).words)
