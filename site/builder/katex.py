"""Formulas: the page holds their TeX, and KaTeX draws them in the browser. Its files lie in `_static/katex`, so no network is needed."""

import html

from docutils import nodes


def setup(app):
    app.add_html_math_renderer("katex", (inline, None), (block, None))
    app.add_css_file("katex/katex.min.css")
    app.add_js_file("katex/katex.min.js", loading_method="defer")
    app.add_js_file("formulas.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(writer, node):
    writer.body.append(f'<span class="math notranslate">{html.escape(node.astext())}</span>')
    raise nodes.SkipNode


def block(writer, node):
    writer.body.append(f'<div class="math notranslate">{html.escape(node.astext())}</div>')
    raise nodes.SkipNode
