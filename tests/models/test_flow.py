"""Flow matching: its network, its loss and its integration against closed forms, what guidance, painting in and averages do, and what is saved."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import same, step, validate, values
from scipy import integrate, stats

import gdl
from gdl.models import flow, velocity
from gdl.models.velocity import TimeFeatures, velocity_network

SMALL = dict(image_size=16, filters=(4,), steps=2)
TINY = dict(image_size=2, filters=(4,))  # 12 numbers
MEAN, DEVIATION = 0.4, 0.3  # of the pixels in the closed forms


def light_network(shape, filters, conditions, dropout=0.0):
    """Takes and gives what `velocity_network` does, and is made and traced in a tenth of the time."""
    x, t, told = keras.Input(shape), keras.Input(()), keras.Input((conditions,))
    about = keras.layers.Concatenate()([keras.layers.Reshape((1,))(t), told])
    shift = keras.layers.Reshape((1, 1, 4))(keras.layers.Dense(4)(about))
    y = keras.layers.Activation("tanh")(keras.layers.Add()([keras.layers.Conv2D(4, 3, padding="same")(x), shift]))
    y = keras.layers.Dropout(dropout)(y)
    out = keras.layers.Conv2D(shape[-1], 3, padding="same", kernel_initializer="zeros", dtype="float32")(y)
    return keras.Model([x, t, told], out, name="velocity")


@pytest.fixture(scope="module", autouse=True)
def light_networks():
    """For the models of this file, but where a test asks for `real_network`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "velocity_network", light_network)
        yield


@pytest.fixture
def real_network(monkeypatch):
    monkeypatch.setattr(flow, "velocity_network", velocity_network)


def ask(network, x, t, told):
    """What a network says, as NumPy in float64. t: one time, or one for each."""
    t = np.broadcast_to(np.float32(t), len(x))
    return np.asarray(network([tf.constant(a, tf.float32) for a in (x, t, told)]), "float64")


def randomised(network, seed=0, scale=0.3):
    """The network with random weights, because those that begin as zeros hide what reaches them."""
    rng = np.random.default_rng(seed)
    network.set_weights([w + scale * rng.standard_normal(w.shape) for w in network.get_weights()])
    return network


def made(kind=gdl.Flow, seed=0, random=True, **options):
    keras.utils.set_random_seed(seed)
    model = kind(**{**SMALL, "ema": None, **options})
    if random:
        randomised(model.network, seed)
    return model


def images(n=6, size=16, pixel_range=(-1, 1), seed=0):
    """Smooth random images."""
    rough = np.random.default_rng(seed).uniform(*pixel_range, (n, 2, 2, 3)).astype("float32")
    return rough.repeat(size // 2, axis=1).repeat(size // 2, axis=2)


def noise_of(n, z_dim=768, seed=3):
    return np.random.default_rng(seed).standard_normal((n, z_dim)).astype("float32")


def same_draws(generator, state=(7, 7)):
    """Fixes what a SeedGenerator draws next, and returns another one that draws the same."""
    generator.state.assign(state)
    copy = keras.random.SeedGenerator(0)
    copy.state.assign(state)
    return copy


def network_of(function):
    """Stands for a model's network, and remembers what it is given: [x, t, told] and training."""
    calls = []

    def network(inputs, training):
        calls.append([*map(np.asarray, inputs), training])
        return function(*inputs)

    return network, calls


@pytest.fixture(scope="module")
def plain():
    return made()


@pytest.fixture(scope="module")
def conditional():
    return made(conditions=["Smiling", "Male"])


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(n=60, size=16)


@pytest.fixture(scope="module")
def vae():
    """With averages that are not what was trained."""
    keras.utils.set_random_seed(1)
    model = gdl.VAE(16, z_dim=32, filters=(4, 8), spatial_code=True, ema=0.9)
    for average in (model.averaged_encoder, model.averaged_decoder):
        randomised(average, scale=0.05)
    return model


@pytest.fixture(scope="module")
def latent(vae):
    return made(gdl.LatentFlow, autoencoder=vae)


# --- the network of velocities ---


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_velocities_have_the_shape_of_the_points_and_are_float32_and_zero_at_the_start(policy, precision):
    precision(policy)
    network = velocity_network((8, 8, 5), (4, 8), conditions=3)
    x, t, told = np.ones((2, 8, 8, 5), "float32"), np.array([0, 0.7], "float32"), np.ones((2, 3), "float32")
    first = network([x, t, told])
    assert first.shape == (2, 8, 8, 5) and first.dtype == tf.float32 and not np.any(first)
    later = randomised(network)([x, t, told])
    assert later.dtype == tf.float32 and np.isfinite(later).all() and np.std(later) > 1e-3


def test_each_image_has_the_velocity_of_its_own_time_and_of_what_is_told():
    network = randomised(velocity_network((8, 8, 3), (4,), conditions=2))
    x, t = noise_of(3, 192).reshape(3, 8, 8, 3), np.array([0.2, 0.2, 0.9])
    told = np.array([[1, 0], [-1, 0], [1, 0]])
    v = ask(network, x, t, told)
    later, more, other = t + [0, 0.1, 0], told + [[0, 0], [1, 0], [0, 0]], told + [[0, 0], [0, 1], [0, 0]]
    for moved in (ask(network, x, later, told), ask(network, x, t, more), ask(network, x, t, other)):
        change = np.abs(moved - v).max(axis=(1, 2, 3))
        assert change[1] > 1e-3 and max(change[0], change[2]) < 1e-5


@pytest.mark.parametrize("normalised", [True, False], ids=["whole", "without normalisation"])
def test_each_corner_sees_the_opposite_one(normalised, monkeypatch):
    """Of 32 pixels the convolutions alone see about 20, and a normalisation would tell of all of them."""
    if not normalised:
        monkeypatch.setattr(velocity, "_normalise", lambda x: x)
    network = randomised(velocity_network((32, 32, 3), (4, 8), conditions=0), scale=0.2)
    x = noise_of(1, 3072).reshape(1, 32, 32, 3)
    other = x.copy()
    other[0, 0, 0] += 3
    change = np.abs(ask(network, other, 0.5, np.zeros((1, 0))) - ask(network, x, 0.5, np.zeros((1, 0))))[0]
    assert change[-1, -1].max() > 1e-5 * np.abs(change).max() > 0


def test_the_way_up_sees_the_maps_of_the_way_down(monkeypatch):
    """With the halving cut off, what is small in the image still reaches the velocity, and only beside it."""
    monkeypatch.setattr(velocity, "_normalise", lambda x: x)
    network = randomised(velocity_network((32, 32, 3), (4, 8), conditions=0))
    (halving,) = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D) and layer.strides == (2, 2)]
    halving.kernel.assign(0 * halving.kernel)
    x = noise_of(1, 3072).reshape(1, 32, 32, 3)
    other = x.copy()
    other[0, 0, 0] += 1
    change = np.abs(ask(network, other, 0.5, np.zeros((1, 0))) - ask(network, x, 0.5, np.zeros((1, 0))))[0].max(axis=-1)
    assert change[0, 0] > 1e-3 and not change[16:, 16:].any()


