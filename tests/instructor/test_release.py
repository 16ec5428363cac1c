"""gdl release: exercises from solutions, the bundle for students, and the set-up cell that finds the course."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbclient.exceptions import CellExecutionError

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install --editable '.[instructor]'")

from simulate_colab import Machine, packages_here, run, served

import gdl.instructor.bundle
import gdl.instructor.release
from gdl.errors import CourseError
from gdl.instructor.grading.exercise import role_of
from gdl.instructor.release import STUB, exercise, regions, release

SOLUTIONS = sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb"))
EXERCISES = sorted((ROOT / "exercises").glob("[0-9][0-9]_*.ipynb"))
SET_UP = next("".join(cell["source"]) for cell in json.loads(SOLUTIONS[0].read_text())["cells"] if "set-up" in cell["metadata"].get("tags", []))

ANSWER = '''def half(x):
    """Half of x."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION'''
CHECK = """with check("half of four"):
    is_close(half(4.0), 2.0, "half of four")
### BEGIN HIDDEN TESTS
with check("half of seven"):
    is_close(half(7.0), 3.5, "half of seven")
### END HIDDEN TESTS"""


def marks(name, grade=False, solution=False, **more):
    return {"nbgrader": dict(grade=grade, grade_id=name, locked=not solution, schema_version=3, solution=solution, task=False, **more)}


def small_solution(folder, change=None):
    """Writes a solution with one question; `change` may break it before."""
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        text("# Exercise 01 · A test\n\nAbout 5 minutes."),
        code(SET_UP, metadata={"tags": ["set-up"], "slideshow": {"slide_type": "skip"}, **marks("set-up")}),
        code("from gdl.checks import answered, check, is_close", metadata=marks("given")),
        code(ANSWER, metadata=marks("q1", solution=True)),
        code(CHECK, metadata=marks("q1a", grade=True, points=3)),
        code("with answered():\n    print(half(2.0))", metadata={"tags": ["look"], **marks("look")}),
        text("The model answer, with ![a picture](attachment:secret.png)", metadata=marks("q2", grade=True, solution=True, points=2)),
    ]
    cells[2].outputs = [nbformat.v4.new_output("stream", text="an output")]
    cells[6].attachments = {"secret.png": {"image/png": "aaaa"}}
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "mine", "display_name": "My own", "language": "python"}})
    if change:
        change(notebook.cells)
    folder.mkdir(exist_ok=True)
    nbformat.write(notebook, folder / "01_test.ipynb")
    return folder / "01_test.ipynb"


@pytest.fixture
def quick_wheel(monkeypatch, tmp_path):
    """A stand-in for the wheel, so that a test of something else need not build one."""
    wheel = tmp_path / "gdl-0.1.0-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    monkeypatch.setattr(gdl.bundle, "course_wheel", lambda: wheel)


@pytest.fixture(scope="module")
def wheel():
    return gdl.instructor.bundle.course_wheel()


# exercises


def test_answers_hidden_tests_and_outputs_are_taken_out(tmp_path):
    made = exercise(small_solution(tmp_path / "solutions"))
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


def edit(number, old, new):
    def change(cells):
        assert old in cells[number].source
        cells[number].source = cells[number].source.replace(old, new)

    return change


def remark(number, **changes):
    return lambda cells: cells[number].metadata.nbgrader.update(changes)


