"""What hands the course out: the parts of a release, and the files for Binder and for VS Code."""

import json
import re
import shutil
import tomllib
import zipfile

import make_release
import pytest
import yaml
from conftest import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def wheel(path, version):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(f"gdl-{version}.dist-info/METADATA", f"Metadata-Version: 2.4\nName: gdl\nVersion: {version}\n\nText\n")
    return path


def notebook(version):
    source = f'COURSE = "https://ada.github.io/faces/wheel/gdl-{version}-py3-none-any.whl"  # the address'
    return json.dumps({"cells": [{"cell_type": "code", "source": [source]}]})


@pytest.fixture
def dist(tmp_path):
    """A release of version 1.2.0, made by hand."""
    packed = wheel(tmp_path / "gdl-1.2.0-py3-none-any.whl", "1.2.0")
    (tmp_path / "site" / "wheel").mkdir(parents=True)
    shutil.copyfile(packed, tmp_path / "site" / "wheel" / packed.name)
    with zipfile.ZipFile(tmp_path / "students.zip", "w") as students:
        students.write(packed, f"students/{packed.name}")
        students.writestr("students/02_vae.ipynb", notebook("1.2.0"))
    (tmp_path / "site" / "_static").mkdir()
    (tmp_path / "site" / "_static" / "documentation_options.js").write_text("const DOCUMENTATION_OPTIONS = {\n    VERSION: '1.2.0',\n")
    (tmp_path / "site" / "_downloads" / "ab").mkdir(parents=True)
    (tmp_path / "site" / "_downloads" / "ab" / "02_vae.ipynb").write_text(notebook("1.2.0"))
    return tmp_path


def test_every_part_of_a_release_says_its_version(dist):
    found = make_release.versions(dist)
    assert set(found.values()) == {"1.2.0"} and len(found) == 6


@pytest.mark.parametrize("part", ["wheel", "site/wheel", "students.zip", "documentation_options.js", "_downloads"])
def test_a_part_of_another_version_is_found(dist, part):
    if part == "wheel":
        wheel(dist / "gdl-1.2.0-py3-none-any.whl", "1.1.0")
    elif part == "site/wheel":
        wheel(dist / "site" / "wheel" / "gdl-1.2.0-py3-none-any.whl", "1.1.0")
    elif part == "students.zip":
        with zipfile.ZipFile(dist / "students.zip", "a") as students:
            students.writestr("students/03_kl_loss.ipynb", notebook("1.1.0"))
    else:
        (path,) = [path for path in (dist / "site").rglob("*") if path.is_file() and part in str(path)]
        path.write_text(path.read_text().replace("1.2.0", "1.1.0"))
    assert sorted(set(make_release.versions(dist).values())) == ["1.1.0", "1.2.0"]


def test_binder_installs_what_the_chapters_need_with_the_constrained_versions():
    lines = [line for line in (ROOT / "binder" / "requirements.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "--constraint ../constraints.txt" and re.fullmatch(r"--editable \.\[lab\]", lines[1]) and "lab" in EXTRAS
    version = re.fullmatch(r"python-(3\.\d+)\n", (ROOT / "binder" / "runtime.txt").read_text())[1]
    assert f"(Python {version}" in (ROOT / "constraints.txt").read_text().splitlines()[0], "the versions are those of this Python"
    assert (ROOT / "binder" / "start").stat().st_mode & 0o111


def test_the_container_of_vs_code_installs_as_the_makefile_does():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert settings["onCreateCommand"].endswith("make .venv/ready") and "bubblewrap chromium" in settings["onCreateCommand"]
    assert settings["customizations"]["vscode"]["settings"]["python.defaultInterpreterPath"].endswith("/.venv/bin/python")


def test_the_workflow_publishes_what_make_release_makes():
    steps = yaml.safe_load((ROOT / ".github" / "workflows" / "site.yml").read_text())["jobs"]["site"]["steps"]
    assert {"run": "make release"} in steps
    assert [step["with"]["path"] for step in steps if "upload-pages-artifact" in step.get("uses", "")] == ["dist/site"]
