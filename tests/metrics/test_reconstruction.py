"""Mean squared error, SSIM and correlation against definitions of their own."""

import numpy as np
import pytest
from scipy import ndimage, stats

from gdl.errors import CourseError
from gdl.metrics.reconstruction import mean_squared_error, pearson, ssim


@pytest.fixture(scope="module")
def pair():
    """Six smooth images, and the same with blur, noise, less contrast, other brightness; the fifth is inverted, the last unchanged."""
    rng = np.random.default_rng(0)
    x = np.stack([ndimage.gaussian_filter(rng.random((24, 20, 3)), (3, 3, 0)) for _ in range(6)])
    x = (x - x.min()) / (x.max() - x.min())
    y = x.copy()
    y[0] = ndimage.gaussian_filter(x[0], (2, 2, 0))
    y[1] = np.clip(x[1] + 0.1 * rng.standard_normal(x[1].shape), 0, 1)
    y[2], y[3], y[4] = 0.5 * x[2] + 0.25, 0.8 * x[3], 1 - x[4]
    return x.astype("float32"), y.astype("float32")


def own_ssim(x, y):
    """Wang et al. 2004 written out for one image: a Gaussian window of 11 x 11, only where it lies inside the image."""
    x, y = x.astype(float), y.astype(float)

    def blur(image):  # truncated at 5 pixels
        return ndimage.gaussian_filter(image, (1.5, 1.5, 0), truncate=5 / 1.5)[5:-5, 5:-5]

    c_1, c_2 = 0.01**2, 0.03**2
    mean_x, mean_y = blur(x), blur(y)
    var_x, var_y, both = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    similar = (2 * mean_x * mean_y + c_1) * (2 * both + c_2) / ((mean_x**2 + mean_y**2 + c_1) * (var_x + var_y + c_2))
    return similar.mean()


def test_ssim_is_the_papers(pair):
    values = ssim(*pair)
    np.testing.assert_allclose(values, [own_ssim(x, y) for x, y in zip(*pair)], atol=2e-5)
    assert values[5] == pytest.approx(1) and np.all(values[:5] < 0.995) and values[4] < 0


def test_ssim_works_through_more_images_than_a_batch():
    x, y = np.random.default_rng(0).random((2, 300, 11, 11, 3)).astype("float32")
    values = ssim(x, y)
    assert values.shape == (300,) and values.dtype == np.float64
    np.testing.assert_allclose(values[[0, 255, 256, 299]], ssim(x[[0, 255, 256, 299]], y[[0, 255, 256, 299]]), rtol=1e-6)


def test_mean_squared_error_by_hand(pair):
    x, y = pair
    np.testing.assert_allclose(mean_squared_error(x, y), [np.mean((a - b) ** 2) for a, b in zip(x, y)], rtol=1e-5)
    black, white = np.zeros((2, 4, 5, 3)), np.full((2, 4, 5, 3), 255, np.uint8)
    assert mean_squared_error(black, white).tolist() == [1, 1]
    assert mean_squared_error(white, white).tolist() == [0, 0]


def test_pearson_is_scipys(pair):
    values = pearson(*pair)
    np.testing.assert_allclose(values, [stats.pearsonr(x.ravel(), y.ravel())[0] for x, y in zip(*pair)], atol=1e-6)
    assert values[2:] == pytest.approx([1, 1, -1, 1])  # neither contrast nor brightness counts


@pytest.mark.parametrize("grey", [0.0, 0.1, 1 / 3, 1.0])
def test_pearson_of_a_constant_image_is_zero(pair, grey):
    constant = np.full_like(pair[0], grey)
    assert pearson(constant, pair[1]).tolist() == pearson(pair[1], constant).tolist() == [0] * 6
    assert pearson(constant, constant).tolist() == [0] * 6


def test_pearson_sees_a_single_pixel():
    x = np.full((1, 64, 64, 3), 100, np.uint8)
    x[0, 3, 4, 1] = 101
    assert pearson(x, x)[0] == pytest.approx(1)
    assert pearson(x, 200 - x)[0] == pytest.approx(-1)


@pytest.mark.parametrize("compare", [mean_squared_error, ssim, pearson])
def test_bytes_and_floats_compare_alike(compare, pair):
    x, y = (np.rint(images * 255).astype(np.uint8) for images in pair)
    expected = compare(x, y)
    assert expected.shape == (6,) and expected.dtype == np.float64
    np.testing.assert_allclose(compare(x / 255, y), expected, atol=1e-6)
    np.testing.assert_allclose(compare(x, (y / 255).astype("float32")), expected, atol=1e-6)
    np.testing.assert_allclose(compare((x / 127.5 - 1).astype("float32"), y, pixel_range=(-1, 1)), expected, atol=1e-5)
    assert compare(x[:0], y[:0]).shape == (0,)


@pytest.mark.parametrize("compare", [mean_squared_error, ssim, pearson])
def test_images_that_do_not_fit_are_named(compare, pair):
    x, y = pair
    with pytest.raises(CourseError, match="the same shape"):
        compare(x, y[:3])
    with pytest.raises(CourseError, match=r"\(n, height, width, 3\)"):
        compare(x[0], y[0])
    with pytest.raises(CourseError, match=r"from -1 to 1: give pixel_range=\(-1, 1\)"):
        compare(x, 2 * np.round(y) - 1)
    with pytest.raises(CourseError, match="floats in"):
        compare((x * 255).astype("int32"), y)
    with pytest.raises(CourseError, match="diverged"):
        compare(x, np.where(y > 0.5, np.nan, y))


def test_ssim_of_images_smaller_than_its_window():
    with pytest.raises(CourseError, match="these images have 10 x 12"):
        ssim(np.zeros((1, 10, 12, 3)), np.zeros((1, 10, 12, 3)))
