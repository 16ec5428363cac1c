"""gdl release: the exercises that are made from the solutions."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install --editable '.[instructor]'")

from small_solution import ANSWER, CHECK, EXERCISES, SOLUTIONS, edit, fake_wheel, remark, small_solution

from gdl.cli import main
from gdl.errors import CourseError
from gdl.instructor.bundle import to_text
from gdl.instructor.grading.exercise import role_of
from gdl.instructor.notebook_checks import regions
from gdl.instructor.release import STUB, make_exercise, release

PROGRAMS = Path(__file__).parent / "programs"
FIRST_CHECK = 'with check("half of four"):\n'
HIDDEN_BODY = '### BEGIN HIDDEN TESTS\n    pass\n### END HIDDEN TESTS\nwith check("again"):\n'


@pytest.fixture
def quick_wheel(monkeypatch, tmp_path):
    fake_wheel(monkeypatch, tmp_path)


def test_answers_hidden_tests_and_outputs_are_taken_out(tmp_path):
    made = make_exercise(small_solution(tmp_path / "solutions"))
    sources = [cell.source for cell in made.cells]
    assert sources[3] == f'def half(x):\n    """Half of x."""\n    {STUB}'
    assert sources[4] == CHECK.partition("### BEGIN")[0].rstrip("\n")
    assert sources[6] == "Write your answer here." and "attachments" not in made.cells[6]
    assert not made.cells[2].outputs
    assert made.metadata == {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
    assert made.cells[4].metadata.nbgrader.points == 3
    assert set(made.cells[1].metadata) == {"tags", "nbgrader", "deletable"}, "the set-up cell can be changed, and has no other metadata"
    assert made.cells[4].metadata.editable is False and "editable" not in made.cells[5].metadata
    assert [cell.id for cell in made.cells] == [f"cell-{number}" for number in range(7)]


@pytest.mark.parametrize(
    "change,words",
    [
        (remark(4, grade_id="q1"), r"cell 5 \(q1\): cell 4 has the same grade_id"),
        (lambda cells: cells[4].metadata.nbgrader.pop("points"), r"cell 5 \(q1a\): it has no points"),
        (lambda cells: cells[6].metadata.nbgrader.update(points=-1), r"cell 7 \(q2\): it has no points"),
        (edit(2, "from", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\nfrom"), r"cell 3 \(given\): ### BEGIN HIDDEN TESTS belongs in a check"),
        (edit(4, "with check", "### BEGIN SOLUTION\n### END SOLUTION\nwith check"), r"cell 5 \(q1a\): ### BEGIN SOLUTION belongs in an answer"),
        (edit(4, "### END HIDDEN TESTS", ""), r"cell 5 \(q1a\): ### BEGIN HIDDEN TESTS without its END"),
        (edit(4, "### BEGIN HIDDEN TESTS", ""), r"cell 5 \(q1a\): ### END HIDDEN TESTS without its BEGIN"),
        (edit(3, "### END SOLUTION", "### BEGIN SOLUTION"), r"cell 4 \(q1\): ### BEGIN SOLUTION without its END"),
        (edit(3, "    ### BEGIN SOLUTION", "### BEGIN SOLUTION"), r"cell 4 \(q1\): the answer stands outside a function"),
        (edit(3, "    ### BEGIN SOLUTION\n", ""), r"cell 4 \(q1\): ### END SOLUTION without its BEGIN"),
        (edit(3, ANSWER, "half = lambda x: x / 2"), r"cell 4 \(q1\): the answer stands outside a function"),
        (edit(3, "return x / 2", "return x /"), r"cell 4 \(q1\) does not parse: line 4"),
        (edit(4, FIRST_CHECK, FIRST_CHECK + HIDDEN_BODY), "no longer parses without its hidden"),
        (edit(4, "HIDDEN TESTS", "HIDDEN TEST"), r"cell 5 \(q1a\): '### BEGIN HIDDEN TEST' is left over"),
        (edit(0, "# Exercise", "# begin solution"), "is left over"),
        (remark(4, schema_version=2), "01_test.ipynb: nbgrader refuses it"),
        (edit(1, 'COURSE = ""', "COURSE = None"), "01_test.ipynb: it needs exactly one cell with the tag set-up"),
    ],
)  # fmt: skip
def test_what_an_author_can_break_is_one_sentence_and_nothing_is_written(change, words, tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions", change)
    with pytest.raises(CourseError, match=words) as raised:
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    assert "01_test.ipynb" in str(raised.value)
    assert not (tmp_path / "exercises").exists() and not (tmp_path / "students").exists()


def test_without_nbgrader_it_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.preprocessors", None)
    with pytest.raises(CourseError, match=r"pip install 'gdl\[instructor\]'"):
        make_exercise(small_solution(tmp_path))


def test_a_folder_without_solutions_and_a_broken_notebook(tmp_path, quick_wheel):
    with pytest.raises(CourseError, match="holds no solution"):
        release(tmp_path, tmp_path / "exercises", tmp_path / "students")
    (tmp_path / "01_test.ipynb").write_text("{")
    with pytest.raises(CourseError, match="01_test.ipynb cannot be read as a notebook"):
        release(tmp_path, tmp_path / "exercises", tmp_path / "students")


def test_exercises_are_what_release_makes_of_the_solutions():
    assert [path.name for path in EXERCISES] == [path.name for path in SOLUTIONS]
    stale = [path.name for path in SOLUTIONS if to_text(make_exercise(path)) != (ROOT / "exercises" / path.name).read_text()]
    assert not stale, "run python -m gdl release"


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_exercises_show_neither_answers_nor_hidden_tests(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    cells = nbformat.read(ROOT / "solutions" / path.name, 4).cells
    secrets = [region for cell in cells for kind in ("SOLUTION", "HIDDEN TESTS") for region in regions(cell.source, kind)]
    secrets += [cell.source for cell in cells if role_of(cell)[0] == "open"]
    assert len(secrets) >= 8 and not any(secret.strip() in text for secret in secrets)
    assert "BEGIN" not in text and text.count(STUB) >= 4
    raw = json.loads(path.read_text())
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in raw["cells"])


@pytest.fixture(scope="module")
def untouched():
    """What the untouched exercises print. They run in a process of their own, because they set seeds and more."""
    environment = {name: value for name, value in os.environ.items() if name != "GDL_CHECKS"} | dict(GDL_PROFILE="smoke", GDL_DATA="drawn")
    command = [sys.executable, PROGRAMS / "run_untouched.py", *EXERCISES]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600)
    reports = [json.loads(line.removeprefix("report ")) for line in done.stdout.splitlines() if line.startswith("report ")]
    return {Path(report["path"]): report for report in reports}


@pytest.mark.slow
@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_an_untouched_exercise_runs_to_its_end(path, untouched):
    """Every visible check says that nothing is answered yet, and nothing stops."""
    assert untouched[path]["stopped"] is None
    assert untouched[path]["ticks"] == 0 and untouched[path]["crosses"] >= 4


def test_a_solution_that_colab_has_saved_without_cell_ids_gets_some(tmp_path):
    path = small_solution(tmp_path)
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        del cell["id"]
    path.write_text(json.dumps(notebook | {"nbformat_minor": 0}))
    made = [to_text(make_exercise(path)) for _ in range(2)]
    assert made[0] == made[1] and '"id": "cell-7"' in made[0]


def test_folders_that_hold_something_else_are_left_alone(tmp_path, quick_wheel):
    solutions = small_solution(tmp_path / "solutions").parent
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(CourseError, match="mine holds thesis.txt"):
        release(solutions, tmp_path / "exercises", tmp_path / "mine")
    with pytest.raises(CourseError, match="01_test.ipynb was not made by a release"):
        release(solutions, solutions, tmp_path / "students")
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    with pytest.raises(CourseError, match="00_faces.ipynb was not made by a release"):
        release(solutions, tmp_path / "chapters", tmp_path / "students")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work" and not (tmp_path / "students").exists()


def test_an_exercise_without_a_solution_is_refused(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    shutil.copy(tmp_path / "exercises" / "01_test.ipynb", tmp_path / "exercises" / "02_old.ipynb")
    with pytest.raises(CourseError, match="02_old.ipynb no longer has a solution"):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")


def test_an_interrupted_release_leaves_nothing_half_written(tmp_path, quick_wheel, monkeypatch):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.*")) if path.is_file()}
    small_solution(tmp_path / "solutions", edit(0, "5 minutes", "6 minutes"))
    write_bytes = Path.write_bytes

    def stop(path, content):
        if path.suffix == ".whl":
            raise KeyboardInterrupt
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", stop)
    with pytest.raises(KeyboardInterrupt):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    monkeypatch.undo()
    after = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*.*")) if path.is_file()}
    assert set(after) == set(before)
    assert {path.parent.name for path in after if after[path] != before[path]} == {"solutions", "exercises"}, "the bundle is the old one, whole"


@pytest.mark.slow
def test_the_command_line(tmp_path):
    small_solution(tmp_path / "solutions", remark(4, grade_id="q1"))
    command = ["release", *(f"--{name}={tmp_path / name}" for name in ("solutions", "exercises", "out"))]
    with pytest.raises(SystemExit) as stopped:
        main(command)
    assert stopped.value.code.startswith("gdl: 01_test.ipynb, cell 5 (q1):") and "\n" not in stopped.value.code
    small_solution(tmp_path / "solutions")
    done = subprocess.run([sys.executable, "-m", "gdl", *command], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.startswith("1 exercises in") and (tmp_path / "out.zip").is_file()
