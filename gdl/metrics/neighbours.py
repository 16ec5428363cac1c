"""Precision and recall of generated images, by nearest neighbours among their features. All sums are float64."""

import numpy as np

from gdl.arguments import whole_number
from gdl.errors import CourseError
from gdl.metrics.common import check_pair, progress

BLOCK = 1000  # rows whose distances to all others are in memory at a time


def precision_recall(real_features: np.ndarray, fake_features: np.ndarray, k: int = 3) -> tuple[float, float]:
    """Share of fakes that look real, and share of reals that the fakes cover. (n, d), (m, d) -> precision, recall in [0, 1]

    The manifold of a set is the union of balls around its points; the radius of each ball is the distance to the
    k-th nearest other point of the set. Precision is the share of fakes inside the manifold of the reals, recall
    the share of reals inside that of the fakes (Kynkaanniemi et al. 2019). Both depend on n: compare at the same sizes.
    Raises CourseError for features of different networks, and for k below 1 or too large for the sets.

    >>> real = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> precision_recall(real, np.array([[0.5], [1.5], [50.0], [60.0]]), k=1)
    (0.5, 0.75)
    """
    real, fake = check_pair(real_features, fake_features)
    if not 1 <= whole_number("k", k, least=0) < min(len(real), len(fake)):
        raise CourseError(f"k is {k} and the sets have {len(real):,} and {len(fake):,} images: k must be at least 1 and smaller than both.")
    middle = real.mean(axis=0)  # shifting all points keeps the distances and reduces rounding errors
    real, fake = real - middle, fake - middle
    # a tolerance for rounding, so that a point on the edge of a ball, or a copy, is inside
    slack = 1e-13 * max(np.sum(points**2, axis=1).max() for points in (real, fake))
    real_radii, fake_radii = _squared_radii(real, k) + slack, _squared_radii(fake, k) + slack
    covered = np.zeros(len(real), bool)
    inside = 0
    for start, distances in _squared_distances(fake, real, "precision"):  # (block, n)
        inside += np.sum(np.any(distances <= real_radii, axis=1))
        covered |= np.any(distances <= fake_radii[start : start + BLOCK, None], axis=0)
    return float(inside / len(fake)), float(covered.mean())


def _squared_distances(x, y, what):
    """Yields pairs: start, and the squared distances of the rows x[start : start + BLOCK] to all rows of y."""
    y_squares = np.sum(y**2, axis=1)
    for start in progress(range(0, len(x), BLOCK), what):
        block = x[start : start + BLOCK]
        yield start, np.sum(block**2, axis=1)[:, None] + y_squares - 2 * (block @ y.T)


def _squared_radii(points, k):
    """Squared distance of each point to its k-th nearest other point. (n, d) -> (n,)"""
    nearest = [np.partition(distances, k, axis=1)[:, k] for _, distances in _squared_distances(points, points, "neighbours")]
    return np.concatenate(nearest)  # place 0 is the point itself
