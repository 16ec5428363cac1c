"""The page for instructors keeps to the exercises and to the command line, and a release with a seed changes hidden numbers alone."""

import hashlib
import re
import shlex
import zipfile

import nbformat
import pytest
from conftest import ROOT
from made_results import sheet
from make_class import make_class
from small_solution import fake_wheel, small_solution

from gdl.errors import CourseError
from gdl.experiments.options import parser
from gdl.instructor.grading.collect import collect
from gdl.instructor.release import release
from gdl.instructor.seed import with_seed, write_solutions

PAGES = [ROOT / "docs" / "instructors.md", ROOT / "solutions" / "README.md"]


def test_the_plans_have_the_minutes_of_the_exercises():
    minutes = {}
    for path in sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb")):
        minutes[path.name[:2]] = re.search(r"(\d+) minutes", nbformat.read(path, as_version=4).cells[0].source)[1]
    rows = re.findall(r"^\| \d+ \| [\d, ]+ \| (\d\d) \| (\d+) \|", PAGES[0].read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == 12 + 5 and {number for number, _ in rows} == set(minutes)
    assert [row for row in rows if minutes[row[0]] != row[1]] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_the_page_exists(page):
    commands = re.findall(r"python -m (gdl .+)|gdl-grader (grade .+)", page.read_text(encoding="utf-8"))
    assert len(commands) >= 3
    for whole, inside in commands:
        line = whole.removeprefix("gdl ") or inside
        parser().parse_args(shlex.split(re.split(r"`|\s#", line)[0]))


def test_the_container_copies_what_is_there():
    names = re.findall(r"^COPY (.+) \S+$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    assert len(names) == 3 and all((ROOT / name).exists() for line in names for name in line.split())


CELL = """rng = np.random.default_rng(3)
### BEGIN HIDDEN TESTS
a, b = np.random.default_rng(3), np.random.default_rng([3, 4])
for n, seed in ((3, 5), (21, 6)):
    c = np.random.default_rng(seed), default_rng(), "é", holds(3, seed=3)
d = [f(seed, 2) for seed in range(2)], [g(seed) for seed in (5, 5, 7)], [h(k) for k in (1, 2)]
### END HIDDEN TESTS
e = np.random.default_rng(21)"""


def test_a_seed_changes_hidden_numbers_alone():
    one, again, other = with_seed(CELL, "1 02_vae"), with_seed(CELL, "1 02_vae"), with_seed(CELL, "2 02_vae")
    assert one == again != other and one != with_seed(CELL, "1 05_wgan")
    compile(one, "cell", "exec")
    three, four, five, six, seven = (str(int(hashlib.sha256(f"1 02_vae {k}".encode()).hexdigest()[:6], 16)) for k in (3, 4, 5, 6, 7))
    assert len({three, four, five, six, seven}) == 5
    first = int(re.search(r"range\((\d+), (\d+)\)", one)[1])
    assert one.split("\n") == [
        "rng = np.random.default_rng(3)", "### BEGIN HIDDEN TESTS",
        f"a, b = np.random.default_rng({three}), np.random.default_rng([{three}, {four}])", f"for n, seed in ((3, {five}), (21, {six})):",
        f'    c = np.random.default_rng(seed), default_rng(), "é", holds(3, seed={three})',
        f"d = [f(seed, 2) for seed in range({first}, {first + 2})], [g(seed) for seed in ({five}, {five}, {seven})], [h(k) for k in (1, 2)]",
        "### END HIDDEN TESTS", "e = np.random.default_rng(21)",
    ]  # fmt: skip


def test_solutions_with_a_seed(tmp_path):
    small_solution(tmp_path / "solutions")
    (tmp_path / "solutions" / "01_test.md").write_text("notes")
    write_solutions(tmp_path / "solutions", tmp_path / "private", 7)
    assert (tmp_path / "private" / "01_test.ipynb").read_bytes() == (tmp_path / "solutions" / "01_test.ipynb").read_bytes()  # no default_rng in it
    assert (tmp_path / "private" / "01_test.md").read_text() == "notes"
    for seed in (-1, True, 1.5):
        with pytest.raises(CourseError, match="--seed"):
            write_solutions(tmp_path / "solutions", tmp_path / "private", seed)
    write_solutions(ROOT / "solutions", tmp_path / "all", 7)
    for path in sorted((ROOT / "solutions").glob("[0-9][0-9]_*.ipynb")):
        old, new = nbformat.read(path, as_version=4).cells, nbformat.read(tmp_path / "all" / path.name, as_version=4).cells
        changed = [cell.metadata.nbgrader.grade_id for cell, other in zip(old, new, strict=True) if cell.source != other.source]
        assert len(changed) >= 3 and all(re.fullmatch(r"(q\d+|stretch_?)[a-z]+", name) for name in changed), path.name


def test_a_class_for_a_rehearsal(tmp_path):
    assert make_class("02_vae", tmp_path, 30) == 27
    found, problems = collect(tmp_path / "submissions", {"02_vae": "Exercise 02"})
    assert len(found) == 27 and not problems and len({one.identifier for one in found}) == 27
    assert {one.student for one in found} < {row["student"] for row in sheet(tmp_path / "students.csv")}
    assert len({one.digest for one in found}) > 20  # the answers differ
    texts = [path.read_text(encoding="utf-8") for path in (tmp_path / "submissions").rglob("*.ipynb")]
    assert not any("HIDDEN TESTS" in text for text in texts)


def test_a_release_with_a_seed_keeps_the_solutions_out_of_what_students_get(tmp_path, monkeypatch, capsys):
    fake_wheel(monkeypatch, tmp_path)
    small_solution(tmp_path / "solutions")
    release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "dist" / "students", seed=7)
    assert "For you alone" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "dist").iterdir()} == {"students", "students.zip", "solutions-7"}
    assert [path.name for path in (tmp_path / "dist" / "solutions-7").iterdir()] == ["01_test.ipynb"]
    with zipfile.ZipFile(tmp_path / "dist" / "students.zip") as packed:
        assert not any(b"HIDDEN TESTS" in packed.read(name) or "solutions" in name for name in packed.namelist())
    with pytest.raises(CourseError, match="--seed -1"):
        release(tmp_path / "solutions", tmp_path / "exercises", tmp_path / "dist" / "students", seed=-1)
