"""The student of a file, from the names that learning platforms and people give.

The platforms' own programs write the names as follows (mod/assign/classes/downloader.php of Moodle 4.4 and lib/content_zipper.rb of
Canvas, read in 2025). Moodle: `Full Name_1234567_assignsubmission_file/vae.ipynb`, with `_file_/` up to Moodle 4, or without folders
`Full Name_1234567_assignsubmission_file_vae.ipynb`; the number identifies the participant in this one assignment. Canvas:
`lovelaceada_LATE_12345_67890_vae-1.ipynb` with the numbers of the user and of the file, and `-1` if there was a file of that name
before; where it hides names, `anon_AbC12_67890_vae.ipynb`. Blackboard: `gradebook_COURSE_title_user_attempt_2026-11-28-10-11-12_vae.ipynb`, and
a .txt of the same name for each attempt. Brightspace: `1234-5678 - Ada Lovelace - Nov 28, 2026 1012 AM/vae.ipynb`.
nbgrader's exchange: `user+02_vae+2026-11-28 10:11:12 UTC`.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from os.path import commonprefix

from gdl.instructor.grading.exercise_names import ENDING, EXERCISE, find_exercise

_WHEN = r"(?P<when>\d{4}-\d\d-\d\d[ -]\d\d[-:]\d\d[-:]\d\d)"
_MOODLE = re.compile(r"(?P<name>.+?)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<rest>.*))?")
_CANVAS = re.compile(r"(?P<name>\w+?)_(?P<late>LATE_)?(?P<id>\d+)_\d{3,}_(?P<rest>.+)")
_ANONYMOUS = re.compile(r"(?P<late>LATE_)?(?P<name>anon_(?P<id>[^\W_]+))_\d{3,}_(?P<rest>.+)")
_BLACKBOARD = re.compile(rf"(?P<head>.+_)?(?P<name>[^_]+)_(?:attempt|Versuch)_{_WHEN}(?:\.txt|_(?P<rest>.*))?", re.IGNORECASE)
_EXCHANGE = re.compile(rf"(?P<name>[^+]+)\+(?P<rest>[^+]+)\+{_WHEN}.*")
_BRIGHTSPACE = re.compile(r"(?P<id>\d+)-\d+ - (?P<name>.+?) - (?P<date>[^-]*\b\d{4}\b[^-]*)")
_NAMED = re.compile(r"(?P<name>.*?[^\W\d].*?)_(?P<id>[a-z]{0,3}\d{3,})(?:_(?P<rest>.+))?", re.IGNORECASE)
_PATTERNS = [
    (_MOODLE, "moodle"), (_BRIGHTSPACE, "brightspace"), (_BLACKBOARD, "blackboard"), (_EXCHANGE, "nbgrader"),
    (_CANVAS, "canvas"), (_ANONYMOUS, "canvas"), (_NAMED, ""),
]  # fmt: skip
_WORD_COPY = r"[ _-]+(?:copy|kopie) ?\(?\d{0,2}\)?"  # vae-Copy1, vae - Kopie (2), vae copy 2
_BROWSER_COPY = r"\s*\((?P<b>\d{1,2})\)"  # vae (2)
_COPY = re.compile(rf"(?:(?<!\d)-(?P<a>[1-9]\d?)|{_BROWSER_COPY}|{_WORD_COPY})$", re.IGNORECASE)  # also vae-1; not the date 2026-11-2
_COPY_OF_NAME = re.compile(rf"^-\d{{1,2}}$|(?:{_BROWSER_COPY}|{_WORD_COPY})$", re.IGNORECASE)  # ada-1 and ada-2 may be two students
_COPY_BEFORE = re.compile(r"(?<![^\W_])(?:copy of|kopie von|copie de)(?![^\W_])[\s_]*", re.IGNORECASE)
_VERSION = re.compile(r"(?:version|attempt|versuch)[ _-]?(\d{1,4})", re.IGNORECASE)  # folders of Microsoft Teams, inside a student's folder
_NO_NAME = re.compile(rf"\d|{EXERCISE}(?![^\W_])", re.IGNORECASE)
_NOBODY = re.compile(r"(untitled|unbenannt|final|notebook|(my )?(solutions?|answers?|work|loesung|lösung))[\W\d]*", re.IGNORECASE)
_GROUP = re.compile(
    r"all|alle|blackboard|canvas|ilias|moodle|nbgrader|classroom|teams|google|drive|github|late|inbox|inbound|downloaded|archive|extracted"
    r"|students|studierende|work|files?|submitted|working|collected|gradebook|lms|handins?|handed|turned"
    r"|groups?|gruppen?|sections?|tutorials?|tutorium|weeks?|woche|batch|course|kurs|class|klasse|lab|terms?|semesters?|ws|ss|wise|sose"
    r"|chapters?|sheets?|notebooks?|homeworks?|uploads?|downloads?|exports?|exercises?|assignments?|submissions?|abgaben?|aufgaben?|übungen|uebungen"
)
_BESIDE = re.compile(r"student|in|to|grade|the|for|of|und|and|from|new|old|part|room|[^\W\d_]")  # also names, so only beside another word
_SEASON = re.compile(r"winter|summer|spring|autumn|fall|sommer")  # also names, so only with a year
_INNER = re.compile(
    r"(old|new|backup|src|code|final|draft|copy|solutions?|my work|work|images?|data|runs?|models?|utils?|version|attempt)[\W\d_]*",
    re.IGNORECASE,
)
NBGRADER_OTHERS = ("autograded", "feedback", "release", "source")  # beside nbgrader's folder `submitted`


@dataclass(frozen=True)
class Person:
    """A student, as the name of a file or folder gives them.

    platform: "moodle", "canvas", "blackboard", "brightspace", "nbgrader" or "". rest: the remaining part of the name, which may name the exercise.
    when: the time of the attempt as the platform writes it, or "". recognised: False if the name holds no student's name; `name` is then
    the file's name.
    """

    name: str
    identifier: str = ""
    platform: str = ""
    rest: str = ""
    late: bool = False
    when: str = ""
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


def sounds_like(text: str) -> tuple[str, ...]:
    """What is equal for the different ways to write one name.

    >>> sounds_like("Lovelace, Ada") == sounds_like("ada_lovelace")
    True
    """
    letters = unicodedata.normalize("NFKD", normalized(text))
    return tuple(sorted(re.findall(r"[^\W_]+", "".join(c for c in letters if not unicodedata.combining(c)))))


def platform_of(file: str) -> str:
    """The platform that a submission was downloaded from, as in `Person`. file: its path, as in a result."""
    return next((person.platform for part in re.split(r"[/!]", file) if (person := formatted_name(part)) and person.platform), "")


def formatted_name(part: str, is_folder: bool = False) -> Person | None:
    """The student in a name that is in a platform's format, or in the course's own: `name_id_file.ipynb`. None for any other name.

    >>> formatted_name("Ada Lovelace_1234567_assignsubmission_file_vae.ipynb")
    Person(name='Ada Lovelace', identifier='1234567', platform='moodle', rest='vae', late=False, when='', recognised=True)
    """
    stem = part if is_folder else ENDING.sub("", part)
    for pattern, platform in _PATTERNS:
        if match := pattern.fullmatch(stem):
            groups = match.groupdict()
            if pattern is _NAMED and (is_group(groups["name"]) or _NO_NAME.match(groups["name"])):
                continue
            name = groups["name"] if platform not in ("", "moodle") else groups["name"].replace("_", " ")
            number = groups.get("id") or ""
            if platform in ("blackboard", "nbgrader"):
                number = name  # a login
            rest = groups.get("rest") or groups.get("head") or ""
            when = _digits_of_date(groups["date"]) if "date" in groups else re.sub(r"\D", "", groups.get("when") or "")
            return Person(name.strip() or number, number, platform, rest, bool(groups.get("late")), when)
    return None


def _digits_of_date(text):
    """Brightspace's `Nov 28, 2026 1012 AM` as 20261128101200, or "" if it is written in another way."""
    text = re.sub(r"\b(\d{3})\b", r"0\1", text.strip())  # 103 PM is three past one
    for form in ("%b %d, %Y %I%M %p", "%B %d, %Y %I%M %p", "%d %B, %Y %H%M", "%d %b, %Y %H%M"):
        with suppress(ValueError):
            return datetime.strptime(text, form).strftime("%Y%m%d%H%M%S")
    return ""


