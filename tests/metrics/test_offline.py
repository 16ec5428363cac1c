"""The features and the table that come with the course belong to the models that come with it."""

import numpy as np
import pandas as pd
import pytest

import gdl
from gdl.metrics import frechet_distance, kernel_distance, offline, shipped_features, statistics
from gdl.shipped import FOLDER

MODELS = ("vae-celeba64", "gan-celeba64", "wgan_gp-celeba64")


def test_each_set_has_300_rows_of_what_a_relu_and_an_average_leave():
    for name in ("train", "val", *MODELS):
        features = shipped_features(name)
        assert features.shape == (300, 2048) and features.dtype == np.float32
        assert features.min() >= 0 and 0.2 < features.mean() < 0.8, "the last pooling of the Inception has a mean of about 0.4"
        assert len(np.unique(features, axis=0)) == 300
    assert offline.FILE.stat().st_size < 7e6


def test_the_order_of_the_models_is_that_of_their_cards():
    """FID of 5,000: 78.9 for the VAE, 33.6 for the WGAN-GP, 26.0 for the GAN; KID 0.078, 0.026, 0.016."""
    train = shipped_features("train")
    others = {name: shipped_features(name) for name in ("val", *MODELS)}
    fid = {name: frechet_distance(*statistics(train), *statistics(features)) for name, features in others.items()}
    kid = {name: kernel_distance(train, features)[0] for name, features in others.items()}
    assert fid["val"] < fid["gan-celeba64"] < fid["wgan_gp-celeba64"] < fid["vae-celeba64"]
    assert abs(kid["val"]) < 0.003
    assert [kid[name] for name in MODELS] == pytest.approx([0.078, 0.016, 0.026], abs=0.012)


def test_another_name_and_a_broken_file_are_told_in_one_sentence(tmp_path, monkeypatch):
    with pytest.raises(gdl.CourseError, match="choose from train, val"):
        shipped_features("test")
    half = tmp_path / "half.npz"
    half.write_bytes(offline.FILE.read_bytes()[:100_000])
    for path in (half, tmp_path / "missing.npz"):
        monkeypatch.setattr(offline, "FILE", path)
        with pytest.raises(gdl.CourseError, match="install the course again"):
            shipped_features("train")


def test_the_table_of_the_ruler_has_models_of_all_kinds_and_an_order_close_to_that_of_fid():
    table = pd.read_csv(FOLDER / "ruler.csv")
    assert list(table.columns) == ["model", "n", "fid", "face_distance", "kid"] and len(table) > 20
    for kind in ("VAE", "GAN", "WGAN-GP", "autoencoder", "Gaussian"):
        assert table["model"].str.startswith(kind).sum() >= 3
    assert table.set_index("model")["fid"].idxmin() == "validation photographs"
