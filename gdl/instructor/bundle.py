"""The bundle for students: exercises, final project, the course as a wheel, and a page on how to begin, in a folder and as a zip."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gdl.errors import CourseError
from gdl.files import whole_folder
from gdl.instructor.students_page import students_page
from gdl.instructor.wheel import ROOT, course_wheel

if TYPE_CHECKING:
    from nbformat import NotebookNode

PROJECT = (  # by name, because whoever has run the notebook there has a hand-in beside it
    "README.md", "card.md", "make_examples.py", "peer_review.md", "project.ipynb", "project.toml", "rubric.md",
    "examples/card.md", "examples/report.md",
)  # fmt: skip
COURSE = re.compile(r'^COURSE = "[^"\n]*"', re.MULTILINE)  # in the set-up cell


def bundle(notebooks: Mapping[str, "NotebookNode"], address: str | None = None) -> dict[str, bytes]:
    """The contents of the files for students, by their path in the folder, such as 01_autoencoder.ipynb or project/README.md.

    notebooks: the exercises by file name. address: where students download the wheel, see `gdl.instructor.release.release`.
    Raises CourseError.
    """
    wheel = course_wheel()
    if address:
        address = wheel_address(address, wheel.name)
    files = {name: to_text(with_address(notebook, name, address)) for name, notebook in notebooks.items()}
    files["README.md"] = students_page(notebooks, wheel.name, address)
    return {name: text.encode() for name, text in files.items()} | {wheel.name: wheel.read_bytes()} | project_files(address)


def project_files(address: str | None) -> dict[str, bytes]:
    """The files of the final project, by their path. address: of the wheel, for the notebook."""
    import nbformat

    files = {f"project/{name}": (ROOT / "project" / name).read_bytes() for name in PROJECT}
    name = "project/project.ipynb"
    notebook = nbformat.reads(files[name].decode(), as_version=4)
    return files | {name: to_text(with_address(notebook, name, address)).encode()}


def to_text(notebook: "NotebookNode") -> str:
    """The notebook as text of a file. The same notebook gives the same text."""
    import nbformat

    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def with_address(notebook: "NotebookNode", name: str, address: str | None) -> "NotebookNode":
    """A copy of the notebook with the wheel's address in its set-up cell. Raises CourseError if it has no place for one."""
    import nbformat

    notebook = nbformat.from_dict(notebook)
    cells = [cell for cell in notebook.cells if "set-up" in cell.metadata.get("tags", [])]
    if len(cells) != 1 or len(COURSE.findall(cells[0].source)) != 1:
        raise CourseError(f'{name}: it needs exactly one cell with the tag set-up and in it one line COURSE = "", for the address of the course.')
    if address:
        cells[0].source = COURSE.sub(f'COURSE = "{address}"', cells[0].source)
    return notebook


def wheel_address(address: str, wheel: str) -> str:
    """The address of the wheel from that of its folder or its own. Raises CourseError for one that pip cannot use.

    >>> wheel_address("https://example.org/course/", "gdl-3.2.1-py3-none-any.whl")
    'https://example.org/course/gdl-3.2.1-py3-none-any.whl'
    """
    if address.endswith("/"):
        address += wheel
    if not re.fullmatch(r"(https?|file)://[\w./~%+:@=&?-]+", address):
        raise CourseError(f"--address {address} is not a web address: begin with https:// and use no spaces or quotes.")
    if address.partition("?")[0].rpartition("/")[2] != wheel:
        raise CourseError(
            f"--address {address} does not end in {wheel}, from which pip reads the version: "
            "give the address of the folder with a / at its end, or the address of the file."
        )
    return address


def check_replaceable(out: Path) -> None:
    """Raises CourseError when the folder `out` holds a file that no release has put there."""
    if out.exists():
        ours = re.compile(r"\d\d_.*\.ipynb|gdl-.*\.whl|README\.md|project|\..*")
        others = sorted(path.name for path in out.iterdir() if not ours.fullmatch(path.name)) if out.is_dir() else [out.name]
        inner = sorted(path.relative_to(out / "project").as_posix() for path in (out / "project").rglob("[!.]*") if path.is_file())
        others += [f"project/{name}" for name in inner if name not in PROJECT and not name.startswith(".")]
        if others:
            raise CourseError(f"--out {out} holds {others[0]}, which is not from a release: choose an empty folder or a new one.")


def write_folder(out: Path, files: Mapping[str, bytes]) -> None:
    """Writes the files into the folder `out`, all of them or none. A folder that is there is replaced."""
    with whole_folder(out, place="choose another place with --out") as partial:
        for name, content in files.items():
            path = partial / name
            path.parent.mkdir(exist_ok=True, parents=True)
            path.write_bytes(content)
