"""Measuring a model while it trains, and keeping its best weights."""

from pathlib import Path

import h5py
import keras
import numpy as np

from gdl.files import whole_file
from gdl.metrics.reference import reference
from gdl.metrics.scores import KEYS, fid, stand_in_distance


class BestFID(keras.callbacks.Callback):
    """After epochs every, 2 * every, ...: the distance of n generated images to real ones, and the best weights so far.

    real: as in `fid`.
    n: generated images, of the same codes each time; a thousand tell epochs apart, and are too few to publish.
    file: where the weights of the best such epoch are kept, such as `best.weights.h5` in the run's folder, which
        `gdl.load` then prefers; None keeps none. A resumed training goes on from the best value in the file.
    network: "inception", which puts `fid` into the history, or "stand_in", which puts `stand_in_distance`.
    A model that has diverged gets NaN.
    """

    def __init__(self, real, n=1000, every=5, file=None, network="inception"):
        super().__init__()
        self.real = real
        self.n, self.every, self.network = n, every, network
        self.file = file and Path(file)
        self.name = KEYS[network][0]

    def on_train_begin(self, logs=None):
        self.real = reference(self.real, self.network)
        self.best = self.read_best()

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 0:
            self.best = np.inf  # a new training: the file, if there is one, is of another

    def on_epoch_end(self, epoch, logs=None):
        if (epoch + 1) % self.every:
            return
        logs[self.name] = value = self.measure()
        if value < self.best:  # never for NaN
            self.best = value
            self.save()

    def measure(self):
        """The distance now."""
        images = self.model.generate(self.n)
        if not np.isfinite(images).all():
            return np.nan
        distance = fid if self.network == "inception" else stand_in_distance
        return distance(images, self.real, self.model.architecture.pixel_range)

    def save(self):
        """Writes the weights and their value into one file, so that the two belong together whenever the process dies."""
        if self.file:
            with whole_file(self.file) as partial:
                self.model.save_weights(partial)
                with h5py.File(partial, "a") as weights:
                    weights.attrs[self.attribute] = self.best

    def read_best(self):
        """The value in the file; infinity if there is none that was measured in the same way."""
        if not self.file or not self.file.is_file():
            return np.inf
        with h5py.File(self.file) as weights:
            return float(weights.attrs.get(self.attribute, np.inf))

    @property
    def attribute(self):
        return f"{self.name} of {self.n} images"
