"""Measuring: references and their cache, the stand-in, the scores, and the callback that keeps the best weights."""

import errno
import os
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from scipy import linalg
from scipy.ndimage import gaussian_filter

import gdl
from gdl import metrics
from gdl.experiments import job
from gdl.metrics import common, inception, stand_in
from gdl.metrics.reference import ROWS, VERSIONS


def half(error):
    """A write_bytes that writes half of the content and then fails."""
    write_bytes = Path.write_bytes

    def write(path, content):
        write_bytes(path, content[: len(content) // 2])
        raise error

    return write


@pytest.fixture(scope="module")
def faces(cache_folder):
    return gdl.DrawnFaces(n=600, size=32)


@pytest.fixture(scope="module")
def scenes(faces):
    """120 held-out faces."""
    return np.concatenate([faces.val.images, faces.test.images])


@pytest.fixture
def calls(monkeypatch):
    """How many images the stand-in was given, call by call."""
    seen = []
    whole = stand_in.stand_in_features
    monkeypatch.setattr(stand_in, "stand_in_features", lambda images: (seen.append(len(images)), whole(images))[1])
    return seen


@pytest.fixture(autouse=True)
def notes_anew(monkeypatch):
    """Each test may print each note once."""
    monkeypatch.setitem(metrics.fid.__globals__, "_printed", set())


def noise(n, seed=0, size=16):
    return np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8)


def distance(a, b):
    """The Frechet distance by SciPy's square root of a matrix."""
    (mean_1, cov_1), (mean_2, cov_2) = [(f.mean(0), np.cov(f.T)) for f in (a.astype(float), b.astype(float))]
    return np.sum((mean_1 - mean_2) ** 2) + np.trace(cov_1 + cov_2 - 2 * linalg.sqrtm(cov_1 @ cov_2).real)


# the stand-in


def test_the_stand_in_is_the_same_everywhere():
    ramp = np.linspace(0, 255, 32 * 32 * 3).round().astype(np.uint8).reshape(1, 32, 32, 3)
    values = metrics.stand_in_features(np.concatenate([ramp, noise(1, size=32)]))
    assert values.shape == (2, 60) and values.dtype == np.float32
    np.testing.assert_allclose(values[0, [0, 10, 25, 31, 45, 59]], [-0.046052, 0.324488, 0.597485, -1.640284, 0.340846, -0.988208], atol=1e-4)
    np.testing.assert_allclose(values[1, [0, 10, 25, 31, 45, 59]], [0.028507, -0.791203, 0.242903, -1.291076, 0.048595, -1.399395], atol=1e-4)
    np.testing.assert_allclose(values.sum(axis=1), [-23.21987, -33.68545], atol=1e-3)


@pytest.mark.slow
def test_the_stand_in_orders_what_one_can_order(faces, scenes):
    rng = np.random.default_rng(0)

    def blurred(sigma):
        return np.stack([gaussian_filter(image, (sigma, sigma, 0)) for image in scenes])

    def noisy(sigma):
        return np.clip(np.rint(scenes + rng.normal(0, sigma, scenes.shape)), 0, 255).astype(np.uint8)

    train = faces.train
    dark = (train.attributes["Black_Hair"] | train.attributes["Brown_Hair"]).to_numpy()
    real = metrics.reference(train, "stand_in")

    def score(images):
        return metrics.stand_in_distance(images, real)

    held_out = score(scenes)
    assert 0 < held_out < score(blurred(0.5)) < score(blurred(1)) < score(blurred(2))
    assert held_out < score(noisy(12)) < score(noisy(25)) < score(noisy(50))
    assert score(train.images[dark][: len(scenes)]) > 5 * held_out
    assert score(np.repeat(scenes[:12], len(scenes) // 12, axis=0)) > 5 * held_out
    assert score(np.roll(scenes, 2, axis=2)) < 1.5 * held_out  # not a distance of pixels


def test_the_stand_in_takes_no_floats_and_no_images_too():
    assert metrics.stand_in_features(noise(0)).shape == (0, 60)
    with pytest.raises(gdl.CourseError, match="uint8"):
        metrics.stand_in_features(np.zeros((1, 16, 16, 3)))


# references


def test_a_reference_is_the_mean_and_covariance_of_all_images(monkeypatch):
    images = noise(150)
    monkeypatch.setitem(metrics.reference.__globals__, "ROWS", 40)  # so that there are four parts, the last of them smaller
    computed = metrics.reference(images, "stand_in")
    features = metrics.stand_in_features(images)
    np.testing.assert_allclose(computed.mean, features.astype(float).mean(0), rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(computed.covariance, np.cov(features.astype(float).T), rtol=1e-9, atol=1e-12)
    assert computed.mean.dtype == computed.covariance.dtype == np.float64
    assert (computed.n, computed.network, computed.size) == (150, "stand_in", 16)
    assert computed.features.shape == (40, 60)
    rows = {row.tobytes() for row in features}
    kept = {row.tobytes() for row in computed.features}
    assert len(kept) == 40 and kept <= rows  # of the images themselves, none twice
    assert len(kept & {row.tobytes() for row in features[110:]}) > 3  # and from everywhere
    again = metrics.reference(images, "stand_in")
    assert np.array_equal(computed.features, again.features)


def test_all_features_are_kept_of_few_images_in_their_order():
    images = noise(30)
    assert ROWS == 10_000
    assert np.array_equal(metrics.reference(images, "stand_in").features, metrics.stand_in_features(images))


def test_a_split_is_measured_once(own_cache, calls):
    faces = gdl.DrawnFaces(n=40, size=16)
    first = metrics.reference(faces.train, "stand_in")
    second = metrics.reference(gdl.DrawnFaces(n=40, size=16).train, "stand_in")
    assert calls == [32]
    assert all(np.array_equal(a, b) for a, b in zip(first, second))
    assert [type(value) for value in second] == [np.ndarray] * 3 + [int, str, int, str]
    assert metrics.reference(second, "stand_in") is second
    (file,) = own_cache.glob("reference-*")
    assert file.name == f"reference-stand_in-{VERSIONS['stand_in']}-{faces.fingerprint}-train.npz"


def test_other_data_crops_sizes_splits_and_networks_are_measured_apart(own_cache, calls, make_celeba, monkeypatch):
    monkeypatch.setattr(inception, "inception_features", lambda images, precision: images.reshape(len(images), -1)[:, :5].astype(np.float32))
    root = make_celeba()
    celeba = gdl.CelebA(root, size=16)
    sets = [
        celeba.train,
        celeba.val,
        gdl.CelebA(root, size=32).train,
        gdl.CelebA(root, size=16, crop=178).train,
        gdl.CelebA(root, size=16, n=20).train,
    ]
    sets.append(gdl.CelebA(make_celeba("other", n=40), size=16).train)
    for split in sets * 2:
        metrics.reference(split, "stand_in")
    assert len(calls) == len(sets) == len(list(own_cache.glob("reference-*")))
    assert metrics.reference(celeba.train).features.shape == (24, 5)
    monkeypatch.setitem(VERSIONS, "stand_in", 999)
    metrics.reference(celeba.train, "stand_in")
    assert len(calls) == len(sets) + 1


def test_a_damaged_reference_is_made_anew(own_cache, calls):
    split = gdl.DrawnFaces(n=40, size=16).train
    whole = metrics.reference(split, "stand_in")
    (file,) = own_cache.glob("reference-*")
    data = file.read_bytes()
    lacking = own_cache / "lacking.npz"
    np.savez(lacking, mean=whole.mean)
    short = own_cache / "short.npz"
    np.savez(short, **whole._replace(features=whole.features[:5])._asdict())
    flipped = bytearray(data)
    flipped[len(data) // 2] ^= 255
    for damage in (b"", b"not a zip", data[:-300], bytes(flipped), lacking.read_bytes(), short.read_bytes()):
        file.write_bytes(damage)
        calls.clear()
        assert np.array_equal(metrics.reference(split, "stand_in").features, whole.features)
        assert calls == [32]
        with np.load(file) as stored:
            assert stored["n"] == 32


def test_a_reference_that_was_killed_leaves_nothing_that_is_read(own_cache, monkeypatch):
    split = gdl.DrawnFaces(n=40, size=16).train

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "write_bytes", half(KeyboardInterrupt()))
        metrics.reference(split, "stand_in")
    assert not list(own_cache.glob("*reference-*"))
    assert metrics.reference(split, "stand_in").n == 32


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_reference_that_cannot_be_kept_is_used_all_the_same(own_cache, monkeypatch, capsys, number):
    split = gdl.DrawnFaces(n=40, size=16).train
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half(OSError(number, os.strerror(number))))
        assert metrics.reference(split, "stand_in").n == 32
    said = capsys.readouterr().out
    assert f"cannot be written ({os.strerror(number)})" in said and "computed again each time" in said and said.count("\n") == 1
    assert ("make room" in said) == (number == errno.ENOSPC) and not list(own_cache.glob("*reference-*"))


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x03\x04" + bytes(100), "folder"])
def test_a_damaged_reference_is_computed_again(own_cache, content):
    split = gdl.DrawnFaces(n=40, size=16).train
    right = metrics.reference(split, "stand_in")
    (file,) = own_cache.glob("reference-*")
    file.unlink()
    file.mkdir() if content == "folder" else file.write_bytes(content)
    assert np.array_equal(metrics.reference(split, "stand_in").mean, right.mean)


def test_what_is_no_reference_is_refused(faces):
    for bad in (noise(1), noise(5) / 255, [1, 2], None):
        with pytest.raises(gdl.CourseError, match="uint8"):
            metrics.reference(bad, "stand_in")
    for bad in (noise(5)[..., 0], noise(5)[:, :0]):
        with pytest.raises(gdl.CourseError, match=r"the shape \(n, height, width, 3\)"):
            metrics.reference(bad, "stand_in")
    for real in (faces.val, noise(5)):
        with pytest.raises(gdl.CourseError, match="'vgg' is not known"):
            metrics.reference(real, "vgg")
    with pytest.raises(gdl.CourseError, match="'stand_in'"):
        metrics.fid(noise(5), metrics.reference(noise(5), "stand_in"))


# scores


def test_the_distance_is_that_of_scipy(faces, scenes):
    expected = distance(metrics.stand_in_features(scenes), metrics.stand_in_features(faces.train.images))
    assert metrics.stand_in_distance(scenes, faces.train) == pytest.approx(expected, abs=1e-6)
    assert metrics.stand_in_distance(faces.train, faces.train) == pytest.approx(0, abs=1e-6)


def test_floats_in_either_range_are_worth_the_same_as_bytes(faces):
    images = faces.val.images
    whole = metrics.features(images, "stand_in")
    for pixel_range in ((0, 1), (-1, 1)):
        floats = gdl.data.to_float(images, pixel_range)
        assert np.array_equal(metrics.features(floats, "stand_in", pixel_range), whole)
        barely = (floats + np.random.default_rng(0).uniform(-1e-3, 1e-3, floats.shape)).clip(*pixel_range)
        assert np.array_equal(metrics.features(barely, "stand_in", pixel_range), whole)  # rounded, as PNG would


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((3, 16, 16, 3), -0.5), r"pixel_range=\(-1, 1\)"),
        (np.full((3, 16, 16, 3), 200.0), "uint8"),
        (np.full((3, 16, 16, 3), np.nan), "diverged"),
        (np.full((3, 16, 16, 3), np.inf), "diverged"),
        (np.zeros((16, 16, 3)), "shape"),
        (np.zeros((3, 16, 16, 1)), "shape"),
        (np.zeros((1, 16, 16, 3)), "at least two images"),
        (np.zeros((0, 16, 16, 3)), "at least two images"),
    ],
)
def test_images_that_are_none_are_refused(images, message):
    with pytest.raises(gdl.CourseError, match=message):
        metrics.stand_in_distance(images, noise(5))


