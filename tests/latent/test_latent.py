"""Vectors of attributes, paths between codes, and codes from a Gaussian mixture instead of the prior."""

import numpy as np
import pandas as pd
import pytest

import gdl
from gdl.latent import attribute_vector, attribute_vectors, code_vector, code_vectors, lerp, mixture_codes, slerp
from gdl.models.base import FaceModel

MEANS = np.array([[-4.0, 0.0], [3.0, 5.0]])
COVARIANCES = np.array([[[1.0, 0.4], [0.4, 0.6]], [[0.3, -0.2], [-0.2, 1.2]]])
NOISE = 0.25  # variance of the posteriors


class TwoClusters(gdl.VAE):
    """A VAE whose z_mean lie in two clusters, the first with 70 % of the images."""

    def __init__(self):
        super(FaceModel, self).__init__()

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


def test_the_clusters_are_recovered(images):
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
    with pytest.raises(gdl.CourseError, match="A GAN has no encoder"):
        mixture_codes(gan, gdl.DrawnFaces(n=100, size=32).train, 5)


@pytest.fixture(scope="module")
def toy():
    """Codes that are sums of what each attribute adds. Lipstick goes with smiles, and glasses with neither."""
    rng = np.random.default_rng(1)
    smiling = rng.random(4000) < 0.5
    table = pd.DataFrame({"Smiling": smiling, "Lipstick": rng.random(4000) < np.where(smiling, 0.7, 0.2), "Glasses": rng.random(4000) < 0.1})
    adds = pd.DataFrame(rng.standard_normal((3, 5)), table.columns)
    return table.to_numpy(float) @ adds.to_numpy() + 3, table, adds


def test_a_plain_vector_holds_what_goes_along_and_a_balanced_one_does_not(toy):
    z, table, adds = toy
    for name in table.columns:
        more = table[table[name]].mean() - table[~table[name]].mean()  # how much commoner each attribute is; 1 for this one
        plain = code_vector(z, table, name)
        assert plain.shape == (5,) and plain.dtype == np.float32
        np.testing.assert_allclose(plain, more @ adds, atol=1e-6)
        np.testing.assert_allclose(code_vector(z, table, name, balanced=True), adds.loc[name], atol=1e-6)
    lipstick = code_vector(z, table, "Smiling") - adds.loc["Smiling"]
    assert lipstick @ adds.loc["Lipstick"] / (adds.loc["Lipstick"] ** 2).sum() == pytest.approx(0.5, abs=0.05)  # 0.7 less 0.2


def test_the_balanced_vector_is_recovered_from_noise(toy):
    z, table, adds = toy
    z = z + np.random.default_rng(2).standard_normal(z.shape)
    for name, share in table.mean().items():
        error = np.abs(code_vector(z, table, name, balanced=True) - adds.loc[name]).max()
        assert error < 4 / np.sqrt(4000 * share * (1 - share) * 0.7)  # standard errors; of Smiling, 3/4 of the variance are its own


def test_columns_that_say_the_same_the_opposite_or_nothing_change_nothing(toy):
    z, table, adds = toy
    more = table.assign(Again=table["Smiling"], Not=~table["Smiling"], All=True, No=False)
    for name in table.columns:
        np.testing.assert_allclose(code_vector(z, more, name, balanced=True), adds.loc[name], atol=1e-6)
    np.testing.assert_allclose(code_vector(z, more, "Not", balanced=True), -adds.loc["Smiling"], atol=1e-6)
    assert list(code_vectors(z, more).index) == ["Smiling", "Lipstick", "Glasses", "Again", "Not"]  # not those that never vary


def test_of_groups_that_exclude_each_other_each_is_compared_with_the_mean_of_all():
    hair = np.random.default_rng(3).integers(0, 3, 600)
    table = pd.DataFrame({name: hair == i for i, name in enumerate(("Black", "Brown", "Blond"))})
    centres = np.array([[0.0, 1.0], [3.0, 0.0], [0.0, 5.0]])
    vectors = code_vectors(centres[hair], table, balanced=True)
    np.testing.assert_allclose(vectors, centres - centres.mean(axis=0), atol=1e-6)


def test_vectors_of_a_split_are_those_of_its_codes():
    split = gdl.DrawnFaces(n=100, size=32).train
    vae = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8))
    z = vae.encode(split.images)
    smile = z[split.attributes["Smiling"]].mean(0) - z[~split.attributes["Smiling"]].mean(0)
    np.testing.assert_allclose(attribute_vector(vae, split, "Smiling"), smile, atol=1e-5)
    table = attribute_vectors(vae, split)
    varied = split.attributes.columns[split.attributes.nunique() == 2]
    assert list(table.index) == list(varied) and table.shape[1] == 4 and (table.dtypes == np.float32).all()
    np.testing.assert_allclose(table.loc["Smiling"], smile, atol=1e-5)
    np.testing.assert_array_equal(attribute_vectors(vae, split, balanced=True).loc["Male"], attribute_vector(vae, split, "Male", balanced=True))


