"""The files around the package say the same, and hold nothing that a stranger's machine has not."""

import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
SOLUTIONS = sorted((ROOT / "solutions").glob("*.ipynb"))


def bounds():
    """Every dependency of the project, extras included, by its name."""
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    return {requirement.name: requirement for requirement in map(Requirement, sum(groups, []))}


def pins():
    """The exact versions of constraints.txt, by the name in its standard spelling."""
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def test_every_dependency_has_a_lower_bound_that_its_pin_meets():
    for name, requirement in bounds().items():
        assert any(specifier.operator == ">=" for specifier in requirement.specifier), name
        assert requirement.specifier.contains(pins()[name]), name


def test_tensorflow_is_the_build_that_keeps_a_gpu():
    assert "tensorflow" in bounds()
    assert not any(name.startswith("tensorflow-cpu") for name in [*bounds(), *pins()])


def test_constraints_hold_exact_versions_and_no_address():
    text = (ROOT / "constraints.txt").read_text()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9.+]+", line) for line in text.splitlines()[1:])
    assert not re.search(r"https?:|@|--index|--find-links", text)


def test_what_is_installed_here_is_the_constrained_set():
    """Only where the Makefile has installed: the running Python is the one of .venv."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("the tests do not run in the project's .venv")
    from importlib.metadata import version

    wrong = {name: version(name) for name in bounds() if version(name) != pins()[name]}
    assert not wrong


def test_conda_environment_is_in_step():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == PROJECT["name"]
    (python,) = [entry for entry in environment["dependencies"] if str(entry).startswith("python=")]
    assert Requirement("python" + PROJECT["requires-python"]).specifier.contains(python.removeprefix("python=") + ".0")
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert pip[0] == "--constraint constraints.txt"
    extras = re.fullmatch(r"--editable \.\[(.*)\]", pip[1]).group(1).split(",")
    assert sorted(extras) == sorted(PROJECT["optional-dependencies"])
    gpu = Requirement(pip[2])
    assert gpu.name == "tensorflow" and gpu.extras == {"and-cuda"}
    assert gpu.specifier == bounds()["tensorflow"].specifier
    assert gpu.marker.evaluate({**default_environment(), "sys_platform": "linux"})
    assert len(pip) == 3


def test_the_makefile_installs_the_same_extras():
    makefile = (ROOT / "Makefile").read_text()
    assert "--constraint constraints.txt --editable '.[lab,test,instructor,dev]'" in makefile


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_keep_the_rules(path):
    assert path.stat().st_size < 1_500_000
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    assert max(len(source.splitlines()) for source in sources) <= 25
    outputs = [output for cell in code for output in cell["outputs"]]
    assert any("image/png" in output.get("data", {}) for output in outputs), "it is committed with its pictures"
    assert not any(output["output_type"] == "error" for output in outputs)
    assert not any(output.get("name") == "stderr" for output in outputs)
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1)), "it ran from top to bottom"
    assert sum("nbval-check-output" in cell["metadata"].get("tags", []) for cell in code) >= 1
    first = "".join(notebook["cells"][0]["source"])
    assert first.startswith(f"# {path.stem[:2]} · ") and "attachment:finished.png" in first and "colab-badge" in first
    assert "image/png" in notebook["cells"][0]["attachments"]["finished.png"]


def test_all_notebooks_begin_with_the_same_set_up():
    """The solutions with the set-up cell alone, the chapters with imports after it."""

    def set_up(path):
        (source,) = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if "set-up" in cell["metadata"].get("tags", [])]
        return source

    (shared,) = {set_up(path) for path in SOLUTIONS}
    (imports,) = {set_up(path).removeprefix(shared) for path in CHAPTERS}
    assert imports.startswith("\n\nimport keras\n")


def test_readme_lists_every_chapter():
    readme = (ROOT / "README.md").read_text()
    for path in CHAPTERS:
        assert f"(chapters/{path.name})" in readme
