"""Why an answer is missing: what the student's page says beside the question."""

import json
import shutil
import time

import pytest
from made_results import Tags
from test_grading import SOLUTION, write_notebook

from gdl.instructor.grading.answers import causes, find_answer, place, why_stopped

HEADING, ANSWER = ("markdown", "## Question 1 · Double\n\ntext", {}), "def double(x):\n    return 2 * x"
OWN = {"nbgrader": {"grade_id": "q1", "solution": True}}
WHERE = "cell 2 (below the heading “Question 1 · Double”)"

BELOW = WHERE.replace("2", "3", 1)


def said(*cells, stopped=None):
    """The causes for q1 with its function `double`. A cell is its source, or all three parts."""
    whole = [HEADING, *(("code", cell, OWN) if isinstance(cell, str) else cell for cell in cells)]
    return causes("q1", ["double"], whole, stopped or {})


@pytest.mark.parametrize("magic", ["timeit", "timeit -n 1", "bash", "script bash", "writefile answer.py", "html", "sh", "python3", "nothing"])
def test_a_cell_magic_over_an_answer(magic):
    name = magic.split()[0]
    expected = f"`double` stands in {WHERE}, which begins with `%%{name}`: what it defines does not exist afterwards. Delete this line."
    assert said(f"%%{magic}\n{ANSWER}") == said(f"\n\n%%{magic}\n{ANSWER}") == [expected]


@pytest.mark.parametrize("magic", ["time", "capture", "capture output", "prun"])
def test_a_cell_magic_that_leaves_the_functions(magic):
    assert said(f"%%{magic}\n{ANSWER}") == []


def test_an_answer_in_several_cells():
    """The functions of one question, `double` in the cell q1 and `triple` in the cell q1_triple; the cell of q10 is another question's."""
    parts = {"q1": ANSWER, "q1_triple": ANSWER.replace("double", "triple"), "q10": "def ten(): pass"}
    cells = [("code", source, {"nbgrader": {"grade_id": name, "solution": True}}) for name, source in parts.items()]
    both = f"{ANSWER}\n\n{parts['q1_triple']}"
    assert find_answer("q1", "Question 1 · Double", ["double", "triple"], [HEADING, *cells]) == both
    assert find_answer("q1", "Question 1 · Double", ["elsewhere"], [HEADING, *cells]) == both
    for number, missing in ((0, "double"), (1, "triple")):
        emptied = [HEADING, *cells]
        emptied[1 + number] = ("code", "# nothing", cells[number][2])
        where = WHERE.replace("2", str(2 + number), 1)
        assert causes("q1", ["double", "triple"], emptied, {}) == [f"No cell defines `{missing}`: its place is {where}."]


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        ([("markdown", ANSWER, OWN)], f"`double` stands in {WHERE}, which is a markdown cell and does not run: make it a code cell."),
        ([("raw", ANSWER, {})], f"`double` stands in {WHERE}, which is a raw cell and does not run: make it a code cell."),
        ([], "No cell defines `double`: the cell for this answer is not in the notebook."),
        (["# nothing"], f"No cell defines `double`: its place is {WHERE}."),
        ([ANSWER.replace("double", "twice")], f"No cell defines `double`, but {WHERE} defines `twice`: give it the name that the question asks for."),
        (["def Double(x): pass"], f"No cell defines `double`, but {WHERE} defines `Double`: give it the name that the question asks for."),
        (["double = lambda x: 2"], f"`double` is defined by an assignment in {WHERE}, not with `def`."),
        (
            ["class Mine:\n    def double(self, x): pass"],
            f"`double` is indented in {WHERE}, and inside another function or a class nothing can call it: begin its line at the margin.",
        ),
        ([ANSWER, ANSWER], "`double` is defined 2 times, in cells 2, 3: the last one counts."),
        ([ANSWER, "double = 3"], f"`double` gets another value in {BELOW}, and that one counts: use another name there."),
        ([ANSWER, "del double"], f"`double` is deleted with `del` in {BELOW}: delete that line."),
    ],
)
def test_what_became_of_an_answer(cells, sentence):
    assert said(*cells) == [sentence]


def test_an_answer_in_its_place_has_no_cause():
    assert said(ANSWER) == []
    assert said(("code", ANSWER, {}), "def helper(): pass\nresult = 1") == []
    assert said("double_it = 1\n" + ANSWER + "\nprint(double == 3)") == []


def test_a_cell_that_stopped_is_named_beside_its_question():
    assert said("def double(x)\n    return 1", stopped={1: "SyntaxError: expected ':' (line 1)"}) == [
        f"`double` stands in {WHERE}, which stopped: SyntaxError: expected ':' (line 1). That line is `def double(x)`."
    ]
    assert said("1 / 0", stopped={1: "ZeroDivisionError: division by zero"}) == [f"No cell defines `double`: its place is {WHERE}."]


