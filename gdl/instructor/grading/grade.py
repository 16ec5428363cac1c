"""Grades a folder of notebooks: `python -m gdl grade SUBMISSIONS --out marks`."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.pool import ThreadPool
from pathlib import Path

from tqdm import tqdm

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.class_list import ClassList
from gdl.instructor.grading.collect import Submission, collect, safe_name
from gdl.instructor.grading.earlier import if_worse, no_longer_there, read_result, still_stands
from gdl.instructor.grading.exercise import Exercise
from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.feedback_zips import write_feedback_zips
from gdl.instructor.grading.marking import mark
from gdl.instructor.grading.marks import read_marks
from gdl.instructor.grading.process import GraderFailed, Start
from gdl.instructor.grading.student import Limits
from gdl.instructor.grading.tables import write_tables
from gdl.instructor.grading.totals import Result
from gdl.instructor.grading.trial import try_solutions

VERSION = 2  # of the grader: results of another version are not used, and everything is graded again


def grade(
    folder: str | Path,
    out: str | Path,
    solutions: str | Path = "solutions",
    exercise: str | None = None,
    marks: str | Path | None = None,
    unsafe: bool = False,
    seconds: float = 30.0,
    class_list: ClassList | None = None,
) -> list[Result]:
    """Grades every notebook in `folder` and writes points, feedback and tables into `out`. Returns the results.

    First the solutions themselves are graded, see `trial`. A result in `out` is used again if its notebook and its exercise have not
    changed. Each result is written when it is finished; one without points, for a reason outside the notebook, is not written.
    exercise: the name of the exercise that all notebooks are of; None reads it from the notebooks and their names.
    marks: a filled-in person.csv; the one in `out` is read in any case. unsafe: run the notebooks without a sandbox.
    seconds: the limit for one cell or one call; a notebook may take twenty times as long. class_list: see `read_class`. Raises CourseError.

    >>> results = grade("submissions", "marks")  # doctest: +SKIP
    """
    if not seconds > 0:
        raise CourseError(f"--seconds {seconds:g}: give a number above 0.")
    if marks and not Path(marks).is_file():
        raise CourseError(f"There is no file {marks}: give the person.csv that you have filled in.")
    start = sandbox.unsafe if unsafe else sandbox.sandboxed
    if not unsafe:
        sandbox.check_bubblewrap()
    os.environ["GDL_CHECKS"] = "raise"  # for the checks, which run in this process
    exercises = read_exercises(solutions, exercise)
    if Path(out).resolve().is_relative_to(Path(folder).resolve()):
        raise CourseError(f"--out {out} is inside {folder}, and would be taken for a student's folder: choose a folder beside it.")
    titles = {name: known.title for name, known in exercises.items()}
    questions = {name: [question.title for question in known.questions] for name, known in exercises.items()}
    submissions, problems = collect(folder, titles, exercise, questions)
    if not submissions and not problems:
        raise CourseError(f"There is no notebook in {folder}: give the folder, or the zip, as the learning platform exported it.")
    out = Path(out)
    results, jobs = [], []
    for submission in submissions:
        path = out / "results" / f"{safe_name(submission)}.json"
        digest = digest_of(submission, exercises[submission.exercise], unsafe, seconds)
        earlier = read_result(path)
        if earlier.get("digest") == digest:
            results.append(earlier)
        elif kept := still_stands(earlier, submission):
            results.append(kept)
        else:
            jobs.append(GradingJob(submission, exercises[submission.exercise], path, digest, start, Limits(seconds, 20 * seconds), earlier))
    if jobs:
        names = sorted({job.exercise.name for job in jobs if not job.submission.problem})
        try_solutions([exercises[name] for name in names], start, Limits(seconds, 20 * seconds), out)
    results += grade_all(jobs, len(results))
    names_now, exercises_now = {safe_name(one) for one in submissions}, {one.exercise for one in submissions}
    gone, unreadable = no_longer_there(out / "results", names_now, exercises_now)
    results, problems = results + gone, problems + unreadable
    results.sort(key=lambda result: (result["exercise"], result["student"], result["identifier"]))
    if marks and Path(marks).resolve() != (out / "person.csv").resolve():
        results = read_marks(marks, results)
    results = write_tables(results, out, problems, class_list)  # with what people have marked before
    pages = {result["name"]: feedback_page(result) for result in results if "absent" not in result}
    for name, page in pages.items():
        write_file(out / "feedback" / f"{name}.html", page.encode(errors="replace"))
    write_feedback_zips(results, pages, out)
    return results


@dataclass(frozen=True)
class GradingJob:
    """One submission to grade, and where its result is written. digest: of all that the result depends on. earlier: its last result, or {}."""

    submission: Submission
    exercise: Exercise
    path: Path
    digest: str
    start: Start
    limits: Limits
    earlier: Result = field(default_factory=dict)

    def run(self, alone: bool) -> Result | None:
        """Grades the submission and writes the result. alone: whether no other notebook runs beside it.

        Returns None, and writes nothing, if points were lost and a notebook beside it may be the reason. Raises GraderFailed.
        """
        try:
            result = graded(self.submission, self.exercise, self.start, self.limits)
        except Exception as error:  # a fault of the grader, which this notebook has brought to light
            result = not_graded(self.submission, self.exercise, f"{type(error).__name__}: {error}")
        busy, outside = result.pop("machine_busy"), result.pop("outside", "")
        if busy and not alone:
            return None
        if outside:
            take_back(result, outside)
        result["person"] += if_worse(self.earlier, result, self.submission)
        result |= {"digest": self.digest, "sandboxed": self.start is not sandbox.unsafe}
        if all(question["points"] is not None or question["by_hand"] for question in result["questions"]):
            write_file(self.path, json.dumps(result, indent=1, ensure_ascii=False).encode(errors="replace"))
        return result


def take_back(result: Result, outside: str) -> None:
    """Leaves the questions that lost points without points, for a person. outside: why they were lost, for none of the notebook's doing."""
    for question in result["questions"]:
        if not question["by_hand"] and question["points"] is not None and question["points"] < question["max"]:
            question["points"] = None
            for check in question["checks"]:
                if check["message"]:
                    check |= {"points": None, "message": f"not graded: your code was stopped because {outside}."}
    result["person"].append(
        f"Questions have no points, because the notebook was stopped for a reason outside it, also when it ran alone: {outside}. "
        "Run gdl grade again when the machine is free, or give the points by hand."
    )


