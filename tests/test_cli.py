"""The command line: what each command does and says. Where a process of its own is not the point, it runs in this one."""

import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, run_program
from PIL import Image

import gdl
from gdl import cli
from gdl.experiments import fit
from gdl.training.callbacks import HalveLearningRate
from gdl.training.lock import locked
from gdl.training.recipes import PHOTOGRAPHS

TINY = "train autoencoder --data drawn --n 60 --size 32 --filters 4 8 --z-dim 4 --batch-size 8".split()


def run(*arguments, **environment):
    """A command as a stranger would run it: in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "gdl", *map(str, arguments)],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip


def error_of(*arguments):
    """The one sentence with which a command ends in this process."""
    with pytest.raises(SystemExit) as stop:
        cli.main(list(map(str, arguments)))
    sentence = str(stop.value)
    assert sentence.startswith("gdl: ") and "\n" not in sentence
    return sentence


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "ae"
    done = run(*TINY, "--epochs", 1, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done


@pytest.mark.slow
def test_train_says_what_it_does(trained):
    out, done = trained
    assert re.search(r"drawn faces: 60 images of 32x32", done.stdout)
    assert re.search(r"autoencoder: [\d,]+ weights", done.stdout)
    assert "epoch 1/1: 100%" in done.stdout
    assert re.search(r"epoch 1, loss \S+, val_loss \S+, \d+ images/s", done.stdout)
    assert (out / "run.json").is_file()


@pytest.mark.slow
def test_train_goes_on_and_then_stops(trained, capsys):
    out, _ = trained
    cli.main([*TINY, "--epochs", "2", "--out", str(out)])
    assert "continuing after epoch 1" in capsys.readouterr().out
    assert pd.read_csv(out / "history.csv")["epoch"].tolist() == [1, 2]
    cli.main([*TINY, "--epochs", "2", "--out", str(out)])
    assert "nothing left to train" in capsys.readouterr().out


@pytest.mark.slow
def test_sample_writes_pictures(trained, tmp_path):
    out, _ = trained
    cli.main(["sample", str(out), "--out", str(tmp_path / "new.png"), "--n", "16"])
    assert np.asarray(Image.open(tmp_path / "new.png")).shape == (2 * 33, 8 * 33, 3)
    gdl.drawn.write_celeba(tmp_path / "celeba", 60)
    cli.main(["sample", str(out), "--out", str(tmp_path / "copies.png"), "--n", "6", "--reconstruct", str(tmp_path / "celeba")])
    assert np.asarray(Image.open(tmp_path / "copies.png")).shape == (2 * 33, 6 * 33, 3)


@pytest.mark.slow
def test_prepare_fills_the_cache(tmp_path):
    done = run("prepare", "--data", "drawn", "--n", 30, "--size", 32, GDL_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == ["train: 24 images", "val: 3 images", "test: 3 images"]
    assert len(list(tmp_path.glob("*/images.npy"))) == 1


MISTAKES = {
    "train autoencoder --data /no/such/folder --out {tmp}/run": "/no/such/folder does not exist",
    "train autoencoder --data drawn --n 60 --size 50 --out {tmp}/run": "a multiple of 16, such as 48",
    "train autoencoder --data drawn --n 60 --size 50 --filters 8 --out {tmp}/run": "48 or 64",
    "train autoencoder --data drawn --n 60 --size 32 --dropout 2 --out {tmp}/run": "less than 1",
    "sample {tmp} --out picture.jpg": "does not end in .png",
    "sample {tmp} --n 0": "--n is 0",
    "sample vae-celeba64 --n 0": "--n is 0",
    "sample vae-celeba64 --seed -1": "--seed is -1",
    "sample vae-celeba65": "vae-celeba65 is not a run: there is no such folder",
    "sample {tmp}": "no run.json",
    "sample vae-celeba64 --reconstruct /no/such/folder": "/no/such/folder does not exist",
    "sample ''": "run is '': give the name of a folder",
    "fid vae-celeba64 --n 3": "--n is 3: give a whole number, at least 4.",
    "fid vae-celeba64 --seed -1": "--seed is -1",
    "fid vae-celeba64 --crop 0": "--crop is 0",
    "fid vae-celeba64 --data /no/such/folder": "/no/such/folder does not exist",
    "fid {tmp}": "no run.json",
    "train gan --fid-every 1 --fid-samples 3 --out {tmp}/run": "fid_samples is 3: give at least 4",
    "train vae --data drawn --out ''": "run is '': give the name of a folder",
    "experiment {tmp}/no.toml --out {tmp}/run": "no.toml cannot be read",
    "experiment {tmp} --out {tmp}/run": "cannot be read (Is a directory)",
    "experiment {tmp}/empty.toml --out {tmp}/run --n 0": "--n is 0",
    "experiment {tmp}/empty.toml --out {tmp}/run --data /no/such/folder": "/no/such/folder does not exist",
    "experiment {tmp}/empty.toml --small --out {tmp}/run": "no small version",
    "experiment {tmp}/broken.toml --out {tmp}/run": "is not TOML",
    "experiment {tmp}/empty.toml --out ''": "run is '': give the name of a folder",
}


@pytest.mark.slow
def test_help_and_mistakes_do_not_wait_for_tensorflow(tmp_path):
    """Help is exit status 0, wrong options are 2, and a mistake is one sentence, which Python's exit makes status 1."""
    commands = (
        "prepare", "train", "train vae", "sample", "fid", "experiment", "project check", "project leaderboard", "grade", "mark", "similar", "release",
    )  # fmt: skip
    helps = ["--help", *(f"{command} --help" for command in commands)]
    wrong = ["", "train", "train autoencoder", "train painter --out x", "train gan --image-noise 0.1 --out x"]
    (tmp_path / "empty.toml").write_text("")
    (tmp_path / "broken.toml").write_text("[train")
    mistakes = {line.format(tmp=tmp_path): words for line, words in MISTAKES.items()}
    results = json.loads(run_program(ROOT / "tests" / "programs" / "without_tensorflow.py", *helps, *wrong, *mistakes))
    for line in helps:
        assert results[line]["status"] == 0 and "--" in results[line]["out"], line
    for line in wrong:
        assert results[line]["status"] == 2 and "usage" in results[line]["error"], line
    for line, words in mistakes.items():
        assert results[line]["status"].startswith("gdl: ") and words in results[line]["status"] and "\n" not in results[line]["status"], line
    assert not any(result["tensorflow"] for result in results.values())
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_mistake_is_one_sentence_and_exit_status_1(tmp_path):
    done = run(*f"train autoencoder --data /no/such/folder --out {tmp_path}/run".split())
    assert done.returncode == 1
    sentences = [line for line in done.stderr.splitlines() if line.startswith("gdl: ")]
    assert len(sentences) == 1 and "/no/such/folder does not exist" in sentences[0]
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("sample {tmp}", "no run.json"),
        ("fid {tmp} --data drawn", "no run.json"),
        ("experiment {tmp}/no.toml --out {tmp}/run", "no.toml cannot be read"),
    ],
)
def test_a_mistake_in_a_path_is_one_sentence(arguments, words, tmp_path):
    assert words in error_of(*arguments.format(tmp=tmp_path).split())
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_interrupted_training_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "gdl", *TINY, "--n", "100", "--batch-size", "2", "--epochs", "500", "--out", str(tmp_path / "run")]
    training = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("run/epoch-*.weights.h5")) and time.monotonic() < deadline and training.poll() is None:
        time.sleep(0.2)
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "the same command continues, a training after its last finished epoch" in errors and "Traceback" not in errors