def time_features(t):
    angles = np.array([[math.pi * time * 2**k for k in range(7)] for time in t])
    return np.hstack([np.cos(angles), np.sin(angles)])


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_features_of_the_time_are_those_of_numpy_in_each_precision(policy, precision):
    precision(policy)
    t = np.random.default_rng(0).random(50).astype("float32")
    features = TimeFeatures()(t)
    assert features.shape == (50, 14) and features.dtype == tf.float32
    assert np.abs(np.asarray(features) - time_features(t)).max() < 1e-4
    ends = time_features([0, 1])
    assert np.abs(ends[0] - ends[1]).max() == 2, "the first cosine alone tells the end from the beginning"


# --- the flow of Gaussians, in closed form ---
# noise from N(0, 1) and images from N(m, s^2), independent: x_t and image - noise are Gaussian together


def variance(t, s=DEVIATION):
    """Of x_t."""
    return (1 - t) ** 2 + (t * s) ** 2


def optimal(x, t, m=MEAN, s=DEVIATION):
    """E[image - noise | x_t = x]: the covariance of the two, over the variance of x_t."""
    return m + (t * s**2 - (1 - t)) / variance(t, s) * (x - t * m)


class OfGaussians(gdl.Flow):
    def velocity(self, x, t, told, guidance=1.0):
        return optimal(x, t)


@pytest.fixture(scope="module")
def gaussians():
    return OfGaussians(**TINY)


def carried(model, x, *times, steps):
    model.steps = steps
    return np.asarray(model.carry(tf.constant(x), tf.zeros((len(x), 0)), *times), "float64")


STARTS = np.linspace(-3, 3, 24, dtype="float32").reshape(2, 2, 2, 3)


@pytest.mark.parametrize("t", [0.1, 0.5, 0.8])
def test_least_squares_give_the_closed_form(t):
    """NumPy alone: the closed form that the tests below rely on."""
    rng = np.random.default_rng(0)
    noise, image = rng.standard_normal(200_000), rng.normal(MEAN, DEVIATION, 200_000)
    x, target = (1 - t) * noise + t * image, image - noise
    slope, offset = np.polyfit(x, target, 1)
    assert np.abs(slope * STARTS + offset - optimal(STARTS, t)).max() < 0.02
    assert np.square(target - slope * x - offset).mean() == pytest.approx(DEVIATION**2 / variance(t), rel=0.02)


def test_noise_is_carried_to_the_images_with_an_error_of_second_order(gaussians):
    errors = [np.abs(carried(gaussians, STARTS, steps=steps) - (MEAN + DEVIATION * STARTS)).max() for steps in (20, 40, 80)]
    assert errors[0] < 0.01 and all(3.4 < more / fewer < 4.6 for more, fewer in zip(errors, errors[1:])), errors


def test_the_way_back_inverts_with_an_error_of_second_order(gaussians):
    errors = [np.abs(carried(gaussians, MEAN + DEVIATION * STARTS, 1.0, 0.0, steps=steps) - STARTS).max() for steps in (20, 40, 80)]
    assert errors[0] < 0.02 and all(3.4 < more / fewer < 4.6 for more, fewer in zip(errors, errors[1:])), errors


@pytest.mark.parametrize("times", [(0.0, 1.0), (0.0, 0.6), (0.3, 0.9), (1.0, 0.0)])
def test_scipy_carries_points_to_the_same_place(gaussians, times):
    solved = integrate.solve_ivp(lambda t, x: optimal(x, t), times, STARTS.ravel().astype("float64"), rtol=1e-9, atol=1e-9).y[:, -1]
    error = np.abs(carried(gaussians, STARTS, *times, steps=200) - solved.reshape(STARTS.shape)).max()
    assert error < 1e-4 * np.abs(solved).max()


def test_no_step_at_all_is_refused(gaussians):
    with pytest.raises(gdl.CourseError, match="steps is 0"):
        carried(gaussians, STARTS, steps=0)


def test_steps_can_be_changed_after_the_first_use(gaussians):
    few, many, again = (carried(gaussians, STARTS, steps=steps) for steps in (1, 50, 1))
    euler = STARTS + optimal(STARTS, 0.0)  # and one step of Heun's method
    heun = STARTS + (optimal(STARTS, 0.0) + optimal(euler, 1.0)) / 2
    assert np.allclose(few, heun, atol=1e-5) and np.array_equal(few, again)
    assert np.abs(many - MEAN - DEVIATION * STARTS).max() < 2e-3 < 0.1 < np.abs(few - MEAN - DEVIATION * STARTS).max()


@pytest.mark.parametrize("pixel_range", [(-1, 1), (0, 1)])
def test_images_are_decoded_and_encoded_as_in_closed_form(pixel_range):
    """Decoded points stay within the pixel range; codes do not."""
    model = OfGaussians(**TINY, pixel_range=pixel_range, steps=100)
    low, high = pixel_range
    z = noise_of(5, 12) * 5
    points = MEAN + DEVIATION * z
    assert points.max() > 1.5 and points.min() < -1.5, "some points are no pixels"
    x = model.decode(z)
    assert x.shape == (5, 2, 2, 3) and x.dtype == np.float32 and x.min() == low and x.max() == high
    wanted = low + (high - low) * (np.clip(points, -1, 1) + 1) / 2
    assert np.abs(x - wanted.reshape(x.shape)).max() < 1e-3
    codes = model.encode(x)
    assert codes.shape == (5, 12) and codes.dtype == np.float32
    assert np.abs(codes - (np.clip(points, -1, 1) - MEAN) / DEVIATION).max() < 3e-3
    assert np.allclose(model.encode((x * 255).astype("uint8") if low == 0 else x), codes, atol=0.04), "bytes or floats"


def test_the_loss_of_the_best_velocity_is_what_cannot_be_known():
    """Of each pixel the variance of image - noise given x_t is s^2 / variance(t); its integral over the time is pi s / 2."""
    assert integrate.quad(lambda t: DEVIATION**2 / variance(t), 0, 1)[0] == pytest.approx(math.pi * DEVIATION / 2)
    model = made(**TINY, random=False)
    model.network, _ = network_of(lambda x, t, told: optimal(x, t[:, None, None, None]))
    x = np.random.default_rng(0).normal(MEAN, DEVIATION, (20_000, 2, 2, 3)).astype("float32")
    losses = model.flow_loss(x, tf.zeros((len(x), 0)), training=True).numpy()
    assert losses.shape == (20_000,)
    assert losses.mean() == pytest.approx(12 * math.pi * DEVIATION / 2, rel=0.02), "12 pixels, summed"
    model.network, _ = network_of(lambda x, t, told: 1.1 * optimal(x, t[:, None, None, None]))
    assert model.flow_loss(x, tf.zeros((len(x), 0)), training=True).numpy().mean() > losses.mean()


