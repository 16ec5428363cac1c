"""The numbers of the final project, from images alone: the distance, copies of training faces, and the share of a group."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import did_you_mean
from gdl.data.celeba import CelebA
from gdl.data.faces import DrawnFaces
from gdl.data.pixels import check_uint8, to_uint8
from gdl.data.splits import Faces, Split
from gdl.errors import CourseError
from gdl.latent.groups import share_error
from gdl.metrics.common import progress
from gdl.metrics.frechet import frechet_distance, statistics
from gdl.metrics.reference import reference
from gdl.metrics.scores import KEYS, feature_scores, features
from gdl.project.rules import RECIPES, SEED
from gdl.shipped import pretrained

Real = Mapping[str, Split | np.ndarray]  # train, val and, where there is one, test
RARE = 0.01  # share of the validation images that count as copies


def default_network(faces: Faces | None) -> str:
    """The network whose features are compared: a classifier that comes with the course, for drawn faces or for photographs (None: own images)."""
    return "classifier-drawn64" if isinstance(faces, DrawnFaces) else "classifier-celeba64"


def measure(images: np.ndarray, real: Real, network: str, group: str = "") -> dict[str, float]:
    """The measures of images. (n, size, size, 3) uint8 -> numbers by their names

    distance: Frechet distance to the validation images (FID with the network "inception").
    test: the same to the test images, where there are any.  precision, recall: against the validation images.
    copies: see `copies`.  share: of the images that the classifier assigns to the group, with share_error, its standard error;
    share_val: of the validation images that it assigns to it. Only with a group.
    """
    found = features(images, network)
    name, _, prefix = KEYS[network]
    values = feature_scores(found, real["val"], network)
    result = {"distance": values[name]}
    if "test" in real:
        known = reference(real["test"], network)
        result["test"] = frechet_distance(*statistics(found), known.mean, known.covariance)
    result |= {"precision": values[f"{prefix}precision"], "recall": values[f"{prefix}recall"]}
    train, val = (reference(real[split], network).features for split in ("train", "val"))
    result["copies"] = copies(found, train, val)
    if group:
        classifier = _classifier_for(real["val"])
        result["share"] = float(in_group(images, classifier, group).mean())
        result["share_error"] = share_error(result["share"], len(images))
        result["share_val"] = float(in_group(_images(real["val"]), classifier, group).mean())
    return result


def copies(made: np.ndarray, train: np.ndarray, val: np.ndarray) -> float:
    """Share of the images that lie nearer to a training image than all but 1 % of the validation images do. Features (n, d)

    About 0.01 for a model that makes new images, and 1 for one that repeats its training images. Of the training images,
    at most the 10,000 that `gdl.metrics.reference` keeps are looked at.

    >>> points = np.random.default_rng(0).normal(size=(300, 4))
    >>> copies(points[:100], points[:200], points[200:])
    1.0
    """
    return float(np.mean(nearest(made, train)[1] < np.quantile(nearest(val, train)[1], RARE)))


def nearest(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The number of the nearest of the others for each point, and its distance. Features (n, d), (m, d) -> (n,), (n,)"""
    points, others = (np.asarray(array, np.float64) for array in (points, others))
    squares, rows, distances = np.sum(others**2, axis=1), [], []
    for start in progress(range(0, len(points), 1000), "nearest training images"):
        block = points[start : start + 1000]
        row = np.argmin(squares - 2 * (block @ others.T), axis=1)
        rows.append(row)
        distances.append(np.linalg.norm(block - others[row], axis=1))
    return np.concatenate(rows), np.concatenate(distances)


def in_group(images: np.ndarray, classifier: str, group: str) -> np.ndarray:
    """Whether a classifier that comes with the course assigns images to a group. (n, size, size, 3) uint8 -> (n,) bool

    Images of another size than 64x64 are resized. CourseError for a group that the classifier does not know.
    """
    model = _classifier(classifier)
    if group not in model.attributes:
        raise CourseError(
            f"group is {group[:40]!r}: choose one that {classifier} knows, such as Male or Young{did_you_mean(group, model.attributes)}."
        )
    parts = []
    for start in range(0, len(images), 500):
        x = check_uint8(np.asarray(images[start : start + 500]))
        if x.shape[1] != 64:
            x = to_uint8(tf.image.resize(tf.cast(x, tf.float32) / 255, (64, 64), antialias=True).numpy())
        parts.append(model.predict_attributes(x)[group].to_numpy() >= 0.5)
    return np.concatenate(parts)


def recipe_of(faces: Faces | None) -> str | None:
    """The model of the course that is to be beaten on these faces, or None where there is none: it makes images of 64x64 pixels."""
    kinds = {DrawnFaces: "drawn", CelebA: "CelebA"}
    if faces is None or faces.size != 64:
        return None
    return next((RECIPES[kind] for cls, kind in kinds.items() if isinstance(faces, cls)), None)


def recipe_images(name: str, n: int) -> np.ndarray:
    """Images of a model that comes with the course, made as those of a hand-in. -> (n, 64, 64, 3) uint8"""
    model = pretrained(name)
    return to_uint8(model.generate(n, seed=SEED), model.architecture.pixel_range)


def splits(faces: Faces) -> Real:
    """The splits of faces as `measure` takes them."""
    return {"train": faces.train, "val": faces.val, "test": faces.test}


def _images(split):
    return split.images if isinstance(split, Split) else split


def _classifier_for(split):
    return "classifier-drawn64" if isinstance(split, Split) and split.factors is not None else "classifier-celeba64"


@cache
def _classifier(name: str) -> Any:
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        return pretrained(name)
    finally:
        keras.config.set_dtype_policy(policy)