@pytest.mark.parametrize(
    "change,words",
    [
        (remark(4, grade_id="q1"), r"cell 5 \(q1\): cell 4 has the same grade_id"),
        (lambda cells: cells[4].metadata.nbgrader.pop("points"), r"cell 5 \(q1a\): it has no points"),
        (lambda cells: cells[6].metadata.nbgrader.update(points=-1), r"cell 7 \(q2\): it has no points"),
        (edit(2, "from", "### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\nfrom"), r"cell 3 \(given\): ### BEGIN HIDDEN TESTS belongs into a check"),
        (edit(4, "with check", "### BEGIN SOLUTION\n### END SOLUTION\nwith check"), r"cell 5 \(q1a\): ### BEGIN SOLUTION belongs into an answer"),
        (edit(4, "### END HIDDEN TESTS", ""), r"cell 5 \(q1a\): ### BEGIN HIDDEN TESTS without its END"),
        (edit(4, "### BEGIN HIDDEN TESTS", ""), r"cell 5 \(q1a\): ### END HIDDEN TESTS without its BEGIN"),
        (edit(3, "### END SOLUTION", "### BEGIN SOLUTION"), r"cell 4 \(q1\): ### BEGIN SOLUTION without its END"),
        (edit(3, "    ### BEGIN SOLUTION", "### BEGIN SOLUTION"), r"cell 4 \(q1\): the answer stands outside a function"),
        (edit(3, "    ### BEGIN SOLUTION\n", ""), r"cell 4 \(q1\): ### END SOLUTION without its BEGIN"),
        (edit(3, ANSWER, "half = lambda x: x / 2"), r"cell 4 \(q1\): the answer stands outside a function"),
        (edit(3, "return x / 2", "return x /"), r"cell 4 \(q1\) does not parse: line 4"),
        (edit(4, 'with check("half of four"):\n', 'with check("half of four"):\n### BEGIN HIDDEN TESTS\n    pass\n### END HIDDEN TESTS\nwith check("again"):\n'), "does not parse any more without its hidden"),
        (edit(4, "HIDDEN TESTS", "HIDDEN TEST"), r"cell 5 \(q1a\): '### BEGIN HIDDEN TEST' is left over"),
        (edit(0, "# Exercise", "# begin solution"), "is left over"),
        (remark(4, schema_version=2), "01_test.ipynb: nbgrader refuses it"),
        (edit(1, 'COURSE = ""', "COURSE = None"), "01_test.ipynb: it needs one cell tagged set-up"),
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
        exercise(small_solution(tmp_path))


def test_a_folder_without_solutions_and_a_file_that_is_none(tmp_path, quick_wheel):
    with pytest.raises(CourseError, match="holds no solution"):
        release(tmp_path, tmp_path / "exercises", tmp_path / "students")
    (tmp_path / "01_test.ipynb").write_text("{")
    with pytest.raises(CourseError, match="01_test.ipynb is no notebook"):
        release(tmp_path, tmp_path / "exercises", tmp_path / "students")


def test_exercises_are_what_release_makes_of_the_solutions():
    assert [path.name for path in EXERCISES] == [path.name for path in SOLUTIONS]
    stale = [path.name for path in SOLUTIONS if gdl.instructor.bundle.to_text(exercise(path)) != (ROOT / "exercises" / path.name).read_text()]
    assert not stale, "run python -m gdl release"


@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_exercises_tell_neither_answers_nor_hidden_tests(path):
    text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells)
    cells = nbformat.read(ROOT / "solutions" / path.name, 4).cells
    secrets = [region for cell in cells for kind in ("SOLUTION", "HIDDEN TESTS") for region in regions(cell.source, kind)]
    secrets += [cell.source for cell in cells if role_of(cell)[0] == "open"]
    assert len(secrets) >= 8 and not any(secret.strip() in text for secret in secrets)
    assert "BEGIN" not in text and text.count(STUB) >= 4
    raw = json.loads(path.read_text())
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in raw["cells"])


RUN_UNTOUCHED = """
import contextlib, io, json, sys
import matplotlib
matplotlib.use("Agg")
import matplotlib.pyplot as plt, nbformat
for path in sys.argv[1:]:
    space, told = {"__name__": "__main__"}, dict(path=path, ticks=0, crosses=0, stopped=None)
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code" and "set-up" not in cell.metadata.get("tags", []):
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    exec(compile(cell.source, cell.id, "exec"), space)
            except Exception as error:
                told["stopped"] = f"{cell.id}: {type(error).__name__}: {error}"
            told["ticks"] += printed.getvalue().count("✓")
            told["crosses"] += printed.getvalue().count("✗")
            plt.close("all")
    print("told", json.dumps(told))
"""


@pytest.fixture(scope="module")
def untouched():
    """What the untouched exercises print; in a process of its own, for they set seeds and more."""
    environment = {name: value for name, value in os.environ.items() if name != "GDL_CHECKS"} | dict(GDL_PROFILE="smoke", GDL_DATA="drawn")
    done = subprocess.run([sys.executable, "-c", RUN_UNTOUCHED, *EXERCISES], capture_output=True, text=True, env=environment, timeout=600)
    told = [json.loads(line.removeprefix("told ")) for line in done.stdout.splitlines() if line.startswith("told ")]
    return {Path(one["path"]): one for one in told}


@pytest.mark.slow
@pytest.mark.parametrize("path", EXERCISES, ids=lambda path: path.stem)
def test_an_untouched_exercise_runs_to_its_end(path, untouched):
    """Every visible check says that nothing is answered yet, and nothing stops."""
    assert untouched[path]["stopped"] is None
    assert untouched[path]["ticks"] == 0 and untouched[path]["crosses"] >= 4


# the bundle


def test_the_bundle_holds_exercises_wheel_and_page(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "out" / "students")
    names = {path.name for path in (tmp_path / "out" / "students").iterdir()}
    assert names == {"01_test.ipynb", "README.md", "gdl-0.1.0-py3-none-any.whl"}
    page = (tmp_path / "out" / "students" / "README.md").read_text()
    assert "| [01 · A test](01_test.ipynb) | 5 | 5 |" in page and "upload `gdl-0.1.0-py3-none-any.whl`" in page and "{" not in page
    with zipfile.ZipFile(tmp_path / "out" / "students.zip") as packed:
        assert {name.removeprefix("students/") for name in packed.namelist()} == names
        assert packed.read("students/README.md").decode() == page
    assert (tmp_path / "exercises" / "01_test.ipynb").read_bytes() == (tmp_path / "out" / "students" / "01_test.ipynb").read_bytes()


