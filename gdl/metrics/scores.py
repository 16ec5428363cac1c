"""How good generated images are, in numbers: FID, KID, precision and recall, and the scores of reconstructions."""

import sys

import numpy as np
from tqdm import tqdm

from gdl.data.pixels import checked_uint8, to_float
from gdl.errors import CourseError
from gdl.metrics.distances import frechet_distance, frechet_interval, kernel_distance, precision_recall, statistics
from gdl.metrics.reconstruction import mean_squared_error, pearson, ssim
from gdl.metrics.reference import extract, reference

INCEPTION_FEATURES = 2048
KEYS = {  # what the scores of a network are called: Frechet distance, kernel distance, the rest
    "inception": ("fid", "kid", ""),
    "stand_in": ("stand_in_distance", "stand_in_kernel_distance", "stand_in_"),
}
_told = set()  # the kinds of notes that this process has printed


def features(images, network="inception", pixel_range=(0, 1)):
    """What a network makes of images. (n, height, width, 3) uint8, or float in the pixel range -> (n, d) float32

    Floats are rounded to 8 bits, as if the images had been saved as PNG: that is how published values are made.
    network: "inception", d = 2,048, or "stand_in", for quick trials.
    Raises CourseError for floats outside the pixel range, and for images that hold NaN.
    """
    return extract(checked_uint8(images, pixel_range), network)


def fid(images, real, pixel_range=(0, 1)):
    """Frechet inception distance of images to real ones; 0 is best. Heusel et al. 2017.

    images: (n, height, width, 3) uint8, or float in the pixel range.
    real: a split, such as faces.train, uint8 images, or a Reference.
    The network is the Inception of 2015-12-05 with its 2,048 pooled features, and images are resized to 299x299 as
    pytorch-fid does it (bilinear, not antialiased); values of other networks or resizings cannot be compared with it.
    FID is biased: fewer images give a larger value, and by how much depends on the model (Chong and Forsyth 2020).
    Compare values only at the same numbers of images, the same real ones, crop and size.
    """
    generated, real = _both(images, real, "inception", pixel_range)
    return _frechet(generated, real)


def kid(images, real, pixel_range=(0, 1)):
    """Kernel inception distance of images to real ones, and its standard error; unbiased. Binkowski et al. 2018.

    Arguments as in `fid`. Papers often print 1,000 times this value.
    """
    generated, real = _both(images, real, "inception", pixel_range)
    return kernel_distance(real.features, generated)


def stand_in_distance(images, real, pixel_range=(0, 1)):
    """Frechet distance of the small stand-in's features, for quick trials without a download. It is not FID, and on another scale.

    Arguments as in `fid`.
    """
    generated, real = _both(images, real, "stand_in", pixel_range)
    return _frechet(generated, real)


def scores(images, real, network="inception", pixel_range=(0, 1), interval=False):
    """All scores of images against real ones, as a dict; the features are computed once.

    Arguments as in `fid`. Keys: fid, kid, kid_error, precision, recall, and with interval=True fid_low and fid_high,
    its 95 % bootstrap interval over the generated images. With network="stand_in" they are stand_in_distance,
    stand_in_distance_low, stand_in_distance_high, stand_in_kernel_distance, stand_in_kernel_distance_error,
    stand_in_precision and stand_in_recall.
    """
    generated, real = _both(images, real, network, pixel_range)
    return feature_scores(generated, real, network, interval)


def feature_scores(generated, real, network="inception", interval=False):
    """As `scores`, of features that were computed already, (n, d): for one set of images and several real ones."""
    real = reference(real, network)
    _tell(len(generated), real)
    distance, kernel, prefix = KEYS[network]
    found = {distance: _frechet(generated, real)}
    if interval:
        found[f"{distance}_low"], found[f"{distance}_high"] = frechet_interval(generated, real.mean, real.covariance)
    found[kernel], found[f"{kernel}_error"] = kernel_distance(real.features, generated)
    found[f"{prefix}precision"], found[f"{prefix}recall"] = precision_recall(real.features, generated)
    return found


def reconstruction_scores(model, images, network=None):
    """How well a model gives images back, as a dict: means over the images of mse, ssim and pearson.

    model: one with an encoder.  images: a split, or (n, size, size, 3) uint8.
    With a network there is also reconstruction_fid ("inception") or stand_in_reconstruction_distance ("stand_in"): the
    distance of the reconstructions to the very images that they are of.
    """
    real, images = images, getattr(images, "images", images)
    values = {"mse": [], "ssim": [], "pearson": []}
    again = []
    for start in tqdm(range(0, len(images), 500), desc="reconstructions", unit="batch", file=sys.stdout, leave=False, delay=5):
        x = np.asarray(images[start : start + 500])
        x_hat = model.reconstruct(x)
        again.append(checked_uint8(x_hat, model.architecture.pixel_range))
        pair = to_float(x), model.unit_range(x_hat)
        for name, compare in zip(values, (mean_squared_error, ssim, pearson)):
            values[name].append(compare(*pair))
    found = {name: float(np.concatenate(parts).mean()) for name, parts in values.items()}
    if network is not None:
        name = "reconstruction_fid" if network == "inception" else "stand_in_reconstruction_distance"
        found[name] = _frechet(*_both(np.concatenate(again), real, network))
    return found


def _frechet(generated, real):
    return frechet_distance(*statistics(generated), real.mean, real.covariance)


def _both(images, real, network, pixel_range=(0, 1)):
    """Features of the images, (n, d), and the Reference of the real ones; prints what the reader should know of both."""
    images = checked_uint8(getattr(images, "images", images), pixel_range)
    if len(images) < 2:
        raise CourseError(f"{len(images)} image is too few to compare with the real ones: give at least two, better some thousands.")
    real = reference(real, network)
    _tell(len(images), real)
    if images.shape[1] != real.size:
        _note("size", f"images of {images.shape[1]} pixels against real ones of {real.size}: compare only values made with the same two sizes.")
    return extract(images, network), real


def _tell(n, real):
    """Prints what the reader should know of n images against a Reference."""
    fewest = min(n, real.n)
    if real.network == "inception" and fewest < INCEPTION_FEATURES:
        _note("few", f"{fewest:,} images are fewer than the 2,048 features, so FID comes out too large; KID does not.")
    if n != real.n:
        _note("n", f"{n:,} images against {real.n:,} real ones: compare only values made with the same two numbers.")


def _note(kind, text):
    if kind not in _told:
        _told.add(kind)
        print(f"Note: {text}")
