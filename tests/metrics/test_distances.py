"""The distances against closed forms, enumeration, brute force and Monte Carlo, on features made up for it."""

import itertools

import numpy as np
import pytest
from scipy import linalg
from sklearn.neighbors import NearestNeighbors

from gdl.errors import CourseError
from gdl.metrics import frechet_distance, frechet_interval, kernel_distance, precision_recall, statistics


def covariance(d, seed):
    matrix = np.random.default_rng(seed).standard_normal((d, d))
    return matrix @ matrix.T / d


def textbook(mean_1, covariance_1, mean_2, covariance_2):
    """The formula as it is printed, with SciPy's root of the product."""
    root = linalg.sqrtm(covariance_1 @ covariance_2)
    return np.sum((mean_1 - mean_2) ** 2) + np.trace(covariance_1 + covariance_2 - 2 * root).real


def test_statistics_are_numpys():
    features = np.random.default_rng(0).standard_normal((20, 5)).astype("float32") + 100
    mean, cov = statistics(features)
    assert mean.dtype == cov.dtype == np.float64
    np.testing.assert_allclose(mean, features.astype(float).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(cov, np.cov(features.astype(float), rowvar=False), rtol=1e-9)


@pytest.mark.parametrize("n", [400, 40])  # more and fewer images than features
def test_a_set_has_no_distance_to_itself(n):
    features = np.random.default_rng(0).random((n, 100)).astype("float32") @ covariance(100, 1).astype("float32")
    mean, cov = statistics(features)
    assert 0 <= frechet_distance(mean, cov, mean, cov) < 1e-6 * np.trace(cov)


def test_frechet_distance_of_diagonal_gaussians():
    rng = np.random.default_rng(0)
    mean_1, mean_2, sigma_1, sigma_2 = rng.random((4, 6))
    expected = np.sum((mean_1 - mean_2) ** 2) + np.sum((sigma_1 - sigma_2) ** 2)
    assert frechet_distance(mean_1, np.diag(sigma_1**2), mean_2, np.diag(sigma_2**2)) == pytest.approx(expected, rel=1e-10)


def test_frechet_distance_of_commuting_covariances():
    rng = np.random.default_rng(0)
    axes = linalg.orth(rng.standard_normal((6, 6)))
    mean_1, mean_2, sigma_1, sigma_2 = rng.random((4, 6))
    expected = np.sum((mean_1 - mean_2) ** 2) + np.sum((sigma_1 - sigma_2) ** 2)
    distance = frechet_distance(mean_1, axes * sigma_1**2 @ axes.T, mean_2, axes * sigma_2**2 @ axes.T)
    assert distance == pytest.approx(expected, rel=1e-10)


def test_frechet_distance_of_two_by_two_covariances():
    """In two dimensions, trace sqrt(M) = sqrt(trace M + 2 sqrt(det M))."""
    first, second = np.array([[2.0, 0.7], [0.7, 1.0]]), np.array([[0.5, -0.3], [-0.3, 3.0]])
    product = first @ second
    root = np.sqrt(np.trace(product) + 2 * np.sqrt(np.linalg.det(product)))
    expected = 3**2 + 1 + np.trace(first) + np.trace(second) - 2 * root
    assert frechet_distance([0, 0], first, [3, -1], second) == pytest.approx(expected, rel=1e-12)


def test_frechet_distance_of_general_gaussians_is_the_textbooks():
    rng = np.random.default_rng(0)
    case = rng.standard_normal(12), covariance(12, 1), rng.standard_normal(12), 3 * covariance(12, 2)
    assert frechet_distance(*case) == pytest.approx(textbook(*case), rel=1e-8)
    assert frechet_distance(*case[2:], *case[:2]) == pytest.approx(frechet_distance(*case), rel=1e-9)


def test_frechet_distance_of_samples_falls_to_that_of_their_gaussians():
    rng = np.random.default_rng(0)
    first, second = covariance(5, 1), 2 * covariance(5, 2)
    true = frechet_distance(np.zeros(5), first, np.ones(5), second)
    estimates = [
        np.mean([
            frechet_distance(
                *statistics(rng.multivariate_normal(np.zeros(5), first, n)),
                *statistics(rng.multivariate_normal(np.ones(5), second, n)),
            )
            for _ in range(20)
        ])
        for n in (20, 100, 20_000)
    ]  # fmt: skip
    assert estimates[0] > estimates[1] > estimates[2]  # the bias for few images is upward
    assert estimates[2] == pytest.approx(true, rel=0.01)


def test_frechet_distance_without_full_rank():
    """Both sets lie in planes of 100 dimensions: the distance is that within the 4 dimensions that hold both planes."""
    rng = np.random.default_rng(0)
    axes = linalg.orth(rng.standard_normal((100, 4)))  # (100, 4)
    first, second = rng.standard_normal((30, 4)) * [1, 2, 0, 0], rng.standard_normal((25, 4)) * [0, 1, 3, 0] + [0, 0, 0, 1]
    small = frechet_distance(*statistics(first + 0), *statistics(second))
    large = frechet_distance(*statistics(first @ axes.T), *statistics(second @ axes.T))
    assert large == pytest.approx(small, rel=1e-6)
    # the planes share one axis: there the variances meet, elsewhere they add up
    sigma_1, sigma_2 = statistics(first)[1], statistics(second)[1]
    shared = np.sqrt(np.linalg.eigvals(sigma_1 @ sigma_2).real.max())
    expected = np.sum((first.mean(0) - second.mean(0)) ** 2) + np.trace(sigma_1 + sigma_2) - 2 * shared
    assert small == pytest.approx(expected, rel=1e-6)


def test_frechet_distance_of_constant_features_is_between_the_means():
    assert frechet_distance(*statistics(np.zeros((3, 4))), *statistics(np.ones((3, 4)))) == 4
    assert frechet_distance(*statistics(np.zeros((3, 4))), np.zeros(4), np.eye(4)) == 4


@pytest.mark.parametrize("n,d,most", [(100, 6, 0.96), (80, 30, 0.96), (24, 36, 1)])  # too wide when n is smaller than d
def test_frechet_interval_holds_the_mean_distance(n, d, most):
    """Of intervals of 90 %, about 90 % hold the mean distance over many sets of as many images."""
    rng = np.random.default_rng(0)
    scales = np.arange(1, d + 1) ** -0.7  # a spectrum that falls as those of networks do
    reference = np.zeros(d), np.diag(scales**2)
    sets = [rng.standard_normal((n, d)) * scales * 1.3 + 0.1 for _ in range(200)]
    measured = [frechet_distance(*reference, *statistics(features)) for features in sets]
    intervals = np.array([frechet_interval(features, *reference, level=0.9, seed=i) for i, features in enumerate(sets)])
    np.testing.assert_allclose(intervals.mean(axis=1), measured, rtol=1e-6)  # the measured distance in the middle
    held = np.mean((intervals[:, 0] < np.mean(measured)) & (np.mean(measured) < intervals[:, 1]))
    assert 0.84 < held <= most


def test_frechet_interval_is_that_of_drawn_images():
    """Its half width from the plain recipe: draw rows, measure, take the standard deviation."""
    rng = np.random.default_rng(0)
    features, reference = rng.standard_normal((60, 20)), (np.zeros(20), covariance(20, 1))
    drawn = [frechet_distance(*statistics(features[rng.integers(0, 60, 60)]), *reference) for _ in range(1000)]
    low, high = frechet_interval(features, *reference, rounds=1000)
    assert (high - low) / 2 == pytest.approx(1.96 * np.std(drawn), rel=0.1)
    measured = frechet_distance(*statistics(features), *reference)
    assert np.quantile(drawn, 0.1) > measured  # which is why the quantiles would not do


def test_frechet_interval_repeats_with_its_seed_and_starts_at_zero():
    features = np.random.default_rng(0).standard_normal((30, 4))
    reference = statistics(features)
    low, high = frechet_interval(features, *reference)
    assert (low, high) == frechet_interval(features, *reference) != frechet_interval(features, *reference, seed=1)
    assert 0 == low < high


def kernel(x, y):
    return (np.dot(x, y) / len(x) + 1) ** 3


def test_kernel_distance_is_the_unbiased_estimate():
    """Sets as large as a subset: the sums written out, once."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((7, 3)), rng.standard_normal((7, 3)) + 0.5
    within = sum(kernel(a[i], a[j]) for a in (x, y) for i in range(7) for j in range(7) if i != j) / (7 * 6)
    between = sum(kernel(a, b) for a in x for b in y) / 49
    assert kernel_distance(x, y, subsets=3)[0] == pytest.approx(within - 2 * between, rel=1e-10)


def expected_kernel_distance(points_1, shares_1, points_2, shares_2):
    """The squared discrepancy of two discrete distributions, by enumeration of all pairs."""
    mean = [
        sum(p * q * kernel(a, b) for (a, p), (b, q) in itertools.product(zip(*one), zip(*two)))
        for one, two in itertools.combinations_with_replacement([(points_1, shares_1), (points_2, shares_2)], 2)
    ]
    return mean[0] - 2 * mean[1] + mean[2]


def biased(x, y):
    """The estimate that counts the pairs of an image with itself."""
    return np.mean((x @ x.T / 2 + 1) ** 3) + np.mean((y @ y.T / 2 + 1) ** 3) - 2 * np.mean((x @ y.T / 2 + 1) ** 3)


@pytest.mark.parametrize("equal", [False, True])
def test_kernel_distance_is_right_on_average(equal):
    """Small sets of two discrete distributions; for equal ones the mean is 0, and that of the biased estimate is not."""
    rng = np.random.default_rng(0)
    points = np.array([[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0]])
    shares_1, shares_2 = np.array([0.2, 0.5, 0.3]), np.array([0.2, 0.5, 0.3] if equal else [0.5, 0.1, 0.4])
    true = expected_kernel_distance(points, shares_1, points, shares_2)
    assert (abs(true) < 1e-12) == equal
    values, others = [], []
    for seed in range(1000):
        x, y = points[rng.choice(3, 12, p=shares_1)], points[rng.choice(3, 9, p=shares_2)]
        values.append(kernel_distance(x, y, subsets=4, subset_size=6, seed=seed)[0])
        others.append(biased(x, y))
    error = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - true) < 3 * error
    assert np.mean(others) - true > 10 * np.std(others) / np.sqrt(len(others))


@pytest.mark.parametrize("n,m,subsets", [(60, 60, 20), (160, 20, 20), (40, 40, 1)])
def test_kernel_distance_has_the_right_error(n, m, subsets):
    """The mean of the squared errors is the variance of the values over many sets."""
    rng = np.random.default_rng(0)
    runs = [kernel_distance(rng.standard_normal((n, 4)), rng.standard_normal((n // 2, 4)) * 1.2 + 0.6, subsets, m, seed) for seed in range(250)]
    values, errors = np.transpose(runs)
    assert np.sqrt(np.mean(errors**2)) == pytest.approx(np.std(values), rel=0.15)


def test_kernel_distance_of_one_distribution_errs_on_the_large_side():
    rng = np.random.default_rng(0)
    runs = [kernel_distance(*rng.standard_normal((2, 100, 4)), subsets=10, subset_size=50, seed=seed) for seed in range(150)]
    values, errors = np.transpose(runs)
    assert np.std(values) < np.sqrt(np.mean(errors**2)) < 2 * np.std(values)


def test_kernel_distance_repeats_with_its_seed():
    x, y = np.random.default_rng(0).standard_normal((2, 40, 3)).astype("float32")
    first = kernel_distance(x, y, subset_size=10)
    assert first == kernel_distance(x, y, subset_size=10) != kernel_distance(x, y, subset_size=10, seed=1)


@pytest.mark.parametrize("k", [1, 3])
def test_precision_and_recall_are_those_of_brute_force(k, monkeypatch):
    monkeypatch.setattr("gdl.metrics.neighbours.BLOCK", 17)  # so that there are several blocks, the last one smaller
    rng = np.random.default_rng(0)
    real, fake = rng.standard_normal((60, 4)), rng.standard_normal((45, 4)) * 0.8 + 0.7

    def inside(points, others):
        """Share of the points that lie in a ball of the others."""
        radii = NearestNeighbors(n_neighbors=k).fit(others).kneighbors()[0][:, -1]  # without the point itself
        return np.mean([any(np.linalg.norm(point - other) <= r for other, r in zip(others, radii)) for point in points])

    precision, recall = precision_recall(real, fake, k)
    assert (precision, recall) == (inside(fake, real), inside(real, fake))
    assert 0 < precision < 1 and 0 < recall < 1 and precision != recall


def test_precision_and_recall_on_a_line():
    """Real 0, 1, 3 have the balls [-1, 1], [0, 2], [1, 5] for k = 1; points on a rim are inside."""
    real, fake = np.array([[0.0], [1], [3]]), np.array([[-1.0], [5.5], [5]])  # the balls of the fakes: 6, 0.5, 0.5 wide
    assert precision_recall(real, fake, k=1) == (2 / 3, 1.0)


def faces(rng, n, modes):
    """Points around the first modes of four."""
    centres = 8 * np.eye(4, 6)
    return centres[rng.integers(0, modes, n)] + rng.standard_normal((n, 6))


def test_dropped_modes_lower_recall_alone_and_noise_precision_alone():
    rng = np.random.default_rng(0)
    real = faces(rng, 600, 4)
    good, dropped = precision_recall(real, faces(rng, 600, 4)), precision_recall(real, faces(rng, 600, 2))
    noise = faces(rng, 600, 4)
    noise[::2] += 6 * rng.standard_normal((300, 6))  # every second image spoilt
    noisy = precision_recall(real, noise)
    assert min(good) > 0.85
    assert dropped[0] > 0.85 and 0.4 < dropped[1] < 0.6
    assert noisy[0] < 0.65 and noisy[1] > 0.85


def test_copies_are_precise_and_reach_all():
    real = np.random.default_rng(0).random((50, 30)).astype("float32")
    assert precision_recall(real, real[::-1]) == (1.0, 1.0)
    assert precision_recall(real, np.repeat(real[:1], 50, axis=0)) == (1.0, 1 / 50)  # one image, again and again


GOOD = np.random.default_rng(0).random((10, 4))
NAN = np.where(np.eye(10, 4) > 0, np.nan, GOOD)
BOTH = (kernel_distance, precision_recall)


@pytest.mark.parametrize("bad", [NAN, np.where(np.isnan(NAN), np.inf, GOOD)])
def test_features_that_are_not_finite_say_that_the_model_diverged(bad):
    mean, cov = statistics(GOOD)
    for call in (
        lambda: statistics(bad),
        lambda: frechet_interval(bad, mean, cov),
        lambda: frechet_distance(mean, cov, bad[0], cov),
        *(lambda compare=compare: compare(GOOD, bad) for compare in BOTH),
        *(lambda compare=compare: compare(bad, GOOD) for compare in BOTH),
    ):
        with pytest.raises(CourseError, match="the model has diverged"):
            call()


def test_shapes_that_do_not_fit_are_named():
    mean, cov = statistics(GOOD)
    for bad in (GOOD[:1], GOOD[:, 0], GOOD[None]):
        with pytest.raises(CourseError, match="at least 2 images"):
            statistics(bad)
    for compare in BOTH:
        with pytest.raises(CourseError, match="4 features per image and the other 3"):
            compare(GOOD, GOOD[:, :3])
    for bad in ((mean, cov, mean[:3], cov[:3, :3]), (mean, cov, mean, mean), (mean, cov, cov, cov)):
        with pytest.raises(CourseError, match="the shapes are"):
            frechet_distance(*bad)
    with pytest.raises(CourseError, match="the shapes are"):
        frechet_interval(GOOD[:, :3], mean, cov)


def test_settings_without_sense_are_named():
    mean, cov = statistics(GOOD)
    with pytest.raises(CourseError, match="at least 2 rounds"):
        frechet_interval(GOOD, mean, cov, rounds=1)
    with pytest.raises(CourseError, match="level 95"):
        frechet_interval(GOOD, mean, cov, level=95)
    with pytest.raises(CourseError, match="subset_size 1"):
        kernel_distance(GOOD, GOOD, subset_size=1)
    for k in (0, 10):
        with pytest.raises(CourseError, match=f"k is {k}"):
            precision_recall(GOOD, GOOD, k)