def test_unknown_pixel_range_and_network_are_refused():
    with pytest.raises(gdl.CourseError, match="pixel_range"):
        metrics.stand_in_distance(noise(5), noise(5), pixel_range=(0, 255))
    with pytest.raises(gdl.CourseError, match="'vgg' is not known"):
        metrics.scores(noise(5), noise(5), network="vgg")


def test_the_keys_of_the_scores(faces, monkeypatch):
    images, real = faces.val.images, faces.train
    scores = metrics.scores(images, real, network="stand_in", interval=True)
    ends = ("distance", "distance_low", "distance_high", "kernel_distance", "kernel_distance_error", "precision", "recall")
    assert list(scores) == [f"stand_in_{end}" for end in ends]
    assert all(isinstance(value, float) for value in scores.values())
    assert scores["stand_in_distance"] == metrics.stand_in_distance(images, real)
    assert scores["stand_in_distance_low"] <= scores["stand_in_distance"] <= scores["stand_in_distance_high"]
    assert 0.5 < scores["stand_in_precision"] <= 1 and 0.5 < scores["stand_in_recall"] <= 1
    assert abs(scores["stand_in_kernel_distance"]) < 5 * scores["stand_in_kernel_distance_error"]

    monkeypatch.setattr(inception, "inception_features", lambda images, precision=None: metrics.stand_in_features(images))
    assert list(metrics.scores(images, images)) == ["fid", "kid", "kid_error", "precision", "recall"]
    assert list(metrics.scores(images, images, interval=True))[:3] == ["fid", "fid_low", "fid_high"]
    assert metrics.kid(images, images[:60]) == tuple(list(metrics.scores(images, images[:60]).values())[1:3])


