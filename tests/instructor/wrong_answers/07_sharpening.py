"""Common wrong and other right answers to exercise 07: wrong ones with the mistake and the points that the question still gets."""

UNSHARP = """
def unsharp(images, radius, factor):
    smoothed = ndimage.gaussian_filter(images, (0, radius, radius, 0), mode="nearest")
    return np.clip(smoothed + factor * (images - smoothed), 0, 1)
"""

SPECTRUM = """
def amplitudes(images):
    rows = images - np.mean(images, axis=2, keepdims=True)
    waves = 2 * np.abs(np.fft.rfft(rows, axis=2)) / images.shape[2]
    return np.sqrt(np.mean(waves**2, axis=(0, 1, 3)))[1:]


def missing_gain(real, made):
    return amplitudes(real) / amplitudes(made)


def best_factor(gain, s):
    return np.sum((gain - s) * (1 - s)) / np.sum((1 - s) ** 2)
"""

ERRORS = """
def expected_errors(images, probabilities, factor):
    mean = probabilities @ images
    smoothed = blurred_by(mean, 2)
    sharpened = smoothed + factor * (mean - smoothed)
    error = lambda y: probabilities @ np.sum((images - y) ** 2, axis=1)
    sample = sum(p * error(image) for p, image in zip(probabilities, images))
    return {"mean": error(mean), "sharpened": error(sharpened), "sample": sample}
"""

