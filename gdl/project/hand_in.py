"""What a hand-in says of itself: project.toml, and the run folder's settings and history. Text only, checked entry by entry."""

import hashlib
import json
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdl.arguments import did_you_mean
from gdl.errors import CourseError
from gdl.project.files import Files, Missing, checked_name
from gdl.project.rules import LARGEST, TASKS, WEIGHTS
from gdl.training.run_files import KINDS

CLAIMS: dict[str, type] = {"network": str, "samples": int, "distance": float, "copies": float, "share": float}
RUN = "run"


@dataclass(frozen=True)
class Project:
    """The entries of project.toml.

    name: on the leaderboard.  task: "recipe" or "own".  change: what differs from the recipe, in a sentence.
    weights: file of the weights, .weights.h5 or .npz.  model: class of the course whose networks the run's own class has; "" for the run's.
    further_runs: run folders of trained parts, such as the autoencoder of a latent flow; their minutes count, too.
    group: the attribute whose share among the samples is measured.  claims: the numbers that the report states.
    """

    name: str
    task: str
    change: str
    weights: str
    model: str = ""
    further_runs: tuple[str, ...] = ()
    group: str = ""
    claims: dict[str, Any] = field(default_factory=dict)


def read_project(files: Files) -> Project:
    """The project.toml of a hand-in. CourseError, one sentence, for an entry that is missing, unknown or of another kind."""
    try:
        entries = tomllib.loads(files.read("project.toml").decode("utf-8-sig"))  # Windows may put a mark before the text
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError, too
        raise CourseError(f"project.toml is no TOML ({str(error)[:100]}): copy project/project.toml and fill it in.") from None
    known = list(Project.__dataclass_fields__)
    if unknown := [name for name in entries if name not in known]:
        raise CourseError(f"project.toml has an entry {unknown[0][:40]!r}: it knows {', '.join(known)}{did_you_mean(unknown[0], known)}.")
    for name in ("name", "task", "change", "weights"):
        if not isinstance(entries.get(name), str) or not entries[name].strip():
            raise CourseError(f'project.toml has no {name}: write {name} = "...", as in project/project.toml.')
    for name, most in (("name", 60), ("change", 300), ("model", 40), ("group", 40)):
        value = entries.get(name, "")
        if not isinstance(value, str) or len(value) > most:
            raise CourseError(f"{name} in project.toml is no text of at most {most} characters: shorten it.")
    if entries["task"] not in TASKS:
        raise CourseError(f"task in project.toml is {entries['task'][:40]!r}: write 'recipe' or 'own'.")
    weights = checked_name(entries["weights"])
    if not weights.endswith(WEIGHTS):
        raise CourseError(f"weights in project.toml is {weights!r}: hand in {' or '.join(WEIGHTS)}, because other files of weights can hold code.")
    further = entries.get("further_runs", [])
    if not isinstance(further, list) or len(further) > 10 or not all(isinstance(run, str) for run in further):
        raise CourseError('further_runs in project.toml is no list of names of folders: write further_runs = ["autoencoder"] or leave it out.')
    return Project(**entries | {"weights": weights, "further_runs": tuple(map(checked_name, further)), "claims": _claims(entries.get("claims", {}))})


def _claims(given):
    if not isinstance(given, dict):
        raise CourseError("claims in project.toml is no table: write [claims] and the numbers below it.")
    for name, value in given.items():
        if name not in CLAIMS:
            raise CourseError(f"[claims] in project.toml has an entry {name[:40]!r}: it knows {', '.join(CLAIMS)}{did_you_mean(name, CLAIMS)}.")
        kind = (int, float) if CLAIMS[name] is float else CLAIMS[name]
        if not isinstance(value, kind) or isinstance(value, bool) or isinstance(value, float) and not math.isfinite(value):
            raise CourseError(f"{name} below [claims] in project.toml is no {'text' if kind is str else 'number'}: correct it.")
        if isinstance(value, str) and len(value) > 40 or isinstance(value, int) and abs(value) > 10**9:
            raise CourseError(f"{name} below [claims] in project.toml is too long: correct it.")
    return given


@dataclass(frozen=True)
class Run:
    """What a run folder says of a training. settings: run.json.  epochs, minutes and images: of all epochs in history.json."""

    settings: dict[str, Any]
    epochs: int
    minutes: float
    images: int


def read_run(files: Files, folder: str = RUN) -> Run:
    """The settings and the history of a run folder in a hand-in. CourseError, one sentence, for files that `gdl.train` has not written."""
    settings, history = (_json(files, f"{folder}/{name}") for name in ("run.json", "history.json"))
    if not all(isinstance(settings.get(name), kind) and settings[name] for name, kind in KINDS.items()):
        raise CourseError(f"{folder}/run.json lacks entries that gdl.train writes: copy the run folder again.")
    rows = history.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise CourseError(f"{folder}/history.json has no epochs: train with gdl.train(..., run=...) and copy the whole run folder.")
    columns = [[row.get(name) for row in rows] for name in ("epoch", "seconds", "images_per_second")]
    if not all(_is_count(value) for column in columns for value in column):
        raise CourseError(f"{folder}/history.json has an epoch without its number, seconds or images_per_second: copy the run folder again.")
    epochs, seconds, speeds = columns
    if epochs != list(range(1, len(rows) + 1)):
        raise CourseError(f"{folder}/history.json lacks epochs: it must have all from the first to the last, because all of them count.")
    return Run(settings, len(rows), sum(seconds) / 60, round(sum(s * speed for s, speed in zip(seconds, speeds))))


def _json(files, name):
    try:
        content = json.loads(files.read(name).decode())
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise CourseError(f"{name} is damaged or not of this course: copy the run folder again.")
    return content


def _is_count(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e9


def spent(files: Files, project: Project) -> tuple[Run, float]:
    """The run of a hand-in, and the minutes of training of it and of all further runs."""
    runs = [read_run(files, folder) for folder in (RUN, *project.further_runs)]
    return runs[0], sum(run.minutes for run in runs)


def stage(files: Files, folder: Path) -> str:
    """Copies what is needed of a hand-in into an empty folder that every user may read. Returns a digest of it.

    What is missing is left out. CourseError, one sentence, for a project.toml that cannot be used, and for a file that is too large or a link.
    """
    project, digest = read_project(files), hashlib.sha256()
    runs = [f"{run}/{name}" for run in (RUN, *project.further_runs) for name in ("run.json", "history.json")]
    folder.chmod(0o755)
    for name in dict.fromkeys(["project.toml", *runs, "card.md", "report.md", "samples.png", "images.npz", project.weights]):
        try:
            content = files.read(name, LARGEST["weights"] if name == project.weights else None)
        except Missing:
            continue
        path = folder / name
        for parent in reversed(path.relative_to(folder).parents[:-1]):
            (folder / parent).mkdir(exist_ok=True)
            (folder / parent).chmod(0o755)
        path.write_bytes(content)
        path.chmod(0o644)
        digest.update(f"{name} {len(content)} ".encode() + content)
    return digest.hexdigest()
