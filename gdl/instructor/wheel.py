"""The course as a wheel, built from this checkout."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gdl.errors import CourseError
from gdl.files import whole_file

ROOT = Path(__file__).resolve().parents[2]
BESIDE = ("pyproject.toml", "README.md", "LICENSE")  # what goes into a wheel beside the folder gdl


def course_wheel() -> Path:
    """The path of the wheel in dist/ of this checkout. It is built if there is none, or one of other sources. Raises CourseError.

    >>> course_wheel().suffix  # doctest: +SKIP
    '.whl'
    """
    if not (ROOT / "pyproject.toml").is_file():
        raise CourseError(
            "gdl release needs a checkout of the course, with solutions/ and pyproject.toml: "
            "install the course there with pip install --editable '.[instructor]'."
        )
    (course_version,) = re.findall(r'^__version__ = "(.+)"', (ROOT / "gdl" / "__init__.py").read_text(), re.MULTILINE)
    wheel = ROOT / "dist" / f"gdl-{course_version}-py3-none-any.whl"
    if not up_to_date(wheel):
        with tempfile.TemporaryDirectory() as folder, whole_file(wheel) as partial:
            shutil.copyfile(build_wheel(Path(folder)), partial)
    return wheel


def up_to_date(wheel: Path) -> bool:
    """Whether the wheel holds the package as it is in this checkout, byte for byte, and is newer than the other files that go into it."""
    try:
        if any((ROOT / name).stat().st_mtime > wheel.stat().st_mtime for name in BESIDE):
            return False
        sources = package_files()
        with zipfile.ZipFile(wheel) as packed:
            names = {name for name in packed.namelist() if name.startswith("gdl/")}
            return names == set(sources) and all(packed.read(name) == path.read_bytes() for name, path in sources.items())
    except (OSError, zipfile.BadZipFile):
        return False


def package_files() -> dict[str, Path]:
    """The files of the package that setuptools packs, by their names in the wheel: the modules, and what `package-data` in pyproject.toml names."""
    package = ROOT / "gdl"
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["gdl"]
    paths = [*package.rglob("*.py"), *(path for pattern in patterns for path in package.glob(pattern))]
    return {path.relative_to(ROOT).as_posix(): path for path in paths}


def build_wheel(folder: Path) -> Path:
    """Builds the wheel from a copy of the sources and returns its path in `folder`. The same sources give the same bytes. Raises CourseError."""
    copy = folder / "course"
    copy.mkdir()
    for name in BESIDE:
        shutil.copyfile(ROOT / name, copy / name)
    shutil.copytree(ROOT / "gdl", copy / "gdl", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", str(folder), str(copy)]
    try:
        if int(version("setuptools").partition(".")[0]) >= 77:  # what [build-system] asks for is installed: no network is needed
            command.append("--no-build-isolation")
    except PackageNotFoundError:
        pass
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "315532800"}  # 1980, where the time of zip files begins
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    wheels = list(folder.glob("gdl-*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip made none"])[-1]
        raise CourseError(
            f"The wheel could not be built ({reason}): run `make wheel` on a machine with a network, "
            "and copy the wheel from its dist/ into the dist/ of this checkout."
        )
    return wheels[0]
