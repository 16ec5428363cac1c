"""Solutions whose hidden tests draw other numbers: `python -m gdl release --seed N`."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.bundle import to_text, write_folder


def write_solutions(solutions: Path, out: Path, seed: int) -> None:
    """Copies the solution notebooks and their pages into the folder `out`, with other numbers in the hidden tests.

    What students see stays as it is. Whether a solution gets all its points with the new numbers is tried by `gdl grade`, as always.
    Raises CourseError for a seed that is no whole number from 0 on.
    """
    import nbformat

    check_seed(seed)
    files = {path.name: path.read_bytes() for path in solutions.glob("[0-9][0-9]_*.md")}
    for path in solutions.glob("[0-9][0-9]_*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code" and "### BEGIN HIDDEN TESTS" in cell.source:
                cell.source = with_seed(cell.source, f"{seed} {path.stem}")
        files[path.name] = to_text(notebook).encode()
    write_folder(out, files)


def check_seed(seed: int | None) -> None:
    """Raises CourseError for a seed that is no whole number from 0 on. None, for no seed, is right."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int) or seed < 0):
        raise CourseError(f"--seed {seed}: give a whole number from 0 on.")


def with_seed(source: str, seed: str) -> str:
    r"""The source of a check in which the hidden lines have other seeds. Seeds that are equal in it are equal afterwards, too.

    A seed is a whole number in `default_rng(21)`, in `seed=21`, and where a loop takes it, as in `for seed, n in ((4, 50), (5, 3))`.

    >>> with_seed("default_rng(1)\n### BEGIN HIDDEN TESTS\ndefault_rng(1)\n### END HIDDEN TESTS", "7 02_vae").split("\n")[0]
    'default_rng(1)'
    """
    hidden, lines = _hidden(source), [line.encode() for line in source.split("\n")]
    found = {(node.lineno, node.col_offset): node for node in _seeds(ast.parse(source)) if node.lineno in hidden}
    for (number, begin), node in sorted(found.items(), reverse=True):
        line = lines[number - 1]
        lines[number - 1] = line[:begin] + _other(node, seed).encode() + line[node.end_col_offset :]
    return b"\n".join(lines).decode()


def _hidden(source):
    """The numbers, from 1, of the lines in hidden tests."""
    numbers, inside = set(), False
    for number, line in enumerate(source.split("\n"), 1):
        inside = inside and "### END HIDDEN TESTS" not in line or "### BEGIN HIDDEN TESTS" in line
        if inside:
            numbers.add(number)
    return numbers


def _seeds(tree: ast.AST) -> Iterator[ast.expr]:
    """The expressions in which seeds stand: whole numbers, and the range of a loop over them."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name == "default_rng":
                yield from (part for argument in node.args for part in _parts(argument) if _is_number(part))
            yield from (keyword.value for keyword in node.keywords if keyword.arg == "seed" and _is_number(keyword.value))
        elif isinstance(node, (ast.For, ast.comprehension)):
            targets = [getattr(target, "id", "") for target in _parts(node.target)]
            if "seed" in targets and isinstance(node.iter, (ast.Tuple, ast.List)):
                rows = [_parts(row) for row in node.iter.elts]
                yield from (row[targets.index("seed")] for row in rows if len(row) == len(targets) and _is_number(row[targets.index("seed")]))
            elif targets == ["seed"] and isinstance(node.iter, ast.Call) and getattr(node.iter.func, "id", "") == "range":
                if len(node.iter.args) == 1 and _is_number(node.iter.args[0]):
                    yield node.iter


def _parts(node):
    return list(node.elts) if isinstance(node, (ast.Tuple, ast.List)) else [node]


def _is_number(node):
    return isinstance(node, ast.Constant) and type(node.value) is int


def _other(node, seed):
    """What stands in place of a seed, or of the range of a loop over seeds."""
    if isinstance(node, ast.Call):
        first = _number(f"{seed} range")
        return f"range({first}, {first + ast.literal_eval(node.args[0])})"
    return str(_number(f"{seed} {node.value}"))


def _number(text):
    return int(hashlib.sha256(text.encode()).hexdigest()[:6], 16)
