"""The folder of a training: settings, history, pictures and weights, from which it goes on and from which a model is loaded."""

import json
import os
from pathlib import Path

import keras
import pandas as pd

from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.models import model_class
from gdl.profiles import profile
from gdl.training.callbacks import HalveLearningRate, best_epoch


def run_folder(name, faces):
    """Where the chapters keep a training: GDL_RUNS, else `runs`, then a name of the model, profile and data."""
    return Path(os.environ.get("GDL_RUNS", "runs")) / f"{name}-{profile()}-{faces.fingerprint}"


def load(run):
    """The model of a run folder with the weights of its last finished epoch, or its best if training kept that."""
    folder = RunFolder(run)
    if not folder.settings_file.is_file():
        raise CourseError(f"{run} is not a run: it has no run.json; give the folder that training was told to write to.")
    settings = folder.read_settings()
    if not folder.weights():
        raise CourseError(f"{run} has no finished epoch yet: train for at least one.")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(settings["precision"])
    try:
        model = model_class(settings["model"])(**settings["options"])
        model.compile(*map(keras.optimizers.deserialize, settings["optimizers"].values()))
    finally:
        keras.config.set_dtype_policy(before)
    rates = HalveLearningRate(None, [optimizer for optimizer, _ in model.optimizer_groups])
    model.load_weights(folder.best if folder.best.is_file() else folder.weights()[-1])
    rates.restore()  # those that the training began with, so that it can go on
    return model


class RunFolder:
    """The files of one training. The newest weights file says how many epochs are finished."""

    def __init__(self, path):
        self.path = Path(path)
        self.settings_file = self.path / "run.json"
        self.pictures = self.path / "pictures"
        self.best = self.path / "best.weights.h5"

    def read_settings(self):
        """What the training was begun with, out of run.json."""
        return json.loads(self.settings_file.read_text())

    def weights(self):
        """Paths of the saved weights, oldest first."""
        return sorted(self.path.glob("epoch-*.weights.h5"))

    def epochs(self):
        """The number of finished epochs."""
        weights = self.weights()
        return int(weights[-1].name[len("epoch-") :].split(".")[0]) if weights else 0

    def open(self, settings, model):
        """Starts the run, or loads its last epoch into the model. Returns the number of finished epochs."""
        settings = json.loads(json.dumps(settings))  # tuples become lists, as they are in the file
        if self.settings_file.is_file():
            before = self.read_settings()
            changes = [f"{name} was {old!r} and is now {new!r}" for name, old, new in _differences(before, settings)]
            if changes:
                raise CourseError(
                    f"{self.path} holds a training with other settings ({'; '.join(changes)}): "
                    "use the same settings to go on; to start anew, delete that folder or give another."
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

    def read_history(self, epochs):
        """The rows of history.csv that belong to the first `epochs` epochs."""
        file = self.path / "history.csv"
        if not epochs or not file.is_file():
            return []
        rows = pd.read_csv(file, float_precision="round_trip")  # the very numbers, in every pandas
        return rows[rows["epoch"] <= epochs].to_dict("records")

    def save(self, model, rows, best_too):
        """Writes the history, then the weights; an epoch counts as finished once its weights are there."""
        epoch = rows[-1]["epoch"]
        with whole_file(self.path / "history.csv") as partial:
            pd.DataFrame(rows).to_csv(partial, index=False)
        if best_too and best_epoch(rows) == epoch:
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
