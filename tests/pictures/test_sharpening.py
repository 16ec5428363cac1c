"""gdl.sharpen against Pillow itself, against the convolution written out, and against a true Gaussian."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from scipy import ndimage

import gdl
from gdl.errors import CourseError

FACTORS = (0, 0.5, 2, 2.5, 3, 6, 7)
SHAPES = ((4, 16, 16, 3), (2, 17, 9, 3), (1, 5, 24, 3), (3, 3, 3, 3), (2, 1, 2, 3), (11, 8, 3))
RANGES = ((0, 1), (-1, 1))
KERNEL = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]]) / 13


def noise(shape, seed=0):
    """Bytes of every value, some of them in smooth patches: sharpening both clips and does not."""
    images = np.random.default_rng(seed).integers(0, 256, shape, np.uint8)
    images[..., : shape[-2] // 2, :] //= 8
    images[..., : shape[-2] // 2, :] += 100
    return images


def to_floats(images, pixel_range, dtype=np.float32):
    low, high = pixel_range
    return (images / 255 * (high - low) + low).astype(dtype)


def convolved(images):
    """SMOOTH written out, with Pillow's rounding: the sum plus one half, cut off; the outermost pixels stay."""
    batch = images.reshape(-1, *images.shape[-3:])
    smoothed = batch.copy()
    inside = sum(
        KERNEL[1 + dy, 1 + dx] * batch[:, 1 + dy : batch.shape[1] - 1 + dy, 1 + dx : batch.shape[2] - 1 + dx].astype(float)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
    )
    if inside.size:
        smoothed[:, 1:-1, 1:-1] = np.floor(inside + 0.5)
    return smoothed.reshape(images.shape)


def blended(smoothed, images, factor):
    """Pillow's blend: cut off to whole numbers after clipping, not rounded."""
    exact = smoothed.astype(float) + factor * (images.astype(float) - smoothed)
    return np.clip(exact, 0, 255).astype(np.uint8)


def one_by_one(images, change):
    batch = images.reshape(-1, *images.shape[-3:])
    return np.stack([np.asarray(change(Image.fromarray(image))) for image in batch]).reshape(images.shape)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("factor", FACTORS)
def test_bytes_are_pillows_and_the_convolutions(shape, factor):
    images = noise(shape)
    before = images.copy()
    sharpened = gdl.sharpen(images, factor)
    assert sharpened.dtype == np.uint8 and sharpened.shape == shape
    assert np.array_equal(sharpened, one_by_one(images, lambda image: ImageEnhance.Sharpness(image).enhance(factor)))
    assert np.array_equal(sharpened, blended(convolved(images), images, factor))
    assert np.array_equal(images, before), "the images that were given are left alone"


