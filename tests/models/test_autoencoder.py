"""The autoencoder and what every model does with plain arrays."""

import itertools
import re

import keras
import numpy as np
import pytest

import gdl
from gdl.data.pixels import to_float, to_uint8
from gdl.models.losses import squared_error


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (10, 32, 32, 3), np.uint8)


def test_loss_is_summed_over_pixels_and_averaged_over_the_batch(model, images):
    x = to_float(images)
    model.compile(keras.optimizers.SGD(0.0))
    x_hat = model.reconstruct(images)
    by_hand = ((x.astype("float64") - x_hat) ** 2).sum() / len(x)
    assert squared_error(x, x_hat).shape == (10,)
    assert model.evaluate(x, batch_size=10, verbose=0) == pytest.approx(by_hand, rel=1e-5)
    # the mean over a set does not depend on how it is cut into batches
    assert model.evaluate(x, batch_size=5, verbose=0) == pytest.approx(by_hand, rel=1e-5)


def test_a_pair_is_input_and_target(model, images):
    x = to_float(images)
    model.compile(keras.optimizers.SGD(0.0))
    target = np.zeros_like(x)
    expected = (model.reconstruct(images).astype("float64") ** 2).sum() / len(x)
    assert model.evaluate(x, target, batch_size=10, verbose=0) == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
def test_training_learns_to_copy():
    """Ten images, a code of ten numbers: squared error falls far below that of the best constant image."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x = np.repeat(np.repeat(rng.random((10, 4, 4, 3)), 8, axis=1), 8, axis=2).astype("float32")
    model = gdl.Autoencoder(image_size=32, z_dim=10, filters=(16, 32), batch_norm=False)
    model.compile(keras.optimizers.Adam(3e-3))
    model.fit(x, epochs=150, batch_size=10, verbose=0)
    constant = ((x - x.mean(axis=0)) ** 2).sum(axis=(1, 2, 3)).mean()
    assert model.evaluate(x, batch_size=10, verbose=0) < 0.1 * constant


def test_bytes_and_floats_give_the_same_code(model, images):
    assert np.allclose(model.encode(images), model.encode(to_float(images)))


def test_batches_inside_make_no_difference(model):
    images = np.random.default_rng(1).integers(0, 256, (300, 32, 32, 3), np.uint8)
    assert np.allclose(model.encode(images)[250:], model.encode(images[250:]), atol=1e-5)
    assert model.encode(images[:0]).shape == (0, 8)
    assert model.decode(np.zeros((0, 8))).shape == (0, 32, 32, 3)


def test_long_work_shows_how_far_it_is_and_short_work_does_not(model, images, monkeypatch, capsys):
    work = {
        "encoder": lambda n: model.encode(np.repeat(images, n, axis=0)),
        "decoder": lambda n: model.decode(np.zeros((10 * n, 8))),
        "encoder.*decoder": lambda n: model.reconstruct(np.repeat(images, n, axis=0)),
        "[^e]*decoder": lambda n: model.generate(10 * n),
    }
    for call in work.values():
        call(80)
    assert capsys.readouterr() == ("", "")
    clock = itertools.count(0, 3)  # three seconds pass from one look at it to the next
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    for name, call in work.items():
        call(80)  # 800 images are four batches
        out, err = capsys.readouterr()
        assert re.search(rf"(?s)^\r?{name}: +\d+%.*\d/4 ", out) and not err


def test_generate_is_decode_of_a_standard_normal(model):
    z = np.random.default_rng(3).standard_normal((4, 8))
    assert np.array_equal(model.generate(4, seed=3), model.decode(z))
    assert not np.array_equal(model.generate(4, seed=4), model.decode(z))


@pytest.mark.parametrize(
    "x,words",
    [
        (np.zeros((2, 64, 64, 3), np.uint8), "(n, 32, 32, 3)"),
        (np.zeros((32, 32, 3), np.uint8), "(n, 32, 32, 3); these have shape (32, 32, 3): give x[None]."),
        (np.full((2, 32, 32, 3), np.nan), "NaN or infinite"),
        (np.full((2, 32, 32, 3), 200.0), "range from 200 to 200"),
        (np.full((2, 32, 32, 3), -1.0), "range from -1 to -1: give uint8 images, 0 to 255, or floats in [0, 1]."),
    ],
)
def test_wrong_images_are_refused_in_one_sentence(model, x, words):
    with pytest.raises(gdl.CourseError) as error:
        model.encode(x)
    assert words in str(error.value)


def test_wrong_codes_are_refused(model):
    with pytest.raises(gdl.CourseError, match=r"shape \(n, 8\)"):
        model.decode(np.zeros((3, 9)))
    with pytest.raises(gdl.CourseError, match=r"shape \(8,\): give z\[None\]\.$"):
        model.decode(np.zeros(8))


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_all_bytes_survive_the_round_trip(pixel_range):
    values = np.arange(256, dtype=np.uint8)
    floats = to_float(values, pixel_range)
    assert floats.dtype == np.float32
    assert (floats.min(), floats.max()) == pixel_range
    assert np.array_equal(to_uint8(floats, pixel_range), values)


def test_round_trip_clips_and_rounds():
    assert to_uint8([-0.2, 0.0, 0.5, 1.0, 1.7]).tolist() == [0, 0, 128, 255, 255]
    with pytest.raises(gdl.CourseError, match="uint8"):
        to_float(np.zeros(3))


def test_keras_save_and_load_weights(model, images, tmp_path):
    model.save_weights(tmp_path / "ae.weights.h5")
    other = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    assert not np.allclose(other.encode(images), model.encode(images))
    other.load_weights(tmp_path / "ae.weights.h5")
    assert np.array_equal(other.encode(images), model.encode(images))
