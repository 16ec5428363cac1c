"""The course's docstrings, which are plain text, as the reStructuredText that Sphinx reads."""

import ast
import functools
import re

from builder import ROOT

ITEM = re.compile(r"^(\w+(?:, \w+)*): (?=\S)")
INLINE = re.compile(r"(?<!`)`([^`]+)`(?!`)")


def process(app, what, name, obj, options, lines):
    """For the event `autodoc-process-docstring`: changes `lines` in place."""
    lines[:] = to_rst(lines)


def skip(app, what, name, obj, skipped, options):
    """For the event `autodoc-skip-member`: leaves out what the course says nothing about, such as Keras's own methods."""
    return skipped or words(obj.docstring) not in own_docstrings()


def words(text):
    return tuple(text.split())


@functools.cache
def own_docstrings():
    """The docstrings of the package, as words. Where Keras is installed, a method without one has that of its base class in Keras."""
    kinds = ast.Module, ast.ClassDef, ast.FunctionDef
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "gdl").rglob("*.py")]
    return {words(text) for tree in trees for node in ast.walk(tree) if isinstance(node, kinds) and (text := ast.get_docstring(node))}


def to_rst(lines):
    """A docstring's lines: paragraphs, lines such as `size: height and width` as a list, and examples after >>>.

    >>> to_rst(["Draws faces.", "", "n: how many", "    of them", "ValueError for `n` < 0."])
    ['Draws faces.', '', '* **n**: how many of them', '', 'ValueError for ``n`` < 0.', '']
    """
    made, block, example = [], [], False
    for line in [*lines, ""]:
        if example and line.strip():
            made.append(line)
            continue
        new_item, continues = bool(ITEM.match(line)), line.startswith("    ")
        in_list = bool(block) and block[0].startswith("* ")
        if block and (not line.strip() or new_item or line.startswith((">>>", "- ")) or (in_list and not continues)):
            made += [" ".join(block), ""]
            block = []
        example = line.startswith(">>>")
        if example:
            made.append(line)
        elif line.strip():
            block.append(ITEM.sub(r"* **\1**: ", escaped(line)) if new_item else escaped(line.strip()))
        elif made and made[-1]:
            made.append("")
    return made


def escaped(text):
    """Code in single backquotes in the way of reStructuredText, and its special marks as themselves."""
    pieces = re.split(r"(`[^`]+`)", text)
    plain = [re.sub(r"([*|\\]|\w_(?!\w))", lambda match: match[0][:-1] + "\\" + match[0][-1], piece) for piece in pieces[::2]]
    code = [f"``{piece.strip('`')}``" for piece in pieces[1::2]]
    return "".join(a + b for a, b in zip(plain, [*code, ""]))
