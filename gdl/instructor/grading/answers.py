"""Which cells of a notebook answer a question, and what is wrong with them that the checks cannot see."""

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from gdl.instructor.grading.clean import clean
from gdl.instructor.grading.exercise import NOT_ANSWERED, is_more_of, trimmed

Cells = Sequence[tuple[str, str, dict[str, Any]]]  # (cell_type, source, metadata)
MAX_SOURCES = 1_000_000  # characters of all cells, and
MAX_CELLS = 2000  # of a notebook in which causes are looked for: a larger one would keep the whole class waiting
RUN_AS_USUAL = ("time", "capture", "prun")  # the cell magics after which the functions of their cell exist
_NEW_NAME = re.compile(r"^(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]+)?=(?!=)", re.MULTILINE)
_FUNCTION = re.compile(r"^([ \t]*)(?:async[ \t]+)?(def|class)[ \t]+(\w+)", re.MULTILINE)
_CONFLICT = re.compile(r"^(<<<<<<<|>>>>>>>)", re.MULTILINE)


def find_answer(name: str, title: str, names: Sequence[str], cells: Cells) -> str | None:
    """The student's answer to the question `name` with the heading `title`, or None.

    The code cells that define its functions last, which are the ones that count. Else the cells that nbgrader's metadata names: several, if
    the cell was copied. For an open question (without names) without metadata: the text below the question's heading.
    """
    code = [(number, source) for number, (kind, source, _) in enumerate(cells) if kind == "code"]
    last = {function: number for number, source in code for function in _functions(source, methods=True)}
    last |= {function: number for number, source in code for function in _functions(source)}
    if counted := sorted({last[function] for function in names if function in last}):
        return "\n\n".join(cells[number][1] for number in counted)
    if own := [cells[number][1] for number in _own_cells(name, cells)]:
        return "\n\n".join(dict.fromkeys(source for source in own if trimmed(source) not in ("", NOT_ANSWERED))) or own[0]
    if not names:
        texts = [source for kind, source, _ in cells if kind == "markdown"]
        for heading, text in pairwise(texts):
            if any(line.lstrip("# ") == title for line in heading.splitlines()):
                return text
    return None


def _functions(source, methods=False):
    """The functions and classes that a cell defines. methods: also those inside its classes, which may have the name of an answer."""
    found, of_class = [], None
    for indent, kind, name in _FUNCTION.findall(source):
        column = len(indent.expandtabs())
        if methods or of_class is None or column <= of_class:
            found.append(name)
            of_class = column if kind == "class" else None
    return found


def place(number: int, cells: Cells) -> str:
    """How a page names the cell at this index: by its number from 1, counted with the text cells, and by the heading above it."""
    headings = [line for kind, source, _ in cells[:number] if kind == "markdown" for line in source.splitlines() if line.startswith("#")]
    below = f" (below the heading “{clean(headings[-1].lstrip('# '), 80)}”)" if headings else ""
    return f"cell {number + 1}{below}"


def why_stopped(source: str, error: str) -> str:
    """What the error of a cell means in a notebook that nobody watches, as a sentence with a space before it, or ""."""
    if conflict := _CONFLICT.search(source):
        line = source[: conflict.start()].count("\n") + 1
        return f" Line {line} begins with `{conflict[1]}`, so it holds two versions of a merge: keep one, and delete the lines with <<<, === and >>>."
    lines = source.split("\n")
    if (at := re.search(r"^SyntaxError.* \(line (\d{1,6})\)$", error)) and 0 < int(at[1]) <= len(lines):
        return f" That line is `{clean(lines[int(at[1]) - 1], 120)}`."
    for sign, sentence in (
        ("TabError", "Some of its lines are indented with tabs and some with spaces: use four spaces."),
        ("EOFError: EOF when reading a line", "It waits for input, but nobody is there when it is graded: write the value into the cell."),
        ("UsageError: Line magic function `%%", "A line with %% must be the first one of its cell: delete it."),
        ("SystemExit", "It ends Python: delete `exit()`, `quit()` and `sys.exit()`."),
        ("ModuleNotFoundError", "It is graded without a network, with the packages of the course: use only these."),
    ):
        if error.startswith(sign):
            return f" {sentence}"
    return ""


