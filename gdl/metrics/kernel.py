"""The kernel distance of two sets of images: an unbiased estimate and its standard error. All sums are float64."""

import numpy as np

from gdl.arguments import whole_number
from gdl.errors import CourseError
from gdl.metrics.common import check_pair, progress


def kernel_distance(
    features_1: np.ndarray, features_2: np.ndarray, subsets: int = 100, subset_size: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with the kernel (x.y / d + 1)^3. (n_1, d), (n_2, d) -> value, standard error

    On the features of the Inception network it is the KID of Binkowski et al. 2018: the mean over random subsets
    of the unbiased estimate, which does not depend on n and may be a little below 0. Sets smaller than subset_size
    are taken whole.
    The standard error is that of sampling other images and other subsets. It is computed from the contribution of each
    image to the value (Hoeffding 1948). It is right where the distributions differ, and too large by up to about
    half where they are equal. The standard deviation over the subsets is another number: torch-fidelity prints
    it, clean-fid prints none, and some divide it by sqrt(subsets), as if subsets of the same images were
    independent; that is several times too small, and 0 when a subset is the whole set.
    Raises CourseError for features of different networks, and for fewer than 1 subset or 2 images.

    >>> x, y = np.random.default_rng(0).standard_normal((2, 200, 8))
    >>> (value, error), (other, _) = kernel_distance(x, y), kernel_distance(x, y + 1)
    >>> abs(value) < 3 * error, other > 1
    (True, True)
    """
    sets = check_pair(features_1, features_2)
    subsets, subset_size = whole_number("subsets", subsets, least=0), whole_number("subset_size", subset_size, least=0)
    size = min(subset_size, *map(len, sets))
    if subsets < 1 or size < 2:
        raise CourseError(f"subsets is {subsets} and subset_size {subset_size}: give at least 1 and 2.")
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    sums, counts = ([np.zeros(len(features)) for features in sets] for _ in range(2))
    values = []
    for _ in progress(range(subsets), "kernel distance"):
        rows = [rng.choice(len(features), size, replace=False) for features in sets]
        x, y = (features[chosen] for features, chosen in zip(sets, rows))
        between = _kernel(x, y)  # (size, size)
        parts = [_mean_of_others(_kernel(x, x)) - between.mean(axis=1), _mean_of_others(_kernel(y, y)) - between.mean(axis=0)]
        values.append(parts[0].mean() + parts[1].mean())
        for i in range(2):
            sums[i][rows[i]] += parts[i]
            counts[i][rows[i]] += 1
    variance = np.var(values, ddof=1) / subsets if subsets > 1 else 0.0  # from the choice of subsets
    for total, count in zip(sums, counts):
        part = total[count > 0] / count[count > 0]  # of each image, averaged over its subsets
        variance += 4 * np.var(part, ddof=1) / len(total)
    return float(np.mean(values)), float(np.sqrt(variance))


def _kernel(x, y):
    """(m, d), (n, d) -> (m, n)"""
    base = x @ y.T / x.shape[1] + 1
    return base * base * base  # much faster than base**3


def _mean_of_others(kernel):
    """Mean of each row without the diagonal. (n, n) -> (n,)"""
    return (kernel.sum(axis=1) - np.diagonal(kernel)) / (len(kernel) - 1)