def test_the_features_of_the_images_are_computed_once(calls):
    metrics.scores(noise(20), metrics.reference(noise(30, 1), "stand_in"), network="stand_in", interval=True)
    assert calls == [30, 20]


def test_notes_are_printed_once(monkeypatch, capsys):
    monkeypatch.setattr(inception, "inception_features", lambda images, precision=None: metrics.stand_in_features(images))
    metrics.stand_in_distance(noise(20), noise(20, 1))
    assert capsys.readouterr().out == ""
    metrics.fid(noise(20, size=32), noise(30, 1))
    out = capsys.readouterr()
    assert [line.split(":")[0] for line in out.out.splitlines()] == ["Note"] * 3
    assert all(text in out.out for text in ("2,048", "20 images against 30", "32 pixels", "16"))
    assert out.err == ""
    metrics.fid(noise(20, size=32), noise(30, 1))
    assert capsys.readouterr().out == ""


def test_scores_of_reconstructions(faces):
    class Half(gdl.Autoencoder):
        """Gives back each image at half its contrast."""

        def reconstruct(self, x):
            return gdl.data.to_float(x) / 2 + 0.25

    half = Half(image_size=32, z_dim=2, filters=(4,))
    x = gdl.data.to_float(faces.val.images).astype(float)
    scores = metrics.reconstruction_scores(half, faces.val)
    assert list(scores) == ["mse", "ssim", "pearson"]
    assert scores["mse"] == pytest.approx(np.mean((x / 2 - 0.25) ** 2), rel=1e-5)
    assert scores["pearson"] == pytest.approx(1, abs=1e-6)
    assert 0.5 < scores["ssim"] < 1
    assert scores == metrics.reconstruction_scores(half, faces.val.images)
    scores = metrics.reconstruction_scores(half, faces.val, network="stand_in")
    again = np.rint((x / 2 + 0.25) * 255).astype(np.uint8)
    assert scores["stand_in_reconstruction_distance"] == pytest.approx(metrics.stand_in_distance(again, faces.val), rel=1e-2)


