"""Differentiable augmentation: what each change does to an image, and that the generator learns through it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import step, values

import gdl
from gdl.models.augmentation import AUGMENTATIONS, augmented, colour, cutout, translation

X = np.random.default_rng(0).uniform(-1, 1, (200, 16, 16, 3)).astype("float32")


def seed():
    return keras.random.SeedGenerator(3)


def test_translation_moves_each_image_by_whole_pixels_and_fills_with_grey():
    """Each result is the image moved by one of the 25 ways; all of them happen about equally often."""
    moved, counts = translation(X, seed()).numpy(), np.zeros((5, 5))
    for image, result in zip(np.pad(X, ((0, 0), (2, 2), (2, 2), (0, 0))), moved):
        ways = [(i, j) for i in range(5) for j in range(5) if np.array_equal(image[i : i + 16, j : j + 16], result)]
        assert len(ways) == 1
        counts[ways[0]] += 1
    assert counts.sum() == 200 and (counts > 0).all() and counts.max() < 25  # 8 expected


def test_cutout_makes_a_square_of_half_the_size_grey():
    changed = cutout(X, seed()).numpy()
    holes = (changed == 0).all(axis=3)
    assert np.array_equal(np.where(holes[..., None], 0, X), changed), "all else stays"
    for hole in holes:
        rows, columns = hole.any(axis=1).nonzero()[0], hole.any(axis=0).nonzero()[0]
        assert hole.sum() == len(rows) * len(columns) and np.ptp(rows) == len(rows) - 1, "one rectangle"
        for side in (rows, columns):
            assert len(side) == 8 or 4 <= len(side) < 8 and (side[0] == 0 or side[-1] == 15), "smaller only at the border"


def test_colour_changes_brightness_saturation_and_contrast():
    """Of a result all three can be computed back: they are in their ranges, fill them, and explain every pixel."""
    changed = colour(X, seed()).numpy().astype("f8")
    x = X.astype("f8")
    grey, mean = (x.mean(axis=axes, keepdims=True) for axes in (3, (1, 2, 3)))
    new_grey, new_mean = (changed.mean(axis=axes, keepdims=True) for axes in (3, (1, 2, 3)))
    brightness = (new_mean - mean).ravel()
    contrast = ((new_grey - new_mean) * (grey - mean)).sum(axis=(1, 2, 3)) / ((grey - mean) ** 2).sum(axis=(1, 2, 3))
    both = ((changed - new_grey) * (x - grey)).sum(axis=(1, 2, 3)) / ((x - grey) ** 2).sum(axis=(1, 2, 3))
    saturation = both / contrast
    for values_, low, high in ((brightness, -0.5, 0.5), (contrast, 0.5, 1.5), (saturation, 0, 2)):
        span = high - low
        assert low - 1e-5 < values_.min() < low + 0.05 * span and high - 0.05 * span < values_.max() < high + 1e-5
    b, c, s = (v[:, None, None, None] for v in (brightness, contrast, saturation))
    assert changed == pytest.approx(mean + b + c * (grey - mean + s * (x - grey)), abs=1e-5)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_gradients_pass_through_a_change(name):
    """Against differences of the output, along a random direction."""
    x, direction = tf.constant(X[:3]), np.random.default_rng(1).normal(size=(3, 16, 16, 3)).astype("float32")
    weights = np.random.default_rng(2).normal(size=(3, 16, 16, 3)).astype("float32")

    def total(x):
        return tf.reduce_sum(weights * augmented(x, (name,), seed()))

    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = total(x)
    slope = np.vdot(tape.gradient(loss, x).numpy().astype("f8"), direction)
    difference = float(total(x + 0.05 * direction) - total(x - 0.05 * direction)) / 0.1
    assert slope == pytest.approx(difference, rel=2e-3) and abs(slope) > 0.1


@pytest.mark.parametrize("kind", [gdl.GAN, gdl.WGANGP])
@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_the_critic_sees_only_changed_images_and_the_generator_learns(kind, pixel_range, monkeypatch):
    keras.utils.set_random_seed(0)
    model = kind(16, 4, (4, 8), critic_steps=1, pixel_range=pixel_range, augment=("translation", "cutout"))
    model.compile(*(keras.optimizers.SGD(0.1) for _ in range(2)), run_eagerly=True)
    low, high = pixel_range
    x = (low + (high - low) * np.random.default_rng(0).random((8, 16, 16, 3))).astype("float32")
    seen, original = [], model.critic_loss
    before = values(model.generator.trainable_variables)
    monkeypatch.setattr(model, "critic_loss", lambda real, fake, training: seen.append(np.asarray(real)) or original(real, fake, training))
    step(model, x)
    grey = ((seen[0] == (low + high) / 2).all(axis=3)).mean(axis=(1, 2))
    assert (grey > 0.05).all(), "a part of every real image is grey"
    assert any(not np.array_equal(*pair) for pair in zip(before, values(model.generator.trainable_variables)))


def test_off_nothing_changes():
    """No number is drawn, so that a model without augmentation trains as it did."""
    model = gdl.GAN(16, 4, (4, 8))
    state = model.seed_generator.state.numpy()
    assert model.augmented(X) is X and np.array_equal(state, model.seed_generator.state.numpy())
    assert augmented(X, (), seed()) is X


def test_validation_sees_images_as_they_are():
    model = gdl.GAN(16, 4, (4, 8), augment=("cutout",))
    model.compile(run_eagerly=True)
    seen, original = [], model.critic_loss
    model.critic_loss = lambda real, fake, training: seen.append(np.asarray(real)) or original(real, fake, training)
    model.evaluate(X[:4] / 2 + 0.5, verbose=0)
    assert np.array_equal(seen[0], X[:4] / 2 + 0.5)
