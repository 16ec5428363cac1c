"""The Frechet distance of two sets of images, and an interval for it. All sums are float64."""

import numpy as np
from scipy import linalg, stats

from gdl.arguments import number, whole_number
from gdl.errors import CourseError
from gdl.metrics.common import as_floats, check_features, progress


def statistics(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of features, the covariance with n - 1. (n, d) -> (d,), (d, d) float64

    Raises CourseError for fewer than 2 rows and for features that are not finite.

    >>> mean, covariance = statistics(np.array([[0.0, 1.0], [2.0, 1.0]]))
    >>> mean.tolist(), covariance.tolist()
    ([1.0, 1.0], [[2.0, 0.0], [0.0, 0.0]])
    """
    features = check_features(features)
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def frechet_distance(mean_1: np.ndarray, covariance_1: np.ndarray, mean_2: np.ndarray, covariance_2: np.ndarray) -> float:
    """|mean_1 - mean_2|^2 + trace(C_1 + C_2 - 2 (C_1 C_2)^(1/2)) of two Gaussians. Two of (d,), (d, d) -> float, at least 0

    The squared 2-Wasserstein distance of the Gaussians (Dowson and Landau 1982). On the features of the
    Inception network it is the FID of Heusel et al. 2017. With a root R of C_1 = R R^T, the product C_1 C_2
    has the eigenvalues of R^T C_2 R, which is symmetric and never negative: nothing complex can appear, and
    covariances without full rank (fewer images than features) need no small number on the diagonal.

    >>> frechet_distance(np.zeros(2), np.eye(2), np.array([3.0, 0.0]), 4 * np.eye(2))  # 3**2 + 2 * (2 - 1)**2
    11.0
    """
    mean_1, covariance_1, mean_2, covariance_2 = _check_statistics(mean_1, covariance_1, mean_2, covariance_2)
    root = _root(covariance_1)  # (d, rank)
    overlap = _trace_of_root(root.T @ covariance_2 @ root)
    distance = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1) + np.trace(covariance_2) - 2 * overlap
    return max(float(distance), 0.0)


def frechet_interval(
    features: np.ndarray, mean: np.ndarray, covariance: np.ndarray, rounds: int = 20, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Interval for the Frechet distance of features to a fixed reference. (n, d), (d,), (d, d) -> low, high

    It shows how much the distance changes when another n images are sampled from the same model. The images are
    resampled with replacement `rounds` times (Efron 1979). The standard deviation of the resampled distances, times
    the quantile of Student's t with rounds - 1 degrees of freedom, is the half width around the measured distance.
    The quantiles of the resampled distances would be wrong: a resample contains only 63 % of the images, so its
    distance tends to be larger than the measured one. The interval does not include the bias of the distance, which
    falls with n: compare at the same n.
    rounds: at least 2.  level: the share of such intervals that contain the mean distance at this n, in (0, 1).
    With fewer images than features, the interval can be too wide by up to about half, and then contains the mean more often.
    Raises CourseError for values outside these bounds.

    >>> features = np.random.default_rng(0).standard_normal((100, 2))
    >>> low, high = frechet_interval(features, np.ones(2), np.eye(2))
    >>> low < frechet_distance(*statistics(features), np.ones(2), np.eye(2)) < high
    True
    """
    features = check_features(features)
    rounds, level, seed = whole_number("rounds", rounds, least=0), number("level", level), whole_number("seed", seed, least=0)
    if rounds < 2 or not 0 < level < 1:
        raise CourseError(f"rounds is {rounds} and level {level}: give at least 2 rounds and a level between 0 and 1.")
    own_mean, own_covariance = statistics(features)
    mean, covariance, _, _ = _check_statistics(mean, covariance, own_mean, own_covariance)
    n = len(features)
    features = features - mean
    root = _root(covariance)
    measured = np.sum((mean - own_mean) ** 2) + np.trace(covariance) + np.trace(own_covariance)
    measured = max(measured - 2 * _trace_of_root(root.T @ own_covariance @ root), 0.0)

    projected = features @ root  # (n, rank): the root is applied once, not in every round
    squares = np.sum(features**2, axis=1)  # (n,)
    rng = np.random.default_rng(seed)
    resampled = []
    for _ in progress(range(rounds), "interval"):
        times = rng.multinomial(n, np.full(n, 1 / n))  # how often each image is drawn
        some = times > 0
        weights = times[some]
        shift = weights @ features[some] / n  # (d,): the mean of the resample minus that of the reference
        trace = (weights @ squares[some] - n * shift @ shift) / (n - 1)  # of the covariance of the resample
        part = projected[some]
        part = np.sqrt(weights / (n - 1))[:, None] * (part - weights @ part / n)
        product = part @ part.T if len(part) < part.shape[1] else part.T @ part  # the same eigenvalues, except zeros
        resampled.append(shift @ shift + np.trace(covariance) + trace - 2 * _trace_of_root(product))
    half = stats.t.ppf((1 + level) / 2, rounds - 1) * np.std(resampled, ddof=1)
    return max(float(measured - half), 0.0), float(measured + half)


def _check_statistics(mean_1, covariance_1, mean_2, covariance_2):
    arrays = [as_floats(array) for array in (mean_1, covariance_1, mean_2, covariance_2)]
    shapes = [array.shape for array in arrays]
    d = arrays[0].size
    if shapes != [(d,), (d, d)] * 2 or not d:
        raise CourseError(f"Give two means (d,) and two covariances (d, d) of features of the same network; the shapes are {shapes}.")
    if not all(np.isfinite(array).all() for array in arrays):
        raise CourseError("A mean or covariance is NaN or infinite, because the model has diverged: train it again with a lower learning rate.")
    for covariance in arrays[1::2]:
        if np.diagonal(covariance).min() < 0 or not np.allclose(covariance, covariance.T, atol=1e-6 * np.abs(covariance).max()):
            raise CourseError("A covariance is symmetric with no negative variance, and this is not: take it from gdl.metrics.statistics(features).")
    return arrays


def _root(covariance):
    """R with covariance = R R^T, without the directions that have no variance. (d, d) -> (d, rank)"""
    values, vectors = linalg.eigh(covariance, driver="evd")  # twice as fast as the default
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def _trace_of_root(matrix):
    """Trace of the square root of a symmetric matrix whose eigenvalues are not negative, except by rounding."""
    return np.sum(np.sqrt(np.maximum(linalg.eigvalsh(matrix), 0))) if matrix.size else 0.0
