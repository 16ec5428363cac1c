"""Starts the page for marking: `python -m gdl mark MARKS`."""

import webbrowser
from contextlib import suppress
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading.collect import collect
from gdl.instructor.grading.totals import Result
from gdl.instructor.marking_page.marks_file import MarksFile
from gdl.instructor.marking_page.server import Answers, MarkingServer


def mark(marks: str | Path, submissions: str | Path | None = None, solutions: str | Path = "solutions", port: int = 0, browser: bool = True) -> None:
    """Shows the answers of `person.csv` in the folder `marks`, one at a time in a browser, and fills in points and comments. Ends with Ctrl+C.

    submissions: the folder or zip that was graded, for the pictures in the notebooks. solutions: the solution notebooks, for questions, model
    answers and rubrics. port: of the page on 127.0.0.1; 0 chooses a free one. browser: whether to open it. Raises CourseError.

    >>> mark("marks", "submissions")  # doctest: +SKIP
    """
    server = marking_server(marks, submissions, solutions, port)
    with server, suppress(KeyboardInterrupt):
        found = server.answers.questions()
        print(f"{sum(one['answers'] - one['marked'] for one in found)} answers to {len(found)} questions have no points yet: {server.address}")
        print("Everything is saved at once. Ctrl+C ends the page. Then run gdl grade again.", flush=True)
        if browser:
            webbrowser.open(server.address)
        server.serve_forever()


def marking_server(marks: str | Path, submissions: str | Path | None, solutions: str | Path, port: int = 0) -> MarkingServer:
    """The server of the page, bound to its port and not yet running. Raises CourseError."""
    file = MarksFile(marks)
    file.answers()
    if not 0 <= port < 65536:
        raise CourseError(f"--port {port}: give a number from 0 to 65535; 0 chooses a free port.")
    answers = Answers(file, solutions, Notebooks(file, submissions).read if submissions else None)
    try:
        return MarkingServer(answers, port)
    except OSError as error:
        raise CourseError(f"--port {port} cannot be used ({error.strerror}): leave it out, then a free one is chosen.") from None


class Notebooks:
    """The notebooks among the submissions, found by their digests."""

    def __init__(self, marks: MarksFile, submissions: str | Path):
        results = [answer.result for answer in marks.answers().values()]
        titles = {result["exercise"]: result["title"] for result in results}
        questions = {result["exercise"]: [question["title"] for question in result["questions"]] for result in results}
        found, _ = collect(submissions, titles, None, questions)
        self.by_digest = {one.digest: one for one in found if one.digest}

    def read(self, result: Result) -> bytes:
        """The bytes of the notebook of a result, or b"" if it is not among the submissions any more."""
        submission = self.by_digest.get(result.get("notebook", ""))
        try:
            return submission.content if submission else b""
        except CourseError:
            return b""
