"""The variational autoencoder: its step done again by hand, its options, its precisions, and what it saves."""

import itertools
import json
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import same, step, validate, values
from scipy import special, stats

import gdl
from gdl.data.pixels import to_float
from gdl.models.base import steps_taken

SMALL = dict(image_size=32, z_dim=4, filters=(4, 8))


def vae(seed=0, **options):
    keras.utils.set_random_seed(seed)
    return gdl.VAE(**{**SMALL, **options})


def images(n=6, size=32, pixel_range=(0, 1)):
    """Smooth random images, which a network can learn."""
    rough = np.random.default_rng(0).integers(0, 256, (n, 4, 4, 3), np.uint8)
    return to_float(rough.repeat(size // 4, axis=1).repeat(size // 4, axis=2), pixel_range)


def set_noise(model, state=(7, 7)):
    """Fixes the noise of the next step, and returns it."""
    model.sampling.seed_generator.state.assign(state)
    same = keras.random.SeedGenerator(0)
    same.state.assign(state)
    return lambda shape: np.asarray(keras.random.normal(shape, seed=same))


@pytest.fixture
def no_noise(monkeypatch):
    """Sampling gives z_mean, so that two trainings can be compared whatever their batches."""
    monkeypatch.setattr(keras.random, "normal", lambda shape, seed=None: keras.ops.zeros(shape))


# --- sampling ---


def test_samples_have_the_mean_and_the_variance_that_were_asked_for():
    n = 40_000
    mean, log_var = np.array([0.0, 3.0, -1.0], "float32"), np.array([0.0, -2.0, 1.5], "float32")
    z = np.asarray(gdl.Sampling(seed=0)(np.tile(mean, (n, 1)), np.tile(log_var, (n, 1))), "float64")
    variance = np.exp(log_var)
    assert (np.abs(z.mean(axis=0) - mean) < 4 * np.sqrt(variance / n)).all()
    assert (np.abs(z.var(axis=0) / variance - 1) < 4 * np.sqrt(2 / n)).all(), "log variance, not log standard deviation"
    assert np.abs(np.corrcoef(z.T) - np.eye(3)).max() < 4 / np.sqrt(n), "dimensions are independent"
    for dimension in range(3):
        assert stats.kstest(z[:, dimension], stats.norm(mean[dimension], np.sqrt(variance[dimension])).cdf).pvalue > 1e-3


def test_noise_is_new_at_each_call_and_the_same_with_the_same_seed():
    zeros = np.zeros((5, 3), "float32")
    first, second = gdl.Sampling(seed=1), gdl.Sampling(seed=1)
    draws = [np.asarray(first(zeros, zeros)) for _ in range(2)]
    assert not np.array_equal(*draws)
    assert np.array_equal(draws[0], np.asarray(second(zeros, zeros)))
    assert len(np.unique(draws[0])) == 15, "each image and each dimension has noise of its own"


def test_gradients_pass_through_the_sampling():
    """z = z_mean + exp(z_log_var / 2) epsilon has the derivatives 1 and (z - z_mean) / 2."""
    rng = np.random.default_rng(0)
    mean, log_var = (tf.constant(rng.normal(size=(6, 3)), tf.float32) for _ in range(2))
    with tf.GradientTape() as tape:
        tape.watch([mean, log_var])
        z = gdl.Sampling(seed=0)(mean, log_var)
    by_mean, by_log_var = tape.gradient(z, [mean, log_var])
    assert np.array_equal(by_mean, np.ones((6, 3)))
    assert np.allclose(by_log_var, (z - mean) / 2, atol=1e-6)


# --- loss and metrics ---


def validated(model):
    """The metrics of validation, the images and the sampled reconstructions in [0, 1], and the KL, in float64."""
    low, high = model.architecture.pixel_range
    x = images(pixel_range=(low, high))
    noise = set_noise(model)
    told = validate(model, x)
    mean, log_var = (a.astype("float64") for a in model.posterior(x))
    x_hat = model.decode(mean + np.exp(log_var / 2) * noise(mean.shape)).astype("float64")
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum() / len(x)
    return told, (x.astype("float64") - low) / (high - low), (x_hat - low) / (high - low), kl


@pytest.mark.parametrize("reconstruction,pixel_range", list(itertools.product(["bce", "mse"], [(0, 1), (-1, 1)])))
def test_metrics_are_those_of_numpy(reconstruction, pixel_range):
    model = vae(reconstruction=reconstruction, pixel_range=pixel_range, beta=3.0)
    model.compile(keras.optimizers.SGD(0.0))
    told, x, x_hat, kl = validated(model)
    if reconstruction == "bce":
        errors = -special.xlogy(x, x_hat) - special.xlogy(1 - x, 1 - x_hat)
    else:
        errors = (x - x_hat) ** 2
    error = errors.sum() / len(x)
    loss = error + 3 * kl
    assert told == pytest.approx({"loss": loss, "reconstruction_loss": error, "kl_loss": kl, "kl_share": 3 * kl / loss}, rel=1e-4)


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_metrics_of_the_gaussian_are_those_of_scipy(pixel_range):
    model = vae(reconstruction="gaussian", pixel_range=pixel_range, beta=3.0)
    model.compile(keras.optimizers.SGD(0.0))
    model.log_var.assign(-3.0)
    told, x, x_hat, kl = validated(model)
    error = -stats.norm(x_hat, np.exp(-1.5)).logpdf(x).sum() / len(x)
    expected = {"loss": error + 3 * kl, "reconstruction_loss": error, "kl_loss": kl, "sigma": np.exp(-1.5)}
    assert told == pytest.approx(expected, rel=1e-4)


def test_the_gaussian_at_a_fixed_variance_has_the_gradient_of_mse_with_another_beta():
    """With standard deviation sigma, times 2 sigma^2: "mse" with a beta that is 2 sigma^2 times as large."""
    sigma, ends = 0.3, []
    for options, rate in (
        (dict(reconstruction="gaussian", beta=0.7), 2 * sigma**2 * 1e-3),
        (dict(reconstruction="mse", beta=0.7 * 2 * sigma**2), 1e-3),
    ):
        model = vae(batch_norm=False, **options)
        model.compile(keras.optimizers.SGD(rate))
        if model.log_var is not None:
            model.log_var.assign(2 * np.log(sigma))
        parts = model.encoder.trainable_variables + model.decoder.trainable_variables
        before = values(parts)
        set_noise(model)
        step(model, images())
        ends.append([after - start for after, start in zip(values(parts), before)])
    for gaussian, mse in zip(*ends):
        assert np.abs(gaussian - mse).max() < 1e-3 * np.abs(mse).max() + 1e-7


def test_the_trained_variance_becomes_the_mean_squared_error(no_noise):
    """Of networks that are held still."""
    model = vae(reconstruction="gaussian")
    model.encoder.trainable = model.decoder.trainable = False
    model.compile(keras.optimizers.Adam(0.1))
    assert [v.path for v in model.trainable_variables] == [model.log_var.path] and model.log_var.dtype == "float32" and float(model.log_var) == -3
    x = images()
    for _ in range(150):
        numbers = step(model, x)
    mse = np.square(model.reconstruct(x).astype("float64") - x).mean()
    assert float(model.log_var) == pytest.approx(np.log(mse), abs=1e-3)
    assert numbers["sigma"] == pytest.approx(np.sqrt(mse), rel=1e-3)


@pytest.mark.parametrize("frozen", ["encoder", "decoder"])
def test_the_decoders_optimizer_trains_the_variance(frozen):
    model = vae(reconstruction="gaussian")
    model.compile(*(keras.optimizers.Adam(0.0 if frozen == part else 0.1) for part in ("encoder", "decoder")))
    step(model, images())
    assert abs(float(model.log_var) + 3) == pytest.approx(0.0 if frozen == "decoder" else 0.1, rel=1e-3), "Adam's first step is its rate"
    groups = [id(v) for _, weights in model.optimizer_groups for v in weights]
    assert sorted(groups) == sorted(id(v) for v in model.trainable_variables)


# --- the moving average ---


@pytest.mark.parametrize("ema", [0.15, 0.9, 0.0])
def test_the_moving_average_is_that_of_all_weights_of_both_networks(ema):
    """As by hand in float64, batch normalisation's statistics included; slower only after some steps."""
    model = vae(ema=ema)
    model.compile(keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))
    trained, averages = model.networks(training=True), model.networks(training=False)
    assert trained == (model.encoder, model.decoder) and averages == (model.averaged_encoder, model.averaged_decoder)

    def weights(networks):
        return [w.astype("float64") for network in networks for w in values(network.weights)]

    expected = weights(trained)
    assert len(expected) > len(model.trainable_variables), "there are statistics, too"
    assert all(same(expected, weights(averages))), "it begins as the networks do"
    for i in range(1, 6):
        step(model, images())
        decay = min(ema, (1 + i) / (10 + i))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, weights(trained))]
        for average, wanted in zip(weights(averages), expected, strict=True):
            assert np.allclose(average, wanted, rtol=1e-5, atol=1e-6)
    assert not any(same(weights(trained), weights(averages))) or not ema


