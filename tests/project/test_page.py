"""The leaderboard's page: what it says, that nothing of a student is run, and that its headings sort, in a real browser."""

import csv
import shutil

import pytest

from gdl.project import page
from gdl.project.check import Row

JPEG = b"\xff\xd8\xff\xe0 no picture"
EVIL = '"><img src=x onerror="document.title=1"><script>document.title = 2</script>\u202e'


def entry(folder, test=None, **more):
    """An entry as `leaderboard` stores it; without a distance, one that could not be used."""
    found = {"folder": folder, "id": f"id{folder}", "rows": [Row("project.toml", True, "all there")], "failed": "the weights are a pickle"}
    if test is None:
        return found
    numbers = {"test": test, "distance": test - 0.5, "precision": 0.5, "recall": 0.25, "copies": 0.01, "share": 0.7, "share_val": 0.75}
    project = {"name": folder, "task": "recipe", "change": "a hinge loss", "group": "Young", "claims": {"distance": test - 0.5, "share": 0.9}}
    made = {"model": "GAN", "parameters": 12_345, "size": 64, "spent": {"minutes": 90.0, "epochs": 9, "images": 9}}
    return found | project | made | {"failed": "", "numbers": numbers | {"network": "classifier-drawn64", "samples": 1000}} | more


def entries():
    late = entry("e", 9.5, spent={"minutes": 180.0, "epochs": 1, "images": 1}, rows=[Row("budget", False, "180 of 120 minutes")])
    found = [entry("b", 10.0), entry("c"), entry("a", 9.0), entry("d", 2.0, task="own"), late]
    return sorted(found, key=page.order)


def test_the_order_is_that_of_the_test_images_and_own_images_and_failures_are_last():
    assert [one["folder"] for one in entries()] == ["a", "e", "b", "d", "c"]


def test_claims_stand_below_what_was_computed_and_differences_are_red():
    text = page.html_page(entries(), {"gan-drawn64": {"test": 5.0}}, 120, {"ida": JPEG})
    assert text.count("0.900 claimed") == 4 and 'class="num other" data-value="0.7"><bdi>Young</bdi> 0.700 of 0.750<br>' in text
    assert "9.50 claimed" in text and 'other" data-value="9.5"' not in text, "that claim is right"
    assert 'class="num other" data-value="180.0">180.0' in text and 'class="num " data-value="90.0">90.0' in text
    assert "gan-drawn64, the model to beat" in text and "the weights are a pickle" in text
    assert text.count("data:image/jpeg;base64,") == 1 and "http" not in text.replace("http-equiv", "")


def test_numbers_that_are_compared_have_as_many_digits():
    rows = [entry("a", 1.099), entry("b", 1.1248, numbers={"test": 1.1248, "copies": 0.0, "recall": 0.28}), entry("c", 123.4), entry("d", 12345.6)]
    text = page.html_page(rows, {}, 120, {})
    for value, shown in ((1.099, "1.10"), (1.1248, "1.12"), (0.0, "0.00"), (0.28, "0.280"), (123.4, "123"), (12345.6, "12,346")):
        assert f'data-value="{value}">{shown}<' in text


def test_what_students_write_is_text():
    text = page.html_page([entry(EVIL, 3.0, id="0123", change=EVIL)], {}, 120, {})
    assert "<img src=x" not in text and "\u202e" not in text
    assert text.count("<script>") == 1, "the page's own, whose hash is in its policy"


def test_the_csv_file_has_the_same_numbers_and_no_formula(tmp_path):
    page.write_csv(tmp_path / "a.csv", [*entries(), entry("f", 4.0, name="=1+1")])
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()))
    assert [row["rank"] for row in rows] == ["1", "", "2", "", "", "3"], "none above the budget"
    assert rows[0]["test"] == "9.0" and rows[0]["claimed_share"] == "0.9" and rows[0]["minutes"] == "90.0" and rows[0]["change"] == "a hinge loss"
    assert rows[4]["failed"] == "the weights are a pickle" and rows[4]["test"] == ""
    assert rows[5]["name"] == "'=1+1"


@pytest.mark.slow
def test_the_table_sorts_in_a_browser_without_a_network(tmp_path):
    pytest.importorskip("playwright", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None) or pytest.skip(f"no browser: none of {', '.join(names)} is on the PATH")
    from playwright.sync_api import sync_playwright

    found = [*entries(), entry(EVIL, 50.0, id="evil")]
    (tmp_path / "index.html").write_text(page.html_page(found, {"gan-drawn64": {"test": 5.0}}, 120, {}))
    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=120_000)
        try:
            opened = browser.new_page(viewport={"width": 1300, "height": 900})
            asked, errors = [], []
            opened.on("request", lambda request: asked.append(request.url))
            opened.on("console", lambda message: errors.append(message.text))
            opened.goto((tmp_path / "index.html").as_uri())

            def names():
                return [name[:1] for name in opened.locator("tbody tr td:nth-child(2)").all_inner_texts()]

            before = names()
            opened.get_by_role("button", name="distance to test").click()
            assert names() == ["d", "g", "a", "e", "b", '"', "c"] and before != names()
            opened.get_by_role("button", name="distance to test").click()
            assert names() == ['"', "b", "e", "a", "g", "d", "c"], "the other way round; without a number always last"
            opened.get_by_role("button", name="name").click()
            assert [name for name in names() if name.isalpha()] == ["a", "b", "c", "d", "e", "g"]
            assert opened.title() == "Leaderboard" and not errors and len(asked) == 1
            assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out at the side"
            opened.screenshot(path=tmp_path / "page.png", full_page=True)
        finally:
            browser.close()
