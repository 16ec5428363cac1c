"""What is handed to students: the exercises, the course as a wheel, and a page on how to begin."""

import hashlib
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
STUDENTS = """# Exercises: generative deep learning with faces

| exercise | points | minutes |
| --- | --- | --- |
{rows}

Do an exercise when you have read the chapter of the same number. It is a notebook, and it runs in Colab (in a browser, with a GPU, free) or on a laptop.

## In Colab

1. Open <https://colab.research.google.com>, choose *File*, *Upload notebook*, and take the exercise's `.ipynb` file.
2. Under *Runtime*, *Change runtime type*, choose the latest version and, if there is one for you, a GPU.
3. {colab}
4. Run the first code cell. It installs the course, and leaves Colab's own TensorFlow as it is.
5. Go on from top to bottom. Colab saves your copy in your Drive; what you upload beside it is gone when the session ends.

## On a laptop

Python 3.11, 3.12 or 3.13, in the folder of this file (on Windows, `course\\Scripts\\` instead of `course/bin/`):

1. `python3 -m venv course`
2. `course/bin/pip install "{wheel}[lab]"`; TensorFlow is large, so this takes some minutes.
3. `course/bin/jupyter lab`, and open an exercise.

## How an exercise works

- An answer goes in place of the line `raise NotImplementedError(...)`. Keep the function's name and arguments; you may add functions of your own to the same cell.
- The cell below it checks what you wrote: `✓`, or `✗` and what is wrong. It tries one or two inputs; the grader tries others too. So look for the reason, not only for the tick.
- A question that you leave out stops nothing: the notebook runs to its end, and the other questions keep their points.
- *Hint* unfolds when you click it. Hints cost nothing.
- The open question is answered in words, in place of "{text}", and read by a person.
- The stretch question gives no points.

## Handing in

Restart the kernel and run everything once (in Colab *Runtime*, *Restart session and run all*; in JupyterLab *Kernel*, *Restart Kernel and Run All Cells*). Then hand in the `.ipynb` file itself, under the name that it has: in Colab it comes with *File*, *Download*, *Download .ipynb*. A PDF or a link cannot be graded.

The code of the course is under the MIT licence, its text and figures under CC BY 4.0, and the trained models in it are for non-commercial research only; the file LICENSE in the wheel says more.
"""  # fmt: skip
WITH_ADDRESS = "Nothing to upload: the notebook knows where the course is."
WITHOUT_ADDRESS = (
    "Open the folder symbol on the left and upload `{wheel}` there. Or put it into your Google Drive once, "
    "and in each session click *Mount Drive* in the same place."
)


def bundle(notebooks, address=None):
    """The files for students by their names, as bytes, from the exercises by theirs. Raises CourseError."""
    wheel = course_wheel()
    if address:
        address = wheel_address(address, wheel.name)
    files = {name: to_text(with_address(notebook, name, address)) for name, notebook in notebooks.items()}
    files["README.md"] = readme(notebooks, wheel.name, address)
    return {name: text.encode() for name, text in files.items()} | {wheel.name: wheel.read_bytes()}


def to_text(notebook):
    """The notebook as a file holds it: the same notebook, the same bytes."""
    import nbformat

    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def with_address(notebook, name, address):
    """A copy of the notebook whose set-up cell knows the address of the wheel."""
    import nbformat

    notebook = nbformat.from_dict(notebook)
    cells = [cell for cell in notebook.cells if "set-up" in cell.metadata.get("tags", [])]
    if len(cells) != 1 or cells[0].source.count('COURSE = ""') != 1:
        raise CourseError(f'{name}: it needs one cell tagged set-up with one line COURSE = "", where the address of the course goes.')
    if address:
        cells[0].source = cells[0].source.replace('COURSE = ""', f'COURSE = "{address}"')
    return notebook


def wheel_address(address, wheel):
    """The address of the wheel itself, from that of its folder or its own. Raises CourseError for one that pip could not use."""
    if address.endswith("/"):
        address += wheel
    if not re.fullmatch(r"(https?|file)://[\w./~%+:@=&?-]+", address):
        raise CourseError(f"--address {address} is no address: one begins with https:// and has no spaces or quotes.")
    if address.partition("?")[0].rpartition("/")[2] != wheel:
        raise CourseError(
            f"--address {address} does not end in {wheel}, by which pip knows what it gets: give the folder's address with a / at its end, or the file's."
        )
    return address