def test_the_same_solutions_give_the_same_bytes(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    made = []
    for folder in ("one", "two"):
        release(tmp_path / "solutions", tmp_path / folder / "exercises", tmp_path / folder / "students")
        made.append([path.read_bytes() for path in sorted((tmp_path / folder).rglob("*.*"))])
    assert len(made[0]) == 5 and made[0] == made[1]


def test_a_solution_that_colab_has_saved_without_cell_ids_gets_some(tmp_path):
    path = small_solution(tmp_path)
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        del cell["id"]
    path.write_text(json.dumps(notebook | {"nbformat_minor": 0}))
    made = [gdl.instructor.bundle.to_text(exercise(path)) for _ in range(2)]
    assert made[0] == made[1] and '"id": "cell-7"' in made[0]


def test_an_address_goes_into_the_notebooks_of_the_bundle_alone(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students", "https://example.org/course/")
    line = 'COURSE = "https://example.org/course/gdl-0.1.0-py3-none-any.whl"'
    assert line in nbformat.read(tmp_path / "students" / "01_test.ipynb", 4).cells[1].source
    assert line not in nbformat.read(tmp_path / "exercises" / "01_test.ipynb", 4).cells[1].source
    assert "Nothing to upload" in (tmp_path / "students" / "README.md").read_text()


@pytest.mark.parametrize("address", ["example.org/", 'https://example.org/"; import os; "/', "https://example.org/a b/", "https://example.org/gdl-0.0.9-py3-none-any.whl", "https://example.org/$HOME/"])  # fmt: skip
def test_an_address_that_pip_could_not_use_is_refused(address, tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    with pytest.raises(CourseError, match="--address"):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students", address)
    assert not (tmp_path / "exercises").exists()


def test_folders_that_hold_something_else_are_left_alone(tmp_path, quick_wheel):
    solutions = small_solution(tmp_path / "solutions").parent
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(CourseError, match="mine holds thesis.txt"):
        release(solutions, tmp_path / "exercises", tmp_path / "mine")
    with pytest.raises(CourseError, match="01_test.ipynb is not from a release"):
        release(solutions, solutions, tmp_path / "students")
    shutil.copytree(ROOT / "chapters", tmp_path / "chapters")
    with pytest.raises(CourseError, match="00_faces.ipynb is not from a release"):
        release(solutions, tmp_path / "chapters", tmp_path / "students")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work" and not (tmp_path / "students").exists()


def test_an_exercise_without_a_solution_is_told(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    shutil.copy(tmp_path / "exercises" / "01_test.ipynb", tmp_path / "exercises" / "02_old.ipynb")
    with pytest.raises(CourseError, match="02_old.ipynb has no solution any more"):
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
def test_the_wheel_is_built_anew_only_for_other_sources(wheel, tmp_path, monkeypatch):
    assert gdl.instructor.bundle.up_to_date(wheel)
    assert {f"gdl/{name}" for name in ("release.py", "grading/worker.py", "shipped/vae-celeba64.npz")} <= set(zipfile.ZipFile(wheel).namelist())
    built = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        built.append(gdl.instructor.bundle.build_wheel(folder).read_bytes())
    assert built[0] == built[1], "the same sources, the same bytes"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "gdl", tmp_path / "gdl")
    monkeypatch.setattr(gdl.bundle, "ROOT", tmp_path)
    assert gdl.instructor.bundle.up_to_date(wheel)
    (tmp_path / "gdl" / "new.py").write_text("")
    assert not gdl.instructor.bundle.up_to_date(wheel)
    (tmp_path / "gdl" / "new.py").unlink()
    (tmp_path / "gdl" / "files.py").write_text("changed")
    assert not gdl.instructor.bundle.up_to_date(wheel) and not gdl.instructor.bundle.up_to_date(tmp_path / "none.whl")


def test_a_wheel_that_cannot_be_built_says_what_to_do(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tmp_path)
    (tmp_path / "gdl").mkdir()
    monkeypatch.setattr(gdl.bundle, "ROOT", tmp_path)
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")
    monkeypatch.setattr(gdl.instructor.bundle.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(CourseError, match=r"could not be built \(ERROR: no network\): run `make wheel`"):
        gdl.instructor.bundle.course_wheel()
    assert not list(tmp_path.glob("dist/*"))
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(CourseError, match="a checkout of the course"):
        gdl.instructor.bundle.course_wheel()


@pytest.mark.slow
def test_the_command_line(tmp_path):
    small_solution(tmp_path / "solutions", remark(4, grade_id="q1"))
    folders = [f"--{name}={tmp_path / name}" for name in ("solutions", "exercises", "out")]
    done = subprocess.run([sys.executable, "-m", "gdl", "release", *folders], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and done.stderr.startswith("gdl: 01_test.ipynb, cell 5 (q1):") and done.stderr.count("\n") == 1
    small_solution(tmp_path / "solutions")
    done = subprocess.run([sys.executable, "-m", "gdl", "release", *folders], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stdout.startswith("1 exercises in") and (tmp_path / "out.zip").is_file()


# the set-up cell


def shell(machine, source):
    """What a cell prints in IPython on this machine, and then its error or None; outside a notebook, where TensorFlow does not start."""
    source = machine.at_home(source)
    code = "import sys; from IPython.core.interactiveshell import InteractiveShell; s = InteractiveShell(); r = s.run_cell(sys.stdin.read()); print(r.error_in_exec)"
    done = subprocess.run(
        [machine.python, "-c", code], input=source, env=machine.environment, cwd=machine.content, capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path, sys.executable, packages_here())


@pytest.mark.slow
def test_a_notebook_saved_by_colab_runs_there_from_an_empty_folder(tmp_path, wheel, machine):
    solution = nbformat.read(small_solution(tmp_path / "solutions"), 4)
    assert run(solution, "beside", wheel, machine) is None
    assert (machine.site / "gdl" / "__init__.py").is_file()


@pytest.mark.slow
def test_the_newest_wheel_in_google_drive_is_found(wheel, machine):
    machine.put("drive", wheel)
    assert shell(machine, SET_UP).strip().endswith("None")
    assert (machine.site / f"{wheel.name.removesuffix('-py3-none-any.whl')}.dist-info").is_dir() and machine.installed() == machine.before


def test_versions_are_compared_as_numbers(tmp_path, monkeypatch):
    for version in ("0.9.0", "0.10.0", "0.2.13"):
        (tmp_path / f"gdl-{version}-py3-none-any.whl").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert SET_UP.count("%pip") == 1
    space = {}
    exec(compile(SET_UP.replace("%pip", "chosen = wheel  #"), "set-up", "exec"), space)
    assert space["chosen"] == "gdl-0.10.0-py3-none-any.whl"


@pytest.mark.slow
def test_the_address_is_used_where_there_is_no_wheel(wheel, machine):
    with served(wheel.parent) as address:
        assert shell(machine, SET_UP.replace('COURSE = ""', f'COURSE = "{address}{wheel.name}"')).strip().endswith("None")
    assert (machine.site / "gdl" / "__init__.py").is_file() and machine.installed() == machine.before


@pytest.mark.slow
def test_without_any_wheel_it_says_what_to_do(wheel, machine):
    machine.put("beside", wheel)
    (machine.content / wheel.name).unlink()  # what is left is a second upload, which pip would refuse
    assert "Put gdl-*.whl beside this notebook, or mount the Google Drive that has it" in shell(machine, SET_UP).splitlines()[-1]


@pytest.mark.slow
def test_a_tensorflow_that_is_too_old_is_named_and_left_alone(wheel, machine):
    machine.put("beside", wheel)
    old = machine.site / "tensorflow-2.10.0.dist-info"
    old.mkdir()
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: tensorflow\nVersion: 2.10.0\n")
    before = machine.installed()
    with pytest.raises(CellExecutionError) as stopped:
        machine.execute(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(machine.at_home(SET_UP))]))
    assert stopped.value.ename == "CourseError" and stopped.value.evalue.startswith(
        "The course needs tensorflow >=2.18 (here is 2.10.0): in Colab choose"
    )
    assert machine.installed() == before


@pytest.mark.slow
def test_an_installed_course_is_used_as_it_is():
    code = SET_UP.replace("%pip", "assert False  #")
    exec(compile(code, "set-up", "exec"), {})


def test_packages_that_are_missing_or_too_old_are_named(monkeypatch):
    import gdl.machine

    gdl.machine.check_installed()
    needs = ["tensorflow>=99.1", "numpy>=1.0", "nothing-of-this-name>=2", 'plotly>=99; extra == "lab"']
    monkeypatch.setattr(gdl.installed, "requires", lambda name: needs)
    with pytest.raises(CourseError, match=r'run %pip install "nothing-of-this-name>=2" in a cell'):
        gdl.machine.check_installed()
    needs.pop(2)
    with pytest.raises(CourseError, match=r"tensorflow >=99.1 \(here is 2\.\d+\.\d+\): in Colab choose the latest version"):
        gdl.machine.check_installed()
