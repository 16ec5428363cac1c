"""Runs an experiment: trains and measures the cells that its folder does not have yet, and writes its table and figure."""

import gc
import itertools
import json
import math
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from gdl.errors import CourseError
from gdl.experiments import report
from gdl.experiments.experiment import read
from gdl.experiments.fit import build, fit, kept_epoch
from gdl.experiments.job import Job
from gdl.experiments.scores import model_scores
from gdl.files import write_file
from gdl.pictures import plots
from gdl.training.callbacks import Diverged, ProcessorTime
from gdl.training.lock import locked

SAMPLES = 10  # images of a cell in the figure


def run(file: str | Path, out: str | Path, small: bool = False, replaced: Mapping[str, Any] | None = None) -> None:
    """Trains and measures the cells that the folder `out` does not have yet, and writes the table and figure after each cell.

    file, small, replaced: see `gdl.experiments.experiment.read`.
    Each cell is a run folder in `out`; `result.json` and `samples.png` in it show that it is measured. If a cell
    fails, the table gives the reason, and the others continue. After an interruption at any moment, the same call continues.
    Raises CourseError for a mistake in the file, and when the same experiment is already running, before any training; at the
    end for cells that failed.

    >>> run("experiments/vae_beta.toml", "runs/vae_beta", small=True)  # doctest: +SKIP
    """
    experiment = read(file, out, small, replaced)
    policy = keras.config.dtype_policy()
    try:
        _try_jobs(file, experiment.cells)
        with locked(Path(out)):
            faces = {}  # by what they were opened with
            for cell in experiment.cells:
                if _source(cell) not in faces:
                    faces[_source(cell)] = cell.job.open_faces()
            words = [file, *["--small"] * small, *itertools.chain(*((f"--{name}", value) for name, value in (replaced or {}).items())), "--out", out]
            command = f"python -m gdl experiment {shlex.join(map(str, words))}"
            _run_cells(experiment, faces, lambda results: report.write(out, experiment, results, command))
    finally:
        keras.config.set_dtype_policy(policy)


def _run_cells(experiment, faces, write):
    requests = {cell.name: _request(cell, faces[_source(cell)], experiment.measure) for cell in experiment.cells}
    results = {cell.name: _read_result(cell, requests[cell.name]) for cell in experiment.cells}
    failed = []
    for i, cell in enumerate(experiment.cells, 1):
        if results[cell.name] is None:
            print(f"Cell {i} of {len(experiment.cells)}: {cell.name}")
            try:
                row = _run_cell(cell, faces[_source(cell)], experiment.measure)
            except Diverged as error:
                row = {"note": error.note}
            except CourseError as error:
                failed.append(str(error))
                print(f"gdl: {error}")
                results[cell.name] = {"row": {"note": str(error)}, "data": faces[_source(cell)].description}
                continue
            finally:
                keras.backend.clear_session()
                gc.collect()
            results[cell.name] = {**requests[cell.name], "data": faces[_source(cell)].description, "row": row}
            write_file(cell.folder / "result.json", json.dumps(results[cell.name], indent=2))
            try:
                write(results)
            except CourseError as error:  # a spreadsheet has the table open: it is written after the next cell
                print(f"gdl: {error}")
    write(results)
    print(f"{experiment.title}: {len(results) - len(failed)} of {len(results)} cells are done; see table.md, table.csv and figure.png.")
    if failed:
        raise CourseError(f"{len(failed)} of {len(experiment.cells)} cells failed: {failed[0]}")


def _run_cell(cell, faces, measure):
    """Trains a cell as far as it is not trained yet, and measures it. Returns its numbers by name."""
    model = build(cell.job)
    history = fit(model, faces, cell.job, cell.folder, [ProcessorTime()])
    row: dict = {"epochs": len(history)}
    if "cpu_seconds" in history:
        row["cpu_minutes"] = history["cpu_seconds"].sum() / 60
    row["parameters"] = sum(math.prod(weight.shape) for weight in model.trainable_variables)
    row |= history.filter(regex="^val_").loc[kept_epoch(history, cell.job)].astype(float).to_dict()
    row |= model_scores(model, faces, **measure)
    plots.save_grid(cell.folder / "samples.png", model.generate(SAMPLES), model.architecture.pixel_range, columns=SAMPLES)
    return row


def _request(cell, faces, measure):
    """What is to be trained and measured, in the form in which a cell's result contains it."""
    return {"train": json.loads(json.dumps(cell.job.settings())) | {"faces": faces.fingerprint}, "measure": measure}


def _read_result(cell, request):
    """The result of a cell; None if there is none, or if its settings differ."""
    file = cell.folder / "result.json"
    if not file.is_file():
        return None
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
        if result["measure"] != request["measure"] or not isinstance(result["row"], dict) or not isinstance(result["data"], str):
            return None
        train = result["train"]
        job = Job.from_settings({name: value for name, value in train.items() if name != "faces"})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CourseError):
        return None  # damaged, not of this course, or with a setting of an earlier version: it is measured again
    return result if (job.settings(), train.get("faces")) == (cell.job.settings(), request["train"]["faces"]) else None


def _source(cell):
    return cell.job.data, cell.job.size, cell.job.crop, cell.job.n


def _try_jobs(file, cells):
    """Makes the model of each cell that has not begun, so that options which do not fit are reported before any training."""
    for cell in cells:
        if not (cell.folder / "run.json").is_file():
            try:
                build(cell.job)
            except CourseError as error:
                raise CourseError(f"{file}, {cell.name}: {error}") from None
            finally:
                keras.backend.clear_session()
