"""The student and the exercise of a file, from the names that learning platforms and people give.

The platforms' own programs write the names as follows (mod/assign/classes/downloader.php of Moodle 4.4 and lib/content_zipper.rb of
Canvas, read in 2025). Moodle: `Full Name_1234567_assignsubmission_file/vae.ipynb`, with `_file_/` up to Moodle 4, or without folders
`Full Name_1234567_assignsubmission_file_vae.ipynb`; the number identifies the participant in this one assignment. Canvas:
`lovelaceada_LATE_12345_67890_vae-1.ipynb` with the numbers of the user and of the file, and `-1` if there was a file of that name
before; where it hides names, `anon_AbC12_67890_vae.ipynb`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<rest>.*))?")
_CANVAS = re.compile(r"(?P<name>\w+?)_(?P<late>LATE_)?(?P<id>\d+)_\d{3,}_(?P<rest>.+)")
_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[^\W_]+))_\d{3,}_(?P<rest>.+)")
_NAMED = re.compile(r"(?P<name>.*?[^\W\d].*?)_(?P<id>[a-z]{0,3}\d{3,})(?:_(?P<rest>.+))?", re.IGNORECASE)
_ENDING = re.compile(r"(\.ipynb|\.ipynb\.txt|\.ipynb\.json|\.zip)$", re.IGNORECASE)
_COPY = re.compile(r"(?:(?<!\d)-(?P<a>[1-9]\d?)|\s*\((?P<b>\d{1,2})\))$")  # vae-1, vae (2); not the date 2026-11-2
_EXERCISE = r"(?:exercises?|exc?|assignment|homework|hw|sheet|chapter|übung|uebung|aufgabe|task)"
_NO_NAME = re.compile(rf"\d|{_EXERCISE}(?![^\W_])", re.IGNORECASE)
_NOBODY = re.compile(r"(untitled|unbenannt|copy of|kopie von|copie de|final|notebook|(my )?(solutions?|answers?))[\W\d]*", re.IGNORECASE)
_GROUP = re.compile(
    r"all|canvas|moodle|late|students|group|week|chapter|sheet|notebooks|homework"
    r"|downloads?|exercises?|assignments?|submissions?|abgaben?"
)


@dataclass(frozen=True)
class Person:
    """A student, as the name of a file or folder gives them.

    platform: "moodle", "canvas" or "". rest: the remaining part of the name, which may name the exercise.
    recognised: False if the name holds no student's name; `name` is then the file's name.
    """

    name: str
    identifier: str = ""
    platform: str = ""
    rest: str = ""
    late: bool = False
    recognised: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """What is equal for the files of one student."""
        return normalized(self.name), normalized(self.identifier)


def normalized(text: str) -> str:
    """A name in the form in which names are compared.

    >>> normalized("Ada  LOVELACE")
    'ada lovelace'
    """
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def letters_and_digits(text: str) -> str:
    """The letters and digits of a title alone, for comparing titles."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def platform_of(file: str) -> str:
    """The platform that a submission was downloaded from: "moodle", "canvas" or "". file: its path, as in a result."""
    return next((person.platform for part in re.split(r"[/!]", file) if (person := formatted_name(part)) and person.platform), "")


def formatted_name(part: str) -> Person | None:
    """The student in a name that is in a platform's format, or in the course's own: `name_id_file.ipynb`. None for any other name.

    >>> formatted_name("Ada Lovelace_1234567_assignsubmission_file_vae.ipynb")
    Person(name='Ada Lovelace', identifier='1234567', platform='moodle', rest='vae', late=False, recognised=True)
    """
    stem = _ENDING.sub("", part)
    for pattern, platform in ((_MOODLE, "moodle"), (_CANVAS, "canvas"), (_ANONYMOUS, "canvas"), (_NAMED, "")):
        if match := pattern.fullmatch(stem):
            groups = match.groupdict()
            if pattern is _NAMED and (is_group(groups["name"]) or _NO_NAME.match(groups["name"])):
                continue
            name = groups["name"] if platform == "canvas" else groups["name"].replace("_", " ")
            return Person(name.strip() or groups["id"], groups["id"], platform, groups["rest"] or "", bool(groups.get("late")))
    return None


