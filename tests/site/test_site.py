"""The site: built without network from the repository alone, and every page opened in a real browser without a window."""

import functools
import html.parser
import http.server
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow
TIMEOUT = 300  # seconds for any one thing, on a machine that is busy
WIDTHS = (390, 820, 1440)
LOOKED_AT = ("index.html", "chapters/02_vae.html", "exercises/06_wgan_gp.html", "results/gan_64.html", "api/models.html", "docs/models.html")
KIND = {"a": "href", "link": "href", "img": "src", "script": "src"}
FORMULAS = """() => {
    const all = [...document.querySelectorAll('.math')];
    return {all: all.length, drawn: all.filter(math => math.querySelector('.katex')).length,
            wrong: [...document.querySelectorAll('.katex-error')].map(math => math.title)};
}"""
MISSING = """() => Promise.all([...document.images].map(async image => {
    image.loading = 'eager';
    await image.decode().catch(() => null);
    return image.naturalWidth ? null : image.src;
})).then(all => all.filter(Boolean))"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the site, built with the network cut off where this machine allows that."""
    for name in ("sphinx", "myst-nb", "sphinx-autoapi", "sphinx-book-theme", "sphinx-copybutton", "sphinx-design"):
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("site") / "html"
    cut = ["unshare", "--net", "--map-root-user"]
    command = [sys.executable, str(ROOT / "site" / "build.py"), "--out", str(folder)]
    offline = shutil.which("unshare") and subprocess.run([*cut, "true"], capture_output=True).returncode == 0
    done = subprocess.run([*cut, *command] if offline else command, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page of the site, by its path in it. The pages that run in the browser have tests of their own."""
    paths = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [path for path in paths if not path.startswith(("_static/", "faces/", "toy/"))]


class Page(html.parser.HTMLParser):
    """The ids, the links and the pictures of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images, self.text = set(), [], [], ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids |= {attrs.get("id"), attrs.get("name")}
        if attrs.get(KIND.get(tag)):
            self.links.append((tag, attrs[KIND[tag]]))
        if tag == "img":
            self.images.append(attrs)


@pytest.fixture(scope="module")
def parsed(site, pages):
    return {name: Page(site / name) for name in pages}


def test_every_internal_link_and_anchor_is_alive(site, parsed):
    dead = []
    for name, page in parsed.items():
        for _, link in page.links:
            target = urllib.parse.urlsplit(link)
            if target.scheme or target.netloc:
                continue
            path = (site / name).parent / urllib.parse.unquote(target.path) if target.path else site / name
            path = Path(os.path.normpath(path))
            other = parsed.get(path.relative_to(site).as_posix()) if path.is_relative_to(site) else None
            fragment = urllib.parse.unquote(target.fragment)
            if not path.is_file() or (fragment and other and fragment not in other.ids):
                dead.append(f"{name}: {link}")
    assert not dead, dead


def test_nothing_is_loaded_from_another_host(parsed):
    loaded = [(name, link) for name, page in parsed.items() for tag, link in page.links if tag in ("img", "script") and "//" in link]
    styles = [(name, link) for name, page in parsed.items() for tag, link in page.links if tag == "link" and "//" in link]
    assert not loaded and not styles


def test_every_figure_has_a_description(parsed):
    icons = ("_static/icon.png",)  # of the theme, beside the name of the course
    without = [(name, image["src"]) for name, page in parsed.items() for image in page.images if not image.get("alt")]
    assert not [(name, src) for name, src in without if not src.endswith(icons)]
    names = [(name, image["alt"]) for name, page in parsed.items() for image in page.images if re.search(r"\.(png|jpg)$", image.get("alt") or "")]
    assert not names, "a file's name is no description"


def test_every_chapter_exercise_model_and_result_has_a_page(pages):
    patterns = ("chapters/**/*.ipynb", "exercises/*.ipynb", "gdl/shipped/*.md", "results/*.md")
    expected = {path.relative_to(ROOT).with_suffix(".html").as_posix() for pattern in patterns for path in ROOT.glob(pattern)}
    assert len(expected) > 50 and not expected - set(pages)


def test_no_answer_and_no_hidden_test_is_on_the_site(site, parsed):
    def words(text):
        return "".join(text.split())

    shown = {name: words(page.text) for name, page in parsed.items()}
    shown |= {path.name: words("".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])) for path in site.rglob("*.ipynb")}
    everything = "".join(shown.values())
    for path in (ROOT / "solutions").glob("*.ipynb"):
        sources = ["".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]]
        hidden = [part for source in sources for part in re.findall(r"### BEGIN HIDDEN TESTS\n(.*?)### END", source, re.DOTALL)]
        answers = [part for source in sources for part in re.findall(r"### BEGIN SOLUTION\n(.*?)### END", source, re.DOTALL)]
        visible = next(source for source in sources if source.startswith("with check(")).partition("### BEGIN")[0]
        assert words(visible) in shown[f"exercises/{path.stem}.html"], "what is there is found"
        assert hidden and answers and not [part for part in hidden + answers if len(words(part)) > 120 and words(part) in everything]
    assert not [path for path in site.rglob("*") if "solution" in path.name.lower() or path.suffix == ".npz"]


