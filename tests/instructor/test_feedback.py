"""The student's page."""

from made_results import Tags, result

from gdl.instructor.grading.feedback import feedback_page


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


def test_feedback_says_the_cause_beside_the_question():
    one = result()
    one["questions"][0]["causes"] = ["`kl` stands in cell 4, which begins with `%%bash`: <b>delete</b> this line."]
    page = feedback_page(one)
    words = "".join(Tags(page).words)
    assert "b" not in Tags(page.split("Question 1")[1].split("Question 2")[0].replace("<b>2 of 3 points</b>", "")).tags
    assert words.index("Question 1") < words.index("which begins with `%%bash`: <b>delete</b> this line.") < words.index("Question 2")
