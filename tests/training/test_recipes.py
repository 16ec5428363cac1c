"""gdl.load_or_train: whose run is taken, what is trained, and that the recipes are those of the chapters."""

import ast
import json
import shutil

import keras
import nbformat
import numpy as np
import pytest
from conftest import ROOT

import gdl
from gdl.training.recipes import ADAM, CHAPTERS

NOTEBOOKS = ROOT / "chapters"


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv("GDL_PROFILE", "smoke")
    monkeypatch.setenv("GDL_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(60, size=32)


def same_weights(one, two):
    pairs = zip(one.get_weights(), two.get_weights(), strict=True)
    return all(np.array_equal(*pair) for pair in pairs)


@pytest.mark.slow
def test_it_trains_once_and_takes_that_run_afterwards(runs, faces, capsys):
    first = gdl.load_or_train("vae", faces)
    assert "trained now, for 1 epochs" in capsys.readouterr().out
    again = gdl.load_or_train("vae", faces)
    assert f"vae: the run {gdl.run_folder('vae_recipe', faces).name}, trained for 1 epochs." in capsys.readouterr().out
    assert same_weights(first, again)
    assert not gdl.run_folder("vae", faces).exists(), "the chapter will train its own, with its own callbacks"


@pytest.mark.slow
def test_a_run_of_the_command_line_comes_first_and_other_data_are_passed_over(runs, faces, capsys):
    keras.utils.set_random_seed(1)
    model = gdl.VAE(32, 4, (8, 16))
    gdl.train(model, faces, epochs=1, run=runs / "vae", quiet=True)
    assert same_weights(gdl.load_or_train("vae", faces), model)
    assert "vae: the run vae, trained for 1 epochs." in capsys.readouterr().out
    others = gdl.DrawnFaces(60, size=32, seed=1)
    assert not gdl.load_or_train("vae", others).architecture.z_dim == 4
    shutil.copytree(runs / "vae", runs / "wgan_gp")  # a run of another model under the name
    assert isinstance(gdl.load_or_train("wgan_gp", faces), gdl.WGANGP)


@pytest.mark.slow
def test_an_interrupted_run_goes_on(runs, faces, capsys):
    whole = gdl.load_or_train("wgan_gp", faces)
    folder = gdl.run_folder("wgan_gp_recipe", faces)
    shutil.rmtree(folder)
    options, training = CHAPTERS["wgan_gp"]["smoke"]
    keras.utils.set_random_seed(0)
    part = gdl.WGANGP(32, **options)
    rates, betas = ADAM["wgan_gp"]
    part.compile(*(keras.optimizers.Adam(rate, **betas) for rate in rates))
    gdl.train(part, faces, run=folder, quiet=True, **{**training, "epochs": 1})
    capsys.readouterr()
    resumed = gdl.load_or_train("wgan_gp", faces)
    assert "continuing after epoch 1" in capsys.readouterr().out
    assert same_weights(resumed, whole)


def test_a_damaged_run_is_passed_over_and_said(runs, faces, capsys, monkeypatch):
    monkeypatch.setattr("gdl.training.load_or_train.train", lambda model, *arguments, **options: None)
    for name in ("vae", gdl.run_folder("vae", faces).name):
        (runs / name).mkdir(parents=True)
        (runs / name / "run.json").write_text("{")
        (runs / name / "epoch-0001.weights.h5").write_text("half")
    assert isinstance(gdl.load_or_train("vae", faces), gdl.VAE)
    said = capsys.readouterr().out
    assert said.count("is passed over: ") == 2 and said.count("run.json is damaged or not of this course") == 2 and "it is trained now" in said


def test_an_unknown_recipe_is_one_sentence(runs, faces):
    with pytest.raises(gdl.CourseError, match="There is no recipe 'vea': choose one of vae, wgan_gp"):
        gdl.load_or_train("vea", faces)


def settings_of(chapter):
    """The settings cell of a chapter, as a dict from profile to its dict, and all its code."""
    (path,) = NOTEBOOKS.glob(f"{chapter}_*.ipynb")
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code" and "set-up" not in cell.metadata.get("tags", [])]
    code = "\n".join(cell.source for cell in cells)
    (call,) = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and ast.unparse(node.func) == "gdl.settings"]
    return {profile.arg: {item.arg: ast.literal_eval(item.value) for item in profile.value.keywords} for profile in call.keywords}, code


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
@pytest.mark.parametrize("name, chapter, own", [("vae", "02", "beta"), ("wgan_gp", "06", "critic_steps")])
def test_recipes_are_those_of_the_chapters(name, chapter, own, profile):
    settings, code = settings_of(chapter)
    chosen = settings[profile]
    options, training = CHAPTERS[name][profile]
    assert {key: options[key] for key in ("z_dim", "filters", own)} == {key: chosen[key] for key in ("z_dim", "filters", own)}
    assert training["epochs"] == chosen["epochs"]
    assert training["halve_every"] == chosen.get("halve_every", max(1, chosen["epochs"] // 2))


@pytest.mark.slow
@pytest.mark.parametrize("chapter, name", [("02", "vae"), ("06", "wgan_gp")])
def test_load_or_train_takes_the_run_that_the_chapter_leaves(chapter, name, runs, faces, capsys):
    """The cells of the chapter that make the model and train it, on a few faces; then load_or_train finds it whole."""
    settings, code = settings_of(chapter)
    tree = ast.parse(code)
    folder = f"gdl.run_folder('{name}', faces)"
    (train,) = [node for node in tree.body if isinstance(node, ast.Assign) and folder in ast.unparse(node.value)]
    before = tree.body[: tree.body.index(train)]
    variable = ast.unparse(train.value.args[0])
    assigned = {ast.unparse(node.targets[0]): node for node in before if isinstance(node, ast.Assign)}  # the last of each name
    makes = [assigned[name] for name in ("options", variable) if name in assigned]
    makes += [node for node in before if isinstance(node, ast.Expr) and ast.unparse(node).startswith(f"{variable}.compile(")]
    train.value.keywords = [keyword for keyword in train.value.keywords if keyword.arg != "callbacks"]
    s = gdl.settings(**settings)
    names = {"gdl": gdl, "keras": keras, "faces": faces, "s": s}
    keras.utils.set_random_seed(0)
    for node in [*makes, train]:
        exec(compile(ast.unparse(node), chapter, "exec"), names)
    capsys.readouterr()
    taken = gdl.load_or_train(name, faces)
    assert f"{name}: the run {gdl.run_folder(name, faces).name}" in capsys.readouterr().out
    assert same_weights(taken, names[variable])
    shutil.rmtree(gdl.run_folder(name, faces))
    assert same_weights(gdl.load_or_train(name, faces), taken), "the recipe trains to the very weights of the chapter"
    assert json.loads((gdl.run_folder(f"{name}_recipe", faces) / "run.json").read_text())["model"] == type(taken).__name__
