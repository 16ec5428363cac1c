"""Common wrong answers to exercise 07: cell, the mistake, the points that the question still gets, source of the cell."""

WRONG = [
    ("q1", "the factor from the books instead of the sum", 1, '''
def gaussian(radius):
    r = int(np.ceil(3 * radius))
    return np.exp(-np.arange(-r, r + 1) ** 2 / (2 * radius**2)) / (radius * np.sqrt(2 * np.pi))
'''),
    ("q1", "the 2 in the exponent is missing", 1, '''
def gaussian(radius):
    r = int(np.ceil(3 * radius))
    weights = np.exp(-np.arange(-r, r + 1) ** 2 / radius**2)
    return weights / weights.sum()
'''),
    ("q1", "only the weights to one side", 0, '''
def gaussian(radius):
    r = int(np.ceil(3 * radius))
    weights = np.exp(-np.arange(r + 1) ** 2 / (2 * radius**2))
    return weights / weights.sum()
'''),
    ("q2", "zeros beyond the edge", 3, '''
def blur(image, weights):
    r = len(weights) // 2
    height, width, _ = image.shape
    padded = np.pad(image, ((r, r), (r, r), (0, 0)))
    image = sum(w * padded[k : k + height] for k, w in enumerate(weights))
    return sum(w * image[:, k : k + width] for k, w in enumerate(weights))
'''),
    ("q2", "mirrored at the edge", 3, '''
def blur(image, weights):
    r = len(weights) // 2
    height, width, _ = image.shape
    padded = np.pad(image, ((r, r), (r, r), (0, 0)), mode="symmetric")
    image = sum(w * padded[k : k + height] for k, w in enumerate(weights))
    return sum(w * image[:, k : k + width] for k, w in enumerate(weights))
'''),
    ("q2", "only along the columns", 0, '''
def blur(image, weights):
    r = len(weights) // 2
    padded = np.pad(image, ((r, r), (0, 0), (0, 0)), mode="edge")
    return sum(w * padded[k : k + len(image)] for k, w in enumerate(weights))
'''),
    ("q2", "the channels are smoothed into each other", 1, '''
def blur(image, weights):
    for axis in range(3):
        image = ndimage.convolve1d(image, weights, axis, mode="nearest")
    return image
'''),
    ("q3", "bytes are subtracted from bytes", 1, '''
def unsharp(image, smoothed, factor):
    return np.clip(np.round(smoothed + factor * (image - smoothed)), 0, 255).astype(np.uint8)
'''),
    ("q3", "nothing is clipped", 2, '''
def unsharp(image, smoothed, factor):
    image, smoothed = image.astype(float), smoothed.astype(float)
    return np.round(smoothed + factor * (image - smoothed)).astype(int).astype(np.uint8)
'''),
    ("q3", "cut off instead of rounded", 2, '''
def unsharp(image, smoothed, factor):
    image, smoothed = image.astype(float), smoothed.astype(float)
    return np.clip(smoothed + factor * (image - smoothed), 0, 255).astype(np.uint8)
'''),
    ("q3", "the factor is added to the image instead of the smoothed one", 1, '''
def unsharp(image, smoothed, factor):
    image, smoothed = image.astype(float), smoothed.astype(float)
    return np.clip(np.round(image + factor * (image - smoothed)), 0, 255).astype(np.uint8)
'''),
    ("q3", "right only for the visible inputs", 0, '''
def unsharp(image, smoothed, factor):
    known = {3: [[100, 120], [124, 190]], 2.7: [73, 88, 103], 4: [255, 0, 255, 0]}
    return np.array(known.get(factor, image), np.uint8)
'''),
    ("q4", "2 pi is missing", 0, '''
def smoothing(weights, frequencies):
    r = len(weights) // 2
    return np.cos(np.outer(frequencies, np.arange(-r, r + 1))) @ weights


def sharpening(weights, frequencies, factor):
    s = smoothing(weights, frequencies)
    return s + factor * (1 - s)
'''),
    ("q4", "the absolute value, without its sign", 2, '''
def smoothing(weights, frequencies):
    waves = np.exp(2j * np.pi * np.outer(frequencies, np.arange(len(weights))))
    return np.abs(waves @ weights)


def sharpening(weights, frequencies, factor):
    s = smoothing(weights, frequencies)
    return s + factor * (1 - s)
'''),
    ("q4", "the factor is added to the image instead of the smoothed one", 2, '''
def smoothing(weights, frequencies):
    r = len(weights) // 2
    return np.cos(2 * np.pi * np.outer(frequencies, np.arange(-r, r + 1))) @ weights


def sharpening(weights, frequencies, factor):
    return 1 + factor * (1 - smoothing(weights, frequencies))
'''),
    ("q5", "the mean is compared with itself", 3, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft, goal in (("blurred", blurred_by(truths, width), truths), ("meant", truths.mean(0), truths.mean(0))):
        smoothed = blurred_by(soft, 2)
        sharpened = [smoothed + factor * (soft - smoothed) for factor in factors]
        errors[name] = np.array([np.sum((s - goal) ** 2, axis=-1).mean() for s in sharpened])
    return errors
'''),
    ("q5", "the sharpened rows are clipped", 2, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft in {"blurred": blurred_by(truths, width), "meant": truths.mean(axis=0)}.items():
        smoothed = blurred_by(soft, 2)
        sharpened = [np.clip(smoothed + factor * (soft - smoothed), 0, 1) for factor in factors]
        errors[name] = np.array([np.sum((s - truths) ** 2, axis=1).mean() for s in sharpened])
    return errors
'''),
    ("q5", "the mean of the blurred edges instead of each", 3, '''
def two_soft_edges(factors, width, n, seed):
    t = np.random.default_rng(seed).normal(32, width, n)
    truths = (np.arange(64) >= t[:, None]).astype(float)
    errors = {}
    for name, soft in {"blurred": blurred_by(truths, width).mean(axis=0), "meant": truths.mean(axis=0)}.items():
        smoothed = blurred_by(soft, 2)
        sharpened = [smoothed + factor * (soft - smoothed) for factor in factors]
        errors[name] = np.array([np.sum((s - truths) ** 2, axis=1).mean() for s in sharpened])
    return errors
'''),
]  # fmt: skip
