"""What every set of faces consists of: three splits of images, and batches of them for training."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gdl.arguments import true_or_false, whole_number
from gdl.data import cache
from gdl.data.pixels import check_pixel_range
from gdl.data.report import printable
from gdl.errors import DataError

if TYPE_CHECKING:
    import tensorflow as tf


class Split:
    """The images of one split (train, val or test) and what is known about them.

    images: (n, size, size, 3) uint8, 0 to 255, a read-only memory map.
    attributes: DataFrame of bool, one row for each image, index 0 to n - 1; without columns if no attribute is known.
    names: (n,) array of str, the file names.
    factors: DataFrame of the factors from which each image was drawn; None for photographs.
    fingerprint: the fingerprint of the faces and the name of the split; None if it is not known.
    """

    def __init__(
        self,
        images: np.ndarray,
        attributes: pd.DataFrame,
        names: np.ndarray,
        factors: pd.DataFrame | None = None,
        fingerprint: str | None = None,
    ):
        self.images, self.attributes, self.names, self.factors, self.fingerprint = images, attributes, names, factors, fingerprint

    def __len__(self) -> int:
        return len(self.images)

    def labels(self, names: Sequence[str] | bool = True) -> np.ndarray:
        """Attributes as numbers, 1 where present and 0 where absent, (n, k) float32. DataError for an unknown name.

        names: the k attributes in this order; True for all.

        >>> import gdl
        >>> gdl.DrawnFaces(n=20, size=32).test.labels(["Smiling", "Male"]).tolist()
        [[1.0, 1.0], [0.0, 0.0]]
        """
        names = list(self.attributes.columns if isinstance(names, bool) else names)
        unknown = [name for name in names if name not in self.attributes.columns]
        if unknown or not names:
            known = ", ".join(self.attributes.columns) or "none"
            missing = unknown[0] if unknown else "at all"
            raise DataError(f"These images have no attribute {missing}: use other faces, or choose from the attributes of these ({known}).")
        return self.attributes[names].to_numpy(np.float32)

    def batches(
        self,
        batch_size: int,
        pixel_range: tuple[int, int] = (0, 1),
        shuffle: bool = True,
        flip: bool = False,
        seed: int = 0,
        first_epoch: int = 0,
        labels: Sequence[str] | bool = False,
    ) -> "tf.data.Dataset":
        """Batches for training, as a `tf.data.Dataset` of float32 (batch, size, size, 3).

        Every pass over the dataset is one epoch and contains each image once; the last batch may be smaller.
        The order and the flips depend only on `seed` and the number of the epoch. The first pass is epoch
        `first_epoch`, so that a run that is resumed after k epochs with first_epoch=k sees the batches of an
        uninterrupted run.
        pixel_range: (0, 1) or (-1, 1).  flip: mirror each image with probability 1/2.
        labels: True gives pairs of the images and their `labels`, float32 (batch, attributes); names of attributes
            give those, in that order. The images and their order are the same as without labels.
        DataError for an unknown attribute, CourseError for another pixel_range and arguments of the wrong kind.

        >>> import gdl
        >>> batches = gdl.DrawnFaces(n=20, size=32).train.batches(8, pixel_range=(-1, 1))
        >>> [batch.shape[0] for batch in batches]
        [8, 8]
        """
        import tensorflow as tf  # here, so that reading images does not wait for TensorFlow

        low, high = check_pixel_range(pixel_range)
        batch_size = whole_number("batch_size", batch_size)
        shuffle, flip, seed = true_or_false("shuffle", shuffle), true_or_false("flip", flip), whole_number("seed", seed, 0)
        epochs = itertools.count(whole_number("first_epoch", first_epoch, 0))
        targets = self.labels(labels) if labels else np.empty((len(self), 0), np.float32)

        def one_epoch():
            rng = np.random.default_rng([seed, next(epochs)])
            order = rng.permutation(len(self)) if shuffle else np.arange(len(self))
            mirrored = rng.random(len(self)) < (0.5 if flip else 0)
            for start in range(0, len(self), batch_size):
                rows = order[start : start + batch_size]
                images = np.asarray(self.images[rows])  # copied from the map
                mirror = mirrored[start : start + batch_size]
                images[mirror] = images[mirror, :, ::-1]
                yield (images, targets[rows]) if labels else images

        def to_float(images, *targets):  # the same arithmetic as gdl.data.pixels.to_float
            images = tf.cast(images, tf.float32) * ((high - low) / 255) + low
            return (images, *targets) if targets else images

        shape = tf.TensorSpec((None, *self.images.shape[1:]), tf.uint8)
        if labels:
            shape = shape, tf.TensorSpec((None, targets.shape[1]), tf.float32)
        dataset = tf.data.Dataset.from_generator(one_epoch, output_signature=shape)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(math.ceil(len(self) / batch_size)))
        options = tf.data.Options()
        options.autotune.enabled = False  # its thread sleeps for up to a minute, and the end of an epoch waits for it
        return dataset.map(to_float).prefetch(2).with_options(options)


class Faces:
    """Images in the splits `train`, `val` and `test`; CelebA, DrawnFaces and ImageFolder are such sets.

    size: height and width in pixels.  name: what the images are.  description: the same with their numbers, one line.
    fingerprint: short text that changes with the contents of the images, their attributes, the crop and the size.
    classes: names of the classes of an ImageFolder, else empty.
    """

    train: Split
    val: Split
    test: Split
    classes: list[str] = []

    def __init__(self, name: str, key: dict, size: int, plan: Callable[[], tuple], factors: pd.DataFrame | None = None, former: dict | None = None):
        """key, plan: see `gdl.cache.open_entry`.  factors: one row for each image, in the order of the plan.

        former: the key that version 0.1.0 gave these faces, where it was another one; its run folders have that fingerprint.
        """
        self.name, self.size = name, size
        self.fingerprint = cache.fingerprint(key)
        self.former_fingerprint = cache.fingerprint(former or key)
        readable = "".join(letter if letter.isalnum() else "_" for letter in name)[:40]
        images, names, attributes, counts = cache.open_entry(f"{readable}-{size}", key, size, plan)
        start = 0
        for split in ("train", "val", "test"):
            rows = slice(start, start + counts[split])
            its_attributes = attributes[rows].reset_index(drop=True)
            its_factors = None if factors is None else factors[rows].reset_index(drop=True)
            setattr(self, split, Split(images[rows], its_attributes, names[rows], its_factors, f"{self.fingerprint}-{split}"))
            start = rows.stop
        self.description = (
            f"{printable(name)}: {start:,} images of {size}x{size} pixels ({len(self.train):,} train, {len(self.val):,} val, {len(self.test):,} test)"
        )

    def __repr__(self) -> str:
        return self.description


def choose(splits: dict[str, list], n: int | None) -> dict[str, list]:
    """At most n names of {split: names}, in the proportions of the splits, with at least one of each.

    They are sampled with a fixed seed and keep their order. A smaller n gives some of the names of a larger n.

    >>> {split: len(names) for split, names in choose({"train": ["a"] * 80, "val": ["b"] * 10, "test": ["c"] * 10}, 20).items()}
    {'train': 16, 'val': 2, 'test': 2}
    """
    if n is None:
        return splits
    total, n = sum(map(len, splits.values())), whole_number("n", n, least=0)
    if n >= total:
        return splits
    if n < len(splits):
        raise DataError(f"n={n} is too few: choose at least {len(splits)}, one image for each split.")
    counts = {split: max(1, len(names) * n // total) for split, names in splits.items()}
    counts["train"] = max(1, n - counts["val"] - counts["test"])
    chosen = {}
    for split, names in splits.items():
        order = np.random.default_rng(0).permutation(len(names))
        chosen[split] = [names[i] for i in sorted(order[: counts[split]])]
    return chosen