def free_name(part: str, exercises: Collection[str]) -> Person:
    """The student in a name that is in no format: what remains of it without the exercise.

    >>> free_name("02_vae_emmy_noether.ipynb", ["02_vae"]).name
    'emmy noether'
    """
    stem = _ENDING.sub("", part).strip()
    exercise, (start, end) = find_exercise(stem, exercises, topics=False)  # a student may be called Gan
    name, rest = stem, ""
    if exercise:
        name, rest = f"{stem[:start]} {_COPY.sub('', stem[end:])}", stem[start:end]
    name = re.sub(r"[\s_]+", " ", name).strip(" -.,")
    if not re.search(r"\w", name) or is_group(name) or _NOBODY.fullmatch(name):
        return Person(stem, rest=rest, recognised=False)
    number = re.fullmatch(r"(?:(.*)\s)?(\d{3,})", name)
    return Person(number[1] or number[2], number[2], rest=rest) if number else Person(name, rest=rest)


def is_group(part: str) -> bool:
    """Whether a folder or zip of this name is for several students: `submissions`, `week 3`."""
    return bool(_GROUP.fullmatch(re.sub(r"[\W\d_]+", "", _ENDING.sub("", part)).casefold()))


def is_only_exercise(part: str, exercises: Collection[str]) -> bool:
    """Whether the name of a folder or zip is that of an exercise and nothing else."""
    stem = _ENDING.sub("", part)
    exercise, (start, end) = find_exercise(stem, exercises)
    return exercise is not None and not re.search(r"\w", stem[:start] + _COPY.sub("", stem[end:]))


def copy_number(part: str) -> int:
    """The number that a platform or a browser has added to the name of a later copy, or 0: 2 for `vae-2.ipynb` and `vae (2).ipynb`."""
    stem = _ENDING.sub("", part)
    match = _COPY.search(stem)
    if not match or re.search(_EXERCISE + r"$", stem[: match.start()], re.IGNORECASE):
        return 0
    return int(match["a"] or match["b"])


def find_exercise(text: str, exercises: Iterable[str], topics: bool = True) -> tuple[str | None, tuple[int, int]]:
    """The exercise that `text` names, and the start and end of that name in it, or (None, (0, 0)).

    The whole name has precedence, then the number, then the topic. topics: whether the topic alone is enough.

    >>> find_exercise("my WGAN", ["02_vae", "05_wgan"])
    ('05_wgan', (3, 7))
    """
    stem = _ENDING.sub("", text)
    for level in range(3 if topics else 2):
        spans = {}
        for name in exercises:
            pattern = _patterns(name)[level]
            if pattern and (match := re.search(pattern, stem, re.IGNORECASE)):
                spans[name] = match.span()
        best = [name for name, span in spans.items() if not any(_inside(span, other) for other in spans.values())]  # wgan_gp contains wgan
        if len(best) == 1:
            return best[0], spans[best[0]]
        if best:
            break
    return None, (0, 0)


def _inside(span, other):
    return other != span and other[0] <= span[0] and span[1] <= other[1]


def _patterns(name):
    """Three regular expressions for an exercise named like 02_vae: its whole name, its number at a sensible place, its topic."""
    start, end, gap = r"(?<![^\W_])", r"(?![^\W_])", r"[\W_]*"
    words = gap.join(map(re.escape, re.findall(r"[^\W_]+", name)))
    if not (match := re.match(r"(\d+)_(.+)", name)):
        return start + words + end, None, None
    number, topic = f"0*{int(match[1])}", gap.join(map(re.escape, re.findall(r"[^\W_]+", match[2])))
    return start + number + gap + topic + end, rf"(?:{start}{_EXERCISE}{gap}|^{gap}){number}{end}", start + topic + end


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
