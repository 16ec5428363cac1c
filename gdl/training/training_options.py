"""The options of a training, checked when they are made."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

from gdl.arguments import did_you_mean, number, true_or_false, whole_number
from gdl.errors import CourseError


@dataclass(frozen=True)
class TrainingOptions:
    """How a model is trained.

    batch_size: images in a batch; a model with several critic steps takes a batch for each of them.
    learning_rate: of the model's usual optimisers; None is their usual rate. A compiled model keeps its own.
    halve_every: every learning rate is halved after every halve_every epochs; None or 0 never halves it.
    steps_per_epoch: batches in an epoch; None is the whole training set.
    flip: mirrors half of the images, chosen anew in each epoch.
    patience: training stops when the validation loss has not fallen for this many epochs. The model then has the weights of
        its best epoch, which the run keeps as `best.weights.h5`. None or 0 trains to the end and keeps the last weights.
    seed: of the order of the images, the flips and the noise.
    Raises CourseError, in one sentence, for a value that is not possible.

    >>> TrainingOptions(batch_size=64).seed
    0
    """

    batch_size: int = 128
    learning_rate: float | None = None
    halve_every: int | None = None
    steps_per_epoch: int | None = None
    flip: bool = False
    patience: int | None = None
    seed: int = 0

    def __post_init__(self):
        checked = {
            "batch_size": whole_number("batch_size", self.batch_size),
            "learning_rate": None if self.learning_rate is None else number("learning_rate", self.learning_rate),
            "halve_every": None if self.halve_every is None else whole_number("halve_every", self.halve_every, 0),
            "steps_per_epoch": None if self.steps_per_epoch is None else whole_number("steps_per_epoch", self.steps_per_epoch),
            "flip": true_or_false("flip", self.flip),
            "patience": None if self.patience is None else whole_number("patience", self.patience, 0) or None,
            "seed": whole_number("seed", self.seed, 0),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_dict(cls, options: Mapping) -> "TrainingOptions":
        """The options in a dict. Raises CourseError for a name that is not one of them."""
        known = [field.name for field in fields(cls)]
        if unknown := options.keys() - known:
            meant = did_you_mean(min(unknown), [*known, "epochs", "run", "callbacks", "quiet", "pictures"])
            raise CourseError(f"Training has no option {min(unknown)!r}{meant}: choose from {', '.join(known)}.")
        return cls(**options)
