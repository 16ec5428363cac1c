"""A Job: what it makes of the settings of a command line, of a file, and of a result that version 0.1.0 wrote."""

import dataclasses
import json
from pathlib import Path

import pytest

from gdl.errors import CourseError
from gdl.experiments.experiment import Cell
from gdl.experiments.job import Job, known_names
from gdl.experiments.options import parser
from gdl.experiments.run import _read_result, _request
from gdl.models import COMMANDS, constructor_options
from gdl.training.recipes import PHOTOGRAPHS
from gdl.training.training_options import TrainingOptions


def settings_of(words):
    """The settings of a command line."""
    return {name: value for name, value in vars(parser().parse_args(words.split())).items() if name not in ("command", "out", "devices")}


@pytest.mark.parametrize("model", COMMANDS)
def test_the_command_line_has_the_options_and_the_defaults_of_the_models(model):
    command_line = Job.from_settings(settings_of(f"train {model} --out x"))
    assert command_line.training == Job.from_settings({"model": model}).training
    options = constructor_options(model) | PHOTOGRAPHS[model]
    for name, value in command_line.model_options.items():
        assert name == "attributes" or options[name] == value, name
    if model != "classifier":  # which has a constructor with two options that it has no use for
        assert command_line.model_options.keys() == constructor_options(model).keys()
        assert known_names(model) - settings_of(f"train {model} --out x").keys() == set()


def test_a_flat_dict_and_back():
    settings = {"model": "gan", "residual": "block", "kernel_sizes": [5], "critic_norm": "none", "critic_learning_rate": 0.25, "patience": 0, "n": 90}
    job = Job.from_settings(settings)
    assert (job.second_learning_rate, job.training.patience, job.n) == (0.25, None, 90)
    assert [job.model_options[name] for name in ("residual", "kernel_sizes", "critic_norm", "image_size")] == [True, 5, None, 64]
    assert Job.from_settings(job.settings()) == job
    assert Job.from_settings(json.loads(json.dumps(job.settings()))) == job


@pytest.mark.parametrize(
    "settings,words",
    [
        ({}, "model is None: choose from autoencoder, vae"),
        ({"model": "painter"}, "model is 'painter'"),
        ({"model": "vae", "epochs": 1.5}, "epochs is 1.5: give a whole number"),
        ({"model": "vae", "size": "large"}, "size is 'large': give a whole number"),
        ({"model": "vae", "n": 0}, "n is 0"),
        ({"model": "vae", "crop": None}, "crop is None"),
        ({"model": "gan", "fid_every": -1}, "fid_every is -1"),
        ({"model": "gan", "fid_samples": 0}, "fid_samples is 0"),
        ({"model": "gan", "beta_1": 1}, "beta_1 is 1: give less than 1"),
        ({"model": "gan", "critic_learning_rate": "high"}, "critic_learning_rate is 'high'"),
        ({"model": "vae", "decoder_learning_rate": -1}, "decoder_learning_rate is -1"),
        ({"model": "vae", "precision": "float8"}, "precision is 'float8'"),
        ({"model": "vae", "fid_every": 1}, "fid_every and patience both"),
        ({"model": "gan", "image_noise": 0.1}, "image_noise=0.1"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_setting(settings, words):
    with pytest.raises(CourseError) as error:
        Job.from_settings(settings)
    assert words in str(error.value) and "\n" not in str(error.value)


def test_a_result_of_version_0_1_0_is_recognised_and_one_of_other_settings_is_not(tmp_path):
    file = Path(__file__).parent / "version_0_1_0" / "result.json"
    written = json.loads(file.read_text())
    (tmp_path / "result.json").write_text(file.read_text())

    class Faces:
        fingerprint = written["train"]["faces"]

    tiny = dict(model="gan", epochs=1, size=32, n=60, filters=[4, 8], batch_size=8, z_dim=2, kernel_sizes=[3, 5], critic_learning_rate=1e-3)
    then = dict(learning_rate=2e-4, halve_every=None, label_smoothing=0.1, augment=[], beta_1=None, beta_2=None)  # the recipe of that version
    job = Job.from_settings(constructor_options("gan") | PHOTOGRAPHS["gan"] | tiny | then)

    def result(job, faces=Faces, measure=written["measure"]):
        cell = Cell("gan", {}, job, tmp_path)
        return _read_result(cell, _request(cell, faces, measure))

    assert result(job) == written
    assert result(dataclasses.replace(job, epochs=2)) is None
    assert result(dataclasses.replace(job, training=TrainingOptions(batch_size=9))) is None
    assert result(dataclasses.replace(job, model_options=job.model_options | {"label_noise": 0.2})) is None
    assert result(job, measure=written["measure"] | {"samples": 21}) is None
    Faces.fingerprint = "other"
    assert result(job) is None
    written["train"]["image_noise"] = 0.1
    Faces.fingerprint = written["train"]["faces"]
    (tmp_path / "result.json").write_text(json.dumps(written))
    assert result(job) is None
