"""The radial power against Parseval, white noise, single waves and a direct sum."""

import numpy as np
import pytest

from gdl.errors import CourseError
from gdl.pictures.spectrum import checkerboard, radial_power


def members(height, width):
    """How many of the frequencies of an image lie in each ring; all but frequency 0 lie in one."""
    fy, fx = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    fy, fx = np.minimum(fy, height - fy) / height, np.minimum(fx, width - fx) / width
    rings = np.round(np.sqrt(fy**2 + fx**2) * min(height, width)).astype(int).ravel()[1:]
    return np.bincount(np.maximum(rings, 1))[1:]


def window(height, width):
    across, along = (np.sin(np.pi * np.arange(1, n + 1) / (n + 1)) ** 2 for n in (height, width))  # of Hann
    return np.outer(across, along)[..., None]


@pytest.mark.parametrize("shape", [(5, 16, 16, 3), (3, 24, 17, 3), (2, 9, 31, 3)], ids=str)
def test_parseval(shape):
    """All power together is the variance under the window."""
    x = np.random.default_rng(0).random(shape) * np.linspace(0, 1, shape[2])[:, None]
    frequency, power = radial_power(x)
    _, height, width, _ = shape
    assert frequency.shape == power.shape and power.dtype == np.float64
    w = window(height, width)
    centred = x - (w * x).sum(axis=(1, 2), keepdims=True) / w.sum()
    energy = ((w * centred) ** 2).sum(axis=(1, 2)) / (w**2).sum()
    assert (members(height, width) * power).sum() / (height * width) == pytest.approx(energy.mean(), rel=1e-9)


def test_white_noise_is_flat_at_its_variance():
    x = 0.5 + 0.1 * np.random.default_rng(0).standard_normal((400, 32, 32, 3)).clip(-4, 4)
    for size in (32, 16):
        _, power = radial_power(x[:, :size, :size])
        np.testing.assert_allclose(power[1:], 0.01, rtol=0.1)  # next to frequency 0 the mean is taken out, and power with it
        assert power.mean() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("wave", [(0, 8), (8, 0), (12, 12), (16, 16), (0, 32), (32, 32)], ids=str)
def test_a_wave_has_its_power_at_its_frequency(wave):
    y, x = np.mgrid[:64, :64]
    pattern = 0.5 + 0.4 * np.cos(2 * np.pi * (wave[0] * y + wave[1] * x) / 64)
    frequency, power = radial_power(np.repeat(pattern[None, ..., None], 3, axis=-1))
    at = np.hypot(*wave) / 64
    peak = frequency[np.argmax(power)]
    assert abs(peak - at) <= 1 / 64
    far = np.abs(frequency - at) > 5 / 64
    assert power[far].max() < 1e-4 * power.max()


def test_lines_and_checkerboards_lie_at_the_end_of_the_axis():
    frequency, _ = radial_power(np.zeros((1, 64, 64, 3)))
    assert frequency[31] == 0.5 and frequency[0] == 1 / 64 and frequency[-1] == pytest.approx(0.5 * np.sqrt(2), abs=1 / 64)
    assert np.all(np.diff(frequency) > 0)


def test_the_jump_from_edge_to_edge_does_not_count_as_detail():
    """A ramp has hardly any detail; without a window its power falls only like the square of the frequency."""
    ramp = np.broadcast_to(np.linspace(0, 1, 64)[:, None], (1, 64, 64, 3))
    frequency, power = radial_power(ramp)
    plain = np.abs(np.fft.fft(ramp[0, 0, :, 0] - 0.5)) ** 2
    assert power[frequency > 0.25].max() / power[0] < 1e-8 < plain[16:32].max() / plain[1]


def test_pixel_ranges_bytes_and_batches_agree():
    images = np.random.default_rng(0).integers(0, 256, (300, 8, 10, 3), np.uint8)
    _, power = radial_power(images)
    np.testing.assert_allclose(radial_power(images / 255)[1], power, rtol=1e-9)
    np.testing.assert_allclose(radial_power((images / 127.5 - 1).astype(np.float32), (-1, 1))[1], power, rtol=1e-5)
    by_halves = (radial_power(images[:150])[1] + radial_power(images[150:])[1]) / 2
    np.testing.assert_allclose(by_halves, power, rtol=1e-9)


def test_a_direct_sum_says_the_same():
    x = np.random.default_rng(1).random((1, 5, 6, 3))
    w = window(5, 6)
    centred = w * (x[0] - (w * x[0]).sum(axis=(0, 1)) / w.sum())
    y, column = np.mgrid[:5, :6]
    rings = {}
    for k in range(5):
        for m in range(6):
            wave = np.exp(-2j * np.pi * (k * y / 5 + m * column / 6))[..., None]
            value = np.mean(np.abs((centred * wave).sum(axis=(0, 1))) ** 2) / (w**2).sum()
            if k or m:
                ring = round(5 * np.hypot(min(k, 5 - k) / 5, min(m, 6 - m) / 6))
                rings.setdefault(max(1, ring), []).append(value)
    frequency, power = radial_power(x)
    np.testing.assert_allclose(power, [np.mean(rings[ring]) for ring in sorted(rings)], rtol=1e-9)
    np.testing.assert_allclose(frequency, [ring / 5 for ring in sorted(rings)])


@pytest.mark.parametrize(
    "images, words",
    [
        (np.zeros((0, 8, 8, 3)), "at least one image"),
        (np.zeros((8, 8, 3)), "shape"),
        (np.full((1, 8, 8, 3), -1.0), r"pixel_range=\(-1, 1\)"),
        (np.full((1, 8, 8, 3), np.nan), "NaN"),
    ],
)
def test_errors(images, words):
    with pytest.raises(CourseError, match=words):
        radial_power(images)


def test_white_noise_has_no_checkerboard_and_a_lighter_pattern_counts_less():
    noise = 0.5 + 0.05 * np.random.default_rng(0).standard_normal((400, 32, 32, 3)).clip(-4, 4)
    assert checkerboard(noise) == pytest.approx(1, abs=0.05)
    row, column = np.indices((32, 32))
    for pattern in (row % 2, column % 2, (row + column) % 2):
        ratios = [checkerboard(noise + height * (pattern[..., None] - 0.5)) for height in (0.01, 0.02, 0.04)]
        excess = np.array(ratios) - 1
        assert excess[1:] / excess[:-1] == pytest.approx(4, rel=0.15), "power grows with the square of the height"
    assert checkerboard(noise + 0.04 * (row // 2 % 2)[..., None]) == pytest.approx(1, abs=0.06), "a period of four is none of two"


def test_the_pattern_of_a_transposed_convolution_is_seen():
    """Kernel 3 with stride 2 covers every second pixel twice; kernel 4 covers all alike (Odena, Dumoulin and Olah 2016)."""
    x = np.random.default_rng(0).uniform(0.2, 0.8, (50, 16, 16, 3))

    def doubled(kernel):
        up = np.zeros((50, 30 + kernel, 30 + kernel, 3))
        for i in range(kernel):
            for j in range(kernel):
                up[:, i : i + 32 : 2, j : j + 32 : 2] += x / kernel**2
        return up[:, 1:33, 1:33]

    even, uneven = doubled(4)[:, :30, :30], doubled(3)[:, :30, :30]
    assert checkerboard(uneven) > 5 * checkerboard(even)