def test_a_chapter_shows_the_outputs_that_are_committed(site, parsed):
    notebook = json.loads((ROOT / "chapters" / "02_vae.ipynb").read_text())
    pictures = [o for cell in notebook["cells"] for o in cell.get("outputs", []) if "image/png" in o.get("data", {})]
    shown = [image for image in parsed["chapters/02_vae.html"].images if "_images/" in image["src"]]
    assert len(shown) == len(pictures) + 1, "and the finished picture"
    line = next(o["text"][0] for cell in notebook["cells"] for o in cell.get("outputs", []) if o["output_type"] == "stream").strip()
    assert line[:40] in (site / "chapters" / "02_vae.html").read_text()


def test_the_notebook_to_download_is_the_chapter_without_outputs(site):
    (path,) = [path for path in (site / "_downloads").rglob("02_vae.ipynb") if "finished.png" in path.read_text()]
    cells, own = (json.loads(p.read_text())["cells"] for p in (path, ROOT / "chapters" / "02_vae.ipynb"))
    assert ["".join(cell["source"]) for cell in cells] == ["".join(cell["source"]) for cell in own]
    assert not [cell for cell in cells if cell.get("outputs")]


def test_a_public_name_has_its_shapes_its_example_and_its_source(parsed):
    page = parsed["api/models.html"]
    assert "gdl.models.vae.VAE" in page.ids and ">>> vae.generate(3, seed=0).shape\n(3, 16, 16, 3)" in page.text
    assert "beta: weight of the KL (Higgins et al. 2017)." in page.text
    assert ("a", "../source/gdl-models.html#source-gdl-models-vae") in parsed["gdl/README.html"].links


def test_the_site_is_small(site):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < 60e6, f"{size / 1e6:.0f} MB"


def test_the_german_page_is_german_and_its_links_lead_to_the_others(site, parsed):
    page = (site / "de" / "start.html").read_text()
    assert '<html lang="de"' in page and "Lösen Sie die Aufgaben" in page and "This course teaches" not in page
    assert ("a", "../chapters/00_faces.html") in parsed["de/start.html"].links
    assert ("a", "de/start.html") in parsed["start.html"].links and ("a", "../start.html") in parsed["de/start.html"].links


@pytest.fixture(scope="module")
def browser():
    pytest.importorskip("playwright", reason="playwright is not installed")
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=1000 * TIMEOUT)
        yield browser
        browser.close()


def opened(browser, width=1440, **options):
    """A tab, and the list of everything that goes wrong in it."""
    tab = browser.new_page(viewport={"width": width, "height": 1000}, **options)
    tab.set_default_timeout(1000 * TIMEOUT)
    wrong = []
    tab.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("requestfailed", lambda request: wrong.append(f"{request.failure}: {request.url}") if request.failure != "net::ERR_ABORTED" else None)
    tab.on(
        "request", lambda request: wrong.append(f"elsewhere: {request.url}") if not re.match(r"file:|data:|blob:|http://127", request.url) else None
    )
    return tab, wrong


def test_every_page_opens_from_the_folder_with_its_figures_and_formulas(site, pages, browser):
    tab, wrong = opened(browser)
    problems, formulas = {}, 0
    for name in pages:
        tab.goto((site / name).as_uri(), wait_until="load")
        found = tab.evaluate(FORMULAS)
        formulas += found["drawn"]
        missing = tab.evaluate(MISSING)
        if wrong or missing or found["wrong"] or found["drawn"] < found["all"]:
            problems[name] = [*wrong, *missing, found]
        wrong.clear()
    tab.close()
    assert not problems, problems
    assert formulas > 500


def violations(axe, tab, address, **options):
    """The serious and critical violations of axe-core's rules on a page: rule -> the first elements."""
    tab.goto(address, wait_until="load")
    tab.wait_for_function("document.getAnimations().every(animation => animation.playState !== 'running')")  # colours that are fading in
    found = axe.run(tab, options={"resultTypes": ["violations"], **options}).response["violations"]
    return {rule["id"]: [node["html"][:150] for node in rule["nodes"][:3]] for rule in found if rule["impact"] in ("serious", "critical")}


@pytest.fixture(scope="module")
def axe():
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed").Axe()


