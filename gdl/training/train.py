"""Training that can be stopped at any moment and goes on where it was."""

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import check_training
from gdl.errors import CourseError
from gdl.pictures import plots
from gdl.training.callbacks import HalveLearningRate, History, Interrupt, Patience, Preview, Progress, Reseed
from gdl.training.run_folder import RunFolder


def train(
    model,
    faces,
    epochs,
    run=None,
    batch_size=128,
    learning_rate=None,
    halve_every=None,
    steps_per_epoch=None,
    flip=False,
    patience=None,
    seed=0,
    callbacks=(),
    quiet=False,
    pictures=True,
):
    """Trains a model on faces.train, with faces.val as validation, and returns its history as a DataFrame.

    run: folder of the training. After each epoch it holds the weights with the optimiser's
        state (`epoch-0003.weights.h5`), `history.csv`, a picture (`pictures/epoch-0003.png`)
        and `run.json` with all the settings; at the end `training.gif`. Called again with the same
        settings, training goes on after the last finished epoch, and the weights after N epochs are
        those of an uninterrupted training, bit for bit, on the same machine. None writes nothing.
    batch_size: images in a batch; a model with several critic steps takes so many for each of them.
    learning_rate: of the model's usual optimisers, unless it was compiled already; None is its usual rate.
    halve_every: epochs after which every learning rate is halved, again and again; None or 0 never halves it.
    steps_per_epoch: batches in an epoch; None is the whole training set.
    flip: mirrors half of the images, anew in each epoch.
    patience: stops when the validation loss has not fallen for so many epochs; the model then has the weights of its
        best epoch, which the run keeps as `best.weights.h5`. None or 0 trains to the end and keeps the last.
    callbacks: further Keras callbacks, run before the epoch is saved; numbers that they put into `logs` at the end of
        an epoch become columns of the history.
    quiet: no progress bars and no pictures.  pictures: False leaves out the pictures alone.
    Raises CourseError when `run` holds a training with other settings, and when a validation loss is no longer finite:
        the run then has the epochs before that one.
    """
    numbers = check_training(epochs, batch_size, steps_per_epoch, halve_every, patience, seed, learning_rate)
    epochs, batch_size, steps_per_epoch, halve_every, patience, seed, learning_rate = numbers
    patience = patience or None
    size = model.architecture.image_size
    if size != faces.size:
        raise CourseError(f"The model takes images of {size}x{size} pixels and the faces have {faces.size}x{faces.size}: give both the same size.")
    if patience is not None and not model.has_validation_loss:
        raise CourseError(f"patience watches the validation loss, which says little about the images of a {type(model).__name__}: leave it out.")
    if patience is not None and run is None:
        raise CourseError("patience needs a run folder, in which the best weights are kept: give run='runs/some-name'.")
    if model.labels:
        faces.train.labels(model.labels)  # tells at once if one is not known
    tf.config.experimental.enable_op_determinism()  # the same seed gives the same weights; Keras's "auto" then means no XLA
    keras.utils.set_random_seed(seed)
    with model.distribute_strategy.scope():
        if not model.compiled:
            model.compile(*model.default_optimizers(learning_rate))
    optimizers = [optimizer for optimizer, _ in model.optimizer_groups]
    settings = {
        "model": type(model).__name__,
        "options": model.get_config(),
        "precision": model.dtype_policy.name,
        "optimizers": {f"optimizer {i}": _described(keras.optimizers.serialize(optimizer)) for i, optimizer in enumerate(optimizers, 1)},
        "data": faces.fingerprint,
        "training": dict(
            batch_size=batch_size, halve_every=halve_every, steps_per_epoch=steps_per_epoch,
            flip=flip, early_stopping=patience is not None, seed=seed,
        ),
    }  # fmt: skip
    halving = HalveLearningRate(halve_every, optimizers)  # before loading, which brings the rate of a later epoch
    folder = None if run is None else RunFolder(run)
    done = folder.open(settings, model) if folder else 0
    images_a_step = batch_size * model.batches_per_step
    if len(faces.train) < model.batches_per_step:
        raise CourseError(
            f"There are {len(faces.train)} training images, fewer than the {model.batches_per_step} critic steps that one training step makes: give more."
        )
    if steps_per_epoch is None and model.batches_per_step > 1:
        steps_per_epoch = max(1, len(faces.train) // images_a_step)  # a smaller last batch could lack images for a critic step
    images = min(len(faces.train), (steps_per_epoch or len(faces.train)) * images_a_step)
    history = History(images, folder.read_history(done) if folder else [])
    stopping = Patience(patience, history)
    if done >= epochs or stopping.exhausted():
        why = "its validation loss has stopped falling" if done < epochs else "nothing left to train"
        print(f"{run} has {done} finished epochs already; {why}.")
    else:
        if done:
            print(f"{run}: going on after epoch {done}.")
        watch = keras.callbacks.LambdaCallback(on_epoch_end=_stop_if_diverged)  # before the epoch is saved, or shown
        own = [halving, Reseed(seed), history, watch]
        if pictures and not quiet:
            own.append(Preview(faces.val.images[:6], folder and folder.pictures))
        if not quiet:
            own.append(Progress(epochs))
        if folder:
            best_too = patience is not None
            own.append(keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, _: folder.save(model, history.rows, best_too)))
        pixel_range = model.architecture.pixel_range
        batches = faces.train.batches(images_a_step, pixel_range, flip=flip, seed=seed, first_epoch=done, labels=model.labels)
        try:
            with Interrupt() as interrupt:
                model.fit(
                    batches.take(steps_per_epoch) if steps_per_epoch else batches,
                    validation_data=faces.val.batches(batch_size, pixel_range, shuffle=False, labels=model.labels),
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
    if patience is not None:
        model.load_weights(folder.best)
    halving.restore()
    return history.table()


def _stop_if_diverged(epoch, logs):
    wrong = [name for name, value in logs.items() if name.startswith("val_") and name.endswith("loss") and not np.isfinite(value)]
    if wrong:
        raise CourseError(f"The training has diverged: {wrong[0]} is {logs[wrong[0]]} in epoch {epoch + 1}; train anew with a lower learning rate.")


def _described(optimizer):
    """What Keras says of an optimiser, without the names, which count those made before, and with readable floats."""
    if isinstance(optimizer, dict):
        return {key: _described(value) for key, value in optimizer.items() if key != "name"}
    return float(f"{optimizer:.6g}") if isinstance(optimizer, float) else optimizer
