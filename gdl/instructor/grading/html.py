"""The parts of the grader's HTML pages. A page has no script and loads nothing, and all that a student wrote is shown as text."""

import html
import re
import unicodedata
from typing import Any

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
STYLE = """
:root { --ink: #1d2733; --soft: #5b6875; --line: #dfe4ea; --paper: #fff; --back: #f4f6f8;
  --good: #2e7d4f; --part: #c98a1b; --none: #b3402e; --wait: #8a94a0 }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100% }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 58rem; color: var(--ink); background: var(--back);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; print-color-adjust: exact; -webkit-print-color-adjust: exact }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .2rem 0 .4rem } h2 { font-size: 1.1rem; line-height: 1.3; margin: 0 } p { margin: .4rem 0 }
section, header { background: var(--paper); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem 1.1rem; margin: 0 0 1rem; overflow-wrap: anywhere }
.soft { color: var(--soft) } .small { font-size: .88rem } .right { text-align: right } bdi { unicode-bidi: isolate }
.head { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: .2rem 1rem } .head b { white-space: nowrap }
.total { font-size: 1.7rem; font-weight: 650; margin: .5rem 0 .1rem }
.bar { display: flex; height: .55rem; border-radius: 99px; overflow: hidden; background: #e6eaee; margin: .45rem 0 .6rem; min-width: 5rem }
.bar i { display: block }
.good { background: var(--good) } .part { background: var(--part) } .none { background: var(--none) } .wait { background: var(--wait) }
.warn { border-left: 5px solid var(--none); background: #fdf3f1 } .note { border-left: 5px solid var(--part); background: #fdf8ee }
.comment { border-left: 4px solid #4a76a8; background: #f0f5fb; padding: .5rem .8rem; border-radius: 4px; margin: .6rem 0; white-space: pre-wrap }
.cause { border-left: 4px solid var(--part); background: #fdf8ee; padding: .2rem .8rem; border-radius: 4px; margin: .6rem 0 }
ul { margin: .4rem 0; padding-left: 1.3rem } ul.checks { list-style: none; padding: 0; margin: .5rem 0 }
ul.checks li { padding: .35rem 0 .35rem 1.7rem; border-top: 1px solid var(--line); position: relative }
ul.checks li::before { position: absolute; left: .2rem; font-weight: 700 } li.yes::before { content: "✓"; color: var(--good) }
li.no::before { content: "✗"; color: var(--none) } li .small { float: right; margin-left: .8rem }
details { margin-top: .6rem } summary { cursor: pointer; color: var(--soft); font-size: .9rem }
pre, .answer { background: #f7f8fa; border: 1px solid var(--line); border-radius: 6px; padding: .7rem .8rem; margin: .4rem 0 0;
  white-space: pre-wrap; overflow-wrap: anywhere }
pre { font: .82rem/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; tab-size: 4 }
.wide { overflow-x: auto; overflow-wrap: normal } table { border-collapse: collapse; width: 100%; font-size: .92rem; margin-top: .5rem }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0; border-top: 1px solid var(--line) }
th { font-weight: 600; color: var(--soft); border: 0 }
td.num, th.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums } td .bar { margin: .4rem 0 0 }
table.two { table-layout: fixed; width: 100% } table.two td { vertical-align: top } summary bdi { font-weight: 600 }
.hist { display: flex; align-items: flex-end; gap: 4px; height: 9.5rem; margin: .8rem 0 .3rem }
.hist div { flex: 1; display: flex; flex-direction: column;
  justify-content: flex-end; height: 100%; text-align: center; font-size: .78rem; color: var(--soft) }
.hist i { display: block; background: #4a76a8; border-radius: 3px 3px 0 0 }
.hist span { border-top: 1px solid var(--line); padding-top: .15rem; white-space: nowrap }
.key { display: inline-block; width: .7rem; height: .7rem; border-radius: 3px; margin: 0 .3rem 0 .8rem; vertical-align: -1px }
.tag { font-size: .75rem; font-weight: 600;
  color: #fff; background: var(--none); border-radius: 4px; padding: .05rem .4rem; white-space: nowrap } .tag.calm { background: #4a76a8 }
@media (max-width: 34rem) { body { padding: .6rem .5rem 2rem } section, header { padding: .8rem; border-radius: 8px }
  .hist div { font-size: .66rem } table { font-size: .82rem } }
@media print { body { background: #fff; max-width: none; padding: 0; font-size: 11pt }
  section, header { break-inside: avoid-page; border-color: #bbb } summary { display: none } }
"""


def page(title: str, body: str, policy: str = POLICY) -> str:
    """A whole page. body: HTML in which everything that a student may have written has gone through `text`. policy: what it may load and run."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{text(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def text(value: Any, limit: int = 20_000) -> str:
    r"""A value as text in HTML, at most `limit` characters of it. Invisible characters are shown by their code.

    >>> text("<b>\u202e")
    '&lt;b&gt;&lt;U+202E&gt;'
    """
    value = str(value)
    if len(value) > limit:
        value = f"{value[:limit]}\n… ({len(value) - limit:,} more characters)"
    return html.escape(visible(value), quote=True)


def visible(value: str) -> str:
    r"""A text in which invisible characters are shown by their code.

    >>> visible("a\u202eb")
    'a<U+202E>b'
    """
    return re.sub(r"[^\t\n -~]", _visible, value)


def _visible(match):
    character = match[0]
    if character == "\r":
        return ""
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") and character not in "\u200c\u200d":
        return f"<U+{ord(character):04X}>"
    return character


def student_text(value: Any, limit: int = 500) -> str:
    """A short text of a student inside a line of the page. It cannot change the direction of that line."""
    return f"<bdi>{text(value, limit)}</bdi>"


def bar(*parts: tuple[float, str], title: str = "") -> str:
    """A bar made of parts from the left, each (share from 0 to 1, class)."""
    cells = "".join(f'<i class="{kind}" style="width:{100 * min(max(share, 0), 1):.1f}%"></i>' for share, kind in parts if share > 0)
    return f'<div class="bar" title="{text(title)}">{cells}</div>'


UNSAFE = "Graded without a sandbox: the notebook could have changed its own marks."
