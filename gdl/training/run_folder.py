"""The folder of a training: settings, history, pictures and weights. Training continues from it, and a model is loaded from it."""

import csv
import json
import math
import os
from pathlib import Path

import keras
import pandas as pd

from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.models import model_class, readable_options
from gdl.models.base import FaceModel
from gdl.profiles import profile
from gdl.training.callbacks import HalveLearningRate, History, best_epoch
from gdl.training.training_options import TrainingOptions


def run_folder(name: str, faces: Faces) -> Path:
    """The folder in which the chapters keep a training: in GDL_RUNS, else in `runs`, named for the model, profile and data.

    >>> gdl.run_folder("vae", gdl.faces(size=64))  # doctest: +SKIP
    PosixPath('runs/vae-quick-5d3c0c7e52a1')
    """
    return Path(os.environ.get("GDL_RUNS", "runs")) / f"{name}-{profile()}-{faces.fingerprint}"


def load(run: str | Path) -> FaceModel:
    """The model of a run folder with the weights of its last finished epoch, or of its best where training kept that.

    It has the precision and the optimisers, with their state, that it was trained with, and can be trained further.
    Raises CourseError for a folder without a run or without a finished epoch.

    >>> gdl.load("runs/vae").generate(8).shape  # doctest: +SKIP
    (8, 64, 64, 3)
    """
    folder = RunFolder(run)
    if not folder.settings_file.is_file():
        raise CourseError(f"{run} is not a run: it has no run.json; give the folder that a training wrote to.")
    settings = folder.read_settings()
    if not folder.weights():
        raise CourseError(f"{run} has no finished epoch yet: train for at least one.")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings["precision"])
    try:
        model = model_class(settings["model"])(**readable_options(settings["options"]))
        model.compile(*map(keras.optimizers.deserialize, settings["optimizers"].values()))
    finally:
        keras.config.set_dtype_policy(before)
    rates = HalveLearningRate(None, [optimizer for optimizer, _ in model.optimizer_groups])
    model.load_weights(folder.best if folder.best.is_file() else folder.weights()[-1])
    rates.restore()  # those that the training began with, so that it can continue
    return model


def run_settings(model: FaceModel, faces: Faces, options: TrainingOptions) -> dict:
    """The content of run.json: all settings that must stay the same for a training to continue."""
    optimizers = [keras.optimizers.serialize(optimizer) for optimizer, _ in model.optimizer_groups]
    training = {name: getattr(options, name) for name in ("batch_size", "halve_every", "steps_per_epoch", "flip")}
    return {
        "model": type(model).__name__,
        "options": model.get_config(),
        "precision": model.dtype_policy.name,
        "optimizers": {f"optimizer {i}": _without_names(optimizer) for i, optimizer in enumerate(optimizers, 1)},
        "data": faces.fingerprint,
        "training": {**training, "early_stopping": options.patience is not None, "seed": options.seed},
    }


class RunFolder:
    """The files of one training. The newest weights file says how many epochs are finished."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.settings_file = self.path / "run.json"
        self.pictures = self.path / "pictures"
        self.best = self.path / "best.weights.h5"

    def read_settings(self) -> dict:
        """The settings that the training began with, from run.json."""
        return json.loads(self.settings_file.read_text())

    def weights(self) -> list[Path]:
        """Paths of the saved weights, oldest first."""
        return sorted(self.path.glob("epoch-*.weights.h5"))

    def epochs(self) -> int:
        """The number of finished epochs."""
        weights = self.weights()
        return int(weights[-1].name[len("epoch-") :].split(".")[0]) if weights else 0

    def open(self, settings: dict, model: FaceModel) -> int:
        """Starts the run, or loads its last epoch into the model. Returns the number of finished epochs.

        settings: see `run_settings`; CourseError where those of the run differ.
        """
        settings = json.loads(json.dumps(settings))  # tuples become lists, as they are in the file
        if self.settings_file.is_file():
            before = self.read_settings()
            before = {**before, "options": readable_options(before["options"])}
            changes = [f"{name} was {old!r} and is now {new!r}" for name, old, new in _differences(before, settings)]
            if changes:
                raise CourseError(
                    f"{self.path} holds a training with other settings ({'; '.join(changes)}): "
                    "use the same settings to continue; to start again, delete that folder or give another."
                )
        else:
            with whole_file(self.settings_file) as partial:
                partial.write_text(json.dumps(settings, indent=2))
        weights = self.weights()
        if not weights:
            return 0
        try:
            model.load_weights(weights[-1])
        except ValueError:
            raise CourseError(f"{weights[-1]} was written by another version of the model: use another folder.") from None
        return self.epochs()

    def read_history(self, epochs: int) -> list[dict]:
        """The rows of history.csv that belong to the first `epochs` epochs."""
        file = self.path / "history.csv"
        if not epochs or not file.is_file():
            return []
        with open(file, newline="") as opened:  # not by pandas, which does not read back the exact floats in every version
            rows = [{name: _number(text) for name, text in row.items()} for row in csv.DictReader(opened)]
        return [row for row in rows if row["epoch"] <= epochs]

    def saving(self, history: History, keep_best: bool) -> keras.callbacks.Callback:
        """A callback that saves the model and the history after each epoch. keep_best: see `save`."""
        return keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: self.save(history.model, history.rows, keep_best))

    def save(self, model: FaceModel, rows: list[dict], keep_best: bool) -> None:
        """Writes the history, then the weights; an epoch counts as finished once its weights are there.

        keep_best: also keeps the weights with the lowest validation loss in a file of their own.
        """
        epoch = rows[-1]["epoch"]
        with whole_file(self.path / "history.csv") as partial:
            pd.DataFrame(rows).to_csv(partial, index=False)
        if keep_best and best_epoch(rows) == epoch:
            with whole_file(self.best) as partial:
                model.save_weights(partial)
        before = self.weights()
        with whole_file(self.path / f"epoch-{epoch:04d}.weights.h5") as partial:
            model.save_weights(partial)
        for file in before:
            if file.name != f"epoch-{epoch:04d}.weights.h5":
                file.unlink()


def _differences(before, after, name=""):
    """(name, old, new) for each entry in which two nested dicts differ."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{name}{key} ")
        elif old != new:
            yield key, old, new


def _number(text):
    """The number that a text is; an empty one is NaN."""
    try:
        return int(text)
    except ValueError:
        return float(text) if text else math.nan


def _without_names(optimizer):
    """Keras's description of an optimiser with readable floats, and without the names, which depend on how many optimisers were made before."""
    if isinstance(optimizer, dict):
        return {key: _without_names(value) for key, value in optimizer.items() if key != "name"}
    return float(f"{optimizer:.6g}") if isinstance(optimizer, float) else optimizer
