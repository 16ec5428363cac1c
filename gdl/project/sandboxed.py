"""A hand-in's images, made anew in the grader's sandbox: what reads the weights has no network, no other file, and little memory and time."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from gdl.errors import CourseError
from gdl.instructor.grading import sandbox
from gdl.instructor.grading.process import StudentError, Worker, WorkerEnded
from gdl.project.remake import Made
from gdl.project.rules import LARGEST, MAX_SIZE

PLACE = "/hand-in"
SOURCE = """from gdl.project.remake import Remade
made = Remade({place!r})
about, draw, compare, own_images, piece = made.about, made.draw, made.compare, made.own_images, made.piece"""
BYTES = 8 * 2**20  # of the images in one answer
SHORT = 120.0  # seconds for everything but making the images


class NotNow(CourseError):
    """A failure for which other work on the machine may be the reason. certain: it is the reason, also when nothing ran beside it."""

    def __init__(self, sentence: str, certain: bool):
        super().__init__(sentence)
        self.certain = certain


def make(folder: Path, n: int, seconds: float, unsafe: bool = False) -> Made:
    """As `remake.make`, in the sandbox. folder: from `hand_in.stage`.  seconds: for making n images.  unsafe: without the sandbox.

    CourseError, one sentence, for a hand-in that cannot be used, and that needs too much memory or time.
    """
    worker = Worker(sandbox.unsafe if unsafe else partial(sandbox.sandboxed, {PLACE: str(folder)}))
    try:
        _ask(worker, SHORT, do="run", source=SOURCE.format(place=str(folder) if unsafe else PLACE))
        about = _ask(worker, SHORT, name="about")
        model, parameters, size = _checked(about)
        _ask(worker, seconds, name="draw", args=[n])
        difference, problem = None, ""
        try:
            difference = float(_ask(worker, SHORT, name="compare"))
        except (TypeError, ValueError):
            raise CourseError("The model's process gave no number: hand in weights that Keras has written.") from None
        except NotNow:
            raise
        except CourseError as error:
            problem = str(error)
        counts = _ask(worker, SHORT, name="own_images")
        most = 2 * LARGEST["images.npz"] // (3 * size * size)  # as many as `Remade.own_images` reads
        if not isinstance(counts, dict) or not all(type(count) is int and 0 < count <= most for count in counts.values()):
            raise CourseError("images.npz could not be read: write it as in project.ipynb.")
        own = {name: _images(worker, name, counts[name], size) for name in ("train", "val") if name in counts}
        return Made(model, parameters, size, _images(worker, "images", n, size), difference, problem, own)
    finally:
        worker.close()


def _ask(worker, seconds, **request):
    try:
        return worker.request(seconds, **{"do": "call", "args": [], "options": {}, **request} if request.get("do") != "run" else request)
    except WorkerEnded as error:
        sentence = f"The model was stopped, because {error.name}: hand in a smaller model."
        raise (NotNow(sentence, error.outside) if error.machine_busy else CourseError(sentence)) from None
    except StudentError as error:
        if error.machine_busy:
            raise NotNow("The model found no memory: close other programs and run the command again.", error.outside) from None
        known = error.name in ("CourseError", "DataError", "Missing")
        raise CourseError(error.text if known else f"The weights could not be used ({error.name}): hand in the run folder again.") from None


def _checked(about: Any) -> tuple[str, int, int]:
    """The class, the number of weights and the size. Whatever reads the weights is not trusted, so its answers are looked at."""
    if isinstance(about, dict):
        model, parameters, size = (about.get(name) for name in ("model", "parameters", "size"))
        if isinstance(model, str) and type(parameters) is int and type(size) is int and 0 < size <= MAX_SIZE:
            return model[:40], parameters, size
    raise CourseError(f"The model says nothing of itself that can be used: hand in one whose images have at most {MAX_SIZE} pixels a side.")


def _images(worker, name, n, size):
    """n images, fetched in pieces. -> (n, size, size, 3) uint8"""
    images = np.zeros((n, size, size, 3), np.uint8)
    step = max(1, BYTES // (3 * size * size))
    for start in range(0, n, step):
        part = _ask(worker, SHORT, name="piece", args=[name, start, min(n, start + step)])
        if not isinstance(part, np.ndarray) or part.dtype != np.uint8 or part.shape != images[start : start + step].shape:
            raise CourseError("The model's process gave no images: hand in weights that Keras has written.")
        images[start : start + step] = part
    return images