def readme(notebooks, wheel, address):
    """The page for students."""
    from gdl.instructor.grading.exercise import NOT_ANSWERED

    rows = []
    for name, notebook in notebooks.items():
        first = notebook.cells[0].source
        title = first.partition("\n")[0].lstrip("# ").removeprefix("Exercise ")
        points = sum(cell.metadata.get("nbgrader", {}).get("points", 0) for cell in notebook.cells)
        minutes = re.search(r"(\d+) minutes", first)
        rows.append(f"| [{title}]({name}) | {points:g} | {minutes.group(1) if minutes else ''} |")
    colab = (WITH_ADDRESS if address else WITHOUT_ADDRESS).format(wheel=wheel)
    return STUDENTS.format(rows="\n".join(rows), colab=colab, wheel=wheel, text=NOT_ANSWERED)


def course_wheel():
    """The wheel of this checkout in its dist/: the one that is there if it holds these sources, else one that is built now."""
    if not (ROOT / "pyproject.toml").is_file():
        raise CourseError(
            "gdl release works in a checkout of the course, with solutions/ and pyproject.toml: install it there with pip install --editable '.[instructor]'."
        )
    name = f"gdl-{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}-py3-none-any.whl"
    wheel = ROOT / "dist" / name
    if not up_to_date(wheel):
        with tempfile.TemporaryDirectory() as folder, whole_file(wheel) as partial:
            shutil.copyfile(build_wheel(Path(folder)), partial)
    return wheel


def up_to_date(wheel):
    """Whether the wheel holds the package as it is in this checkout, byte for byte, and is newer than what else goes into it."""
    sources = {path.relative_to(ROOT).as_posix(): path for path in (ROOT / "gdl").rglob("*") if path.suffix in (".py", ".npz", ".md")}
    try:
        if any(path.stat().st_mtime > wheel.stat().st_mtime for path in (ROOT / "pyproject.toml", ROOT / "README.md", ROOT / "LICENSE")):
            return False
        with zipfile.ZipFile(wheel) as packed:
            names = {name for name in packed.namelist() if name.startswith("gdl/")}
            return names == set(sources) and all(digest(packed.read(name)) == digest(path.read_bytes()) for name, path in sources.items())
    except (OSError, zipfile.BadZipFile):
        return False


def digest(content):
    return hashlib.sha256(content).digest()


def build_wheel(folder):
    """Builds the wheel in a copy of the sources, as `make wheel` does; the same sources give the same bytes. Returns its path in `folder`."""
    copy = folder / "course"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, copy / name)
    shutil.copytree(ROOT / "gdl", copy / "gdl", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--wheel-dir", str(folder), str(copy)]
    try:
        if int(version("setuptools").partition(".")[0]) >= 77:  # as [build-system] says: then no network is needed
            command.append("--no-build-isolation")
    except PackageNotFoundError:
        pass
    done = subprocess.run(
        command, capture_output=True, text=True, env={**os.environ, "SOURCE_DATE_EPOCH": "315532800"}
    )  # 1980, where zip's time begins
    wheels = list(folder.glob("gdl-*.whl"))
    if done.returncode or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip made none"])[-1]
        raise CourseError(
            f"The wheel could not be built ({reason}): run `make wheel` where there is a network, and put what it leaves in dist/ into this dist/."
        )
    return wheels[0]


def check_replaceable(out):
    """Raises CourseError when the folder `out` holds anything but what a release has put there."""
    if out.exists():
        ours = re.compile(r"\d\d_.*\.ipynb|gdl-.*\.whl|README\.md|\..*")
        strange = sorted(path.name for path in out.iterdir() if not ours.fullmatch(path.name)) if out.is_dir() else [out.name]
        if strange:
            raise CourseError(f"--out {out} holds {strange[0]}, which is not from a release: choose an empty folder or a new one.")


def write_folder(out, files):
    """Writes a folder beside `out` and puts it in its place when it is complete."""
    partial, old = out.with_name(f".partial.{out.name}"), out.with_name(f".old.{out.name}")
    try:
        for folder in (partial, old):
            shutil.rmtree(folder, ignore_errors=True)
        try:
            partial.mkdir(parents=True)
            for name, content in files.items():
                (partial / name).write_bytes(content)
            if out.exists():
                out.rename(old)
            partial.rename(out)
        finally:
            for folder in (partial, old):
                shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        raise CourseError(
            f"{out} cannot be written ({error.strerror or error}): make room on the disk, or choose another place with --out."
        ) from None


def write_zip(path, folder, files):
    """Packs the files into one archive, all under `folder`; the same files give the same bytes."""
    with whole_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{folder}/{name}")  # its time is 1980
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            packed.writestr(info, content)