@pytest.mark.slow
def test_every_option_of_the_variational_autoencoder_is_used(tmp_path, precision, capsys):
    out = tmp_path / "vae"
    options = (
        "--data drawn --n 60 --size 32 --epochs 2 --batch-size 8 --steps-per-epoch 3 --patience 5 --learning-rate 0.002 --halve-every 1 "
        "--flip --precision mixed_bfloat16 --seed 3 --filters 8 8 --kernel-sizes 5 3 --z-dim 4 --downsampling dilation "
        "--upsampling pixel_shuffle --residual resnet18 --no-batch-norm --dropout 0.1 --pixel-range -1 1 "
        "--beta 0.5 --reconstruction mse --warm-up 4 --ema 0.9 --narrow-dense 5 --decoder-learning-rate 0.0005"
    )
    cli.main(["train", "vae", "--out", str(out), *options.split()])
    printed = capsys.readouterr().out
    assert re.search(r"vae: [\d,]+ weights", printed) and "kl_share" in printed
    settings = json.loads((out / "run.json").read_text())
    assert settings["model"] == "VAE" and settings["precision"] == "mixed_bfloat16"
    assert settings["options"] == {
        "image_size": 32, "z_dim": 4, "filters": [8, 8], "kernel_sizes": [5, 3], "downsampling": "dilation", "upsampling": "pixel_shuffle",
        "residual": "resnet18", "batch_norm": False, "layer_norm": False, "dropout": 0.1, "pixel_range": [-1, 1],
        "spatial_code": False, "beta": 0.5, "reconstruction": "mse", "narrow_dense": 5, "warm_up": 4, "ema": 0.9,
    }  # fmt: skip
    assert [o["config"]["learning_rate"] for o in settings["optimizers"].values()] == [0.002, 0.0005]
    assert settings["training"] == dict(batch_size=8, halve_every=1, steps_per_epoch=3, flip=True, early_stopping=True, seed=3)
    history = pd.read_csv(out / "history.csv")
    assert history["epoch"].tolist() == [1, 2] and {"loss", "reconstruction_loss", "kl_loss", "kl_share", "val_loss"} <= set(history)
    with Image.open(out / "training.gif") as gif:
        assert gif.n_frames == 2
    cli.main(["sample", str(out), "--out", str(tmp_path / "new.png"), "--n", "16"])
    assert np.asarray(Image.open(tmp_path / "new.png")).shape == (2 * 33, 8 * 33, 3)


