"""Whose a file is, and which exercise it is of, from the names that learning platforms and people give.

As the platforms' own programs write them (looked up in mod/assign/classes/downloader.php of Moodle 4.4 and lib/content_zipper.rb of
Canvas, 2025): Moodle has `Full Name_1234567_assignsubmission_file/vae.ipynb`, with `_file_/` up to Moodle 4, or without folders
`Full Name_1234567_assignsubmission_file_vae.ipynb`; the number is the participant's in this one assignment. Canvas has
`lovelaceada_LATE_12345_67890_vae-1.ipynb` with the numbers of the user and of the file, `-1` where a file of that name was there
before, and `anon_AbC12_67890_vae.ipynb` where it hides names.
"""

import re
import unicodedata
from dataclasses import dataclass

_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<rest>.*))?")
_CANVAS = re.compile(r"(?P<name>\w+?)_(?P<late>LATE_)?(?P<id>\d+)_\d{3,}_(?P<rest>.+)")
_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[^\W_]+))_\d{3,}_(?P<rest>.+)")
_NAMED = re.compile(r"(?P<name>.*?[^\W\d].*?)_(?P<id>[a-z]{0,3}\d{3,})(?:_(?P<rest>.+))?", re.IGNORECASE)
_ENDING = re.compile(r"(\.ipynb|\.ipynb\.txt|\.ipynb\.json|\.zip)$", re.IGNORECASE)
_AGAIN = re.compile(r"(?:(?<!\d)-(?P<a>[1-9]\d?)|\s*\((?P<b>\d{1,2})\))$")  # vae-1, vae (2); not the date 2026-11-2
_EXERCISE = r"(?:exercises?|exc?|assignment|homework|hw|sheet|chapter|übung|uebung|aufgabe|task)"
_NO_NAME = re.compile(rf"\d|{_EXERCISE}(?![^\W_])", re.IGNORECASE)
_NOBODY = re.compile(r"(untitled|unbenannt|copy of|kopie von|copie de|final|notebook|(my )?(solutions?|answers?))[\W\d]*", re.IGNORECASE)
_GROUP = re.compile(
    r"all|canvas|moodle|late|students|group|week|chapter|sheet|notebooks|homework"
    r"|downloads?|exercises?|assignments?|submissions?|abgaben?"
)


@dataclass(frozen=True)
class Person:
    """A student as a file's name tells. `rest` is what remains of the name, and tells of the exercise."""

    name: str
    identifier: str = ""
    platform: str = ""  # "moodle", "canvas" or ""
    rest: str = ""
    late: bool = False
    sure: bool = True  # that this is a student's name at all

    @property
    def key(self):
        return same(self.name), same(self.identifier)


def same(text):
    """A name in the form in which two of them are compared."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def canonical(text):
    """Letters and digits alone, for comparing titles."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def platform(file):
    """ "moodle", "canvas" or "": where a submission's file, as a result has it, was downloaded."""
    return next((who.platform for part in re.split(r"[/!]", file) if (who := person(part)) and who.platform), "")


def person(part):
    """The Person that one name of a path tells of in a platform's way, or in ours (`name_id_file.ipynb`); None if it does not."""
    stem = _ENDING.sub("", part)
    for pattern, where in ((_MOODLE, "moodle"), (_CANVAS, "canvas"), (_ANONYMOUS, "canvas"), (_NAMED, "")):
        if match := pattern.fullmatch(stem):
            found = match.groupdict()
            if pattern is _NAMED and (is_group(found["name"]) or _NO_NAME.match(found["name"])):
                continue
            name = found["name"] if where == "canvas" else found["name"].replace("_", " ")
            return Person(name.strip() or found["id"], found["id"], where, found["rest"] or "", bool(found.get("late")))
    return None