@pytest.mark.parametrize("t", [0.2, 0.7])
def test_the_line_with_the_smallest_loss_is_the_closed_form(t, monkeypatch):
    """At one time the velocity is linear; the loss is a parabola in slope and offset, with its minimum one Newton step away."""
    model = made(**TINY, random=False)
    line = tf.Variable([0.0, 0.0])
    model.network, _ = network_of(lambda x, t, told: line[0] * x + line[1])
    monkeypatch.setattr(keras.random, "uniform", lambda shape, seed=None: tf.fill(shape, t))
    x = np.random.default_rng(0).normal(MEAN, DEVIATION, (20_000, 2, 2, 3)).astype("float32")
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            loss = tf.reduce_mean(model.flow_loss(x, tf.zeros((len(x), 0)), training=True))
        gradient = inner.gradient(loss, line)
    slope, offset = -np.linalg.solve(outer.jacobian(gradient, line).numpy(), gradient.numpy())
    assert np.abs(slope * STARTS + offset - optimal(STARTS, t)).max() < 0.03


# --- the loss ---


@pytest.mark.parametrize("pixel_range", [(-1, 1), (0, 1)])
def test_each_image_has_noise_and_a_time_of_its_own(pixel_range):
    """Told by what the network is given: of images of one grey, what is not grey is noise."""
    model = made(**TINY, random=False, pixel_range=pixel_range)
    model.network, calls = network_of(lambda x, t, told: tf.zeros_like(x))
    grey = 0.5
    x = np.full((3000, 2, 2, 3), grey if pixel_range[0] else (grey + 1) / 2, "float32")
    told = np.random.default_rng(0).random((3000, 0))
    losses = model.flow_loss(x, told, training=True).numpy()
    model.flow_loss(x, told, training=True)
    (between, t, _, training), (_, other_t, *_) = calls
    assert t.shape == (3000,) and training is True
    assert stats.kstest(t, "uniform").pvalue > 1e-3 and len(np.unique(t)) > 2990 and not np.isin(t, other_t).all()
    early = t < 0.9
    noise = ((between.astype("float64") - t[:, None, None, None] * grey) / (1 - t[:, None, None, None]))[early]
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3
    assert abs(np.corrcoef(noise[:, 0, 0, 0], noise[:, 1, 1, 2])[0, 1]) < 0.1 and abs(np.corrcoef(noise[:, 0, 0, 0], t[early])[0, 1]) < 0.1
    assert losses[early] == pytest.approx(np.square(grey - noise).sum(axis=(1, 2, 3)), rel=1e-3)


@pytest.mark.parametrize("training", [True, False])
def test_the_loss_is_that_of_numpy(training):
    """Of the trained network in training, of the average elsewhere."""
    model = made(conditions=["Smiling"], ema=0.9, pixel_range=(0, 1))
    randomised(model.averaged_network, seed=5)
    x, told = images(pixel_range=(0, 1)), tf.constant([[1.0], [-1.0], [0.0], [0.0], [1.0], [1.0]])
    draws = same_draws(model.seed_generator)
    losses = model.flow_loss(x, told, training=training).numpy()
    noise, t = np.asarray(keras.random.normal(x.shape, seed=draws)), np.asarray(keras.random.uniform((6,), seed=draws))
    end, weight = 2 * x - 1, t.reshape(6, 1, 1, 1)
    network = model.network if training else model.averaged_network
    v = ask(network, (1 - weight) * noise + weight * end, t, told)
    assert losses == pytest.approx(np.square(end - noise - v).sum(axis=(1, 2, 3)), rel=1e-4)


def test_validation_tells_everything_and_averages_over_images():
    """Not over batches: here of five images and of one."""
    model = made(conditions=["Smiling", "Male"])
    model.compile(run_eagerly=True)
    x, y = images(), np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]], "float32")
    original = model.network
    model.network, calls = network_of(lambda x, t, told: original([x, t, told], training=False))
    draws, errors = same_draws(model.seed_generator), []
    loss = model.evaluate(x, y, batch_size=5, verbose=0, return_dict=True)
    for rows in (slice(0, 5), slice(5, 6)):
        noise = np.asarray(keras.random.normal(x[rows].shape, seed=draws))
        t = np.asarray(keras.random.uniform((len(noise),), seed=draws))
        weight = t.reshape(-1, 1, 1, 1)
        v = ask(original, (1 - weight) * noise + weight * x[rows], t, 2 * y[rows] - 1)
        errors.extend(np.square(x[rows] - noise - v).sum(axis=(1, 2, 3)))
    assert loss == {"loss": pytest.approx(np.mean(errors), rel=1e-4)}
    assert np.array_equal(np.concatenate([call[2] for call in calls]), 2 * y - 1) and not any(call[3] for call in calls)


def test_a_training_step_is_the_step_done_by_hand():
    """What is told is hidden at random; one descent on the mean loss; the average makes a large first step."""
    rate = 1e-3
    model = made(conditions=["Smiling", "Male"], ema=0.9)
    model.averaged_network.set_weights(model.network.get_weights())
    model.compile(keras.optimizers.SGD(rate), run_eagerly=True)
    x, y = images(), np.array([[0, 1], [1, 1], [0, 0], [1, 0], [1, 1], [0, 1]], "float32")
    network = keras.models.clone_model(model.network)
    network.set_weights(model.network.get_weights())
    draws = same_draws(model.seed_generator)
    share = np.asarray(keras.random.uniform((6, 1), seed=draws))
    hidden = np.asarray(keras.random.uniform((6, 2), seed=draws)) < share
    assert 0 < hidden.sum() < 12, "some are told and some are not"
    told = np.where(hidden, 0, 2 * y - 1).astype("float32")
    noise, t = np.asarray(keras.random.normal(x.shape, seed=draws)), np.asarray(keras.random.uniform((6,), seed=draws))
    weight = t.reshape(6, 1, 1, 1)
    with tf.GradientTape() as tape:
        v = network([tf.constant(a, tf.float32) for a in ((1 - weight) * noise + weight * x, t, told)], training=True)
        loss = tf.reduce_mean(tf.reduce_sum((x - noise - v) ** 2, axis=(1, 2, 3)))
    before = model.network.get_weights()
    for variable, gradient in zip(network.trainable_variables, tape.gradient(loss, [w.value for w in network.trainable_variables])):
        variable.assign(variable - rate * gradient)

    model.reset_metrics()
    assert float(model.train_on_batch(x, y, return_dict=True)["loss"]) == pytest.approx(float(loss), rel=1e-4)
    decay = 2 / 11  # after one step, (1 + 1) / (10 + 1), less than ema
    for old, new, wanted, average in zip(before, model.network.get_weights(), network.get_weights(), model.averaged_network.get_weights()):
        assert np.abs(new - wanted).max() <= 2e-3 * np.abs(wanted - old).max() + 1e-6
        assert np.allclose(average, decay * old + (1 - decay) * new, atol=1e-6)
    trained = [id(v) for _, weights in model.optimizer_groups for v in weights]
    assert trained == [id(v) for v in model.network.trainable_variables]
    assert sorted(trained) == sorted(id(v) for v in model.trainable_variables), "neither the average nor anything else"


