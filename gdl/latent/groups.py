"""How a model treats the groups of its faces: which it omits, which it reconstructs badly, and a remedy (chapter 08)."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from gdl.arguments import number, whole_number
from gdl.data import cache
from gdl.data.pixels import to_uint8
from gdl.data.splits import Faces, Split
from gdl.errors import CourseError, DataError
from gdl.metrics.reconstruction import mean_squared_error
from gdl.models.base import DecoderModel, EncoderDecoderModel, check_decoder
from gdl.models.classifier import AttributeClassifier, check_classifier

CHUNK = 2048  # images in memory at a time


def group_table(
    model: DecoderModel,
    classifier: AttributeClassifier,
    faces: Faces,
    groups: Sequence[str] = ("Male", "Young", "Pale_Skin"),
    samples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """How often a model generates the faces of a group, and how well it reconstructs them. -> DataFrame, two rows per group

    The rows are the faces with the attribute and those without it ("not ...").
    classifier: it knows the groups, and takes images of the model's size.
    groups: attributes of the faces.  samples: number of random images that the model makes, from `seed`.
    Shares are in [0, 1]. A standard error (_se) is the sampling error of the number before it. The columns:
        train, val     share of the training and of the validation images, by their labels
        val_n          number of validation images of the group
        val_seen       share of the validation images, by the classifier; it makes the same errors with the samples
        samples_seen   share of the model's samples, by the classifier, with samples_se: compare it with val_seen, not with train
        error          mean squared error of the reconstructions of the group's validation images, per pixel in [0, 1], with error_se
        mistaken       share of the group's validation images that the classifier assigns to the other group
        turned         share of their reconstructions that it assigns to the other group; the model causes the excess over `mistaken`
    error and turned are NaN for a model without an encoder; all three are NaN for a group without validation images.
    Raises DataError for a group that is not an attribute of the faces.

    >>> group_table(gdl.pretrained("vae-celeba64"), gdl.pretrained("classifier-celeba64"), faces, ["Male"])  # doctest: +SKIP
    """
    check_decoder(model)
    check_classifier(classifier)
    check_faces(faces)
    samples, seed = whole_number("samples", samples), whole_number("seed", seed, least=0)
    val, groups = faces.val, [groups] if isinstance(groups, str) else list(groups)
    labels, train = val.labels(groups) > 0.5, faces.train.labels(groups).mean(axis=0)  # (n, groups), (groups,)
    pixel_range = model.architecture.pixel_range
    generated = _classified(classifier, to_uint8(model.generate(samples, seed=seed), pixel_range), groups).mean(axis=0)
    seen = _classified(classifier, val.images, groups)
    error, copies_seen = np.full(len(val), np.nan), None
    if isinstance(model, EncoderDecoderModel):
        parts = []
        for start in range(0, len(val), CHUNK):
            images = val.images[start : start + CHUNK]
            copies = to_uint8(model.reconstruct(images), pixel_range)
            error[start : start + CHUNK] = mean_squared_error(images, copies)
            parts.append(_classified(classifier, copies, groups))
        copies_seen = np.concatenate(parts)
    rows = {}
    for i, group in enumerate(groups):
        for name, side in ((group, True), (f"not {group}", False)):
            members = labels[:, i] == side  # (n,)
            share = generated[i] if side else 1 - generated[i]
            rows[name] = {
                "train": train[i] if side else 1 - train[i],
                "val": members.mean(),
                "val_n": members.sum(),
                "val_seen": (seen[:, i] == side).mean(),
                "samples_seen": share,
                "samples_se": share_error(share, samples),
                "error": _mean(error[members]),
                "error_se": error[members].std(ddof=1) / np.sqrt(members.sum()) if members.sum() > 1 else np.nan,
                "mistaken": _mean(seen[members, i] != side),
                "turned": np.nan if copies_seen is None else _mean(copies_seen[members, i] != side),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")


def resampled(faces: Faces, attribute: str, share: float = 0.5, seed: int = 0) -> Faces:
    """The same faces with training images repeated so that a given share of them has the attribute: faces for `gdl.train`.

    The images of the rarer side are repeated, each equally often or once more, and none is left out. An epoch has more
    images than before: compare trainings with the same number of steps (steps_per_epoch). Validation and test stay the same.
    share: of the training images, 0 < share < 1.  seed: of the order, and of the images that are repeated once more.
    The images are read from the same memory map. The fingerprint differs, so that runs and cache entries stay separate.
    Raises DataError for a share outside these bounds, an unknown attribute, and one that no image or every image has.

    >>> import gdl
    >>> faces = gdl.DrawnFaces(n=100, size=32)
    >>> balanced = resampled(faces, "Male", share=0.5)
    >>> balanced.train.attributes["Male"].mean().round(1)
    np.float64(0.5)
    """
    check_faces(faces)
    has = faces.train.labels([attribute])[:, 0] > 0.5
    seed = whole_number("seed", seed, least=0)
    if not 0 < number("share", share, least=-1e9) < 1:
        raise DataError(f"share is {share}: give a number more than 0 and less than 1.")
    if has.all() or not has.any():
        raise DataError(f"{'Every' if has.all() else 'No'} training image has the attribute {attribute}: choose one that only some of them have.")
    rng = np.random.default_rng(seed)
    common, rare, odds = np.flatnonzero(~has), np.flatnonzero(has), share / (1 - share)
    if len(rare) > odds * len(common):
        common, rare, odds = rare, common, 1 / odds
    repeated = np.resize(rng.permutation(rare), max(len(rare), round(odds * len(common))))  # in turn, again and again
    rows = rng.permutation(np.concatenate([common, repeated]))

    new, old = copy.copy(faces), faces.train
    how = {"repeated": attribute, "share": share, "seed": seed}
    new.fingerprint = cache.fingerprint({"faces": faces.fingerprint, **how})
    new.former_fingerprint = cache.fingerprint({"faces": faces.former_fingerprint, **how})
    new.description = f"{faces.description}; training images repeated to {len(rows):,}, of which {share:.0%} have {attribute}"
    attributes = old.attributes.iloc[rows].reset_index(drop=True)
    factors = None if old.factors is None else old.factors.iloc[rows].reset_index(drop=True)
    images: Any = ChosenImages(old.images, rows)  # Split reads it like an array
    new.train = Split(images, attributes, old.names[rows], factors, f"{new.fingerprint}-train")
    return new


class ChosenImages:
    """Rows of an array of images, some of them several times, which are copied only when they are read.

    It is indexed along its first axis, like an array; np.asarray copies all of it.
    """

    def __init__(self, images: np.ndarray, rows: np.ndarray):
        self.images, self.rows = images, rows
        self.shape, self.dtype, self.ndim = (len(rows), *images.shape[1:]), images.dtype, images.ndim

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.images[self.rows[index]]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def check_faces(faces: Faces) -> None:
    """CourseError unless the faces have a training and a validation split."""
    if not (hasattr(faces, "train") and hasattr(faces, "val")):
        raise CourseError(f"faces is {type(faces).__name__}: give faces with their splits, such as gdl.DrawnFaces().")


def _classified(classifier, images, groups):
    """Whether the classifier assigns uint8 images to groups. -> (n, groups) bool"""
    seen = pd.concat([classifier.predict_attributes(images[i : i + CHUNK]) for i in range(0, len(images), CHUNK)])
    if missing := [group for group in groups if group not in seen]:
        raise CourseError(f"The classifier does not know {', '.join(missing)}: choose groups from {', '.join(seen)}.")
    return seen[groups].to_numpy() >= 0.5


def share_error(share: float, n: int) -> float:
    """Standard error of a share of n images, with 1 added to both counts (Laplace), so that it is not 0 for a share of 0 or 1.

    >>> round(share_error(0.5, 100), 3), round(share_error(0.0, 100), 3)
    (0.05, 0.01)
    """
    share = (share * n + 1) / (n + 2)
    return float(np.sqrt(share * (1 - share) / (n + 2)))


def _mean(values):
    return values.mean() if len(values) else np.nan
