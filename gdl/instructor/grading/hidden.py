"""What a failed check may say after the first hidden call: only words that were written before any notebook was handed in.

A function that hidden lines have called knows their inputs, and it can put them into all that it gives back: numbers, shapes, the texts and
names of errors, the time that it takes. So a message is then put together from the strings in the check's own source, in the given code and
in the grader. Of an f-string the parts outside the braces are known, and `…` stands for each value. What remains to a student is to choose
which of these sentences comes, and whether the check succeeds.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable
from functools import lru_cache

from gdl import checks
from gdl.instructor.grading import channel, process, student

ERROR = "your code stopped with an error"
STOPPED = "your code was stopped"
NO_FUNCTION = "the notebook does not define the function."
GENERAL = "what your code does with other inputs is not right"
NOTE = " (A hidden test: it calls your code with inputs that are not shown.)"
MAX_LENGTH = 300  # characters of a text that is compared
MIN_LETTERS = 8  # of an f-string outside its braces: one with fewer says nothing without its values


class Sentences:
    """The strings and f-strings in Python sources, and in the modules of the grader that say why a check failed.

    >>> sentences = Sentences(['expect(x > 2, f"more than 2 expected, got {x:.3f}.")'])
    >>> sentences.message(["more than 2 expected, got 1.234."])
    'more than 2 expected, got …. (A hidden test: it calls your code with inputs that are not shown.)'
    """

    def __init__(self, sources: Iterable[str]):
        modules = [inspect.getsource(module) for module in (checks, channel, process, student, sys.modules[__name__])]
        parts = [_strings_and_patterns(source) for source in [*sources, *modules]]
        self.strings = {string for strings, _ in parts for string in strings}
        patterns = [pattern for _, patterns in parts for pattern in patterns]
        self.patterns = sorted(patterns, key=lambda pattern: -len("".join(pattern)))  # the one with the most words first

    def known(self, text: str) -> str:
        """The string of the sources that `text` is or was made from, or "" if there is none."""
        if text in self.strings:
            return text
        for parts in self.patterns if len(text) <= MAX_LENGTH else []:
            if found := re.fullmatch("(.*)".join(map(re.escape, parts)), text, re.DOTALL):
                values = [value if value in self.strings else "…" for value in found.groups()]
                return "".join(part + value for part, value in zip(parts, [*values, ""]))
        return ""

    def message(self, words: Iterable[str]) -> str:
        """The message of a check that failed after the first hidden call. words: see `CheckFailed`."""
        sentence = ": ".join(filter(None, map(self.known, words))) or GENERAL
        return sentence + ("" if sentence.endswith((".", "?", "!")) else ".") + NOTE


@lru_cache(maxsize=256)  # the grader's own modules are looked at for each failed check
def _strings_and_patterns(source):
    """The strings of a source, and the constant parts of each f-string that says something without its values."""
    nodes = list(ast.walk(ast.parse(source)))
    strings = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    patterns = [_parts(node) for node in nodes if isinstance(node, ast.JoinedStr)]
    return strings, [parts for parts in patterns if sum(map(str.isalpha, "".join(parts))) >= MIN_LETTERS]


def _parts(node):
    """The constant parts of an f-string, one more than it has values."""
    parts = [""]
    for value in node.values:
        if isinstance(value, ast.Constant):
            parts[-1] += str(value.value)
        else:
            parts.append("")
    return parts