WRONG = [
    ("q1", "the factor is added to the image instead of the smoothed one", 0, UNSHARP.replace("smoothed + factor", "images + factor")),
    ("q1", "all axes are blurred, the channels and the batch too", 0, UNSHARP.replace("(0, radius, radius, 0)", "radius")),
    ("q1", "the channels are blurred into each other", 0, UNSHARP.replace("(0, radius, radius, 0)", "(0, radius, radius, radius)")),
    ("q1", "mirrored at the edge", 1, UNSHARP.replace('mode="nearest"', 'mode="reflect"')),
    ("q1", "nothing is clipped", 2, UNSHARP.replace("np.clip(smoothed + factor * (images - smoothed), 0, 1)", "smoothed + factor * (images - smoothed)")),
    ("q1", "the given images are changed", 2, UNSHARP.replace("return np.clip(", "images[:] = np.clip(") + "    return images\n"),
    ("q1", "bytes instead of numbers from 0 to 1", 0, UNSHARP.replace("return np.clip(smoothed + factor * (images - smoothed), 0, 1)",
        "return np.clip(255 * (smoothed + factor * (images - smoothed)), 0, 255).astype(np.uint8)")),
    ("q2", "2 pi is missing", 0, '''
def smoothing(weights, frequencies):
    r = len(weights) // 2
    return np.cos(np.outer(frequencies, np.arange(-r, r + 1))) @ weights


def sharpening(weights, frequencies, factor):
    s = smoothing(weights, frequencies)
    return s + factor * (1 - s)
'''),
    ("q2", "the absolute value, without its sign", 2, '''
def smoothing(weights, frequencies):
    waves = np.exp(2j * np.pi * np.outer(frequencies, np.arange(len(weights))))
    return np.abs(waves @ weights)


def sharpening(weights, frequencies, factor):
    s = smoothing(weights, frequencies)
    return s + factor * (1 - s)
'''),
    ("q2", "the factor is added to the image instead of the smoothed one", 2, '''
def smoothing(weights, frequencies):
    r = len(weights) // 2
    return np.cos(2 * np.pi * np.outer(frequencies, np.arange(-r, r + 1))) @ weights


def sharpening(weights, frequencies, factor):
    return 1 + factor * (1 - smoothing(weights, frequencies))
'''),
    ("q3", "the mean of the amplitudes instead of the root mean square", 1, SPECTRUM.replace(
        "np.sqrt(np.mean(waves**2, axis=(0, 1, 3)))", "np.mean(waves, axis=(0, 1, 3))")),
    ("q3", "the squares of the amplitudes", 1, SPECTRUM.replace("np.sqrt(np.mean(waves**2, axis=(0, 1, 3)))", "np.mean(waves**2, axis=(0, 1, 3))")),
    ("q3", "the gain is upside down", 2, SPECTRUM.replace("amplitudes(real) / amplitudes(made)", "amplitudes(made) / amplitudes(real)")),
    ("q3", "a difference instead of a gain", 2, SPECTRUM.replace("amplitudes(real) / amplitudes(made)", "amplitudes(real) - amplitudes(made)")),
    ("q3", "the frequency 0 is among the others", 1, SPECTRUM.replace("axis=(0, 1, 3)))[1:]", "axis=(0, 1, 3)))")),
    ("q3", "the amplitude at k = w / 2 is halved", 2, SPECTRUM.replace("axis=(0, 1, 3)))[1:]", "axis=(0, 1, 3)))[1:] / np.append(np.ones(images.shape[2] // 2 - 1), 2)")),
    ("q3", "the mean of the factors of each frequency", 2, SPECTRUM.replace(
        "np.sum((gain - s) * (1 - s)) / np.sum((1 - s) ** 2)", "np.mean((gain - s) / (1 - s))")),
    ("q4", "the mean is compared with itself", 3, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft, goal in (("blurred", blurred_by(truths, width), truths), ("averaged", truths.mean(0), truths.mean(0))):
        smoothed = blurred_by(soft, 2)
        sharpened = [smoothed + factor * (soft - smoothed) for factor in factors]
        errors[name] = np.array([np.sum((s - goal) ** 2, axis=-1).mean() for s in sharpened])
    return errors
'''),
    ("q4", "the sharpened rows are clipped", 2, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft in {"blurred": blurred_by(truths, width), "averaged": truths.mean(axis=0)}.items():
        smoothed = blurred_by(soft, 2)
        sharpened = [np.clip(smoothed + factor * (soft - smoothed), 0, 1) for factor in factors]
        errors[name] = np.array([np.sum((s - truths) ** 2, axis=1).mean() for s in sharpened])
    return errors
'''),
    ("q4", "the mean of the blurred edges instead of each", 3, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft in {"blurred": blurred_by(truths, width).mean(axis=0), "averaged": truths.mean(axis=0)}.items():
        smoothed = blurred_by(soft, 2)
        sharpened = [smoothed + factor * (soft - smoothed) for factor in factors]
        errors[name] = np.array([np.sum((s - truths) ** 2, axis=1).mean() for s in sharpened])
    return errors
'''),
    ("q5", "the probabilities are not used", 0, ERRORS.replace("    mean = ", "    probabilities = np.full(len(images), 1 / len(images))\n    mean = ")),
    ("q5", "the mean is compared with itself", 2, ERRORS.replace('"mean": error(mean)', '"mean": np.sum((mean - probabilities @ images) ** 2)')),
    ("q5", "the sharpened mean is compared with the mean", 2, ERRORS.replace('error(sharpened)', 'np.sum((sharpened - mean) ** 2)')),
    ("q5", "each image is sharpened instead of the mean", 2, ERRORS.replace("smoothed = blurred_by(mean, 2)", "smoothed = blurred_by(images, 2)").replace(
        "factor * (mean - smoothed)", "factor * (images - smoothed)")),
    ("q5", "a sample is never the truth", 2, ERRORS.replace('"sample": sample', '"sample": sample / (1 - np.sum(probabilities**2))')),
    ("q5", "a sample has the error of the mean", 2, ERRORS.replace('"sample": sample', '"sample": error(mean)')),
]  # fmt: skip

# Other right answers: cell, what is different, source of the cell. They get all points.
RIGHT = [
    ("q1", "image by image and channel by channel", '''
def unsharp(images, radius, factor):
    result = np.empty(images.shape)
    for i, image in enumerate(images):
        for c in range(3):
            x = image[..., c]
            soft = ndimage.gaussian_filter(x, radius, mode="nearest")
            result[i, ..., c] = soft + factor * (x - soft)
    return np.minimum(np.maximum(result, 0), 1)
'''),
    ("q1", "a blur that ends at three standard deviations", '''
def unsharp(images, radius, factor):
    smoothed = ndimage.gaussian_filter(images, [0, radius, radius, 0], mode="nearest", truncate=3.5)
    return (images + (factor - 1) * (images - smoothed)).clip(0, 1)
'''),
    ("q2", "a sum over the weights", '''
def smoothing(weights, frequencies):
    r = (len(weights) - 1) // 2
    total = weights[r] * np.ones(len(frequencies))
    for k in range(1, r + 1):
        total += 2 * weights[r + k] * np.cos(2 * np.pi * k * np.asarray(frequencies))
    return total


def sharpening(weights, frequencies, factor):
    return factor + (1 - factor) * smoothing(weights, frequencies)
'''),
    ("q3", "the full Fourier transform, and a regression by NumPy", '''
def amplitudes(images):
    w = images.shape[2]
    waves = np.fft.fft(images, axis=2)[:, :, 1 : w // 2 + 1] * 2 / w
    return np.mean(waves.real**2 + waves.imag**2, axis=(0, 1, 3)) ** 0.5


def missing_gain(real, made):
    return [a / b for a, b in zip(amplitudes(real), amplitudes(made))]


def best_factor(gain, s):
    return np.linalg.lstsq((1 - s)[:, None], gain - s, rcond=None)[0][0]
'''),
    ("q4", "edge by edge", '''
def two_soft_edges(factors, width, n, seed):
    rng = np.random.default_rng(seed)
    truths = np.array([np.where(np.arange(64) >= rng.normal(32, width), 1.0, 0.0) for _ in range(n)])
    mean, result = truths.mean(axis=0), {"blurred": [], "averaged": []}
    for factor in factors:
        sharp = lambda x: blurred_by(x, 2) + factor * (x - blurred_by(x, 2))
        result["blurred"].append(np.mean([np.sum((sharp(blurred_by(x, width)) - x) ** 2) for x in truths]))
        result["averaged"].append(np.mean(np.sum((sharp(mean) - truths) ** 2, axis=1)))
    return result
'''),
    ("q5", "the variance, and sums over pairs", '''
def expected_errors(images, probabilities, factor):
    p = probabilities
    mean = (p[:, None] * images).sum(axis=0)
    soft = blurred_by(mean, 2)
    sharp = soft + factor * (mean - soft)
    variance = float((p[:, None] * (images - mean) ** 2).sum())
    pairs = ((images[:, None] - images[None]) ** 2).sum(axis=2)
    return {"sample": float(p @ pairs @ p), "mean": variance, "sharpened": variance + float(((sharp - mean) ** 2).sum())}
'''),
]  # fmt: skip
