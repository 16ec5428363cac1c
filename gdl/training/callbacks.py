"""Keras callbacks for everything about training that is not the training step."""

import signal
import sys
import threading
import time

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from gdl.machine import in_notebook
from gdl.pictures import plots


class Reseed(keras.callbacks.Callback):
    """Starts each epoch from a random state that depends on the seed and the epoch alone.

    Keras does not save the states of its random layers (dropout, sampling) with the weights; so
    that a resumed training draws the numbers of an uninterrupted one, they are set anew.
    """

    def __init__(self, seed):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch, logs=None):
        states = [variable for variable in self.model.variables if variable.path.endswith("seed_generator_state")]
        for i, state in enumerate(states):
            numbers = np.random.SeedSequence([self.seed, epoch, i]).generate_state(2)
            state.assign(numbers >> 1)  # 31 bits, which fit every signed type


class Interrupt(keras.callbacks.Callback):
    """Answers Ctrl-C, or the notebook's stop button, between two batches; a second one is answered at once.

    Python raises KeyboardInterrupt wherever it happens to be, and in some places, such as
    destructors, prints and forgets it: the training would go on. Use it as a context around `fit`.
    """

    def __enter__(self):
        self.asked = False
        self.before = signal.getsignal(signal.SIGINT)
        self.ours = self.before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
        if self.ours:
            signal.signal(signal.SIGINT, self.ask)
        return self

    def __exit__(self, *error):
        if self.ours:
            signal.signal(signal.SIGINT, self.before)

    def ask(self, number, frame):
        """Takes note of the first Ctrl-C."""
        self.asked = True
        signal.signal(signal.SIGINT, self.before)

    def on_train_batch_end(self, batch, logs=None):
        if self.asked:
            raise KeyboardInterrupt

    on_test_batch_end = on_epoch_end = on_train_batch_end


class HalveLearningRate(keras.callbacks.Callback):
    """Halves the learning rate of every optimiser each `every` epochs; None leaves it alone."""

    def __init__(self, every, optimizers):
        super().__init__()
        self.every = every
        self.optimizers = optimizers
        self.rates = [learning_rate_of(optimizer) for optimizer in optimizers]

    def on_epoch_begin(self, epoch, logs=None):
        if self.every:
            for optimizer, rate in zip(self.optimizers, self.rates):
                optimizer.learning_rate = rate * 0.5 ** (epoch // self.every)

    def restore(self):
        """Sets the rates as they were, so that the same model can be trained further with the same settings."""
        for optimizer, rate in zip(self.optimizers, self.rates):
            optimizer.learning_rate = rate


class Patience(keras.callbacks.Callback):
    """Stops a training whose validation loss has not fallen for `epochs` epochs; None never does.

    It looks at the history, so that a training that is resumed stops where it would have.
    """

    def __init__(self, epochs, history):
        super().__init__()
        self.epochs = epochs
        self.history = history

    def on_epoch_end(self, epoch, logs=None):
        if self.exhausted():
            print(f"Stopped: the validation loss has not fallen since epoch {best_epoch(self.history.rows)}.")
            self.model.stop_training = True

    def exhausted(self):
        """Whether the best epoch is long enough ago."""
        rows = self.history.rows
        return self.epochs is not None and bool(rows) and rows[-1]["epoch"] - best_epoch(rows) >= self.epochs


def learning_rate_of(optimizer):
    """The learning rate as a float, on one device or on several."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))


def best_epoch(rows):
    """The epoch with the lowest validation loss; the first of equals, and NaN is never it."""
    losses = [row["val_loss"] for row in rows]
    return rows[int(np.argmin(np.nan_to_num(losses, nan=np.inf)))]["epoch"]


class Progress(keras.callbacks.Callback):
    """A progress bar for each epoch, which ends with the epoch's numbers."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        name = f"epoch {epoch + 1}/{self.epochs}"
        self.bar = tqdm(total=self.params["steps"], desc=name, unit="batch", file=sys.stdout, mininterval=1)

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(batch + 1 - self.bar.n)

    def on_epoch_end(self, epoch, logs=None):
        self.bar.set_postfix_str(summary(logs))
        self.bar.close()


class History(keras.callbacks.Callback):
    """One row an epoch: its number, the metrics, the learning rate, seconds and images per second.

    Keras's own history begins anew with each `fit`; this one goes on from the rows of earlier
    sittings. The seconds are those of the training steps, without the validation.
    """

    def __init__(self, images, rows=()):
        super().__init__()
        self.images = images  # in an epoch
        self.rows = list(rows)

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.end = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = self.end - self.start
        learning_rate = learning_rate_of(self.model.optimizer)
        speed = {"seconds": round(seconds, 2), "images_per_second": round(self.images / seconds, 1)}
        self.rows.append({"epoch": epoch + 1, **logs, "learning_rate": learning_rate, **speed})

    def table(self):
        """The history as a DataFrame with the epoch, from 1, as its index."""
        return pd.DataFrame(self.rows).set_index("epoch")


class ProcessorTime(keras.callbacks.Callback):
    """Puts `cpu_seconds` into the history: what all processor cores together spent on the epoch, validation included.

    Unlike the time on the clock it hardly changes when other work runs beside the training.
    """

    def on_epoch_begin(self, epoch, logs=None):
        self.start = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        logs["cpu_seconds"] = round(time.process_time() - self.start, 2)


class Preview(keras.callbacks.Callback):
    """The same images through the model after each epoch: one picture that changes, in the notebook and on disk.

    images: (n, size, size, 3) uint8.
    folder: where the pictures are written, `epoch-0001.png` and so on; None writes none.
    """

    def __init__(self, images, folder=None):
        super().__init__()
        self.images = images
        self.folder = folder
        self.display = None

    def on_epoch_end(self, epoch, logs=None):
        rows = self.model.preview(self.images)
        pixel_range = self.model.architecture.pixel_range
        if self.folder:
            plots.save_grid(self.folder / f"epoch-{epoch + 1:04d}.png", rows, pixel_range)
        if in_notebook():
            from IPython.display import display

            title = f"epoch {epoch + 1}: {summary(logs)}"
            figure = plots.figure(rows, pixel_range, title=title)
            if self.display:
                self.display.update(figure)
            else:
                self.display = display(figure, display_id=True)
            plots.plt.close(figure)


def summary(logs):
    """The numbers of an epoch in a line: those of training, and the validation loss."""
    names = sorted(name for name in logs if not name.startswith("val_") and name not in ("loss", "learning_rate"))
    return ", ".join(f"{name} {logs[name]:.4g}" for name in ["loss", *names, "val_loss"] if name in logs)
