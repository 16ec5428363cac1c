"""Experiments: a file describes trainings to compare, and what is missing of them is trained and measured."""

import argparse
import gc
import io
import itertools
import json
import math
import re
import shlex
import tomllib
from contextlib import redirect_stdout
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from gdl import cli
from gdl.errors import CourseError
from gdl.experiments import report
from gdl.experiments.measure import measure
from gdl.experiments.report import text
from gdl.files import whole_file
from gdl.pictures import plots
from gdl.training.callbacks import ProcessorTime

TABLES = {"train": dict, "grid": dict, "variants": list, "measure": dict}
MEASURE = dict(samples=5000, against=["train"], codes=["prior"], network="inception")
CHOICES = dict(against=["train", "val", "test"], codes=["prior", "mixture"], network=["inception", "stand_in"])
ROW = 10  # samples of a cell in the figure


class Cell(NamedTuple):
    name: str  # of its folder
    own: dict  # what tells it from the others: its variant and its place in the grid
    options: argparse.Namespace  # those of `python -m gdl train`


class Experiment(NamedTuple):
    title: str
    question: str
    cells: list
    measure: dict  # arguments of gdl.experiments.measure.measure


class Diverged(CourseError):
    """A training whose loss is no longer a number."""


def run(file, out, small=False, given=None):
    """Trains and measures what the folder `out` lacks of an experiment, and writes its table and figure after each cell.

    small: the file's small version.  given: options of `train` that replace those of the file, such as data and n.
    Each cell is a run folder in `out`, in which `result.json` and `samples.png` tell that it is measured. A cell that
    fails has its reason in the table, and the others go on. Stopped at any moment, the same call goes on.
    Raises CourseError for a mistake in the file before any training, and in the end for cells that failed.
    """
    experiment = read(file, out, small, given)
    policy = keras.config.dtype_policy()
    try:
        faces = {}  # by what they were opened with
        for cell in experiment.cells:
            if _source(cell) not in faces:
                faces[_source(cell)] = cli.open_faces(cell.options)
        _try_options(file, experiment.cells)
        words = [file, *["--small"] * small, *itertools.chain(*((f"--{name}", value) for name, value in (given or {}).items())), "--out", out]
        command = f"python -m gdl experiment {shlex.join(map(str, words))}"
        _run_cells(experiment, faces, lambda results: report.write(out, experiment, results, command))
    finally:
        keras.config.set_dtype_policy(policy)


def _run_cells(experiment, faces, write):
    asked = {cell.name: _asked(cell, faces[_source(cell)], experiment.measure) for cell in experiment.cells}
    results = {cell.name: _read_result(cell, asked[cell.name]) for cell in experiment.cells}
    failed = []
    for i, cell in enumerate(experiment.cells, 1):
        if results[cell.name] is None:
            print(f"Cell {i} of {len(experiment.cells)}: {cell.name}")
            try:
                row = _run_cell(cell, faces[_source(cell)], experiment.measure)
            except Diverged as error:
                row = {"note": str(error)}
            except CourseError as error:
                failed.append(str(error))
                print(f"gdl: {error}")
                results[cell.name] = {"row": {"note": str(error)}, "data": faces[_source(cell)].description}
                continue
            finally:
                keras.backend.clear_session()
                gc.collect()
            results[cell.name] = {**asked[cell.name], "data": faces[_source(cell)].description, "row": row}
            with whole_file(Path(cell.options.out) / "result.json") as partial:
                partial.write_text(json.dumps(results[cell.name], indent=2))
            write(results)
    write(results)
    print(f"{experiment.title}: {len(results) - len(failed)} of {len(results)} cells are done; see table.md, table.csv and figure.png.")
    if failed:
        raise CourseError(f"{len(failed)} of {len(experiment.cells)} cells failed: {failed[0]}")


def _run_cell(cell, faces, settings):
    """Trains a cell as far as it is not, and measures it. Returns its numbers by name."""
    model = cli.build(cell.options)
    watch = keras.callbacks.LambdaCallback(on_epoch_end=_stop_if_diverged)
    history = cli.fit(model, faces, cell.options, [ProcessorTime(), watch])
    row = {"epochs": len(history)}
    if "cpu_seconds" in history:
        row["cpu_minutes"] = history["cpu_seconds"].sum() / 60
    row["parameters"] = sum(math.prod(weight.shape) for weight in model.trainable_variables)
    row |= {name: float(value) for name, value in history.loc[cli.kept_epoch(history, cell.options)].items() if name.startswith("val_")}
    row |= measure(model, faces, **settings)
    plots.save_grid(Path(cell.options.out) / "samples.png", model.generate(ROW), model.architecture.pixel_range, columns=ROW)
    return row


def _stop_if_diverged(epoch, logs):
    wrong = [name for name, value in logs.items() if not name.startswith("val_") and not np.isfinite(value)]
    if wrong:
        raise Diverged(f"diverged: {wrong[0]} is {logs[wrong[0]]} in epoch {epoch + 1}")