@pytest.fixture
def trained_with(monkeypatch, capsys):
    """A function that runs `train` in this process up to the training itself; returns the model and the settings."""

    def train_with(*arguments):
        settings = {}

        def instead(model, faces, epochs, run, callbacks, **options):
            settings.update(options, model=model, epochs=epochs, run=run)
            numbers = {"loss": 1.0, "val_loss": 1.0, "learning_rate": 1.0, "images_per_second": 1.0, "seconds": 1.0}
            return pd.DataFrame(numbers, index=pd.Index([1], name="epoch"))

        monkeypatch.setattr(fit, "train", instead)
        cli.main(["train", *map(str, arguments), *"--data drawn --n 60 --size 32 --filters 4 8 --z-dim 4 --out unused".split()])
        return settings

    return train_with


def test_options_have_the_defaults_of_the_model(trained_with):
    seen = trained_with("autoencoder")
    assert seen["model"].get_config() == gdl.Autoencoder(image_size=32, filters=(4, 8), z_dim=4).get_config()
    assert not seen["model"].compiled, "gdl.train makes the one optimiser itself"
    assert seen["patience"] is seen["steps_per_epoch"] is seen["halve_every"] is None


def test_a_vae_without_options_is_the_recipe(trained_with):
    seen = trained_with("vae")
    config = seen["model"].get_config()
    recipe = PHOTOGRAPHS["vae"]
    assert recipe["kernel_sizes"] == config["kernel_sizes"]
    assert (recipe["reconstruction"], recipe["beta"]) == (config["reconstruction"], config["beta"])
    for name in ("learning_rate", "halve_every", "patience", "flip"):
        assert seen[name] == recipe[name]
    assert trained_with("vae", "--patience", 0)["patience"] is None


ADVERSARIAL = (
    "--critic-steps 2 --critic-norm layer --critic-learning-rate 0.0005 --ema 0.9 --learning-rate 0.002 --kernel-sizes 5 3 --downsampling dilation "
    "--upsampling pixel_shuffle --residual block --no-batch-norm --layer-norm --dropout 0.1 --pixel-range 0 1 "
    "--augment cutout colour --penalty-every 4 --no-spatial-code "
)
OPTIONS = {
    "image_size": 32, "z_dim": 4, "filters": (4, 8), "kernel_sizes": (5, 3), "downsampling": "dilation", "upsampling": "pixel_shuffle",
    "residual": True, "batch_norm": False, "layer_norm": True, "dropout": 0.1, "pixel_range": (0, 1),
    "critic_steps": 2, "critic_norm": "layer", "ema": 0.9, "augment": ("cutout", "colour"), "penalty_every": 4, "spatial_code": False,
}  # fmt: skip


