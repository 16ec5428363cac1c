"""One training, described by settings that check themselves: the command line and the files of experiments both make a Job."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from gdl.arguments import number, whole_number
from gdl.data.crop import check_size
from gdl.data.faces import faces
from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.models import COMMANDS, constructor_options, readable_options
from gdl.models.architecture import Architecture
from gdl.training.recipes import PHOTOGRAPHS
from gdl.training.training_options import TrainingOptions

FEWEST = 4  # images that scores need, as in gdl.metrics.common, which imports TensorFlow
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
NETWORKS = ("inception", "classifier-celeba64", "classifier-drawn64", "stand_in")  # whose features a distance compares
OPTIMIZER_OPTIONS = {  # options of the optimisers of each model that can have two
    "vae": ["decoder_learning_rate"],
    "gan": ["critic_learning_rate", "beta_1", "beta_2"],
    "wgan": ["critic_learning_rate"],
    "wgan_gp": ["critic_learning_rate", "beta_1", "beta_2"],
    "conditional_vae": ["decoder_learning_rate"],
    "conditional_gan": ["critic_learning_rate", "beta_1", "beta_2"],
    "vae_gan": ["critic_learning_rate", "beta_1", "beta_2"],
}


@dataclass(frozen=True)
class Job:
    """What to train, on which faces, and how. `Job.from_settings` makes one of a flat dict.

    model: name of the model, such as "vae".
    epochs: in all, including those of earlier calls.
    data, size, n, crop: the faces; see `gdl.faces`.
    precision: "float32", "mixed_bfloat16" or "mixed_float16".
    fid_every: every fid_every epochs, fid_samples generated images are compared with the validation images. The weights with
        the lowest FID are kept. None or 0: they are never compared.
    second_learning_rate: of the decoder's own optimiser in a VAE, of the critic's in an adversarial model. With None a VAE
        has one optimiser, and the critic has the generator's rate.
    beta_1, beta_2: of both Adam optimisers of an adversarial model; None is the model's usual value.
    training: see `TrainingOptions`.
    model_options: of the model's constructor.
    Raises CourseError, in one sentence, for a value that is not possible.
    """

    model: str
    epochs: int
    data: str | None = None
    size: int = 64
    n: int | None = None
    crop: int = 140
    precision: str = "float32"
    fid_every: int | None = None
    fid_samples: int = 1000
    second_learning_rate: float | None = None
    beta_1: float | None = None
    beta_2: float | None = None
    training: TrainingOptions = TrainingOptions()
    model_options: dict = field(default_factory=dict)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> "Job":
        """The Job of a flat dict of settings. Missing settings are those of the model's recipe for photographs.

        The names are those of the options of `python -m gdl train`, with `_` for `-`. A name that is neither of a Job nor of
        its training is an option of the model's constructor.

        >>> job = Job.from_settings({"model": "vae", "batch_size": 32, "beta": 2.0, "z_dim": 64})
        >>> job.training.batch_size, job.model_options["beta"], job.epochs
        (32, 2.0, 80)
        """
        model = settings.get("model")
        if model not in COMMANDS:
            raise CourseError(f"model is {model!r}: choose from {', '.join(COMMANDS)}.")
        rest = _plain(PHOTOGRAPHS[model]) | readable_options(_plain(settings))
        own = {name: rest.pop(name) for name in _names(cls) if name in rest}
        training = TrainingOptions(**{name: rest.pop(name) for name in _names(TrainingOptions) if name in rest})
        return cls(**own, training=training, model_options=rest)

    def __post_init__(self):
        for name in ("epochs", "size", "n", "crop", "fid_samples"):
            if name != "n" or self.n is not None:
                whole_number(name, getattr(self, name))
        if self.fid_every is not None:
            whole_number("fid_every", self.fid_every, 0)
        if self.fid_samples < FEWEST:
            raise CourseError(f"fid_samples is {self.fid_samples}: give at least {FEWEST}, better a thousand.")
        if self.precision not in PRECISIONS:
            raise CourseError(f"precision is {self.precision!r}: choose from {', '.join(PRECISIONS)}.")
        if self.fid_every and self.training.patience:
            raise CourseError("fid_every and patience both choose the epoch whose weights are kept: give one of them, and 0 for the other.")
        if self.second_learning_rate is not None:
            name, *_ = OPTIMIZER_OPTIONS.get(self.model, ["second_learning_rate"])
            number(name, self.second_learning_rate)
        for name, value in self.betas.items():
            if number(name, value) >= 1:
                raise CourseError(f"{name} is {value}: give less than 1.")
        options = self.model_options | {"image_size": self.size}
        shared = asdict(Architecture(**{name: options[name] for name in _names(Architecture) if name in options}))
        check_size(self.size)
        object.__setattr__(self, "model_options", options | {name: value for name, value in shared.items() if name in options})

    @property
    def betas(self) -> dict[str, float]:
        """beta_1 and beta_2, as far as they are not the model's usual values."""
        return {name: getattr(self, name) for name in ("beta_1", "beta_2") if getattr(self, name) is not None}

    def settings(self) -> dict:
        """The flat dict from which `from_settings` makes an equal Job, without the place of the data."""
        own = {name: getattr(self, name) for name in _names(type(self)) if name != "data"}
        return own | asdict(self.training) | {name: value for name, value in self.model_options.items() if name != "image_size"}

    def open_faces(self) -> Faces:
        """The faces to train with; prints in one line which they are."""
        return faces(self.data, size=self.size, n=self.n, crop=self.crop)


def known_names(model: str) -> list[str]:
    """The names of all settings of a model; imports TensorFlow, because the model's constructor says what it takes.

    >>> "decoder_learning_rate" in known_names("vae"), "clip" in known_names("vae")
    (True, False)
    """
    own = [name for name in _names(Job) if name not in ("second_learning_rate", "beta_1", "beta_2")]
    options = [name for name in constructor_options(model) if name != "image_size"]  # which is called size
    return own + _names(TrainingOptions) + OPTIMIZER_OPTIONS.get(model, []) + options


def _names(cls):
    return [f.name for f in fields(cls) if f.name not in ("training", "model_options")]


def _plain(settings):
    """Settings as constructors take them, made from those of the command line, of files and of earlier results."""
    plain = dict(settings)
    for name in ("critic_learning_rate", "decoder_learning_rate"):
        if name in plain:
            plain["second_learning_rate"] = plain.pop(name)
    if isinstance(kernels := plain.get("kernel_sizes"), list) and len(kernels) == 1:
        plain["kernel_sizes"] = kernels[0]
    if plain.get("residual", False) in (None, "block"):
        plain["residual"] = plain["residual"] == "block"
    for name in ("augment", "conditions"):
        if name in plain:
            plain[name] = tuple(plain[name])
    if plain.get("critic_norm") == "none":
        plain["critic_norm"] = None
    return plain
