"""The folder of a training: settings, history, pictures and weights. Training continues from it, and a model is loaded from it."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np

from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.files import write_file
from gdl.models import constructor_options, model_class, readable_options
from gdl.models.base import FaceModel
from gdl.models.saving import read_weights, write_weights
from gdl.profiles import profile
from gdl.shipped import SHA256, pretrained
from gdl.training.callbacks import HalveLearningRate, best_epoch
from gdl.training.run_files import check_no_weights, epoch_of, read_history, read_settings, run_path, weights_files, write_history
from gdl.training.training_options import TrainingOptions


def run_folder(name: str, faces: Faces) -> Path:
    """The folder in which the chapters keep a training: in GDL_RUNS, else in `runs`, named for the model, profile and data.

    CourseError for a name that is no text, and for anything but faces.

    >>> gdl.run_folder("vae", gdl.faces(size=64))  # doctest: +SKIP
    PosixPath('runs/vae-quick-5d3c0c7e52a1')
    """
    if not isinstance(name, str) or not name.strip():
        raise CourseError(f"name is {name!r}: give the name of a run, such as 'vae'.")
    if not isinstance(faces, Faces):
        raise CourseError(f"gdl.run_folder takes a name and faces, such as gdl.faces(); this is a {type(faces).__name__}.")
    folder, begin = run_path(os.environ.get("GDL_RUNS") or "runs"), f"{name}-{profile()}"
    former = folder / f"{begin}-{faces.former_fingerprint}"  # of version 0.1.0
    return former if former.is_dir() else folder / f"{begin}-{faces.fingerprint}"


def load(run: str | Path) -> FaceModel:
    """The model of a run folder with the weights of its last finished epoch, or of its best where training kept that.

    It has the precision and the optimisers, with their state, that it was trained with, and can be trained further.
    If a file of weights is damaged, an earlier epoch whose file is whole is taken, and a note is printed. A training that
    is running in the folder is not disturbed.
    Raises CourseError for a folder without a run or without a finished epoch that is whole, and for a model or an optimiser
    of your own that is not defined in this session.

    >>> gdl.load("runs/vae").generate(8).shape  # doctest: +SKIP
    (8, 64, 64, 3)
    """
    folder = RunFolder(run)
    settings = folder.read_settings()
    if not folder.weights():
        raise CourseError(f"{run} has no finished epoch yet: train for at least one.")
    before = keras.config.dtype_policy()
    try:
        model = _made(settings)
    except CourseError as error:
        raise CourseError(f"{folder.settings_file}: {error}") from None
    except Exception as error:  # whatever a constructor or Keras says about settings that this session does not know
        raise CourseError(
            f"{folder.settings_file} describes a model or an optimiser that cannot be made here ({str(error).splitlines()[0][:150]}): "
            "if it has a class of your own, run the cell that defines it first, with @keras.saving.register_keras_serializable() above the class."
        ) from None
    finally:
        keras.config.set_dtype_policy(before)
    rates = HalveLearningRate(None, [optimizer for optimizer, _ in model.optimizer_groups])
    if folder.best.exists() or settings["training"].get("early_stopping"):
        try:
            read_weights(model, folder.best)
        except CourseError as error:
            print(f"{error}; these are the weights of epoch {folder.read_newest(model)}, and not of the best.")
    else:
        folder.read_newest(model)
    rates.restore()  # those that the training began with, so that it can continue
    return model


def open_model(run: str | Path) -> Any:
    """The model of a run folder, or one that comes with the course, by its name."""
    return pretrained(run) if run in SHA256 else load(run)


def _made(settings):
    """A compiled model of the settings in run.json. Sets Keras's precision to the model's."""
    keras.config.set_dtype_policy(settings["precision"])
    model = model_class(settings["model"]).from_config(settings["options"])
    metrics = {"metrics": keras.saving.deserialize_keras_object(settings["metrics"])} if settings.get("metrics") else {}
    model.compile(*map(keras.saving.deserialize_keras_object, settings["optimizers"].values()), **metrics)
    return model


def run_settings(model: FaceModel, faces: Faces, options: TrainingOptions) -> dict:
    """The content of run.json: all settings that must stay the same for a training to continue, and the metrics, which may change."""
    optimizers = [keras.optimizers.serialize(optimizer) for optimizer, _ in model.optimizer_groups]
    training = {name: getattr(options, name) for name in ("batch_size", "halve_every", "steps_per_epoch", "flip")}
    return {
        "model": type(model).__name__,
        "options": model.get_config(),
        "precision": model.dtype_policy.name,
        "optimizers": {f"optimizer {i}": _without_names(optimizer) for i, optimizer in enumerate(optimizers, 1)},
        "metrics": (model.get_compile_config() or {}).get("options", {}).get("metrics"),
        "data": faces.fingerprint,
        "training": {**training, "early_stopping": options.patience is not None, "seed": options.seed},
    }


class RunFolder:
    """The files of one training. The newest whole file of weights says how many epochs are finished."""

    def __init__(self, run: str | Path):
        self.path = run_path(run)
        self.settings_file = self.path / "run.json"
        self.pictures = self.path / "pictures"
        self.best = self.path / "best.weights.h5"
        self.settings: dict = {}

    def read_settings(self) -> dict:
        """The settings that the training began with, from run.json."""
        return read_settings(self.path)

    def weights(self) -> list[Path]:
        """Paths of the saved weights, oldest first."""
        return weights_files(self.path)

    def epochs(self) -> int:
        """The number of finished epochs."""
        return max(map(epoch_of, self.weights()), default=0)

    def open(self, settings: dict, model: FaceModel, former_data: str = "") -> int:
        """Loads the last finished epoch of a run into the model. Returns its number, 0 for a new run.

        settings: see `run_settings`; CourseError where those of the run differ. former_data: the fingerprint of the same
            faces in version 0.1.0.
        """
        self.settings = json.loads(json.dumps(settings))  # tuples become lists, as they are in the file
        if not self.settings_file.exists():
            check_no_weights(self.path)
            return 0
        before = self.read_settings()
        known = json.loads(json.dumps(constructor_options(settings["model"])))  # an option that is younger than the run has its default
        options = {name: known[name] for name in known.keys() & settings["options"]} | readable_options(before["options"])
        before = {**before, "options": options, "metrics": self.settings["metrics"]}
        if before["data"] == former_data:
            before["data"] = settings["data"]
        changes = [f"{name} was {old!r} and is now {new!r}" for name, old, new in differences(before, self.settings)]
        if changes:
            raise CourseError(
                f"{self.path} holds a training with other settings ({'; '.join(changes)}): "
                "use the same settings to continue; to start again, delete that folder or give another."
            )
        return self.read_newest(model) if self.weights() else 0

    def read_newest(self, model: FaceModel) -> int:
        """Reads the newest whole epoch into the model and returns its number. Prints a note for damaged files; CourseError if all are."""
        problems = []
        for file in reversed(self.weights()):
            try:
                read_weights(model, file)
            except CourseError as error:
                problems.append(str(error))
            else:
                for problem in problems:
                    print(f"{problem}; epoch {epoch_of(file)} is whole, and is used.")
                return epoch_of(file)
        raise CourseError(f"{problems[0]}, and no other epoch is whole: copy the folder again from where it was trained, or train in another.")

    def read_history(self, epochs: int) -> tuple[list[dict], dict]:
        """The rows of the first `epochs` epochs, and the counters of all epochs."""
        return read_history(self.path, epochs) if epochs else ([], {})

    def begin(self) -> None:
        """Writes run.json. CourseError, before any training, if nothing can be written in the folder."""
        write_file(self.settings_file, json.dumps(self.settings, indent=2))

    def save(self, model: FaceModel, rows: list[dict], counters: dict, keep_best: bool) -> None:
        """Writes the history, then the weights; an epoch counts as finished once its weights are there. The epoch before stays, too.

        keep_best: also keeps the weights with the lowest validation loss in a file of their own.
        """
        epoch = rows[-1]["epoch"]
        if not self.settings_file.is_file():  # somebody has deleted the folder
            self.begin()
        write_history(self.path, rows, counters)
        if keep_best and best_epoch(rows) == epoch:
            write_weights(model, self.best)
        before = [file for file in self.weights() if epoch_of(file) < epoch]
        for file in before[:-1]:
            with suppress(OSError):  # another program reads it: it goes after the next epoch
                file.unlink()
        file = self.path / f"epoch-{epoch:04d}.weights.h5"
        if file.exists():  # damaged, or of another model
            with suppress(OSError):
                file.rename(file.with_name(f"{file.name}.damaged"))
        write_weights(model, file)


def differences(before: dict, after: dict) -> Iterator[tuple[str, Any, Any]]:
    """(name, old, new) for each entry in which two nested dicts differ."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new)
        elif not _same(old, new):
            yield key, old, new


def _same(old, new):
    """Whether two settings are equal; version 0.1.0 wrote numbers with six digits."""
    both_floats = isinstance(old, float) and isinstance(new, float)
    return f"{old:.6g}" == f"{new:.6g}" if both_floats else old == new


def _without_names(optimizer: Any) -> Any:
    """Keras's description of an optimiser without the names, which depend on how many optimisers were made before.

    A learning rate is a float32; it gets the shortest text that stands for the same float32, as in 0.001.
    """
    if isinstance(optimizer, dict):
        return {key: _without_names(value) for key, value in optimizer.items() if key != "name"}
    if isinstance(optimizer, float) and optimizer == float(np.float32(optimizer)):
        return float(str(np.float32(optimizer)))
    return optimizer
