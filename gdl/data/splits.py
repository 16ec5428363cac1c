"""What every set of faces is: three splits of images, and batches of them for training."""

import itertools
import math

import numpy as np
from PIL import Image

from gdl.data import cache
from gdl.data.pixels import check_pixel_range
from gdl.errors import DataError


class Split:
    """The images of one split (train, val or test) and what is known about them.

    images: (n, size, size, 3) uint8, 0..255, a read-only memory map.
    attributes: DataFrame of bool, one row an image, index 0..n-1 (no columns if nothing is known).
    names: (n,) array of str, the file names.
    factors: DataFrame of the numbers that an image was drawn from; None for photographs.
    fingerprint: that of the faces, and the name of the split; None if it is not known.
    """

    def __init__(self, images, attributes, names, factors=None, fingerprint=None):
        self.images, self.attributes, self.names, self.factors, self.fingerprint = images, attributes, names, factors, fingerprint

    def __len__(self):
        return len(self.images)

    def labels(self, names=True):
        """Attributes as numbers, 1 where it is there: (n, k) float32 of these names, or of all with True; DataError for one that is not known."""
        names = list(self.attributes.columns) if names is True else list(names)
        unknown = [name for name in names if name not in self.attributes.columns]
        if unknown or not names:
            known = ", ".join(self.attributes.columns) or "none"
            raise DataError(
                f"These images have no attribute {unknown[0] if unknown else 'at all'}: take faces that have it, or one of theirs ({known})."
            )
        return self.attributes[names].to_numpy(np.float32)

    def batches(self, batch_size, pixel_range=(0, 1), shuffle=True, flip=False, seed=0, first_epoch=0, labels=False):
        """Batches for training, as a `tf.data.Dataset` of float32 (batch, size, size, 3).

        Every pass over the dataset is one epoch and holds each image once; the last batch may be
        smaller. The order and the flips of an epoch depend on `seed` and on its number alone. The
        first pass is epoch `first_epoch` and each later one is the next, so that a run which is
        resumed after k epochs with first_epoch=k sees what it would have seen.
        pixel_range: (0, 1) or (-1, 1).  flip: mirror each image with probability 1/2.
        labels: True gives pairs of the images and their attributes, float32 (batch, attributes), 1 where an attribute is
            there; names of attributes give those, in that order. Images and order are the same as without.
        """
        import tensorflow as tf  # here, so that reading images does not wait for TensorFlow

        low, high = check_pixel_range(pixel_range)
        if batch_size < 1:
            raise DataError(f"batch_size={batch_size} is not possible: choose 1 or more.")
        epochs = itertools.count(first_epoch)
        targets = self.labels(labels) if labels else None

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
        return dataset.map(to_float).prefetch(tf.data.AUTOTUNE)


class Faces:
    """Images in the splits `train`, `val` and `test`; made by CelebA, DrawnFaces or ImageFolder.

    size: height and width in pixels.  name: what it is.  description: one line.
    fingerprint: short text that differs when the data, the crop or the size differ.
    classes: names of the classes of an ImageFolder, else empty.
    """

    classes = ()

    def __init__(self, name, key, size, plan, factors=None):
        """key, plan: see `gdl.cache.open_entry`.  factors: one row an image, in the order of the plan."""
        self.name, self.size = name, size
        self.fingerprint = cache.fingerprint(key)
        readable = "".join(letter if letter.isalnum() else "_" for letter in name)[:40]
        images, names, attributes, counts = cache.open_entry(f"{readable}-{size}", key, size, plan)
        start = 0
        for split in ("train", "val", "test"):
            rows = slice(start, start + counts[split])
            parts = [None if table is None else table[rows].reset_index(drop=True) for table in (attributes, factors)]
            setattr(self, split, Split(images[rows], parts[0], names[rows], parts[1], f"{self.fingerprint}-{split}"))
            start = rows.stop
        self.description = (
            f"{name}: {start:,} images of {size}x{size} pixels ({len(self.train):,} train, {len(self.val):,} val, {len(self.test):,} test)"
        )

    def __repr__(self):
        return self.description


def check_size(size):
    """The size as an int; DataError unless it is a multiple of 16 from 16 to 512."""
    if size not in range(16, 513, 16):
        near = {min(512, max(16, int(size) // 16 * 16 + step)) for step in (0, 16)}
        raise DataError(
            f"size={size} is not possible, because the networks halve an image four times: "
            f"choose {' or '.join(map(str, sorted(near)))} (any multiple of 16 from 16 to 512)."
        )
    return int(size)


def choose(splits, n):
    """At most n names of {split: names}, each split in its proportion and with at least one.

    Drawn at random with a fixed seed, and returned in the order in which they came; a smaller n
    chooses among what a larger n chose.
    """
    total = sum(map(len, splits.values()))
    if n is None or n >= total:
        return splits
    if n < len(splits):
        raise DataError(f"n={n} is too few: choose at least {len(splits)}, one image for each split.")
    n = int(n)
    counts = {split: max(1, len(names) * n // total) for split, names in splits.items()}
    counts["train"] = max(1, n - counts["val"] - counts["test"])
    chosen = {}
    for split, names in splits.items():
        order = np.random.default_rng(0).permutation(len(names))
        chosen[split] = [names[i] for i in sorted(order[: counts[split]])]
    return chosen


def square(image, side, size):
    """The central square of `side` pixels, resized to (size, size, 3) uint8 with Lanczos antialiasing.

    Lanczos is what the protocol of WAE (Tolstikhin et al. 2018) uses. The square is cut out first,
    so that no pixel from outside it has a part in the result.
    """
    left, top = (image.width - side) // 2, (image.height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return np.asarray(image.resize((size, size), Image.Resampling.LANCZOS))
