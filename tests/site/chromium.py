"""Static pages of the course in the machine's own Chromium, opened from their folder as a reader opens them."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

TIMEOUT = 120  # seconds for any one thing, on a machine that is busy
NAMES = ("chromium", "chromium-browser", "google-chrome")


@contextmanager
def running() -> Iterator[Any]:
    """A browser without a window. Skips the test where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, NAMES)), None) or pytest.skip(f"no browser: none of {', '.join(NAMES)} is on the PATH")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=program, args=["--no-sandbox"], timeout=1000 * TIMEOUT)  # root needs it
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser: Any, path: Path, **options: Any) -> Iterator[Any]:
    """The page of an HTML file. Afterwards nothing must have gone wrong in it: no error, no failed request, none to another host."""
    page = browser.new_page(**{"viewport": {"width": 1440, "height": 900}} | options)
    page.set_default_timeout(1000 * TIMEOUT)
    problems, requests = [], []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("requestfailed", lambda request: problems.append(f"{request.url} failed"))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    try:
        yield page
        assert not problems
        assert all(url.startswith(("file:", "data:", "blob:")) for url in requests), requests
    finally:
        page.close()
