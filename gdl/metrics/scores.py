"""How good generated images are, in numbers: FID, KID, precision and recall, and the scores of reconstructions."""

import numpy as np

from gdl.arguments import true_or_false
from gdl.data.pixels import check_uint8, checked_uint8
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.metrics.classifier import CLASSIFIERS
from gdl.metrics.common import FEWEST, check_features, progress
from gdl.metrics.frechet import frechet_distance, frechet_interval, statistics
from gdl.metrics.kernel import kernel_distance
from gdl.metrics.neighbours import precision_recall
from gdl.metrics.reconstruction import mean_squared_error, pearson, ssim
from gdl.metrics.reference import Reference, check_network, extract, reference
from gdl.models.base import EncoderDecoderModel, check_encoder

INCEPTION_FEATURES = 2048
KEYS = {  # the names of a network's scores: Frechet distance, kernel distance, prefix of the others
    "inception": ("fid", "kid", ""),
    "stand_in": ("stand_in_distance", "stand_in_kernel_distance", "stand_in_"),
    **dict.fromkeys(CLASSIFIERS, ("face_distance", "face_kernel_distance", "face_")),
}
_printed = set()  # the kinds of notes that this process has printed


def features(images: np.ndarray, network: str = "inception", pixel_range: tuple[int, int] = (0, 1)) -> np.ndarray:
    """Features of images. (n, height, width, 3) uint8, or float in the pixel range -> (n, d) float32

    Floats are rounded to 8 bits, as if the images had been saved as PNG, because published values are computed so.
    network: "inception", d = 2,048; "classifier-celeba64", d = 256, and "classifier-drawn64", d = 128, which are the networks of
        `face_distance`; or "stand_in", d = 60, for quick trials.
    Raises CourseError for floats outside the pixel range, and for images that contain NaN.

    >>> features(np.full((2, 16, 16, 3), 0.5), network="stand_in").shape
    (2, 60)
    """
    return extract(checked_uint8(images, pixel_range), network)


def fid(images: np.ndarray, real: Split | np.ndarray | Reference, pixel_range: tuple[int, int] = (0, 1)) -> float:
    """Frechet inception distance of images to real ones; 0 is best. Heusel et al. 2017.

    images: (n, height, width, 3) uint8, or float in the pixel range.
    real: a split, such as faces.train, uint8 images, or a Reference.
    The network is the Inception of 2015-12-05 with its 2,048 pooled features, and images are resized to 299x299 as in
    pytorch-fid (bilinear, without anti-aliasing). Values of other networks or resizings cannot be compared with it.
    FID is biased: fewer images give a larger value, and the bias depends on the model (Chong and Forsyth 2020).
    Compare values only at the same numbers of images, with the same real images, crop and size.
    Raises CourseError for other arrays, and when the weights of the network cannot be downloaded.

    >>> fid(vae.generate(5000), faces.train)  # doctest: +SKIP
    78.9
    """
    return distance(images, real, "inception", pixel_range)


def face_distance(images: np.ndarray, real: Split | Reference, pixel_range: tuple[int, int] = (0, 1)) -> float:
    """Frechet distance of the features of a small classifier of faces to those of real ones; 0 is best. It needs no download.

    real: a split of drawn faces or of photographs, such as faces.train; or a Reference of one of the two classifiers,
        "classifier-drawn64" for drawn faces and "classifier-celeba64" for photographs.
    Distances of the two classifiers cannot be compared with each other, nor with FID. Like FID, it is larger for fewer images.
    Raises CourseError as `fid`, and for an array in the place of a split, because it does not say what it shows.

    >>> import gdl
    >>> faces = gdl.DrawnFaces(n=100, size=32)
    >>> face_distance(faces.val.images, faces.val) < face_distance(255 - faces.val.images, faces.val)
    True
    """
    return distance(images, real, face_network(real), pixel_range)


def face_network(real: Split | Reference) -> str:
    """The classifier that `face_distance` takes: "classifier-drawn64" for drawn faces, "classifier-celeba64" for photographs."""
    if isinstance(real, Reference) and real.network in CLASSIFIERS:
        return real.network
    if isinstance(real, Split):
        return "classifier-celeba64" if real.factors is None else "classifier-drawn64"
    raise CourseError("Give a split, such as faces.train, or gdl.metrics.reference(images, 'classifier-drawn64') of the real images.")


def kid(images: np.ndarray, real: Split | np.ndarray | Reference, pixel_range: tuple[int, int] = (0, 1)) -> tuple[float, float]:
    """Kernel inception distance of images to real ones, and its standard error; unbiased. Binkowski et al. 2018.

    Arguments and errors as in `fid`. Papers often print 1,000 times this value.

    >>> kid(vae.generate(5000), faces.train)  # doctest: +SKIP
    (0.0781, 0.0005)
    """
    generated, known = _features_and_reference(images, real, "inception", pixel_range)
    return kernel_distance(known.features, generated)


def stand_in_distance(images: np.ndarray, real: Split | np.ndarray | Reference, pixel_range: tuple[int, int] = (0, 1)) -> float:
    """Frechet distance of the features of the small stand-in, for quick trials without a download. It is not FID, and has another scale.

    Arguments and errors as in `fid`.

    >>> images = np.random.default_rng(0).random((20, 16, 16, 3))
    >>> stand_in_distance(images, np.uint8(255 * images)) < stand_in_distance(images / 2, np.uint8(255 * images))
    True
    """
    return distance(images, real, "stand_in", pixel_range)


def distance(images: np.ndarray, real: Split | np.ndarray | Reference, network: str, pixel_range: tuple[int, int] = (0, 1)) -> float:
    """Frechet distance of the features of a network: `fid`, `face_distance` and `stand_in_distance` are this. Arguments as there."""
    return _frechet(*_features_and_reference(images, real, network, pixel_range))


