"""Training that can be stopped at any moment and continues after its last finished epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import pandas as pd
import tensorflow as tf

from gdl.arguments import whole_number
from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.models.base import FaceModel
from gdl.pictures import plots
from gdl.training.callbacks import HalveLearningRate, History, Interrupt, Patience, Reseed, StopIfDiverged
from gdl.training.display import Preview, Progress
from gdl.training.run_folder import RunFolder, run_settings
from gdl.training.training_options import TrainingOptions


def train(
    model: FaceModel,
    faces: Faces,
    epochs: int,
    run: str | Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    quiet: bool = False,
    pictures: bool = True,
    **options: Any,
) -> pd.DataFrame:
    """Trains a model on faces.train, with faces.val as validation, and returns its history, one row for each epoch.

    epochs: in all, including those of earlier calls with the same run folder.
    run: folder of the training. After each epoch it holds the weights with the optimiser's state (`epoch-0003.weights.h5`),
        `history.csv`, a picture (`pictures/epoch-0003.png`) and `run.json` with all the settings; at the end
        `training.gif`. A second call with the same settings continues after the last finished epoch. The weights
        after N epochs are then those of an uninterrupted training, bit for bit, on the same machine. None writes nothing.
    callbacks: further Keras callbacks, run before the epoch is saved; numbers that they put into `logs` at the end of
        an epoch become columns of the history.
    quiet: no progress bars and no pictures.  pictures: False leaves out the pictures alone.
    options: batch_size, learning_rate, halve_every, steps_per_epoch, flip, patience, seed; see
        `gdl.training.training_options.TrainingOptions`.
    Raises CourseError when `run` holds a training with other settings, and when a loss is no longer finite; the run then has
    the epochs before that one.

    >>> history = gdl.train(gdl.VAE(), gdl.faces(), epochs=10, run="runs/vae", batch_size=64)  # doctest: +SKIP
    """
    epochs = whole_number("epochs", epochs)
    settings = TrainingOptions.from_dict(options)
    _check(model, faces, run, settings)
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same weights; Keras's "auto" then means no XLA
    keras.utils.set_random_seed(settings.seed)
    with model.distribute_strategy.scope():
        if not model.compiled:
            model.compile(*model.default_optimizers(settings.learning_rate))
    halving = HalveLearningRate(settings.halve_every, [optimizer for optimizer, _ in model.optimizer_groups])
    folder = None if run is None else RunFolder(run)
    done = folder.open(run_settings(model, faces, settings), model) if folder else 0  # this loads the rate of a later epoch

    images_per_step = settings.batch_size * model.batches_per_step
    steps = settings.steps_per_epoch
    if steps is None and model.batches_per_step > 1:
        steps = max(1, len(faces.train) // images_per_step)  # a smaller last batch could lack images for a critic step
    images = min(len(faces.train), (steps or len(faces.train)) * images_per_step)
    history = History(images, folder.read_history(done) if folder else [])
    stopping = Patience(settings.patience, history)
    if done >= epochs or stopping.exhausted():
        why = "its validation loss has stopped falling" if done < epochs else "nothing left to train"
        print(f"{run} has {done} finished epochs already; {why}.")
    else:
        if done:
            print(f"{run}: continuing after epoch {done}.")
        own = [halving, Reseed(settings.seed), history, StopIfDiverged()]  # StopIfDiverged comes before the epoch is shown or saved
        if pictures and not quiet:
            own.append(Preview(faces.val.images[:6], folder.pictures if folder else None))
        if not quiet:
            own.append(Progress(epochs))
        if folder:
            own.append(folder.saving(history, keep_best=settings.patience is not None))
        pixel_range, labels = model.architecture.pixel_range, model.labels
        batches = faces.train.batches(images_per_step, pixel_range, flip=settings.flip, seed=settings.seed, first_epoch=done, labels=labels)
        try:
            with Interrupt() as interrupt:
                model.fit(
                    batches.take(steps) if steps else batches,
                    validation_data=faces.val.batches(settings.batch_size, pixel_range, shuffle=False, labels=labels),
                    initial_epoch=done,
                    epochs=epochs,
                    callbacks=[*callbacks, *own, stopping, interrupt],
                    shuffle=False,  # the batches are shuffled already
                    verbose=0,
                )
        finally:
            halving.restore()  # for an interrupted training
            if folder and pictures and not quiet:
                plots.save_gif(folder.path / "training.gif", sorted(folder.pictures.glob("epoch-*.png")))
    if folder and settings.patience is not None:
        model.load_weights(folder.best)
    halving.restore()
    return history.table()


def _check(model, faces, run, options):
    """Raises CourseError where model, faces and options do not fit together."""
    size = model.architecture.image_size
    if size != faces.size:
        raise CourseError(f"The model takes images of {size}x{size} pixels and the faces have {faces.size}x{faces.size}: give both the same size.")
    if options.patience is not None and not model.has_validation_loss:
        raise CourseError(f"patience watches the validation loss, which says little about the images of a {type(model).__name__}: leave it out.")
    if options.patience is not None and run is None:
        raise CourseError("patience needs a run folder, in which the best weights are kept: give run='runs/some-name'.")
    if model.labels:
        faces.train.labels(model.labels)  # raises where the faces have no such attribute
    if len(faces.train) < model.batches_per_step:
        raise CourseError(
            f"There are {len(faces.train)} training images, fewer than the {model.batches_per_step} critic steps of one training step: give more."
        )
