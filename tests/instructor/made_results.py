"""Results for tests of tables and pages, and readers of what is written of them."""

import csv
import io
from html.parser import HTMLParser

TITLE = "Exercise 02 · The variational autoencoder"


def result(student="Ada Lovelace", identifier="1234567", points=(2, 0), open_points=None, exercise="02_vae", sandboxed=True, **more):
    """A result: q1 of 3 points in two checks, q2 of 2 points by hand."""
    message = "one value for each image: shape (64,) expected; got a scalar."
    checks = [
        {"name": f"q1{letter}", "points": got, "max": maximum, "message": "" if got else message}
        for letter, got, maximum in zip("ab", points, (2, 1))
    ]
    first = {"name": "q1", "title": "Question 1 · The closed form", "points": sum(points), "max": 3, "by_hand": False}
    second = {"name": "q2", "title": "Question 2 · Why?", "points": open_points, "max": 2, "by_hand": True}
    questions = [
        first | {"answer": "def kl(m, v):\n    return 0", "checks": checks},
        second | {"answer": f"Since {student} says so.\n\n- really", "checks": []},
    ]
    person = ["Question 2 · Why?: to be marked by hand."] if open_points is None else []
    return {
        "student": student,
        "identifier": identifier,
        "exercise": exercise,
        "title": TITLE.replace("02", exercise[:2]),
        "digest": "d",
        "sandboxed": sandboxed,
        "file": f"{student}_{identifier}_assignsubmission_file_/02_vae.ipynb",
        "seconds": 2.5,
        "questions": questions,
        "problems": [],
        "person": person,
    } | more


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
