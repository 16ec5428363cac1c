"""What remains of an answer when names, comments and layout are taken away: short sequences of its syntax tree, or of its words."""

import ast
import re
import warnings
from collections import Counter
from collections.abc import Collection, Iterator

LENGTH_CODE = 6  # parts of the syntax tree in one sequence
LENGTH_TEXT = 4  # words in one sequence

Fingerprint = Counter[tuple[str, ...]]


def of_code(source: str) -> Fingerprint:
    """The sequences of six parts of the syntax tree of Python code, and how often each occurs. None goes from one function to the next.

    Comments, docstrings, type hints, all names that the code itself gives and the contents of strings leave no trace. The names of modules,
    attributes, options and functions of libraries do, as do numbers. Of code that does not parse, the words are taken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a "\d" that a student has written
            tree = ast.parse(re.sub(r"(?m)^([ \t]*)[%!].*$", r"\1pass", source))
        own = _own_names(tree)
        return sum((_sequences(list(_parts(statement, own)), LENGTH_CODE) for statement in tree.body), Counter())  # in any order
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _sequences(re.findall(r"\w+|[^\w\s]", re.sub(r"#.*", "", source)), LENGTH_CODE)


def of_text(source: str) -> Fingerprint:
    """The sequences of four words of a text, without capitals and punctuation.

    >>> list(of_text("The KL is never below 0!"))
    [('the', 'kl', 'is', 'never'), ('kl', 'is', 'never', 'below'), ('is', 'never', 'below', '0')]
    """
    return _sequences(re.findall(r"\w+", source.casefold()), LENGTH_TEXT)


def _sequences(parts, length):
    return Counter(tuple(parts[k : k + length]) for k in range(max(len(parts) - length + 1, 0)))


def _own_names(tree: ast.AST) -> set[str]:
    """The names that the code itself gives: variables, parameters, functions, classes."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


def _parts(node: ast.AST, own: Collection[str]) -> Iterator[str]:
    """The parts of a syntax tree from the outside to the inside. A name in `own` is only a name."""
    if isinstance(node, ast.Constant):
        yield repr(node.value) if isinstance(node.value, (int, float, complex)) or node.value is None else type(node.value).__name__
        return
    if isinstance(node, ast.Name):
        yield "name" if node.id in own else node.id
        return
    yield type(node).__name__
    for name in ("attr", "name", "module", "arg"):
        value = getattr(node, name, None)
        if isinstance(value, str):
            yield "name" if value in own else value
    for field, value in ast.iter_fields(node):
        if field in ("ctx", "annotation", "returns", "type_comment"):
            continue
        children = value if isinstance(value, list) else [value]
        if field == "body" and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)):
            children = [child for child in children if not (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant))]
        for child in children:
            if isinstance(child, ast.AST):
                yield from _parts(child, own)
