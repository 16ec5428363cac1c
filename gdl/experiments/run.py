"""Runs an experiment: trains and measures the cells that its folder does not have yet, and writes its table and figure."""

import gc
import itertools
import json
import math
import shlex
import time
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
from gdl.models import constructor_options
from gdl.pictures import plots
from gdl.training.callbacks import Diverged, ProcessorTime
from gdl.training.lock import InUse, locked

SAMPLES = 10  # images of a cell in the figure
CLAIM = ".claim"  # a lock beside the one of the training: who has it trains and measures the cell
SECONDS = 2  # between two looks at what other processes have not finished


def run(file: str | Path, out: str | Path, small: bool = False, replaced: Mapping[str, Any] | None = None) -> None:
    """Trains and measures the cells that the folder `out` does not have yet, and writes the table and figure after each cell.

    file, small, replaced: see `gdl.experiments.experiment.read`.
    Each cell is a run folder in `out`; `result.json` and `samples.png` in it show that it is measured. If a cell
    fails, the table gives the reason, and the others continue. After an interruption at any moment, the same call continues.
    Several processes, also of several machines, may run the same experiment in the same folder: each takes cells that no
    other has, waits for the rest at the end, and takes over the cell of a process that has died.
    Raises CourseError for a mistake in the file before any training; at the end for cells that failed.

    >>> run("experiments/vae_beta.toml", "runs/vae_beta", small=True)  # doctest: +SKIP
    """
    experiment = read(file, out, small, replaced)
    policy = keras.config.dtype_policy()
    try:
        _try_jobs(file, experiment.cells)
        faces = {}  # by what they were opened with
        for cell in experiment.cells:
            if _source(cell) not in faces:
                faces[_source(cell)] = cell.job.open_faces()
        words = [file, *["--small"] * small, *itertools.chain(*((f"--{name}", value) for name, value in (replaced or {}).items())), "--out", out]
        command = f"python -m gdl experiment {shlex.join(map(str, words))}"
        _run_cells(experiment, faces, Path(out), lambda results: report.write(out, experiment, results, command))
    finally:
        keras.config.set_dtype_policy(policy)


def _run_cells(experiment, faces, out, write):
    """Walks over the cells until all have a result or have failed here: what another process has is passed over, and looked at again."""
    cells = experiment.cells
    requests = {cell.name: _request(cell, faces[_source(cell)], experiment.measure) for cell in cells}
    results: dict = {}  # of this process and of others; for a cell that failed here, what the table says of it

    def look_at(cell):
        results[cell.name] = _read_result(cell, requests[cell.name]) or results.get(cell.name)
        return results[cell.name]

    def write_all():
        while True:
            try:
                with locked(out):  # whoever writes last has looked at all results
                    for cell in cells:
                        look_at(cell)
                    return write(results)
            except InUse:
                time.sleep(0.1)

    said = set()
    while left := [(i, cell) for i, cell in enumerate(cells, 1) if not look_at(cell)]:
        busy = []  # a sentence for each cell that another process has
        for i, cell in left:
            try:
                with locked(cell.folder, CLAIM):
                    if look_at(cell):  # another process has just finished it
                        continue
                    print(f"Cell {i} of {len(cells)}: {cell.name}")
                    results[cell.name] = _try_cell(cell, faces[_source(cell)], requests[cell.name])
            except InUse as error:
                busy.append(f"Waiting for {cell.name}: {error.holder} trains it.")
                continue
            try:
                write_all()
            except CourseError as error:  # a spreadsheet has the table open: it is written after the next cell
                print(f"gdl: {error}")
        if len(busy) == len(left):
            for sentence in sorted(set(busy) - said):
                print(sentence)
            said.update(busy)
            time.sleep(SECONDS)
    write_all()
    failed = [result["row"]["note"] for result in results.values() if "train" not in result]
    print(f"{experiment.title}: {len(results) - len(failed)} of {len(results)} cells are done; see table.md, table.csv and figure.png.")
    if failed:
        raise CourseError(f"{len(failed)} of {len(results)} cells failed: {failed[0]}")


def _try_cell(cell, faces, request):
    """Runs a cell and writes its result. Returns the result; without the settings, and not written, if the cell failed."""
    try:
        row = _run_cell(cell, faces, request["measure"])
    except Diverged as error:
        row = {"note": error.note}
    except CourseError as error:
        print(f"gdl: {error}")
        return {"data": faces.description, "row": {"note": str(error)}}
    finally:
        keras.backend.clear_session()
        gc.collect()
    result = {**request, "data": faces.description, "row": row}
    write_file(cell.folder / "result.json", json.dumps(result, indent=2))
    return result


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
    return {"train": _settings(cell.job, faces.fingerprint), "measure": measure}


def _settings(job, fingerprint):
    return json.loads(json.dumps(job.settings())) | {"faces": fingerprint}


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
        younger = constructor_options(train["model"]) | {"beta_1": None, "beta_2": None}  # options that the result's version may not have had
        job = Job.from_settings(younger | {name: value for name, value in train.items() if name != "faces"})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, CourseError):
        return None  # damaged, not of this course, or with a setting of an earlier version: it is measured again
    return result if _settings(job, train.get("faces")) == request["train"] else None


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
