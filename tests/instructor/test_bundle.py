"""gdl release: the folder and the zip for students."""

import re
import shutil
import zipfile

import nbformat
import pytest

pytest.importorskip("nbgrader", reason="nbgrader is not installed: pip install --editable '.[instructor]'")

from conftest import ROOT
from small_solution import EXERCISES, fake_wheel, small_solution

from gdl.errors import CourseError
from gdl.instructor import bundle
from gdl.instructor.release import release


@pytest.fixture
def quick_wheel(monkeypatch, tmp_path):
    fake_wheel(monkeypatch, tmp_path)


def project_files():
    """The files of the final project in this checkout, without what a run of its notebook leaves there."""
    folders = [ROOT / "project", ROOT / "project" / "examples"]
    return {path.relative_to(ROOT).as_posix() for folder in folders for path in folder.iterdir() if path.suffix in (".ipynb", ".md", ".py", ".toml")}


def test_the_bundle_holds_exercises_wheel_and_page(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "out" / "students")
    students = tmp_path / "out" / "students"
    names = {path.relative_to(students).as_posix() for path in students.rglob("*.*")}
    assert names == {"01_test.ipynb", "README.md", "gdl-0.1.0-py3-none-any.whl", *project_files()}
    assert {"project/README.md", "project/project.ipynb", "project/rubric.md", "project/examples/report.md"} <= names
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
    assert len(made[0]) == 5 + len(project_files()) and made[0] == made[1]


def test_an_address_goes_into_the_notebooks_of_the_bundle_alone(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students", "https://example.org/course/")
    line = 'COURSE = "https://example.org/course/gdl-0.1.0-py3-none-any.whl"'
    assert line in nbformat.read(tmp_path / "students" / "01_test.ipynb", 4).cells[1].source
    assert line not in nbformat.read(tmp_path / "exercises" / "01_test.ipynb", 4).cells[1].source
    assert line in nbformat.read(tmp_path / "students" / "project" / "project.ipynb", 4).cells[1].source
    assert "Nothing to upload" in (tmp_path / "students" / "README.md").read_text()


def test_links_of_the_bundle_stay_inside_it(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    pages = [*(tmp_path / "students").rglob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())]
    assert len(pages) >= 5 and len(links) >= 5
    assert not [(page.name, link) for page, link in links if not (page.parent / link).resolve().is_relative_to(tmp_path / "students")]
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]


def test_no_notebook_for_students_links_to_a_solution():
    paths = [*EXERCISES, ROOT / "project" / "project.ipynb", *(ROOT / "chapters").rglob("*.ipynb")]
    assert len(paths) >= 12 + 1 + 13
    for path in paths:
        texts = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        links = [link for text in texts for link in re.findall(r"\]\(([^)\s]+)\)|href=\"([^\"]+)", text)]
        assert not [link for link in links if re.search(r"solutions/|wrong_answers", "".join(link))], path
        assert not any(re.search(r"BEGIN (SOLUTION|HIDDEN TESTS)", text) for text in texts), path


def test_a_hand_in_beside_the_project_stays_where_it_is(tmp_path, quick_wheel, monkeypatch):
    """An instructor who has run the notebook of the project has files there that students must not get."""
    course = tmp_path / "course"
    shutil.copytree(ROOT / "project", course / "project", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project/hand-in/report.md", "project/.ipynb_checkpoints/project-checkpoint.ipynb", "project/notes.md"):
        (course / name).parent.mkdir(exist_ok=True)
        (course / name).write_text("the instructor's own")
    monkeypatch.setattr(bundle, "ROOT", course)
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    found = {path.relative_to(tmp_path / "students").as_posix() for path in (tmp_path / "students" / "project").rglob("*") if path.is_file()}
    assert found == project_files()


def test_a_folder_with_a_project_of_ones_own_is_not_replaced(tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")  # its own folder may be replaced
    (tmp_path / "students" / "project" / "hand-in").mkdir()
    (tmp_path / "students" / "project" / "hand-in" / "report.md").write_text("two weeks of work")
    with pytest.raises(CourseError, match="holds project/hand-in/report.md, which is not from a release"):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students")
    assert (tmp_path / "students" / "project" / "hand-in" / "report.md").exists()


@pytest.mark.parametrize(
    "address",
    [
        "example.org/",
        'https://example.org/"; import os; "/',
        "https://example.org/a b/",
        "https://example.org/gdl-0.0.9-py3-none-any.whl",
        "https://example.org/$HOME/",
    ],
)
def test_an_address_that_pip_could_not_use_is_refused(address, tmp_path, quick_wheel):
    small_solution(tmp_path / "solutions")
    with pytest.raises(CourseError, match="--address"):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "students", address)
    assert not (tmp_path / "exercises").exists()
