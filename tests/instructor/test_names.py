"""The student and the exercise in a file's name."""

import pytest
from submissions import EXERCISES

from gdl.instructor.grading import names


@pytest.mark.parametrize(("text", "exercise"), [
    ("02_vae", "02_vae"), ("my 02-VAE final", "02_vae"), ("Exercise_2", "02_vae"), ("ex02", "02_vae"), ("2.ipynb", "02_vae"), ("hw 5", "05_wgan"),
    ("vae", "02_vae"), ("06_wgan_gp", "06_wgan_gp"), ("WGAN-GP", "06_wgan_gp"), ("wgan", "05_wgan"), ("exercise 12", None), ("2024_final", None),
    ("solution2", None), ("vae and autoencoder", None),
])  # fmt: skip
def test_the_exercise_in_a_name(text, exercise):
    assert names.find_exercise(text, EXERCISES)[0] == exercise
