"""Arguments of the wrong kind for the functions of gdl.metrics: one sentence each, and never a wrong number."""

import numpy as np
import pytest

import gdl
from gdl import metrics

X = np.random.default_rng(0).standard_normal((6, 2))
MEAN, EYE = np.zeros(2), np.eye(2)
IMAGES = np.zeros((5, 16, 16, 3), np.uint8)

CALLS = {
    "words for features": (lambda: metrics.statistics("features"), "Give an array of real numbers"),
    "complex features": (lambda: metrics.statistics(X * 1j), "Give an array of real numbers"),
    "ragged features": (lambda: metrics.statistics([[1, 2], [3]]), "Give an array of real numbers"),
    "no features": (lambda: metrics.statistics(X[:, :0]), "Give features of at least 2 images"),
    "a word for a mean": (lambda: metrics.frechet_distance("mean", EYE, MEAN, EYE), "Give an array of real numbers"),
    "no dimension": (lambda: metrics.frechet_distance([], np.eye(0), [], np.eye(0)), "Give two means"),
    "no covariance": (lambda: metrics.frechet_distance(MEAN, [[1, 5], [0, 1]], MEAN, EYE), "A covariance is symmetric"),
    "negative variance": (lambda: metrics.frechet_distance(MEAN, EYE, MEAN, -EYE), "A covariance is symmetric"),
    "rounds": (lambda: metrics.frechet_interval(X, MEAN, EYE, rounds=2.5), "rounds is 2.5"),
    "level": (lambda: metrics.frechet_interval(X, MEAN, EYE, level="95"), "level is '95'"),
    "subsets": (lambda: metrics.kernel_distance(X, X, subsets=1.5), "subsets is 1.5"),
    "subset_size": (lambda: metrics.kernel_distance(X, X, subset_size=None), "subset_size is None"),
    "k": (lambda: metrics.precision_recall(X, X, k=2.5), "k is 2.5"),
    "network": (lambda: metrics.features(IMAGES, network=["stand_in"]), r"network=\['stand_in'\] is not known"),
    "0 to 255 as floats": (lambda: metrics.stand_in_distance(IMAGES + 255.0, IMAGES), r"The pixels should be in \[0, 1\]"),
    "real ones as floats": (lambda: metrics.stand_in_distance(IMAGES, IMAGES / 255), "Give uint8 images"),
    "words for pixels": (lambda: metrics.features(np.full((2, 16, 16, 3), "a")), "Pixels are real numbers"),
    "real ones in a list": (lambda: metrics.stand_in_distance(IMAGES, [IMAGES[0], IMAGES[0, :8]]), "A reference needs"),
    "interval": (lambda: metrics.scores(IMAGES, IMAGES, "stand_in", interval="yes"), "interval is 'yes'"),
    "images as features": (lambda: metrics.feature_scores(IMAGES, IMAGES, "stand_in"), "Give features"),
    "one image": (lambda: metrics.mean_squared_error(IMAGES[0], IMAGES[0]), r".*give x\[None\]"),
    "file": (lambda: metrics.BestFID(IMAGES, file=3), "file is 3"),
}


@pytest.mark.parametrize("call,words", CALLS.values(), ids=CALLS)
def test_a_wrong_argument_is_one_sentence(call, words):
    with pytest.raises(gdl.CourseError, match=f"^{words}"):
        call()


def test_reconstructions_of_the_wrong_kind():
    vae = gdl.VAE(image_size=16, z_dim=2, filters=(4,))
    for images, network, words in ((IMAGES[:0], None, "There are 0 images"), (IMAGES, "fid", "network='fid'"), (None, None, "Give uint8 images")):
        with pytest.raises(gdl.CourseError, match=f"^{words}"):
            metrics.reconstruction_scores(vae, images, network)
