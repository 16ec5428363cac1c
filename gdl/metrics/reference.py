"""The features of a set of real images and their statistics: computed once, kept in the cache."""

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gdl.data import cache
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.files import write_file
from gdl.metrics import classifier, inception, stand_in
from gdl.shipped import SHA256

VERSIONS = {  # of each network, in the names of the files: another one when its features change
    "inception": "1", "stand_in": "1", **{name: SHA256[name][:12] for name in classifier.CLASSIFIERS},
}  # fmt: skip
ROWS = 10_000  # images whose features are kept, and images whose features are in memory at a time


class Reference(NamedTuple):
    """Features of real images. The mean and the covariance are of all n images, the features of at most 10,000 of them."""

    mean: np.ndarray  # (d,) float64
    covariance: np.ndarray  # (d, d) float64
    features: np.ndarray  # (at most 10,000, d) float32
    n: int
    network: str  # "inception", "stand_in", or the name of a classifier
    size: int  # height of the images in pixels
    precision: str = "float32"  # dtype in which the network computed; images that are compared with them are computed in it too


def check_network(network: str) -> None:
    """CourseError unless the network is known."""
    if not isinstance(network, str) or network not in VERSIONS:
        raise CourseError(f"network={network!r} is not known: choose from {', '.join(map(repr, VERSIONS))}.")


def extract(images: np.ndarray, network: str, precision: str | None = None) -> np.ndarray:
    """Features of a network. (n, height, width, 3) uint8 -> (n, d) float32. precision: of the Inception, as in `inception_features`"""
    check_network(network)
    if network in classifier.CLASSIFIERS:
        return classifier.classifier_features(images, network)
    return inception.inception_features(images, precision) if network == "inception" else stand_in.stand_in_features(images)


def reference(real: Split | np.ndarray | Reference, network: str = "inception") -> Reference:
    """The Reference of real images.

    real: a split, such as faces.train, whose reference is computed once and kept in the cache; or uint8 images
        (n, height, width, 3), computed at each call; or a Reference, returned as it is.
    network: "inception", "stand_in", or a classifier that comes with the course, such as "classifier-drawn64".
    Raises CourseError for fewer than two images, for other arrays, and for a Reference of another network.

    >>> reference(np.zeros((5, 16, 16, 3), np.uint8), network="stand_in").features.shape
    (5, 60)
    """
    check_network(network)
    if isinstance(real, Reference):
        if real.network != network:
            raise CourseError(
                f"This reference has the features of the network {real.network!r}: make another with reference(images, network={network!r})."
            )
        return real
    if not isinstance(real, Split):
        return compute_reference(real, network)
    if real.fingerprint is None:
        return compute_reference(real.images, network)
    precision = network_precision(network)
    name = network if precision == "float32" else f"{network}-{precision}"
    file = cache.folder() / f"reference-{name}-{VERSIONS[network]}-{real.fingerprint}.npz"
    stored = _read(file, len(real), network, precision)
    if stored is not None:
        return stored
    computed = compute_reference(real.images, network)
    content = io.BytesIO()
    np.savez(content, **computed._asdict())
    try:
        write_file(file, content.getvalue())
    except CourseError as error:
        print(f"{error} Until then the reference is computed again each time.")
    return computed


def network_precision(network: str) -> str:
    """The dtype in which a network computes now: as set for the Inception, and float32 for the others."""
    return inception.default_precision() if network == "inception" else "float32"


def compute_reference(images: np.ndarray, network: str) -> Reference:
    """The Reference of uint8 images (n, height, width, 3), which may be a memory map: they are never all in memory."""
    if not getattr(images, "shape", ()) or len(images) < 2:
        raise CourseError("A reference needs at least two real images: give a split, such as faces.train, or a uint8 array (n, height, width, 3).")
    n, precision = len(images), network_precision(network)
    chosen = np.sort(np.random.default_rng(0).choice(n, min(n, ROWS), replace=False))
    count, mean, scatter, kept = 0, np.zeros(()), np.zeros(()), []
    for start in range(0, n, ROWS):
        features = extract(images[start : start + ROWS], network, precision)
        rows = chosen[(chosen >= start) & (chosen < start + ROWS)] - start
        kept.append(features[rows])
        count, mean, scatter = _merge(count, mean, scatter, features.astype(np.float64))
    return Reference(mean, scatter / (n - 1), np.concatenate(kept), n, network, images.shape[1], precision)


def _merge(n, mean, scatter, features):
    """Adds features to the mean of n earlier ones and to their scatter, the sum of (f - mean)(f - mean)^T. Chan et al. 1983."""
    more, their_mean = len(features), features.mean(axis=0)
    centred = features - their_mean
    step = their_mean - mean
    scatter = scatter + centred.T @ centred + np.outer(step, step) * (n * more / (n + more))
    return n + more, mean + step * (more / (n + more)), scatter


def _read(file: Path, n: int, network: str, precision: str) -> Reference | None:
    """The Reference of a file; None if the file is missing, damaged, or of other images."""
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as arrays:
            numbers = (arrays["mean"], arrays["covariance"], arrays["features"])
            stored = Reference(*numbers, int(arrays["n"]), str(arrays["network"]), int(arrays["size"]), precision)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    d = len(stored.mean)
    whole = stored.covariance.shape == (d, d) and stored.features.shape == (min(n, ROWS), d) and (stored.n, stored.network) == (n, network)
    return stored if whole else None
