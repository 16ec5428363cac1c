"""Links between files of the repository, turned into links between pages of the site."""

import functools
import os
import re
from pathlib import PurePosixPath

from builder import ROOT

LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
PAGES = {"README.md": "index.md", "solutions/README.md": "instructors.md", "LICENSE": "licence.md", "CITATION.cff": "cite.md"}
PAGES |= {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "gdl/shipped": "docs/models.md"}
SHOWN = ("chapters/*.ipynb", "chapters/appendix/*.ipynb", "exercises/*.ipynb", "docs/*", "docs/models/*", "results/*")
SHOWN += ("gdl/README.md", "gdl/shipped/*.md", "project/*.md")


@functools.cache
def shown():
    """The files of the repository that the site shows under their own path. Solutions are none of them."""
    return {path.relative_to(ROOT).as_posix() for pattern in SHOWN for path in ROOT.glob(pattern) if path.is_file()}


def source_label(name):
    """The label of a module on the pages of source code.

    >>> source_label("gdl/models/wgan_gp.py")
    'source-gdl-models-wgan-gp'
    """
    return "source-" + name.removesuffix(".py").replace("/", "-").replace("_", "-").lower()


def rewrite(text, name, page=None):
    """The Markdown `text` of the file `name` with links that work on the site; a link to what the site does not show becomes plain text.

    page: where the text stands on the site, if that is not `name`. Blocks of code are left alone.
    """

    def link(match):
        words, target = match.groups()
        if re.match(r"[a-z]+:|#", target):
            return match[0]
        path, _, anchor = target.partition("#")
        path = os.path.normpath(PurePosixPath(name).parent / path)
        if path.startswith("gdl/") and path.endswith(".py"):
            return f"[{words}](#{source_label(path)})"
        place = PAGES.get(path, path if path in shown() else None)
        if not place:
            return words
        place = os.path.relpath(place, PurePosixPath(page or name).parent)
        return f"[{words}]({place}{'#' + anchor if anchor else ''})"

    pieces = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    return "".join(piece if piece.startswith("```") else LINK.sub(link, piece) for piece in pieces)
