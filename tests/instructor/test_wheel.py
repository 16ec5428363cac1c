"""The course as a wheel."""

import shutil
import subprocess
import zipfile

import pytest
from conftest import ROOT

from gdl.errors import CourseError
from gdl.instructor import wheel as wheel_module


@pytest.mark.slow
def test_the_wheel_is_built_again_only_for_other_sources(tmp_path, monkeypatch):
    wheel = wheel_module.course_wheel()
    assert wheel_module.up_to_date(wheel)
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("gdl/")}
    assert packed == set(wheel_module.package_files()), "what setuptools packs is what up_to_date compares"
    assert {f"gdl/{name}" for name in ("README.md", "instructor/release.py", "instructor/grading/worker.py", "shipped/vae-celeba64.npz")} <= packed
    built = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        built.append(wheel_module.build_wheel(folder).read_bytes())
    assert built[0] == built[1], "the same sources, the same bytes"
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "gdl", tmp_path / "gdl")
    monkeypatch.setattr(wheel_module, "ROOT", tmp_path)
    assert wheel_module.up_to_date(wheel)
    (tmp_path / "gdl" / "notes.txt").write_text("setuptools does not pack it")
    assert wheel_module.up_to_date(wheel)
    (tmp_path / "gdl" / "new.py").write_text("")
    assert not wheel_module.up_to_date(wheel)
    (tmp_path / "gdl" / "new.py").unlink()
    (tmp_path / "gdl" / "files.py").write_text("changed")
    assert not wheel_module.up_to_date(wheel) and not wheel_module.up_to_date(tmp_path / "none.whl")


def test_a_wheel_that_cannot_be_built_says_what_to_do(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, tmp_path)
    (tmp_path / "gdl").mkdir()
    shutil.copy2(ROOT / "gdl" / "__init__.py", tmp_path / "gdl")
    monkeypatch.setattr(wheel_module, "ROOT", tmp_path)
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")
    monkeypatch.setattr(wheel_module.subprocess, "run", lambda *args, **options: failed)
    with pytest.raises(CourseError, match=r"could not be built \(ERROR: no network\): run `make wheel`"):
        wheel_module.course_wheel()
    assert not list(tmp_path.glob("dist/*"))
    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(CourseError, match="a checkout of the course"):
        wheel_module.course_wheel()
