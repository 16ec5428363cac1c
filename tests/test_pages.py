"""chapters/build.py: executes a notebook, keeps it with its outputs, and knows when nothing has changed."""

import base64
import importlib.util
import io
import re
import sys

import nbformat
import pytest
from conftest import ROOT
from PIL import Image

pytestmark = pytest.mark.slow  # kernels
BUILD = ROOT / "chapters" / "build.py"
SLIDER = ROOT / "tests" / "programs" / "slider_with_picture.py"
FIRST = "# 00 · A test\n\n![picture](attachment:finished.png) with $\\hat x$, `$HOME` and\n\n$$a^2$$"
PICTURE = "import matplotlib.pyplot as plt\nprint('drawing')\nplt.plot([1, 2])\nplt.show()"


@pytest.fixture
def build(tmp_path, monkeypatch):
    """The module build.py with its folders moved to a temporary place and one small chapter there."""
    spec = importlib.util.spec_from_file_location("build", BUILD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CHAPTERS", tmp_path)
    monkeypatch.setattr(module, "EXECUTED_HERE", tmp_path / "kept")
    monkeypatch.setattr(module, "EXECUTED", tmp_path / "executed.txt")
    monkeypatch.setenv("GDL_PROFILE", "smoke")
    monkeypatch.setenv("GDL_RUNS", "kept")  # main sets it: put back afterwards
    write_chapter(tmp_path, PICTURE)
    return module


def write_chapter(folder, code):
    picture = nbformat.v4.new_code_cell(code, metadata={"tags": ["finished-picture"]})
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(FIRST), picture]), folder / "00_test.ipynb")


def run(build, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["build.py", *arguments])
    with pytest.raises(SystemExit) as end:
        build.main()
    return end.value.code


def kept(tmp_path, name="00_test"):
    return nbformat.read(tmp_path / "kept" / f"{name}.ipynb", 4)


def test_an_executed_chapter_is_kept_with_its_pictures_and_is_made_once(build, monkeypatch, capsys, tmp_path):
    assert run(build, monkeypatch) == 0
    first, picture = kept(tmp_path).cells
    assert picture.outputs[0].text == "drawing\n"
    assert first.attachments["finished.png"]["image/png"] == picture.outputs[1].data["image/png"], "in its place and at the head of the chapter"
    assert "done" in capsys.readouterr().out
    assert not nbformat.read(tmp_path / "00_test.ipynb", 4).cells[1].outputs, "the notebook itself is left alone"

    assert run(build, monkeypatch) == 0
    assert "00_test: up to date" in capsys.readouterr().out
    write_chapter(tmp_path, PICTURE.replace("drawing", "again"))
    assert run(build, monkeypatch) == 0
    assert "up to date" not in capsys.readouterr().out
    assert kept(tmp_path).cells[1].outputs[0].text == "again\n"


def test_write_puts_outputs_into_the_notebook(build, monkeypatch, tmp_path):
    assert run(build, monkeypatch, "--write") == 0
    notebook = nbformat.read(tmp_path / "00_test.ipynb", 4)
    first, picture = notebook.cells
    assert (tmp_path / "executed.txt").read_text() == f"00_test {build.code_hash(notebook)}\n"
    assert picture.outputs[0].text == "drawing\n"
    assert first.attachments["finished.png"]["image/png"] == picture.outputs[1].data["image/png"]


def test_a_notebook_that_would_be_too_large_gets_pictures_of_256_colours(build, monkeypatch, tmp_path):
    noise = "import matplotlib.pyplot as plt, numpy as np\nplt.imshow(np.random.default_rng(0).random((400, 400, 3)))\nplt.show()"
    write_chapter(tmp_path, noise)
    assert run(build, monkeypatch, "--write") == 0
    whole = (tmp_path / "00_test.ipynb").stat().st_size
    monkeypatch.setattr(build, "LIMIT", whole // 2)
    assert run(build, monkeypatch, "--write") == 0
    first, picture = nbformat.read(tmp_path / "00_test.ipynb", 4).cells
    modes = [
        Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).mode for data in (first.attachments["finished.png"], picture.outputs[0].data)
    ]
    assert modes == ["P", "P"] and (tmp_path / "00_test.ipynb").stat().st_size < 0.6 * whole


def test_progress_bars_are_stored_without_their_times(build, monkeypatch, tmp_path):
    bars = """import sys
from tqdm import tqdm
for results in ({}, {"loss": 1.5}):
    with tqdm(total=2, unit="batch", file=sys.stdout) as bar:
        bar.update(2)
        bar.set_postfix(results)
print("[1:00<2:00] []")"""
    write_chapter(tmp_path, bars)
    assert run(build, monkeypatch, "--write") == 0
    text = "".join(output.text for output in nbformat.read(tmp_path / "00_test.ipynb", 4).cells[1].outputs)
    assert re.search(r"2/2 *\n", text) and "2/2 [loss" in text and "batch/s" not in text
    assert "[1:00<2:00] []" in text, "what is not a bar is left alone"


def test_widgets_are_replaced_by_their_picture(build, monkeypatch, tmp_path):
    pytest.importorskip("ipywidgets", "8.0", reason="ipywidgets is not installed")
    write_chapter(tmp_path, SLIDER.read_text())
    assert run(build, monkeypatch, "--write") == 0
    notebook = nbformat.read(tmp_path / "00_test.ipynb", 4)
    assert set(notebook.cells[1].outputs[0].data) == {"image/png", "text/plain"}
    assert "widgets" not in notebook.metadata
    assert set(kept(tmp_path).cells[1].outputs[0].data) == {"image/png", "text/plain"}


def test_a_failing_chapter_is_reported_and_never_up_to_date(build, monkeypatch, capsys, tmp_path):
    assert run(build, monkeypatch) == 0
    write_chapter(tmp_path, "1 / 0")
    for _ in range(2):
        assert run(build, monkeypatch) == 1
        assert "00_test: stopped with ZeroDivisionError: division by zero" in capsys.readouterr().out


def test_appendices_come_after_the_chapters_and_run_in_their_own_folder(build, monkeypatch, capsys, tmp_path):
    (tmp_path / "appendix").mkdir()
    cells = [nbformat.v4.new_markdown_cell("# Appendix · More"), nbformat.v4.new_code_cell("import os; print(os.getcwd())")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "appendix" / "more.ipynb")
    assert run(build, monkeypatch) == 0
    assert re.findall(r"^(\w+): done", capsys.readouterr().out, re.MULTILINE) == ["00_test", "more"]
    assert str(tmp_path / "appendix") in kept(tmp_path, "more").cells[1].outputs[0].text
    assert run(build, monkeypatch, "more", "--write") == 0
    assert "appendix" in nbformat.read(tmp_path / "appendix" / "more.ipynb", 4).cells[1].outputs[0].text


def test_an_unknown_chapter_is_refused(build, monkeypatch):
    assert "the chapters are 00_test" in run(build, monkeypatch, "99")
