"""The page for marking: what it shows, what it saves, and what it refuses."""

import http.client
import json
import threading
import time

import pytest
from made_results import Tags, sheet
from marked_folder import EVIL, HEADING, marked_folder, png
from small_solution import SOLUTIONS

from gdl.errors import CourseError
from gdl.instructor.grading.earlier import read_result
from gdl.instructor.grading.exercise import Exercise
from gdl.instructor.grading.marks import read_marks
from gdl.instructor.grading.sheet import write_sheet
from gdl.instructor.marking_page.mark import marking_server
from gdl.instructor.marking_page.pictures import pictures_of
from gdl.instructor.marking_page.questions import question_texts
from gdl.instructor.marking_page.rendered import rendered

PLAIN = {"p", "strong", "em", "code", "pre", "ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td", "h4", "blockquote", "hr", "br", "del"}
MATH = {"math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msub", "msup", "mspace", "msqrt", "mstyle"}


@pytest.fixture
def folder(tmp_path):
    return marked_folder(tmp_path)


@pytest.fixture
def server(folder):
    """A running server."""
    server = marking_server(folder[0], folder[1], folder[2])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def ask(server, path, body=None, token=None, **headers):
    """(status, headers, bytes) of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    try:
        heads = ({} if body is None else {"Content-Type": "application/json"}) | {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("GET" if body is None else "POST", f"/{token or server.token}/{path}", body, heads)
        reply = connection.getresponse()
        return reply.status, dict(reply.headers), reply.read()
    finally:
        connection.close()


def question(server):
    return json.loads(ask(server, "question/02_vae/q2")[2])


def save(server, answer, points, comment="", **changed):
    entry = {"identity": answer["identity"], "points": points, "comment": comment, "revision": answer["revision"]} | changed
    status, _, content = ask(server, "save", json.dumps(entry).encode())
    return status, json.loads(content)


def rows(folder):
    return {row["student"]: row for row in sheet(folder[0] / "person.csv") if row["question"]}


def test_a_question_with_its_texts_and_answers_without_names(server, folder):
    (listed,) = json.loads(ask(server, "questions")[2])
    assert (listed["exercise"], listed["name"], listed["answers"], listed["marked"]) == ("02_vae", "q2", 3, 0)
    assert listed["title"] == f"Exercise 02 · The variational autoencoder: {HEADING}"
    _, _, content = ask(server, "question/02_vae/q2")
    shown = json.loads(content)
    assert "<msup><mi>σ</mi><mn>2</mn></msup>" in shown["question"].replace("&#x003C3;", "σ")
    assert "<code>x &lt; 1\n</code>" in shown["model"] and "Marking" not in shown["model"]
    assert "half a point for a reason" in shown["rubric"] and "Accept other reasons." in shown["notes"]
    assert shown["max"] == 2 and [answer["pictures"] for answer in shown["answers"]] == [1, 1, 1]
    for name in ("Ada", "Ben", "elik", "1000", "1001", "1002", "student-"):
        assert name not in content.decode(), "the page is anonymous"


def test_points_and_a_comment_reach_the_grader(server, folder):
    answer = next(one for one in question(server)["answers"] if "Because" in one["html"])
    status, reply = save(server, answer, "1.5", "Why?\n=SUM(A1)")
    assert status == 200 and reply["points"] == "1.5"
    assert (rows(folder)["Ada Lovelace"]["points"], rows(folder)["Ada Lovelace"]["comment"]) == ("1.5", "Why? ¶ =SUM(A1)")
    results = [read_result(path) for path in sorted((folder[0] / "results").glob("*.json"))]
    ada, ben, _ = read_marks(folder[0] / "person.csv", results)
    assert ada["questions"][1]["points"] == 1.5 and ada["questions"][1]["comment"] == "Why?\n=SUM(A1)"
    assert ben["questions"][1]["points"] is None
    assert {row["why"] for row in sheet(folder[0] / "person.csv")} == {"marked by hand", "This zip cannot be opened."}  # every row is still there
    assert save(server, reply, "", "")[1]["points"] == ""  # taken back
    assert rows(folder)["Ada Lovelace"]["points"] == ""


@pytest.mark.parametrize("points", ["2.5", "-1", "x", "1e0", "9" * 50, "nan", "1.123", " 1", "1\n"])
def test_points_that_the_question_does_not_have(server, folder, points):
    before = (folder[0] / "person.csv").read_bytes()
    status, reply = save(server, question(server)["answers"][0], points)
    assert status == 422 and "from 0 to 2" in reply["error"]
    assert (folder[0] / "person.csv").read_bytes() == before


def test_two_windows(server, folder):
    first, second = question(server)["answers"][0], question(server)["answers"][0]
    assert save(server, first, "1")[0] == 200
    status, reply = save(server, second, "2")
    assert status == 409 and reply["points"] == "1"
    assert save(server, reply, "2")[0] == 200  # after it was shown
    assert question(server)["answers"][0]["points"] == "2"


def test_a_spreadsheet_that_has_saved_the_file_meanwhile(server, folder):
    answer = next(one for one in question(server)["answers"] if "Because" in one["html"])
    path = folder[0] / "person.csv"
    changed = [list(row.values()) for row in sheet(path)]
    head = list(sheet(path)[0])
    for row in changed:
        row[head.index("points")] = "0,5" if row[0].startswith("Ben") else row[head.index("points")]
    write_sheet(path, [head, *changed])
    assert save(server, answer, "2")[0] == 200
    assert (rows(folder)["Ada Lovelace"]["points"], rows(folder)["Ben =1+1"]["points"]) == ("2", "0,5")
    assert {one["points"] for one in question(server)["answers"]} == {"2", "0.5", ""}


def test_points_that_a_spreadsheet_holds_stay_when_a_comment_is_added(server, folder):
    path = folder[0] / "person.csv"
    head, changed = list(sheet(path)[0]), [list(row.values()) for row in sheet(path)]
    changed[[row[0] for row in changed].index("Ada Lovelace")][head.index("points")] = "0,333"
    write_sheet(path, [head, *changed])
    (answer,) = [one for one in question(server)["answers"] if one["points"] == "0.333"]
    status, reply = save(server, answer, "0.333", "a third")
    assert status == 200 and rows(folder)["Ada Lovelace"]["points"] == "0.333" and rows(folder)["Ada Lovelace"]["comment"] == "a third"
    assert save(server, answer | reply, "0.334")[0] == 422


def test_a_file_that_cannot_be_read_is_told_in_words(server, folder):
    answer, path = question(server)["answers"][0], folder[0] / "person.csv"
    content = path.read_bytes()
    for damage, said in ((lambda: path.write_bytes(b"PK\x03\x04"), "save it as CSV first"), (path.unlink, "put it back, or grade again")):
        damage()
        for status, _, reply in (ask(server, name) for name in ("questions", "question/02_vae/q2", f"picture/{answer['identity']}/0")):
            assert status == 422 and said in json.loads(reply)["error"]
        status, reply = save(server, answer, "1")
        assert status == 422 and said in reply["error"]
    path.write_bytes(content)
    assert save(server, answer, "1")[0] == 200


def test_a_full_disk_changes_nothing(server, folder, monkeypatch):
    answer = question(server)["answers"][0]
    before = (folder[0] / "person.csv").read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        status, reply = save(server, answer, "1")
    assert status == 422 and "No space left" in reply["error"]
    assert (folder[0] / "person.csv").read_bytes() == before and question(server)["answers"][0]["points"] == ""
    assert save(server, answer, "1")[0] == 200


def test_pictures(server, folder):
    for answer in question(server)["answers"]:
        status, headers, content = ask(server, f"picture/{answer['identity']}/0")
        assert status == 200 and headers["Content-Type"] == "image/png" and headers["X-Content-Type-Options"] == "nosniff"
        assert content in [png((10 * k, 200, 30)) for k in range(3)]
        assert ask(server, f"picture/{answer['identity']}/1")[0] == 404  # that of another question
    assert ask(server, f"picture/{'0' * 20}/0")[0] == 404


def test_a_notebook_is_read_once_for_a_question_that_is_shown_again(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr("gdl.instructor.marking_page.server.pictures_of", lambda content, title: read.append(content) or [("image/png", b"")])
    with marking_server(*marked_folder(tmp_path, ("a", "b", "c", "d", "e"))) as server:
        first, again = (server.answers.question("02_vae", "q2")["answers"] for _ in range(2))
    assert first == again and [answer["pictures"] for answer in first] == [1] * 5 and len(read) == len(set(read)) == 5


def test_pictures_of_a_hostile_notebook():
    def content(*bundles, source=f"## {HEADING}"):
        cells = [{"cell_type": "markdown", "source": [source]}, {"cell_type": "code", "outputs": [{"data": bundle} for bundle in bundles]}]
        return json.dumps({"cells": [None, 3, {"source": 3, "outputs": {}}, *cells]}).encode()

    import base64

    good = base64.b64encode(png("red")).decode()
    assert pictures_of(content({"image/png": [good[:10], good[10:]]}), HEADING) == [("image/png", png("red"))]
    svg = base64.b64encode(b"<svg onload='alert(1)'/>").decode()
    for bundle in ({"image/svg+xml": svg}, {"image/png": svg}, {"image/png": 3}, {"image/png": "%%%"}, {"image/jpeg": good}, [], None):
        assert pictures_of(content(bundle), HEADING) == []
    bomb = bytearray(png("red"))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2  # width and height, of which the page would make 10 GB
    assert pictures_of(content({"image/png": base64.b64encode(bomb).decode()}), HEADING) == []
    assert len(pictures_of(content(*[{"image/png": good}] * 100), HEADING)) == 12
    for broken in (b"", b"[]", b'{"cells": 3}', b"[" * 100_000, b"\xff"):
        assert pictures_of(broken, HEADING) == []


def test_who_may_ask(server, folder):
    answer = question(server)["answers"][0]
    entry = json.dumps({"identity": answer["identity"], "points": "1", "comment": "", "revision": answer["revision"]}).encode()
    assert server.server_address[0] == "127.0.0.1" and len(server.token) >= 30
    assert ask(server, "questions", token="x" * 32)[0] == 403
    assert ask(server, "questions", token="%C3%BC")[0] == 403
    assert ask(server, "questions", Host="evil.example")[0] == 403  # a name of somebody else's that leads to this machine
    assert ask(server, "save", entry, Origin="https://evil.example")[0] == 403
    assert ask(server, "save", entry, Content_Type="text/plain")[0] == 403  # what a form elsewhere can send
    assert ask(server, "other", entry)[0] == 403
    assert ask(server, "save", b"x" * 200_000)[0] == 413
    for path in "../page.js %2e%2e/mark.py mark.py /etc/passwd page.html question/../q2 question/02_vae/q9 picture/x/0 __init__.py".split():
        assert ask(server, path)[0] == 404, path
    for body in (b"", b"[]", b"{}", b"[" * 50_000, b'{"identity": 3, "points": "1", "comment": "", "revision": ""}', b"\xff"):
        assert ask(server, "save", body)[0] == 400, body[:20]
    assert save(server, answer, "1", identity="0" * 20)[0] == 404
    assert rows(folder)["Ada Lovelace"]["points"] == ""
    status, headers, page = ask(server, "")
    assert status == 200 and b"page.js" in page and b"://" not in page
    assert "script-src 'self'" in headers["Content-Security-Policy"] and "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"] == "no-store" and headers["Referrer-Policy"] == "no-referrer"


def test_what_does_not_fit_together(tmp_path, folder):
    with pytest.raises(CourseError, match="There is no .*person.csv: grade first"):
        marking_server(tmp_path / "nothing", None, folder[2])
    with pytest.raises(CourseError, match="--port 99999"):
        marking_server(folder[0], None, folder[2], 99999)
    with marking_server(folder[0], None, folder[2]) as taken, pytest.raises(CourseError, match="cannot be used"):
        marking_server(folder[0], None, folder[2], taken.server_port)
    with marking_server(folder[0], None, tmp_path) as server:  # without solutions and submissions
        shown = server.answers.question("02_vae", "q2")
        assert "--solutions" in shown["model"] and [answer["pictures"] for answer in shown["answers"]] == [0, 0, 0]


HOSTILE = [
    EVIL, "<script>alert(1)", "</p></div><style>*{display:none}</style>", "![x](http://evil.example/x.png)", "<http://evil.example>",
    "[a]: javascript:alert(1)\n[a]", "```<img src=x onerror=alert(1)>\n<b>\n```", "`<b>`", 
    "| <b> | b |\n|---|---|\n| <img src=x> | 2 |", "# <b>\n> <i>", "$$<b>$$", "\\begin{x}<b>\\end{x}",
    "$\\href{javascript:alert(1)}{x} \\style{position:fixed}{x} \\class{a}{b} \\color{red}{x}$", "$\\text{&lt;b&gt;}$", "\u202e\0\x1b[31m", "<!-- x",
    "<?x", "[[[[" * 2000, "$" + "{" * 1900 + "$", "$\\frac$", ">" * 5000, "- " * 3000, "***" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("source", HOSTILE, ids=range(len(HOSTILE)))
def test_no_tag_comes_from_the_answer(source):
    start = time.monotonic()
    tags = Tags(rendered(source))
    assert time.monotonic() - start < 20
    assert {tag.lstrip("/") for tag in tags.tags} <= PLAIN | MATH
    assert {name for name, _ in tags.attributes} <= {"display", "stretchy", "fence", "form", "mathvariant", "style", "start", "linebreak", "accent"}
    assert {value for name, value in tags.attributes if name == "style"} <= {f"text-align:{side}" for side in ("left", "center", "right")}
    assert not set("".join(tags.words)) & set("\u202e\0\x1b")


def test_formulas():
    assert "<mfrac><mn>1</mn><mn>2</mn></mfrac>" in rendered("$\\tfrac12$")
    assert rendered("$$\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}$$").count("<mtr>") == 2
    assert rendered("$\\frac$") == "<p><code>$\\frac$</code></p>\n"  # as it was typed
    assert rendered("it costs $5, not 6") == "<p>it costs $5, not 6</p>\n"


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_what_stands_beside_the_answers_of_the_exercises(path):
    """Every question has its own text and a model answer, and every formula in them can be read."""
    assert list(question_texts(path)) == [question.name for question in Exercise(path).questions]
    for name, texts in question_texts(path).items():
        assert texts.question.startswith("## ") and texts.question.count("\n## ") == 0, name
        assert texts.model.strip() and "Marking" not in texts.model, name
        for source in (texts.question, texts.model, texts.rubric, texts.notes):
            html = rendered(source)
            assert "<code>$" not in html and "<mi>\\" not in html and "<mi>&amp;</mi>" not in html, (name, source)