def plain_person(part, exercises):
    """The Person that a name tells of which no platform has made: what is left when the exercise is taken away."""
    stem = _ENDING.sub("", part).strip()
    name, (start, end) = mention(stem, exercises, topics=False)  # a student may be called Gan
    left, said = stem, ""
    if name:
        left, said = f"{stem[:start]} {_AGAIN.sub('', stem[end:])}", stem[start:end]
    left = re.sub(r"[\s_]+", " ", left).strip(" -.,")
    if not re.search(r"\w", left) or is_group(left) or _NOBODY.fullmatch(left):
        return Person(stem, rest=said, sure=False)
    number = re.fullmatch(r"(?:(.*)\s)?(\d{3,})", left)
    return Person(number[1] or number[2], number[2], rest=said) if number else Person(left, rest=said)


def is_group(part):
    """Whether a folder's or zip's name is one for several students: `submissions`, `week 3`."""
    return bool(_GROUP.fullmatch(re.sub(r"[\W\d_]+", "", _ENDING.sub("", part)).casefold()))


def only_exercise(part, exercises):
    """Whether nothing but an exercise's name is in the name of a folder or zip."""
    stem = _ENDING.sub("", part)
    name, (start, end) = mention(stem, exercises)
    return bool(name) and not re.search(r"\w", stem[:start] + _AGAIN.sub("", stem[end:]))


def again(part):
    """The number of a resubmission that a platform or a browser has put at the end of a name, or 0: 2 for `vae-2.ipynb` and `vae (2).ipynb`."""
    stem = _ENDING.sub("", part)
    match = _AGAIN.search(stem)
    if not match or re.search(_EXERCISE + r"$", stem[: match.start()], re.IGNORECASE):
        return 0
    return int(match["a"] or match["b"])


def mention(text, exercises, topics=True):
    """The exercise that `text` names, and where, or (None, (0, 0)). Its whole name counts most, then its number, then, if asked, its topic."""
    stem = _ENDING.sub("", text)
    for level in range(3 if topics else 2):
        found = {}
        for name in exercises:
            pattern = _patterns(name)[level]
            if pattern and (match := re.search(pattern, stem, re.IGNORECASE)):
                found[name] = match.span()
        best = [name for name, span in found.items() if not any(_inside(span, other) for other in found.values())]  # wgan_gp also says wgan
        if len(best) == 1:
            return best[0], found[best[0]]
        if best:
            break
    return None, (0, 0)


def _inside(span, other):
    return other != span and other[0] <= span[0] and span[1] <= other[1]


def _patterns(name):
    """Three regular expressions for an exercise named like 02_vae: the whole, its number at a sensible place, its topic."""
    start, end, gap = r"(?<![^\W_])", r"(?![^\W_])", r"[\W_]*"
    words = gap.join(map(re.escape, re.findall(r"[^\W_]+", name)))
    if not (match := re.match(r"(\d+)_(.+)", name)):
        return start + words + end, None, None
    number, topic = f"0*{int(match[1])}", gap.join(map(re.escape, re.findall(r"[^\W_]+", match[2])))
    return start + number + gap + topic + end, rf"(?:{start}{_EXERCISE}{gap}|^{gap}){number}{end}", start + topic + end


def from_headings(cells, exercises, questions):
    """The exercise that a notebook's text tells: its first heading, else the titles of its questions. None if neither does."""
    headings = [line.lstrip("#").strip() for kind, source, _ in cells if kind == "markdown" for line in source.splitlines() if line.startswith("#")]
    if headings:
        for name, title in exercises.items():
            if canonical(title) == canonical(headings[0]):
                return name
        if (name := mention(headings[0], exercises)[0]) is not None:
            return name
    seen = {canonical(heading) for heading in headings}
    counts = {name: sum(canonical(title) in seen for title in questions.get(name, ())) for name in exercises}
    best = sorted(counts, key=counts.get, reverse=True)
    if best and counts[best[0]] >= 2 and (len(best) == 1 or counts[best[0]] > counts[best[1]]):
        return best[0]
    return None
