"""The check of a GPU goes on after a failure, keeps to its time, and takes its numbers from the notebooks."""

import json
from types import SimpleNamespace

import chapter_models
import gpu_check
import numpy as np
import pytest
import tensorflow as tf
from conftest import ROOT

import gdl


@pytest.fixture
def report(monkeypatch, tmp_path):
    """-> a function: runs main on these checks alone -> exit status, the report"""

    def run(checks, *arguments):
        monkeypatch.setattr(gpu_check, "list_checks", lambda options: checks)
        status = gpu_check.main(["--quick", "--output", str(tmp_path / "report.md"), *arguments])
        return status, (tmp_path / "report.md").read_text()

    return run


def out_of_memory():
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating | a tensor\nat gpu_check.py")


def test_a_failure_is_a_row_and_the_next_check_runs(report, capsys):
    status, text = report({"large": out_of_memory, "small": lambda: {"seconds a step": "0.125"}})
    assert status == 1
    assert "# GPU check: 1 passed, 1 failed, 0 skipped" in text
    assert "| large | failed |  |  |  | ResourceExhaustedError: OOM when allocating / a tensor |" in text
    assert "| small | passed | 0.125 |  |  |  |" in text
    assert f"TensorFlow {tf.__version__}" in text
    assert text in capsys.readouterr().out


def test_what_does_not_fit_into_the_time_is_skipped(report):
    status, text = report({"late": out_of_memory}, "--minutes", "0")
    assert status == 0
    assert "| late | skipped |" in text


def test_only_chooses_by_name(report):
    status, text = report({"a gan": out_of_memory, "a vae": dict}, "--only", "vae")
    assert status == 0
    assert "a gan" not in text


def quick_options():
    return SimpleNamespace(quick=True, gpus=[], data="drawn", profile="smoke", n=60, batch_size=4, steps=3, minutes=0.01)


@pytest.mark.slow
def test_a_few_steps_are_timed_and_measured():
    checks = gpu_check.list_checks(quick_options())
    row = checks["gan, mixed_bfloat16"]()
    assert 0 < float(row["seconds a step"]) < 10
    assert float(row["estimated MB"]) >= 0
    kinds = ("vae", "wgan", "classifier", "conditional_gan")
    assert {f"{name}, {precision}" for name in kinds for precision in ("float32", "mixed_float16")} <= checks.keys()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["vae_gan", "latent_flow"])
def test_a_model_gets_the_model_that_is_a_part_of_it(kind):
    row = gpu_check.list_checks(quick_options())[f"{kind}, float32"]()
    assert float(row["estimated MB"]) > 0


def test_losses_that_are_not_finite_fail(monkeypatch):
    history = gpu_check.pd.DataFrame({"loss": [np.nan], "kl_loss": [1.0]})
    monkeypatch.setattr(gdl, "train", lambda model, faces, callbacks, **options: history)
    row = gpu_check.run(gpu_check.list_checks(quick_options())["vae, float32"])
    assert row == {"result": "failed", "note": "FloatingPointError: not finite: loss"}


@pytest.mark.parametrize("chapter", chapter_models.IN_CHAPTERS)
def test_settings_are_those_that_the_cell_gives(chapter):
    cells = json.loads((ROOT / "chapters" / f"{chapter}.ipynb").read_text())["cells"]
    source = next("".join(cell["source"]) for cell in cells if "s = gdl.settings(" in "".join(cell["source"]))
    given = {}
    scope = {"gdl": SimpleNamespace(settings=lambda **profiles: given.update(profiles))}
    exec(source[: source.index("\n)") + 2], scope)
    for profile in ("smoke", "quick", "full"):
        assert chapter_models.settings(chapter, profile) == given[profile]


def test_the_models_of_a_chapter():
    models = {kind: (size, options) for kind, size, options in chapter_models.chapter_models("06_wgan_gp", "full")}
    options = dict(z_dim=128, filters=(32, 64, 128, 256), critic_steps=1, penalty_every=4, kernel_sizes=4, pixel_range=(-1, 1), ema=0.99)
    assert models == {"wgan_gp": (64, options)}
    assert {kind for kind, *_ in chapter_models.chapter_models("09_which_model", "full")} == {"vae", "gan"}
    assert next(chapter_models.chapter_models("03_kl_loss", "full"))[1] == 32


def test_the_estimate_counts_weights_and_layers():
    """An autoencoder's by hand: Adam has two numbers for each trainable weight, a step count and a rate."""
    model = gdl.Autoencoder(16, 4, (8,), batch_norm=False)
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    state = 4 * (4 * model.count_params() + 2)
    x = np.zeros((1, 16, 16, 3), np.float32)
    outputs = 0
    for network in (model.encoder, model.decoder):
        probe = gpu_check.keras.Model(network.input, [layer.output for layer in network.layers])
        outputs += sum(np.asarray(y).nbytes for y in probe(x if network is model.encoder else np.zeros((1, 4), np.float32)))
    assert chapter_models.estimated_bytes(model, 5) == state + 2 * 5 * outputs


def test_the_critic_of_a_gradient_penalty_needs_two_passes_more():
    options = dict(image_size=16, z_dim=2, filters=(8,), pixel_range=(-1, 1))
    by_kind = {}
    for kind in (gdl.WGAN, gdl.WGANGP):
        model = kind(**options, **({"critic_norm": None} if kind is gdl.WGAN else {}))
        model.compile("adam")
        by_kind[kind] = chapter_models.estimated_bytes(model, 1)
    critic = sum(int(np.prod(layer.output.shape[1:])) for layer in model.critic.layers) * 4
    generator = sum(int(np.prod(layer.output.shape[1:])) for layer in model.generator.layers) * 4
    assert by_kind[gdl.WGANGP] - by_kind[gdl.WGAN] == 2 * (4 * critic - max(2 * critic, generator + critic))