def test_scores_of_reconstructions_in_the_other_pixel_range(faces):
    model = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8), pixel_range=(-1, 1))
    images = faces.val.images[:40]
    scores = metrics.reconstruction_scores(model, images, network="stand_in")
    x, x_hat = images / 255, (model.reconstruct(images) + 1) / 2
    assert scores["mse"] == pytest.approx(np.mean((x - x_hat) ** 2), rel=1e-5)
    assert list(scores) == ["mse", "ssim", "pearson", "stand_in_reconstruction_distance"]
    with pytest.raises(gdl.CourseError, match="no encoder"):
        metrics.reconstruction_scores(gdl.GAN(image_size=32, z_dim=4, filters=(4, 8)), images)


# the callback


def trained(run, epochs, real, gan=False, extra=(), **options):
    keras.utils.set_random_seed(0)
    model = gdl.GAN(image_size=32, z_dim=4, filters=(4, 8), ema=0.9) if gan else gdl.VAE(image_size=32, z_dim=4, filters=(4, 8))
    best = metrics.BestFID(real, n=40, network="stand_in", file=run / "best.weights.h5", **options)
    history = gdl.train(
        model, gdl.DrawnFaces(n=60, size=32), epochs, run=run, batch_size=16, learning_rate=1e-2, quiet=True, callbacks=[best, *extra]
    )
    return model, history


