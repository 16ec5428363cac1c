"""Bytes and floats: the conversion, and which arrays are images."""

import numpy as np
import pytest

import gdl
from gdl.data.pixels import check_images, check_pixel_range, checked_uint8, to_float, to_uint8

BYTES = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_bytes_become_floats_and_the_same_bytes_again(pixel_range):
    floats = to_float(BYTES, pixel_range)
    assert floats.dtype == np.float32 and (floats[0], floats[-1]) == pixel_range
    assert np.array_equal(to_uint8(floats, pixel_range), BYTES)
    assert to_uint8([-7.0, 7.0], pixel_range).tolist() == [0, 255]
    with pytest.raises(gdl.CourseError, match="takes uint8 images, 0 to 255; these are float32"):
        to_float(floats, pixel_range)


@pytest.mark.parametrize("pixel_range", [(0, 255), (-1, 0), 1, None, "01", ((0, 1), (0, 1)), np.eye(2)])
def test_other_pixel_ranges_are_refused(pixel_range):
    with pytest.raises(gdl.CourseError, match=r"choose \(0, 1\) or \(-1, 1\)"):
        check_pixel_range(pixel_range)


def test_images_pass_as_they_are():
    bytes_, floats = np.zeros((2, 4, 6, 3), np.uint8), np.full((2, 4, 4, 3), 1.0009)
    assert check_images(bytes_) is bytes_ and check_images(floats, size=4) is floats
    assert check_images(-floats, (-1, 1)).min() == -1.0009  # a rounding error
    assert check_images(np.zeros((0, 4, 4, 3))).shape == (0, 4, 4, 3)
    assert checked_uint8(bytes_) is bytes_ and checked_uint8(floats).max() == 255


@pytest.mark.parametrize(
    "images, options, said",
    [
        (np.zeros((4, 4, 3)), {}, r"shape \(n, height, width, 3\); these have shape \(4, 4, 3\): give x\[None\]"),
        (np.zeros((1, 4, 4, 1)), {}, r"these have shape \(1, 4, 4, 1\)\.$"),
        (np.zeros((1, 4, 4, 3)), {"size": 8}, r"shape \(n, 8, 8, 3\); these have shape \(1, 4, 4, 3\)"),
        ([np.zeros((4, 4, 3)), np.zeros((5, 5, 3))], {}, "have different shapes"),
        (7, {}, r"these have shape \(\)"),
        (np.full((1, 4, 4, 3), -0.5), {}, r"should be in \[0, 1\]; these range from -0.5 to -0.5: give pixel_range=\(-1, 1\)"),
        (np.full((1, 4, 4, 3), 128.0), {}, r"range from 128 to 128: give uint8 images, 0 to 255, or floats in \[0, 1\]"),
        (np.full((1, 4, 4, 3), -3.0), {"pixel_range": (-1, 1)}, r"or floats in \[-1, 1\]"),
        (np.full((1, 4, 4, 3), np.nan), {}, "NaN or infinite, because the model has diverged"),
        (np.full((1, 4, 4, 3), np.inf), {}, "NaN or infinite, because the model has diverged"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(images, options, said):
    with pytest.raises(gdl.CourseError, match=said) as caught:
        check_images(images, **options)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None
