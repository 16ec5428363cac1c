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
from gdl.grading import sandbox
from gdl.grading.collect import collect, safe_name
from gdl.grading.exercise import Exercise
from gdl.grading.marking import mark
from gdl.grading.report import feedback_page, read_marks, write_tables
from gdl.grading.student import Limits

VERSION = 1  # of what the grader does: another one grades everything again


def grade(folder, out, solutions="solutions", exercise=None, marks=None, unsafe=False, seconds=30.0):
    """Grades every notebook in `folder` and writes points, feedback and tables into `out`. Returns the results.

    What is graded already, and has not changed since, is taken from `out`; each result is written when it is finished.
    exercise: the name of the exercise that all notebooks are of; without it, the notebooks tell. marks: a person.csv that was filled in elsewhere;
    the one in `out` is read in any case.
    unsafe: without a sandbox. seconds: for one cell or one call; a notebook may take twenty times that. Raises CourseError.
    """
    start = sandbox.unsafe if unsafe else sandbox.sandboxed
    if not unsafe:
        sandbox.need_bubblewrap()
    os.environ["GDL_CHECKS"] = "raise"  # for the checks, which run here
    exercises = read_exercises(solutions, exercise)
    titles = {name: known.title for name, known in exercises.items()}
    questions = {name: [question.title for question in known.questions] for name, known in exercises.items()}
    submissions, problems = collect(folder, titles, exercise, questions)
    out = Path(out)

    def work(submission):
        return graded(submission, exercises[submission.exercise], out / "results", start, Limits(seconds, 20 * seconds))

    results = []
    # of threads, which wait for the students' processes; an interruption does not wait for them
    with ThreadPool(os.cpu_count()) as pool, tqdm(total=len(submissions), desc="Grading", unit="notebook", file=sys.stdout) as bar:
        for result in pool.imap_unordered(work, submissions):
            results.append(result)
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


def graded(submission, exercise, folder, start, limits):
    """The result of one submission: as it lies in `folder` if nothing has changed since, else graded now and written there."""
    name = safe_name(submission)
    path = folder / f"{name}.json"
    content = hashlib.sha256(submission.content).hexdigest()
    sandboxed = start is not sandbox.unsafe
    digest = hashlib.sha256(f"{VERSION} {content} {exercise.digest} {sandboxed}".encode()).hexdigest()
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none, or not as it was written
        known = {}
    if known.get("digest") == digest:
        return known
    result = {
        "student": submission.student, "identifier": submission.identifier, "exercise": exercise.name, "title": exercise.title,
        "file": submission.file, "name": name, "digest": digest, "sandboxed": sandboxed,
    }  # fmt: skip
    begin = time.monotonic()
    result |= mark(submission, exercise, start, limits)
    result["seconds"] = round(time.monotonic() - begin, 1)
    with whole_file(path) as partial:
        partial.write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8", errors="replace")
    return result
