"""The pages in other languages: only those that have a catalogue in `site/locale`. Their links lead to the other pages in English."""

import shutil
from pathlib import PurePosixPath

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

from builder import SITE

LOCALE = SITE / "locale"
NAMES = {"de": "Deutsch", "en": "English", "es": "Español", "fr": "Français", "it": "Italiano", "pt": "Português"}  # others stand under their code


def languages():
    """The languages with at least one catalogue."""
    return sorted(path.parent.name for path in LOCALE.glob("*/LC_MESSAGES") if any(path.glob("*.po")))


def pages(language):
    """The pages that have a catalogue in the language."""
    return sorted(path.stem for path in (LOCALE / language / "LC_MESSAGES").glob("*.po"))


def stage(source, folder, names):
    """Copies these pages from the folder `source` into an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in names:
        shutil.copyfile(source / f"{name}.md", folder / f"{name}.md")
    return folder


def share_static(folder, language):
    """Lets the pages of a language use the styles and scripts of the English site, instead of a copy."""
    own = f"translations_{language}.js"  # Sphinx's words for the search
    (folder / "_static" / "translations.js").replace(folder.parent / "_static" / own)
    for path in folder.glob("*.html"):
        text = path.read_text(encoding="utf-8").replace('"_static/', '"../_static/')
        path.write_text(text.replace("_static/translations.js", f"_static/{own}"), encoding="utf-8")
    shutil.rmtree(folder / "_static")


def switch(app, pagename, templatename, context, doctree):
    """For the event `html-page-context`: links to this page in the other languages, at its head."""
    here = app.config.language
    there = ["en"] if here != "en" else [language for language in languages() if pagename in pages(language)]
    if "body" in context and there:
        places = {"en": f"../{pagename}.html"} | {language: f"{language}/{pagename}.html" for language in there if language != "en"}
        items = [f'<a href="{places[code]}" hreflang="{code}" lang="{code}">{NAMES.get(code, code)}</a>' for code in there]
        context["body"] = f'<p class="languages">{" ".join(items)}</p>' + context["body"]


class LinksToEnglish(SphinxPostTransform):
    """A page that this language does not have is linked in English. Runs before MyST reports the link as dead."""

    default_priority = 8

    def run(self, **kwargs):
        for node in list(self.document.findall(addnodes.pending_xref)):
            path = PurePosixPath(node["reftarget"])
            if self.config.language != "en" and path.suffix in (".md", ".ipynb"):
                node.replace_self(nodes.reference("", "", *node.children, refuri=f"../{path.with_suffix('.html')}"))


def setup(app):
    app.connect("html-page-context", switch)
    app.add_post_transform(LinksToEnglish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
