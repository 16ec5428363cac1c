"""The losses and regularisers that a GAN chooses by name, against closed forms."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import same, step, values
from scipy import special

import gdl
from gdl.models.gan import CRITIC_LOSSES
from gdl.models.losses import hinge_critic_loss, relativistic_critic_loss, squared_gradient

REAL, FAKE = np.random.default_rng(0).normal(0, 3, (2, 50)).astype("float32")
X = np.random.default_rng(0).uniform(-1, 1, (6, 16, 16, 3)).astype("float32")


def made(**options):
    keras.utils.set_random_seed(0)
    model = gdl.GAN(16, 4, (4, 8), pixel_range=(-1, 1), **options)
    model.compile(keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), run_eagerly=True)
    return model


def linear(w):
    """A critic of slope w. The gradient is w at every image."""
    return lambda x: tf.reduce_sum(x * w, axis=(1, 2, 3))


def test_the_hinge_is_zero_from_the_margin_on_and_linear_below():
    numbers = hinge_critic_loss(np.float32([1, 2, 0.999, -3]), np.float32([-1, -5, -0.999, 3])).numpy()
    assert numbers == pytest.approx([0, 0, 0.002, 8], abs=1e-6)
    with tf.GradientTape() as tape:
        scores = tf.constant([1.5, 0.5])
        tape.watch(scores)
        loss = hinge_critic_loss(scores, tf.constant([-2.0, -2.0]))
    assert tape.gradient(loss, scores).numpy().tolist() == [0, -1], "a score beyond the margin has no gradient"


def test_the_relativistic_loss_is_a_cross_entropy_of_differences():
    assert relativistic_critic_loss(REAL, FAKE).numpy() == pytest.approx(-special.log_expit(REAL.astype("f8") - FAKE), rel=1e-5)


def test_the_relativistic_loss_does_not_notice_a_shift_of_all_scores():
    """The others do."""
    shift = np.float32(2.5)
    assert relativistic_critic_loss(REAL + shift, FAKE + shift).numpy() == pytest.approx(relativistic_critic_loss(REAL, FAKE).numpy(), rel=1e-4)
    for name in ("cross_entropy", "hinge"):
        loss = CRITIC_LOSSES[name]
        assert np.abs(loss(REAL + shift, FAKE + shift) - loss(REAL, FAKE)).max() > 1


@pytest.mark.parametrize("norm", [0.0, 0.5, 3.0])
def test_the_squared_gradient_of_a_linear_critic_is_its_squared_slope(norm):
    w = np.random.default_rng(1).normal(size=(16, 16, 3))
    w = tf.constant(norm * w / np.linalg.norm(w), tf.float32)
    assert squared_gradient(linear(w), X).numpy() == pytest.approx(np.full(6, norm**2), rel=1e-5)


def test_the_squared_gradient_is_taken_at_each_image():
    square = lambda x: tf.reduce_sum(x * x, axis=(1, 2, 3)) / 2  # noqa: E731  its gradient is x
    assert squared_gradient(square, X).numpy() == pytest.approx((X.astype("f8") ** 2).sum(axis=(1, 2, 3)), rel=1e-5)


@pytest.mark.parametrize("name,r1,r2", [("relativistic", 0.6, 0.0), ("cross_entropy", 0.0, 0.4), ("hinge", 2.0, 3.0)])
def test_r1_and_r2_add_half_their_weight_times_the_squared_gradient(name, r1, r2, monkeypatch):
    """Of a critic that is linear: the loss and the two penalties are known exactly, and the metric has the loss alone."""
    w = np.random.default_rng(1).normal(0, 0.1, (16, 16, 3)).astype("float32")
    model = made(loss=name, r1=r1, r2=r2)
    monkeypatch.setattr(model, "critic", lambda x, training: linear(w)(x))
    real, fake = X, -X[::-1]
    plain = CRITIC_LOSSES[name](linear(w)(real), linear(w)(fake)).numpy()
    penalty = (r1 + r2) / 2 * (w.astype("f8") ** 2).sum()
    assert model.critic_loss(real, fake, training=True).numpy() == pytest.approx(plain + penalty, rel=1e-5)
    assert float(model.trackers["discriminator_loss"].result()) == pytest.approx(plain.mean(), rel=1e-5)


@pytest.mark.parametrize("n,every,kept", [(6, 2, [0, 0, 2, 2, 4, 4]), (5, 3, [0, 0, 0, 3, 3]), (4, 1, [0, 1, 2, 3]), (3, 8, [0, 0, 0])])
def test_a_penalty_of_some_images_stands_for_all(n, every, kept):
    model = made(penalty_every=every)
    asked = []
    number = tf.range(n, dtype=tf.float32)
    assert model.for_some(lambda x: asked.append(len(x)) or x, number).numpy().tolist() == kept
    assert asked == [len(set(kept))], "no other image is looked at"


@pytest.mark.parametrize("name", ["hinge", "relativistic"])
def test_the_generator_falls_down_its_own_loss(name):
    """One step of both by hand: the critic first, then the generator against the new critic."""
    model = made(loss=name, batch_norm=False)
    model.seed_generator.state.assign((7, 7))
    draws = keras.random.SeedGenerator(0)
    draws.state.assign((7, 7))
    generator, critic = (keras.models.clone_model(network) for network in (model.generator, model.critic))
    generator.set_weights(model.generator.get_weights())
    critic.set_weights(model.critic.get_weights())
    fake = generator(keras.random.normal((6, 4), seed=draws))
    with tf.GradientTape() as tape:
        a, b = critic(X), critic(fake)
        loss = tf.reduce_mean(tf.maximum(0.0, 1 - a) + tf.maximum(0.0, 1 + b) if name == "hinge" else -tf.math.log_sigmoid(a - b))
    for weight, gradient in zip(critic.trainable_variables, tape.gradient(loss, [w.value for w in critic.trainable_variables])):
        weight.assign_sub(0.05 * (0 if gradient is None else gradient))
    z = keras.random.normal((6, 4), seed=draws)
    with tf.GradientTape() as tape:
        b = critic(generator(z))
        loss = tf.reduce_mean(-b if name == "hinge" else -tf.math.log_sigmoid(b - critic(X)))
    for weight, gradient in zip(generator.trainable_variables, tape.gradient(loss, [w.value for w in generator.trainable_variables])):
        weight.assign_sub(0.05 * gradient)
    assert step(model, X)["generator_loss"] == pytest.approx(float(loss), rel=1e-4)
    for ours, by_hand in ((model.critic, critic), (model.generator, generator)):
        for one, other in zip(ours.get_weights(), by_hand.get_weights()):
            assert one == pytest.approx(other, abs=1e-5)


def test_spectral_normalisation_divides_the_critic_by_its_largest_singular_values(precision):
    precision("mixed_bfloat16")
    model = made(critic_norm="spectral")
    for weight in model.critic.trainable_variables:
        weight.assign(3 * weight)
    for _ in range(30):  # each call improves the estimate
        model.critic(X, training=True)
    kernels = [weight for weight in model.critic.trainable_variables if weight.name == "kernel"]
    assert len(kernels) == 3
    for kernel in kernels:
        assert np.linalg.norm(kernel.numpy().reshape(-1, kernel.shape[-1]), 2) == pytest.approx(1, rel=0.01)
    assert model.score(X).dtype == np.float32
    before = values(model.critic.trainable_variables)
    assert np.isfinite(list(step(model, X).values())).all() and not any(same(before, values(model.critic.trainable_variables))[:1])


@pytest.mark.parametrize(
    "options,words",
    [
        (dict(loss="wasserstein"), "choose 'cross_entropy', 'hinge' or 'relativistic'"),
        (dict(r1=-1), "r1 is -1"),
        (dict(loss="hinge", label_smoothing=0.1), "has no labels"),
        (dict(penalty_every=0), "penalty_every is 0"),
        (dict(augment=["color"]), "augment='color' is not known: choose 'colour', 'translation' or 'cutout'"),
        (dict(augment=["colour", "colour"]), "give each name once"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options, words):
    with pytest.raises(gdl.CourseError) as error:
        gdl.GAN(16, 4, (4, 8), **options)
    assert words in str(error.value) and "\n" not in str(error.value)