def test_the_moving_average_does_all_but_training():
    model = vae(ema=0.9)
    model.compile(keras.optimizers.Adam(1e-2))
    x = images()

    def numbers():
        set_noise(model)
        loss = validate(model, x)
        set_noise(model)
        arrays = [*model.posterior(x), model.encode(x), model.decode(np.ones((2, 4))), model.generate(2), model.reconstruct(x), np.asarray(model(x))]
        return loss, arrays

    step(model, x)
    loss, arrays = numbers()
    for network in model.networks(training=True):
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])
    again, same_arrays = numbers()
    assert loss == again and all(np.array_equal(a, b) for a, b in zip(arrays, same_arrays))
    for network in model.networks(training=False):
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])
    assert numbers()[0] != loss and not np.array_equal(numbers()[1][0], arrays[0])


def test_the_moving_average_is_not_trained_and_changes_no_step():
    ends = []
    for ema in (None, 0.9):
        model = vae(ema=ema)
        model.compile(keras.optimizers.SGD(1e-3))
        for _ in range(2):
            set_noise(model)
            step(model, images())
        ends.append(values(model.encoder.weights + model.decoder.weights))
    assert all(same(*ends))
    averaged = {id(variable) for network in model.networks(training=False) for variable in network.variables}
    assert not averaged & {id(variable) for variable in model.trainable_variables}
    assert sum(np.size(w) for w in ends[0]) * 2 == model.count_params() and vae().count_params() * 2 == model.count_params()
    assert vae().averaged_encoder is vae().averaged_decoder is None


