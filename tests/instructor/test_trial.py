"""The grader's first step, and failures of the grader's own: nobody loses a point for them."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from conftest import ROOT
from hostile_notebooks import ONE, RIGHT, in_question_1
from test_grading import SOLUTION, handed_in, needs_sandbox, points, write_notebook

from gdl.errors import CourseError
from gdl.instructor.grading import grade as grade_module
from gdl.instructor.grading import process, sandbox, student, usage
from gdl.instructor.grading.exercise import Check, Exercise
from gdl.instructor.grading.grade import grade
from gdl.instructor.grading.marking import run_check
from gdl.instructor.grading.process import Worker, WorkerEnded
from gdl.instructor.grading.student import Limits, Student

pytestmark = pytest.mark.slow  # starts workers in the sandbox


@pytest.fixture
def folders(tmp_path):
    """(submissions with one right notebook, marks, solutions)."""
    write_notebook(tmp_path / "solutions" / "50_twice.ipynb", SOLUTION)
    handed_in(tmp_path / "submissions", "Ada", [RIGHT])
    return tmp_path / "submissions", tmp_path / "marks", tmp_path / "solutions"


def command_line(python, folders, cwd, **environment):
    """Runs `gdl grade` on these folders."""
    submissions, out, solutions = folders
    command = [python, "-m", "gdl", "grade", submissions, "--out", out, "--solutions", solutions]
    return subprocess.run(command, cwd=cwd, env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, text=True)


@needs_sandbox
@pytest.mark.parametrize("way", ["through ..", "through a link with spaces", "by a relative path", "with PYTHONHOME"])
def test_python_may_be_named_by_any_path(way, folders, tmp_path):
    environment = Path(sys.prefix)
    python, more = Path(sys.executable), {}
    if way == "through ..":
        python = Path(os.path.relpath(environment, tmp_path), "bin", "python")
        python = tmp_path / python
    elif way == "through a link with spaces":
        (tmp_path / "über all").symlink_to(environment)
        python = tmp_path / "über all" / "bin" / "python"
    elif way == "by a relative path":
        python = Path(os.path.relpath(environment, tmp_path), "bin", "python")
    else:
        packages = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
        more = {"PYTHONHOME": sys.base_prefix, "PYTHONPATH": packages}
    done = command_line(python, folders, tmp_path, **more)
    assert done.returncode == 0, done.stderr
    assert pd.read_csv(folders[1] / "grades.csv", encoding="utf-8-sig")["automatic"].tolist() == [6]


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "uid map: Permission denied.*AppArmor"),
        ("sleep 60", "took longer than 2 seconds"),
        ("kill -9 $$", "does not start"),
        ("exec bash -c 'echo \"ModuleNotFoundError: No module named numpy\" >&2; exit 1'", "No module named numpy.*install the course's packages"),
        ("printf '\\0\\0\\0\\0\\0\\0\\0\\02[]'", "does not start"),
    ],
)
def test_a_sandbox_that_does_not_start_costs_nobody_a_point(script, words, folders, tmp_path, monkeypatch):
    fake = tmp_path / "bin" / "bwrap"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\ncase $1 in --version) echo bubblewrap 0.8.0; exit;; esac\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(process, "START_SECONDS", 2)
    sandbox.check_bubblewrap.cache_clear()
    with pytest.raises(CourseError, match=words) as error:
        grade(*folders)
    assert "\n" not in str(error.value)
    assert not list(folders[1].rglob("*.json")) and not list(folders[1].rglob("*.csv"))
    done = command_line(sys.executable, folders, tmp_path, PATH=os.environ["PATH"]) if "uid map" in script else None
    assert done is None or (done.returncode == 1 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr), done


@needs_sandbox
@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("2 * x, ", "3 * x, ", "the check q1b says: other numbers: twice each number"),
        ("x = np.linspace", "x = np.linspce", "q1b says: .*linspce"),
        ("import numpy as np\n", "import numpy as np\nfrom gdl import no_such_name\n", "given code of 50_twice stopped with .*no_such_name"),
        ("return 2 * x", "return 2 * y", "the check q1a says: .*'y' is not defined"),
        ("    return 2 * x", "    import os; os._exit(1)", "q1a says: .*ended Python itself"),
    ],
)
def test_a_solution_without_all_points_stops_the_grader(old, new, words, folders):
    path = folders[2] / "50_twice.ipynb"
    right = path.read_text()
    assert json.dumps(old)[1:-1] in right
    path.write_text(right.replace(json.dumps(old)[1:-1], json.dumps(new)[1:-1]))
    for _ in range(2):  # a failure is not kept
        with pytest.raises(CourseError, match=f"Nothing was graded, because the .*{words}"):
            grade(*folders)
    assert not folders[1].exists()
    path.write_text(right)
    assert [points(result) for result in grade(*folders)] == [6]


@needs_sandbox
def test_a_solution_that_succeeded_is_not_tried_again(folders, monkeypatch):
    grade(*folders)
    kept = (folders[1] / "solutions.json").read_bytes()
    monkeypatch.setattr("gdl.instructor.grading.trial.problem_of_solution", lambda *arguments: ("it was tried again.", False))
    handed_in(folders[0], "Bo", [ONE], 2)
    assert [points(result) for result in grade(*folders)] == [6, 4]
    assert (folders[1] / "solutions.json").read_bytes() == kept
    handed_in(folders[0], "Cy", [ONE], 3)
    with pytest.raises(CourseError, match="tried again"):  # with another limit of time
        grade(*folders, seconds=20)
    monkeypatch.setattr("gdl.instructor.grading.trial.distributions", lambda: [])
    with pytest.raises(CourseError, match="tried again"):  # with other packages
        grade(*folders)


@needs_sandbox
def test_a_sandbox_that_stops_starting_costs_nobody_a_point(folders, monkeypatch):
    for number in range(2, 7):
        handed_in(folders[0], f"Student {number}", [RIGHT], number)
    real, starts = sandbox.sandboxed, []

    def fails_later():
        starts.append(1)
        command, environment = real()
        return (command, environment) if len(starts) <= 4 else (["bwrap", "--no-such-option"], environment)

    monkeypatch.setattr(sandbox, "sandboxed", fails_later)
    monkeypatch.setattr(student, "START_AGAIN", (0.1, 0.1))
    with pytest.raises(CourseError, match="does not start .*no-such-option.* The 2 notebooks that are graded are kept: run the same command again"):
        grade(*folders)
    kept = {path.name: path.read_bytes() for path in (folders[1] / "results").glob("[!.]*.json")}
    assert len(kept) == 2 and not (folders[1] / "grades.csv").exists()
    monkeypatch.undo()
    assert [points(result) for result in grade(*folders)] == [6] * 6
    assert {
        name: content for name, content in ((path.name, path.read_bytes()) for path in (folders[1] / "results").iterdir()) if name in kept
    } == kept


@needs_sandbox
def test_a_sandbox_that_starts_at_the_second_try_costs_nothing(folders, monkeypatch):
    real, starts = sandbox.sandboxed, []

    def fails_once():
        starts.append(1)
        command, environment = real()
        return (["bwrap", "--no-such-option"], environment) if len(starts) == 3 else (command, environment)

    monkeypatch.setattr(sandbox, "sandboxed", fails_once)
    monkeypatch.setattr(student, "START_AGAIN", (0.1,))
    assert [points(result) for result in grade(*folders)] == [6]
    assert len(starts) == 4


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), MemoryError(), CourseError("Two images are needed.")])
def test_an_error_of_the_graders_own_is_no_failed_check(error, folders, monkeypatch):
    handed_in(folders[0], "Bo", [RIGHT.replace("2 * x", "x + x")], 2)
    real = grade_module.graded

    def graded(submission, exercise, *others):
        def is_close(*arguments):
            raise error

        original = exercise._namespace["is_close"]
        exercise._namespace["is_close"] = is_close if submission.student == "Bo" else original
        try:
            return real(submission, exercise, *others)
        finally:
            exercise._namespace["is_close"] = original

    monkeypatch.setattr(grade_module, "graded", graded)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # one at a time
    ada, bo = grade(*folders, unsafe=True)
    assert points(ada) == 6
    assert [question["points"] for question in bo["questions"]] == [None, None, None]
    assert [check["points"] for question in bo["questions"] for check in question["checks"]] == [None] * 3
    assert any("The grader itself failed" in reason and type(error).__name__ in reason for reason in bo["person"])
    rows = pd.read_csv(folders[1] / "person.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert rows[(rows["student"] == "Bo") & (rows["question"] == "q1")]["points"].tolist() == [""]
    table = pd.read_csv(folders[1] / "grades.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    assert table[table["student"] == "Bo"][["q1", "q2", "state"]].values.tolist() == [["", "", "provisional"]]
    assert len(list((folders[1] / "results").glob("[!.]*.json"))) == 1, "it is not kept"
    monkeypatch.undo()
    assert [points(result) for result in grade(*folders, unsafe=True)] == [6, 6]


def test_a_fault_of_the_grader_concerns_one_notebook(folders, monkeypatch):
    handed_in(folders[0], "Bo", [RIGHT], 2)
    real = grade_module.graded

    def graded(submission, *others):
        if submission.student == "Bo":
            raise AttributeError("a fault of the grader")
        return real(submission, *others)

    monkeypatch.setattr(grade_module, "graded", graded)
    ada, bo = grade(*folders, unsafe=True)
    assert points(ada) == 6
    assert [question["points"] for question in bo["questions"]] == [None, None, None]
    assert any("a fault of the grader" in reason for reason in bo["person"])


@needs_sandbox
def test_a_worker_that_somebody_kills_costs_no_points(folders, monkeypatch):
    """It is graded again alone, and then goes to a person without points for what was lost."""
    handed_in(folders[0], "Bo", ["import numpy as np", f"{ONE}\n\ndef row_means(x):\n    raise SystemExit('KILL')"], 2)
    real, kills = Worker.request, []

    def request(self, seconds, **what):
        if what.get("name") == "row_means" and "Bo" in current:
            kills.append(1)
            for one in psutil.Process(self.process.pid).children(recursive=True)[1:]:
                one.kill()
        return real(self, seconds, **what)

    current = []
    original = grade_module.graded
    monkeypatch.setattr(grade_module, "graded", lambda submission, *others: (current.append(submission.student), original(submission, *others))[1])
    monkeypatch.setattr(Worker, "request", request)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    ada, bo = grade(*folders)
    assert points(ada) == 6
    assert current == ["Ada", "Bo", "Bo"], "again, alone"
    assert [question["points"] for question in bo["questions"]] == [4, None, None]
    assert any("outside it, also when it ran alone: it was killed" in reason for reason in bo["person"])
    assert [path.name[:3] for path in (folders[1] / "results").glob("[!.]*.json")] == ["Ada"]


@needs_sandbox
def test_memory_that_the_machine_lacks_costs_no_points_but_the_notebooks_own_hunger_does(folders, monkeypatch):
    grade(*folders)
    hungry = in_question_1("kept = []\nwhile True:\n    kept.append(np.ones(10**7, 'u1'))")
    handed_in(folders[0], "Bo", hungry, 2)
    monkeypatch.setattr(process, "MAX_MEMORY", 2**28)
    results = {result["student"]: result for result in grade(*folders)}
    assert [question["points"] for question in results["Bo"]["questions"]][:2] == [0, 2], "it went beyond its own limit"
    handed_in(
        folders[0],
        "Cy",
        ["import time, numpy as np\ndef double(x):\n    time.sleep(1)\n    return 2 * x\n\ndef row_means(x):\n    return x.mean(axis=1)"],
        3,
    )
    monkeypatch.setattr(process, "MAX_MEMORY", 3 * 2**30)
    free, asked = psutil.virtual_memory(), []

    def memory():
        asked.append(1)
        return free._replace(available=0 if any(name == "double" for name in calls) else free.available)

    calls, real = [], Worker.request

    def request(self, seconds, **what):
        calls.append(what.get("name"))
        try:
            return real(self, seconds, **what)
        finally:
            calls.clear()

    monkeypatch.setattr(process.psutil, "virtual_memory", memory)
    monkeypatch.setattr(Worker, "request", request)
    results = {result["student"]: result for result in grade(*folders)}
    assert [question["points"] for question in results["Cy"]["questions"]][:2] == [None, 2]
    assert any("the machine had no memory left" in reason for reason in results["Cy"]["person"])


def test_time_that_others_took_is_told_from_the_notebooks_own(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert not usage.others_worked((100.0, 5.0), (102.2, 7.0), 2), "the notebook itself was busy"
    assert usage.others_worked((100.0, 5.0), (104.0, 5.5), 2)
    assert not usage.others_worked((100.0, 5.0), (100.3, 5.0), 2), "the machine slept, as the notebook did"


@needs_sandbox
def test_nothing_runs_on_when_bubblewrap_ends_early(monkeypatch):
    """Its first process is killed as soon as there is a second one."""
    started, real = [], subprocess.Popen

    class Killed(real):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            started.append(self.pid)
            while self.poll() is None:
                if children := psutil.Process(self.pid).children(recursive=True):
                    started.extend(child.pid for child in children)
                    self.kill()
                    break

    monkeypatch.setattr(process.subprocess, "Popen", Killed)
    for _ in range(5):
        with pytest.raises(CourseError, match="does not start"):
            Worker(sandbox.sandboxed)
    left = [psutil.Process(pid) for pid in started if psutil.pid_exists(pid)]
    assert not psutil.wait_procs(left, timeout=5)[1]


@needs_sandbox
@pytest.mark.parametrize("unsafe", [False, True])
def test_a_killed_grader_leaves_no_worker(unsafe):
    program = (
        "from gdl.instructor.grading import sandbox\nfrom gdl.instructor.grading.process import Worker\n"
        f"w = Worker(sandbox.{'unsafe' if unsafe else 'sandboxed'})\nprint('ready', flush=True)\nw.request(60, do='run', source='while True: pass')"
    )
    grader = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert grader.stdout.readline() == b"ready\n"
    workers = psutil.Process(grader.pid).children(recursive=True)
    assert workers
    grader.kill()
    grader.wait()
    grader.stdout.close()
    assert not psutil.wait_procs(workers, timeout=10)[1]


@needs_sandbox
def test_an_answer_while_the_watch_looks_at_the_clock_harms_nobody(monkeypatch):
    answered = threading.Event()

    class Clock:
        """The watch gets its time when the request has been answered."""

        sleep = staticmethod(time.sleep)

        @staticmethod
        def monotonic():
            if threading.current_thread() is not threading.main_thread() and worker.requests:
                answered.wait(10)
            return time.monotonic()

    worker = Worker(sandbox.sandboxed)
    try:
        monkeypatch.setattr(process, "time", Clock)
        worker.request(60, do="run", source="import time; time.sleep(0.5)\ndef one():\n    return 1")
        answered.set()
        time.sleep(3 * process.WATCH_SECONDS)
        assert worker.request(60, do="call", name="one", args=[], options={}) == 1
        assert not worker.reason
    finally:
        worker.close()


@needs_sandbox
def test_a_worker_that_ends_says_why():
    student = Student(
        ["import os, signal\ndef end(how):\n    os.kill(os.getpid(), signal.SIGKILL) if how == 'kill' else os._exit(how)"],
        [],
        sandbox.sandboxed,
        Limits(),
    )
    try:
        for how, outside in (("kill", True), (137, True), (1, False), (0, False)):
            with pytest.raises(WorkerEnded) as ended:
                student.call("end", how)
            assert ended.value.outside == ended.value.machine_busy == outside, how
    finally:
        student.close()


@needs_sandbox
def test_memory_that_a_call_did_not_find_is_worth_another_try(monkeypatch):
    student = Student(["def find():\n    raise MemoryError('of ours')"], [], sandbox.sandboxed, Limits())
    try:
        for outside in (False, True):
            if outside:  # the kernel ends something in the middle of the call
                monkeypatch.setattr(usage, "ended_by_kernel", iter([0, 1]).__next__)
            with pytest.raises(process.StudentError, match="MemoryError: of ours"):
                student.call("find")
            assert (student.ended[-1].machine_busy, student.ended[-1].outside) == (True, outside)
    finally:
        student.close()
    assert [error.name for error in student.ended] == ["it found no memory", "the machine had no memory left"]


def test_the_values_of_many_calls_cannot_fill_the_graders_memory(folders, monkeypatch):
    exercise = Exercise(folders[2] / "50_twice.ipynb")
    check = Check("q1a", 1, 'with check("400 calls"):\n    kept = [double(1.0) for _ in range(400)]\n    assert len(kept) == 400')
    large = Student([], [], sandbox.unsafe, Limits())
    monkeypatch.setattr(large, "run", lambda: None)
    monkeypatch.setenv("GDL_CHECKS", "raise")
    for value, message in ((np.ones(2**18), "it gave more than 256 MB in one check"), (np.ones(2**14), "")):  # 2 MB and 128 KB
        monkeypatch.setattr(large, "_request", lambda value=value, **_: value)
        assert message in (said := run_check(check, exercise, large, hidden=False)) and bool(said) == bool(message)
    monkeypatch.setattr(large, "_request", lambda **_: {"a": [np.ones(2**18)]})
    assert "it gave more than … MB in one check" in run_check(check, exercise, large, hidden=True)


@needs_sandbox
def test_the_courses_own_code_that_fails_in_the_sandbox_costs_no_points(folders, monkeypatch):
    student = Student([RIGHT], ["import no_such_package"], sandbox.sandboxed, Limits())
    for _ in range(2):
        with pytest.raises(WorkerEnded, match="the course's own code did not run") as ended:
            student.call("double", 1)
        assert ended.value.outside
    assert student.worker is None
