"""The explorer and the turning map in a real JupyterLab, in a real browser without a window."""

import base64
import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

pytestmark = pytest.mark.slow
TIMEOUT = 120  # seconds for any one thing, on a machine that is busy
TOKEN = "test"
WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the notebook."""
    folder = tmp_path_factory.mktemp("browser")
    (folder / "notebooks").mkdir()
    write_program("explorer_and_map", folder / "notebooks" / "test.ipynb")
    return folder


def write_program(name, path):
    """A program of tests/programs as a notebook, its cells divided by # %%, each of which begins with the cell's title."""
    sources = (ROOT / "tests" / "programs" / f"{name}.py").read_text().split("# %% ")[1:]
    cells = [nbformat.v4.new_code_cell(f"# {source.strip()}") for source in sources]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), path)


@pytest.fixture(scope="module")
def program():
    """The browser of this machine."""
    for name in ("jupyterlab", "ipywidgets", "plotly", "playwright"):
        pytest.importorskip(name, reason=f"{name} is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    browser = next(filter(None, map(shutil.which, names)), None)
    return browser or pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")


@pytest.fixture(scope="module")
def server(folder, program):
    """The address of a JupyterLab server that keeps its files in the folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
    own |= {f"JUPYTERLAB_{kind}_DIR": str(folder / kind) for kind in ("SETTINGS", "WORKSPACES")}
    settings = folder / "SETTINGS" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    options = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.open_browser": False,
        "ServerApp.allow_root": True,
        "ServerApp.root_dir": folder / "notebooks",
        "IdentityProvider.token": TOKEN,
        "LabApp.expose_app_in_browser": True,
    }
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in options.items())]
    environment = {**os.environ, **own, "IPYTHONDIR": str(folder / "ipython"), "CUDA_VISIBLE_DEVICES": "-1"}
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        give_up = time.monotonic() + TIMEOUT
        while not answers(f"{address}/api?token={TOKEN}"):
            assert process.poll() is None and time.monotonic() < give_up, (folder / "server.log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(60)  # it ends the kernel too
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(address):
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def page(server, program):
    """The notebook in the browser, all its cells run."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        arguments = ["--no-sandbox", "--enable-unsafe-swiftshader"]  # root needs the first, WebGL without a GPU the second
        browser = running.chromium.launch(executable_path=program, args=arguments, timeout=1000 * TIMEOUT)
        try:
            page = browser.new_page(viewport={"width": 1300, "height": 1400})
            page.set_default_timeout(1000 * TIMEOUT)
            open_notebook(page, server, "test.ipynb")
            page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
            page.locator(".js-plotly-plot canvas").first.wait_for()  # the last cell has run
            yield page
        finally:
            browser.close()


def open_notebook(page, server, name):
    page.goto(f"{server}/lab/tree/{name}?token={TOKEN}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.wait_for_function("window.jupyterapp.shell.currentWidget?.sessionContext?.isReady")


@pytest.fixture(autouse=True)
def screenshot(page, folder, request):
    """What the page looks like after each test, to be looked at."""
    yield
    page.screenshot(path=folder / f"{request.node.name}.png")


def picture(page):
    """The pixels of the face in the page, each of its 32x32 once."""
    code = """async image => {
        const bytes = new Uint8Array(await (await fetch(image.src)).arrayBuffer());
        return btoa(String.fromCharCode(...bytes));
    }"""
    data = page.locator(".jp-OutputArea .widget-image").evaluate(code)
    pixels = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))
    assert pixels.shape == (256, 256, 3)
    return pixels[::8, ::8]


def face_of(red, green):
    """The picture of a code, worked out by hand."""
    face = np.zeros((32, 32, 3))
    face[..., :2] = np.clip(0.5 + 0.1 * np.array([red, green]), 0, 1)
    face[..., 2] = np.arange(32) / 31
    return np.rint(255 * face)


CODES = np.random.default_rng(3).standard_normal((2, 2))  # of the first face and of another


def shows(page, face):
    """Waits until the page shows this face."""
    page.locator(".jp-OutputArea .widget-image").wait_for()
    give_up = time.monotonic() + TIMEOUT
    while np.abs(picture(page) - face).max() > 1:
        assert time.monotonic() < give_up, f"shown {picture(page)[0, 0]}, expected {face[0, 0]}"
        page.wait_for_timeout(50)


def test_the_face_follows_a_slider(page):
    shows(page, face_of(*CODES[0]))
    page.locator(".noUi-handle").nth(1).focus()  # Green
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    page.locator(".widget-readout").nth(1).filter(has_text="1.2").wait_for()
    shows(page, face_of(CODES[0, 0], CODES[0, 1] + 1.2))


def test_the_mouse_moves_a_slider(page):
    handle, track = page.locator(".noUi-handle").first, page.locator(".noUi-base").first  # Red
    ends = track.bounding_box()
    handle.drag_to(track, target_position={"x": ends["width"] - 1, "y": ends["height"] / 2})
    red = float(page.locator(".widget-readout").first.inner_text())
    assert red > 2
    shows(page, face_of(CODES[0, 0] + red, CODES[0, 1] + 1.2))


def test_the_buttons_bring_another_face_and_the_sliders_back(page):
    page.get_by_role("button", name="Reset", exact=True).click()
    shows(page, face_of(*CODES[0]))
    page.get_by_role("button", name="Another face").click()
    shows(page, face_of(*CODES[1]))


