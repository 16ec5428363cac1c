"""The exercise that a name, or a notebook's headings, name."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from gdl.instructor.grading.submitted import ARCHIVES, NOTEBOOKS

ENDING = re.compile(rf"({'|'.join(map(re.escape, sorted((*NOTEBOOKS, *ARCHIVES, '.zip'), key=len, reverse=True)))})$", re.IGNORECASE)  # of a file
EXERCISE = r"(?:exercises?|exc?|assignment|homework|hw|sheet|chapter|übung|uebung|aufgabe|task)"


def letters_and_digits(text: str) -> str:
    """The letters and digits of a title alone, for comparing titles."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def find_exercise(text: str, exercises: Iterable[str], topics: bool = True) -> tuple[str | None, tuple[int, int]]:
    """The exercise that `text` names, and the start and end of that name in it, or (None, (0, 0)).

    The whole name has precedence, then the number, then the topic. topics: whether the topic alone is enough.

    >>> find_exercise("my WGAN", ["02_vae", "05_wgan"])
    ('05_wgan', (3, 7))
    """
    stem = ENDING.sub("", text)
    for level in range(3 if topics else 2):
        spans = {}
        for name in exercises:
            pattern = _patterns(name)[level]
            if pattern and (match := pattern.search(stem)):
                spans[name] = match.span()
        best = [name for name, span in spans.items() if not any(_inside(span, other) for other in spans.values())]  # wgan_gp contains wgan
        if len(best) == 1:
            return best[0], spans[best[0]]
        if best:
            break
    return None, (0, 0)


def _inside(span, other):
    return other != span and other[0] <= span[0] and span[1] <= other[1]


@lru_cache
def _patterns(name):
    """Three regular expressions for an exercise named like 02_vae: its whole name, its number at a sensible place, its topic."""
    start, end, gap = r"(?<![^\W_])", r"(?![^\W_])", r"[\W_]*"
    words = gap.join(map(re.escape, re.findall(r"[^\W_]+", name)))
    if not (match := re.match(r"(\d+)_(.+)", name)):
        return re.compile(start + words + end, re.IGNORECASE), None, None
    number, topic = f"0*{int(match[1])}", gap.join(map(re.escape, re.findall(r"[^\W_]+", match[2])))
    texts = start + number + gap + topic + end, rf"(?:{start}{EXERCISE}{gap}|^{gap}){number}{end}", start + topic + end
    return tuple(re.compile(text, re.IGNORECASE) for text in texts)


def exercise_of_headings(
    cells: Iterable[tuple[str, str, dict]], exercises: Mapping[str, str], questions: Mapping[str, Collection[str]]
) -> str | None:
    """The exercise that a notebook's first heading names, or else the titles of its questions. None if neither does.

    cells: (cell_type, source, metadata). exercises: their titles by name. questions: the titles of their questions by name.
    """
    headings = [line.lstrip("#").strip() for kind, source, _ in cells if kind == "markdown" for line in source.splitlines() if line.startswith("#")]
    if headings:
        for name, title in exercises.items():
            if letters_and_digits(title) == letters_and_digits(headings[0]):
                return name
        if (exercise := find_exercise(headings[0], exercises)[0]) is not None:
            return exercise
    seen = {letters_and_digits(heading) for heading in headings}
    counts = {name: sum(letters_and_digits(title) in seen for title in questions.get(name, ())) for name in exercises}
    best = sorted(counts, key=counts.__getitem__, reverse=True)
    if best and counts[best[0]] >= 2 and (len(best) == 1 or counts[best[0]] > counts[best[1]]):
        return best[0]
    return None