@pytest.mark.parametrize(
    "kind,arguments,own",
    [
        ("gan", "--loss hinge --r1 0.3 --r2 0.4 --label-smoothing 0", dict(loss="hinge", r1=0.3, r2=0.4, label_smoothing=0.0, label_noise=0.0)),
        ("gan", "--label-smoothing 0.2 --label-noise 0.1", dict(loss="cross_entropy", r1=0.0, r2=0.0, label_smoothing=0.2, label_noise=0.1)),
        ("wgan", "--clip 0.03", dict(clip=0.03)),
        ("wgan_gp", "--gp-weight 7", dict(gp_weight=7.0)),
    ],
)
def test_every_option_of_an_adversarial_model_is_used(trained_with, kind, arguments, own):
    training_options = "--epochs 3 --batch-size 8 --steps-per-epoch 3 --halve-every 2 --no-flip --seed 3"
    seen = trained_with(kind, *f"{ADVERSARIAL} {arguments} {training_options}".split())
    assert type(seen["model"]).__name__ == {"gan": "GAN", "wgan": "WGAN", "wgan_gp": "WGANGP"}[kind]
    assert seen["model"].get_config() == OPTIONS | own
    assert [float(optimizer.learning_rate) for optimizer, _ in seen["model"].optimizer_groups] == pytest.approx([0.002, 0.0005])
    expected = dict(epochs=3, batch_size=8, steps_per_epoch=3, halve_every=2, flip=False, seed=3, patience=None, run="unused")
    assert {name: seen[name] for name in expected} == expected


@pytest.mark.parametrize("kind", ["gan", "wgan", "wgan_gp"])
def test_an_adversarial_model_without_options_is_the_recipe(trained_with, kind):
    seen = trained_with(kind)
    model, recipe = seen["model"], PHOTOGRAPHS[kind]
    config = model.get_config()
    assert model.compiled == ("beta_1" in recipe), "without betas and a rate of the critic, gdl.train makes the model's usual optimisers"
    if model.compiled:
        optimizers = [optimizer.get_config() for optimizer, _ in model.optimizer_groups]
        assert [(o["beta_1"], o["beta_2"]) for o in optimizers] == [(recipe["beta_1"], recipe["beta_2"])] * 2
        rates = [recipe["learning_rate"], recipe.get("critic_learning_rate", recipe["learning_rate"])]
        assert [o["learning_rate"] for o in optimizers] == pytest.approx(rates)
    assert recipe["kernel_sizes"] == config["kernel_sizes"] and recipe["pixel_range"] == config["pixel_range"]
    for name in ("ema", "critic_steps", "critic_norm", "augment", "penalty_every"):
        if name in recipe:
            assert config[name] == (None if recipe[name] == "none" else recipe[name])
    for name in ("epochs", "batch_size", "learning_rate", "flip"):
        assert seen[name] == recipe[name]
    assert trained_with(kind, "--critic-norm", "none")["model"].critic_norm is None, "the recipe's normalisation can be left out"