def test_a_helper_that_the_answer_looks_for():
    cells = [HEADING, ("code", ANSWER, OWN), ("code", "%%bash\ndef helper(): pass", {})]
    assert causes("q1", ["double"], cells, {}, ["helper"]) == [
        f"`helper` stands in {BELOW}, which begins with `%%bash`: what it defines does not exist afterwards. Delete this line."
    ]
    assert causes("q1", ["double"], cells, {}, ["np"]) == []


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("a = 1\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> mine", "SyntaxError: invalid syntax (line 2)", "Line 2 begins with `<<<<<<<`"),
        ("a\n\tb", "TabError: inconsistent use of tabs and spaces in indentation (line 2)", "use four spaces"),
        ("input()", "EOFError: EOF when reading a line", "waits for input"),
        ("exit()", "SystemExit: 1", "delete `exit()`"),
        ("import torch", "ModuleNotFoundError: No module named 'torch'", "without a network"),
        ("# mine\n%%time", "UsageError: Line magic function `%%time` not found.", "must be the first one"),
        ("1 / 0", "ZeroDivisionError: division by zero", ""),
        ("x", "SyntaxError: made up (line 7)", ""),
    ],
)
def test_what_an_error_means(source, error, words):
    sentence = why_stopped(source, error)
    assert sentence == "" if not words else words in sentence


def test_the_cells_that_count_are_shown():
    cells = [("code", "def f(): return 1", OWN), ("code", "def g(): return 2", {}), ("code", "def f(): return 3", {}), ("code", "f()", {})]
    assert find_answer("q1", "", ["f", "g"], cells) == "def g(): return 2\n\ndef f(): return 3"
    assert find_answer("q1", "", ["h"], cells) == "def f(): return 1"
    assert find_answer("q2", "", ["h"], cells) is None
    stub = ("markdown", "Write your answer here.", OWN)
    assert find_answer("q1", "", [], [("markdown", "Because.", OWN), stub]) == "Because."
    assert find_answer("q1", "", [], [stub, stub]) == "Write your answer here."
    assert find_answer("q1", "Why?", [], [("markdown", "## Why?", {}), ("markdown", "So.", {})]) == "So."
    assert find_answer("q1", "", ["double"], [("code", "def double_it(): pass", {})]) is None


def test_a_place_is_one_short_line():
    cells = [("markdown", "# A " + "long " * 100 + "\u202e", {}), ("code", "", {})]
    assert len(place(1, cells)) < 130 and "\u202e" not in place(1, cells)
    assert place(0, cells) == "cell 1"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed: nothing can be graded without it")
def test_the_students_page_says_the_cause_at_the_question(tmp_path):
    from gdl.instructor.grading.grade import grade

    write_notebook(tmp_path / "solutions" / "50_twice.ipynb", SOLUTION)
    variants = {
        "Bash": ("%%bash\n" + ANSWER, "which begins with `%%bash`"),
        "Syntax": ("def double(x)\n    return 2 * x", "SyntaxError: expected ':' (line 1). That line is `def double(x)`."),
        "Merge": ("def double(x):\n<<<<<<< HEAD\n    return 1\n>>>>>>> mine", "Line 2 begins with `<<<<<<<`"),
        "Input": ("n = input()\n" + ANSWER, "It waits for input"),
        "Time": ("%%time\n" + ANSWER, ""),
        "Await": ("import asyncio\nawait asyncio.sleep(0)\nget_ipython()\nexit()\n" + ANSWER, ""),
    }
    for number, (name, (source, _)) in enumerate(variants.items(), 1):
        cells = json.loads(json.dumps(SOLUTION))
        cells[3]["source"] = source
        path = tmp_path / "handed in" / f"{name}_{1000 + number}_50_twice.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    (tmp_path / "handed in" / "Pdf_1009_50_twice.ipynb").write_bytes(b"%PDF-1.7")
    results = {result["student"]: result for result in grade(tmp_path / "handed in", tmp_path / "marks", tmp_path / "solutions")}
    for name, (_, sentence) in variants.items():
        double, row_means, _ = results[name]["questions"]
        assert row_means["points"] == 2 and not row_means["causes"], "the other question loses nothing"
        assert double["points"] == (0 if sentence else 4)
        page = "".join(Tags((tmp_path / "marks" / "feedback" / f"{results[name]['name']}.html").read_text(encoding="utf-8")).words)
        assert sentence in page.split("Question 1 · Double0 of 4 points")[-1], page
    pdf = results["Pdf"]["questions"]
    assert all("a PDF, not a notebook" in question["causes"][0] for question in pdf)
    assert [question["points"] for question in pdf] == [0, 0, None], "a person may find an answer in it"
    assert "Pdf" not in (tmp_path / "marks" / "moodle_50_twice.csv").read_text()
    assert "Pdf" not in (tmp_path / "marks" / "canvas_50_twice.csv").read_text()


@pytest.mark.parametrize("cells", [[("code", "\n".join(f"doubl{i} = 0" for i in range(70_000)), {})], [("code", "def double(x): y", {})] * 50_000])
def test_an_enormous_notebook_does_not_keep_the_class_waiting(cells):
    start = time.process_time()
    causes("q1", ["double"], cells, dict.fromkeys(range(len(cells)), "NameError"))
    assert time.process_time() - start < 5


def test_a_method_of_a_later_class_is_not_the_answer():
    """Exercise 03 gives a class with a method train_step, which calls the function train_step that is asked for."""
    answer = ("code", "if True:\n    def step(model):\n        return 1", {})
    later = ("code", "class MyVAE:\n    x = 1\n\n    def step(self):\n        return step(self)\n\n\ndef other(): pass", {})
    assert find_answer("q1", "", ["step"], [answer, later]) == answer[1]
    assert find_answer("q1", "", ["MyVAE"], [answer, later]) == find_answer("q1", "", ["other"], [answer, later]) == later[1]