@pytest.mark.slow
@pytest.mark.parametrize("gan", [False, True])
def test_the_file_holds_the_weights_of_the_best_epoch(tmp_path, faces, gan):
    kept = {}
    keep = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: kept.update({epoch + 1: keep.model.get_weights()}))
    model, history = trained(tmp_path / "run", 3, faces.val, gan, [keep], every=1)
    values = history["stand_in_distance"]
    best = values.idxmin()
    loaded = gdl.load(tmp_path / "run")  # it prefers the best
    assert all(np.array_equal(a, b) for a, b in zip(loaded.get_weights(), kept[best]))
    assert metrics.stand_in_distance(loaded.generate(40), faces.val) == values[best]
    assert metrics.stand_in_distance(model.generate(40), faces.val) == values[3]


@pytest.mark.slow
def test_epochs_between_are_not_measured_and_resuming_keeps_the_table(tmp_path, faces):
    _, whole = trained(tmp_path / "whole", 3, faces.val, every=2)
    assert whole["stand_in_distance"].notna().tolist() == [False, True, False]
    for epochs in (1, 3):
        _, parts = trained(tmp_path / "parts", epochs, faces.val, every=2)
    own = ["seconds", "images_per_second"]
    pd.testing.assert_frame_equal(parts.drop(columns=own), whole.drop(columns=own), check_like=True, check_exact=True)
    for name in ("parts", "whole"):
        with h5py.File(tmp_path / name / "best.weights.h5") as file:
            assert file.attrs["stand_in_distance of 40 images"] == whole["stand_in_distance"][2]


class Toy(gdl.Autoencoder):
    """Its weights can be set to the number of an epoch."""

    def set(self, epoch):
        for variable in self.decoder.trainable_variables:
            variable.assign(np.full(variable.shape, epoch, np.float32))

    def saved_epoch(self, file):
        self.load_weights(file)
        return float(self.decoder.trainable_variables[0].numpy().max())


@pytest.fixture
def toy():
    model = Toy(image_size=16, z_dim=2, filters=(4,))
    model.compile()
    return model


def sitting(model, file, done, values, n=40):
    """A training that goes on after `done` epochs and measures these values, one an epoch."""
    best = metrics.BestFID(noise(20), n=n, every=1, file=file, network="stand_in")
    best.set_model(model)
    best.on_train_begin()
    rows = []
    for epoch, value in enumerate(values, done):
        best.on_epoch_begin(epoch)
        model.set(epoch + 1)
        best.distance = lambda value=value: value
        rows.append({"loss": 1.0})
        best.on_epoch_end(epoch, rows[-1])
    return rows


