"""The ruler of the chapters: features of a small classifier of faces, and their distance."""

import keras
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import gdl
from gdl import metrics
from gdl.data import cache
from gdl.experiments.job import NETWORKS
from gdl.metrics.reference import VERSIONS
from gdl.shipped import SHA256


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(n=400, size=64)


def test_the_features_are_the_means_of_the_last_maps(faces):
    network = gdl.pretrained("classifier-drawn64").network
    dense = network.get_layer("logits")
    maps = keras.Model(network.input, network.layers[network.layers.index(dense) - 2].output)(faces.test.images / np.float32(255)).numpy()
    assert maps.shape == (40, 4, 4, 128)
    kernel, bias = (weights.numpy() for weights in dense.weights)
    logits = maps.reshape(40, -1) @ kernel + bias
    np.testing.assert_allclose(logits, network(faces.test.images / np.float32(255)).numpy(), atol=1e-4)  # they are what the answers are made of
    np.testing.assert_allclose(metrics.classifier_features(faces.test.images, "classifier-drawn64"), maps.mean(axis=(1, 2)), atol=1e-5)


def test_it_orders_what_one_can_order(faces):
    x, rng = faces.val.images.astype(np.float64), np.random.default_rng(0)
    cases = {
        "held-out faces": x,
        "a little noise": np.clip(x + 8 * rng.standard_normal(x.shape), 0, 255),
        "much noise": np.clip(x + 40 * rng.standard_normal(x.shape), 0, 255),
        "blurred a little": gaussian_filter(x, (0, 1, 1, 0)),
        "blurred": gaussian_filter(x, (0, 3, 3, 0)),
        "upside down": x[:, ::-1],
    }
    far = {name: metrics.face_distance(np.uint8(images), faces.train) for name, images in cases.items()}
    assert far["held-out faces"] < 0.7 * min(distance for name, distance in far.items() if name != "held-out faces"), far
    assert far["a little noise"] < far["much noise"] and far["blurred a little"] < far["blurred"], far
    assert metrics.face_distance(faces.train.images, faces.train) == pytest.approx(0, abs=1e-6)


def test_the_classifier_is_that_of_the_data(faces, drawn_celeba):
    photographs = gdl.CelebA(drawn_celeba, size=32)
    assert metrics.face_network(faces.train) == "classifier-drawn64" and metrics.face_network(photographs.train) == "classifier-celeba64"
    known = metrics.reference(photographs.train, "classifier-celeba64")
    x = 255 - photographs.train.images
    assert metrics.face_distance(x, photographs.train) == metrics.face_distance(x, known) > 1
    assert known.features.shape[1] == 256 and metrics.features(faces.val.images, "classifier-drawn64").shape == (40, 128)
    for array in (faces.train.images, metrics.reference(faces.val.images, "stand_in")):
        with pytest.raises(gdl.CourseError, match="Give a split, such as faces.train"):
            metrics.face_distance(faces.val.images, array)


def test_scores_have_names_of_their_own(faces):
    values = metrics.scores(faces.val.images, faces.train, network="classifier-drawn64")
    assert values["face_distance"] == metrics.face_distance(faces.val.images, faces.train)
    assert list(values) == ["face_distance", "face_kernel_distance", "face_kernel_distance_error", "face_precision", "face_recall"]
    best = metrics.BestFID(faces.val, n=10, every=1, network="classifier-drawn64")
    assert best.key == "face_distance"


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_precision_of_keras_changes_nothing(faces, precision, policy):
    expected = metrics.classifier_features(faces.test.images, "classifier-drawn64")
    precision(policy)
    metrics.classifier._network.cache_clear()
    assert np.array_equal(metrics.classifier_features(faces.test.images, "classifier-drawn64"), expected)
    assert keras.config.dtype_policy().name == policy


def test_the_cache_follows_the_weights_of_the_classifier(faces):
    metrics.reference(faces.val, "classifier-drawn64")
    weights = SHA256["classifier-drawn64"][:12]
    assert (cache.folder() / f"reference-classifier-drawn64-{weights}-{faces.val.fingerprint}.npz").is_file()


def test_the_command_line_knows_every_network():
    assert set(NETWORKS) == set(VERSIONS)


def test_no_images_have_no_features():
    assert metrics.classifier_features(np.zeros((0, 64, 64, 3), np.uint8), "classifier-drawn64").shape == (0, 128)
    with pytest.raises(gdl.CourseError, match="uint8"):
        metrics.classifier_features(np.zeros((1, 64, 64, 3)), "classifier-drawn64")