def test_no_page_violates_a_serious_rule_for_accessibility(site, pages, browser, axe):
    """Contrast is left to the next test, because it takes half a minute on a page with much code."""
    tab, _ = opened(browser)
    options = {"rules": {"color-contrast": {"enabled": False}}}
    problems = {name: violations(axe, tab, (site / name).as_uri(), **options) for name in pages if not name.startswith("source/")}
    tab.close()
    assert not any(problems.values()), {name: found for name, found in problems.items() if found}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_sufficient_in_both_modes(site, browser, axe, scheme):
    tab, _ = opened(browser, color_scheme=scheme)
    problems = {name: violations(axe, tab, (site / name).as_uri(), runOnly=["color-contrast"]) for name in LOOKED_AT}
    tab.close()
    assert not any(problems.values()), problems


def test_axe_finds_what_is_wrong(browser, axe, tmp_path):
    """The tests above can fail."""
    (tmp_path / "bad.html").write_text("<!doctype html><html lang='en'><title>x</title><main><img src='x.png'><p style='color: #ccc'>pale</p></main>")
    tab, _ = opened(browser)
    found = violations(axe, tab, (tmp_path / "bad.html").as_uri())
    tab.close()
    assert {"image-alt", "color-contrast"} <= set(found)


@pytest.mark.parametrize("width", WIDTHS)
def test_pages_fit_a_phone_a_tablet_and_a_desk(site, pages, browser, width, tmp_path):
    tab, wrong = opened(browser, width)
    wide = {}
    for name in pages if width == min(WIDTHS) else LOOKED_AT:
        tab.goto((site / name).as_uri(), wait_until="load")
        if tab.evaluate("document.documentElement.scrollWidth") > width:
            wide[name] = tab.evaluate("document.documentElement.scrollWidth")
        if name in LOOKED_AT:
            assert tab.evaluate("parseFloat(getComputedStyle(document.querySelector('.bd-article p')).fontSize)") >= 16, name
            tab.screenshot(path=tmp_path / f"{name.replace('/', '_')}_{width}.png")  # to be looked at
    tab.close()
    assert not wide and not wrong, (wide, wrong)


@pytest.fixture(scope="module")
def address(site):
    """The site from a server on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_search_finds_the_gradient_penalty(address, browser):
    tab, wrong = opened(browser)
    tab.goto(f"{address}/search.html?q=gradient+penalty")
    found = tab.locator("ul.search li a")
    found.first.wait_for()
    tab.wait_for_function("!document.querySelector('#search-progress') || !document.querySelector('#search-progress').textContent.includes('...')")
    links = [link.get_attribute("href").split("?")[0].split("#")[0] for link in found.all()]
    tab.close()
    assert "chapters/06_wgan_gp.html" in links[:5] and any(link.startswith("api/models") for link in links), links[:10]
    assert not wrong


def test_search_works_from_the_folder(site, browser):
    tab, _ = opened(browser)
    tab.goto(f"{(site / 'search.html').as_uri()}?q=gradient+penalty")
    tab.locator("ul.search li a").first.wait_for()
    tab.close()


def test_the_keyboard_reaches_search_content_and_the_next_page(address, browser):
    tab, _ = opened(browser)  # a page that is left stops its requests
    tab.goto(f"{address}/chapters/06_wgan_gp.html")
    tab.keyboard.press("Tab")
    assert "skip" in tab.evaluate("document.activeElement.textContent").lower()
    tab.keyboard.press("Enter")
    assert "main-content" in tab.url
    tab.keyboard.press("Control+k")
    tab.wait_for_function("document.activeElement.matches('input[type=search]')")
    tab.keyboard.type("sharpening")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/search.html?*")
    tab.goto(f"{address}/chapters/06_wgan_gp.html")
    tab.locator("a.right-next").focus()
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/07_sharpening.html")
    tab.close()


def test_dark_mode_can_be_chosen_and_stays(address, browser):
    tab, _ = opened(browser, color_scheme="light")
    tab.goto(f"{address}/index.html")
    background = "getComputedStyle(document.body).backgroundColor"
    light = tab.evaluate(background)
    tab.locator("button.theme-switch-button:visible").first.click()
    tab.locator("button.theme-change-button[data-mode=dark]:visible").first.click()
    assert tab.evaluate(background) != light
    tab.goto(f"{address}/chapters/00_faces.html")
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.close()


def test_a_chapter_prints_with_its_figures_and_formulas(site, browser, parsed, tmp_path):
    import pdf

    pdf.print_page(browser, site / "chapters" / "06_wgan_gp.html", tmp_path / "chapter.pdf")
    printed = (tmp_path / "chapter.pdf").read_bytes()
    figures = {image["src"] for image in parsed["chapters/06_wgan_gp.html"].images if "_images/" in image["src"]}
    assert printed.startswith(b"%PDF") and len(re.findall(rb"/Subtype\s*/Image", printed)) >= len(figures) > 5
    assert pdf.BOOK.format(version=pdf.course_version()).count("```") == 4
    assert b"KaTeX_Main" in printed and b"KaTeX_Math" in printed and b"/Outlines" in printed
