"""What stands beside an answer: the question, the model answer and the rubric, from the solution notebook."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from gdl.instructor.grading.exercise import is_more_of, role_of

RUBRIC = re.compile(r"^(?=(?:\*\*)?Marking[:.])", re.MULTILINE)


@dataclass(frozen=True)
class QuestionTexts:
    """Markdown texts of one question. rubric: the part of the model answer that begins with "Marking:", or "". notes: for the whole exercise."""

    question: str
    model: str
    rubric: str
    notes: str


def question_texts(solution: str | Path) -> dict[str, QuestionTexts]:
    """The texts of all questions of a solution notebook by the questions' names.

    The question is the text from its heading to the answer. For a question that the grader marks, the model answer is the code.
    The notes are what the page of the same name, `02_vae.md`, says below its table.
    """
    path = Path(solution)
    notebook = nbformat.read(path, as_version=4)
    texts: dict[str, QuestionTexts] = {}
    notes, section = _notes(path.with_suffix(".md")), []
    for cell in notebook.cells:
        role, name = role_of(cell)
        if role == "text":
            section = [cell.source] if _is_heading(cell.source) else [*section, cell.source]
            if "\n## " in cell.source:  # the end of the question before
                section = [cell.source[cell.source.index("\n## ") :].strip()]
        elif role == "open":
            model, *rubric = RUBRIC.split(cell.source, maxsplit=1)
            texts[name] = QuestionTexts("\n\n".join(section), model.strip(), "".join(rubric).strip(), notes)
        elif role == "answer":
            code = "\n".join(line for line in cell.source.split("\n") if not re.match(r"\s*### (BEGIN|END) SOLUTION", line))
            first = next(reversed(texts), "")
            if is_more_of(name, first):
                texts[first] = replace(texts[first], model=f"{texts[first].model}\n\n```python\n{code}\n```")
            else:
                texts[name] = QuestionTexts("\n\n".join(section), f"```python\n{code}\n```", "", notes)
    return texts


def _is_heading(source):
    return source.lstrip().startswith("## ")


def _notes(path):
    """The text below the table of an instructor's page, or "" if there is no page."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError:
        return ""
    rows = [number for number, line in enumerate(lines) if line.startswith("|")]
    return "\n".join(lines[rows[-1] + 1 :]).strip() if rows else ""