@pytest.mark.slow
def test_a_trained_gan_can_be_sampled(tmp_path, capsys, drawn_celeba, precision):
    out = tmp_path / "wgan_gp"
    options = "--data drawn --n 60 --size 32 --filters 4 --kernel-sizes 3 --z-dim 4 --epochs 2 --batch-size 8 --steps-per-epoch 2 --critic-steps 2"
    cli.main(["train", "wgan_gp", "--out", str(out), *options.split(), "--precision", "mixed_bfloat16", "--critic-learning-rate", "0.0005"])
    printed = capsys.readouterr().out
    assert re.search(r"wgan_gp: [\d,]+ weights", printed) and re.search(r"epoch 2, .*gradient_penalty \S+, wasserstein \S+, \d+ images/s", printed)
    settings = json.loads((out / "run.json").read_text())
    assert settings["model"] == "WGANGP" and settings["precision"] == "mixed_bfloat16"
    assert [o["config"]["learning_rate"] for o in settings["optimizers"].values()] == [PHOTOGRAPHS["wgan_gp"]["learning_rate"], 5e-4]
    assert pd.read_csv(out / "history.csv")["epoch"].tolist() == [1, 2]
    with Image.open(out / "training.gif") as gif:
        assert gif.n_frames == 2
    cli.main(["sample", str(out), "--out", str(tmp_path / "new.png"), "--n", "16"])
    assert np.asarray(Image.open(tmp_path / "new.png")).shape == (2 * 33, 8 * 33, 3)
    assert "A WGANGP has no encoder" in error_of("sample", out, "--out", tmp_path / "copies.png", "--n", 6, "--reconstruct", drawn_celeba)
    assert not (tmp_path / "copies.png").exists()


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("wgan_gp --critic-norm batch", "choose 'layer' or None"),
        ("gan --patience 3", "patience watches the validation loss"),
        ("gan --label-noise 0.7", "less than 0.5"),
        ("wgan --critic-steps 0", "critic_steps is 0"),
        ("wgan --clip -1", "clip is -1"),
        ("gan --ema 1", "ema is 1"),
        ("wgan_gp --layer-norm", "set batch_norm=False"),
    ],
)
def test_a_mistake_in_an_adversarial_model_is_one_sentence(arguments, words, tmp_path):
    kind, *rest = arguments.split()
    assert words in error_of("train", kind, *"--data drawn --n 60 --size 32 --filters 4 --out".split(), tmp_path / "run", *rest)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "arguments,residual", [([], False), (["--residual"], True), (["--residual", "block"], True), (["--residual", "resnet18"], "resnet18")]
)
def test_residual_is_a_switch_or_a_choice(trained_with, arguments, residual):
    assert trained_with("vae", *arguments)["model"].get_config()["residual"] is residual


@pytest.mark.parametrize("kind", ["gan", "wgan_gp"])
def test_beta_1_is_that_of_both_optimizers(trained_with, kind):
    model = trained_with(kind, "--beta-1", 0.9, "--critic-learning-rate", 0.003)["model"]
    assert [optimizer.beta_1 for optimizer, _ in model.optimizer_groups] == [0.9, 0.9]
    assert [float(optimizer.learning_rate) for optimizer, _ in model.optimizer_groups] == pytest.approx([PHOTOGRAPHS[kind]["learning_rate"], 0.003])
    assert [optimizer.beta_2 for optimizer, _ in model.optimizer_groups] == [PHOTOGRAPHS[kind]["beta_2"]] * 2
    model = trained_with(kind, "--beta-1", 0.5, "--beta-2", 0.9)["model"]
    assert [(optimizer.beta_1, optimizer.beta_2) for optimizer, _ in model.optimizer_groups] == [(0.5, 0.9), (0.5, 0.9)]


def test_a_vae_takes_a_learned_variance_and_its_average_can_be_left_out(trained_with):
    model = trained_with("vae", "--reconstruction", "gaussian", "--ema", 0)["model"]
    assert (model.reconstruction, model.ema) == ("gaussian", 0)
    assert trained_with("vae")["model"].ema == PHOTOGRAPHS["vae"]["ema"]


@pytest.mark.slow
def test_halve_every_0_is_never_and_ema_0_no_average(trained_with):
    seen = trained_with("wgan_gp", "--halve-every", 0, "--ema", 0)
    assert not seen["halve_every"] and seen["model"].ema == 0
    HalveLearningRate(seen["halve_every"], []).on_epoch_begin(5)
    model = seen["model"]
    model.compile()
    model.train_on_batch(np.zeros((6, 32, 32, 3), np.float32))
    for average, weight in zip(model.averaged_generator.get_weights(), model.generator.get_weights()):
        np.testing.assert_array_equal(average, weight)


@pytest.mark.slow
def test_a_classifier_learns_all_attributes_or_the_chosen(tmp_path, capsys):
    words = "train classifier --data drawn --n 60 --size 32 --filters 4 8 --epochs 1 --batch-size 16".split()
    cli.main([*words, "--out", str(tmp_path / "all"), *"--kernel-sizes 5 3 --dropout 0.1 --downsampling dilation --pixel-range -1 1".split()])
    assert re.search(r"classifier: [\d,]+ weights", capsys.readouterr().out)
    settings = json.loads((tmp_path / "all" / "run.json").read_text())
    assert settings["model"] == "AttributeClassifier"
    assert settings["options"] == {
        "image_size": 32, "filters": [4, 8], "kernel_sizes": [5, 3], "downsampling": "dilation", "upsampling": "transpose", "residual": False,
        "batch_norm": True, "layer_norm": False, "dropout": 0.1, "pixel_range": [-1, 1], "spatial_code": False,
        "attributes": list(gdl.DrawnFaces(60, 32).train.attributes),
    }  # fmt: skip
    cli.main([*words, "--out", str(tmp_path / "two"), "--attributes", "Smiling", "Male"])
    assert gdl.load(tmp_path / "two").attributes == ("Smiling", "Male")
    assert "no attribute Talented" in error_of(*words, "--out", tmp_path / "wrong", "--attributes", "Talented")
    assert "makes no images" in error_of("sample", tmp_path / "two", "--out", tmp_path / "no.png")
    assert "makes no images" in error_of("fid", tmp_path / "two", "--data", "drawn")


