"""What a set of real images looks like to a network: computed once, kept in the cache."""

import zipfile
from typing import NamedTuple

import numpy as np

from gdl.data import cache
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.metrics import inception, stand_in

VERSIONS = {"inception": 1, "stand_in": 1}  # of each network's code; raised when its features change
ROWS = 10_000  # images whose features are kept, and of which features are held in memory at a time


class Reference(NamedTuple):
    """Features of real images. The mean and the covariance are of all n images, the features of at most 10,000 of them."""

    mean: np.ndarray  # (d,) float64
    covariance: np.ndarray  # (d, d) float64
    features: np.ndarray  # (at most 10,000, d) float32
    n: int
    network: str  # "inception" or "stand_in"
    size: int  # height of the images in pixels


def extract(images, network):
    """Features of a network. (n, height, width, 3) uint8 -> (n, d) float32"""
    if network == "inception":
        return inception.inception_features(images)
    if network == "stand_in":
        return stand_in.stand_in_features(images)
    raise CourseError(f"network={network!r} is not known: choose 'inception', or 'stand_in' for quick trials.")


def reference(real, network="inception"):
    """The Reference of real images.

    real: a split, such as faces.train, whose reference is computed once and kept in the cache; or uint8 images
        (n, height, width, 3), computed at each call; or a Reference, returned as it is.
    network: "inception" or "stand_in".
    """
    if isinstance(real, Reference):
        if real.network != network:
            raise CourseError(f"This reference is of the network {real.network!r}: make one with reference(images, network={network!r}).")
        return real
    if not isinstance(real, Split):
        return measure(real, network)
    if real.fingerprint is None:
        return measure(real.images, network)
    if network not in VERSIONS:
        return extract(real.images[:0], network)  # tells which there are
    file = cache.folder() / f"reference-{network}-{VERSIONS[network]}-{real.fingerprint}.npz"
    found = _read(file, len(real), network)
    if found is None:
        found = measure(real.images, network)
        with whole_file(file) as partial:
            np.savez(partial, **found._asdict())
    return found


def measure(images, network):
    """The Reference of uint8 images (n, height, width, 3), which may be a memory map: they are never all in memory."""
    if getattr(images, "dtype", None) != np.uint8 or images.ndim != 4 or images.shape[-1] != 3 or len(images) < 2:
        raise CourseError("Real images are at least two, uint8 of shape (n, height, width, 3): give a split, such as faces.train, or such an array.")
    n = len(images)
    chosen = np.sort(np.random.default_rng(0).choice(n, min(n, ROWS), replace=False))
    count, mean, scatter, kept = 0, 0.0, 0.0, []
    for start in range(0, n, ROWS):
        features = extract(images[start : start + ROWS], network)
        rows = chosen[(chosen >= start) & (chosen < start + ROWS)] - start
        kept.append(features[rows])
        count, mean, scatter = _merge(count, mean, scatter, features.astype(np.float64))
    return Reference(mean, scatter / (n - 1), np.concatenate(kept), n, network, images.shape[1])


def _merge(n, mean, scatter, features):
    """Adds features to n earlier ones of a mean and a scatter, the sum of (f - mean)(f - mean)^T. Chan et al. 1983."""
    more, their_mean = len(features), features.mean(axis=0)
    centred = features - their_mean
    step = their_mean - mean
    scatter = scatter + centred.T @ centred + np.outer(step, step) * (n * more / (n + more))
    return n + more, mean + step * (more / (n + more)), scatter


def _read(file, n, network):
    """The Reference of a file, or None if there is no whole one."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = Reference(arrays["mean"], arrays["covariance"], arrays["features"], int(arrays["n"]), str(arrays["network"]), int(arrays["size"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    d = len(found.mean)
    whole = found.covariance.shape == (d, d) and found.features.shape == (min(n, ROWS), d) and (found.n, found.network) == (n, network)
    return found if whole else None