@pytest.mark.parametrize("pixel_range", RANGES, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("dtype", (np.float16, np.float32, np.float64))
@pytest.mark.parametrize("method", ("sharpness", "unsharp"))
def test_floats_are_the_bytes_in_their_range(pixel_range, shape, dtype, method):
    images = noise(shape)
    floats = to_floats(images, pixel_range, dtype)
    for factor in (0, 3, 7):
        sharpened = gdl.sharpen(floats, factor, method, pixel_range)
        assert sharpened.dtype == np.float32 and sharpened.shape == shape
        np.testing.assert_allclose(sharpened, to_floats(gdl.sharpen(images, factor, method), pixel_range), atol=1e-6)
        assert sharpened.min() >= pixel_range[0] and sharpened.max() <= pixel_range[1]


def test_scipy_agrees_inside_within_rounding():
    images = ndimage.gaussian_filter(noise((1, 40, 40, 3)), (0, 2, 2, 0))[0]  # no pixel is clipped
    x = images.astype(float)
    smoothed = ndimage.convolve(x, KERNEL[..., None])
    for factor in (0, 3, 7):
        exact = smoothed + factor * (x - smoothed)
        assert 0 <= exact.min() and exact.max() <= 255
        error = (gdl.sharpen(images, factor) - exact)[1:-1, 1:-1]
        assert np.abs(error).max() <= abs(1 - factor) / 2 + 1e-3, "only the smoothed image was rounded"


def test_rounding_to_bytes_costs_about_factor_grey_levels():
    rng = np.random.default_rng(0)
    x = ndimage.gaussian_filter(rng.random((60, 60, 3)), (3, 3, 0))
    x = 0.2 + 0.6 * (x - x.min()) / (x.max() - x.min())  # between the grey levels
    smoothed = ndimage.convolve(x, KERNEL[..., None])
    for factor in (3, 7):
        error = 255 * (gdl.sharpen(x, factor) - smoothed - factor * (x - smoothed))[1:-1, 1:-1]
        assert factor / 3 < np.abs(error).max() < factor + 1
        assert abs(error.mean()) < 0.1, "and makes nothing brighter or darker"


@pytest.mark.parametrize("method", ("sharpness", "unsharp"))
def test_factor_1_is_the_identity(method):
    images = noise((2, 9, 7, 3))
    sharpened = gdl.sharpen(images, 1, method)
    assert np.array_equal(sharpened, images) and sharpened is not images and not np.shares_memory(sharpened, images)
    for pixel_range in RANGES:
        floats = to_floats(images, pixel_range) * np.float32(0.999)
        sharpened = gdl.sharpen(floats, 1.0, method, pixel_range)
        assert np.array_equal(sharpened, floats) and not np.shares_memory(sharpened, floats)
        half = gdl.sharpen(floats.astype(np.float16), 1, method, pixel_range)
        assert half.dtype == np.float32 and np.array_equal(half, floats.astype(np.float16))


@pytest.mark.parametrize("method", ("sharpness", "unsharp"))
def test_an_even_image_stays_and_nothing_is_invented(method):
    for value in (0, 100, 255):
        even = np.full((1, 12, 12, 3), value, np.uint8)
        for factor in FACTORS:
            assert np.array_equal(gdl.sharpen(even, factor, method), even)


@pytest.mark.parametrize("factor", (0, 0.5, 2, 3, 7))
@pytest.mark.parametrize("radius", (0.7, 1, 2, 3.5))
def test_unsharp_is_pillows_and_the_mask_written_out(factor, radius):
    images = noise((2, 21, 34, 3))
    sharpened = gdl.sharpen(images, factor, "unsharp", radius=radius)
    percent = round(100 * (factor - 1))
    assert np.array_equal(sharpened, one_by_one(images, lambda image: image.filter(ImageFilter.UnsharpMask(radius, percent, 0))))
    blurred = one_by_one(images, lambda image: image.filter(ImageFilter.GaussianBlur(radius))).astype(int)
    added = np.trunc((images - blurred) * percent / 100).astype(int)
    assert np.array_equal(sharpened, np.clip(images + added, 0, 255))


def box(x, radius):
    """Mean over 2 radius + 1 pixels of the second axis from the end; the outer two count as the rest of a pixel."""
    reach = int(radius)
    weights = np.r_[radius - reach, np.ones(2 * reach + 1), radius - reach] / (2 * radius + 1)
    return ndimage.correlate1d(x, weights, axis=-2, mode="nearest")


@pytest.mark.parametrize("radius", (0.7, 1, 2, 3.5))
def test_pillows_blur_is_three_boxes_and_near_a_gaussian(radius):
    """Gwosdek et al. 2011: three boxes with fractional ends, of the Gaussian's variance."""
    image = noise((40, 50, 3)).astype(np.uint8)
    blurred = gdl.sharpen(image, 0, "unsharp", radius=radius).astype(float)
    variance = radius**2 / 3
    reach = np.floor((np.sqrt(12 * variance + 1) - 1) / 2)
    rest = (2 * reach + 1) * (reach * (reach + 1) - 3 * variance) / (6 * (variance - (reach + 1) ** 2))
    x = image.astype(float)
    for _ in range(3):
        x = box(x, reach + rest)
    x = x.swapaxes(0, 1)
    for _ in range(3):
        x = box(x, reach + rest)
    assert np.abs(blurred - x.swapaxes(0, 1)).max() < 2.1, "six roundings"
    gaussian = ndimage.gaussian_filter(image.astype(float), (radius, radius, 0), mode="nearest", truncate=6)
    off = np.abs(blurred - gaussian)[8:-8, 8:-8]  # at the edges the repeated pixels are blurred anew by each box
    assert off.max() < (4 if radius >= 1 else 16), "grey levels; a box of less than a pixel is no good Gaussian"


def test_an_empty_batch():
    for dtype, expected in ((np.uint8, np.uint8), (np.float32, np.float32), (np.float64, np.float32)):
        for factor in (1, 3):
            for method in ("sharpness", "unsharp"):
                sharpened = gdl.sharpen(np.zeros((0, 8, 6, 3), dtype), factor, method)
                assert sharpened.shape == (0, 8, 6, 3) and sharpened.dtype == expected


GOOD = np.full((2, 8, 8, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    "images, options, words",
    [
        (GOOD - 1, {}, r"should be in \[0, 1\].*give pixel_range=\(-1, 1\)"),
        (GOOD * 255, {}, "give uint8 images"),
        (GOOD.astype(int) + 200, {}, "give uint8 images"),
        (np.full_like(GOOD, np.nan), {}, "NaN"),
        (GOOD[..., :1], {}, r"shape \(n, height, width, 3\).*\(2, 8, 8, 1\)"),
        (GOOD[0, 0], {}, "shape"),
        (GOOD[None], {}, "shape"),
        (GOOD[:, :0], {}, "shape"),
        (GOOD, {"pixel_range": (0, 255)}, "pixel_range"),
        (GOOD, {"method": "blur"}, "choose 'sharpness' or 'unsharp'"),
        (GOOD, {"factor": -1}, "from 0 to 100"),
        (GOOD, {"factor": float("nan")}, "from 0 to 100"),
        (GOOD, {"factor": float("inf")}, "from 0 to 100"),
        (GOOD, {"factor": "3"}, "from 0 to 100"),
        (GOOD, {"factor": None}, "from 0 to 100"),
        (GOOD, {"method": "unsharp", "radius": 0}, "radius"),
        (GOOD, {"method": "unsharp", "radius": float("nan")}, "radius"),
    ],
)
def test_errors_are_one_sentence(images, options, words):
    with pytest.raises(CourseError, match=words) as error:
        gdl.sharpen(images, **options)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")


def test_numbers_of_numpy_will_do():
    images = noise((1, 8, 8, 3))
    for factor in (np.float32(3), np.int64(3), np.float64(3)):
        assert np.array_equal(gdl.sharpen(images, factor), gdl.sharpen(images, 3))
