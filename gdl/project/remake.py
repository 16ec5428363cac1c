"""A hand-in's images, made anew from its weights. `check` does it in its own process, `leaderboard` in the grader's sandbox."""

import io
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from gdl.data.pixels import to_uint8
from gdl.errors import CourseError
from gdl.pictures.plots import grid
from gdl.project.archives import read_arrays
from gdl.project.files import open_files
from gdl.project.hand_in import read_project, read_run
from gdl.project.rules import LARGEST, SAMPLES, SEED
from gdl.project.weights import open_model

FEWEST = 20  # own images in each of train and val


@dataclass
class Made:
    """What has been made of a hand-in.

    model: its class.  parameters: number of weights that are trained.  size: of the images.
    images: (n, size, size, 3) uint8, from the codes of the project's seed.
    difference: mean of |handed in - made anew| over the pixels of the image of samples.png that differs most, in levels of 255.
    problem: why there is no difference.  own: for the task "own", the images of the hand-in by "train" and "val".
    """

    model: str
    parameters: int
    size: int
    images: np.ndarray
    difference: float | None
    problem: str = ""
    own: dict[str, np.ndarray] = field(default_factory=dict)


class Remade:
    """The model of a hand-in, which answers with plain values, so that it can be asked through the sandbox's pipe.

    CourseError, one sentence, if the hand-in cannot be used.
    """

    def __init__(self, folder: str | Path):
        self.files = open_files(folder)
        project, run = read_project(self.files), read_run(self.files)
        self.model = open_model(run.settings, project.model, project.weights, self.files.read(project.weights, LARGEST["weights"]))
        self.task = project.task
        self.arrays: dict[str, np.ndarray] = {}

    def about(self) -> dict:
        """The class of the model, the number of its trained weights and the size of its images."""
        parameters = sum(int(np.prod(weight.shape)) for weight in self.model.trainable_weights)
        return {"model": type(self.model).__name__, "parameters": parameters, "size": self.model.architecture.image_size}

    def draw(self, n: int) -> None:
        """Makes n images, which `piece("images", ...)` then gives."""
        images = self.model.generate(n, seed=SEED)
        if not np.isfinite(images).all():
            raise CourseError("The model makes images that are NaN or infinite: hand in an earlier epoch.")
        self.arrays["images"] = to_uint8(images, self.model.architecture.pixel_range)

    def compare(self) -> float:
        """How far samples.png is from the images made anew, see `Made.difference`."""
        made = self.arrays["images"][:SAMPLES]
        return difference(self.files.read("samples.png"), made)

    def own_images(self) -> dict[str, int]:
        """Reads images.npz of the task "own". Returns the numbers of its training and validation images."""
        if self.task != "own":
            return {}
        arrays = read_arrays(self.files.read("images.npz"), "images.npz", most=2 * LARGEST["images.npz"])
        size = self.model.architecture.image_size
        for name in ("train", "val"):
            images = arrays.get(name)
            if images is None or images.dtype != np.uint8 or images.shape[1:] != (size, size, 3) or len(images) < FEWEST:
                shape = f"(n, {size}, {size}, 3) with n at least {FEWEST}"
                raise CourseError(f"images.npz needs {name}, uint8 of shape {shape}: write it as in project.ipynb.")
            self.arrays[name] = images
        return {name: len(self.arrays[name]) for name in ("train", "val")}

    def piece(self, name: str, start: int, stop: int) -> np.ndarray:
        """Some of the images."""
        return self.arrays[name][start:stop]


def make(folder: str | Path, n: int) -> Made:
    """What is made of a hand-in, in this process. n: number of images, at least 64."""
    remade = Remade(folder)
    remade.draw(n)
    found, problem = None, ""
    try:
        found = remade.compare()
    except CourseError as error:
        problem = str(error)
    own = {name: remade.arrays[name] for name in remade.own_images()}
    return Made(**remade.about(), images=remade.arrays["images"], difference=found, problem=problem, own=own)


def difference(content: bytes, made: np.ndarray) -> float:
    """How far the images of a PNG grid are from those made anew, see `Made.difference`.

    content: of the file that `python -m gdl sample --n 64` or `gdl.plots.save_grid` writes.  made: (n, size, size, 3) uint8
    """
    wanted = grid(made)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # of its size, which is looked at next
            opened = Image.open(io.BytesIO(content), formats=["PNG"])
        with opened as image:
            if image.size != (wanted.shape[1], wanted.shape[0]):  # before anything is decoded
                raise CourseError(
                    f"samples.png has {image.size[0]}x{image.size[1]} pixels and not {wanted.shape[1]}x{wanted.shape[0]}: "
                    f"write it with python -m gdl sample --n {len(made)} --seed {SEED}."
                )
            pixels = np.asarray(image.convert("RGB"), np.int16)
    except CourseError:
        raise
    except Exception:  # what Pillow says about damaged files
        raise CourseError("samples.png is damaged or no PNG file: write it again.") from None
    size, columns = made.shape[1], 8
    apart = np.abs(pixels - wanted.astype(np.int16)).mean(axis=2)
    places = [divmod(i, columns) for i in range(len(made))]
    return max(float(apart[row * (size + 1) :, column * (size + 1) :][:size, :size].mean()) for row, column in places)
