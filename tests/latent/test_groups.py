"""Groups: a table whose numbers can be counted by hand, and training images that are repeated."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import gdl
from gdl.data.splits import Split
from gdl.latent import groups
from gdl.models.base import DecoderModel, EncoderDecoderModel, FaceModel


class Judge:
    """Knows two attributes: A is a bright red channel, B a bright green one."""

    def predict_attributes(self, images):
        assert images.dtype == np.uint8
        return pd.DataFrame({"B": images[:, 0, 0, 1] / 255, "A": images[:, 0, 0, 0] / 255}).astype(np.float32)


class Copier(EncoderDecoderModel):
    """Its reconstructions are 0.1 brighter in blue, and for images with A the red is gone; one of four samples has A, none B."""

    def __init__(self, pixel_range=(0, 1)):
        super(FaceModel, self).__init__()
        self.architecture = SimpleNamespace(pixel_range=pixel_range)

    def in_range(self, unit):
        low, high = self.architecture.pixel_range
        return (unit * (high - low) + low).astype(np.float32)

    def generate(self, n, seed):
        images = np.zeros((n, 4, 4, 3))
        images[seed % 4 :: 4, :, :, 0] = 1
        return self.in_range(images)

    def reconstruct(self, x):
        images = x / 255
        images[..., 2] += 51 / 255
        images[..., 0] = 0
        return self.in_range(images)


class Generator(DecoderModel):
    """Generates as the Copier does, and has no encoder."""

    __init__, in_range, generate = Copier.__init__, Copier.in_range, Copier.generate


@pytest.fixture
def faces():
    """Ten validation images: the first three with A, the last five with B; the fourth looks like A and is not."""
    labels = pd.DataFrame({"A": np.arange(10) < 3, "B": np.arange(10) >= 5})
    images = np.zeros((10, 4, 4, 3), np.uint8)
    images[:4, :, :, 0] = 255
    images[5:, :, :, 1] = 255
    train = pd.DataFrame({"A": np.arange(20) < 5, "B": np.arange(20) < 12})
    return SimpleNamespace(train=Split(None, train, None), val=Split(images, labels, None))


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_every_number_of_the_table(faces, pixel_range):
    table = groups.group_table(Copier(pixel_range), Judge(), faces, ("A", "B"), samples=400, seed=1)
    assert list(table.index) == ["A", "not A", "B", "not B"]
    blue = (51 / 255) ** 2 / 3  # every image's error in blue
    red = 1 / 3  # and in red, of those that had it: 0, 1, 2 and 3
    expected = {
        "train": [0.25, 0.75, 0.6, 0.4],
        "val": [0.3, 0.7, 0.5, 0.5],
        "val_n": [3, 7, 5, 5],
        "val_seen": [0.4, 0.6, 0.5, 0.5],
        "samples_seen": [0.25, 0.75, 0, 1],
        "error": [blue + red, blue + red / 7, blue, blue + red * 4 / 5],
        "mistaken": [0, 1 / 7, 0, 0],
        "turned": [1, 0, 0, 0],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(table[name], values, atol=1e-6, err_msg=name)
    sevenths = np.std([blue + red] + 6 * [blue], ddof=1) / np.sqrt(7)
    np.testing.assert_allclose(table["error_se"][["A", "not A", "B"]], [0, sevenths, 0], atol=1e-7)


def test_the_standard_error_of_a_share_is_the_spread_of_shares():
    rng = np.random.default_rng(0)
    counted = rng.binomial(500, 0.04, 20_000) / 500
    assert groups.share_error(0.04, 500) == pytest.approx(counted.std(), rel=0.03)
    assert 0.5 / 1000 < groups.share_error(0, 1000) < 2 / 1000, "none of 1,000 is not certainty"


def test_a_model_without_an_encoder_has_no_errors(faces):
    shares = groups.group_table(Copier(), Judge(), faces, ["A"], samples=40)
    without = groups.group_table(Generator(), Judge(), faces, ["A"], samples=40)
    assert without[["error", "error_se", "turned"]].isna().all(axis=None)
    same = ["train", "val", "val_n", "val_seen", "samples_seen", "samples_se", "mistaken"]
    pd.testing.assert_frame_equal(without[same], shares[same])


def test_a_group_without_validation_images_is_nan_and_an_unknown_one_an_error(faces):
    faces.val.attributes["A"] = False
    table = groups.group_table(Copier(), Judge(), faces, ["A"], samples=40)
    assert table.loc["A", ["error", "mistaken", "turned"]].isna().all() and table.loc["A", "val_n"] == 0
    with pytest.raises(gdl.CourseError, match="no attribute C"):
        groups.group_table(Copier(), Judge(), faces, ["C"], samples=40)


def test_many_images_are_worked_through_in_parts(faces, monkeypatch):
    whole = groups.group_table(Copier(), Judge(), faces, ["A", "B"], samples=40)
    monkeypatch.setattr(groups, "CHUNK", 3)
    pd.testing.assert_frame_equal(groups.group_table(Copier(), Judge(), faces, ["A", "B"], samples=40), whole)


@pytest.fixture(scope="module")
def drawn():
    return gdl.DrawnFaces(n=200, size=16)


@pytest.mark.parametrize("attribute,share", [("Eyeglasses", 0.5), ("Eyeglasses", 0.2), ("Male", 0.1), ("No_Beard", 0.5)])
def test_resampled_images_have_the_share_and_none_is_lost(drawn, attribute, share):
    again, there = groups.resampled(drawn, attribute, share), drawn.train.attributes[attribute].to_numpy()
    assert again.train.attributes[attribute].mean() == pytest.approx(share, abs=1 / len(again.train))
    times = pd.Series(again.train.names).value_counts()[drawn.train.names]
    more, once = (there, ~there) if share > there.mean() else (~there, there)
    assert (times[once] == 1).all(), "the commoner side is as it was"
    assert times[more].min() >= 1 and times[more].max() - times[more].min() <= 1, "the other evenly more often"
    assert list(again.train.attributes.index) == list(range(len(again.train)))


def test_resampled_rows_belong_together(drawn):
    again = groups.resampled(drawn, "Wearing_Hat")
    place = pd.Index(drawn.train.names).get_indexer(again.train.names)
    images = again.train.images
    assert images.shape == (len(place), 16, 16, 3) and images.dtype == np.uint8 and images.ndim == 4 and len(images) == len(place)
    np.testing.assert_array_equal(np.asarray(images), drawn.train.images[place])
    np.testing.assert_array_equal(images[3], drawn.train.images[place[3]])
    np.testing.assert_array_equal(images[5:9], drawn.train.images[place[5:9]])
    np.testing.assert_array_equal(images[again.train.attributes["Wearing_Hat"]], drawn.train.images[place][again.train.attributes["Wearing_Hat"]])
    for name in ("attributes", "factors"):
        pd.testing.assert_frame_equal(getattr(again.train, name), getattr(drawn.train, name).iloc[place].reset_index(drop=True))
    assert np.shares_memory(images.images, drawn.train.images), "no copy of them"
    assert again.val is drawn.val and again.test is drawn.test and again.size == 16 and "Wearing_Hat" in repr(again)


def test_an_epoch_of_resampled_images_has_each_row_once(drawn):
    again = groups.resampled(drawn, "Bald", 0.3)
    batches = list(again.train.batches(32, labels=["Bald"], seed=2))
    assert sum(len(images) for images, _ in batches) == len(again.train)
    assert sum(float(labels.numpy().sum()) for _, labels in batches) == again.train.attributes["Bald"].sum()
    bytes_of = sorted(np.rint(image * 255).astype(np.uint8).tobytes() for images, _ in batches for image in images.numpy())
    assert bytes_of == sorted(image.tobytes() for image in np.asarray(again.train.images))


@pytest.mark.slow
def test_resampled_faces_train_encode_and_are_kept_apart(drawn, tmp_path):
    again = groups.resampled(drawn, "Bald")
    vae = gdl.VAE(image_size=16, z_dim=2, filters=(4,))
    gdl.train(vae, again, 1, run=tmp_path / "run", batch_size=32, steps_per_epoch=2, quiet=True)
    assert vae.encode(again.train.images[:5]).shape == (5, 2) and vae.encode(again.train.images).shape == (len(again.train), 2)
    with pytest.raises(gdl.CourseError, match="other settings"):
        gdl.train(vae, drawn, 1, run=tmp_path / "run", batch_size=32, steps_per_epoch=2, quiet=True)
    others = [drawn, groups.resampled(drawn, "Male"), groups.resampled(drawn, "Bald", 0.3), groups.resampled(drawn, "Bald", seed=1)]
    assert len({again.fingerprint, *(faces.fingerprint for faces in others)}) == 5
    assert len({again.train.fingerprint, *(faces.train.fingerprint for faces in others)}) == 5
    assert groups.resampled(drawn, "Bald").train.fingerprint == again.train.fingerprint
    np.testing.assert_array_equal(groups.resampled(drawn, "Bald").train.names, again.train.names)


@pytest.mark.parametrize("share", [0, 1, -0.2])
def test_a_share_that_is_not_possible(drawn, share):
    with pytest.raises(gdl.CourseError, match="more than 0 and less than 1"):
        groups.resampled(drawn, "Bald", share)


@pytest.mark.parametrize("value,words", [(True, "Every"), (False, "No")])
def test_an_attribute_that_all_or_none_have(faces, value, words):
    faces.train.attributes["A"] = value
    with pytest.raises(gdl.CourseError, match=f"{words} training image has the attribute A"):
        groups.resampled(faces, "A")
