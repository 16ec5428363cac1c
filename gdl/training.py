"""Training that can be stopped at any moment and goes on where it was."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import keras
import pandas as pd
import tensorflow as tf

import gdl
from gdl.callbacks import History, Preview, Progress, Reseed
from gdl.errors import CourseError
from gdl.files import whole_file


def train(
    model,
    faces,
    epochs,
    run=None,
    batch_size=128,
    learning_rate=1e-3,
    halve_every=None,
    steps_per_epoch=None,
    flip=False,
    seed=0,
    callbacks=(),
    quiet=False,
):
    """Trains a model on faces.train, with faces.val as validation, and returns its history as a DataFrame.

    run: folder of the training. After each epoch it holds the weights with the optimiser's
        state (`epoch-0003.weights.h5`), `history.csv`, a picture (`pictures/epoch-0003.png`)
        and `run.json` with all the settings. Called again with the same settings, training
        goes on after the last finished epoch, and the weights after N epochs are those of an
        uninterrupted training, bit for bit, on the same machine. None writes nothing.
    learning_rate: Adam's, unless the model was compiled already; halved every `halve_every` epochs.
    steps_per_epoch: batches in an epoch; None is the whole training set.
    flip: mirrors half of the images, anew in each epoch.
    callbacks: further Keras callbacks, run before the epoch is saved.
    quiet: no progress bars and no pictures.
    Raises CourseError when `run` holds a training with other settings.
    """
    size = model.architecture.image_size
    if size != faces.size:
        raise CourseError(f"The model takes images of {size}x{size} pixels and the faces have {faces.size}x{faces.size}: give both the same size.")
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same weights
    keras.utils.set_random_seed(seed)
    if not model.compiled:
        model.compile(keras.optimizers.Adam(learning_rate))
    model.optimizer.build(model.trainable_variables)  # else loading would lose the optimiser's state

    settings = {
        "model": type(model).__name__,
        "options": asdict(model.architecture),
        "data": faces.fingerprint,
        "training": dict(
            batch_size=batch_size, learning_rate=learning_rate, halve_every=halve_every,
            steps_per_epoch=steps_per_epoch, flip=flip, seed=seed,
        ),
    }  # fmt: skip
    folder = None if run is None else RunFolder(run)
    done = folder.open(settings, model) if folder else 0
    images = min(len(faces.train), (steps_per_epoch or len(faces.train)) * batch_size)
    history = History(images, folder.read_history(done) if folder else [])
    if done >= epochs:
        print(f"{run} has {done} finished epochs already; nothing left to train.")
        return history.table()
    if done:
        print(f"{run}: going on after epoch {done}.")

    pixel_range = model.architecture.pixel_range
    batches = faces.train.batches(batch_size, pixel_range, flip=flip, seed=seed, first_epoch=done)
    if steps_per_epoch:
        batches = batches.take(steps_per_epoch)
    own = [Reseed(seed), history]
    if not quiet:
        own += [Preview(faces.val.images[:6], folder and folder.path / "pictures"), Progress(epochs)]
    if halve_every:
        decay = keras.callbacks.LearningRateScheduler(lambda epoch: learning_rate * 0.5 ** (epoch // halve_every))
        own.insert(0, decay)
    if folder:
        own.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: folder.save(epoch + 1, model, history.rows)))
    model.fit(
        batches,
        validation_data=faces.val.batches(batch_size, pixel_range, shuffle=False),
        initial_epoch=done,
        epochs=epochs,
        callbacks=[*callbacks, *own],
        shuffle=False,  # the batches are shuffled already
        verbose=0,
    )
    return history.table()


def run_folder(name, faces):
    """Where the chapters keep a training: GDL_RUNS, else `runs`, then a name of the model, profile and data."""
    return Path(os.environ.get("GDL_RUNS", "runs")) / f"{name}-{gdl.profile()}-{faces.fingerprint}"


def load(run):
    """The model of a run folder with the weights of its last finished epoch."""
    folder = RunFolder(run)
    if not folder.settings_file.is_file():
        raise CourseError(f"{run} is not a run: it has no run.json; give the folder that training was told to write to.")
    settings = json.loads(folder.settings_file.read_text())
    model = getattr(gdl, settings["model"])(**settings["options"])
    weights = folder.weights()
    if not weights:
        raise CourseError(f"{run} has no finished epoch yet: train for at least one.")
    model.compile(keras.optimizers.Adam())
    model.optimizer.build(model.trainable_variables)
    model.load_weights(weights[-1])
    return model


class RunFolder:
    """The files of one training. The newest weights file says how many epochs are finished."""

    def __init__(self, path):
        self.path = Path(path)
        self.settings_file = self.path / "run.json"

    def weights(self):
        """Paths of the saved weights, oldest first."""
        return sorted(self.path.glob("epoch-*.weights.h5"))

    def open(self, settings, model):
        """Starts the run, or loads its last epoch into the model. Returns the number of finished epochs."""
        settings = json.loads(json.dumps(settings))  # tuples become lists, as they are in the file
        if self.settings_file.is_file():
            before = json.loads(self.settings_file.read_text())
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
        return int(weights[-1].name[len("epoch-") :].split(".")[0])

    def read_history(self, epochs):
        """The rows of history.csv that belong to the first `epochs` epochs."""
        file = self.path / "history.csv"
        if not epochs or not file.is_file():
            return []
        rows = pd.read_csv(file)
        return rows[rows["epoch"] <= epochs].to_dict("records")

    def save(self, epoch, model, rows):
        """Writes the history, then the weights; an epoch counts as finished once its weights are there."""
        with whole_file(self.path / "history.csv") as partial:
            pd.DataFrame(rows).to_csv(partial, index=False)
        before = self.weights()
        with whole_file(self.path / f"epoch-{epoch:04d}.weights.h5") as partial:
            model.save_weights(partial)
        for file in before:
            file.unlink()


def _differences(before, after, name=""):
    """(name, old, new) for each entry in which two nested dicts differ."""
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from _differences(old, new, f"{name}{key} ")
        elif old != new:
            yield key, old, new