def test_a_resumed_training_keeps_the_better_weights_of_the_first_sitting(tmp_path, toy):
    file = tmp_path / "best.weights.h5"
    assert sitting(toy, file, 0, [3.0, 5.0]) == [{"loss": 1.0, "stand_in_distance": 3.0}, {"loss": 1.0, "stand_in_distance": 5.0}]
    assert toy.saved_epoch(file) == 1
    sitting(toy, file, 2, [4.0, np.nan])
    assert toy.saved_epoch(file) == 1
    sitting(toy, file, 4, [2.0, 2.0])
    assert toy.saved_epoch(file) == 5


def test_killed_after_the_best_weights_and_before_the_epoch_is_saved(tmp_path, toy):
    file = tmp_path / "best.weights.h5"
    sitting(toy, file, 0, [3.0, 2.0])  # the second epoch was not saved, and is trained again
    sitting(toy, file, 1, [2.0, 4.0])
    assert toy.saved_epoch(file) == 2


def test_killed_while_the_weights_are_written(tmp_path, toy, monkeypatch):
    file = tmp_path / "best.weights.h5"
    sitting(toy, file, 0, [3.0])

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "write_bytes", half(KeyboardInterrupt()))
        sitting(toy, file, 1, [2.0])
    assert toy.saved_epoch(file) == 1
    sitting(toy, file, 1, [2.5])
    assert toy.saved_epoch(file) == 2


@pytest.mark.parametrize("content", [b"", b"no HDF5", "cut"])
def test_a_damaged_file_of_the_best_is_said_and_the_best_from_now_on_is_kept(tmp_path, toy, capsys, content):
    file = tmp_path / "best.weights.h5"
    sitting(toy, file, 0, [1.0])
    file.write_bytes(file.read_bytes()[:-100] if content == "cut" else content)
    sitting(toy, file, 1, [3.0, 5.0])
    assert f"{file} is damaged" in capsys.readouterr().out
    assert toy.saved_epoch(file) == 2


@pytest.mark.parametrize("wrong", [dict(n=1), dict(n=2.5), dict(n="many"), dict(every=0), dict(every="2"), dict(every=True), dict(network="vgg")])
def test_best_fid_checks_its_arguments_before_any_training(wrong):
    with pytest.raises(gdl.CourseError, match=f"^{min(wrong)}"):
        metrics.BestFID(noise(5), **{"network": "stand_in", **wrong})


def test_a_new_training_and_another_number_of_images_do_not_mind_an_old_value(tmp_path, toy):
    file = tmp_path / "best.weights.h5"
    sitting(toy, file, 0, [1.0])
    sitting(toy, file, 0, [7.0, 9.0])
    assert toy.saved_epoch(file) == 1
    with h5py.File(file) as opened:
        assert dict(opened.attrs.items()) == {"stand_in_distance of 40 images": 7.0}
    sitting(toy, file, 2, [8.0], n=50)  # more images: the values cannot be compared
    assert toy.saved_epoch(file) == 3


def test_a_model_that_diverged_goes_on_with_nan(tmp_path, toy):
    toy.set(np.nan)
    best = metrics.BestFID(noise(20), n=10, every=2, file=tmp_path / "best.weights.h5", network="stand_in")
    best.set_model(toy)
    best.on_train_begin()
    logs = {}
    best.on_epoch_end(0, logs)
    assert logs == {}
    best.on_epoch_end(1, logs)
    assert np.isnan(logs["stand_in_distance"]) and not best.file.exists()


def test_without_a_file_it_only_measures(tmp_path, toy, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert sitting(toy, None, 0, [3.0])[0]["stand_in_distance"] == 3
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n, real", [(3, 10), (10, 3), (2, 2)])
def test_scores_say_how_many_images_they_need(n, real):
    with pytest.raises(gdl.CourseError, match=f"There are {n} images and {real} real ones: give at least 4 of each, because"):
        metrics.scores(noise(n), noise(real), "stand_in")
    assert metrics.scores(noise(4), noise(4), "stand_in")["stand_in_precision"] >= 0
    assert job.FEWEST == common.FEWEST == 4