@pytest.mark.slow
@pytest.mark.parametrize("reconstruction", ["bce", "mse"])
def test_numbers_do_not_depend_on_the_cut_into_batches(reconstruction, no_noise):
    model = vae(reconstruction=reconstruction, beta=2.0)
    model.compile(keras.optimizers.SGD(0.0))
    x = images(10) * np.linspace(0, 1, 10, dtype="float32")[:, None, None, None]  # images of unlike loss
    whole, *cut = [model.evaluate(x, batch_size=size, verbose=0, return_dict=True) for size in (10, 5, 3, 1)]
    for numbers in cut:
        assert numbers == pytest.approx(whole, rel=1e-4)
    assert whole["kl_share"] == pytest.approx(2 * whole["kl_loss"] / whole["loss"], rel=1e-5)
    assert whole["loss"] == pytest.approx(whole["reconstruction_loss"] + 2 * whole["kl_loss"], rel=1e-5)


def test_a_step_is_the_step_done_by_hand():
    """Descent along the gradient of the mean, over the batch, of the reconstruction plus beta times the KL."""
    rate, beta = 1e-3, 2.5
    model = vae(beta=beta, batch_norm=False)
    model.compile(keras.optimizers.SGD(rate))
    x = images()
    epsilon = set_noise(model)((len(x), 4))
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        mean, log_var = model.encoder(x)
        x_hat = model.decoder(mean + tf.exp(log_var / 2) * epsilon)
        per_pixel = -(x * tf.math.log(x_hat) + (1 - x) * tf.math.log(1 - x_hat))
        per_dimension = -0.5 * (1 + log_var - mean**2 - tf.exp(log_var))
        loss = tf.reduce_sum(per_pixel) / len(x) + beta * tf.reduce_sum(per_dimension) / len(x)
    expected = [w - rate * g for w, g in zip(values(weights), values(tape.gradient(loss, weights)))]
    before = values(weights)
    assert step(model, x)["loss"] == pytest.approx(float(loss), rel=1e-5)
    for variable, old, wanted in zip(weights, before, expected):
        moved, distance = np.abs(wanted - old).max(), np.abs(variable.numpy() - wanted).max()
        assert moved > 0 and distance < 1e-3 * moved + 1e-7, variable.path


