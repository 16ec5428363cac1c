"""gdl.load_or_train: whose run is taken, what is trained, and that the recipes are those of the chapters."""

import ast
import json
import shutil

import keras
import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

import gdl
from gdl.profiles import profile
from gdl.training.recipes import ADAM, CHAPTERS
from gdl.training.run_folder import run_settings
from gdl.training.training_options import TrainingOptions

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
    """The settings cell of a chapter, as a dict from profile to its dict, and all the chapter's code."""
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


# The statements, by how they begin, with which chapters 10 to 12 make a model and train it; and the names that these use besides.
LATER = {
    "conditional_gan": ("10", ("attributes =", "conditions =", "def train_gan", "gan = train_gan"), ["obedience"]),
    "conditional_vae": ("10", ("conditions =", "vaes, vae_conditions", "for name, kind_of in"), ["AllTold"]),
    "vae_gan": ("11", ("kind =", "network =", "classifier = gdl.pretrained", "common =", "vae_gan =", "history = gdl.train(vae_gan"), []),
    "flow": ("12", ("pixel_flow =", "pixel_flow.compile", "pixel_flow.fit"), ["x_train", "Watch"]),
    "latent_flow": ("12", ("kind =", "conditions =", "autoencoder =", "short_flow =", "how =", "history = gdl.train(short_flow"), []),
}
STAND_INS = dict(obedience=keras.callbacks.Callback(), AllTold=gdl.ConditionalVAE, x_train=None, Watch=keras.callbacks.Callback)


@pytest.fixture(scope="module")
def faces_of():
    """Drawn faces of a size, made once."""
    made = {}
    return lambda size: made.setdefault(size, gdl.DrawnFaces(60, size=size))


def chapter_and_size(name):
    """The chapter's settings in the present profile, and the size of the faces with which it trains this model."""
    settings, _ = settings_of(LATER[name][0])
    return settings[profile()], 32 if name == "flow" else settings[profile()].get("size", 64)


def live_training(name, faces):
    """Executes the chapter's statements."""
    chapter, statements, others = LATER[name]
    settings, code = settings_of(chapter)
    names = {"gdl": gdl, "keras": keras, "np": np, "faces": faces, "s": gdl.settings(**settings)} | {other: STAND_INS[other] for other in others}
    found = [node for node in ast.parse(code).body if ast.unparse(node).startswith(statements)]
    assert len(found) == len(statements)
    for node in found:
        keras.utils.set_random_seed(0)  # as in the chapters, before a model is made
        exec(compile(ast.unparse(node), chapter, "exec"), names)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", ["smoke", "quick", "full"])
@pytest.mark.parametrize("name", LATER)
def test_load_or_train_trains_what_a_later_chapter_trains(name, chosen, runs, faces_of, monkeypatch):
    """All settings of the run are those of the chapter: the model with its part, the optimisers, the options of the training and the epochs."""
    asked = []

    def note(model, faces, epochs, run=None, callbacks=(), pictures=True, **options):
        if not model.compiled:
            model.compile(*model.default_optimizers(options.get("learning_rate")))
        asked.append((epochs, run_settings(model, faces, TrainingOptions.from_dict(options))))
        return pd.DataFrame({"val_kl_loss": [0.0]})

    def fit(model, x, batch_size, epochs, verbose, callbacks):
        note(model, faces, epochs, batch_size=batch_size)

    monkeypatch.setenv("GDL_PROFILE", chosen)
    settings, size = chapter_and_size(name)
    faces = faces_of(size)
    monkeypatch.setattr(gdl, "train", note)
    monkeypatch.setattr("gdl.training.load_or_train.train", note)
    monkeypatch.setattr(gdl.Flow, "fit", fit)
    live_training(name, faces)
    (epochs, chapters), *_ = asked
    gdl.load_or_train(name, faces)
    trained_for, recipe = asked[-1]
    assert trained_for == epochs
    steps = chapters["training"].pop("steps_per_epoch"), recipe["training"].pop("steps_per_epoch")
    assert json.loads(json.dumps(recipe)) == json.loads(json.dumps(chapters))
    if name == "conditional_gan":  # the chapter leaves out a smaller last batch
        assert steps == (len(faces.train) // 64 or 1, None)
    elif name == "flow":  # the chapter trains with so many images
        assert steps == (None, -(-settings["images"] // 64))
    else:
        assert steps[0] == steps[1]


@pytest.mark.slow
@pytest.mark.parametrize("name", LATER)
def test_a_model_of_a_later_chapter_is_trained_and_loaded(name, runs, faces_of, capsys):
    _, size = chapter_and_size(name)
    faces = faces_of(size)
    model = gdl.load_or_train(name, faces)
    assert f"trained now, for {CHAPTERS[name]['smoke'][1]['epochs']} epochs" in capsys.readouterr().out
    again = gdl.load_or_train(name, faces)
    assert f"{name}: the run {gdl.run_folder(f'{name}_recipe', faces).name}" in capsys.readouterr().out
    assert type(again) is type(model) and same_weights(model, again)
    assert again.generate(2, seed=0).shape == (2, size, size, 3)


@pytest.mark.slow
def test_the_run_of_chapter_11_is_taken(runs, faces_of, capsys):
    faces = faces_of(64)
    live_training("vae_gan", faces)
    capsys.readouterr()
    taken = gdl.load_or_train("vae_gan", faces)
    assert capsys.readouterr().out.startswith(f"vae_gan: the run {gdl.run_folder('vae_gan', faces).name}")
    shutil.rmtree(gdl.run_folder("vae_gan", faces))
    assert same_weights(gdl.load_or_train("vae_gan", faces), taken), "the recipe trains to the very weights of the chapter"


@pytest.mark.parametrize("name, part", [("vae_gan", "classifier"), ("latent_flow", "vae_gan")])
def test_faces_of_another_size_do_not_fit_a_part_that_comes_with_the_course(name, part, runs, faces):
    with pytest.raises(gdl.CourseError, match=f"The {part} of the recipe {name} is for 64x64 pixels, and these faces have 32"):
        gdl.load_or_train(name, faces)
