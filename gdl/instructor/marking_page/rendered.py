"""Markdown with formulas as HTML. The text is a student's: no tag, address, picture or script in it reaches the page."""

import html
import re
from xml.etree.ElementTree import Element

import latex2mathml.converter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from gdl.instructor.grading.html import text, visible

MAX_FORMULA = 2000  # characters; a longer one is shown as it was typed
TAGS = {
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup", "munder", "mover", "munderover",
    "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose",
}  # fmt: skip
ATTRIBUTES = {
    "display", "stretchy", "fence", "form", "mathvariant", "linebreak", "accent", "accentunder", "columnalign", "displaystyle", "scriptlevel",
    "minsize", "maxsize", "movablelimits", "separator", "linethickness", "largeop", "notation",
}  # fmt: skip


def rendered(source: str) -> str:
    r"""The HTML of a Markdown text. HTML in the text is shown as text, links and pictures by their addresses, formulas as MathML.

    >>> rendered("<b>$v$</b>")
    '<p>&lt;b&gt;<math display="inline"><mrow><mi>v</mi></mrow></math>&lt;/b&gt;</p>\n'
    """
    source = visible(source)
    try:
        return MarkdownWithMath(renderer=_Renderer()).render(source)
    except Exception:  # a text that no Markdown reader can read, such as one nested too deeply
        return f"<pre>{text(source)}</pre>"


def formula(latex: str, display: str = "inline") -> str:
    """The MathML of a formula, or the formula as it was typed where it cannot be read. display: "inline" or "block"."""
    try:
        if len(latex) > MAX_FORMULA:
            raise ValueError
        latex = latex.replace("{aligned}", "{split}")  # the name that the library knows
        return _mathml(latex2mathml.converter.convert_to_element(latex, display=display))
    except Exception:  # a student may type anything between two dollars
        return f"<code>${text(latex)}$</code>"


def _mathml(node: Element) -> str:
    """An element as text. The library's own way to write it leaves tags inside \\text as they are."""
    if node.tag not in TAGS:
        raise ValueError(node.tag)
    kept = {name: value for name, value in node.attrib.items() if name in ATTRIBUTES and re.fullmatch(r"[\w.% -]{1,30}", value)}
    attributes = "".join(f' {name}="{value}"' for name, value in kept.items())
    inside = text(html.unescape(node.text or "")) + "".join(map(_mathml, node))
    return f"<{node.tag}{attributes}>{inside}</{node.tag}>{text(html.unescape(node.tail or ''))}"


class _Renderer(IPythonRenderer):
    """Jupyter's Markdown, without what could load, run or hide something."""

    def __init__(self):
        super().__init__(escape=True, exclude_anchor_links=True)

    def block_code(self, code, info=None):
        return f"<pre><code>{text(code)}</code></pre>\n"

    def block_html(self, html):
        return f"<p>{text(html)}</p>\n"

    def inline_html(self, html):
        return text(html)

    def link(self, text, url, title=None):
        return f"{text} <code>{_escaped(url)}</code>"

    def image(self, text, url, title=None):
        return f"<code>[picture: {_escaped(url)}]</code>"

    def heading(self, text, level, **attributes):
        return f"<h4>{text}</h4>\n"

    def block_math(self, body):
        return formula(body.strip(), "block")

    def inline_math(self, body):
        return formula(body.strip())

    def latex_environment(self, name, body):
        return formula(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")


def _escaped(address):
    return text(address, 300)
