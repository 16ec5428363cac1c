"""The grader on hostile notebooks, on interrupted and repeated runs, and on the course's own exercises."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from hostile_notebooks import HOSTILE, ONE, RIGHT, TWO
from nbformat.v4 import new_code_cell, new_markdown_cell

from gdl.errors import CourseError
from gdl.instructor.grading import grade as grade_module
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.grade import grade
from gdl.instructor.grading.process import Worker, WorkerEnded
from gdl.instructor.grading.student import Limits, Student

pytestmark = pytest.mark.slow  # starts workers in the sandbox
MARKS = dict(grade=False, solution=False, locked=True, task=False, schema_version=3)
SOLUTION = [
    new_markdown_cell("# Exercise 50 · Twice"),
    new_code_cell("import numpy as np\nfrom gdl.checks import check, is_close", metadata={"nbgrader": MARKS | {"grade_id": "given"}}),
    new_markdown_cell("## Question 1 · Double"),
    new_code_cell(
        "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION",
        metadata={"nbgrader": MARKS | {"grade_id": "q1", "solution": True, "locked": False}},
    ),
    new_code_cell(
        'with check("three numbers"):\n    is_close(double(np.array([1.0, 2.0, 3.0])), [2, 4, 6], "twice each number")',
        metadata={"nbgrader": MARKS | {"grade_id": "q1a", "grade": True, "points": 1}},
    ),
    new_code_cell(
        "# The grader tries other numbers here.\n### BEGIN HIDDEN TESTS\n"
        'with check("other numbers"):\n    x = np.linspace(40, 41, 20_000)  # more than fits into a pipe\n'
        '    is_close(double(x), 2 * x, "twice each number")\n### END HIDDEN TESTS',
        metadata={"nbgrader": MARKS | {"grade_id": "q1b", "grade": True, "points": 3}},
    ),
    new_markdown_cell("## Question 2 · Means"),
    new_code_cell(
        "def row_means(x):\n    ### BEGIN SOLUTION\n    return x.mean(axis=1)\n    ### END SOLUTION",
        metadata={"nbgrader": MARKS | {"grade_id": "q2", "solution": True, "locked": False}},
    ),
    new_code_cell(
        'with check("one row"):\n    is_close(row_means(np.ones((1, 2))), [1], "one mean for each row")\n'
        '### BEGIN HIDDEN TESTS\nwith check("the mean of each row"):\n'
        '    is_close(row_means(np.ones((3, 2))), [1, 1, 1], "one mean for each row")\n### END HIDDEN TESTS',
        metadata={"nbgrader": MARKS | {"grade_id": "q2a", "grade": True, "points": 2}},
    ),
    new_markdown_cell("## Question 3 · In words"),
    new_markdown_cell(
        "Marking: 4 points.", metadata={"nbgrader": MARKS | {"grade_id": "q3", "grade": True, "solution": True, "points": 4, "locked": False}}
    ),
]
REASONS = {  # what the feedback on a hostile notebook says, as a regular expression
    "an endless loop in a cell": "longer than 2 seconds",
    "an endless loop in a function": "longer than 2 seconds",
    "os._exit in a function": "ended Python itself",
    "a full disk": "No space left on device",
    "a fork bomb": r"more than \d+ processes|memory",
    "a million small files": "more than 20000 files",
    "an oversized reply": "more than 16 MB",
    "a cell with a syntax error": "invalid syntax|SyntaxError",
    "a scalar where an array is due": "a scalar",
}
needs_sandbox = pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: nothing can be graded without it")


def write_notebook(path, cells):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [cell if hasattr(cell, "cell_type") else new_code_cell(cell) for cell in cells]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def handed_in(folder, name, cells, number=1):
    """A notebook as a learning platform exports it."""
    return write_notebook(folder / f"{name}_{1000 + number}_50_twice.ipynb", cells)


@pytest.fixture(scope="session")
def solutions(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instructor") / "solutions"
    write_notebook(folder / "50_twice.ipynb", SOLUTION)
    return folder


def fingerprint(*folders):
    """Every file below these folders with its content."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*") if path.is_file())
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def points(result):
    return sum(question["points"] or 0 for question in result["questions"])


