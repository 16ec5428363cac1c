"""Arguments of the wrong kind: one sentence, before any work."""

from pathlib import Path

import keras
import numpy as np
import pytest

import gdl


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(60, 16)


@pytest.fixture(scope="module")
def vae():
    return gdl.VAE(16, 2, (4,))


@pytest.fixture(autouse=True)
def no_fit(monkeypatch, tmp_path):
    monkeypatch.setattr(gdl.VAE, "fit", lambda *arguments, **options: pytest.fail("it trains"))
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.iterdir()), "nothing is written"


def sentence(function, *arguments, **options):
    with pytest.raises(gdl.CourseError) as error:
        function(*arguments, **options)
    assert "\n" not in str(error.value) and str(error.value).endswith(".")
    return str(error.value)


NO_RUNS = ["", "  ", b"runs/vae", 3, 2.5, True, ["runs"], "a\0b", Path]


@pytest.mark.parametrize("run", NO_RUNS)
def test_what_is_no_folder(vae, faces, run):
    words = f"run is {run!r}: give the name of a folder, such as 'runs/vae'."
    assert sentence(gdl.train, vae, faces, 1, run=run) == words
    assert sentence(gdl.load, run) == words
    assert sentence(gdl.load, None) == "run is None: give the name of a folder, such as 'runs/vae'."


def test_model_and_faces_of_the_wrong_kind(vae, faces):
    assert "are in the wrong order: call gdl.train(model, faces, ...)" in sentence(gdl.train, faces, vae, 1)
    assert "this is an array" in sentence(gdl.train, vae, faces.train.images)
    assert "this is a str: open a folder with gdl.ImageFolder" in sentence(gdl.train, vae, "data/celeba", 1)
    assert "training also needs faces.val" in sentence(gdl.train, vae, faces.train, 1)
    for model in (keras.Sequential(), gdl.VAE, "vae", None):
        assert "takes a model of the course first, such as gdl.VAE()" in sentence(gdl.train, model, faces, 1)
    assert "the class VAE" in sentence(gdl.train, gdl.VAE, faces, 1)


@pytest.mark.parametrize(
    "option, values",
    {
        "epochs": ["3", 2.5, 0, -1, True, None, np.nan, [3]], "batch_size": [0, 1.5, "64", None, True], "learning_rate": [np.nan, np.inf, -1, "1e-3"],
        "steps_per_epoch": [0, 1.5, "2"], "halve_every": [-1, 0.5, "2"], "patience": [-1, 1.5, "2"], "seed": [0.5, -1, None, "0"],
        "flip": ["yes", 2, None], "quiet": ["no", 2, None], "pictures": ["no", 2, None],
    }.items(),
)  # fmt: skip
def test_options_of_the_wrong_kind(vae, faces, option, values):
    for value in values:
        assert sentence(gdl.train, vae, faces, **{"epochs": 1, "run": "run", option: value}).startswith(f"{option} is {value!r}: give ")


def test_a_missing_or_misspelt_option(vae, faces):
    assert sentence(gdl.train, vae, faces).startswith("epochs is None: give a whole number")
    assert "Training has no option 'epoch' (did you mean 'epochs'?)" in sentence(gdl.train, vae, faces, epoch=3)
    assert "'batchsize' (did you mean 'batch_size'?)" in sentence(gdl.train, vae, faces, 1, batchsize=3)
    assert "'colour': choose from batch_size" in sentence(gdl.train, vae, faces, 1, colour=3)


@pytest.mark.parametrize("name", ["", " ", None, 3, ["vae"], b"vae"])
def test_names_of_runs_and_recipes(faces, name):
    assert sentence(gdl.run_folder, name, faces).startswith(f"name is {name!r}: give")
    assert f"There is no recipe {name!r}" in sentence(gdl.load_or_train, name, faces)
    assert f"No model {name!r} comes with the course" in sentence(gdl.pretrained, name)


@pytest.mark.parametrize("wrong", [None, "data/celeba", np.zeros((3, 16, 16, 3), np.uint8), "split"])
def test_what_is_no_faces(faces, wrong):
    wrong = faces.train if isinstance(wrong, str) and wrong == "split" else wrong
    assert "takes a name and faces, such as gdl.faces()" in sentence(gdl.run_folder, "vae", wrong)
    assert "takes a name and faces, such as gdl.faces()" in sentence(gdl.load_or_train, "vae", wrong)


def test_an_empty_place_of_runs_is_the_usual_one(faces, monkeypatch):
    monkeypatch.setenv("GDL_RUNS", "")
    monkeypatch.setenv("GDL_PROFILE", "smoke")
    assert gdl.run_folder("vae", faces) == Path("runs") / f"vae-smoke-{faces.fingerprint}"
