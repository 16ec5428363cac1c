"""Distances between two sets of images, measured on their features: Frechet, kernel, precision and recall.

Features are (n, d) arrays, one row an image, of whatever network; all sums are float64.
"""

import sys

import numpy as np
from scipy import linalg, stats
from tqdm import tqdm

from gdl.errors import CourseError

BLOCK = 1000  # rows whose distances to all others are held in memory at a time


def statistics(features):
    """Mean and covariance of features, the covariance with n - 1. (n, d) -> (d,), (d, d) float64

    CourseError for fewer than 2 rows and for features that are not finite.
    """
    features = _check(features)
    mean = features.mean(axis=0)
    centred = features - mean
    return mean, centred.T @ centred / (len(features) - 1)


def frechet_distance(mean_1, covariance_1, mean_2, covariance_2):
    """|mean_1 - mean_2|^2 + trace(C_1 + C_2 - 2 (C_1 C_2)^(1/2)) of two Gaussians. Two of (d,), (d, d) -> float, at least 0

    The squared 2-Wasserstein distance of the Gaussians (Dowson and Landau 1982); on the features of the
    Inception network it is the FID of Heusel et al. 2017. With a root R of C_1 = R R^T, the product C_1 C_2
    has the eigenvalues of R^T C_2 R, which is symmetric and never negative: nothing complex can appear, and
    covariances without full rank (fewer images than features) need no small number on the diagonal.
    """
    mean_1, covariance_1, mean_2, covariance_2 = _check_statistics(mean_1, covariance_1, mean_2, covariance_2)
    root = _root(covariance_1)  # (d, rank)
    overlap = _trace_of_root(root.T @ covariance_2 @ root)
    distance = np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1) + np.trace(covariance_2) - 2 * overlap
    return max(float(distance), 0.0)


def frechet_interval(features, mean, covariance, rounds=20, level=0.95, seed=0):
    """Interval for the Frechet distance of features to a fixed reference. (n, d), (d,), (d, d) -> low, high

    It says how far the distance moves when other n images are drawn from the same model. The images are
    drawn again with replacement `rounds` times (Efron 1979), and the standard deviation of these distances,
    by Student's t with rounds - 1 degrees of freedom, is laid on both sides of the measured distance.
    The quantiles of the drawn distances would not do: a draw holds only 63 % of the images, so its distance
    is larger than the measured one, often all of them are. The bias of the distance itself, which falls
    with n, is not in the interval: compare at the same n.
    rounds: at least 2.  level: the share of such intervals that hold the mean distance at this n, in (0, 1);
    with fewer images than features the interval can be too wide, by up to about half, and holds it more often.
    """
    features = _check(features)
    if rounds < 2 or not 0 < level < 1:
        raise CourseError(f"rounds is {rounds} and level {level}: give at least 2 rounds and a level between 0 and 1.")
    own_mean, own_covariance = statistics(features)
    mean, covariance, _, _ = _check_statistics(mean, covariance, own_mean, own_covariance)
    n = len(features)
    features = features - mean
    root = _root(covariance)
    measured = np.sum((mean - own_mean) ** 2) + np.trace(covariance) + np.trace(own_covariance)
    measured = max(measured - 2 * _trace_of_root(root.T @ own_covariance @ root), 0.0)

    projected = features @ root  # (n, rank): the root is applied once, not once a round
    squares = np.sum(features**2, axis=1)  # (n,)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in _progress(range(rounds), "interval"):
        times = rng.multinomial(n, np.full(n, 1 / n))  # how often each image is drawn
        some = times > 0
        weights = times[some]
        shift = weights @ features[some] / n  # (d,): mean of the draw, less the reference's
        trace = (weights @ squares[some] - n * shift @ shift) / (n - 1)  # of the draw's covariance
        part = projected[some]
        part = np.sqrt(weights / (n - 1))[:, None] * (part - weights @ part / n)
        product = part @ part.T if len(part) < part.shape[1] else part.T @ part  # same eigenvalues but for zeros
        drawn.append(shift @ shift + np.trace(covariance) + trace - 2 * _trace_of_root(product))
    half = stats.t.ppf((1 + level) / 2, rounds - 1) * np.std(drawn, ddof=1)
    return max(float(measured - half), 0.0), float(measured + half)


