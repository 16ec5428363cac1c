"""The parts of the site's builder: links, descriptions of figures, docstrings, and the public address."""

import ast
import doctest
import json
import re
import shlex
import shutil
import sys
from types import SimpleNamespace

import pytest
import set_address  # noqa: E402
from conftest import ROOT

from builder import api, docstrings, links, notebooks, pages  # noqa: E402


@pytest.mark.parametrize("module", [api, docstrings, links, notebooks, pages, set_address], ids=lambda module: module.__name__)
def test_examples_in_docstrings(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("[VAE](chapters/02_vae.ipynb)", "README.md", "[VAE](chapters/02_vae.ipynb)"),
        ("[`vae.py`](models/vae.py)", "gdl/README.md", "[`vae.py`](#source-gdl-models-vae)"),
        ("[card](../gdl/shipped/gan-drawn64.md)", "docs/models.md", "[card](../gdl/shipped/gan-drawn64.md)"),
        ("[cards](../gdl/shipped)", "results/latent_64.md", "[cards](../docs/models.md)"),
        ("[how](solutions/README.md#grade)", "README.md", "[how](instructors.md#grade)"),
        ("[answers](02_vae.md) and [more](02_vae.ipynb)", "solutions/README.md", "answers and more"),
        ("[tool](tools/README.md)", "README.md", "tool"),
        ("[web](https://a.org/b.md), [here](#x)", "README.md", "[web](https://a.org/b.md), [here](#x)"),
        ("```\n[a](tools/README.md)\n```", "README.md", "```\n[a](tools/README.md)\n```"),
        ("![picture](docs/vae_faces.png)", "README.md", "![picture](docs/vae_faces.png)"),
    ],
)
def test_links_lead_to_pages_of_the_site_or_are_text(text, name, expected):
    page = {"README.md": "index.md", "solutions/README.md": "instructors.md"}.get(name)
    assert links.rewrite(text, name, page) == expected


def test_outputs_of_an_own_run_take_the_place_of_the_committed_ones(tmp_path):
    name = "chapters/appendix/rmsprop.ipynb"
    own = json.loads((ROOT / name).read_text())
    place = next(number for number, cell in enumerate(own["cells"]) if cell["cell_type"] == "code" and cell["outputs"])
    own["cells"][place]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["of my own run"]}]
    (tmp_path / "rmsprop.ipynb").write_text(json.dumps(own))
    for executed, expected in ((tmp_path / "rmsprop.ipynb", True), (ROOT / name, False)):
        notebooks.stage(name, tmp_path / "out", set_address.PLACEHOLDER, executed)
        page = json.loads((tmp_path / "out" / name).read_text())
        assert ("of my own run" in json.dumps(page["cells"][place]["outputs"])) == expected
        assert "colab" not in page["cells"][0]["source"] and "{download}" in page["cells"][0]["source"]


def test_no_solution_is_shown():
    assert not [name for name in links.shown() if name.startswith(("solutions", "tests"))]
    assert sum(name.startswith("exercises/") for name in links.shown()) == len(list((ROOT / "solutions").glob("*.ipynb")))


def figure(**metadata):
    return {"cell_type": "code", "source": "show()", "metadata": metadata, "outputs": [{"output_type": "display_data", "data": {"image/png": ""}}]}


def text(source):
    return {"cell_type": "markdown", "source": source, "metadata": {}}


def alt(*cells):
    notebooks.describe_figures(cells)
    return [cell["metadata"]["mystnb"]["image"]["alt"] for cell in cells if cell["cell_type"] == "code"]


def test_a_figure_is_described_by_the_paragraph_after_it():
    cells = text("## The *price*\n\nLook at $\\hat x$."), figure(), text("The lower row is `blurred`.\n\nMore.")
    assert alt(*cells) == ["Figure of the section The price. The lower row is blurred."]


@pytest.mark.parametrize("after", ["## Next section", "| a | b |", "$$x$$"])
def test_without_such_a_paragraph_by_the_end_of_the_one_before(after):
    assert alt(text("# A\n\nOld.\n\nOne. Two. Compare the rows."), figure(), text(after)) == ["Figure of the section A. Two. Compare the rows."]


