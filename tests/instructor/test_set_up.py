"""The set-up cell of the notebooks, which finds the course or says how to get it, in Colab and elsewhere."""

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError
from simulate_colab import Machine, packages_here, run, served
from small_solution import SET_UP, small_solution

import gdl.machine
from gdl.errors import CourseError
from gdl.instructor.wheel import course_wheel

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def wheel():
    return course_wheel()


def shell(machine, source):
    """What a cell prints in IPython on this machine, then its error or None. It is not a notebook, so TensorFlow does not start."""
    command, source = [machine.python, PROGRAMS / "run_cell.py"], machine.at_home(source)
    options = dict(env=machine.environment, cwd=machine.content, capture_output=True, text=True, timeout=120)
    done = subprocess.run(command, input=source, **options)
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
        "The course needs tensorflow >=2.18 (2.10.0 is installed): in Colab choose"
    )
    assert machine.installed() == before


@pytest.mark.slow
def test_an_installed_course_is_used_as_it_is():
    code = SET_UP.replace("%pip", "assert False  #")
    exec(compile(code, "set-up", "exec"), {})


def test_packages_that_are_missing_or_too_old_are_named(monkeypatch):
    gdl.machine.check_installed()
    needs = ["tensorflow>=99.1", "numpy>=1.0", "nothing-of-this-name>=2", 'plotly>=99; extra == "lab"']
    monkeypatch.setattr(gdl.machine, "requires", lambda name: needs)
    with pytest.raises(CourseError, match=r'run %pip install "nothing-of-this-name>=2" in a cell'):
        gdl.machine.check_installed()
    needs.pop(2)
    with pytest.raises(CourseError, match=r"tensorflow >=99.1 \(2\.\d+\.\d+ is installed\): in Colab choose the latest version"):
        gdl.machine.check_installed()
