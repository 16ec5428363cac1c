"""Writes the public address of the course into every file that carries it.

    python tools/set_address.py https://github.com/OWNER/REPOSITORY
    python tools/set_address.py            after a new version: the address stays, the wheel's name follows the version
    python tools/set_address.py --check    changes nothing; exit status 1 and the names of the files that are not in step

The setting is `Homepage` in pyproject.toml. From it follow the links of CITATION.cff, of CHANGELOG.md and of the issue form, the badges of
README.md and of the chapters, and `COURSE`, the wheel's address in the set-up cell of every notebook. `make site` reads the same setting.
The placeholder https://example.org/course stands for no address. README.md has then no badges, and a chapter's badge opens Colab's own page.
"""

import argparse
import json
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACEHOLDER = "https://example.org/course"
BRANCH = "main"
COPIES = ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", ".github/ISSUE_TEMPLATE/config.yml")
NOTEBOOKS = ("chapters/*.ipynb", "chapters/appendix/*.ipynb", "solutions/*.ipynb", "exercises/*.ipynb", "project/*.ipynb")
ADDRESS = re.compile(r"https://github\.com(/[\w.-]+){2}|https://(?!github\.com/)[\w.-]+(/[\w.~-]+)+")
COURSE = re.compile(r'^COURSE = "[^"\n]*"', re.MULTILINE)
COLAB = re.compile(r"(\[!\[Open in Colab\]\([^)]*\)\])\([^)]*\)")
BADGES = re.compile(r"<!-- badges -->.*?<!-- end of badges -->", re.DOTALL)


def main():
    parser = argparse.ArgumentParser(description="Writes the public address of the course into every file that carries it.")
    parser.add_argument("address", nargs="?", help="the address of the repository; without it, the one in pyproject.toml")
    parser.add_argument("--check", action="store_true", help="only name the files that are not in step")
    options = parser.parse_args()
    address = (options.address or homepage()).rstrip("/").removesuffix(".git")
    if not ADDRESS.fullmatch(address):
        sys.exit(f"{address} is not the address of a repository: write it as https://github.com/OWNER/REPOSITORY.")
    changed = {path: text for path, text in with_address(address) if text != path.read_text(encoding="utf-8")}
    if options.check and changed:
        sys.exit(f"Not in step with {address}: {', '.join(str(path.relative_to(ROOT)) for path in changed)}. Run python tools/set_address.py.")
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8", newline="\n")
        print(path.relative_to(ROOT))


def homepage():
    """The address in pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]["Homepage"]


def course_version():
    (version,) = re.findall(r'^__version__ = "(.+)"', (ROOT / "gdl" / "__init__.py").read_text(encoding="utf-8"), re.MULTILINE)
    return version


def with_address(address):
    """Each file that carries the address, with the text that it should have."""
    before = homepage()
    for name in COPIES:
        text = (ROOT / name).read_text(encoding="utf-8")
        yield ROOT / name, re.sub(rf"{re.escape(before)}(?![\w.~-])", address, text)
    readme = ROOT / "README.md"
    yield readme, BADGES.sub(lambda _: readme_badges(address), readme.read_text(encoding="utf-8"))
    for pattern in NOTEBOOKS:
        for path in sorted(ROOT.glob(pattern)):
            yield path, notebook_text(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix(), address)


def notebook_text(text, name, address):
    """A notebook's text with its own badge and the wheel's address. Nothing else changes, not even the way it was saved."""
    for cell in json.loads(text)["cells"]:
        for line in cell["source"] if isinstance(cell["source"], list) else [cell["source"]]:
            if cell["cell_type"] == "markdown":
                target = buttons(address, name).get("Colab", "https://colab.research.google.com/")
                changed = COLAB.sub(lambda match, target=target: f"{match[1]}({target})", line)
            elif "set-up" in cell["metadata"].get("tags", []):
                changed = COURSE.sub(f'COURSE = "{wheel(address)}"', line)
            else:
                continue
            if changed != line:
                text = text.replace(json.dumps(line, ensure_ascii=False), json.dumps(changed, ensure_ascii=False))
    return text


def buttons(address, name):
    """The addresses that open the notebook `name` elsewhere, by the name of the service; {} where the course is not on GitHub.

    >>> buttons("https://github.com/ada/faces", "chapters/02_vae.ipynb")["Colab"]
    'https://colab.research.google.com/github/ada/faces/blob/main/chapters/02_vae.ipynb'
    """
    if not address.startswith("https://github.com/"):
        return {}
    repository = address.removeprefix("https://github.com/")
    return {
        "Colab": f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{name}",
        "Kaggle": f"https://kaggle.com/kernels/welcome?src={address}/blob/{BRANCH}/{name}",
        "Binder": f"https://mybinder.org/v2/gh/{repository}/{BRANCH}?urlpath=lab/tree/{name}",
    }


def pages(address):
    """Where the site is, with a / at its end: GitHub's pages of the repository. "" where the course is not on GitHub.

    >>> pages("https://github.com/ada/faces")
    'https://ada.github.io/faces/'
    """
    if not address.startswith("https://github.com/"):
        return ""
    owner, _, repository = address.removeprefix("https://github.com/").partition("/")
    return f"https://{owner.lower()}.github.io/{repository}/"


def wheel(address):
    """The address of the wheel on the site, or ""."""
    return f"{pages(address)}wheel/gdl-{course_version()}-py3-none-any.whl" if pages(address) else ""


def readme_badges(address):
    """The lines of README.md between its two marks."""
    lines = []
    if address.startswith("https://github.com/"):
        open_in = buttons(address, "chapters/00_faces.ipynb")
        lines = [
            f"[![Tests]({address}/actions/workflows/tests.yml/badge.svg)]({address}/actions/workflows/tests.yml)",
            f"[![Read the course](https://img.shields.io/badge/read-the%20course-blue)]({pages(address)})",
            f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({open_in['Colab']})",
            f"[![Open in Kaggle](https://kaggle.com/static/images/open-in-kaggle.svg)]({open_in['Kaggle']})",
            f"[![Open in Binder](https://mybinder.org/badge_logo.svg)]({open_in['Binder']})",
        ]
    return "\n".join(["<!-- badges -->", *lines, "<!-- end of badges -->"])


if __name__ == "__main__":
    main()
