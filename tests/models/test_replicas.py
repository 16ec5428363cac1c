"""Training on two replicas, here two halves of one CPU, is training on one device with the whole batch.

TensorFlow has to be told of the two halves before it starts, so all of it runs in a process of its own.
"""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import run_program
from packaging.version import Version

pytestmark = pytest.mark.slow  # two devices in a process of their own


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replicas")
    run_program(Path(__file__).parent / "programs" / "two_replicas.py", folder, timeout=1800)
    return json.loads((folder / "results.json").read_text())


# Keras 3.8 trains several devices alike and reports other metrics; 3.15 is known to report the right ones
REPORTS_ARE_EXACT = Version(version("keras")) >= Version("3.15")


def assert_equal_trainings(result, metrics=1e-4, weights=1e-4):
    assert "error" not in result, result["error"]
    assert result["two"].keys() == result["one"].keys()
    assert result["largest difference"] < weights
    if REPORTS_ARE_EXACT:
        for name, numbers in result["one"].items():
            assert result["two"][name] == pytest.approx(numbers, rel=metrics), name


@pytest.mark.parametrize("optimizers", ["one optimiser", "two optimisers"])
def test_two_replicas_train_as_one_device_does(results, optimizers):
    result = results[optimizers]
    assert_equal_trainings(result)
    assert {"loss", "kl_loss", "kl_share", "val_loss"} <= result["two"].keys()
    assert result["two"]["loss"][1] < result["two"]["loss"][0]


def test_two_replicas_move_the_average_of_a_vae_and_train_its_variance(results):
    result = results["average and variance"]
    assert_equal_trainings(result)
    assert abs(result["two"]["sigma"][1] - result["two"]["sigma"][0]) > 1e-3, "it is trained"


def test_two_replicas_train_the_autoencoder_as_one_device_does(results):
    assert_equal_trainings(results["autoencoder"])


def test_images_count_alike_when_a_batch_cannot_be_halved(results):
    """A last batch of 7 becomes 4 and 3: each of its images still has a seventh of the loss."""
    assert_equal_trainings(results["uneven batch"])


def test_train_resume_and_load_with_two_replicas(results):
    result = results["gdl.train"]
    assert "error" not in result, result["error"]
    assert len(result["losses"]) == 2 and result["losses"][1] < result["losses"][0]
    assert result["iterations"] == [6, 6], "48 images make three steps an epoch"


def test_float16_leaves_out_a_step_that_overflows_on_either_replica(results):
    result = results["mixed_float16"]
    assert "error" not in result, result["error"]
    assert result["largest difference"] is not None, f"a weight is no longer finite; losses {result['two']['loss']}"
    assert result["two"]["loss"][-1] < 0.95 * result["two"]["loss"][0], "steps are taken in the end"
    assert result["two"]["loss"] == pytest.approx(result["one"]["loss"], rel=0.2)


@pytest.mark.parametrize("kind", ["GAN", "WGAN", "WGANGP"])
def test_two_replicas_train_an_adversarial_model_as_one_device_does(results, kind):
    """Both networks, the moving average and all metrics, with the noise of one device (Keras issue 20164)."""
    result = results[kind]
    assert "error" not in result, result["error"]
    assert {"generator_loss", "val_generator_loss"} <= result["two"].keys() == result["one"].keys()
    assert result["moved"] > 1e-2, "there is something to compare"
    assert max(result["differences"].values()) < 1e-4, result["differences"]
    if REPORTS_ARE_EXACT:
        for name, numbers in result["one"].items():
            assert result["two"][name] == pytest.approx(numbers, rel=1e-3, abs=1e-4), name


@pytest.mark.parametrize("kind", ["ConditionalVAE", "ConditionalGAN", "VAEGAN", "Flow"])
def test_two_replicas_train_a_later_model_as_one_device_does(results, kind):
    """What is hidden of each image, the noise and the times are those of one device, also in a last batch of 7."""
    result = results[kind]
    assert_equal_trainings(result)
    assert result["moved"] > 1e-3


def test_two_replicas_draw_the_codes_of_one_device_and_none_twice(results):
    result = results["codes"]
    assert "error" not in result, result["error"]
    assert result["2"] == result["1"]
    flat = [number for call in result["2"] for row in call for number in row]
    assert len(set(flat)) == len(flat) == 2 * 6 * 3


@pytest.mark.parametrize("case,images", [("noise", 8), ("noise of an uneven batch", 5)])
def test_two_replicas_draw_the_noise_of_one_device_and_none_twice(results, case, images):
    result = results[case]
    assert "error" not in result, result["error"]
    assert result["two"] == result["one"]
    flat = [number for call in result["two"] for row in call for number in row]
    assert len(set(flat)) == len(flat) == 2 * images * 3


def test_two_replicas_train_the_classifier_as_one_device_does(results):
    result = results["classifier"]
    assert "error" not in result, result["error"]
    assert result["largest difference"] < 1e-4 and result["moved"] > 1e-2
    assert all(0 <= share <= 1 for share in result["two"]["accuracy"])
