"""The server of the page for marking. It runs on the instructor's machine, for its browser alone.

It listens on 127.0.0.1 only, and each address begins with a random token. It refuses a request with another host in its head, which a web
page elsewhere could send under a name of its own that leads to this machine. It gives out four fixed files and the data of the answers; no
part of an address is ever used as a path.
"""

import json
import re
import secrets
from collections.abc import Callable
from functools import cached_property, lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading.marks import version_of
from gdl.instructor.marking_page.marks_file import Answer, Changed, MarksFile
from gdl.instructor.marking_page.pictures import pictures_of
from gdl.instructor.marking_page.questions import QuestionTexts, question_texts
from gdl.instructor.marking_page.rendered import rendered

HERE = Path(__file__).parent
FILES = {"": ("page.html", "text/html"), "page.css": ("page.css", "text/css"), "page.js": ("page.js", "text/javascript")}
MAX_BODY = 100_000  # bytes that the page may send at once
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Answers:
    """What the page shows and saves. notebook: gives the bytes of the notebook of a result, or b"" if it is not at hand."""

    def __init__(self, marks: MarksFile, solutions: str | Path, notebook: Callable[[dict[str, Any]], bytes] | None = None):
        self.marks, self.solutions, self.notebook = marks, Path(solutions), notebook
        self._texts: dict[str, dict[str, QuestionTexts]] = {}
        self._of_notebook = lru_cache(maxsize=4)(self._read_pictures)  # a page asks for one picture after another
        self._how_many = lru_cache(maxsize=None)(lambda *key: len(self._of_notebook(*key)))  # it asks for all answers whenever its window is chosen

    def questions(self) -> list[dict[str, Any]]:
        """The questions that have answers to mark: exercise, name, title, and how many answers there are and are marked."""
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for answer in self.marks.answers().values():
            place = (answer.result["exercise"], answer.question["name"])
            title = f"{answer.result['title']}: {answer.question['title']}"
            entry = found.setdefault(place, {"exercise": place[0], "name": place[1], "title": title, "answers": 0, "marked": 0})
            entry["answers"] += 1
            entry["marked"] += bool(answer.points)
        return [found[place] for place in sorted(found)]

    def question(self, exercise: str, name: str) -> dict[str, Any]:
        """One question with its texts as HTML and all its answers. Raises KeyError if there is no such question."""
        answers = [one for one in self.marks.answers().values() if (one.result["exercise"], one.question["name"]) == (exercise, name)]
        if not answers:
            raise KeyError(name)
        texts = self._texts_of(exercise).get(
            name, QuestionTexts("", "The solution notebook was not found: name its folder with --solutions.", "", "")
        )
        parts = {part: rendered(getattr(texts, part)) for part in ("question", "model", "rubric", "notes")}
        return parts | {"max": answers[0].question["max"], "answers": [self._shown(answer) for answer in answers]}

    def pictures(self, answer: Answer) -> list[tuple[str, bytes]]:
        """The pictures of an answer's question in the student's notebook, as (type, bytes)."""
        return self._of_notebook(answer.identity, version_of(answer.question))

    def save(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Saves the points and the comment of one answer. Returns what the file then holds. Raises as `MarksFile.save`."""
        return _state(self.marks.save(asked["identity"], asked["points"], asked["comment"], asked["revision"]))

    def _read_pictures(self, identity, _version):
        answer = self.marks.answers()[identity]
        return pictures_of(self.notebook(answer.result), answer.question["title"]) if self.notebook else []

    def _texts_of(self, exercise):
        if exercise not in self._texts:
            path = self.solutions / f"{exercise}.ipynb"
            self._texts[exercise] = question_texts(path) if path.is_file() else {}
        return self._texts[exercise]

    def _shown(self, answer):
        source = answer.question["answer"]
        if not answer.question["by_hand"]:
            source = "~~~~~~python\n" + source.replace("~~~~~~", "~~~~~") + "\n~~~~~~"
        html = rendered(source) if source.strip() else "<p><i>No answer was found in its place.</i></p>"
        why = answer.row.get("why", "")
        pictures = self._how_many(answer.identity, version_of(answer.question))
        return _state(answer) | {"html": html, "pictures": pictures, "why": "" if why.startswith("marked by hand") else why}


def _state(answer):
    return {"identity": answer.identity, "points": answer.points, "comment": answer.comment, "revision": answer.revision}


class MarkingServer(ThreadingHTTPServer):
    """The server, which runs with `serve_forever`. port: 0 chooses a free one."""

    daemon_threads = True

    def __init__(self, answers: Answers, port: int = 0):
        self.answers, self.token = answers, secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), Handler)

    @cached_property
    def hosts(self) -> tuple[str, str]:
        """The names under which the browser of this machine asks for the page."""
        return f"127.0.0.1:{self.server_port}", f"localhost:{self.server_port}"

    @property
    def address(self) -> str:
        """The address of the page."""
        return f"http://{self.hosts[0]}/{self.token}/"


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: MarkingServer
    timeout = 20  # seconds for a request to arrive
    server_version, sys_version = "gdl", ""

    def do_GET(self) -> None:
        """The files of the page, the questions, one question, a picture."""
        if (path := self._path()) is None:
            return
        try:
            self._get(path)
        except CourseError as error:  # person.csv is gone, or has been saved as something else
            self._json(422, {"error": str(error)})

    def _get(self, path):
        answers = self.server.answers
        if path in FILES:
            name, kind = FILES[path]
            self._send(200, kind + "; charset=utf-8", (HERE / name).read_bytes())
        elif path == "questions":
            self._json(200, answers.questions())
        elif asked := re.fullmatch(r"question/(\w{1,80})/(\w{1,40})", path, re.ASCII):
            try:
                self._json(200, answers.question(*asked.groups()))
            except KeyError:
                self._json(404, {"error": "There is no such question any more: load the page again."})
        elif asked := re.fullmatch(r"picture/([0-9a-f]{20})/(\d{1,2})", path, re.ASCII):
            answer = answers.marks.answers().get(asked[1])
            pictures = answers.pictures(answer) if answer else []
            number = int(asked[2])
            if number < len(pictures):
                self._send(200, *pictures[number])
            else:
                self._json(404, {"error": "There is no such picture."})
        else:
            self._json(404, {"error": "There is no such page."})

    def do_POST(self) -> None:
        """Saves one answer's points and comment."""
        if (path := self._path()) is None:
            return
        origin = self.headers.get("Origin")
        length = self.headers.get("Content-Length", "")
        if (
            path != "save"
            or self.headers.get_content_type() != "application/json"
            or origin
            and origin not in map("http://{}".format, self.server.hosts)
        ):
            self._json(403, {"error": "This is not a request of the page."})
        elif not re.fullmatch(r"\d{1,6}", length, re.ASCII) or int(length) > MAX_BODY:
            self._json(413, {"error": "The comment is too long."})
        else:
            self._json(*self._saved(self.rfile.read(int(length))))

    def _saved(self, body):
        try:
            asked = json.loads(body)
            if not isinstance(asked, dict) or not all(isinstance(asked.get(name), str) for name in ("identity", "points", "comment", "revision")):
                raise ValueError
            return 200, self.server.answers.save(asked)
        except (ValueError, RecursionError):
            return 400, {"error": "This is not a request of the page."}
        except KeyError:
            return 404, {"error": "This answer is no longer in person.csv: load the page again."}
        except Changed:
            return 409, _state(self.server.answers.marks.answers()[asked["identity"]])
        except CourseError as error:
            return 422, {"error": str(error)}

    def _path(self):
        """What the address says after the token, or None if this is not a request of the page; then the answer is sent."""
        begin = f"/{self.server.token}/"
        path = self.path.partition("?")[0]
        if self.headers.get("Host") not in self.server.hosts or not secrets.compare_digest(path[: len(begin)].encode(), begin.encode()):
            self._json(403, {"error": "Open the address that python -m gdl mark has printed."})
            return None
        return path[len(begin) :]

    def _json(self, status, value):
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status, kind, content):
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Prints nothing: the address holds the token."""