def gives_reason(name, result):
    messages = [*result["problems"], *(check["message"] for question in result["questions"] for check in question["checks"])]
    return bool(re.search(REASONS.get(name, ""), " ".join(messages)))


@pytest.fixture(scope="module")
def hostile(solutions, tmp_path_factory):
    """All hostile notebooks, graded in one run. Returns results by name, and what was there before and after."""
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")
    root = tmp_path_factory.mktemp("hostile")
    submissions, private, out = root / "submissions", root / "private", root / "marks"
    private.mkdir()
    (private / "grades.json").write_text('{"the answer": "return 2 * x"}')
    visitors = []
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: visitors.extend(iter(server.accept, None)), daemon=True).start()
    places = [str(folder) for folder in (private, submissions, solutions, out, Path(sandbox.__file__).parent, Path.home())]
    for number, (cells, _) in enumerate(HOSTILE.values(), 1):
        cells = [cell.replace("PLACES", repr(places)).replace("PORT", str(server.getsockname()[1])) for cell in cells]
        handed_in(submissions, f"Student {number:02d}", cells, number)
    before = fingerprint(private, submissions, solutions, Path(sandbox.__file__).parent)
    real, names = grade_module.graded, dict(enumerate(HOSTILE, 1001))

    def graded_once(submission, *others):
        """Without the second try alone, which is tested below, for what has the points and the reason that it must get."""
        result, name = real(submission, *others), names[int(submission.identifier)]
        again = result["machine_busy"] and not (points(result) == HOSTILE[name][1] and gives_reason(name, result))
        return result | {"machine_busy": again, "outside": result["outside"] if again else ""}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grade_module, "graded", graded_once)
        results = grade(submissions, out, solutions, seconds=2)
    after = fingerprint(private, submissions, solutions, Path(sandbox.__file__).parent)
    by_identifier = {result["identifier"]: result for result in results}
    by_name = {name: by_identifier[str(1000 + number)] for number, name in enumerate(HOSTILE, 1)}
    return by_name, before, after, visitors, out


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_notebook_gets_what_it_deserves(hostile, name):
    result = hostile[0][name]
    assert points(result) == HOSTILE[name][1], json.dumps(result, indent=1)