@pytest.mark.slow
def test_training_lowers_the_loss_and_images_come_back_from_their_noise(real_network):
    """In the graph. Without a velocity the loss is E|image - noise|^2, and there and back again is then no art."""
    model = made(random=False, image_size=8, steps=4)
    model.compile(keras.optimizers.Adam(1e-2))
    x = images(16, 8)
    losses = [step(model, x)["loss"] for _ in range(40)]
    nothing = 192 + np.square(x).sum() / 16
    assert losses[0] == pytest.approx(nothing, rel=0.15) and np.mean(losses[-10:]) < 0.75 * nothing, losses
    codes = model.encode(x)
    assert np.abs(codes - x.reshape(16, -1)).mean() > 0.2, "the codes are not the images"
    rough = np.abs(model.decode(codes) - x).mean()
    model.steps = 20
    fine = np.abs(model.reconstruct(x) - x).mean()
    assert fine < 0.01 and fine < rough / 4, (rough, fine)


# --- what is asked ---


def test_guidance_goes_from_the_free_velocity_through_the_told_one(conditional):
    x, told = noise_of(3).reshape(3, 16, 16, 3), np.array([[1, 0], [-1, 1], [0, 0]], "float32")
    with_told, free = (ask(conditional.network, x, 0.3, y) for y in (told, 0 * told))
    assert (np.abs(with_told - free).max(axis=(1, 2, 3)) > [0.1, 0.1, -1]).all()
    for w in (0.0, 0.5, 1.0, 3.0):
        guided = conditional.velocity(tf.constant(x), tf.constant(0.3), tf.constant(told), w)
        assert np.allclose(guided, free + w * (with_told - free), atol=1e-4), w
    assert np.allclose(conditional.velocity(tf.constant(x), tf.constant(0.3), tf.constant(told)), with_told, atol=1e-5), "1 is the default"


@pytest.mark.parametrize("conditions,evaluations", [((), [1, 1, 1]), (("Smiling",), [2, 1, 2])])
def test_the_network_is_evaluated_twice_only_where_guidance_needs_it(conditions, evaluations):
    model = made(**TINY, conditions=conditions)
    original = model.network
    model.network, calls = network_of(lambda x, t, told: original([x, t, told], training=False))
    x, told, counts = tf.zeros((2, 2, 2, 3)), tf.ones((2, len(conditions))), []
    for w in (0.0, 1.0, 2.5):
        calls.clear()
        model.velocity(x, tf.constant(0.5), told, w)
        counts.append(len(calls))
        assert all(np.array_equal(call[1], [0.5, 0.5]) and not call[3] for call in calls)
    assert counts == evaluations


def test_images_follow_the_guidance_that_the_model_has_now(conditional, monkeypatch):
    """Also changed after the first use; without anything asked it has nothing to do."""
    z, x, made_with = noise_of(2), images(2), []
    for w in (1, 0, 2, 1.0):
        monkeypatch.setattr(conditional, "guidance", w)
        made_with.append([conditional.decode(z, Smiling=True), conditional.encode(x, Smiling=True), conditional.decode(z)])
    for asked, (one, zero, two, again) in zip((True, True, False), zip(*made_with)):
        assert np.array_equal(one, again)
        for other in (zero, two):
            assert (np.abs(one - other).max() > 1e-3) if asked else np.allclose(one, other, atol=1e-5)
    assert np.allclose(made_with[1][0], made_with[1][2], atol=1e-5), "a weight of 0 shows what nobody asked for"


def test_each_image_shows_what_is_asked_of_it(conditional):
    z = noise_of(3)
    mixed, smiling, serious = (conditional.decode(z, Smiling=asked) for asked in ([True, False, True], True, False))
    assert np.allclose(mixed, np.stack([smiling[0], serious[1], smiling[2]]), atol=1e-5) and np.abs(smiling - serious).max() > 1e-3
    x = images(3)
    told = conditional.reconstruct(x, Male=True)
    assert np.array_equal(told, conditional.decode(conditional.encode(x), Male=True)), "the codes are those of nothing told"
    with pytest.raises(gdl.CourseError, match="no condition 'Smilling'.*did you mean 'Smiling'"):
        conditional.generate(1, Smilling=True)


# --- arrays in, arrays out ---


def test_generated_images_depend_on_the_seed_alone(plain):
    x = plain.generate(3, seed=5)
    assert x.shape == (3, 16, 16, 3) and x.dtype == np.float32 and -1 <= x.min() < x.max() <= 1
    assert np.array_equal(x, plain.generate(3, seed=5)) and not np.array_equal(x, plain.generate(3, seed=6))
    assert np.array_equal(x, plain.decode(np.random.default_rng(5).standard_normal((3, 768))))


def test_images_do_not_depend_on_the_others_of_their_batch(conditional, plain):
    whole = plain.generate(70)
    assert np.allclose(whole[:64], plain.generate(64), atol=1e-4)
    z = np.random.default_rng(0).standard_normal((70, 768))
    assert np.allclose(whole[60:], plain.decode(z[60:]), atol=1e-4)
    asked = np.arange(70) >= 66
    told = conditional.decode(z, Male=asked)
    assert np.allclose(told[64:], conditional.decode(z[64:], Male=asked[64:]), atol=1e-4)
    codes = plain.encode(whole)
    assert codes.shape == (70, 768) and np.allclose(codes[60:], plain.encode(whole[60:]), atol=1e-3)


@pytest.mark.parametrize("network", [light_network, velocity_network], ids=["light", "real"])
def test_nothing_in_gives_nothing_out(network, monkeypatch):
    monkeypatch.setattr(flow, "velocity_network", network)
    model, none = made(random=False, conditions=["Male"]), images(0)
    assert model.encode(none).shape == (0, 768) and model.encode(none).dtype == np.float32
    for x in (model.generate(0), model.decode(np.zeros((0, 768)), Male=True), model.reconstruct(none), model.inpaint(none, np.eye(16, dtype=bool))):
        assert x.shape == (0, 16, 16, 3) and x.dtype == np.float32