def test_a_classifier_of_a_folder_without_attributes_is_one_sentence(tmp_path):
    for i in range(12):
        Image.fromarray(np.full((20, 20, 3), i, np.uint8)).save(tmp_path / f"{i}.png")
    assert "needs faces with attributes" in error_of("train", "classifier", "--data", tmp_path, "--size", "32", "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_fid_every_keeps_the_best_weights_and_fid_prints_the_numbers(tmp_path, monkeypatch, capsys):
    original = fit.BestFID
    monkeypatch.setattr(fit, "BestFID", lambda *args, **options: original(*args, network="stand_in", **options))
    words = "train vae --data drawn --n 60 --size 32 --filters 4 --z-dim 2 --epochs 3 --batch-size 16 --fid-every 1 --fid-samples 40 --out".split()
    assert "fid_every and patience both choose" in error_of(*words, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    cli.main([*words, str(tmp_path / "run"), "--patience", "0"])
    values = pd.read_csv(tmp_path / "run" / "history.csv")["stand_in_distance"]
    assert len(values) == 3 and values.notna().all()
    model, faces = gdl.load(tmp_path / "run"), gdl.DrawnFaces(60, 32)
    assert gdl.metrics.stand_in_distance(model.generate(40), faces.val) == pytest.approx(values.min(), rel=1e-3), (
        "the weights are those of the best epoch"
    )
    capsys.readouterr()

    monkeypatch.setattr(cli, "open_faces", lambda *args, **options: faces)
    cli.main(["fid", str(tmp_path / "run"), *"--split test --n 50 --seed 3 --network stand_in --interval".split()])
    printed = dict(line.split() for line in capsys.readouterr().out.splitlines() if len(line.split()) == 2)
    expected = gdl.metrics.scores(model.generate(50, seed=3), faces.test, "stand_in", interval=True)
    expected["stand_in_distance_test"] = expected.pop("stand_in_distance")
    expected |= gdl.metrics.reconstruction_scores(model, faces.test, "stand_in")
    expected["checkerboard"] = gdl.spectrum.checkerboard(model.generate(50, seed=3))
    assert printed.keys() == expected.keys()
    for name, value in expected.items():
        assert float(printed[name]) == pytest.approx(value, rel=2e-3, abs=1e-6)


def test_an_interrupted_experiment_says_how_to_go_on(monkeypatch, tmp_path, capsys):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("gdl.experiments.run.fit", interrupted)
    (tmp_path / "some.toml").write_text('[train]\nmodel = "vae"\nfilters = [4]\nsize = 32\n[grid]\nz_dim = [2]\n')
    with pytest.raises(SystemExit) as stop:
        cli.main(["experiment", str(tmp_path / "some.toml"), *"--data drawn --n 60 --out".split(), str(tmp_path / "out")])
    assert stop.value.code == 130 and "the same command continues" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("--epochs 0", "epochs is 0: give a whole number, at least 1."),
        ("--batch-size 0", "batch_size is 0"),
        ("--steps-per-epoch 0", "steps_per_epoch is 0"),
        ("--patience -1", "patience is -1"),
        ("--halve-every -1", "halve_every is -1"),
        ("--seed -1", "seed is -1"),
        ("--learning-rate -0.1", "learning_rate is -0.1"),
        ("--learning-rate nan", "learning_rate is nan"),
        ("--decoder-learning-rate -0.1", "decoder_learning_rate is -0.1"),
        ("--filters 4 4 4 4 4 4", "multiple of 64"),
        ("--kernel-sizes 0", "kernel_sizes is 0"),
    ],
)
def test_impossible_numbers_are_found_before_the_images_are_opened(arguments, words, tmp_path, monkeypatch):
    monkeypatch.setattr("gdl.experiments.job.faces", lambda *arguments, **options: pytest.fail("the images are decoded first"))
    assert words in error_of("train", "vae", *"--data drawn --n 60 --size 32 --out".split(), tmp_path / "run", *arguments.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("arguments,words", [("--n 0", "--n is 0"), ("--n -3", "--n is -3"), ("--seed -1", "--seed is -1")])
def test_a_sample_of_an_impossible_number(arguments, words, tmp_path):
    assert words in error_of("sample", tmp_path, "--out", tmp_path / "new.png", *arguments.split())
    assert not (tmp_path / "new.png").exists()


@pytest.mark.parametrize("arguments,words", [("wgan_gp --critic-norm batch", "choose 'layer' or None"), ("gan --patience 3", "patience watches")])
def test_options_that_do_not_fit_together_are_found_before_the_images_are_opened(arguments, words, tmp_path, monkeypatch):
    monkeypatch.setattr("gdl.experiments.job.faces", lambda *arguments, **options: pytest.fail("the images are decoded first"))
    assert words in error_of("train", *arguments.split(), *"--size 32 --filters 4 --data drawn --out".split(), tmp_path / "run")


def test_a_run_that_another_process_trains_is_said_before_the_images_are_opened(tmp_path, monkeypatch):
    monkeypatch.setattr("gdl.experiments.job.faces", lambda *arguments, **options: pytest.fail("the images are decoded first"))
    with locked(tmp_path / "run"):
        assert f"process {os.getpid()} on " in error_of(*TINY, "--out", tmp_path / "run")


@pytest.mark.slow
def test_a_training_that_diverges_ends_in_one_sentence(tmp_path):
    sentence = error_of(*TINY, "--epochs", 3, "--learning-rate", 1e30, "--out", tmp_path / "run")
    assert re.search(r"diverged: loss is (nan|inf) in epoch 1; .* lower learning rate", sentence)


@pytest.mark.parametrize("patience,words", [(5, "epoch 2, the best of 3, whose weights are kept, loss 2, "), (0, "unused: epoch 3, loss 3, ")])
def test_the_last_line_is_of_the_epoch_whose_weights_are_kept(trained_with, monkeypatch, capsys, patience, words):
    history = pd.DataFrame({"epoch": [1, 2, 3], "loss": [1.0, 2.0, 3.0], "val_loss": [5.0, 4.0, 6.0]}).set_index("epoch")
    history = history.assign(learning_rate=1.0, images_per_second=1.0, seconds=1.0)
    monkeypatch.setattr(fit, "fit", lambda *arguments: history)
    trained_with("vae", "--patience", patience)
    assert words in capsys.readouterr().out.splitlines()[-1]


def test_a_decoder_learning_rate_of_0_keeps_the_decoder_as_it_is(trained_with):
    model = trained_with("vae", "--learning-rate", 0.01, "--decoder-learning-rate", 0)["model"]
    assert model.compiled and [float(optimizer.learning_rate) for optimizer, _ in model.optimizer_groups] == pytest.approx([0.01, 0])


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("--beta -1", "beta is -1"),
        ("--warm-up -3", "warm_up is -3"),
        ("--residual resnet18 --filters 8", "at least two filters"),
        ("--kernel-sizes 3 3 3 --filters 8 8", "3 entries"),
        ("--pixel-range 0 255", "(0, 1) or (-1, 1)"),
    ],
)
def test_a_mistake_in_the_variational_autoencoder_is_one_sentence(arguments, words, tmp_path):
    assert words in error_of("train", "vae", *"--data drawn --n 60 --size 32 --out".split(), tmp_path / "run", *arguments.split())
    assert not (tmp_path / "run").exists()


def test_grading_without_its_packages_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "psutil", None)  # as if it were not installed
    for name in [name for name in sys.modules if name.startswith("gdl.instructor.grading")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SystemExit, match=r"^gdl: gdl grade needs psutil: pip install 'gdl\[instructor\]'\.$"):
        cli.main(["grade", str(tmp_path), "--out", str(tmp_path / "marks")])
