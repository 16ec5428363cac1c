"""After the first hidden call no message holds anything of the student's: tried on every check of every exercise, at every call."""

import ast
import inspect
import json
import re
import shutil

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from plain_values import through
from test_grading import SOLUTION, TWO, handed_in, write_notebook

from gdl import checks
from gdl.instructor.grading import channel, hidden, process, student
from gdl.instructor.grading.exercise import Exercise, role_of
from gdl.instructor.grading.hidden import Sentences
from gdl.instructor.grading.marking import run_check
from gdl.instructor.grading.process import StudentError, WorkerEnded

PLACES = 3  # calls of a check from which on a student leaks, evenly among all; each kind of leak is tried at one of them
CHAPTERS = sorted(path.stem for path in (ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize(
    ("source", "text", "shown"),
    [
        ('expect(x, "all of it")', "all of it", "all of it"),
        ('expect(x, "all of it")', "all of it, and 40.025", ""),
        ('expect(x, f"about {a:.3f} expected, got {b}.")', "about 1.000 expected, got 40.025 and more.", "about … expected, got …."),
        ('for name in ("loss", "kl"):\n    expect(x, f"the metric {name} of {n} images")', "the metric kl of 40 images", "the metric kl of … images"),
        ('expect(x, f"{a}: {b}")', "40.025: 40.1", ""),  # says nothing without its values
        ('expect(x, f"about {a} expected, got {b}.")', "about 1 expected, got " + 300 * "4" + ".", ""),
        ('expect(x, f"line one\\n{a}, all of it")', "line one\n40\n41, all of it", "line one\n…, all of it"),
    ],
)
def test_only_what_the_sources_say_is_known(source, text, shown):
    assert Sentences([source]).known(text) == shown


def test_a_message_of_nothing_known_is_a_general_sentence():
    assert Sentences([]).message(["40.025", "41"]) == hidden.GENERAL + "." + hidden.NOTE
    assert Sentences(['f("is it right?")']).message(["is it right?"]) == "is it right?" + hidden.NOTE


# --- every check of every exercise


def numbers(arguments):
    """All numbers in the arguments of a call, as one array."""
    if isinstance(arguments, dict):
        arguments = list(arguments.values())
    if isinstance(arguments, (list, tuple)):
        return np.concatenate([numbers(one) for one in arguments] or [np.zeros(0)])
    if isinstance(arguments, str) or arguments is None:
        return np.zeros(0)
    return np.ravel(np.asarray(arguments, float))


def fail(error):
    raise error


ONLY = "only real numbers, strings, arrays, lists and dictionaries can be marked"  # as `channel` says it
LEAKS = {  # what a function that is asked for `x` gives back: `right` is the right answer, `x` all numbers it has been asked with so far
    "text": lambda right, x: str(list(x)),
    "texts": lambda right, x: [str(value) for value in x[:50]],
    "the numbers": lambda right, x: x,
    "numbers of the right shape": lambda right, x: np.resize(x, np.shape(right)) if np.size(x) and not isinstance(right, (dict, list, tuple)) else x,
    "a huge number": lambda right, x: 1e300 * (x[0] if len(x) else 1),
    "an integer of many digits": lambda right, x: int("1" + "".join(re.sub(r"\D", "", f"{abs(value):.4f}") for value in x[:20])),
    "a shape": lambda right, x: np.zeros((len(x) % 997, 3)),
    "names in a dictionary": lambda right, x: {str(value): value for value in x[:50]},
    "pairs": lambda right, x: (list(x[:9]), str(list(x[:9]))),
    "the right form with text": lambda right, x: {key: str(x[:9]) for key in right} if isinstance(right, dict) else (str(x[:9]),) * np.size(right),
    "nothing": lambda right, x: None,
    "an error's text": lambda right, x: fail(StudentError("ValueError", str(x[:50]))),
    "an error's name": lambda right, x: fail(StudentError("asked_for_" + "_".join(map(str, x[:3])), "")),
    "an error that imitates the grader": lambda right, x: fail(StudentError("TypeError", f"it gave an array of {x[:9]}; {ONLY}")),
    "not answered": lambda right, x: fail(StudentError("NotImplementedError", str(x[:50]))),
    "an end": lambda right, x: fail(WorkerEnded(f"it took longer than {29 + sum(x[:1]) % 1:.6g} seconds")),
    "another end": lambda right, x: fail(WorkerEnded(f"asked for {x[:9]}")),
}  # fmt: skip


class Recorded:
    """A student with the right answers, which are kept: (arguments, answer) of each call."""

    def __init__(self, cells):
        self.namespace, self.calls = {"__name__": "__main__"}, []
        for source in cells:
            exec(re.sub(r"(?m)^(\s*)%.*$", r"\1pass", source), self.namespace)

    def call(self, name, *args, **options):
        right = through(self.namespace[name](*through(list(args)), **through(options)))
        self.calls.append(((args, options), right))
        return right


class Leaky:
    """A student that gives the recorded answers, and from call number `first` on what `leak` makes of all numbers so far."""

    def __init__(self, calls, first, leak):
        self.calls, self.first, self.leak = calls, first, leak
        self.asked, self.count = np.zeros(0), 0

    def call(self, name, *args, **options):
        self.asked = np.concatenate([numbers([args, options])[:200], self.asked])[:500]
        self.count += 1
        right = self.calls[min(self.count, len(self.calls)) - 1][1]
        return through(self.leak(right, self.asked)) if self.count > self.first else right


def words(text):
    return set(re.findall(r"\w+", text))


def strings(*sources):
    """All words in the strings of these sources."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    return words("\n".join(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)))


GRADER = strings(*map(inspect.getsource, (checks, channel, process, student, hidden)))


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_message_repeats_what_a_hidden_call_has_asked(name, monkeypatch):
    monkeypatch.setenv("GDL_CHECKS", "raise")
    path = ROOT / "solutions" / f"{name}.ipynb"
    exercise = Exercise(path)
    exercise.prepare()
    right = [cell.source for cell in nbformat.read(path, as_version=4).cells if role_of(cell)[0] in ("given", "student-side", "answer")]
    recorded = Recorded(right)
    sentences = {check.name: exercise.sentences(check) for question in exercise.questions for check in question.checks}
    monkeypatch.setattr(exercise, "sentences", lambda check: sentences[check.name])  # made once, to save time
    failed = 0
    for turn, check in enumerate(check for question in exercise.questions for check in question.checks):
        recorded.calls = []
        assert run_check(check, exercise, recorded, hidden=True) == ""
        known = GRADER | strings(check.source, *exercise.given)
        places = np.linspace(len(recorded.calls) - 1, 0, PLACES).astype(int)
        for number, (kind, leak) in enumerate(LEAKS.items(), turn):
            leaky = Leaky(recorded.calls, places[number % PLACES], leak)
            message = run_check(check, exercise, leaky, hidden=True)
            assert not message or message.endswith(hidden.NOTE)
            assert words(message) <= known, (check.name, kind, message)
            failed += bool(message)
    assert failed > 100


# --- a whole notebook in the sandbox, whose function is asked for numbers from 40 to 41 by hidden lines alone

KEEP = """
import glob, os, sys, time, warnings
import numpy as np

asked = []
told = []
for path in glob.glob("/tmp/asked*") + glob.glob("/dev/shm/asked*") + glob.glob(os.path.expanduser("~/asked*")):
    told.append(open(path).read())
if told:
    raise ValueError(" ".join(told))
"""
VISIBLE = "    asked.append(str(x[:3]))\n    if x[0] == 1:\n        return 2 * x\n"
KEPT = """    for folder in ("/tmp", "/dev/shm", os.path.expanduser("~")):
        try:
            open(folder + "/asked", "w").write(str(x))
        except OSError:
            pass
"""
NOTEBOOKS = {
    "an array": "    return x",
    "a text": "    return str(x[:3])",
    "an error": "    raise ValueError(str(x[:3]))",
    "an error of its own": "    raise type('asked_%.3f' % x[0], (Exception,), {})()",
    "not answered": "    raise NotImplementedError(str(x[:3]))",
    "warnings and prints": "    warnings.warn(str(x[:3]))\n    print(x[:3])\n    print(x[:3], file=sys.stderr)\n    return 0",
    "a shape": "    return np.zeros((40, 41))",
    "an object": "    return type('Mine', (), {'__repr__': lambda _: str(x[:3]), '__array__': lambda *_, **__: np.array([str(x[0])])})()",
    "a new worker": KEPT + "    os._exit(1)",
    "time": "    time.sleep(60)",
}


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: nothing can be graded without it")
def test_nothing_that_is_written_repeats_a_hidden_input(tmp_path):
    from gdl.instructor.grading.grade import grade

    write_notebook(tmp_path / "solutions" / "50_twice.ipynb", SOLUTION)
    for number, (name, body) in enumerate(NOTEBOOKS.items(), 1):
        handed_in(tmp_path / "handed in", name, [KEEP, f"def double(x):\n{VISIBLE}{body}", TWO], number)
    later = "def row_means(x):\n    raise ValueError(' '.join(asked))"
    handed_in(tmp_path / "handed in", "later", [KEEP, f"def double(x):\n{VISIBLE}    return 2 * x", later], 90)
    results = grade(tmp_path / "handed in", tmp_path / "marks", tmp_path / "solutions", seconds=2)
    assert len(results) == len(NOTEBOOKS) + 1
    for result in results:
        first, hidden_check = result["questions"][0]["checks"]
        assert first["message"] == "", "the visible numbers give the first point"
        assert bool(hidden_check["message"]) == (result["student"] != "later"), result["student"]
        for question in result["questions"]:
            question["answer"] = ""  # which holds what the student wrote
        assert not re.search(r"asked_|40\.\d|\b4[01]\b", json.dumps(result["questions"]) + json.dumps([result["problems"], result["person"]]))
    for path in (tmp_path / "marks").rglob("*"):
        if path.suffix in (".html", ".csv"):  # a result also holds the student's own text
            assert not re.search(r"asked_\d|40\.0\d|\[40", path.read_text(encoding="utf-8")), path
