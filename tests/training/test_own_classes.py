"""A class that a student derives from the course's models: trained, loaded, continued, or refused before any training."""

import keras
import numpy as np
import pytest

import gdl
from gdl import models


class MyVAE(gdl.VAE):
    """As exercise 03 asks for: an option and a loss of one's own."""

    def __init__(self, *arguments, gamma=1.0, **options):
        super().__init__(*arguments, **options)
        self.gamma = gamma

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}

    def both_losses(self, x, training):
        reconstruction, kl = super().both_losses(x, training)
        return reconstruction, self.gamma * kl


class Forgetful(gdl.VAE):
    def __init__(self, image_size, z_dim, filters, gamma, **options):
        super().__init__(image_size, z_dim, filters, **options)
        self.gamma = gamma


def train(model, run, epochs):
    return gdl.train(model, gdl.DrawnFaces(60, 16), epochs, run=run, steps_per_epoch=1, batch_size=16, quiet=True)


def made():
    keras.utils.set_random_seed(1)
    return MyVAE(16, 2, (4,), gamma=3.0)


@pytest.mark.slow
def test_a_class_of_ones_own_is_loaded_and_continues(tmp_path, monkeypatch):
    whole = made()
    train(whole, tmp_path / "whole", 2)
    train(made(), tmp_path / "parts", 1)
    loaded = gdl.load(tmp_path / "parts")
    assert type(loaded) is MyVAE and loaded.gamma == 3.0
    train(loaded, tmp_path / "parts", 2)
    assert all(np.array_equal(*pair) for pair in zip(loaded.get_weights(), whole.get_weights(), strict=True))
    monkeypatch.delitem(models.OWN_CLASSES, "MyVAE")  # as in a new session
    with pytest.raises(gdl.CourseError, match=r"run.json: The model is of a class MyVAE, which is not defined here: run the cell") as error:
        gdl.load(tmp_path / "parts")
    assert "\n" not in str(error.value)


def test_an_option_that_would_be_forgotten_is_refused_before_any_training(tmp_path, monkeypatch):
    monkeypatch.setattr(gdl.VAE, "fit", lambda *arguments, **options: pytest.fail("it trains"))
    with pytest.raises(gdl.CourseError, match=r"^Forgetful takes gamma, which its get_config leaves out"):
        train(Forgetful(16, 2, (4,), 3.0), tmp_path / "run", 1)


def test_a_class_with_a_name_of_the_course_is_refused_before_any_training(tmp_path, monkeypatch):
    monkeypatch.setattr(gdl.VAE, "fit", lambda *arguments, **options: pytest.fail("it trains"))
    own = type("VAE", (gdl.VAE,), {"__module__": "__main__"})
    with pytest.raises(gdl.CourseError, match="Your class is called VAE as the course's own, which gdl.load would give back: give it another name."):
        train(own(16, 2, (4,)), tmp_path / "run", 1)