def test_no_images_have_no_codes_of_an_autoencoder_either(latent):
    none = images(0, pixel_range=(0, 1))
    assert latent.encode(none).shape == (0, 32)
    assert latent.generate(0).shape == latent.inpaint(none, np.eye(16, dtype=bool)).shape == (0, 16, 16, 3)


def test_both_pixel_ranges_give_the_same_images(plain):
    unit = made(pixel_range=(0, 1))
    assert all(same(values(unit.network.weights), values(plain.network.weights)))
    z, x = 3 * noise_of(2), images(2)
    assert np.allclose(2 * unit.decode(z) - 1, plain.decode(z), atol=1e-5) and np.abs(plain.decode(z)).max() == 1
    assert np.allclose(unit.encode((x + 1) / 2), plain.encode(x), atol=1e-3)
    known = np.eye(16, dtype=bool)
    assert np.allclose(2 * unit.inpaint((x + 1) / 2, known) - 1, plain.inpaint(x, known), atol=1e-4)


def test_the_preview_shows_random_images(plain):
    rows = plain.preview((images(3) * 127 + 128).astype("uint8"))
    assert [row.shape for row in rows.values()] == [(3, 16, 16, 3)] * 2
    assert np.array_equal(np.concatenate(list(rows.values())), plain.generate(6))


def test_dropout_is_at_work_in_training_alone():
    model = made(**TINY, dropout=0.5)
    assert np.array_equal(model.generate(3), model.generate(3))

    def loss(training):
        same_draws(model.seed_generator)
        return model.flow_loss(images(8, 2), tf.zeros((8, 0)), training=training).numpy()

    assert np.array_equal(loss(False), loss(False)) and not np.allclose(loss(True), loss(False)) and not np.allclose(loss(True), loss(True))


# --- painting in ---


def test_known_pixels_stay_and_unknown_ones_are_made_anew(conditional):
    x, known = images(3), np.zeros((16, 16), bool)
    known[:, :9] = True
    known[3, 12] = True
    painted = conditional.inpaint(x, known, seed=1, Smiling=True)
    assert painted.shape == x.shape and painted.dtype == np.float32
    assert np.abs(painted - x)[:, known].max() < 1e-5 and (np.abs(painted - x)[:, ~known].mean(axis=(1, 2)) > 0.05).all()
    assert np.array_equal(painted, conditional.inpaint(x, known, seed=1, Smiling=True))
    for other in (conditional.inpaint(x, known, seed=2, Smiling=True), conditional.inpaint(x, known, seed=1, Smiling=False)):
        assert np.abs(painted - other)[:, ~known].max() > 1e-3 and np.abs(painted - other)[:, known].max() < 1e-5
    elsewhere = np.where(known[:, :, None], x, -x)
    assert np.array_equal(painted, conditional.inpaint(elsewhere, known, seed=1, Smiling=True)), "unknown pixels are not looked at"
    assert np.abs(painted - conditional.inpaint(-x, known, seed=1, Smiling=True))[:, ~known].max() > 1e-3, "known ones are"


def test_nothing_known_is_a_new_image_and_all_known_is_the_image_itself(plain):
    x = images(2)
    assert np.allclose(plain.inpaint(x, np.zeros((16, 16), bool), seed=4), plain.generate(2, seed=4), atol=1e-5)
    many = images(66)  # more than a batch
    assert np.allclose(plain.inpaint(many, np.zeros((16, 16), bool), seed=4), plain.generate(66, seed=4), atol=1e-4)
    assert np.abs(plain.inpaint(many, np.ones((16, 16), bool), seed=4) - many).max() < 1e-5
    assert np.abs(plain.inpaint(x, np.ones((16, 16), bool), seed=4) - x).max() < 1e-5


class FollowsACorner(gdl.Flow):
    """Every pixel moves with the value of the first one, which stands still by itself."""

    def velocity(self, x, t, told, guidance=1.0):
        corner = np.zeros((1, 2, 2, 1), "float32")
        corner[:, 0, 0] = 1
        return (1 - corner) * x[:, :1, :1]


def test_known_points_move_along_their_lines():
    """The first pixel is (1 - t) noise + t image, whose integral from 0 to 1 is their mean; so far every other pixel moves."""
    model = FollowsACorner(**TINY, steps=200)
    known = np.array([[True, False], [False, False]])
    noise = np.random.default_rng(2).standard_normal((4, 12)).astype("float32").reshape(4, 2, 2, 3)
    x = np.random.default_rng(0).uniform(-1, 1, (4, 2, 2, 3)).astype("float32")
    painted = model.inpaint(x, known, seed=2)
    wanted = noise + (noise[:, :1, :1] + x[:, :1, :1]) / 2
    wanted[:, 0, 0] = x[:, 0, 0]
    inside = np.abs(wanted) < 0.97
    assert inside.sum() > 15 and np.abs(painted - wanted)[inside].max() < 0.02


@pytest.mark.parametrize(
    "known",
    [np.ones((16, 16)), np.ones((16, 16), "uint8"), np.ones((16, 16, 1), bool), np.ones((1, 16, 16), bool), np.ones((8, 8), bool), True, None],
    ids=["float", "bytes", "channel", "batch", "size", "number", "nothing"],
)
def test_a_wrong_mask_is_refused_in_one_sentence(plain, known):
    with pytest.raises(gdl.CourseError, match=r"known says of each pixel whether it is known, \(16, 16\) bool; this is") as error:
        plain.inpaint(images(2), known)
    assert "\n" not in str(error.value)


# --- the moving average ---


def test_the_average_does_everything_but_training():
    """The trained network may then be anything."""
    model = made(ema=0.9, conditions=["Smiling"])
    randomised(model.averaged_network, seed=5)
    alone = made(conditions=["Smiling"])
    alone.network.set_weights(model.averaged_network.get_weights())
    model.network.set_weights([np.full_like(w, np.nan) for w in model.network.get_weights()])
    x, known = images(2), np.eye(16, dtype=bool)
    for one, other in (
        (model.generate(2, Smiling=True), alone.generate(2, Smiling=True)),
        (model.encode(x), alone.encode(x)),
        (model.inpaint(x, known), alone.inpaint(x, known)),
    ):
        assert np.array_equal(one, other) and np.isfinite(one).all()
    losses = []
    for either in (model, alone):
        either.compile(run_eagerly=True)
        same_draws(either.seed_generator)
        either.reset_metrics()
        losses.append(float(either.test_on_batch(x, np.ones((2, 1)), return_dict=True)["loss"]))
    assert losses[0] == losses[1]