def test_the_map_turns(page):
    plot = page.locator(".js-plotly-plot")
    assert plot.locator(".legendtext").all_text_contents() == ["one", "two", "three"]
    camera = "plot => plot._fullLayout.scene._scene.getCamera().eye"
    eye, before = plot.evaluate(camera), plot.screenshot()
    area = plot.bounding_box()
    x, y = area["x"] + 300, area["y"] + 260
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 20, steps=8)
    page.mouse.up()
    page.wait_for_function(f"eye => ({camera})(document.querySelector('.js-plotly-plot')).x !== eye.x", arg=eye)
    after = plot.screenshot()
    pixels = [np.asarray(Image.open(io.BytesIO(shot)).convert("L"), int) for shot in (before, after)]
    assert (np.abs(pixels[0] - pixels[1]) > 50).mean() > 0.005, "the points are elsewhere"


def test_a_chapter_as_it_is_committed_shows_the_stills(page, server, folder):
    """Saved, its widgets taken out as `make outputs` does, and opened without running it."""
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    saved = nbformat.read(folder / "notebooks" / "test.ipynb", 4)
    assert WIDGET in saved.cells[1].outputs[0].data
    del saved.cells[1].outputs[0].data[WIDGET]
    nbformat.write(saved, folder / "notebooks" / "opened.ipynb")
    open_notebook(page, server, "opened.ipynb")
    still = page.locator(".jp-RenderedImage img").first
    still.wait_for()
    assert still.evaluate("image => image.decode().then(() => image.naturalWidth)") > 300
    assert not page.locator(".jupyter-widgets").count()


def test_the_buttons_of_a_conditional_model_say_what_it_is_told(page, server, folder):
    write_program("explorer_of_conditions", folder / "notebooks" / "told.ipynb")
    open_notebook(page, server, "told.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    red, green = CODES[0]
    shows(page, face_of(red, green))
    chosen = page.locator(".widget-toggle-button.mod-active")
    assert chosen.all_inner_texts() == ["-", "-"]

    def tell(name, word):
        row = page.locator(".widget-hbox").filter(has=page.locator(".widget-label", has_text=name)).last  # the first holds the whole explorer
        assert row.get_by_role("button").all_inner_texts() == ["no", "-", "yes"]
        label, button = (part.bounding_box() for part in (row.locator(".widget-label", has_text=name), row.get_by_role("button").first))
        assert abs(label["y"] - button["y"]) < 10 and label["x"] + label["width"] <= button["x"], "the name stands beside its buttons"
        row.get_by_role("button", name=word, exact=True).click()

    for word, change in (("yes", 2), ("no", -2), ("-", 0), ("yes", 2)):
        tell("Smiling", word)
        shows(page, face_of(red + change, green))
    tell("Male", "no")
    shows(page, face_of(red + 2, green - 2))
    assert chosen.all_inner_texts() == ["yes", "no"]
    page.get_by_role("button", name="Another face").click()
    shows(page, face_of(*(CODES[1] + [2, -2])))
    page.get_by_role("button", name="Reset", exact=True).click()
    shows(page, face_of(*CODES[1]))
    assert chosen.all_inner_texts() == ["-", "-"]


def test_an_exercise_as_a_student_does_it(page, server, folder):
    """Unfolds a hint, answers the first question, runs everything, and reads the ticks."""
    name = "05_wgan.ipynb"
    shutil.copy(ROOT / "exercises" / name, folder / "notebooks" / name)
    cells = nbformat.read(folder / "notebooks" / name, 4).cells
    place = {cell.metadata.get("nbgrader", {}).get("grade_id"): number for number, cell in enumerate(cells)}
    answer = next(
        cell.source for cell in nbformat.read(ROOT / "solutions" / name, 4).cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "q1"
    )
    open_notebook(page, server, name)

    def go_to(number):
        page.evaluate(
            "number => { const all = jupyterapp.shell.currentWidget.content; all.activeCellIndex = number; return all.scrollToItem(number); }", number
        )
        return page.locator(".jp-Cell.jp-mod-active")

    question = go_to(place["q1"] - 1)
    hint = question.locator("details").first
    inside = hint.locator("p").first
    assert not inside.is_visible()
    hint.locator("summary").click()
    inside.wait_for(state="visible")
    page.screenshot(path=folder / "hint.png")

    go_to(place["q1a"]).locator(".cm-content").click()
    page.keyboard.insert_text("a check is not changed by accident")
    go_to(place["q1"]).locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(answer)
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells')")
    page.evaluate("jupyterapp.commands.execute('docmanager:save')")
    ran = nbformat.read(folder / "notebooks" / name, 4).cells
    assert ran[place["q1"]].source == answer
    assert ran[place["q1a"]].source == cells[place["q1a"]].source
    outputs = [output for cell in ran for output in cell.get("outputs", [])]
    assert not any(output.output_type == "error" for output in outputs)
    printed = {name: "".join(output.get("text", "") for output in ran[number].get("outputs", [])) for name, number in place.items() if name}
    assert printed["q1a"].startswith("✓") and "✗" not in printed["q1a"]
    others = [text for name, text in printed.items() if name[0] == "q" and name[1:2] not in ("", "1") and text]
    assert len(others) >= 8 and all("not answered yet" in text for text in others)
    go_to(place["q1a"])