def causes(name: str, names: Sequence[str], cells: Cells, stopped: Mapping[int, str], used: Iterable[str] = ()) -> list[str]:
    """Why functions of the question `name` are missing, or others than the student may think: sentences for the student.

    names: of these functions. stopped: the errors of cells that stopped, by index. used: names that the student's code looked for in vain.
    None of a notebook that is far larger than an honest one.
    """
    if len(cells) > MAX_CELLS or sum(len(source) for _, source, _ in cells) > MAX_SOURCES:
        return []
    functions = dict.fromkeys([*names, *used])
    return [sentence for function in functions for sentence in _causes(function, name, names, cells, stopped)]


def _causes(function: str, question: str, names: Sequence[str], cells: Cells, stopped: Mapping[int, str]) -> Iterable[str]:
    holding = [number for number, (_, source, _) in enumerate(cells) if function in _functions(source, methods=True)]
    defining = [number for number in holding if cells[number][0] == "code"]
    for number in holding:
        kind, source, _ = cells[number]
        magic = re.match(r"\s*%%(\w+)", source)
        cell = place(number, cells)
        if kind != "code":
            if not defining:
                yield f"`{function}` stands in {cell}, which is a {kind} cell and does not run: make it a code cell."
        elif magic and magic[1] not in RUN_AS_USUAL:
            yield f"`{function}` stands in {cell}, which begins with `%%{magic[1]}`: what it defines does not exist afterwards. Delete this line."
        elif number in stopped:
            yield f"`{function}` stands in {cell}, which stopped: {stopped[number]}.{why_stopped(source, stopped[number])}"
        elif function not in _new_names(source):
            yield f"`{function}` is indented in {cell}, and inside another function or a class nothing can call it: begin its line at the margin."
    if len(defining) > 1:
        yield f"`{function}` is defined {len(defining)} times, in cells {', '.join(str(number + 1) for number in defining)}: the last one counts."
    if defining:
        removed = re.compile(rf"^[ \t]*del\b.*\b{function}\b", re.MULTILINE)
        if gone := [number for number in range(defining[-1], len(cells)) if cells[number][0] == "code" and removed.search(cells[number][1])]:
            yield f"`{function}` is deleted with `del` in {place(gone[-1], cells)}: delete that line."
        over = [number for number in range(defining[-1] + 1, len(cells)) if cells[number][0] == "code" and function in _new_names(cells[number][1])]
        if over:
            yield f"`{function}` gets another value in {place(over[-1], cells)}, and that one counts: use another name there."
    if not holding and function in names:
        yield _missing(function, question, names, cells)


def _missing(function: str, question: str, names: Sequence[str], cells: Cells) -> str:
    """Why no cell defines a function."""
    functions = {name: number for number, (kind, source, _) in enumerate(cells) if kind == "code" for name in _new_names(source)}
    if function in functions:
        return f"`{function}` is defined by an assignment in {place(functions[function], cells)}, not with `def`."
    own = _own_cells(question, cells)
    others = [name for name, number in functions.items() if number in own and name not in names]
    similar = get_close_matches(function, [name for name in functions if name not in names][:MAX_CELLS], 1, 0.75)
    if similar or others:
        other = (similar or others)[0]
        return f"No cell defines `{function}`, but {place(functions[other], cells)} defines `{other}`: give it the name that the question asks for."
    free = [number for number in own if not set(names) & set(_new_names(cells[number][1]))]  # of several cells, those without another function
    if own:
        return f"No cell defines `{function}`: its place is {place((free or own)[-1], cells)}."
    return f"No cell defines `{function}`: the cell for this answer is not in the notebook."


def _own_cells(name, cells):
    """The indices of the cells that nbgrader's metadata gives to a question: of its answer `q4`, and of more of it, such as `q4_train`."""
    marked = [(number, metadata.get("nbgrader")) for number, (_, _, metadata) in enumerate(cells)]
    own = [(number, str(marks.get("grade_id"))) for number, marks in marked if isinstance(marks, dict) and marks.get("solution")]
    return [number for number, grade_id in own if grade_id == name or is_more_of(grade_id, name)]


def _new_names(source):
    """The names that the lines of a cell without indentation define."""
    return [function or variable for function, variable in _NEW_NAME.findall(source)]
