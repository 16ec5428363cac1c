"""Grades a folder of notebooks: `python -m gdl grade SUBMISSIONS --out marks`."""

import hashlib
import json
import os
import sys
import time
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tqdm import tqdm

from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.collect import collect, safe_name
from gdl.instructor.grading.exercise import Exercise
from gdl.instructor.grading.marking import mark
from gdl.instructor.grading.report import feedback_page, read_marks, write_tables
from gdl.instructor.grading.student import Limits

VERSION = 1  # of what the grader does: another one grades everything again


def grade(folder, out, solutions="solutions", exercise=None, marks=None, unsafe=False, seconds=30.0):
    """Grades every notebook in `folder` and writes points, feedback and tables into `out`. Returns the results.

    What is graded already, and has not changed since, is taken from `out`; each result is written when it is finished.
    exercise: the name of the exercise that all notebooks are of; without it, the notebooks tell. marks: a person.csv that was filled in elsewhere;
    the one in `out` is read in any case.
    unsafe: without a sandbox. seconds: for one cell or one call; a notebook may take twenty times that. Raises CourseError.
    """
    if not seconds > 0:
        raise CourseError(f"--seconds {seconds:g}: give a number above 0.")
    start = sandbox.unsafe if unsafe else sandbox.sandboxed
    if not unsafe:
        sandbox.need_bubblewrap()
    os.environ["GDL_CHECKS"] = "raise"  # for the checks, which run here
    exercises = read_exercises(solutions, exercise)
    titles = {name: known.title for name, known in exercises.items()}
    questions = {name: [question.title for question in known.questions] for name, known in exercises.items()}
    submissions, problems = collect(folder, titles, exercise, questions)
    if not submissions and not problems:
        raise CourseError(f"There is no notebook in {folder}: name the folder, or the zip, as the learning platform exported it.")
    out = Path(out)

    results, todo = [], []
    for submission in submissions:
        path = out / "results" / f"{safe_name(submission)}.json"
        digest = digest_of(submission, exercises[submission.exercise], unsafe, seconds)
        known = read_result(path)
        if known.get("digest") == digest:
            results.append(known)
        else:
            todo.append((submission, path, digest))

    for name in {submission.exercise for submission, _, _ in todo}:
        exercises[name].prepare()

    def work(what, alone=len(todo) == 1):
        """The result of one notebook, or None where it was ended and what runs beside it may be to blame."""
        submission, path, digest = what
        result = graded(submission, exercises[submission.exercise], start, Limits(seconds, 20 * seconds))
        if result.pop("hurried") and not alone:
            return None
        result |= {"digest": digest, "sandboxed": not unsafe}
        with whole_file(path) as partial:
            partial.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8", errors="replace")
        return result

    with tqdm(total=len(submissions), initial=len(results), desc="Grading", unit="notebook", file=sys.stdout) as bar:
        again = []
        with ThreadPool(os.cpu_count()) as pool:  # threads wait for the students' processes; an interruption does not wait for them
            for what, result in pool.imap_unordered(lambda what: (what, work(what)), todo):
                if result is None:
                    again.append(what)
                else:
                    results.append(result)
                    bar.update()
        for what in again:
            results.append(work(what, alone=True))
            bar.update()
    results.sort(key=lambda result: (result["exercise"], result["student"], result["identifier"]))
    results = write_tables(read_marks(marks, results) if marks else results, out, problems)  # with what people have marked before
    for result in results:
        with whole_file(out / "feedback" / f"{result['name']}.html") as partial:
            partial.write_text(feedback_page(result), encoding="utf-8", errors="replace")
    return results


def read_exercises(solutions, exercise=None):
    """The exercises of a folder of solution notebooks by name, or the one that is asked for. Raises CourseError."""
    paths = {path.stem: path for path in sorted(Path(solutions).glob("[0-9]*.ipynb"))}
    if not paths:
        raise CourseError(f"There is no solution notebook in {solutions}: name their folder with --solutions.")
    if exercise and exercise not in paths:
        raise CourseError(f"There is no exercise {exercise} in {solutions}: there are {', '.join(paths)}.")
    return {name: Exercise(path) for name, path in paths.items() if exercise in (None, name)}


def digest_of(submission, exercise, unsafe, seconds):
    """What a result depends on."""
    content = hashlib.sha256(submission.content).hexdigest()
    told = [VERSION, content, submission.file, submission.notes, submission.problem, exercise.digest, unsafe, seconds]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def read_result(path):
    """A result that was written before, or an empty one."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or not as it was written
        return {}


def graded(submission, exercise, start, limits):
    """The result of one submission: whose it is, points, what the checks said, problems, and what needs a person."""
    begin = time.monotonic()
    result = {
        "student": submission.student, "identifier": submission.identifier, "exercise": exercise.name, "title": exercise.title,
        "file": submission.file, "name": safe_name(submission),
    }  # fmt: skip
    result |= mark(submission, exercise, start, limits)
    return result | {"seconds": round(time.monotonic() - begin, 1)}