def test_beta_weighs_the_gradient_of_the_kl_and_of_nothing_else():
    """With the same noise, the steps with two betas differ in the biases of z_mean and z_log_var by the KL's derivative."""
    x, rate = images(), 1e-2
    ends, outputs = {}, None
    for beta in (0.0, 4.0):
        model = vae(beta=beta, batch_norm=False)
        model.compile(keras.optimizers.SGD(rate))
        outputs = [np.asarray(a) for a in model.encoder(x)]
        start = values(model.trainable_variables)
        set_noise(model)
        numbers = step(model, x)
        heads = [model.encoder.get_layer(name) for name in ("z_mean", "z_log_var")]
        ends[beta] = values(layer.bias for layer in heads), values(model.decoder.trainable_variables)
        assert not any(same(start, values(model.trainable_variables))), "every weight moves, those of z_log_var too"
        if not beta:
            assert numbers["loss"] == numbers["reconstruction_loss"] and numbers["kl_share"] == 0 < numbers["kl_loss"]
    mean, log_var = outputs
    by_mean, by_log_var = mean.mean(axis=0), (np.exp(log_var) - 1).mean(axis=0) / 2
    assert ends[4.0][0][0] - ends[0.0][0][0] == pytest.approx(-rate * 4 * by_mean, abs=1e-4 * rate, rel=1e-3)
    assert ends[4.0][0][1] - ends[0.0][0][1] == pytest.approx(-rate * 4 * by_log_var, abs=1e-4 * rate, rel=1e-3)
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(ends[0.0][1], ends[4.0][1])), "the KL does not reach the decoder"


def effective_beta(numbers):
    return numbers["kl_share"] * numbers["loss"] / numbers["kl_loss"]


@pytest.mark.slow
def test_warm_up_grows_the_weight_step_by_step_and_goes_on_when_resumed(tmp_path):
    x = images()
    model = vae(beta=2.0, warm_up=4)
    model.compile(keras.optimizers.Adam(1e-3))
    grown = [effective_beta(step(model, x)) for _ in range(2)]
    assert effective_beta(validate(model, x)) == pytest.approx(2.0, rel=1e-4), "validation always weighs with beta itself"
    model.save_weights(tmp_path / "vae.weights.h5")
    resumed = vae(seed=1, beta=2.0, warm_up=4)
    resumed.compile(keras.optimizers.Adam(1e-3))
    resumed.load_weights(tmp_path / "vae.weights.h5")
    grown += [effective_beta(step(resumed, x)) for _ in range(4)]
    assert grown == pytest.approx([0, 0.5, 1.0, 1.5, 2.0, 2.0], rel=1e-4)


@pytest.mark.slow
def test_a_warm_up_goes_on_in_float16(precision):
    precision("mixed_float16")
    model = vae(beta=2.0, warm_up=4)
    model.compile(keras.optimizers.Adam(1e-3))
    x = images()
    grown = [effective_beta(step(model, x)) for _ in range(14)]  # some steps are left out until the loss scale fits
    assert grown[0] == 0 and grown[-1] == pytest.approx(2.0, rel=1e-3)


def test_the_first_step_of_a_warm_up_is_that_of_beta_0():
    ends = []
    for options in (dict(beta=5.0, warm_up=10), dict(beta=0.0)):
        model = vae(**options)
        model.compile(keras.optimizers.SGD(1e-3))
        set_noise(model)
        step(model, images())
        ends.append(values(model.trainable_variables))
    assert all(np.allclose(a, b, atol=1e-7) for a, b in zip(*ends))


@pytest.mark.slow
def test_a_large_beta_makes_every_code_a_standard_normal():
    model = vae(beta=300.0, batch_norm=False)
    model.compile(keras.optimizers.Adam(3e-3))
    x = images(8)
    first = validate(model, x)["kl_loss"]
    model.fit(np.tile(x, (120, 1, 1, 1)), batch_size=8, shuffle=False, verbose=0)
    mean, log_var = model.posterior(x)
    assert validate(model, x)["kl_loss"] < 0.02 < first
    assert np.abs(mean).max() < 0.15 and np.abs(log_var).max() < 0.15


# --- two optimisers ---


@pytest.mark.slow
@pytest.mark.parametrize("frozen", ["encoder", "decoder"])
def test_each_optimizer_moves_its_own_part_and_no_other(frozen):
    model = vae()
    rates = {"encoder": 1e-2, "decoder": 1e-2, frozen: 0.0}
    model.compile(keras.optimizers.Adam(rates["encoder"]), keras.optimizers.SGD(rates["decoder"]))
    before = {part: values(getattr(model, part).trainable_variables) for part in rates}
    step(model, images())
    for part in rates:
        still = same(before[part], values(getattr(model, part).trainable_variables))
        assert all(still) if part == frozen else not any(still)