def kernel_distance(features_1, features_2, subsets=100, subset_size=1000, seed=0):
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3. (n_1, d), (n_2, d) -> value, standard error

    On the features of the Inception network it is the KID of Binkowski et al. 2018: the mean over random subsets
    of the unbiased estimate, which does not depend on n and may be a little below 0. Of sets smaller than
    subset_size all images are taken.
    The standard error is that of drawing other images and other subsets. It comes from the part that each image
    has in the value (Hoeffding 1948), and is right where the distributions differ, too large by up to about
    half where they are equal. The standard deviation over the subsets is another number: torch-fidelity prints
    it as it is, clean-fid prints none, and some divide it by sqrt(subsets), as if subsets of the same images were
    independent; that is several times too small, and 0 when a subset is the whole set.
    """
    sets = _check_pair(features_1, features_2)
    size = min(subset_size, *map(len, sets))
    if subsets < 1 or size < 2:
        raise CourseError(f"subsets is {subsets} and subset_size {subset_size}: give at least 1 and 2.")
    rng = np.random.default_rng(seed)
    sums, counts = [[np.zeros(len(features)) for features in sets] for _ in range(2)]
    values = []
    for _ in _progress(range(subsets), "kernel distance"):
        rows = [rng.choice(len(features), size, replace=False) for features in sets]
        x, y = [features[chosen] for features, chosen in zip(sets, rows)]
        between = _kernel(x, y)  # (size, size)
        parts = [_mean_of_others(_kernel(x, x)) - between.mean(axis=1), _mean_of_others(_kernel(y, y)) - between.mean(axis=0)]
        values.append(parts[0].mean() + parts[1].mean())
        for i in range(2):
            sums[i][rows[i]] += parts[i]
            counts[i][rows[i]] += 1
    variance = np.var(values, ddof=1) / subsets if subsets > 1 else 0.0  # of the choice of subsets
    for total, count in zip(sums, counts):
        part = total[count > 0] / count[count > 0]  # of each image, averaged over its subsets
        variance += 4 * np.var(part, ddof=1) / len(total)
    return float(np.mean(values)), float(np.sqrt(variance))


def precision_recall(real_features, fake_features, k=3):
    """Share of fakes that look real, and share of reals that the fakes reach. (n, d), (m, d) -> precision, recall in [0, 1]

    A set's manifold is the union of the balls around its points that reach to the k-th nearest other
    point of the set. Precision: fakes inside the manifold of the reals; recall: reals inside that of
    the fakes (Kynkaanniemi et al. 2019). Both depend on n: compare at the same sizes.
    """
    real, fake = _check_pair(real_features, fake_features)
    if not 1 <= k < min(len(real), len(fake)):
        raise CourseError(f"k is {k}, the sets have {len(real):,} and {len(fake):,} images: k must be at least 1 and smaller.")
    middle = real.mean(axis=0)  # distances stay, rounding errors shrink
    real, fake = real - middle, fake - middle
    # a hair for rounding, so that a point on the rim, or a copy, is inside
    slack = 1e-13 * max(np.sum(points**2, axis=1).max() for points in (real, fake))
    real_radii, fake_radii = _squared_radii(real, k) + slack, _squared_radii(fake, k) + slack
    reached = np.zeros(len(real), bool)
    inside = 0
    for start, distances in _squared_distances(fake, real, "precision"):  # (block, n)
        inside += np.sum(np.any(distances <= real_radii, axis=1))
        reached |= np.any(distances <= fake_radii[start : start + BLOCK, None], axis=0)
    return float(inside / len(fake)), float(reached.mean())


def _check(features):
    features = np.asarray(features, np.float64)
    if features.ndim != 2 or len(features) < 2:
        raise CourseError(f"Features are an array of shape (n, d) of at least 2 images; these have shape {features.shape}.")
    if not np.isfinite(features).all():
        raise CourseError("Features are NaN or infinite: the model has diverged, train it anew with a smaller learning rate.")
    return features


def _check_pair(features_1, features_2):
    pair = _check(features_1), _check(features_2)
    if pair[0].shape[1] != pair[1].shape[1]:
        raise CourseError(f"One set has {pair[0].shape[1]} features an image and the other {pair[1].shape[1]}: take both from the same network.")
    return pair


def _check_statistics(mean_1, covariance_1, mean_2, covariance_2):
    arrays = [np.asarray(array, np.float64) for array in (mean_1, covariance_1, mean_2, covariance_2)]
    shapes = [array.shape for array in arrays]
    d = arrays[0].size
    if shapes != [(d,), (d, d)] * 2:
        raise CourseError(f"A mean (d,) and a covariance (d, d) were expected, twice, of one network's features; the shapes are {shapes}.")
    if not all(np.isfinite(array).all() for array in arrays):
        raise CourseError("A mean or covariance is NaN or infinite: the model has diverged, train it anew with a smaller learning rate.")
    return arrays


def _root(covariance):
    """R with covariance = R R^T, without the directions in which there is no variance. (d, d) -> (d, rank)"""
    values, vectors = linalg.eigh(covariance, driver="evd")  # twice as quick as the default
    kept = values > len(values) * np.finfo(float).eps * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])


def _trace_of_root(matrix):
    """Trace of the square root of a symmetric matrix without negative eigenvalues but for rounding."""
    return np.sum(np.sqrt(np.maximum(linalg.eigvalsh(matrix), 0))) if matrix.size else 0.0


def _kernel(x, y):
    """(m, d), (n, d) -> (m, n)"""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # much quicker than base**3


def _mean_of_others(kernel):
    """Mean of each row without the diagonal. (n, n) -> (n,)"""
    return (kernel.sum(axis=1) - np.diagonal(kernel)) / (len(kernel) - 1)


def _squared_distances(x, y, what):
    """Yield (start, squared distances of the rows x[start : start + BLOCK] to all rows of y)."""
    y_squares = np.sum(y**2, axis=1)
    for start in _progress(range(0, len(x), BLOCK), what):
        block = x[start : start + BLOCK]
        yield start, np.sum(block**2, axis=1)[:, None] + y_squares - 2 * (block @ y.T)


def _squared_radii(points, k):
    """Squared distance of each point to its k-th nearest other point. (n, d) -> (n,)"""
    nearest = [np.partition(distances, k, axis=1)[:, k] for _, distances in _squared_distances(points, points, "neighbours")]
    return np.concatenate(nearest)  # place 0 is the point itself


def _progress(steps, what):
    return tqdm(steps, desc=what, file=sys.stdout, leave=False, delay=5)
