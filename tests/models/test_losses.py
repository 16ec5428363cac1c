"""The losses against definitions of their own: integrals, Monte Carlo, likelihoods, all in float64."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import integrate, special, stats

from gdl.models.losses import (
    binary_crossentropy,
    discriminator_loss,
    gaussian_nll,
    generator_loss,
    gradient_penalty,
    kl_divergence,
    squared_error,
    wasserstein_critic_loss,
    wasserstein_generator_loss,
)


def numbers(loss, *arrays):
    """A loss of NumPy arrays as a NumPy array."""
    return keras.ops.convert_to_numpy(loss(*(keras.ops.convert_to_tensor(np.asarray(a, "float32")) for a in arrays)))


@pytest.fixture
def pixels():
    """Images and their reconstructions, in [0, 1]."""
    rng = np.random.default_rng(0)
    return rng.random((5, 4, 6, 3)).astype("float32"), rng.uniform(0.01, 0.99, (5, 4, 6, 3)).astype("float32")


@pytest.mark.parametrize("log_var", [0.0, -5.0, 1.5])
def test_the_gaussian_loss_is_the_log_density_of_scipy(pixels, log_var):
    x, x_hat = pixels
    expected = -stats.norm(x_hat.astype("float64"), np.exp(log_var / 2)).logpdf(x).sum(axis=(1, 2, 3))
    assert numbers(gaussian_nll, x, x_hat, log_var) == pytest.approx(expected, rel=1e-5)
    each = np.random.default_rng(1).normal(size=x.shape)
    expected = -stats.norm(x_hat.astype("float64"), np.exp(each / 2)).logpdf(x).sum(axis=(1, 2, 3))
    assert numbers(gaussian_nll, x, x_hat, each) == pytest.approx(expected, rel=1e-5), "a variance for each pixel"


def test_the_gaussian_loss_is_least_at_the_mean_squared_error(pixels):
    x, x_hat = pixels
    log_var = tf.Variable(np.log(np.square(x.astype("float64") - x_hat).mean()), dtype="float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(gaussian_nll(x, x_hat, log_var))
    assert abs(tape.gradient(loss, log_var)) < 1e-4
    for away in (-0.1, 0.1):
        assert numbers(gaussian_nll, x, x_hat, log_var + away).mean() > loss


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


# --- adversarial losses ---

LOGITS = np.array([-100, -30, -4, -1, -0.1, 0, 0.3, 2, 7, 50, 100])


def cross_entropy(logits, label):
    """-(label log D + (1 - label) log(1 - D)) in float64."""
    return -(label * special.log_expit(logits) + (1 - label) * special.log_expit(-logits))


@pytest.mark.parametrize("real_label,fake_label", [(1.0, 0.0), (0.9, 0.0), (0.75, 0.2)])
def test_discriminator_loss_is_the_cross_entropy_of_both_halves(real_label, fake_label):
    real, fake = (a.ravel() for a in np.meshgrid(LOGITS, LOGITS))
    told = numbers(lambda real, fake: discriminator_loss(real, fake, real_label, fake_label), real, fake)
    assert told.shape == real.shape and np.isfinite(told).all()
    assert told == pytest.approx(cross_entropy(real, real_label) + cross_entropy(fake, fake_label), rel=1e-5, abs=1e-6)
    keras_own = keras.losses.BinaryCrossentropy(from_logits=True)
    halves = [float(keras_own(np.full_like(logits, label), logits)) for logits, label in ((real, real_label), (fake, fake_label))]
    assert told.mean() == pytest.approx(sum(halves), rel=1e-4)


def test_labels_can_differ_from_image_to_image():
    rng = np.random.default_rng(0)
    real, fake, real_label, fake_label = rng.normal(size=6), rng.normal(size=6), rng.uniform(0.7, 1, 6), rng.uniform(0, 0.3, 6)
    told = numbers(discriminator_loss, real, fake, real_label, fake_label)
    assert told == pytest.approx(cross_entropy(real, real_label) + cross_entropy(fake, fake_label), rel=1e-5)


def test_generator_loss_is_the_cross_entropy_of_calling_fakes_real():
    told = numbers(generator_loss, LOGITS)
    assert told == pytest.approx(cross_entropy(LOGITS, 1), rel=1e-5, abs=1e-6)
    assert told.mean() == pytest.approx(float(keras.losses.BinaryCrossentropy(from_logits=True)(np.ones(len(LOGITS)), LOGITS)), rel=1e-4)


def test_whoever_tosses_a_coin_has_two_log_two():
    assert numbers(discriminator_loss, [0.0], [0.0])[0] == pytest.approx(2 * np.log(2), rel=1e-6)
    assert numbers(generator_loss, [0.0])[0] == pytest.approx(np.log(2), rel=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_best_discriminator_says_p_over_p_plus_q(smoothing):
    """Goodfellow et al. 2014, proposition 1, found by trying all answers; smoothed labels take their share off."""
    logits = np.linspace(-6, 6, 12_001)
    nothing = np.full_like(logits, -100)  # a fake that is called one for sure costs nothing
    real = numbers(lambda a, b: discriminator_loss(a, b, 1 - smoothing), logits, nothing).astype("float64")
    fake = numbers(lambda a, b: discriminator_loss(a, b, 0.0), nothing, logits).astype("float64")
    for p, q in ((0.5, 0.5), (0.9, 0.1), (0.2, 0.7), (0.05, 0.6)):
        best = logits[np.argmin(p * real + q * fake)]
        assert special.expit(best) == pytest.approx((1 - smoothing) * p / (p + q), abs=2e-3)


def test_a_caught_generator_still_has_a_gradient():
    """Its derivative is D - 1, not the -D of log(1 - D), which vanishes for fakes that are found out."""
    logits = tf.constant(LOGITS, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total = keras.ops.sum(generator_loss(logits))
    gradient = tape.gradient(total, logits).numpy()
    assert gradient == pytest.approx(special.expit(LOGITS) - 1, rel=1e-5, abs=1e-6)
    assert gradient[0] == pytest.approx(-1) and gradient[-1] == pytest.approx(0)


# --- the Wasserstein distance ---


def wasserstein(critic, real, fake):
    """The estimate that a critic of numbers gives."""
    return -numbers(wasserstein_critic_loss, critic(real), critic(fake)).astype("float64").mean()


def test_generator_loss_of_a_critic_is_its_negative_score():
    assert numbers(wasserstein_generator_loss, [3.0, -2.0]).tolist() == [-3, 2]
    assert numbers(wasserstein_critic_loss, [3.0, -2.0], [1.0, 5.0]).tolist() == [-2, 7], "fake less real"


@pytest.mark.parametrize("shift", [2.5, -0.7])
def test_of_shifted_numbers_the_straight_critic_tells_the_distance(shift):
    fake = np.random.default_rng(0).normal(size=500)
    estimate = wasserstein(lambda x: np.sign(shift) * x, fake + shift, fake)
    assert estimate == pytest.approx(stats.wasserstein_distance(fake + shift, fake), rel=1e-5) == pytest.approx(abs(shift))


def test_the_best_critic_tells_the_distance_that_scipy_finds():
    """In one dimension its slope is 1 where more fakes than real numbers lie below, else -1."""
    rng = np.random.default_rng(1)
    real, fake = rng.normal(0.3, 2, 500), np.concatenate([rng.normal(-1, 0.5, 300), rng.normal(2, 0.3, 200)])
    points = np.sort(np.concatenate([real, fake]))
    below = [np.searchsorted(np.sort(sample), points[:-1], side="right") / len(sample) for sample in (real, fake)]
    heights = np.concatenate([[0], np.cumsum(np.sign(below[1] - below[0]) * np.diff(points))])
    distance = stats.wasserstein_distance(real, fake)
    assert wasserstein(lambda x: np.interp(x, points, heights), real, fake) == pytest.approx(distance, rel=1e-4)
    for other in (np.sin, np.abs, lambda x: x, lambda x: -x):  # no other critic of slope 1 at most finds more
        assert wasserstein(other, real, fake) < distance


@pytest.mark.slow
def test_a_penalised_critic_learns_the_distance_that_scipy_finds():
    """Its slope exceeds 1 a little, the less the heavier the penalty.

    It has to begin on the right side: a slope of -1 costs no penalty either, and the way to 1 leads across a wall at 0.
    """
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(2)
    real, fake = rng.normal(1, 0.5, 512), rng.uniform(-1, 0.5, 512)
    distance = stats.wasserstein_distance(real, fake)
    x = keras.Input((1, 1, 1))
    hidden = keras.layers.Dense(32, "softplus")(keras.layers.Dense(32, "softplus")(keras.layers.Flatten()(x)))
    last = keras.layers.Dense(1)
    critic = keras.Model(x, keras.layers.Reshape(())(last(hidden)))
    optimizer = keras.optimizers.Adam(5e-3, beta_1=0.5, beta_2=0.9)
    optimizer.build(critic.trainable_variables)
    images = [tf.constant(a.reshape(-1, 1, 1, 1), tf.float32) for a in (real, fake)]

    @tf.function
    def step(alpha, order):
        pairs = images[0], tf.gather(images[1], order)
        with tf.GradientTape() as tape:
            difference = wasserstein_critic_loss(*map(critic, pairs))
            penalty = gradient_penalty(critic, *pairs, alpha)
            loss = tf.reduce_mean(difference + 50 * penalty)
        optimizer.apply_gradients(zip(tape.gradient(loss, critic.trainable_variables), critic.trainable_variables))

    def estimate():
        return wasserstein(lambda a: critic(a.reshape(-1, 1, 1, 1)).numpy(), real, fake)

    last.kernel.assign(np.sign(estimate()) * last.kernel)
    assert 0 < estimate() < 0.5 * distance
    for _ in range(400):
        step(tf.constant(rng.random((512, 1, 1, 1)), tf.float32), tf.constant(rng.permutation(512)))
    assert estimate() == pytest.approx(distance, rel=0.04)


# --- gradient penalty ---


@pytest.fixture
def between():
    """Real and fake images, and where between each pair to look."""
    rng = np.random.default_rng(0)
    return [tf.constant(a, tf.float32) for a in (rng.random((5, 4, 6, 3)), rng.random((5, 4, 6, 3)), rng.random((5, 1, 1, 1)))]


@pytest.mark.parametrize("norm", [0.01, 0.5, 3.0, 40.0])
def test_penalty_of_a_linear_critic_is_exact(norm, between):
    w = np.random.default_rng(1).normal(size=(4, 6, 3))
    w = tf.constant(norm * w / np.linalg.norm(w), tf.float32)
    length = np.linalg.norm(w.numpy().astype("float64"))
    penalty = gradient_penalty(lambda x: tf.reduce_sum(x * w, axis=(1, 2, 3)), *between).numpy()
    assert penalty.shape == (5,) and penalty == pytest.approx((length - 1) ** 2, rel=1e-6)


def test_penalty_of_a_quadratic_critic_is_taken_between_the_images_of_each_pair(between):
    penalty = gradient_penalty(lambda x: tf.reduce_sum(x * x, axis=(1, 2, 3)) / 2, *between).numpy()
    real, fake, alpha = (a.numpy().astype("float64") for a in between)
    points = alpha * real + (1 - alpha) * fake
    assert penalty == pytest.approx((np.linalg.norm(points.reshape(5, -1), axis=1) - 1) ** 2, rel=1e-5)


def test_penalty_of_a_critic_of_slope_one_is_nothing(between):
    assert gradient_penalty(lambda x: x[:, 1, 2, 0], *between).numpy() == pytest.approx(np.zeros(5), abs=1e-9)


def test_penalty_has_no_nan_where_the_critic_is_flat(between):
    layer = keras.layers.Dense(1, kernel_initializer="zeros")
    features = keras.layers.Flatten()
    with tf.GradientTape() as tape:
        penalty = gradient_penalty(lambda x: layer(features(x))[:, 0], *between)
        loss = tf.reduce_mean(penalty)
    gradient = tape.gradient(loss, layer.kernel.value)
    assert penalty.numpy() == pytest.approx(np.ones(5), abs=1e-5)
    assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize("dtype,tolerance", [("float16", 2e-3), ("bfloat16", 2e-2), ("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2)])
def test_penalty_of_a_critic_in_half_precision_is_in_float32(dtype, tolerance, between):
    """At a slope of 300 its square would leave the range of float16."""
    layer, features = keras.layers.Dense(1, dtype=dtype), keras.layers.Flatten(dtype=dtype)
    layer.build((None, 72))
    w = np.random.default_rng(1).normal(size=(72, 1))
    layer.set_weights([300 * w / np.linalg.norm(w), np.zeros(1)])
    penalty = gradient_penalty(lambda x: layer(features(x))[:, 0], *between)
    assert penalty.dtype == tf.float32 and penalty.shape == (5,)
    assert penalty.numpy() == pytest.approx(np.full(5, 299.0**2), rel=tolerance)


def test_penalties_of_a_batch_are_those_of_its_images_alone(between):
    keras.utils.set_random_seed(0)
    critic = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1), keras.layers.Reshape(())])
    together = gradient_penalty(critic, *between).numpy()
    alone = [gradient_penalty(critic, *(a[i : i + 1] for a in between)).numpy()[0] for i in range(5)]
    assert together == pytest.approx(alone, rel=1e-5) and len(set(together)) == 5
