"""Prints the whole course as one PDF, with the browser of this machine: chapters, appendices, exercises, models and results.

python site/pdf.py            dist/course.pdf
python site/pdf.py FILE
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import build  # also makes tools/ importable
from builder import ROOT

from set_address import course_version  # isort: skip

BOOK = """# Generative deep learning with faces

```{{image}} /docs/gan_faces.png
:alt: 24 faces of people who do not exist, some sharp and some distorted
:class: hero
```

Version {version}. Code: MIT. Text and figures: CC BY 4.0. The models of photographs: non-commercial research only.

```{{toctree}}
:glob:

start
chapters/[0-9]*
chapters/appendix/*
exercises/[0-9]*
docs/models
results/[a-z]*_*
cite
```
"""
LEFT_OUT = ("index.md", "chapters/index.md", "exercises/index.md", "results/index.md", "experiments.md", "api", "source")
LEFT_OUT += ("usage.md", "instructors.md", "changelog.md", "contributing.md", "translating.md", "licence.md", "gdl/README.md", "project")
FOOTER = '<div style="font-size: 8pt; width: 100%; text-align: center"><span class="pageNumber"></span></div>'
LATE = "Promise.all([...document.images].map(image => (image.loading = 'eager', image.decode().catch(() => null))))"


def main():
    parser = argparse.ArgumentParser(description="Prints the whole course as one PDF.")
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "dist" / "course.pdf", help="the default is dist/course.pdf")
    options = parser.parse_args()
    options.file.parent.mkdir(parents=True, exist_ok=True)
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if not program:
        sys.exit(f"Printing needs a browser: install chromium. None of {', '.join(names)} is on the PATH.")
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        page = book(Path(folder))
        browser = running.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            print_page(browser, page, options.file)
        finally:
            browser.close()
    print(f"{options.file}: {options.file.stat().st_size / 1e6:.0f} MB")


def book(folder):
    """Builds the course as one page. Returns its file."""
    source = build.stage(folder / "source")
    for name in LEFT_OUT:
        path = source / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for path in [*source.glob("docs/*.md"), *source.glob("gdl/shipped/*.md")]:
        if path.name != "models.md":
            path.unlink()
    models = source / "docs" / "models.md"
    models.write_text(models.read_text(encoding="utf-8").partition("```{toctree}")[0], encoding="utf-8")
    (source / "index.md").write_text(BOOK.format(version=course_version()), encoding="utf-8")
    build.sphinx("singlehtml", source, folder / "page", strict=False)  # links to pages that are left out are dead, and printed as text
    return folder / "page" / "index.html"


def print_page(browser, page, file):
    """Prints one page of the site with all its figures and formulas, which are drawn when the page has loaded."""
    tab = browser.new_page()
    tab.set_default_timeout(1_800_000)
    tab.goto(page.as_uri())
    tab.evaluate(LATE)
    tab.pdf(
        path=file, format="A4", scale=0.75, print_background=True, display_header_footer=True, header_template="<span></span>",
        footer_template=FOOTER, margin={"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}, outline=True, tagged=True,
    )  # fmt: skip
    tab.close()


if __name__ == "__main__":
    main()
