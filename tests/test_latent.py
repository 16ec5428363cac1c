"""Codes from a Gaussian mixture instead of the prior."""

import numpy as np
import pytest

import gdl
from gdl.latent import mixture_codes

MEANS = np.array([[-4.0, 0.0], [3.0, 5.0]])
COVARIANCES = np.array([[[1.0, 0.4], [0.4, 0.6]], [[0.3, -0.2], [-0.2, 1.2]]])
NOISE = 0.25  # variance of the posteriors


class TwoClusters:
    """A VAE whose z_mean lie in two clusters, the first with 70 % of the images."""

    def posterior(self, x):
        codes = []
        for i in np.asarray(x)[:, 0, 0, 0]:
            rng = np.random.default_rng([7, int(i)])
            cluster = int(rng.random() > 0.7)
            codes.append(rng.multivariate_normal(MEANS[cluster], COVARIANCES[cluster] - NOISE * np.eye(2)))
        return np.array(codes, np.float32), np.full((len(x), 2), np.log(NOISE), np.float32)


@pytest.fixture(scope="module")
def images():
    return np.arange(4000).reshape(-1, 1, 1, 1) * np.ones((1, 1, 1, 3), int)


def test_the_clusters_are_found_again(images):
    codes = mixture_codes(TwoClusters(), images, 20_000, components=2)
    assert codes.shape == (20_000, 2) and codes.dtype == np.float32
    first = codes[:, 0] + codes[:, 1] < 2
    assert first.mean() == pytest.approx(0.7, abs=0.03)
    for cluster, mean, covariance in zip((first, ~first), MEANS, COVARIANCES):
        np.testing.assert_allclose(codes[cluster].mean(0), mean, atol=0.06)
        np.testing.assert_allclose(np.cov(codes[cluster].T), covariance, atol=0.08)  # with the noise of the posteriors


def test_the_codes_come_in_random_order(images):
    codes = mixture_codes(TwoClusters(), images[:500], 2000, components=2)
    first = codes[:, 0] + codes[:, 1] < 2
    assert first[:1000].mean() == pytest.approx(first[1000:].mean(), abs=0.08)


def test_the_seed_decides(images):
    codes = [mixture_codes(TwoClusters(), images[:300], 50, components=2, seed=seed) for seed in (0, 0, 1)]
    assert np.array_equal(codes[0], codes[1])
    assert not np.isin(codes[0], codes[2]).any()


def test_a_real_model_gives_codes_to_decode():
    faces = gdl.DrawnFaces(n=100, size=32)
    vae = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8))
    codes = mixture_codes(vae, faces.train, 7, components=3)
    assert codes.shape == (7, 4) and vae.decode(codes).shape == (7, 32, 32, 3)
    autoencoder = gdl.Autoencoder(image_size=32, z_dim=4, filters=(4, 8))
    codes = mixture_codes(autoencoder, faces.train.images, 2000, components=2)
    z = autoencoder.encode(faces.train.images)
    np.testing.assert_allclose(codes.mean(0), z.mean(0), atol=5 * z.std(0).max() / 2000**0.5)


def test_what_cannot_be_fitted_is_refused(images):
    with pytest.raises(gdl.CourseError, match="30 images, or fewer components"):
        mixture_codes(TwoClusters(), images[:29], 5, components=10)
    mixture_codes(TwoClusters(), images[:30], 5, components=10)
    gan = gdl.GAN(image_size=32, z_dim=4, filters=(4, 8))
    with pytest.raises(gdl.CourseError, match="no encoder"):
        mixture_codes(gan, gdl.DrawnFaces(n=100, size=32).train, 5)
