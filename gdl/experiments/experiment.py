"""What an experiment compares, read from its file."""

import itertools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from gdl.errors import CourseError
from gdl.experiments.job import FEWEST, NETWORKS, Job, known_names
from gdl.models import COMMANDS, constructor_options, model_class
from gdl.training.recipes import PHOTOGRAPHS

TABLES = {"train": dict, "grid": dict, "variants": list, "measure": dict}
MEASURE = dict(samples=5000, against=["train"], codes=["prior"], network="inception")
CHOICES = dict(against=["train", "val", "test"], codes=["prior", "mixture"], network=NETWORKS)


class Cell(NamedTuple):
    """One of the training runs that an experiment compares."""

    name: str  # of its folder
    own: dict  # what distinguishes it from the others: its variant and its place in the grid
    job: Job
    folder: Path


class Experiment(NamedTuple):
    """The content of a file."""

    title: str
    question: str
    cells: list[Cell]
    measure: dict  # arguments of gdl.experiments.scores.model_scores


def read(file: str | Path, out: str | Path, small: bool = False, replaced: Mapping[str, Any] | None = None) -> Experiment:
    """The Experiment that a file describes.

    file: TOML; `experiments/` has examples.  out: the folder of its cells.  small: the file's small version.
    replaced: settings that replace those of the file, such as data and n.
    Raises CourseError that names the file and the key.

    >>> experiment = read("experiments/vae_beta.toml", "runs/vae_beta")  # doctest: +SKIP
    >>> experiment.cells[0].name  # doctest: +SKIP
    'z_dim=32,beta=0.1'
    """
    tables = read_tables(file, small)
    replaced = replaced or {}
    train, grid, variants = tables["train"], tables["grid"], tables["variants"]
    if not variants and not grid:
        raise CourseError(f"{file} compares nothing: give it a [grid] of options with several values, or [[variants]].")
    cells = []
    for variant in variants or [{}]:
        for values in itertools.product(*grid.values()):
            axes = dict(zip(grid, values))
            settings = {name: value for name, value in variant.items() if name != "name"} | axes
            if twice := settings.keys() & replaced.keys():
                raise CourseError(f"{file}: {min(twice)} is what the file compares: leave --{min(twice)} out of the command.")
            own = ({"variant": variant["name"]} if variant else {}) | axes
            name = ",".join(value if key == "variant" else f"{key}={text(value)}" for key, value in own.items())
            try:
                job = _job(train | settings | replaced)
            except CourseError as error:
                raise CourseError(f"{file}, {name}: {error}") from None
            cells.append(Cell(name, own, job, Path(out) / name))
    return Experiment(tables["title"], tables["question"], cells, tables["measure"])


def text(value: Any) -> str:
    """A value as it is written in the names of folders and in tables.

    >>> text(True), text(0.5), text([64, 128])
    ('true', '0.5', '64-128')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return "-".join(map(text, value)) if isinstance(value, list) else str(value)


def _job(settings):
    """The Job of a cell, with all options of the model's constructor, so that its result says what was trained."""
    from gdl.models.base import DecoderModel  # here, so that mistakes in the file do not wait for TensorFlow

    model = settings.get("model")
    if model not in COMMANDS:
        raise CourseError(f"model is {model!r}: choose from {', '.join(COMMANDS)}.")
    if not issubclass(model_class(model), DecoderModel):
        raise CourseError(f"a {model} makes no images to compare: choose another model.")
    if unknown := settings.keys() - known_names(model):
        raise CourseError(f"{model} has no option {min(unknown)!r}: python -m gdl train {model} --help lists its options.")
    return Job.from_settings(constructor_options(model) | PHOTOGRAPHS[model] | settings)


def read_tables(file: str | Path, small: bool) -> dict[str, Any]:
    """The content of a file, checked except for the settings of the training runs."""
    try:
        content = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}): give the file of an experiment, such as experiments/vae_beta.toml.") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise CourseError(f"{file} is not TOML: {error}") from None
    _check_keys(file, content, {"title": str, "question": str, **TABLES, "small": dict})
    tables = {name: content.get(name, kind()) for name, kind in {"title": str, "question": str, **TABLES}.items()}
    smaller = content.get("small", {})
    _check_keys(file, smaller, TABLES, "small.")
    if small:
        if not smaller:
            raise CourseError(f"{file} has no [small.train] and so no small version: leave --small out.")
        for name in smaller:
            tables[name] = tables[name] | smaller[name] if TABLES[name] is dict else smaller[name]
    for name, values in tables["grid"].items():
        if not isinstance(values, list) or not values or len({text(value) for value in values}) < len(values):
            raise CourseError(f"{file}: {name} in [grid] is {values!r}: give a list of different values.")
        if name in tables["train"] or any(name in variant for variant in tables["variants"]):
            raise CourseError(f"{file}: {name} is in [grid] and also fixed elsewhere: remove one of the two.")
    names = [variant.get("name") if isinstance(variant, dict) else None for variant in tables["variants"]]
    if len(set(map(str, names))) < len(names) or not all(isinstance(name, str) and re.fullmatch(r"\w[\w.-]*", name) for name in names):
        raise CourseError(f"{file}: each of the [[variants]] needs a name of its own, of letters, digits, '_', '-' and '.'; these are {names}.")
    tables["measure"] = _check_measure(file, MEASURE | tables["measure"])
    return tables


def _check_keys(file, table, kinds, start=""):
    for name, value in table.items():
        if name not in kinds:
            raise CourseError(f"{file}: {start}{name} is not known: choose from {', '.join(kinds)}.")
        if not isinstance(value, kinds[name]):
            wanted = {str: "a text in quotation marks", dict: f"a table, [{start}{name}]", list: f"tables, [[{start}{name}]]"}
            raise CourseError(f"{file}: {start}{name} must be {wanted[kinds[name]]}.")


def _check_measure(file, settings):
    for name, value in settings.items():
        if name not in MEASURE:
            raise CourseError(f"{file}: {name} in [measure] is not known: choose from {', '.join(MEASURE)}.")
        if name == "samples":
            if type(value) is not int or value < FEWEST:
                raise CourseError(f"{file}: samples in [measure] is {value!r}: give a whole number, at least {FEWEST}.")
            continue
        values = value if isinstance(MEASURE[name], list) and isinstance(value, list) else [value] * isinstance(MEASURE[name], str)
        if not values or any(one not in CHOICES[name] for one in values) or len(set(values)) < len(values):
            some = "one" if isinstance(MEASURE[name], str) else "a list"
            raise CourseError(f"{file}: {name} in [measure] is {value!r}: give {some} of {', '.join(map(repr, CHOICES[name]))}.")
    return settings