def scores(
    images: np.ndarray,
    real: Split | np.ndarray | Reference,
    network: str = "inception",
    pixel_range: tuple[int, int] = (0, 1),
    interval: bool = False,
) -> dict[str, float]:
    """All scores of images against real ones, by their names; the features are computed once.

    Arguments and errors as in `fid`. Keys: fid, kid, kid_error, precision, recall, and with interval=True fid_low and
    fid_high, its 95 % bootstrap interval over the generated images. With network="stand_in" they are stand_in_distance,
    stand_in_distance_low, stand_in_distance_high, stand_in_kernel_distance, stand_in_kernel_distance_error,
    stand_in_precision and stand_in_recall; with that of a classifier, face_distance and so on.

    >>> images = np.random.default_rng(0).random((20, 16, 16, 3))
    >>> scores(images, np.uint8(255 * images), network="stand_in")["stand_in_recall"]
    1.0
    """
    true_or_false("interval", interval)
    generated, known = _features_and_reference(images, real, network, pixel_range)
    return feature_scores(generated, known, network, interval)


def feature_scores(
    generated: np.ndarray, real: Split | np.ndarray | Reference, network: str = "inception", interval: bool = False
) -> dict[str, float]:
    """As `scores`, from features that are already computed, (n, d): for one set of images and several real ones.

    >>> images = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), np.uint8)
    >>> feature_scores(features(images, "stand_in"), images, network="stand_in")["stand_in_precision"]
    1.0
    """
    generated, interval = check_features(generated), true_or_false("interval", interval)
    real = reference(real, network)
    if min(len(generated), real.n) < FEWEST:
        raise CourseError(
            f"There are {len(generated):,} images and {real.n:,} real ones: give at least {FEWEST} of each, because precision and recall look at "
            "the third nearest other image; better some thousands."
        )
    _note_numbers(len(generated), real)
    distance, kernel, prefix = KEYS[network]
    values = {distance: _frechet(generated, real)}
    if interval:
        values[f"{distance}_low"], values[f"{distance}_high"] = frechet_interval(generated, real.mean, real.covariance)
    values[kernel], values[f"{kernel}_error"] = kernel_distance(real.features, generated)
    values[f"{prefix}precision"], values[f"{prefix}recall"] = precision_recall(real.features, generated)
    return values


def reconstruction_scores(model: EncoderDecoderModel, images: Split | np.ndarray, network: str | None = None) -> dict[str, float]:
    """How well a model reconstructs images, by the names of the scores: means over the images of mse, ssim and pearson.

    model: one with an encoder.  images: a split, or (n, size, size, 3) uint8.
    With a network there is also reconstruction_fid ("inception"), stand_in_reconstruction_distance ("stand_in") or
    face_reconstruction_distance (a classifier): the distance of the reconstructions to the same images.
    Raises CourseError for a model without an encoder.

    >>> import gdl
    >>> vae = gdl.VAE(image_size=16, z_dim=2, filters=(4,))
    >>> list(reconstruction_scores(vae, np.zeros((5, 16, 16, 3), np.uint8)))
    ['mse', 'ssim', 'pearson']
    """
    check_encoder(model)
    if network is not None:
        check_network(network)
    x_all = images.images if isinstance(images, Split) else check_uint8(images)
    if len(x_all) < 1 + (network is not None):
        raise CourseError(f"There are {len(x_all)} images: give at least one, and two for the distance of a network.")
    pixel_range = model.architecture.pixel_range
    values = {"mse": [], "ssim": [], "pearson": []}
    reconstructions = []
    for start in progress(range(0, len(x_all), 500), "reconstructions", "batch"):
        x = np.asarray(x_all[start : start + 500])
        x_hat = model.reconstruct(x)
        reconstructions.append(checked_uint8(x_hat, pixel_range))
        for name, compare in zip(values, (mean_squared_error, ssim, pearson)):
            values[name].append(compare(x, x_hat, pixel_range))
    means = {name: float(np.concatenate(parts).mean()) for name, parts in values.items()}
    if network is not None:
        name = "reconstruction_fid" if network == "inception" else f"{KEYS[network][2]}reconstruction_distance"
        means[name] = distance(np.concatenate(reconstructions), images, network)
    return means


def _frechet(generated, real):
    return frechet_distance(*statistics(generated), real.mean, real.covariance)


def _features_and_reference(images, real, network, pixel_range=(0, 1)):
    """Features of the images, (n, d), and the Reference of the real ones; prints notes on what can be compared."""
    images = checked_uint8(getattr(images, "images", images), pixel_range)
    if len(images) < 2:
        raise CourseError(
            f"A comparison with the real images needs at least two images, better some thousands, and there are {len(images)}: give more."
        )
    real = reference(real, network)
    _note_numbers(len(images), real)
    if images.shape[1] != real.size:
        _note("size", f"images of {images.shape[1]} pixels against real ones of {real.size}: compare only values made with the same two sizes.")
    return extract(images, network, real.precision), real


def _note_numbers(n, real):
    """Prints notes on what n images, the number of real images and the precision allow to compare."""
    if real.precision != "float32":
        _note("precision", f"FID in {real.precision}: set GDL_FID_PRECISION=float32 for values that can be compared with published ones.")
    fewest = min(n, real.n)
    if real.network == "inception" and fewest < INCEPTION_FEATURES:
        _note("few", f"{fewest:,} images are fewer than the 2,048 features, so FID comes out too large; KID does not.")
    if n != real.n:
        _note("n", f"{n:,} images against {real.n:,} real ones: compare only values made with the same two numbers.")


def _note(kind, text):
    """Prints a note, once per process."""
    if kind not in _printed:
        _printed.add(kind)
        print(f"Note: {text}")
