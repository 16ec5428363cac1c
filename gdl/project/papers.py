"""The model card and the report: whether they are there, filled in, and of the length that is asked for."""

import re

from gdl.project.rules import REPORT_WORDS, SECTION_WORDS, SECTIONS

PLACEHOLDER = re.compile(r"\bTODO\b")


def words(text: str) -> int:
    """The number of words, without comments, code blocks and addresses.

    >>> words("Two words <!-- and a comment -->")
    2
    """
    text = re.sub(r"<!--.*?(-->|\Z)|```.*?(```|\Z)|https?://\S+", " ", text, flags=re.DOTALL)
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def card_template() -> str:
    """An empty model card: a TODO in each section says what belongs there."""
    return "# Model card\n" + "".join(f"\n## {name}\n\nTODO: {hint}.\n" for name, hint in SECTIONS.items())


def card_problems(text: str) -> list[str]:
    """What the model card lacks, one sentence each."""
    heads = list(re.finditer(r"^##[ \t]+(\S.*?)[ \t\r]*$", text, re.MULTILINE))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    sections = {head[1].casefold(): text[head.end() : end] for head, end in zip(heads, ends)}
    problems = []
    for name in SECTIONS:
        section = sections.get(name.casefold())
        if section is None:
            problems.append(f"the section '## {name}' is missing")
        elif PLACEHOLDER.search(section):
            problems.append(f"the section {name} still has a placeholder")
        elif words(section) < SECTION_WORDS:
            problems.append(f"the section {name} has {words(section)} words of at least {SECTION_WORDS}")
    return problems


def report_problem(text: str) -> str:
    """What is wrong with the report, or ""."""
    count, (least, most) = words(text), REPORT_WORDS
    if PLACEHOLDER.search(text):
        return "it still has a placeholder"
    return "" if least <= count <= most else f"it has {count:,} words, and {least:,} to {most:,} are asked for"
