"""The grader's first step: it grades the solutions themselves, in the same sandbox. Unless they get all points, nobody's notebook is graded.

So a sandbox that does not start, packages of other versions or a hidden test with a mistake cost no student a point.
"""

import hashlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.metadata import distributions
from multiprocessing.pool import ThreadPool
from pathlib import Path

import nbformat
from tqdm import tqdm

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.exercise import Exercise, role_of
from gdl.instructor.grading.process import GraderFailed, Start, StudentError, Worker
from gdl.instructor.grading.student import Limits, Student

FIX = "Correct the solution or its checks, or install the versions in constraints.txt."


def try_solutions(exercises: Iterable[Exercise], start: Start, limits: Limits, out: Path) -> None:
    """Raises CourseError, with the reason in one sentence, unless the sandbox starts and the solution of each exercise gets all points in it.

    What has succeeded is noted in `out`/solutions.json, and is not tried again until something changes.
    """
    Worker(start).close()
    path, environment = out / "solutions.json", _environment(start, limits)
    succeeded, jobs = _read(path), []
    for exercise in exercises:
        try:
            exercise.prepare()
        except Exception as error:
            raise CourseError(f"Nothing was graded, because the given code of {exercise.name} stopped with {_text(error)} {FIX}") from None
        digest = hashlib.sha256(json.dumps([exercise.digest, environment]).encode()).hexdigest()
        if succeeded.get(exercise.name) != digest:
            jobs.append((exercise, digest))
    with ThreadPool(os.cpu_count()) as pool:
        trials = pool.imap(lambda job: problem_of_solution(job[0], start, limits), jobs)
        found = list(tqdm(trials, "Grading the solutions", len(jobs), unit="exercise", file=sys.stdout, disable=not jobs))
    for (exercise, digest), (problem, busy) in zip(jobs, found):
        if problem and busy:  # maybe with the solution beside it
            problem, _ = problem_of_solution(exercise, start, limits)
        if problem:
            raise CourseError(f"Nothing was graded, because the solution of {exercise.name} does not get all points on this machine: {problem}")
        succeeded[exercise.name] = digest
        write_file(path, json.dumps(succeeded, indent=1))


def problem_of_solution(exercise: Exercise, start: Start, limits: Limits) -> tuple[str, bool]:
    """(why the solution does not get all points, or "", and whether other work on the machine may be the reason)."""
    cells = [cell.source for cell in nbformat.read(exercise.path, as_version=4).cells if role_of(cell)[0] in ("set-up", "given", "answer")]
    student = Student(cells, exercise.prelude, start, limits)
    checks = [check for question in exercise.questions for check in question.checks]
    try:
        student.run()
        for _, error in student.problems:
            return f"one of its cells stopped with {error}. {FIX}", error.machine_busy
        for hidden in (False, True):  # as in `marking`: all visible lines come first
            for check in checks:
                try:
                    exercise.run_check(check, student, hidden)
                except Exception as error:
                    busy = any(one.machine_busy for one in student.ended)
                    fix = "Close other programs or give more --seconds." if busy else FIX
                    return f"the check {check.name} says: {_text(error)} {fix}", busy
    except StudentError as error:
        return f"{_first_problem(exercise, start) or error}. {FIX}", error.machine_busy
    except GraderFailed as error:
        return str(error), False
    finally:
        student.close()
    return "", False


def _first_problem(exercise, start):
    """What stops the course's own cells on the student's side, or "" if nothing does."""
    worker = Worker(start)
    try:
        for source in exercise.prelude:
            worker.request(60, do="run", source=source)
    except StudentError as error:
        return f"its given code stopped in the sandbox with {error}"
    finally:
        worker.close()
    return ""


def _text(error):
    return str(error) if isinstance(error, AssertionError) and str(error) else f"{type(error).__name__}: {error}."


def _environment(start, limits):
    """All but the solution on which its success depends."""
    packages = sorted({f"{one.name}=={one.version}" for one in distributions()})
    sources = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(sandbox.PACKAGE.rglob("*.py"))]
    bubblewrap = "" if start is sandbox.unsafe else subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout
    python = [sys.version, sandbox.python(), *sandbox.package_folders()]
    return [*python, platform.platform(), bubblewrap, packages, sources, limits.step]


def _read(path):
    with suppress(OSError, ValueError):
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    return {}
