"""The page for marking in a real browser without a window."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import ROOT
from made_results import sheet
from marked_folder import marked_folder

pytestmark = pytest.mark.slow
TIMEOUT = 60_000  # ms for any one thing, on a machine that is busy


@pytest.fixture(scope="module")
def browser():
    """Chromium without a window."""
    pytest.importorskip("playwright", reason="playwright is not installed")
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None) or pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=TIMEOUT)
        yield browser
        browser.close()


@pytest.fixture
def folder(tmp_path):
    return marked_folder(tmp_path)


@pytest.fixture
def program(folder):
    """`python -m gdl mark` in a process of its own, and the address that it prints."""
    command = [sys.executable, "-m", "gdl", "mark", folder[0], "--submissions", folder[1], "--solutions", folder[2], "--no-browser"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    process.address = process.stdout.readline().split()[-1]
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def page(browser, program):
    """The page, with whatever a script of a student's would have left, and every address that was asked for elsewhere."""
    context = browser.new_context(viewport={"width": 1300, "height": 900})
    yield opened(context, program.address)
    context.close()


def opened(context, address):
    page = context.new_page()
    page.set_default_timeout(TIMEOUT)
    page.asked, page.errors = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.goto(address)
    page.locator("main").wait_for()
    return page


def marks(folder):
    return sorted(row["points"] for row in sheet(folder[0] / "person.csv") if row["question"])


def saved(page):
    page.locator("#state").filter(has_text="Saved").wait_for()


def place(page, words):
    page.locator("#place").filter(has_text=words).wait_for()


def test_marking_with_keys_a_reload_and_a_script_in_an_answer(page, folder, program):
    place(page, "Answer 1 of 3, 3 without points")
    assert "half a point for a reason" in page.locator("#rubric").inner_text()
    assert page.locator("#model math").count() == 1 and "Why is" in page.locator("#text").inner_text()
    assert "Ada" not in page.content() and "1000" not in page.content()
    seen = []
    for number, keys in enumerate(("2", "1.", "0"), 1):
        place(page, f"Answer {number} of 3")
        seen.append(page.locator("#answer").inner_text())
        page.locator("#pictures img").first.wait_for()
        assert page.locator("#pictures img").evaluate_all("all => Promise.all(all.map(one => one.decode().then(() => one.naturalWidth)))") == [40]
        for key in keys:
            page.keyboard.press(key)
        place(page, f"{3 - number} without points")
        page.keyboard.press("Enter")
    page.locator("#state").filter(has_text="All answers to this question have points.").wait_for()
    assert marks(folder) == ["0", "1.5", "2"]
    assert any("<script>window.evil = 1</script>" in text for text in seen) and any("No answer was found" in text for text in seen)
    page.keyboard.press("c")
    page.keyboard.type("One half: 5 <b>points</b>")  # digits in a comment are no points
    page.keyboard.press("Escape")
    saved(page)
    page.keyboard.press("ArrowLeft")
    page.locator("#comments button").filter(has_text="<b>points</b>").wait_for(state="attached")
    page.reload()
    page.locator("main").wait_for()
    place(page, "0 without points")
    checked = []
    for _ in range(3):
        checked.append(page.locator("#points [aria-checked=true]").inner_text())
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(50)
    assert sorted(checked) == ["0", "1.5", "2"]
    page.keyboard.press("?")
    page.locator("#help").get_by_text("next answer without points").wait_for()
    page.keyboard.press("3")  # more than there are, and below the help
    assert marks(folder) == ["0", "1.5", "2"]
    assert [row["comment"] for row in sheet(folder[0] / "person.csv") if row["comment"]] == ["One half: 5 <b>points</b>"]
    assert page.evaluate("window.evil") is None and not page.errors
    assert all(address.startswith(program.address) for address in page.asked)
    assert page.locator("#answer script, #answer img, #answer a, #answer style").count() == 0


def test_two_windows(page, folder, program):
    other = opened(page.context, program.address)
    other.keyboard.press("1")
    saved(other)
    page.evaluate("window.onfocus = null")
    page.keyboard.press("2")  # its window has not seen the 1
    page.locator("#trouble").filter(has_text="marked elsewhere in the meantime, with 1 points").wait_for()
    assert marks(folder) == ["", "", "1"] and page.locator("#points [aria-checked=true]").inner_text() == "1"
    page.keyboard.press("2")
    page.locator("#trouble").wait_for(state="hidden")
    assert marks(folder) == ["", "", "2"]
    other.evaluate("window.dispatchEvent(new Event('focus'))")
    other.locator("#points [aria-checked=true]").filter(has_text="2").wait_for()


def test_a_killed_program(page, folder, program):
    page.keyboard.press("1")
    saved(page)
    program.send_signal(signal.SIGKILL)
    program.wait()
    assert marks(folder) == ["", "", "1"]
    page.evaluate("choose(0)")
    page.locator("#trouble").filter(has_text="The question cannot be read: the program has ended.").wait_for()
    page.keyboard.press("ArrowRight")
    place(page, "Answer 2 of 3")
    page.keyboard.press("2")
    page.locator("#trouble").filter(has_text="Not saved: the program has ended.").wait_for()
    assert "Only this entry is missing there: 2 points" in page.locator("#trouble").inner_text()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    place(page, "Answer 2 of 3")  # nothing more can be entered that would be lost
    assert marks(folder) == ["", "", "1"] and not page.errors


def test_ctrl_c_ends_the_program(program):
    program.send_signal(signal.SIGINT)
    assert program.wait(30) == 0
