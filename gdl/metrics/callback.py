"""Measuring a model while it trains, and keeping its best weights."""

from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from gdl.arguments import whole_number
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.metrics.reference import Reference, check_network, reference
from gdl.metrics.scores import KEYS, distance
from gdl.models.saving import write_weights


class BestFID(keras.callbacks.Callback):
    """After epochs every, 2 * every, ...: computes the distance of n generated images to real ones, and keeps the best weights.

    real: as in `fid`.
    n: number of generated images, made from the same codes each time. A thousand are enough to compare epochs, but too
        few to publish.
    file: where the weights of the best of these epochs are kept, such as `best.weights.h5` in the run's folder, which
        `gdl.load` then prefers; None keeps none. A resumed training continues from the best value in the file.
    network: "inception", which adds `fid` to the history; a classifier that comes with the course, such as "classifier-drawn64",
        which adds `face_distance`; or "stand_in", which adds `stand_in_distance`.
    A model that has diverged gets NaN. Raises CourseError for an n below 2, an `every` below 1, and another network.

    >>> BestFID(np.zeros((5, 16, 16, 3), np.uint8), n=100, every=2, network="stand_in").key
    'stand_in_distance'
    """

    def __init__(
        self,
        real: Split | np.ndarray | Reference,
        n: int = 1000,
        every: int = 5,
        file: str | Path | None = None,
        network: str = "inception",
    ):
        super().__init__()
        check_network(network)
        self.real: Any = real
        self.n, self.every, self.network = whole_number("n", n, 2), whole_number("every", every), network
        if not isinstance(file, (str, Path, type(None))):
            raise CourseError(f"file is {file!r}: give a path, such as 'best.weights.h5', or None.")
        self.file = Path(file) if file else None
        self.key = KEYS[network][0]

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.real = reference(self.real, self.network)
        self.best = self.read_best()

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        if epoch == 0:
            self.best = np.inf  # a new training: an existing file belongs to another

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if (epoch + 1) % self.every or logs is None:
            return
        logs[self.key] = distance = self.distance()
        if distance < self.best:  # never for NaN
            self.best = distance
            self.save()

    def distance(self) -> float:
        """The distance of the model's images at this moment."""
        images = self.model.generate(self.n)
        if not np.isfinite(images).all():
            return np.nan
        return distance(images, self.real, self.network, self.model.architecture.pixel_range)

    def save(self) -> None:
        """Writes the weights and their distance into one file, so that the two always belong together."""
        if self.file:
            write_weights(self.model, self.file, **{self.attribute: self.best})

    def read_best(self) -> float:
        """The distance in the file; infinity if the file has none that was computed in the same way, or is damaged."""
        if not self.file or not self.file.is_file():
            return np.inf
        try:
            with h5py.File(self.file) as weights:
                return float(weights.attrs.get(self.attribute, np.inf))
        except (OSError, RuntimeError, TypeError, ValueError) as error:
            print(f"{self.file} is damaged ({str(error)[:60]}): the best of the epochs from now on is kept.")
            return np.inf

    @property
    def attribute(self) -> str:
        """The name under which the file holds the distance."""
        return f"{self.key} of {self.n} images"