def test_two_equal_optimizers_are_as_one():
    ends = []
    for optimizers in (
        (keras.optimizers.SGD(1e-3, momentum=0.9),),
        (keras.optimizers.SGD(1e-3, momentum=0.9), keras.optimizers.SGD(1e-3, momentum=0.9)),
    ):
        model = vae(warm_up=2)
        model.compile(*optimizers)
        set_noise(model)
        for _ in range(3):
            numbers = step(model, images())
        ends.append((values(model.trainable_variables), numbers))
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(ends[0][0], ends[1][0]))
    assert ends[0][1] == pytest.approx(ends[1][1], rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_weights_files_hold_the_state_of_both_optimizers(tmp_path, precision, policy):
    precision(policy)

    def compiled(seed):
        model = vae(seed, dropout=0.2)
        model.compile(keras.optimizers.Adam(3e-3), keras.optimizers.SGD(1e-6, momentum=0.9))
        return model

    x, model, other = images(), compiled(0), compiled(1)
    for _ in range(3 if policy == "float32" else 10):  # float16 leaves out steps until its loss scale is small enough
        step(model, x)
    model.save_weights(tmp_path / "vae.weights.h5")
    other.load_weights(tmp_path / "vae.weights.h5")
    for (first, _), (second, _) in zip(model.optimizer_groups, other.optimizer_groups):
        names = [variable.path for variable in first.variables]
        assert any("momentum" in name for name in names)
        different = [name for name, equal in zip(names, same(values(first.variables), values(second.variables))) if not equal]
        assert not different
        assert int(steps_taken(second)) == int(steps_taken(first)) > 0
    for one in (model, other):  # noise and dropout alike, as gdl.train sets them at each epoch
        for variable in one.variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign([3, 3])
    assert step(model, x) == step(other, x)
    assert all(same(values(model.variables), values(other.variables))), "the next step is that of an uninterrupted training"


@pytest.mark.slow
@pytest.mark.parametrize("kind", [gdl.VAE, gdl.Autoencoder])
@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_training_on_bytes_is_refused_in_one_sentence(kind, pixel_range):
    model = kind(image_size=32, z_dim=4, filters=(4,), pixel_range=pixel_range)
    model.compile()
    x = np.zeros((2, 32, 32, 3), np.uint8)
    for data in (x, tf.data.Dataset.from_tensors(x)):
        with pytest.raises(gdl.CourseError) as error:
            model.fit(data, verbose=0, shuffle=False)
        assert "these images are uint8" in str(error.value) and f"to_float(images, {pixel_range})" in str(error.value)
        assert "\n" not in str(error.value)
    model.fit(to_float(x, pixel_range), verbose=0)


# --- precision and compilation ---


@pytest.mark.slow
@pytest.mark.parametrize("two", [False, True], ids=["one optimiser", "two optimisers"])
def test_float16_scales_the_loss_and_learns_as_float32_does(precision, two):
    numbers, models = {}, {}
    for policy in ("float32", "mixed_float16"):
        precision(policy)
        model = models[policy] = vae(reconstruction="mse")
        model.compile(keras.optimizers.Adam(3e-3), keras.optimizers.Adam(3e-3) if two else None)
        set_noise(model)
        before = values(model.trainable_variables)
        numbers[policy] = [step(model, images())["loss"] for _ in range(20)]
    half = models["mixed_float16"]
    assert [type(optimizer).__name__ for optimizer, _ in half.optimizer_groups] == ["LossScaleOptimizer"] * (1 + two)
    assert all(np.isfinite(w).all() for w in values(half.variables))
    assert not any(same(before, values(half.trainable_variables))), "no gradient has become 0"
    assert {variable.dtype for variable in half.trainable_variables} == {"float32"}
    assert numbers["mixed_float16"][0] == pytest.approx(numbers["float32"][0], rel=2e-3)
    falls = {policy: losses[0] - losses[-1] for policy, losses in numbers.items()}
    assert falls["mixed_float16"] > 0.5 * falls["float32"] > 0.05 * numbers["float32"][0], numbers  # the first steps are left out


def test_the_loss_scale_of_float16_is_divided_out_again(precision):
    """A step of a known scale changes the weights as a step of float32 does, and small gradients outlive it."""
    moves = {}
    for policy in ("float32", "mixed_float16"):
        precision(policy)
        model = vae(batch_norm=False)
        optimizers = [keras.optimizers.SGD(1e-4) for _ in range(2)]
        if policy == "mixed_float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale) for optimizer, scale in zip(optimizers, (16, 64))]
        model.compile(*optimizers)
        before = values(model.trainable_variables)
        set_noise(model)
        step(model, images())
        assert [int(steps_taken(optimizer)) for optimizer in optimizers] == [1, 1], "no step was left out"
        moves[policy] = [after - w for after, w in zip(values(model.trainable_variables), before)]
    for variable, exact, half in zip(model.trainable_variables, moves["float32"], moves["mixed_float16"]):
        assert np.linalg.norm(half - exact) < 0.05 * np.linalg.norm(exact), variable.path


def test_loss_scale_follows_the_precision_of_the_model(precision):
    """Not that of the moment at which it is compiled."""
    precision("mixed_float16")
    half = vae()
    precision("float32")
    half.compile("adam", "adam")
    assert [type(optimizer).__name__ for optimizer, _ in half.optimizer_groups] == ["LossScaleOptimizer"] * 2
    full = vae()
    precision("mixed_float16")
    full.compile("adam", "adam")
    assert [type(optimizer).__name__ for optimizer, _ in full.optimizer_groups] == ["Adam"] * 2


@pytest.mark.slow
def test_bfloat16_computes_in_bfloat16_and_gives_float32(precision):
    losses = {}
    for policy in ("float32", "mixed_bfloat16"):
        precision(policy)
        model = vae()
        model.compile(keras.optimizers.Adam(3e-3), keras.optimizers.Adam(3e-3))
        set_noise(model)
        losses[policy] = [step(model, images())["loss"] for _ in range(5)]
    assert [type(optimizer).__name__ for optimizer, _ in model.optimizer_groups] == ["Adam"] * 2
    assert model.encoder.layers[1].compute_dtype == "bfloat16"
    assert losses["mixed_bfloat16"] == pytest.approx(losses["float32"], rel=1e-2)
    assert model.encode(images()).dtype == model.reconstruct(images()).dtype == np.float32


# --- pairs of options ---

# every value of each option meets every value of each other one at least once
NAMES = (
    "image_size", "residual", "upsampling", "precision", "downsampling", "norm", "dropout",
    "pixel_range", "kernel_sizes", "reconstruction", "narrow_dense", "warm_up", "optimizers",
)  # fmt: skip
PAIRS = [
    (32, False, "pixel_shuffle", "float32", "dilation", "batch", 0.0, (0, 1), (5, 4), "mse", 3, 2, 2),
    (32, True, "resize", "mixed_bfloat16", "dilation", None, 0.2, (-1, 1), (5, 4), "mse", 3, 2, 1),
    (32, True, "transpose", "mixed_bfloat16", "stride", "batch", 0.0, (-1, 1), 3, "bce", None, 0, 1),
    (32, "resnet18", "resize", "mixed_float16", "stride", "layer", 0.2, (0, 1), (5, 4), "bce", 3, 2, 2),
    (32, "resnet18", "resize", "float32", "dilation", "layer", 0.2, (-1, 1), 3, "bce", None, 2, 1),
    (64, False, "resize", "mixed_float16", "dilation", "layer", 0.2, (-1, 1), 3, "bce", None, 0, 1),
    (64, True, "pixel_shuffle", "mixed_bfloat16", "stride", "batch", 0.0, (0, 1), 3, "bce", 3, 2, 2),
    (64, "resnet18", "transpose", "float32", "dilation", None, 0.2, (0, 1), (5, 4), "mse", 3, 2, 2),
    (96, False, "resize", "mixed_float16", "stride", None, 0.0, (0, 1), (5, 4), "bce", 3, 0, 1),
    (96, True, "transpose", "mixed_float16", "dilation", "layer", 0.0, (-1, 1), 3, "mse", 3, 2, 2),
    (96, "resnet18", "pixel_shuffle", "mixed_bfloat16", "dilation", "layer", 0.0, (-1, 1), (5, 4), "mse", 3, 2, 1),
    (96, "resnet18", "resize", "float32", "stride", "batch", 0.2, (-1, 1), (5, 4), "mse", None, 0, 2),
    (128, False, "pixel_shuffle", "mixed_float16", "dilation", "batch", 0.2, (-1, 1), 3, "mse", None, 2, 2),
    (128, False, "transpose", "mixed_bfloat16", "stride", "layer", 0.0, (0, 1), (5, 4), "bce", 3, 2, 2),
    (128, True, "resize", "float32", "dilation", "batch", 0.0, (-1, 1), 3, "mse", None, 0, 1),
    (128, "resnet18", "pixel_shuffle", "float32", "dilation", None, 0.0, (0, 1), 3, "bce", None, 0, 1),
]


def test_the_table_holds_every_pair_of_values():
    columns = [set(column) for column in zip(*PAIRS)]
    assert columns[0] == {32, 64, 96, 128} and columns[1] == {False, True, "resnet18"} and len(columns[2]) == len(columns[5]) == 3
    for a, b in itertools.combinations(range(len(NAMES)), 2):
        missing = set(itertools.product(columns[a], columns[b])) - {(row[a], row[b]) for row in PAIRS}
        assert not missing, (NAMES[a], NAMES[b], missing)


@pytest.mark.slow
@pytest.mark.parametrize("row", PAIRS, ids=lambda row: "-".join(map(str, row[:4])))
def test_options_go_together(row, precision):
    options = dict(zip(NAMES, row))
    precision(options.pop("precision"))
    two, norm = options.pop("optimizers") == 2, options.pop("norm")
    model = vae(**options, batch_norm=norm == "batch", layer_norm=norm == "layer")
    # eager, as tracing takes longer than these few steps
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.RMSprop(1e-3) if two else None, run_eagerly=True)
    x = images(3, options["image_size"], options["pixel_range"])
    before = values(model.trainable_variables)
    for _ in range(15):  # float16 leaves out steps until its loss scale is small enough
        numbers = step(model, x)
        assert all(np.isfinite(number) for number in numbers.values()), numbers
        if all(int(optimizer.iterations) for optimizer, _ in model.optimizer_groups):
            break
    assert all(np.isfinite(w).all() for w in values(model.variables))
    still = [v.path for v, equal in zip(model.trainable_variables, same(before, values(model.trainable_variables))) if equal]
    # a bias right before batch normalisation has no gradient; nothing else may stand still
    assert all(norm == "batch" and "bias" in path for path in still), still
    x_hat = model.reconstruct(x)
    assert x_hat.shape == x.shape and x_hat.dtype == np.float32
    low, high = options["pixel_range"]
    assert low <= x_hat.min() < x_hat.max() <= high


