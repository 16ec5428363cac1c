"""Who is missing: how a model treats the groups of its faces, and a remedy (chapter 08)."""

import copy

import numpy as np
import pandas as pd

from gdl.data import cache
from gdl.data.pixels import to_uint8
from gdl.data.splits import Split
from gdl.errors import DataError
from gdl.metrics import mean_squared_error

CHUNK = 2048  # images in memory at a time


def group_table(model, classifier, faces, groups=("Male", "Young", "Pale_Skin"), samples=1000, seed=0):
    """How often a model makes the faces of a group, and how well it copies them. -> DataFrame, two rows a group: with the attribute, and without ("not ...")

    classifier: an AttributeClassifier that knows the groups, for images of the model's size.
    groups: attributes of the faces.  samples: how many random images the model makes, from `seed`.
    Shares are in [0, 1]; a standard error (_se) says how far chance alone moves a number.
    train, val: share of the training and of the validation images, by their labels.  val_n: validation images of the group.
    val_seen: share of the validation images as the classifier sees them: what it does to photographs it does to samples too.
    samples_seen, samples_se: share of the model's samples as the classifier sees them; to be compared with val_seen, not with train.
    error, error_se: mean squared error of the reconstructions of the group's validation images, for a pixel in [0, 1].
    mistaken: share of the group's validation images that the classifier puts into the other group.
    turned: share of them whose reconstruction it puts into the other group; what is more than `mistaken` is the model's doing.
    A model without an encoder has NaN for error and turned, and so has a group without validation images.
    """
    val, groups = faces.val, list(groups)
    labels, train = val.labels(groups) > 0.5, faces.train.labels(groups).mean(axis=0)  # (n, groups), (groups,)
    pixel_range = model.architecture.pixel_range
    made = _sees(classifier, to_uint8(model.generate(samples, seed=seed), pixel_range), groups).mean(axis=0)
    seen = _sees(classifier, val.images, groups)
    error, copies_seen = np.full(len(val), np.nan), None
    if hasattr(model, "encoder"):
        parts = []
        for start in range(0, len(val), CHUNK):
            images = val.images[start : start + CHUNK]
            copies = to_uint8(model.reconstruct(images), pixel_range)
            error[start : start + CHUNK] = mean_squared_error(images, copies)
            parts.append(_sees(classifier, copies, groups))
        copies_seen = np.concatenate(parts)
    rows = {}
    for i, group in enumerate(groups):
        for name, side in ((group, True), (f"not {group}", False)):
            own = labels[:, i] == side  # (n,)
            share = made[i] if side else 1 - made[i]
            rows[name] = {
                "train": train[i] if side else 1 - train[i],
                "val": own.mean(),
                "val_n": own.sum(),
                "val_seen": (seen[:, i] == side).mean(),
                "samples_seen": share,
                "samples_se": share_error(share, samples),
                "error": _mean(error[own]),
                "error_se": error[own].std(ddof=1) / np.sqrt(own.sum()) if own.sum() > 1 else np.nan,
                "mistaken": _mean(seen[own, i] != side),
                "turned": np.nan if copies_seen is None else _mean(copies_seen[own, i] != side),
            }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("group")


def resampled(faces, attribute, share=0.5, seed=0):
    """The same faces with training images repeated until the attribute has a share of them: faces for `gdl.train`.

    The rarer side's images are repeated, each as often as the others or once more, and none is left out: an epoch has
    more images than before, so compare trainings by their steps (steps_per_epoch). Validation and test stay as they are.
    share: of the training images, 0 < share < 1.  seed: of the order, and of which images come once more.
    The images are read from the same memory map; the fingerprint is another, so that runs and caches are kept apart.
    DataError for a share that is not possible, an attribute that is not known, and one that no image or every image has.
    """
    there = faces.train.labels([attribute])[:, 0] > 0.5
    if not 0 < share < 1:
        raise DataError(f"share={share} is not possible: it is more than 0 and less than 1.")
    if there.all() or not there.any():
        raise DataError(f"{'Every' if there.all() else 'No'} training image has the attribute {attribute}: repeating cannot change its share.")
    rng = np.random.default_rng(seed)
    common, rare, odds = np.flatnonzero(~there), np.flatnonzero(there), share / (1 - share)
    if len(rare) > odds * len(common):
        common, rare, odds = rare, common, 1 / odds
    repeated = np.resize(rng.permutation(rare), max(len(rare), round(odds * len(common))))  # in turn, again and again
    rows = rng.permutation(np.concatenate([common, repeated]))

    new, old = copy.copy(faces), faces.train
    new.fingerprint = cache.fingerprint({"faces": faces.fingerprint, "repeated": attribute, "share": share, "seed": seed})
    new.description = f"{faces.description}; training images repeated to {len(rows):,}, of which {share:.0%} have {attribute}"
    tables = [None if table is None else table.iloc[rows].reset_index(drop=True) for table in (old.attributes, old.factors)]
    new.train = Split(ChosenImages(old.images, rows), tables[0], old.names[rows], tables[1], f"{new.fingerprint}-train")
    return new


class ChosenImages:
    """Rows of an array of images, some of them several times, that are copied only when they are asked for.

    It is indexed by its first axis, like an array; np.asarray copies all of it.
    """

    def __init__(self, images, rows):
        self.images, self.rows = images, rows
        self.shape, self.dtype, self.ndim = (len(rows), *images.shape[1:]), images.dtype, images.ndim

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.images[self.rows[index]]

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self[:], dtype)


def _sees(classifier, images, groups):
    """Whether the classifier puts uint8 images into groups. -> (n, groups) bool"""
    parts = [classifier.predict_attributes(images[i : i + CHUNK])[groups] for i in range(0, len(images), CHUNK)]
    return pd.concat(parts).to_numpy() >= 0.5


def share_error(share, n):
    """Standard error of a share of n, with one more of each kind (Laplace): none of 1,000 is not certainty. -> float"""
    share = (share * n + 1) / (n + 2)
    return np.sqrt(share * (1 - share) / (n + 2))


def _mean(values):
    return values.mean() if len(values) else np.nan
