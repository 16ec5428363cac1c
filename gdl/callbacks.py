"""Keras callbacks for everything about training that is not the training step."""

import sys
import time

import keras
import numpy as np
import pandas as pd
from tqdm import tqdm

from gdl import plots
from gdl.notebook import in_notebook


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
        self.bar.set_postfix_str(", ".join(f"{name} {value:.4g}" for name, value in logs.items()))
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
        learning_rate = float(self.model.optimizer.learning_rate)
        speed = {"seconds": round(seconds, 2), "images_per_second": round(self.images / seconds, 1)}
        self.rows.append({"epoch": epoch + 1, **logs, "learning_rate": learning_rate, **speed})

    def table(self):
        """The history as a DataFrame with the epoch, from 1, as its index."""
        return pd.DataFrame(self.rows).set_index("epoch")


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

            title = f"epoch {epoch + 1}: " + ", ".join(f"{name} {value:.4g}" for name, value in logs.items())
            figure = plots.figure(rows, pixel_range, title=title)
            if self.display:
                self.display.update(figure)
            else:
                self.display = display(figure, display_id=True)
            plots.plt.close(figure)