# --- options of its own ---


def weights_of(network, *without):
    """The number of trainable weights of a network but for some of its layers."""
    layers = [layer for layer in network.layers if layer.name not in without]
    return sum(int(np.prod(v.shape)) for layer in layers for v in layer.trainable_variables)


def test_a_narrow_dense_layer_saves_most_of_the_encoders_weights():
    wide, narrow = gdl.VAE().encoder, gdl.VAE(narrow_dense=16).encoder
    features, z_dim = 4 * 4 * 256, 256
    heads_of_wide = 2 * (features * z_dim + z_dim)
    heads_of_narrow = (features * 16 + 16) + 2 * 16 + 2 * (16 * z_dim + z_dim)  # dense, batch normalisation, heads
    convolutions = weights_of(wide, "z_mean", "z_log_var")
    assert wide.get_layer("z_mean").kernel.shape == (features, z_dim)
    assert weights_of(wide) == convolutions + heads_of_wide
    assert weights_of(narrow) == convolutions + heads_of_narrow
    assert weights_of(narrow) < 0.25 * weights_of(wide)


@pytest.mark.parametrize(
    "options,words",
    [
        (dict(reconstruction="mae"), "'mse' or 'gaussian'"),
        (dict(beta=-1), "beta is -1"),
        (dict(beta="1"), "beta is '1': give a number"),
        (dict(beta=np.nan), "beta is nan"),
        (dict(beta=np.inf), "beta is inf"),
        (dict(warm_up=-5), "warm_up is -5"),
        (dict(warm_up=None), "warm_up is None"),
        (dict(warm_up=np.nan), "warm_up is nan"),
        (dict(residual="resnet50"), "'resnet18'"),
        (dict(residual="resnet18", filters=(8,)), "at least two filters"),
        (dict(narrow_dense=-4), "narrow_dense is -4"),
        (dict(narrow_dense=2.5), "narrow_dense is 2.5: give a whole number"),
        (dict(kernel_size=3), "VAE has no option 'kernel_size': choose from image_size, z_dim, filters, kernel_sizes"),
        (dict(Beta=3), "layer_norm, dropout, pixel_range, spatial_code, beta, reconstruction, narrow_dense, warm_up, ema (did you mean 'beta'?)."),
        (dict(image_size=50), "multiple of 4"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options, words):
    with pytest.raises(gdl.CourseError) as error:
        vae(**options)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_another_can_be_made_of_its_options():
    options = dict(
        beta=0.5, reconstruction="mse", narrow_dense=5, warm_up=7, kernel_sizes=(5, 3), downsampling="dilation",
        upsampling="resize", residual="resnet18", batch_norm=False, dropout=0.1, pixel_range=(-1, 1),
    )  # fmt: skip
    model = vae(**options)
    assert {name: model.get_config()[name] for name in options} == options
    assert gdl.VAE(**model.get_config()).get_config() == model.get_config()


@pytest.mark.slow
def test_numbers_of_numpy_are_numbers():
    """Such as those of a loop over np.arange; they can be written to a run's settings too."""
    one, two = np.int64(1), np.float32(2)
    model = gdl.VAE(32 * one, 4 * one, np.array([4, 8]), kernel_sizes=3 * one, beta=two, narrow_dense=5 * one, warm_up=7 * one, dropout=0.1 * two)
    model.compile()
    step(model, images())
    plain = gdl.VAE(32, 4, (4, 8), kernel_sizes=3, beta=2.0, narrow_dense=5, warm_up=7, dropout=float(0.1 * two))
    assert json.loads(json.dumps(model.get_config())) == json.loads(json.dumps(plain.get_config()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "options,words",
    [
        (lambda adam: dict(optimizer=adam, decoder_optimizer=adam), "the same optimiser"),
        (lambda adam: dict(optimizer=None), "needs an optimiser"),
        (lambda adam: dict(optimizer=adam, loss="mse"), "The VAE has a loss of its own"),
    ],
    ids=["twice", "none", "loss"],
)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_what_cannot_be_compiled_is_said_in_one_sentence(options, words, policy, precision):
    precision(policy)
    with pytest.raises(gdl.CourseError) as error:
        vae().compile(**options(keras.optimizers.Adam()))
    assert words in str(error.value) and "\n" not in str(error.value)
    vae().compile("adam", "adam", loss=None)


@pytest.mark.slow
def test_keras_saves_and_loads_the_whole_model(tmp_path):
    """In a process of its own, which has imported no more than it says."""
    model = vae(upsampling="pixel_shuffle", residual=True, narrow_dense=3)
    model.compile(keras.optimizers.Adam(1e-3), keras.optimizers.SGD(1e-6, momentum=0.9))
    step(model, images())
    model.save(tmp_path / "vae.keras")
    code = f"""
        import gdl, keras, numpy as np
        gdl.VAE
        model = keras.models.load_model({str(tmp_path / "vae.keras")!r})
        assert [(type(o).__name__, int(o.iterations)) for o, _ in model.optimizer_groups] == [("Adam", 1), ("SGD", 1)]
        np.save({str(tmp_path / "codes.npy")!r}, model.encode(np.zeros((2, 32, 32, 3), np.uint8)))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert np.array_equal(np.load(tmp_path / "codes.npy"), model.encode(np.zeros((2, 32, 32, 3), np.uint8)))


def test_a_class_of_the_same_name_does_not_take_the_place_of_the_courses(tmp_path):
    type("VAE", (gdl.VAE,), {"__module__": "student"})
    vae().save(tmp_path / "vae.keras")
    assert type(keras.models.load_model(tmp_path / "vae.keras")) is gdl.VAE


# --- arrays in, arrays out ---


@pytest.fixture(scope="module")
def model():
    return vae()


def test_encode_gives_z_mean_without_noise(model):
    x = images()
    mean, log_var = model.posterior(x)
    assert mean.shape == log_var.shape == (6, 4) and mean.dtype == log_var.dtype == np.float32
    assert np.array_equal(model.encode(x), mean) and np.array_equal(model.encode(x), model.encode(x))
    assert np.allclose(model.encode((x * 255).round().astype(np.uint8)), mean, atol=1e-5), "bytes or floats"
    assert np.array_equal(model.reconstruct(x), model.decode(mean))


def test_calling_the_model_samples(model):
    x = images()
    first, second = (np.asarray(model(x)) for _ in range(2))
    assert first.shape == x.shape and not np.array_equal(first, second)


def test_no_images_give_empty_arrays(model):
    assert [a.shape for a in model.posterior(images()[:0])] == [(0, 4), (0, 4)]
    assert model.encode(images()[:0]).shape == (0, 4)
    assert model.reconstruct(images()[:0]).shape == (0, 32, 32, 3)
    assert model.generate(0).shape == (0, 32, 32, 3)


def test_more_images_than_a_batch_come_back_in_order(model):
    x = np.random.default_rng(0).random((300, 32, 32, 3)).astype("float32")
    for whole, end in zip(model.posterior(x), model.posterior(x[250:])):
        assert whole.shape == (300, 4) and np.allclose(whole[250:], end, atol=1e-5)


def test_generated_images_depend_on_the_seed_alone(model):
    assert np.array_equal(model.generate(3, seed=5), model.generate(3, seed=5))
    assert not np.array_equal(model.generate(3, seed=5), model.generate(3, seed=6))
    assert np.array_equal(model.generate(3, seed=5), model.decode(np.random.default_rng(5).standard_normal((3, 4))))


def test_the_preview_shows_images_reconstructions_and_random_codes(model):
    x = (images() * 255).round().astype(np.uint8)
    rows = model.preview(x)
    assert [row.shape for row in rows.values()] == [x.shape] * 4
    assert np.array_equal(np.concatenate(list(rows.values())[2:]), model.generate(12))
    assert np.array_equal(rows["reconstruction"], model.reconstruct(x))