def blackboard_names(parts: Collection[str], exercises: Collection[str]) -> dict[str, Person]:
    """The students in those names of one folder that Blackboard has written.

    A login may hold underscores, as may the titles before it. What all names have in common is no part of a login.
    """
    matches = {part: match for part in parts if (match := _BLACKBOARD.fullmatch(ENDING.sub("", part)))}
    heads = {part: (match["head"] or "") + match["name"] for part, match in matches.items()}
    common = commonprefix(list(set(heads.values()))) if len(set(heads.values())) > 1 else ""
    common = common[: common.rfind("_") + 1]
    people = {}
    for part, head in heads.items():
        start, (_, end) = common, find_exercise(head, exercises, topics=False)[1]
        if not start and end and "_" in head[end:]:
            start = head[: head.index("_", end) + 1]
        person = formatted_name(part)
        if person:
            login = head[len(start) :] if start and len(head) > len(start) else person.name
            people[part] = replace(person, name=login, identifier=login, rest=f"{matches[part]['rest'] or ''} {start}")
    return people


def free_name(part: str, exercises: Collection[str], is_folder: bool = False) -> Person:
    """The student in a name that is in no format: what remains of it without the exercise.

    >>> free_name("02_vae_emmy_noether.ipynb", ["02_vae"]).name
    'emmy noether'
    """
    stem = (part if is_folder else ENDING.sub("", part)).strip()
    exercise, (start, end) = find_exercise(stem, exercises, topics=False)  # a student may be called Gan
    before, after, rest = stem, "", ""
    if exercise:
        before, after, rest = stem[:start], stem[end:], stem[start:end]
    if not is_folder:
        before, after = (_COPY_OF_NAME.sub("", text) for text in (before, after))
    name = re.sub(r"[\s_]+", " ", _COPY_BEFORE.sub("", f"{before} {after}")).strip(" -.,")
    if not re.search(r"\w", name) or is_group(name) or _NOBODY.fullmatch(name):
        return Person(stem, rest=rest, recognised=False)
    number = re.fullmatch(r"(?:(.*)\s)?(\d{3,})", name)
    return Person(number[1] or number[2], number[2], rest=rest) if number else Person(name, rest=rest)


