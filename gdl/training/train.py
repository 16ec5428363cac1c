"""Training that can be stopped at any moment and continues after its last finished epoch."""

from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import tensorflow as tf

from gdl.arguments import true_or_false, whole_number
from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.models.base import FaceModel
from gdl.models.replicas import share_dataset
from gdl.models.saving import read_weights
from gdl.pictures import plots
from gdl.training.callbacks import HalveLearningRate, History, Interrupt, Patience, Reseed, StopIfDiverged
from gdl.training.check_call import check_callbacks, check_can_be_loaded, check_model_and_faces, check_optimizers, check_options
from gdl.training.counters import Counters
from gdl.training.display import Preview, Progress
from gdl.training.lock import locked
from gdl.training.run_folder import RunFolder, run_settings
from gdl.training.training_options import TrainingOptions
from gdl.training.workers import ended_workers_said, is_chief, start_alike, weights_from_chief


def train(
    model: FaceModel,
    faces: Faces,
    epochs: int | None = None,
    run: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] | keras.callbacks.Callback | None = (),
    quiet: bool = False,
    pictures: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Trains a model on faces.train, with faces.val as validation, and returns its history, one row for each epoch.

    epochs: in all, including those of earlier calls with the same run folder.
    run: folder of the training. After each epoch it holds the weights with the optimiser's state of this epoch and the one before
        (`epoch-0003.weights.h5`), `history.csv` (and `history.json`, from which training continues), a picture
        (`pictures/epoch-0003.png`) and `run.json` with all the settings; at the end `training.gif`. A second call with the
        same settings continues after the last finished epoch. The weights after N epochs are then those of an uninterrupted
        training, bit for bit, on the same machine. None writes nothing.
    callbacks: further Keras callbacks, run before the epoch is saved; numbers that they put into `logs` at the end of
        an epoch become columns of the history. An epoch that a callback ends early is not saved.
    quiet: no progress bars and no pictures.  pictures: False leaves out the pictures alone.
    A model that was made in the scope of TensorFlow's MirroredStrategy or MultiWorkerMirroredStrategy is trained on several
    devices, with the weights of one device but for rounding. Of several machines, the chief alone reads and writes the run
    folder and shows progress; the callbacks run on all.
    options: batch_size, learning_rate, halve_every, steps_per_epoch, flip, patience, seed; see
        `gdl.training.training_options.TrainingOptions`.
    Raises CourseError, before any work, for arguments that are not possible, when `run` holds a training with other settings,
    and when somebody else is training there; later when a loss is no longer finite or the disk is full. The run then has the
    epochs before that one.

    >>> history = gdl.train(gdl.VAE(), gdl.faces(), epochs=10, run="runs/vae", batch_size=64)  # doctest: +SKIP
    """
    settings = TrainingOptions.from_dict(options)
    check_model_and_faces(model, faces)
    check_options(model, run, settings)
    epochs = whole_number("epochs", epochs)
    quiet = true_or_false("quiet", quiet) or not is_chief(model)
    pictures = true_or_false("pictures", pictures) and not quiet
    _check_share(model, faces, settings)
    folder = RunFolder(run) if run is not None and is_chief(model) else None
    with locked(folder.path) if folder else nullcontext(), ended_workers_said(model.distribute_strategy):
        tf.config.experimental.enable_op_determinism()  # the same seed gives the same weights; Keras's "auto" then means no XLA
        keras.utils.set_random_seed(settings.seed)
        with model.distribute_strategy.scope():
            if not model.compiled:
                model.compile(*model.default_optimizers(settings.learning_rate))
        check_optimizers(model, settings.halve_every)
        further = check_callbacks(callbacks, model, run, settings.halve_every)
        if run is not None:
            check_can_be_loaded(model, faces, settings)
        return _train(model, faces, epochs, folder, further, quiet, pictures, settings)


def _train(model, faces, epochs, folder, callbacks, quiet, pictures, settings):
    """`train` after all checks, in a run folder that nobody else uses."""
    halving = HalveLearningRate(settings.halve_every, [optimizer for optimizer, _ in model.optimizer_groups])
    chosen = run_settings(model, faces, settings)
    done = folder.open(chosen, model, faces.former_fingerprint) if folder else 0  # this loads the rate of a later epoch
    rows, states = folder.read_history(done) if folder else ([], {})
    done, rows, states = start_alike(model, {**chosen, "epochs": epochs}, done, rows, states)

    strategy, images_per_step = model.distribute_strategy, settings.batch_size * model.batches_per_step
    steps = settings.steps_per_epoch
    if steps is None and (model.batches_per_step > 1 or 0 < len(faces.train) % images_per_step < strategy.num_replicas_in_sync):
        steps = max(1, len(faces.train) // images_per_step)  # a smaller last batch could lack images for a critic step or a device
    images = min(len(faces.train), (steps or len(faces.train)) * images_per_step)
    history, counters = History(images, rows), Counters(callbacks, states, done)
    stopping = Patience(settings.patience, history)
    stopped = stopping.exhausted() or counters.stopped()
    if done >= epochs or stopped:
        why = "its validation loss has stopped falling" if done < epochs else "nothing left to train"
        if folder:
            print(f"{folder.path} has {done} finished epochs already; {why}.")
    else:
        if folder:
            folder.begin()
            if done:
                print(f"{folder.path}: continuing after epoch {done}.")
        own = [counters, halving, Reseed(settings.seed), history, StopIfDiverged()]  # StopIfDiverged comes before the epoch is shown or saved
        if pictures:
            own.append(Preview(faces.val.images[:6], folder.pictures if folder else None))
        if not quiet:
            own.append(Progress(epochs))
        if folder:
            own.append(Saving(folder, history, counters, keep_best=settings.patience is not None))
        pixel_range, labels = model.architecture.pixel_range, model.labels
        batches = faces.train.batches(images_per_step, pixel_range, flip=settings.flip, seed=settings.seed, first_epoch=done, labels=labels)
        batches = batches.take(steps) if steps else batches
        steps_per_epoch = None
        if strategy.num_replicas_in_sync > 1:  # which would begin epochs that nobody asked for
            batches, steps_per_epoch = batches.repeat(), len(batches)
        validation = faces.val.batches(settings.batch_size, pixel_range, shuffle=False, labels=labels)
        try:
            with Interrupt() as interrupt:
                model.fit(
                    share_dataset(batches, strategy, model.batches_per_step),
                    steps_per_epoch=steps_per_epoch,
                    validation_data=share_dataset(validation, strategy),
                    initial_epoch=done,
                    epochs=epochs,
                    callbacks=[*callbacks, *own, stopping, interrupt],
                    shuffle=False,  # the batches are shuffled already
                    verbose=0,
                )
        finally:
            halving.restore()  # for an interrupted training
            if folder and pictures:
                _write_gif(folder)
    if folder and settings.patience is not None and folder.epochs():
        try:
            read_weights(model, folder.best)
        except CourseError as error:
            raise CourseError(f"{error}: the best weights are lost; gdl.load({str(folder.path)!r}) gives those of the last epoch.") from None
    if settings.patience is not None:
        weights_from_chief(model)
    halving.restore()
    return history.table()


def _check_share(model, faces, settings):
    """CourseError unless each device gets an image in each step."""
    images, devices = min(settings.batch_size, len(faces.train) // model.batches_per_step), model.distribute_strategy.num_replicas_in_sync
    if images < devices:
        raise CourseError(f"A batch has {images} images, fewer than the {devices} devices: give a larger batch_size, or train on fewer devices.")


class Saving(keras.callbacks.Callback):
    """Saves the model and the history after each whole epoch. keep_best: see `RunFolder.save`."""

    def __init__(self, folder: RunFolder, history: History, counters: Counters, keep_best: bool):
        super().__init__()
        self.folder, self.history, self.counters, self.keep_best = folder, history, counters, keep_best

    def on_epoch_end(self, epoch, logs=None):
        if self.history.whole:
            self.folder.save(self.model, self.history.rows, self.counters.states, self.keep_best)
        else:
            self.history.rows.pop()
            print(f"Epoch {epoch + 1} ended early, and is not saved: the same call continues after epoch {epoch}.")


def _write_gif(folder):
    try:
        plots.save_gif(folder.path / "training.gif", sorted(folder.pictures.glob("epoch-*.png")))
    except CourseError as error:  # no reason to lose what is trained
        print(error)