def test_the_average_is_what_is_called():
    model = made(**TINY, ema=0.9)
    randomised(model.averaged_network, seed=5)
    x = images(2, 2)
    for training, network in ((False, model.averaged_network), (True, model.network)):
        assert np.allclose(model(x, training=training), ask(network, x, 1, np.zeros((2, 0))), atol=1e-5)
    assert not np.allclose(model(x), model(x, training=True), atol=1e-2)


def test_called_it_gives_the_velocities_at_the_images(conditional):
    x = images(2)
    wanted = ask(conditional.network, x, 1, np.zeros((2, 2)))
    assert np.allclose(conditional(x), wanted, atol=1e-6) and np.abs(wanted).max() > 0.1


@pytest.mark.parametrize("ema", [0.15, 0.9, 0.0])
def test_the_moving_average_is_that_of_all_weights(ema):
    """As by hand in float64; slower only after some steps."""
    model = made(**TINY, ema=ema)
    model.averaged_network.set_weights(model.network.get_weights())
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    wanted = [w.astype("float64") for w in model.network.get_weights()]
    for taken in (1, 2, 3):
        step(model, images(2, 2))
        decay = min(ema, (1 + taken) / (10 + taken))
        wanted = [decay * old + (1 - decay) * new for old, new in zip(wanted, model.network.get_weights())]
    for average, by_hand in zip(model.averaged_network.get_weights(), wanted):
        assert np.abs(average - by_hand).max() < 1e-6


def test_without_a_moving_average_there_is_no_copy():
    model, averaged = made(**TINY), made(**TINY, ema=0.9)
    assert model.averaged_network is None
    assert averaged.count_params() - model.count_params() == model.network.count_params()


# --- the flow of codes ---


def test_points_are_samples_in_training_and_means_elsewhere(latent, vae):
    x = images(2, pixel_range=(0, 1))
    mean, log_var = vae.posterior(x)
    assert np.allclose(latent.points(x, sample=False), mean.reshape(2, 4, 4, 2), atol=1e-5)
    samples = np.asarray(latent.points(x[:1].repeat(500, axis=0), sample=True)).reshape(500, 32)
    deviation = np.exp(log_var[0] / 2)
    assert (np.abs(samples.mean(axis=0) - mean[0]) < 5 * deviation / np.sqrt(500)).all()
    assert (np.abs(samples.std(axis=0) / deviation - 1) < 5 / np.sqrt(2 * 500)).all()
    assert np.allclose(latent.images(latent.points(x, sample=False)), vae.reconstruct(x), atol=1e-5)


def test_the_loss_of_codes_is_that_of_numpy(latent, vae):
    x, draws, sampled = images(pixel_range=(0, 1)), same_draws(latent.seed_generator), same_draws(latent.autoencoder.sampling.seed_generator, (3, 3))
    losses = latent.flow_loss(x, tf.zeros((6, 0)), training=True).numpy()
    mean, log_var = vae.posterior(x)
    end = (mean + np.exp(log_var / 2) * np.asarray(keras.random.normal(mean.shape, seed=sampled))).reshape(6, 4, 4, 2)
    noise, t = np.asarray(keras.random.normal(end.shape, seed=draws)), np.asarray(keras.random.uniform((6,), seed=draws))
    weight = t.reshape(6, 1, 1, 1)
    v = ask(latent.network, (1 - weight) * noise + weight * end, t, np.zeros((6, 0)))
    assert losses == pytest.approx(np.square(end - noise - v).sum(axis=(1, 2, 3)), rel=1e-4)


def test_codes_are_carried_to_codes_and_the_autoencoder_makes_the_images(vae):
    """Without a velocity the noise itself is the autoencoder's code."""
    model = made(gdl.LatentFlow, random=False, autoencoder=vae)
    z, x = noise_of(3, 32), images(3, pixel_range=(0, 1))
    assert model.architecture.z_dim == 32 and model.architecture.pixel_range == (0, 1)
    assert np.allclose(model.decode(z), vae.decode(z), atol=1e-5)
    assert np.allclose(model.encode(x), vae.encode(x), atol=1e-5), "the means, and no samples"
    assert np.allclose(model.reconstruct(x), vae.reconstruct(x), atol=1e-5)


def test_a_point_is_known_where_all_its_pixels_are(latent, vae):
    known = np.random.default_rng(0).random((16, 16)) < 0.9
    known[4:12, 8:] = True
    wanted = [[all(known[4 * i + a, 4 * j + b] for a in range(4) for b in range(4)) for j in range(4)] for i in range(4)]
    assert 4 <= np.sum(wanted) < 10
    assert np.array_equal(np.asarray(latent.known_points(known))[:, :, 0], wanted)
    x = images(2, pixel_range=(0, 1))
    assert np.allclose(latent.inpaint(x, np.ones((16, 16), bool)), vae.reconstruct(x), atol=1e-4)
    without_corners = np.ones((16, 16), bool)
    without_corners[::4, ::4] = False
    assert np.allclose(latent.inpaint(x, without_corners, seed=4), latent.generate(2, seed=4), atol=1e-4), "no point is known"
    with pytest.raises(gdl.CourseError, match=r"\(16, 16\) bool"):
        latent.inpaint(x, np.ones((4, 4), bool))


def test_the_autoencoder_is_a_frozen_copy():
    """Bit for bit, the averaged networks with the statistics of their batch normalisation. The one that was given can still learn."""
    keras.utils.set_random_seed(1)
    given = gdl.VAE(16, z_dim=32, filters=(4, 8), spatial_code=True, ema=0.9)
    given.compile(keras.optimizers.SGD(1e-3), run_eagerly=True)
    x = images(pixel_range=(0, 1))
    step(given, x)
    model = made(gdl.LatentFlow, autoencoder=given, ema=0.9)
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    whole, network = values(given.weights), values(model.network.trainable_variables)
    before = [value for part in given.networks(training=False) for value in values(part.weights)]
    assert all(same(before, values(model.autoencoder.weights))) and not all(same(before, values(given.encoder.weights + given.decoder.weights)))
    step(model, x)
    validate(model, x)
    assert all(same(before, values(model.autoencoder.weights))) and not all(same(network, values(model.network.trainable_variables)))
    assert {id(v) for v in model.trainable_variables} == {id(v) for v in model.network.trainable_variables}
    assert all(same(whole, values(given.weights)))
    encoder = values(given.encoder.trainable_variables)
    step(given, x)
    assert encoder and not any(same(encoder, values(given.encoder.trainable_variables)))
    assert all(same(before, values(model.autoencoder.weights)))