def test_nothing_outside_was_touched(hostile):
    _, before, after, visitors, _ = hostile
    assert before == after
    assert not visitors
    assert not (Path.home() / "touched").exists()
    running = [" ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in running if "31415926" in command]
    own = [" ".join(process.cmdline()) for process in psutil.Process().children(recursive=True)]
    assert not [command for command in own if "gdl.instructor.grading.worker" in command]


@pytest.mark.parametrize("name", REASONS)
def test_the_reason_why_something_stopped_is_reported(hostile, name):
    assert gives_reason(name, hostile[0][name]), json.dumps(hostile[0][name], indent=1)


def test_hidden_numbers_do_not_come_back(hostile):
    *_, out = hostile
    result = hostile[0]["an error that shows the hidden numbers"]
    assert "other numbers: your code stopped with an error" in result["questions"][0]["checks"][1]["message"]
    later = hostile[0]["a later error that shows the hidden numbers"]
    assert "asked before: [1. 2. 3.]" in later["questions"][1]["checks"][0]["message"], "of the visible ones it may"
    for one in (result, later):
        assert not re.search(r"they ask for|\[4\d\.|asked before: \[4", json.dumps([question["checks"] for question in one["questions"]]))
    assert "asked_40" not in json.dumps(hostile[0]["an error whose name shows the hidden numbers"]["questions"])
    pages = [path.read_text(encoding="utf-8") for path in (out / "feedback").rglob("*.html")]
    assert len(pages) == len(HOSTILE)
    assert not any("BEGIN HIDDEN" in page or "linspace" in page or re.search(r"(they ask for|asked before:) \[4", page) for page in pages)


def test_nothing_of_a_notebook_is_live_in_a_page(hostile):
    pages = [path.read_text(encoding="utf-8") for path in hostile[-1].rglob("*.html")]
    assert not any("<script" in page or "<img" in page for page in pages)
    assert any("&lt;script&gt;" in page for page in pages)


@needs_sandbox
def test_odd_files_and_changed_notebooks(solutions, tmp_path):
    submissions, out = tmp_path / "submissions", tmp_path / "marks"
    submissions.mkdir()
    answers = [ONE, TWO]
    stripped = [cell.source for cell in SOLUTION if cell.cell_type == "code"]
    handed_in(submissions, "Stripped", stripped, 1)
    rewritten = [
        new_code_cell(cell.source, metadata={"nbgrader": {"grade_id": "q2", "grade": True, "solution": True, "points": 1000}})
        for cell in SOLUTION
        if cell.cell_type == "code"
    ]
    handed_in(submissions, "Rewritten", rewritten, 2)
    tests = [new_code_cell("pass", metadata=cell.metadata) for cell in SOLUTION if cell.metadata.get("nbgrader", {}).get("grade")]
    handed_in(submissions, "Emptied tests", [ONE.replace("2", "3"), TWO, *tests, *tests], 3)
    moved = [cell for cell in SOLUTION if cell.metadata.get("nbgrader", {}).get("points")]
    handed_in(submissions, "Doubled and moved", [*moved, *moved, ONE.replace("2", "5"), *answers, *moved], 4)
    handed_in(submissions, "Deleted and renamed", [ONE.replace("double", "twice"), "double = twice", TWO], 5)
    handed_in(submissions, "Not code", [new_markdown_cell(RIGHT)], 6)
    for number, (name, content) in enumerate(
        {"Broken": b'{"cells": [', "Pdf": b"%PDF-1.7\n1 0 obj", "Empty": b"", "List": b"[1, 2]", "Deep": b"[" * 10**6}.items(), 7
    ):
        (submissions / f"{name}_{1000 + number}_50_twice.ipynb").write_bytes(content)
    (submissions / "Link_1020_50_twice.ipynb").symlink_to(solutions / "50_twice.ipynb")
    handed_in(submissions, "<script>alert(1)<\u202eE ve\n", answers, 21)
    good = write_notebook(tmp_path / "good.ipynb", answers).read_bytes()
    with zipfile.ZipFile(submissions / "Slip_1022_50_twice.zip", "w") as archive:
        archive.writestr("../../../slipped.ipynb", good)
        archive.writestr("/tmp/slipped/50_twice.ipynb", good)
        link = zipfile.ZipInfo("linked/50_twice.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(solutions / "50_twice.ipynb"))
    with zipfile.ZipFile(submissions / "Zipped_1023_50_twice.zip", "w") as archive:
        archive.writestr("50_twice.ipynb", good)
        archive.writestr("__MACOSX/._50_twice.ipynb", b"\0\5")
    before = fingerprint(solutions, submissions)
    results = {int(result["identifier"]): result for result in grade(submissions, out, solutions, seconds=10)}
    assert before == fingerprint(solutions, submissions)
    assert not list(tmp_path.parent.glob("**/slipped*")) and not Path("/tmp/slipped").exists()
    marks = {number: points(result) for number, result in results.items()}
    honest = {1001: 6, 1002: 6, 1003: 2, 1004: 6, 1005: 6, 1021: 6, 1023: 6}
    nothing = dict.fromkeys([1006, 1007, 1008, 1009, 1010, 1011, 1020], 0)
    assert {number: marks[number] for number in honest | nothing} == honest | nothing
    for number in (1007, 1008, 1009, 1010, 1011, 1020):
        assert results[number]["person"], "the instructor is informed"
    assert all(sum(question["max"] for question in result["questions"]) == 10 for result in results.values())
    assert all(path.resolve().is_relative_to(out) and path.suffix == ".html" for path in (out / "feedback").iterdir())
    assert not any("<script" in page.read_text(encoding="utf-8") for page in out.rglob("*.html"))


@needs_sandbox
def test_a_request_to_a_stopped_worker_has_a_deadline():
    worker = Worker(sandbox.sandboxed)
    for process in psutil.Process(worker.process.pid).children(recursive=True):
        process.suspend()
    start = time.monotonic()
    with pytest.raises(WorkerEnded, match="longer than 1 seconds"):
        worker.request(1, do="call", name="f", args=[np.zeros(10**6)], options={})  # 10 MB: more than a pipe takes
    assert time.monotonic() - start < 5
    assert worker.process.returncode is not None


@needs_sandbox
@pytest.mark.parametrize("who", ["root", "an ordinary user"])
def test_what_the_sandbox_shows(who, monkeypatch):
    if who != "root":
        monkeypatch.setattr(os, "geteuid", lambda: 1000)  # the other way to make the sandbox, which root can go as well
    elif os.geteuid():
        pytest.skip("only root can start it so")
    look = """
import os
def look():
    status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
    free = os.statvfs("/tmp")
    return {
        "folders": sorted(os.listdir("/")), "user": os.getuid(), "capabilities": status["CapEff"] + status["CapPrm"] + status["CapAmb"],
        "new privileges": status["NoNewPrivs"],
        "filter": status["Seccomp"], "processes": [int(name) for name in os.listdir("/proc") if name.isdigit()],
        "interfaces": sorted(os.listdir("/proc/sys/net/ipv4/conf")), "tmp": free.f_frsize * free.f_blocks,
        "own root": os.system("unshare --user --map-root-user true 2>/dev/null") == 0,
        "home": os.path.expanduser("~"), "environment": sorted(os.environ), "course": sorted(os.listdir("/course")),
    }
"""
    student = Student([look], [], sandbox.sandboxed, Limits())
    try:
        seen = student.call("look")
    finally:
        student.close()
    parents = {Path(part).parts[1] for part in sandbox.python_parts()}
    assert set(seen["folders"]) <= {"bin", "course", "dev", "etc", "lib", "lib64", "packages", "proc", "sbin", "tmp", "usr", *parents}
    assert seen["user"] not in (0, os.getuid())
    assert set(seen["capabilities"]) == {"0"} and seen["new privileges"] == "1" and seen["filter"] == "2"
    assert len(seen["processes"]) <= 3
    assert not seen["own root"]
    assert seen["interfaces"] == ["all", "default", "lo"]
    assert seen["tmp"] == sandbox.MEGABYTES * 2**20
    assert seen["home"] == "/tmp" and seen["course"] == ["gdl"]
    assert (
        not set(seen["environment"])
        - set(sandbox.ENVIRONMENT)
        - {"PWD", "LC_CTYPE", "COLUMNS", "LINES", "SHLVL", "OLDPWD", "_"}
        - {"KERAS_BACKEND", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"}
    )


@needs_sandbox
def test_an_error_in_one_cell_costs_nothing_else_and_state_is_made_anew():
    student = Student(
        ["kept = []", "1 / 0", "def add(x):\n    kept.append(x)\n    if x == 3:\n        import os; os._exit(1)\n    return kept"],
        [],
        sandbox.sandboxed,
        Limits(20),
    )
    try:
        assert student.call("add", 1) == [1]
        assert student.call("add", 2) == [1, 2]
        with pytest.raises(WorkerEnded):
            student.call("add", 3)
        assert student.call("add", 4) == [4]  # in a new process, where the cells ran again
        assert [(number, error.name) for number, error in student.problems] == [(1, "ZeroDivisionError")]
    finally:
        student.close()


@needs_sandbox
def test_a_students_own_name_counts_more_than_one_that_was_given():
    student = Student(
        ["import math\ndef root(x):\n    return math.sqrt(x) + 1\ndef f(x):\n    return root(x)"],
        ["from math import sqrt as root"],
        sandbox.sandboxed,
        Limits(),
    )
    try:
        assert student.call("f", 4.0) == 3
    finally:
        student.close()


def test_a_notebook_that_ran_out_of_time_beside_others_is_graded_again_alone(solutions, tmp_path, monkeypatch):
    for number, name in enumerate(("Ada", "Bo", "Cy"), 1):
        handed_in(tmp_path / "submissions", name, [RIGHT], number)
    real, calls = grade_module.graded, []

    def slow_at_first(submission, *others):
        calls.append(submission.student)
        return real(submission, *others) | {"machine_busy": submission.student == "Bo"}

    monkeypatch.setattr(grade_module, "graded", slow_at_first)
    results = grade(tmp_path / "submissions", tmp_path / "marks", solutions, unsafe=True)
    assert [result["student"] for result in results] == ["Ada", "Bo", "Cy"] and [points(result) for result in results] == [6, 6, 6]
    assert sorted(calls) == ["Ada", "Bo", "Bo", "Cy"] and calls[-1] == "Bo"
    assert not any("machine_busy" in result for result in results)


@needs_sandbox
def test_the_memory_of_all_processes_together_is_watched(monkeypatch):
    monkeypatch.setattr("gdl.instructor.grading.process.MAX_MEMORY", 2**30)
    fill = "import numpy as np, os\ndef fill():\n    os.fork(), os.fork()\n    kept = [np.ones(10**8, 'u1') for _ in range(5)]\n    os.wait()"
    student = Student([fill], [], sandbox.sandboxed, Limits(60))
    with pytest.raises(WorkerEnded, match="more than 1 GB of memory"):  # four processes of half a gigabyte
        student.call("fill")
    student.close()


@needs_sandbox
def test_the_time_for_a_notebook_is_used_up_once(solutions):
    start = time.monotonic()
    student = Student(["import time\ndef nap():\n    time.sleep(60)"] + ["while True: pass"] * 50, [], sandbox.sandboxed, Limits(1, 3))
    with pytest.raises(WorkerEnded, match="used up"):
        student.call("nap")
    with pytest.raises(WorkerEnded, match="used up"):
        student.call("nap")
    assert time.monotonic() - start < 15
    student.close()


@needs_sandbox
def test_it_goes_on_where_it_stopped_and_grades_what_has_changed(solutions, tmp_path):
    submissions, own, out = tmp_path / "submissions", tmp_path / "solutions", tmp_path / "marks"
    shutil.copytree(solutions, own)
    open_answer = new_markdown_cell("Because.", metadata={"nbgrader": {"grade_id": "q3", "grade": True, "solution": True}})
    for number, name in enumerate(("Ada", "Bo"), 1):
        handed_in(submissions, name, [RIGHT, open_answer], number)
    first = grade(submissions, out, own)
    assert [points(result) for result in first] == [6, 6]
    files = sorted((out / "results").iterdir())
    stamps = [path.stat().st_mtime_ns for path in files]
    assert grade(submissions, out, own) == first
    assert [path.stat().st_mtime_ns for path in files] == stamps, "nothing was graded again"

    filled = (out / "person.csv").read_text(encoding="utf-8-sig").splitlines()
    assert sum("q3" in line for line in filled) == 2
    table = pd.read_csv(out / "person.csv", encoding="utf-8-sig", dtype=str, keep_default_na=False)
    table.loc[(table["student"] == "Ada") & (table["question"] == "q3"), "points"] = "3.5"
    table.to_csv(tmp_path / "filled.csv", index=False)
    marked = grade(submissions, out, own, marks=tmp_path / "filled.csv")
    assert [points(result) for result in marked] == [9.5, 6]

    path = own / "50_twice.ipynb"
    path.write_text(path.read_text().replace("other numbers", "more numbers"))
    handed_in(submissions, "Bo", ["def double(x):\n    return 3 * x", open_answer], 2)
    again = grade(submissions, out, own)
    assert [points(result) for result in again] == [9.5, 0], "Ada's mark by hand stays, Bo handed in another notebook"


@needs_sandbox
def test_a_grader_that_is_killed_loses_nothing_and_leaves_nothing(solutions, tmp_path):
    for number in range(1, 5):
        handed_in(tmp_path / "submissions", f"Student {number}", [RIGHT] if number < 3 else [RIGHT, "while True: pass  # 27182818"], number)
    command = [sys.executable, "-m", "gdl", "grade", tmp_path / "submissions", "--out", tmp_path / "marks", "--solutions", solutions]
    command += ["--seconds", "2"]
    grader = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    results = tmp_path / "marks" / "results"
    deadline = time.monotonic() + 60
    while not (results.is_dir() and len(list(results.glob("[!.]*.json"))) >= 2) and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = psutil.Process(grader.pid).children(recursive=True)
    assert workers
    grader.kill()
    grader.wait()
    psutil.wait_procs(workers, timeout=10)
    assert not any(worker.is_running() for worker in workers)
    done = {path.name: path.stat().st_mtime_ns for path in results.glob("[!.]*.json")}
    assert len(done) == 2
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "4/4" in finished.stdout
    assert {name: stamp for name, stamp in ((path.name, path.stat().st_mtime_ns) for path in results.glob("[!.]*.json")) if name in done} == done
    assert len(list(results.glob("[!.]*.json"))) == 4


def test_without_bubblewrap_it_refuses(solutions, tmp_path, monkeypatch):
    handed_in(tmp_path / "submissions", "Ada", ["open('/tmp/touched-by-a-student', 'w')", RIGHT])
    monkeypatch.setattr(shutil, "which", lambda name: None)
    sandbox.check_bubblewrap.cache_clear()
    with pytest.raises(CourseError, match="apt install bubblewrap.*--unsafe"):
        grade(tmp_path / "submissions", tmp_path / "marks", solutions)
    assert not (tmp_path / "marks").exists()
    assert not Path("/tmp/touched-by-a-student").exists()
    sandbox.check_bubblewrap.cache_clear()


def test_without_a_sandbox_every_row_says_so(solutions, tmp_path):
    handed_in(tmp_path / "submissions", "Ada", [RIGHT])
    handed_in(tmp_path / "submissions", "Bo", ["import os\nos._exit(0)", "def double(x): return 0"], 2)
    command = [sys.executable, "-m", "gdl", "grade", tmp_path / "submissions", "--out", tmp_path / "marks", "--solutions", solutions, "--unsafe"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "WITHOUT A SANDBOX" in finished.stderr
    rows = pd.read_csv(tmp_path / "marks" / "grades.csv", encoding="utf-8-sig")
    assert rows["sandboxed"].str.startswith("NO").all()
    assert all("without a sandbox" in page.read_text() for page in (tmp_path / "marks").rglob("*.html"))
    assert rows["automatic"].tolist() == [6, 0]


def test_mistakes_of_the_instructor_are_one_sentence(solutions, tmp_path):
    (solutions.parent / "nothing").mkdir()
    for arguments, words in (
        ((tmp_path / "nowhere", tmp_path / "marks", solutions), "does not exist"),
        ((tmp_path, tmp_path / "marks", tmp_path), "no solution notebook"),
        ((solutions.parent / "nothing", tmp_path / "marks", solutions), "no notebook in"),
        ((tmp_path, tmp_path / "marks", solutions, None, None, True, 0), "--seconds 0: give a number above 0"),
        ((tmp_path, tmp_path / "marks", solutions), "is inside .*: choose a folder beside it"),
        ((tmp_path, tmp_path / "marks", solutions, "07_other"), "no exercise 07_other.*50_twice"),
    ):
        with pytest.raises(CourseError, match=words):
            grade(*arguments[:4], **dict(zip(("marks", "unsafe", "seconds"), arguments[4:] or (None, True))))
    broken = tmp_path / "solutions" / "51_broken.ipynb"
    broken.parent.mkdir()
    broken.write_text("{}")
    with pytest.raises(CourseError, match="51_broken.ipynb cannot be read as a notebook"):
        grade(tmp_path, tmp_path / "marks", broken.parent, unsafe=True)
