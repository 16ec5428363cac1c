"""The display of a training: a progress bar for each epoch, and a picture that changes."""

import sys
from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from gdl.errors import CourseError
from gdl.machine import in_notebook
from gdl.pictures import plots


class Progress(keras.callbacks.Callback):
    """A progress bar for each epoch, which ends with the epoch's numbers."""

    def __init__(self, epochs: int):
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


class Preview(keras.callbacks.Callback):
    """What the model makes of the same images after each epoch: one picture that changes, in the notebook and on disk.

    images: (n, size, size, 3) uint8.
    folder: where the pictures are written, `epoch-0001.png` and so on; None writes none. A picture that cannot be
        written is a printed note, and no reason to stop.
    """

    def __init__(self, images: np.ndarray, folder: Path | None = None):
        super().__init__()
        self.images = images
        self.folder = folder
        self.display = None

    def on_epoch_end(self, epoch, logs=None):
        rows = self.model.preview(self.images)
        pixel_range = self.model.architecture.pixel_range
        if self.folder:
            try:
                plots.save_grid(self.folder / f"epoch-{epoch + 1:04d}.png", rows, pixel_range)
            except CourseError as error:
                print(error)
        if in_notebook():
            from IPython.display import display

            title = f"epoch {epoch + 1}: {summary(logs)}"
            figure = plots.figure(rows, pixel_range, title=title)
            if self.display:
                self.display.update(figure)
            else:
                self.display = display(figure, display_id=True)
            plots.plt.close(figure)


def summary(logs: Mapping) -> str:
    """The numbers of an epoch in one line: those of training, and the validation loss.

    >>> summary({"loss": 2.0, "kl_loss": 0.25, "val_loss": 3.0, "learning_rate": 0.001})
    'loss 2, kl_loss 0.25, val_loss 3'
    """
    names = sorted(name for name in logs if not name.startswith("val_") and name not in ("loss", "learning_rate"))
    return ", ".join(f"{name} {logs[name]:.4g}" for name in ["loss", *names, "val_loss"] if name in logs)
