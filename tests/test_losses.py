"""The losses against definitions of their own: integrals, Monte Carlo, likelihoods, all in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, special, stats

from gdl.losses import binary_crossentropy, kl_divergence, squared_error


def numbers(loss, *arrays):
    """A loss of NumPy arrays as a NumPy array."""
    return keras.ops.convert_to_numpy(loss(*(keras.ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays)))


@pytest.fixture
def pixels():
    """Images and their reconstructions, in [0, 1]."""
    rng = np.random.default_rng(0)
    return rng.random((5, 4, 6, 3)).astype("float32"), rng.uniform(0.01, 0.99, (5, 4, 6, 3)).astype("float32")


@pytest.mark.parametrize("mean,log_var", [(0.0, 0.0), (1.5, 0.0), (0.0, -3.0), (0.0, 2.0), (-2.0, 1.0), (0.3, -0.7)])
def test_kl_of_one_dimension_is_the_integral(mean, log_var):
    q, p = stats.norm(mean, np.exp(log_var / 2)), stats.norm(0, 1)
    reach = 12 * q.std()
    integral, _ = integrate.quad(lambda z: q.pdf(z) * (q.logpdf(z) - p.logpdf(z)), mean - reach, mean + reach)
    assert numbers(kl_divergence, [[mean]], [[log_var]])[0] == pytest.approx(integral, rel=1e-5, abs=1e-6)


def test_kl_agrees_with_monte_carlo():
    """The mean of log q(z) - log p(z) over codes z from q, which has to lie within four standard errors."""
    rng = np.random.default_rng(0)
    mean, log_var = rng.normal(size=(3, 7)), rng.normal(size=(3, 7))
    scale = np.exp(log_var / 2)
    z = rng.normal(mean, scale, (100_000, 3, 7))
    ratios = (stats.norm(mean, scale).logpdf(z) - stats.norm.logpdf(z)).sum(axis=2)  # (samples, 3)
    standard_error = ratios.std(axis=0) / np.sqrt(len(z))
    distance = np.abs(numbers(kl_divergence, mean, log_var) - ratios.mean(axis=0))
    assert (standard_error < 0.01 * ratios.mean(axis=0)).all(), "the comparison is sharp"
    assert (distance < 4 * standard_error).all(), distance / standard_error


def test_kl_agrees_with_the_formula_for_matrices():
    """Of two normal distributions: (tr(S) + m'm - k - log det S) / 2, with S the covariance matrix."""
    rng = np.random.default_rng(1)
    mean, log_var = rng.normal(size=(4, 5)), rng.normal(size=(4, 5))
    for row, (m, v) in enumerate(zip(mean, log_var)):
        covariance = np.diag(np.exp(v))
        expected = (np.trace(covariance) + m @ m - 5 - np.linalg.slogdet(covariance)[1]) / 2
        assert numbers(kl_divergence, mean, log_var)[row] == pytest.approx(expected, rel=1e-5)


def test_kl_is_zero_at_the_standard_normal_and_positive_elsewhere():
    assert numbers(kl_divergence, np.zeros((2, 3)), np.zeros((2, 3))).tolist() == [0, 0]
    rng = np.random.default_rng(2)
    assert (numbers(kl_divergence, rng.normal(size=(500, 2)), rng.normal(size=(500, 2))) > 0).all()


def test_kl_pulls_the_mean_to_0_and_the_variance_to_1():
    """Its derivatives are z_mean and (exp(z_log_var) - 1) / 2."""
    rng = np.random.default_rng(3)
    mean, log_var = (tf.constant(rng.normal(size=(4, 5)), tf.float32) for _ in range(2))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        total = keras.ops.sum(kl_divergence(mean, log_var))
    by_mean, by_log_var = tape.gradient(total, [mean, log_var])
    assert np.allclose(by_mean, mean, atol=1e-6)
    assert np.allclose(by_log_var, (np.exp(log_var) - 1) / 2, atol=1e-6)


def test_squared_error_is_the_sum_in_float64(pixels):
    x, x_hat = pixels
    expected = ((x.astype("float64") - x_hat) ** 2).reshape(5, -1).sum(axis=1)
    assert numbers(squared_error, x, x_hat) == pytest.approx(expected, rel=1e-6)


def test_squared_error_is_a_normal_likelihood_but_for_a_constant(pixels):
    """Of variance 1/2 around the reconstruction: Kingma and Welling's Gaussian decoder."""
    x, x_hat = (a.astype("float64") for a in pixels)
    negative_log_likelihood = -stats.norm(x_hat, np.sqrt(0.5)).logpdf(x).sum(axis=(1, 2, 3))
    constant = x[0].size * np.log(np.pi) / 2
    assert numbers(squared_error, x, x_hat) == pytest.approx(negative_log_likelihood - constant, rel=1e-5)


def test_cross_entropy_is_the_sum_in_float64(pixels):
    x, x_hat = (a.astype("float64") for a in pixels)
    expected = -(special.xlogy(x, x_hat) + special.xlogy(1 - x, 1 - x_hat)).sum(axis=(1, 2, 3))
    assert numbers(binary_crossentropy, x, x_hat) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_of_black_and_white_is_a_bernoulli_likelihood(pixels):
    x, x_hat = np.round(pixels[0]), pixels[1].astype("float64")
    expected = -stats.bernoulli(x_hat).logpmf(x.astype(int)).sum(axis=(1, 2, 3))
    assert numbers(binary_crossentropy, x, x_hat) == pytest.approx(expected, rel=1e-5)


def test_cross_entropy_is_smallest_at_the_image_itself_and_there_its_entropy(pixels):
    x, other = pixels
    smallest = numbers(binary_crossentropy, x, x)
    assert smallest == pytest.approx(stats.bernoulli(x.astype("float64")).entropy().sum(axis=(1, 2, 3)), rel=1e-5)
    for step in (0.01, -0.01):
        assert (numbers(binary_crossentropy, x, np.clip(x + step, 0, 1)) > smallest).all()
    assert (numbers(binary_crossentropy, x, other) > smallest).all()


def test_cross_entropy_stays_finite_where_the_decoder_is_sure_and_wrong():
    black, white = np.zeros((1, 2, 2, 3)), np.ones((1, 2, 2, 3))
    assert numbers(binary_crossentropy, black, black)[0] == pytest.approx(0, abs=1e-4)
    assert 100 < numbers(binary_crossentropy, black, white)[0] < 12 * 20
    assert np.isfinite(numbers(binary_crossentropy, white, black)).all()


@pytest.mark.parametrize("loss", [squared_error, binary_crossentropy])
def test_each_image_has_its_own_number_whatever_else_is_in_the_batch(loss, pixels):
    together = numbers(loss, *pixels)
    assert together.shape == (5,)
    alone = [numbers(loss, pixels[0][i : i + 1], pixels[1][i : i + 1])[0] for i in range(5)]
    assert together == pytest.approx(alone, rel=1e-6)