@lru_cache(maxsize=1000)
def is_group(part: str) -> bool:
    """Whether a folder or zip of this name is for several students: `submissions`, `week 3`, `2026 WS`, `Section A`."""
    words = re.findall(r"[^\W\d_]+", ENDING.sub("", part).casefold())
    has_year = bool(re.search(r"\d\d", part))
    known = [word for word in words if _GROUP.fullmatch(word) or has_year and _SEASON.fullmatch(word)]
    return bool(known) and all(word in known or _BESIDE.fullmatch(word) for word in words) or bool(_GROUP.fullmatch("".join(words)))


def is_only_exercise(part: str, exercises: Collection[str]) -> bool:
    """Whether the name of a folder or zip is that of an exercise, and else at most of a group: `02-vae-submissions`."""
    stem = ENDING.sub("", part)
    exercise, (start, end) = find_exercise(stem, exercises)
    others = f"{stem[:start]} {_COPY.sub('', stem[end:])}"
    return exercise is not None and (not re.search(r"\w", others) or is_group(others))


def is_inner(part: str) -> bool:
    """Whether this is a usual name of a folder in a student's own folder: `old`, `src`, `Version 2`."""
    return bool(_INNER.fullmatch(part))


def copy_number(part: str) -> int:
    """The number that a platform or a browser has added to the name of a later copy, or 0: 2 for `vae-2.ipynb` and `vae (2).ipynb`."""
    stem = ENDING.sub("", part)
    match = _COPY.search(stem)
    if not match or re.search(EXERCISE + r"$", stem[: match.start()], re.IGNORECASE):
        return 0
    return int(match["a"] or match["b"] or 0)


def is_copy(part: str) -> bool:
    """Whether a name is that of a copy that Jupyter or a desktop has made, which may be older or newer: `vae-Copy1.ipynb`."""
    return bool(re.search(rf"(?:{_WORD_COPY})$", ENDING.sub("", part), re.IGNORECASE))


def version_number(parts: Iterable[str]) -> int:
    """The number in a folder `Version 2` of Microsoft Teams, or 0."""
    return max((int(match[1]) for part in parts if (match := _VERSION.fullmatch(part))), default=0)
