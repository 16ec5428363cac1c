"""The codes of given images: against the solution of a linear decoder, and with a GAN's own images."""

import keras
import numpy as np
import pytest

import gdl
from gdl.latent import project


def test_for_a_linear_decoder_it_is_ridge_regression(monkeypatch):
    vae = gdl.VAE(image_size=8, z_dim=3, filters=(4,))
    dense = keras.layers.Dense(192)
    linear = keras.Sequential([keras.Input((3,)), dense, keras.layers.Reshape((8, 8, 3))])
    monkeypatch.setattr(gdl.VAE, "decoder", property(lambda self: linear), raising=False)
    rng = np.random.default_rng(0)
    weights, bias, x = rng.normal(0, 0.3, (3, 192)), rng.uniform(size=192), rng.uniform(size=(4, 8, 8, 3)).astype(np.float32)
    dense.set_weights([weights, bias])
    for beta in (0.0, 20.0):
        exact = np.linalg.solve(weights @ weights.T + beta / 2 * np.eye(3), weights @ (x.reshape(4, 192) - bias).T).T
        np.testing.assert_allclose(project(vae, x, steps=1000, beta=beta), exact, atol=2e-3)


def test_it_begins_at_the_nearest_of_the_random_codes_and_never_changes_the_model():
    gan = gdl.GAN(image_size=16, z_dim=4, filters=(4, 8), ema=0.9)
    before = [np.array(weight) for weight in gan.get_weights()]
    z = np.random.default_rng(0).standard_normal((512, 4))[[7, 300]]
    found = project(gan, gan.decode(z), steps=1, learning_rate=1e-6, seed=0)
    np.testing.assert_allclose(found, z, atol=1e-4)
    assert all(np.array_equal(a, b) for a, b in zip(before, gan.get_weights()))
    assert project(gan, np.zeros((0, 16, 16, 3), np.uint8)).shape == (0, 4)


@pytest.mark.slow
def test_an_image_of_the_gan_is_found_again():
    gan = gdl.pretrained("gan-celeba64")
    images = gan.decode(np.random.default_rng(5).standard_normal((2, 128)))
    found = project(gan, images, steps=60, learning_rate=0.1)

    def errors(codes):
        return gdl.metrics.mean_squared_error(images, gan.decode(codes), (-1, 1))

    assert (errors(found) < 0.4 * errors(project(gan, images, steps=1, learning_rate=1e-6))).all()
    assert np.median(np.linalg.norm(found, axis=1)) < 1.3 * np.sqrt(128), "no longer than random codes"
