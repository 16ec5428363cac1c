"""Models for chapters that begin with a trained one: the run that is left of an earlier training, or a training now."""

import os
from pathlib import Path

import keras

from gdl.errors import CourseError
from gdl.models import COMMANDS, model_class
from gdl.profiles import profile
from gdl.training.run_folder import RunFolder, load, run_folder
from gdl.training.train import train

# For each model and profile: options of the constructor, and what to train with. They are those of the chapter that
# teaches the model, so that the run of that chapter can be used; halve_every comes from the epochs there.
SMALL, QUICK, FULL = (8, 16), (32, 64, 128), (32, 64, 128, 256)
VAE = dict(kernel_sizes=4, reconstruction="mse", beta=0.5)  # chapter 02
WGAN_GP = dict(kernel_sizes=4, pixel_range=(-1, 1), ema=0.99)  # chapter 06
RECIPES = {
    "vae": {
        "smoke": (dict(z_dim=16, filters=SMALL, **VAE), dict(epochs=1, halve_every=1)),
        "quick": (dict(z_dim=64, filters=(16, 32, 64, 128), **VAE), dict(epochs=8, halve_every=4)),
        "full": (dict(z_dim=256, filters=FULL, **VAE), dict(epochs=30, halve_every=15)),
    },
    "wgan_gp": {
        "smoke": (dict(z_dim=8, filters=SMALL, critic_steps=3, **WGAN_GP), dict(epochs=2, halve_every=1)),
        "quick": (dict(z_dim=64, filters=QUICK, critic_steps=2, **WGAN_GP), dict(epochs=8, halve_every=6)),
        "full": (dict(z_dim=128, filters=FULL, critic_steps=3, **WGAN_GP), dict(epochs=60, halve_every=25)),
    },
    "classifier": {  # no chapter teaches it
        "smoke": (dict(filters=SMALL), dict(epochs=1, halve_every=1)),
        "quick": (dict(filters=(16, 32, 64, 128)), dict(epochs=5, halve_every=2)),
        "full": (dict(filters=FULL, dropout=0.2), dict(epochs=12, halve_every=4)),
    },
}
RATES = {"vae": 2e-3, "wgan_gp": 5e-4, "classifier": 2e-3}


def load_or_train(name, faces):
    """A trained model of these faces, without waiting for a training where one has been done. Says in a line which it is.

    name: "vae", "wgan_gp" or "classifier".
    faces: what it is for: a run on other data, or on another size, is passed over.
    The first of these that there is: a training from the command line in `runs/NAME` (here or in the folder above, or in
    GDL_RUNS); that of chapter 02 or 06 in the profile of this session; else it is trained now, with that chapter's settings,
    into the chapter's run folder, where the next call finds it. What was interrupted there goes on.
    Raises CourseError for an unknown name.
    """
    if name not in RECIPES:
        raise CourseError(f"There is no recipe {name!r}: choose one of {', '.join(RECIPES)}, or train a model with gdl.train.")
    roots = [Path(os.environ["GDL_RUNS"])] if "GDL_RUNS" in os.environ else [Path("runs"), Path("..", "runs")]
    for folder in (root / name for root in roots):
        if _belongs(folder, name, faces):
            return _load(name, folder)
    options, training = RECIPES[name][profile()]
    folder = run_folder(name, faces)
    if _belongs(folder, name, faces) and RunFolder(folder).epochs() >= training["epochs"]:
        return _load(name, folder)
    print(f"{name}: no training on these faces is left, so it is trained now, for {training['epochs']} epochs, as {folder.name}.")
    if name == "classifier":
        options = dict(attributes=faces.train.attributes.columns, **options)
    keras.utils.set_random_seed(0)
    model = model_class(name)(faces.size, **options)
    train(model, faces, run=folder, batch_size=64, learning_rate=RATES[name], flip=True, pictures=False, **training)
    return model


def _belongs(folder, name, faces):
    """Whether a folder holds a run of this kind of model on these very faces, with at least one finished epoch."""
    run = RunFolder(folder)
    if not run.settings_file.is_file() or not run.epochs():
        return False
    settings = run.read_settings()
    return settings["model"] == COMMANDS[name] and settings["data"] == faces.fingerprint


def _load(name, folder):
    print(f"{name}: the run {folder.name}, trained for {RunFolder(folder).epochs()} epochs.")
    return load(folder)
