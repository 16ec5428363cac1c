"""Keras callbacks for everything about training except the training step and the display."""

import signal
import threading
import time
from collections.abc import Sequence

import keras
import numpy as np
import pandas as pd

from gdl.errors import CourseError


class Reseed(keras.callbacks.Callback):
    """Starts each epoch from a random state that depends on the seed and the epoch alone.

    Keras does not save the states of its random layers (dropout, sampling) with the weights. This callback sets
    them, so that a resumed training draws the numbers of an uninterrupted one.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        states = [variable for variable in self.model.variables if variable.path.endswith("seed_generator_state")]
        for i, state in enumerate(states):
            numbers = np.random.SeedSequence([self.seed, epoch, i]).generate_state(2)
            state.assign(numbers >> 1)  # 31 bits, which fit every signed type


class Interrupt(keras.callbacks.Callback):
    """Stops after the current batch on Ctrl-C or the notebook's stop button; a second Ctrl-C stops at once.

    Python raises KeyboardInterrupt in whatever code is running. In some places, such as destructors, it prints the
    exception and ignores it, and the training would continue. Use this callback as a context around `fit`.
    """

    def __enter__(self):
        self.pressed = False
        self.before = signal.getsignal(signal.SIGINT)
        self.active = self.before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
        if self.active:
            signal.signal(signal.SIGINT, self.press)
        return self

    def __exit__(self, *error):
        if self.active:
            signal.signal(signal.SIGINT, self.before)

    def press(self, number, frame):
        """Notes the first Ctrl-C."""
        self.pressed = True
        signal.signal(signal.SIGINT, self.before)

    def on_train_batch_end(self, batch, logs=None):
        if self.pressed:
            raise KeyboardInterrupt

    on_test_batch_end = on_epoch_end = on_train_batch_end


class HalveLearningRate(keras.callbacks.Callback):
    """Halves the learning rate of every optimiser after every `every` epochs; None or 0 never halves it.

    A rate that Keras computes itself, from a LearningRateSchedule, is left alone.
    """

    def __init__(self, every: int | None, optimizers: Sequence[keras.optimizers.Optimizer]):
        super().__init__()
        self.every = every
        self.optimizers = [optimizer for optimizer in optimizers if not has_schedule(optimizer)]
        self.rates = [learning_rate_of(optimizer) for optimizer in self.optimizers]

    def on_epoch_begin(self, epoch, logs=None):
        if self.every:
            for optimizer, rate in zip(self.optimizers, self.rates):
                optimizer.learning_rate = rate * 0.5 ** (epoch // self.every)

    def restore(self) -> None:
        """Restores the initial rates, so that the same model can be trained further with the same settings."""
        for optimizer, rate in zip(self.optimizers, self.rates):
            optimizer.learning_rate = rate


class Diverged(CourseError):
    """A training whose loss is no longer a finite number. `note` says so briefly, for a table."""

    def __init__(self, name: str, value: float, epoch: int):
        self.note = f"diverged: {name} is {value} in epoch {epoch}"
        super().__init__(f"The training has {self.note}; train again with a lower learning rate.")


class StopIfDiverged(keras.callbacks.Callback):
    """Raises Diverged at the end of an epoch in which a loss, of training or validation, is infinite or NaN."""

    def on_epoch_end(self, epoch, logs=None):
        for name, value in logs.items():
            if name.endswith("loss") and not np.isfinite(value):
                raise Diverged(name, value, epoch + 1)


class Patience(keras.callbacks.Callback):
    """Stops a training whose validation loss has not fallen for `epochs` epochs; None never stops it.

    It looks at the whole history, so that a resumed training stops where an uninterrupted one would have.
    """

    def __init__(self, epochs: int | None, history: "History"):
        super().__init__()
        self.epochs = epochs
        self.history = history

    def on_epoch_end(self, epoch, logs=None):
        if self.exhausted():
            print(f"Stopped: the validation loss has not fallen since epoch {best_epoch(self.history.rows)}.")
            self.model.stop_training = True

    def exhausted(self) -> bool:
        """Whether `epochs` epochs or more have passed since the best one."""
        rows = self.history.rows
        return self.epochs is not None and bool(rows) and rows[-1]["epoch"] - best_epoch(rows) >= self.epochs


class History(keras.callbacks.Callback):
    """One row for each epoch: its number, the metrics, the learning rate, seconds and images per second.

    Keras's own history starts again with each `fit`; this one continues the rows of earlier calls. The seconds are those
    of the training steps, without the validation.
    images: number of training images in an epoch.
    whole: whether the last epoch had all its batches; a callback can end one early.
    """

    def __init__(self, images: int, rows: Sequence[dict] = ()):
        super().__init__()
        self.images = images
        self.rows = list(rows)

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.end = time.perf_counter()
        self.batches = batch + 1

    def on_epoch_end(self, epoch, logs=None):
        self.whole = self.batches >= self.params["steps"]
        seconds = self.end - self.start
        learning_rate = learning_rate_of(self.model.optimizer)
        speed = {"seconds": round(seconds, 2), "images_per_second": round(self.images / seconds, 1)}
        self.rows.append({"epoch": epoch + 1, **logs, "learning_rate": learning_rate, **speed})

    def table(self) -> pd.DataFrame:
        """The history as a DataFrame with the epoch, from 1, as its index."""
        return pd.DataFrame(self.rows or {"epoch": []}).set_index("epoch")


class ProcessorTime(keras.callbacks.Callback):
    """Adds `cpu_seconds` to the history: the time that all processor cores together spent on the epoch, validation included.

    Unlike wall-clock time, it hardly changes when other programs run beside the training.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["cpu_seconds"] = round(time.process_time() - self.start, 2)


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> float:
    """The learning rate, on one device or on several."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def has_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether Keras computes the learning rate at each step, so that nobody else can set it."""
    return not isinstance(optimizer.learning_rate, keras.Variable)


def best_epoch(rows: Sequence[dict]) -> int:
    """The epoch with the lowest validation loss; the first of equals, and never one with NaN unless all are.

    >>> best_epoch([{"epoch": 1, "val_loss": 5.0}, {"epoch": 2, "val_loss": 3.0}, {"epoch": 3, "val_loss": 4.0}])
    2
    """
    losses = [row["val_loss"] for row in rows]
    return rows[int(np.argmin(np.nan_to_num(losses, nan=np.inf)))]["epoch"]