def test_a_description_of_the_notebook_stays_and_a_long_text_is_cut_at_a_sentence():
    assert alt(text("# A"), figure(mystnb={"image": {"alt": "own"}}), text("Other.")) == ["own"]
    (long,) = alt(text("# A"), figure(), text("This is a sentence. " * 50))
    assert 250 < len(long) <= 320 and long.endswith("sentence.")


@pytest.mark.parametrize("path", sorted((ROOT / "chapters").glob("*.ipynb")), ids=lambda path: path.stem)
def test_every_figure_of_a_chapter_has_words_of_its_own(path):
    cells = json.loads(path.read_text())["cells"]
    for cell in cells:
        cell["source"] = "".join(cell["source"])
    notebooks.describe_figures(cells)
    found = [cell["metadata"]["mystnb"]["image"]["alt"] for cell in cells if "mystnb" in cell["metadata"]]
    assert found and all(len(alt.split(". ", 1)[-1]) > 20 for alt in found), found


def test_a_docstring_becomes_a_list_and_its_marks_stay():
    lines = ["Draws `n` faces.", "", "size: height, *a* power of 2", "    of pixels.", "kind: one of", "    - a", "", ">>> faces(2)", "'x  *y*'"]
    made = ["Draws ``n`` faces.", "", "* **size**: height, \\*a\\* power of 2 of pixels.", "", "* **kind**: one of - a", ""]
    assert docstrings.to_rst(lines) == [*made, ">>> faces(2)", "'x  *y*'", ""]


def test_a_docstring_of_another_package_is_left_out():
    own, of_keras = ast.get_docstring(api.kind("models.vae", "VAE")), "Compute the total loss, validate it, and return it."
    for docstring, left_out in ((own, False), (of_keras, True), ("", True)):
        assert docstrings.skip(None, "class", "compute_loss", SimpleNamespace(docstring=docstring), False, None) == left_out
    assert docstrings.skip(None, "class", "_hidden", SimpleNamespace(docstring=own), True, None)


def test_every_public_name_has_an_entry():
    names, modules = api.public()
    assert names == __import__("gdl")._HOME and modules == __import__("gdl")._MODULES
    for name, home in names.items():
        assert api.summary(home, name)
    assert api.defined("latent")["attribute_vector"] == "latent.vectors" and "kl_divergence" in api.defined("models.losses")


def test_the_pages_have_the_commands_of_the_container():
    """Those of the front page and of the page for instructors are those at the head of the Containerfile."""
    build, grade, lab = re.findall(r"^# {3}docker (.+)$", (ROOT / "Containerfile").read_text(), re.MULTILINE)
    tag = shlex.split(build)[shlex.split(build).index("-t") + 1]
    assert f" {tag} grade " in grade and f" --entrypoint jupyter {tag} lab " in lab and "-p 127.0.0.1:" in lab
    assert f"\ndocker {build}\ndocker {grade}\n" in (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
    assert f"\npodman {build}\npodman {lab}\n" in (ROOT / "site" / "pages" / "index.md").read_text(encoding="utf-8")


ADDRESS = "https://github.com/Ada/faces"
FILES = (*set_address.COPIES, "README.md", "gdl/__init__.py", "chapters/02_vae.ipynb", "chapters/appendix/rmsprop.ipynb")
FILES += ("exercises/02_vae.ipynb", "solutions/02_vae.ipynb", "project/project.ipynb")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    monkeypatch.setattr(set_address, "ROOT", tmp_path)
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["set_address.py", *arguments])
    set_address.main()