def not_graded(submission: Submission, exercise: Exercise, error: str) -> Result:
    """The result, without points, of a submission at which the grader itself failed."""
    questions = [
        {"name": question.name, "title": question.title, "max": question.points, "by_hand": bool(question.by_hand)}
        | {"answer": "", "causes": [], "checks": [], "points": None}
        for question in exercise.questions
    ]
    sentence = f"The grader itself failed at this notebook ({error[:300]}): run gdl grade again, or give the points by hand."
    result = {"questions": questions, "problems": [], "person": [*submission.notes, sentence], "machine_busy": True}
    return identity(submission, exercise) | result | {"seconds": None}


def grade_all(jobs: Sequence[GradingJob], done: int = 0) -> list[Result]:
    """Runs the jobs, as many at a time as the machine has cores, with a progress bar that begins at `done`.

    A job that the notebooks beside it may have slowed down runs again alone. Raises CourseError when the grader itself can no longer go on,
    for instance because the sandbox does not start any more; what is graded by then is kept.
    """
    results: list[Result] = []
    again: list[GradingJob] = []
    failures: list[str] = []

    def run(job, alone):
        if failures:
            return job, None
        try:
            return job, job.run(alone)
        except (GraderFailed, CourseError) as error:
            failures.append(str(error))
            return job, None

    with tqdm(total=done + len(jobs), initial=done, desc="Grading", unit="notebook", file=sys.stdout) as bar:
        with ThreadPool(os.cpu_count()) as pool:  # threads that wait for the students' processes, so that Ctrl+C works at once
            for job, result in pool.imap_unordered(lambda job: run(job, alone=len(jobs) == 1), jobs):
                if result is None:
                    again.append(job)
                else:
                    results.append(result)
                    bar.update()
        for job in again:
            _, result = run(job, alone=True)
            if result is not None:
                results.append(result)
                bar.update()
    if failures:
        raise CourseError(f"{failures[0]} The {done + len(results)} notebooks that are graded are kept: run the same command again to go on.")
    return results


def read_exercises(solutions: str | Path, exercise: str | None = None) -> dict[str, Exercise]:
    """The exercises in a folder of solution notebooks by name, or only the one with the name `exercise`. Raises CourseError."""
    paths = {path.stem: path for path in sorted(Path(solutions).glob("[0-9]*.ipynb"))}
    if not paths:
        raise CourseError(f"There is no solution notebook in {solutions}: give their folder with --solutions.")
    if exercise and exercise not in paths:
        raise CourseError(f"There is no exercise {exercise} in {solutions}: choose from {', '.join(paths)}.")
    return {name: Exercise(path) for name, path in paths.items() if exercise in (None, name)}


def digest_of(submission: Submission, exercise: Exercise, unsafe: bool, seconds: float) -> str:
    """A digest of all that a result depends on."""
    inputs = [VERSION, submission.digest, submission.file, submission.notes, submission.problem, exercise.digest, unsafe, seconds]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()


def graded(submission: Submission, exercise: Exercise, start: Start, limits: Limits) -> Result:
    """The result of one submission: the student, and what `mark` returns."""
    begin = time.monotonic()
    result = identity(submission, exercise) | mark(submission, exercise, start, limits)
    return result | {"seconds": round(time.monotonic() - begin, 1)}


def identity(submission: Submission, exercise: Exercise) -> Result:
    """Whose result it is, and of which exercise."""
    return {
        "student": submission.student, "identifier": submission.identifier, "exercise": exercise.name, "title": exercise.title,
        "file": submission.file, "name": safe_name(submission), "notebook": submission.digest,
    }  # fmt: skip