def _asked(cell, faces, settings):
    """What a result has to agree with to be the cell's."""
    own = {name: value for name, value in vars(cell.options).items() if name not in ("command", "out", "data")}
    return {"train": own | {"faces": faces.fingerprint}, "measure": settings}


def _read_result(cell, asked):
    """What was measured of a cell; None if it was not, or with other settings."""
    file = Path(cell.options.out) / "result.json"
    if not file.is_file():
        return None
    result = json.loads(file.read_text())
    return result if {name: result.get(name) for name in asked} == asked else None


def _source(cell):
    return cell.options.data, cell.options.size, cell.options.crop, cell.options.n


def _try_options(file, cells):
    """Makes the model of each cell that has not begun, so that options which do not fit are told before any training."""
    for cell in cells:
        if not (Path(cell.options.out) / "run.json").is_file():
            try:
                cli.build(cell.options)
            except CourseError as error:
                raise CourseError(f"{file}, {cell.name}: {error}") from None
            finally:
                keras.backend.clear_session()


def read(file, out, small=False, given=None):
    """The Experiment that a file describes. Arguments as in `run`; raises CourseError that names the file and the key."""
    tables = _read_tables(file, small)
    given = given or {}
    train, grid, variants = tables["train"], tables["grid"], tables["variants"]
    cells = []
    for variant in variants or [{}]:
        for values in itertools.product(*grid.values()):
            axes = dict(zip(grid, values))
            settings = {name: value for name, value in variant.items() if name != "name"} | axes
            if twice := settings.keys() & given.keys():
                raise CourseError(f"{file}: {min(twice)} is what the file compares: leave --{min(twice)} out of the command.")
            own = ({"variant": variant["name"]} if variant else {}) | axes
            name = ",".join(value if key == "variant" else f"{key}={text(value)}" for key, value in own.items())
            cells.append(Cell(name, own, _options(file, Path(out) / name, train | settings | given)))
    if not variants and not grid:
        raise CourseError(f"{file} compares nothing: give it a [grid] of options with several values, or [[variants]].")
    return Experiment(tables["title"], tables["question"], cells, tables["measure"])


def _read_tables(file, small):
    """What is written in a file, checked as far as it is not about the options of `train`."""
    try:
        found = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}): give the file of an experiment, such as experiments/vae_beta.toml.") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise CourseError(f"{file} is not TOML: {error}") from None
    _check_keys(file, found, {"title": str, "question": str, **TABLES, "small": dict})
    tables = {name: found.get(name, kind()) for name, kind in {"title": str, "question": str, **TABLES}.items()}
    smaller = found.get("small", {})
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
            raise CourseError(f"{file}: {name} is in [grid] and fixed elsewhere: choose one.")
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
            raise CourseError(f"{file}: {start}{name} has to be {wanted[kinds[name]]}.")


def _check_measure(file, settings):
    for name, value in settings.items():
        if name not in MEASURE:
            raise CourseError(f"{file}: {name} in [measure] is not known: choose from {', '.join(MEASURE)}.")
        if name == "samples":
            if type(value) is not int or value < 2:
                raise CourseError(f"{file}: samples in [measure] is {value!r}: give a whole number, at least 2.")
            continue
        values = value if isinstance(MEASURE[name], list) and isinstance(value, list) else [value] * isinstance(MEASURE[name], str)
        if not values or any(one not in CHOICES[name] for one in values) or len(set(values)) < len(values):
            some = "one" if isinstance(MEASURE[name], str) else "a list"
            raise CourseError(f"{file}: {name} in [measure] is {value!r}: give {some} of {', '.join(map(repr, CHOICES[name]))}.")
    return settings


class _Parser(argparse.ArgumentParser):
    """The parser of the command line, without abbreviations and with its complaints raised."""

    def __init__(self, **options):
        super().__init__(**options, allow_abbrev=False)

    def error(self, message):
        raise CourseError(message)


def _options(file, out, settings):
    """The options of `python -m gdl train`, out of those of a file, by the same parser."""
    model = settings.get("model")
    if model not in cli.MODELS:
        raise CourseError(f"{file}: model is {model!r}: choose from {', '.join(cli.MODELS)}.")
    parser = cli.parser(_Parser)
    words = ["train", model, "--out", str(out)]
    for name, value in settings.items():
        if name == "model":
            continue
        flag = f"--{name.replace('_', '-')}"
        try:
            if name in ("out", "help"):
                raise CourseError(f"unrecognized arguments: {flag}")
            with redirect_stdout(io.StringIO()):
                parser.parse_args([*words, *_words(name, value)])
        except CourseError as error:
            if str(error).startswith("unrecognized"):
                raise CourseError(
                    f"{file}: {model} has no option {name} = {text(value)}; python -m gdl train {model} --help tells those that it has."
                ) from None
            raise CourseError(f"{file}: {name} = {text(value)} is not possible: {error}.") from None
    return parser.parse_args([*words, *itertools.chain(*(_words(name, value) for name, value in settings.items() if name != "model"))])


def _words(name, value):
    """An option as words of the command line."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    return [f"--{flag}", *map(str, value if isinstance(value, list) else [value])]