def test_one_setting_changes_every_copy_and_goes_back(checkout, monkeypatch):
    before = {name: (checkout / name).read_text() for name in FILES}
    run(monkeypatch, ADDRESS)
    for name in set_address.COPIES:
        assert ADDRESS in (checkout / name).read_text() and "example.org/course" not in (checkout / name).read_text()
    chapter, readme = json.loads((checkout / "chapters/02_vae.ipynb").read_text()), (checkout / "README.md").read_text()
    colab = "https://colab.research.google.com/github/Ada/faces/blob/main/chapters/02_vae.ipynb"
    assert f"]({colab})" in "".join(chapter["cells"][0]["source"])
    version = __import__("gdl").__version__
    for name in (name for name in FILES if name.endswith(".ipynb")):
        (set_up,) = [cell for cell in json.loads((checkout / name).read_text())["cells"] if "set-up" in cell["metadata"].get("tags", [])]
        assert set_up["source"][0].startswith(f'COURSE = "https://ada.github.io/faces/wheel/gdl-{version}-py3-none-any.whl"  #')
    assert f"]({colab.replace('02_vae', '00_faces')})" in readme and "mybinder.org/v2/gh/Ada/faces/main" in readme and "kaggle.com" in readme
    run(monkeypatch, "--check")
    run(monkeypatch, set_address.PLACEHOLDER)
    assert {name: (checkout / name).read_text() for name in FILES} == before


def test_check_names_what_is_not_in_step(checkout, monkeypatch):
    run(monkeypatch, ADDRESS)
    (checkout / "gdl" / "__init__.py").write_text('__version__ = "9.9.9"\n')
    with pytest.raises(SystemExit, match="chapters/02_vae.ipynb"):
        run(monkeypatch, "--check")
    run(monkeypatch)
    run(monkeypatch, "--check")
    assert "gdl-9.9.9-py3" in (checkout / "exercises/02_vae.ipynb").read_text()


def test_the_address_that_git_clones_is_that_of_the_repository(checkout, monkeypatch):
    run(monkeypatch, f"{ADDRESS}.git")
    run(monkeypatch, "--check")
    assert f'Homepage = "{ADDRESS}"' in (checkout / "pyproject.toml").read_text() and ".git/" not in (checkout / "README.md").read_text()


WRONG = ["ada/faces", "http://github.com/ada/faces", "https://github.com", 'https://a.org/"x', "https://github.com/ada"]
WRONG += ["https://github.com/ada/faces/tree/main"]


@pytest.mark.parametrize("address", WRONG)
def test_what_is_no_address_is_refused(checkout, monkeypatch, address):
    with pytest.raises(SystemExit, match="is not the address of a repository"):
        run(monkeypatch, address)


def test_without_github_there_are_no_buttons(tmp_path):
    assert set_address.buttons("https://gitlab.org/ada/faces", "chapters/00_faces.ipynb") == {} and set_address.wheel("https://gitlab.org/a/b") == ""
    line = notebooks.launch(set_address.PLACEHOLDER, "chapters/00_faces.ipynb", "x/00_faces.ipynb")
    assert "http" not in line and "download" in line
    line = notebooks.launch(ADDRESS, "chapters/00_faces.ipynb", "x/00_faces.ipynb")
    assert line.count("chapters/00_faces.ipynb") == 3


def test_pages_in_the_browser_are_linked_from_their_chapters():
    for chapter, page in notebooks.IN_BROWSER.items():
        assert (ROOT / "chapters" / f"{chapter}.ipynb").is_file() and (ROOT / "site" / page / "index.html").is_file()
    assert 'href="../toy/index.html"' in notebooks.launch(set_address.PLACEHOLDER, "chapters/04_gan.ipynb", "x")
    assert "browser" not in notebooks.launch(set_address.PLACEHOLDER, "exercises/04_gan.ipynb", "x")


def test_this_repository_is_in_step_with_its_own_setting(monkeypatch):
    run(monkeypatch, "--check")


def test_a_wheel_address_in_the_solutions_gives_way_to_that_of_a_release():
    from gdl.instructor.bundle import with_address

    source = 'COURSE = "https://a.org/w/gdl-1-py3-none-any.whl"  # x\n'
    cell = {"cell_type": "code", "source": source, "metadata": {"tags": ["set-up"]}, "outputs": []}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    other = "https://b.org/gdl-1-py3-none-any.whl"
    assert with_address(notebook, "x", other).cells[0].source == f'COURSE = "{other}"  # x\n'
    assert with_address(notebook, "x", None).cells[0].source == source
