"""Edits of codes, judged by a classifier: exact on a model that paints its code and a classifier that reads it."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import gdl
from gdl.latent.edits import flips

NAMES = ["Red", "Green", "Blue"]


class Painter:
    """Its code is the colour of the image, in [-1, 1]."""

    architecture = SimpleNamespace(pixel_range=(-1, 1))

    def decode(self, z):
        return np.clip(z, -1, 1)[:, None, None, :] * np.ones((1, 4, 4, 1), np.float32)


class Reader:
    """A colour is there with the probability of its brightness."""

    def predict_attributes(self, images):
        assert images.dtype == np.uint8
        return pd.DataFrame(images.mean(axis=(1, 2)) / 255, columns=NAMES)


@pytest.fixture
def z():
    """Ten faces with less and less red, 0.7, 0.5 ... -1.1; all of them green, none of them blue."""
    return np.stack([np.linspace(0.7, -1.1, 10), np.full(10, 0.4), np.full(10, -0.4)], axis=1).astype(np.float32)


def test_every_number_is_what_the_code_says(z):
    vectors = pd.DataFrame([[0.45, 0.2, 0.0], [0.0, 1.0, 0.0], [0.0, -0.4, 0.1]], NAMES, dtype=np.float32)
    table = flips(Painter(), Reader(), z, vectors)
    red, green, blue = (table.loc[name] for name in NAMES)
    # 0.3 and 0.1 fall below 0 when they lose 0.45, 0.7 and 0.5 do not; of the six below 0, -0.1 and -0.3 come above it
    assert (red["with"], red["loses"], red["without"], red["gains"]) == (4, 0.5, 6, pytest.approx(2 / 6))
    # a step of 0.45 is 0.225 of the range from -1 to 1, but for the last, which begins outside of it
    assert red["own"] == pytest.approx((9 * 0.225 + 0.175) / 10, abs=0.004)
    assert red["others"] == pytest.approx((0.1 + 0) / 2, abs=0.004)
    assert red["most moved"] == "Green" and red["by"] == pytest.approx(0.1, abs=0.005)
    assert (green["with"], green["without"], green["loses"]) == (10, 0, 1) and np.isnan(green["gains"])
    assert green["others"] == 0 and green["by"] == 0
    assert (blue["with"], blue["gains"]) == (0, 0) and np.isnan(blue["loses"])
    assert blue["most moved"] == "Green" and blue["by"] == pytest.approx(-0.2, abs=0.005)


def test_alpha_is_a_number_or_one_for_each_attribute(z):
    vectors = pd.DataFrame([[0.1, 0.0, 0.0], [0.0, 0.1, 0.0]], NAMES[:2], dtype=np.float32)
    each = flips(Painter(), Reader(), z, vectors, pd.Series({"Green": 6, "Red": 3}))
    assert list(each.index) == ["Red", "Green"]
    pd.testing.assert_series_equal(each.loc["Red"], flips(Painter(), Reader(), z, vectors, 3).loc["Red"])
    pd.testing.assert_series_equal(each.loc["Green"], flips(Painter(), Reader(), z, vectors * 6).loc["Green"])
    nothing = flips(Painter(), Reader(), z, vectors, 0)
    assert not nothing[["gains", "others", "own"]].fillna(0).to_numpy().any()


def test_a_vector_that_the_classifier_does_not_know_is_refused(z):
    with pytest.raises(gdl.CourseError, match="does not know Hat"):
        flips(Painter(), Reader(), z, pd.DataFrame(np.zeros((1, 3)), ["Hat"]))


def test_models_of_the_course_are_judged():
    names = ("Smiling", "Male")
    classifier = gdl.AttributeClassifier(32, names, filters=(4, 8))
    vectors = pd.DataFrame(np.eye(2, 4), names)
    z = np.random.default_rng(0).standard_normal((6, 4))
    for model in (gdl.VAE(32, 4, (4, 8)), gdl.WGANGP(32, 4, (4, 8), pixel_range=(-1, 1))):
        table = flips(model, classifier, z, vectors)
        assert (table["with"] + table["without"] == 6).all() and np.isfinite(table["others"].astype(float)).all()