@pytest.mark.parametrize(
    "autoencoder,size,words",
    [
        (lambda: None, 16, "autoencoder is None: give a trained VAE"),
        (lambda: gdl.Autoencoder(16, 32, (4, 8), spatial_code=True), 16, "give a trained VAE"),
        (lambda: gdl.ConditionalVAE(16, ["Smiling"], 32, (4, 8), spatial_code=True), 16, "has to be told something"),
        (lambda: gdl.VAE(16, 32, (4, 8)), 16, "no height and width: give a VAE or a VAEGAN with spatial_code=True"),
        (lambda: gdl.VAE(16, 32, (4, 8), spatial_code=True), 32, "image_size is 32, and the autoencoder makes images of 16 pixels"),
    ],
    ids=["none", "autoencoder", "told", "no spatial code", "size"],
)
def test_another_autoencoder_is_refused_in_one_sentence(autoencoder, size, words):
    with pytest.raises(gdl.CourseError) as error:
        gdl.LatentFlow(size, autoencoder(), filters=(4,))
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.slow
def test_a_vae_gan_gives_its_encoder_and_its_decoder():
    keras.utils.set_random_seed(0)
    part = gdl.VAEGAN(16, z_dim=32, filters=(4, 8), spatial_code=True)
    model = made(gdl.LatentFlow, random=False, autoencoder=part)
    assert np.allclose(model.generate(2, seed=1), part.generate(2, seed=1), atol=1e-5)
    again = gdl.LatentFlow(**model.get_config())
    assert type(again.autoencoder) is gdl.VAE and again.get_config() == model.get_config(), "without the critic"


# --- options ---