def test_attributes_without_a_vector_are_refused(toy):
    z, table, _ = toy
    with pytest.raises(gdl.CourseError, match="did you mean Smiling"):
        code_vector(z, table, "smiling")
    with pytest.raises(gdl.CourseError, match="choose from Smiling, Lipstick, Glasses"):
        code_vector(z, table, "Hat")
    with pytest.raises(gdl.CourseError, match="All of the 4000 images have All"):
        code_vector(z, table.assign(All=True), "All")
    with pytest.raises(gdl.CourseError, match="None of the 4000 images have No"):
        code_vector(z, table.assign(No=False), "No", balanced=True)
    with pytest.raises(gdl.CourseError, match="10 codes and attributes of 4000"):
        code_vector(z[:10], table, "Smiling")
    split = gdl.data.Split(np.zeros((4000, 32, 32, 3), np.uint8), table, np.arange(4000).astype(str))
    with pytest.raises(gdl.CourseError, match="no encoder"):
        attribute_vector(gdl.GAN(image_size=32, z_dim=4, filters=(4, 8)), split, "Smiling")
    with pytest.raises(gdl.CourseError, match="give a split"):
        attribute_vector(None, split.images, "Smiling")


T = np.linspace(0, 1, 11)


def lengths(codes):
    return np.linalg.norm(codes, axis=1)


@pytest.mark.parametrize("way", [lerp, slerp])
def test_ways_begin_and_end_at_the_codes(way):
    z_1, z_2 = np.random.default_rng(0).standard_normal((2, 64)).astype(np.float32)
    codes = way(z_1, z_2, T)
    assert codes.shape == (11, 64) and codes.dtype == np.float32
    assert np.array_equal(codes[0], z_1) and np.array_equal(codes[-1], z_2)
    assert np.array_equal(way(z_1, z_2, 0.5), codes[5:6])


def test_slerp_turns_evenly_and_keeps_the_length():
    z_1, z_2 = np.random.default_rng(0).standard_normal((2, 64))
    z_2 *= np.linalg.norm(z_1) / np.linalg.norm(z_2)
    codes = slerp(z_1, z_2, T).astype(float)
    np.testing.assert_allclose(lengths(codes), np.linalg.norm(z_1), rtol=1e-6)
    units = codes / lengths(codes)[:, None]
    whole = np.arccos(units[0] @ units[-1])
    np.testing.assert_allclose(np.arccos((units[:-1] * units[1:]).sum(axis=1)), whole / 10, rtol=1e-4)
    shoemake = (np.sin((1 - T) * whole)[:, None] * z_1 + np.sin(T * whole)[:, None] * z_2) / np.sin(whole)
    np.testing.assert_allclose(codes, shoemake, atol=1e-5)
    assert lengths(lerp(z_1, z_2, T)).min() < 0.8 * np.linalg.norm(z_1)


def test_between_codes_of_other_lengths_the_length_goes_straight():
    z_1, z_2 = np.array([3.0, 0, 0]), np.array([0, 1.0, 0])
    codes = slerp(z_1, z_2, T)
    np.testing.assert_allclose(lengths(codes), 3 - 2 * T, rtol=1e-6)
    np.testing.assert_allclose(np.degrees(np.arctan2(codes[:, 1], codes[:, 0])), 90 * T, atol=1e-4)
    np.testing.assert_allclose(slerp(z_2, z_1, 1 - T), codes, atol=1e-6)


def test_parallel_and_opposite_codes_have_a_way_too():
    z = np.random.default_rng(0).standard_normal(64)
    for near in (z, z * (1 + 1e-9), z + 1e-12):
        np.testing.assert_allclose(slerp(z, near, T), np.tile(z, (11, 1)), rtol=1e-5)
    np.testing.assert_allclose(slerp(z, 3 * z, T), (1 + 2 * T)[:, None] * z, rtol=1e-5)
    for other in (-z, -z + 1e-13):
        codes = slerp(z, other, T)
        np.testing.assert_allclose(lengths(codes), np.linalg.norm(z), rtol=1e-6)
        np.testing.assert_allclose(codes @ z / (z @ z), np.cos(np.pi * T), atol=1e-6)
    for way in (slerp(z, 0 * z, T), slerp(0 * z, z, 1 - T)):
        np.testing.assert_allclose(way, (1 - T)[:, None] * z, atol=1e-6)
    assert np.isfinite(slerp([2.0], [-1.0], T)).all() and not slerp(0 * z, 0 * z, T).any()


def test_ends_of_a_way_are_single_codes():
    with pytest.raises(gdl.CourseError, match=r"\(4,\) and \(5,\)"):
        lerp(np.zeros(4), np.zeros(5), T)
    with pytest.raises(gdl.CourseError, match=r"z\[0\]"):
        slerp(np.zeros((2, 4)), np.zeros((2, 4)), T)
