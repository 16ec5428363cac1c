"""The files around the package agree with each other, and name nothing that only one machine has."""

import hashlib
import inspect
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

import gdl

SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = SETTINGS["project"]
WORKFLOWS = ROOT / ".github" / "workflows"
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
APPENDICES = sorted((ROOT / "chapters" / "appendix").glob("*.ipynb"))
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
    (extras,) = re.findall(r"--constraint constraints.txt --editable '\.\[(.*)\]'", makefile)
    assert extras.split(",") == list(PROJECT["optional-dependencies"])


def test_the_version_stands_once():
    assert PROJECT["dynamic"] == ["version"] and "version" not in PROJECT
    assert SETTINGS["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "gdl.__version__"}
    literal = re.compile(rf"\b{re.escape(gdl.__version__)}\b")
    files = [ROOT / name for name in ("README.md", "CITATION.cff", "CONTRIBUTING.md", "Makefile", "solutions/README.md")]
    files += [path for path in (ROOT / "gdl").rglob("*.py") if path != ROOT / "gdl" / "__init__.py"]
    for path in files:
        assert not re.search(rf"gdl-{literal.pattern}|^__version__ = ", path.read_text(), re.MULTILINE), path
    assert re.search(rf"^## \[{literal.pattern}\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


def test_one_address_stands_for_the_course():
    address = PROJECT["urls"]["Homepage"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["repository-code"] == address and "version" not in citation
    addresses = [*PROJECT["urls"].values(), *re.findall(r"^\[.*\]: (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)]
    issues = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml").read_text())
    addresses += [link["url"] for link in issues["contact_links"]]
    assert all(other == address or other.startswith(address + "/") for other in addresses)


def test_workflows_run_what_is_here_with_every_python():
    tests = yaml.safe_load((WORKFLOWS / "tests.yml").read_text())["jobs"]["tests"]
    pythons = tests["strategy"]["matrix"]["python"]
    classified = [name.split(" :: ")[-1] for name in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert pythons == classified
    assert all(Requirement("python" + PROJECT["requires-python"]).specifier.contains(python + ".0") for python in pythons)
    assert tests["steps"][-1] == {"run": ".ci/run", "env": {"PYTHON": "python${{ matrix.python }}"}}
    newest = yaml.safe_load((WORKFLOWS / "newest.yml").read_text())
    assert "schedule" in newest[True]  # YAML 1.1 reads the key `on` so
    runs = [step["run"] for step in newest["jobs"]["newest"]["steps"] if "run" in step]
    assert runs[-2:] == ["make test", "make test-all"] and not any("constraints.txt" in run for run in runs)
    (name,) = re.findall(r"--deselect \S+::(\w+)", newest["jobs"]["newest"]["env"]["PYTEST_ADDOPTS"])
    assert name in globals()
    form = yaml.safe_load((ROOT / ".github" / "ISSUE_TEMPLATE" / "problem.yml").read_text())
    assert [field["id"] for field in form["body"] if field.get("validations", {}).get("required")] == ["where", "message", "machine"]


def test_hooks_before_a_commit_run_what_make_lint_runs():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in hooks] == ["local"]
    commands = [hook["entry"] for hook in hooks[0]["hooks"]]
    lint = re.search(r"^lint:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    tools = [line.split()[0].removeprefix("$(BIN)/") for line in lint.splitlines()]
    assert [command.split()[0].removeprefix(".venv/bin/") for command in commands] == tools
    assert all(hook["language"] == "system" for hook in hooks[0]["hooks"]), "they need no network"


def test_every_tool_has_a_line():
    page = (ROOT / "tools" / "README.md").read_text()
    assert re.findall(r"^\| `(\w+\.py)`", page, re.MULTILINE) == [path.name for path in sorted((ROOT / "tools").glob("*.py"), reverse=True)]


def functions(public):
    """A public function, or the public methods of a class that this package defines."""
    if not inspect.isclass(public):
        return [public]
    members = [member for cls in public.__mro__ if cls.__module__.startswith("gdl.") for member in vars(cls).items()]
    members = [inspect.unwrap(getattr(member, "fget", None) or getattr(member, "__func__", member)) for name, member in members if is_public(name)]
    return [member for member in members if inspect.isfunction(member) and member.__module__.startswith("gdl.")]


def is_public(name):
    return name == "__init__" or not name.startswith("_")


@pytest.mark.parametrize("name", gdl._HOME)
def test_public_names_have_type_hints(name):
    for function in functions(getattr(gdl, name)):
        signature = inspect.signature(function)
        without = [parameter.name for parameter in signature.parameters.values() if parameter.annotation is parameter.empty]
        if signature.return_annotation is signature.empty and function.__name__ != "__init__":
            without.append("return")
        assert not [missing for missing in without if missing not in ("self", "cls")], f"{function.__qualname__} in {function.__module__}: {without}"


@pytest.mark.parametrize("name", gdl._HOME)
def test_public_names_have_an_example(name):
    assert ">>> " in inspect.getdoc(getattr(gdl, name))


@pytest.mark.parametrize("path", CHAPTERS + APPENDICES, ids=lambda path: path.stem)
def test_notebooks_are_executed_from_top_to_bottom(path):
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


def code_hash(path):
    """The hash that chapters/build.py writes, worked out by hand."""
    code = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    return hashlib.sha256(re.sub(r'^COURSE = ".*?"', "", "\n\n".join(code), flags=re.MULTILINE).encode()).hexdigest()


@pytest.mark.parametrize("path", CHAPTERS + APPENDICES, ids=lambda path: path.stem)
def test_outputs_are_those_of_the_code(path):
    """`make outputs` writes the hash; code that was edited afterwards has outputs of other code."""
    executed = dict(line.split() for line in (ROOT / "chapters" / "executed.txt").read_text().splitlines())
    assert executed[path.stem] == code_hash(path), f"the code has changed since its outputs were made: python chapters/build.py --write {path.stem}"


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_keep_the_rules(path):
    notebook = json.loads(path.read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    words = sum(len("".join(cell["source"]).split()) for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    assert words <= 3500 and len(code) <= 45, f"{words} words, {len(code)} code cells"
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
    (imports,) = {set_up(path).removeprefix(shared) for path in CHAPTERS + APPENDICES}
    assert imports.startswith("\n\nimport keras\n")


def test_readme_lists_every_chapter():
    readme = (ROOT / "README.md").read_text()
    for path in CHAPTERS + APPENDICES:
        assert f"({path.relative_to(ROOT)})" in readme


def test_the_reading_map_names_every_module_once_and_every_public_name_with_its_file():
    page = (ROOT / "gdl" / "README.md").read_text()
    links = re.findall(r"\]\(([\w/]+\.py)\)", page)
    assert not [link for link in links if not (ROOT / "gdl" / link).is_file()]
    (rooms,) = re.findall(r"^## The rooms\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    files = [path.relative_to(ROOT / "gdl").as_posix() for path in (ROOT / "gdl").rglob("*.py")]
    modules = sorted(file for file in files if not file.endswith(("__init__.py", "__main__.py")))
    assert sorted(link for link in re.findall(r"\]\(([\w/]+\.py)\)", rooms) if not link.endswith("__init__.py")) == modules
    named = dict(re.findall(r"^\| `gdl\.(\w+)` \| .*\]\((.+)\) \|$", page, re.MULTILINE))
    homes = {name: home.replace(".", "/") for name, home in (gdl._HOME | gdl._MODULES).items()}
    assert named == {name: f"{home}/__init__.py" if f"{home}/__init__.py" in files else f"{home}.py" for name, home in homes.items()}
    assert re.findall(r"^\| (\d\d) ", page, re.MULTILINE) == [path.stem[:2] for path in CHAPTERS], "each chapter has its files"