@pytest.mark.parametrize(
    "options,words",
    [
        (dict(steps=0), "steps is 0: give a whole number, at least 1."),
        (dict(steps=2.5), "steps is 2.5"),
        (dict(guidance=-1), "guidance is -1: give a number, at least 0."),
        (dict(guidance="2"), "guidance is '2'"),
        (dict(ema=1), "ema is 1.0"),
        (dict(dropout=1), "dropout is 1.0"),
        (dict(filters=(4,) * 6), "image_size 16 cannot be halved 6 times"),
        (dict(pixel_range=(0, 255)), "pixel_range (0, 255) is not known"),
        (dict(patch=0), "patch is 0: give a whole number, at least 1."),
        (dict(patch=3), "patch is 3, and 16 pixels are not a multiple of it"),
        (dict(patch=8, filters=(4, 8, 8)), "filters has 3 entries, which halve 2 pixels to less than whole ones"),
        (dict(conditions="Smiling"), "conditions is 'Smiling': give a list of names"),
        (dict(conditions=["Male", "Male"]), "contain one of them twice"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options, words):
    with pytest.raises(gdl.CourseError) as error:
        gdl.Flow(**{**SMALL, **options})
    assert words in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("filters", [(12, 6), (3,), (1, 2)])
def test_any_number_of_channels_will_do(filters):
    network = randomised(velocity_network((4, 4, 3), filters, conditions=1))
    v = ask(network, noise_of(2, 48).reshape(2, 4, 4, 3), 0.5, np.ones((2, 1)))
    assert v.shape == (2, 4, 4, 3) and np.isfinite(v).all() and np.std(v) > 0


@pytest.mark.parametrize("filters,image_size", [((8,) * 4, 16), ((8, 8), 12)], ids=["4 pixels", "3 pixels"])
def test_codes_that_are_too_small_for_the_filters_are_refused_in_one_sentence(filters, image_size):
    """With three halvings 4 pixels become half a one, and 3 pixels cannot be halved."""
    autoencoder = gdl.VAE(image_size, 2 * (image_size // 4) ** 2, (4, 8), spatial_code=True)
    with pytest.raises(gdl.CourseError, match="filters has . entries.*: give fewer") as error:
        gdl.LatentFlow(image_size, autoencoder, filters=filters)
    assert "\n" not in str(error.value)


def test_nothing_can_be_asked_of_a_flow_without_conditions(plain):
    for do in (lambda: plain.generate(1, Smiling=True), lambda: plain.encode(images(1), Smiling=True)):
        with pytest.raises(gdl.CourseError, match="Nothing can be asked of this model, which has no conditions"):
            do()


def test_another_can_be_made_of_its_options(latent):
    options = dict(image_size=8, conditions=("Male",), filters=(4,), steps=3, guidance=1.5, ema=0.5, dropout=0.1, pixel_range=(0, 1), patch=2)
    model = gdl.Flow(**options)
    assert model.get_config() == options and gdl.Flow(**model.get_config()).get_config() == options
    config = latent.get_config()
    assert config.keys() == {*options, "autoencoder"} - {"pixel_range", "patch"} and config["autoencoder"]["model"] == "VAE"
    assert gdl.LatentFlow(**config).get_config() == config


# --- patches of pixels ---


@pytest.mark.parametrize("pixel_range", [(-1, 1), (0, 1)])
def test_a_patch_of_pixels_is_a_point_with_more_channels(pixel_range):
    model = made(patch=4, pixel_range=pixel_range)
    x = np.random.default_rng(0).uniform(*pixel_range, (3, 16, 16, 3)).astype("float32")
    points = model.points(x, sample=True).numpy()
    assert points.shape == (3, 4, 4, 48) == (3, *model.point_shape) and model.network.input_shape[0] == (None, 4, 4, 48)
    low, high = pixel_range
    unit = 2 * (x - low) / (high - low) - 1
    for row, column in ((0, 0), (1, 3), (3, 2)):
        pixels = unit[:, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert np.allclose(np.sort(points[:, row, column]), np.sort(pixels.reshape(3, 48)), atol=1e-6)
    assert np.allclose(model.images(points), x, atol=1e-6)


def test_with_patches_the_same_velocities_carry_noise_to_the_same_images(monkeypatch):
    """A network that treats all numbers alike cannot see how they are arranged: only the order of the noise's numbers differs."""
    monkeypatch.setattr(flow, "velocity_network", lambda shape, *_: keras.Model(*alike(shape)))
    whole, patched = (gdl.Flow(16, filters=(4,), steps=3, ema=None, patch=patch) for patch in (1, 4))
    z = noise_of(2)
    rearranged = tf.nn.space_to_depth(z.reshape(2, 16, 16, 3), 4).numpy().reshape(2, 768)
    faces = whole.decode(z)
    assert np.allclose(patched.decode(rearranged), faces, atol=1e-5) and np.std(faces) > 0.1
    assert np.allclose(patched.encode(faces), tf.nn.space_to_depth(whole.encode(faces).reshape(2, 16, 16, 3), 4).numpy().reshape(2, 768), atol=1e-5)


def alike(shape):
    """Inputs and output of a network whose velocity at each number depends on this number and the time alone."""
    x, t, told = keras.Input(shape), keras.Input(()), keras.Input((0,))
    return [x, t, told], keras.layers.Lambda(lambda a: a[1][:, None, None, None] - 0.7 * tf.sin(a[0]))([x, t])


def test_a_model_of_patches_learns_and_paints_in():
    model = made(patch=2, random=False)
    model.compile(keras.optimizers.Adam(1e-2), run_eagerly=True)
    assert step(model, images())["loss"] > 0
    known = np.zeros((16, 16), bool)
    known[:, :9] = True  # the ninth column is in a patch with the tenth, which is not known
    painted = model.inpaint(images(), known)
    assert painted.shape == (6, 16, 16, 3) and np.allclose(painted[:, :, :8], images()[:, :, :8], atol=1e-5)
    assert np.abs(painted[:, :, 8:] - images()[:, :, 8:]).mean() > 0.1


# --- training, precision and saving ---

KINDS = ("flow", "conditional", "latent")


def trainable(kind, vae, seed=0, **options):
    """A model of a kind; eager, as tracing takes longer than a few steps. The conditional one, whose network is the real one, has no average."""
    more = {"flow": dict(ema=0.9), "conditional": dict(conditions=["Smiling", "Male"]), "latent": dict(autoencoder=vae, ema=0.9)}[kind]
    model = made(gdl.LatentFlow if kind == "latent" else gdl.Flow, seed, **more, **options)
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=True)
    return model


def train(model, faces, epochs, run):
    gdl.train(model, faces, epochs, run=run, batch_size=24, steps_per_epoch=1, quiet=True)


def all_values(model):
    return values(model.weights) + values(model.optimizer.variables)


@pytest.fixture(scope="module", params=KINDS)
def trained(request, vae, faces, tmp_path_factory):
    """Two epochs in one go: the kind, the model and its run folder. The conditional one has the real network."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "conditional":
            patch.setattr(flow, "velocity_network", velocity_network)
        model, run = trainable(request.param, vae, dropout=0.2), tmp_path_factory.mktemp(request.param) / "run"
        train(model, faces, 2, run)
        yield request.param, model, run


@pytest.mark.slow
def test_a_resumed_training_ends_where_an_undisturbed_one_does(trained, vae, faces, tmp_path, capsys):
    kind, undisturbed, _ = trained
    train(trainable(kind, vae, dropout=0.2), faces, 1, tmp_path / "run")
    resumed = trainable(kind, vae, dropout=0.2)
    first = all_values(resumed)
    train(resumed, faces, 2, tmp_path / "run")
    assert "continuing after epoch 1" in capsys.readouterr().out
    assert all(same(all_values(resumed), all_values(undisturbed))) and not all(same(all_values(resumed), first))
    assert int(resumed.optimizer.iterations) == 2


@pytest.mark.slow
@pytest.mark.parametrize("how", ["run", "keras"])
def test_the_whole_model_is_saved(trained, how, tmp_path):
    """The average, the optimiser and the autoencoder with it."""
    kind, model, run = trained
    if how == "keras":
        model.save(tmp_path / "flow.keras")
    keras.utils.set_random_seed(9)
    loaded = gdl.load(run) if how == "run" else keras.models.load_model(tmp_path / "flow.keras")
    assert type(loaded) is type(model) and loaded.get_config() == model.get_config()
    assert all(same(all_values(model), all_values(loaded))) and int(loaded.optimizer.iterations) == 2
    if kind == "latent":
        assert loaded.autoencoder is not model.autoencoder
        assert all(same(values(model.autoencoder.weights), values(loaded.autoencoder.weights)))
    x, told = tf.random.stateless_normal((2, *model.point_shape), [0, 0]), tf.ones((2, len(model.conditions)))
    assert np.array_equal(*(one.velocity(x, tf.constant(0.5), told) for one in (model, loaded)))
    if kind != "conditional":  # of which the graph takes long to make
        assert np.array_equal(model.generate(2), loaded.generate(2))


@pytest.mark.slow
def test_a_flow_of_codes_is_loaded_whose_autoencoder_was_trained_before(faces, tmp_path):
    autoencoder = gdl.VAE(16, z_dim=32, filters=(4, 8), spatial_code=True)
    autoencoder.compile("adam")
    model = trainable("latent", autoencoder)
    train(model, faces, 1, tmp_path / "run")
    assert np.array_equal(gdl.load(tmp_path / "run").generate(2), model.generate(2))


@pytest.mark.slow
def test_all_that_draws_is_set_anew_at_each_epoch(trained):
    """gdl.train finds it among the variables of the model."""
    kind, model, _ = trained
    states = {id(variable) for variable in model.variables if variable.path.endswith("seed_generator_state")}
    drawing = [model.seed_generator] + ([model.autoencoder.sampling.seed_generator] if kind == "latent" else [])
    drawing += [layer.seed_generator for layer in model.network.layers if isinstance(layer, keras.layers.Dropout)]
    assert len(drawing) >= (4 if kind == "conditional" else 2) and {id(one.state) for one in drawing} <= states


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_takes_about_the_step_of_float32(kind, vae, precision, monkeypatch):
    """Of the same loss, and in the same direction and length, the scale of float16 divided out again."""
    if kind == "conditional":
        monkeypatch.setattr(flow, "velocity_network", velocity_network)
    x, y = images(pixel_range=(0, 1) if kind == "latent" else (-1, 1)), np.eye(2)[[0, 1, 1, 0, 1, 0]]
    losses, moves = {}, {}
    for policy in ("float32", "mixed_bfloat16", "mixed_float16"):
        precision(policy)
        model, optimizer = trainable(kind, vae), keras.optimizers.SGD(1e-4)
        if policy == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=4.0)
        model.compile(optimizer, run_eagerly=True)
        if kind == "latent":
            same_draws(model.autoencoder.sampling.seed_generator, (3, 3))
        same_draws(model.seed_generator)
        model.reset_metrics()
        network = model.network.trainable_variables
        before = values(network)
        losses[policy] = float(model.train_on_batch(x, y if kind == "conditional" else None, return_dict=True)["loss"])
        assert {variable.dtype for variable in network} == {"float32"} and all(np.isfinite(w).all() for w in all_values(model))
        still = [variable.path for variable, equal in zip(network, same(before, values(network))) if equal]
        assert all("bias" in path for path in still), "a bias right before a normalisation has no gradient; nothing else may stand still"
        moves[policy] = np.concatenate([(after - w).ravel() for after, w in zip(values(network), before)])
        if kind != "conditional":  # of which the graph takes long to make
            assert model.generate(1).dtype == model.encode(x[:1]).dtype == np.float32
    for policy, most in (("mixed_bfloat16", 0.15), ("mixed_float16", 0.02)):
        assert losses[policy] == pytest.approx(losses["float32"], rel=most / 10)
        off = np.linalg.norm(moves[policy] - moves["float32"]) / np.linalg.norm(moves["float32"])
        assert off < most, (policy, off)
