"""A trained model for a chapter that begins with one: from an earlier run, or trained now."""

import os
from pathlib import Path

import keras

from gdl.data.celeba import CelebA
from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.models import COMMANDS, model_class
from gdl.models.base import FaceModel
from gdl.profiles import profile
from gdl.shipped import pretrained
from gdl.training.recipes import ADAM, CHAPTERS, PARTS
from gdl.training.run_folder import RunFolder, load, run_folder
from gdl.training.train import train


def load_or_train(name: str, faces: Faces) -> FaceModel:
    """A trained model of these faces, from an existing run if there is one. Prints in one line which run it is.

    name: "vae", "wgan_gp", "conditional_gan", "conditional_vae", "vae_gan", "flow", "latent_flow" or "classifier".
    faces: the data to train with. A run on other data, or on another size, is not used. The chapters train a flow at 32 pixels,
        in the profiles smoke and quick also the conditional models, and the others at 64.
    The first of these that exists is loaded: a run of the command line, which is `NAME` in the folder GDL_RUNS, or without
    GDL_RUNS `runs/NAME` here or in the parent folder; then the run that chapter 02, 06 or 11 has left in this session's profile.
    Otherwise the model is trained now with the settings of its chapter. A VAE-GAN gets its classifier and a latent flow its
    autoencoder from the models that come with the course, as in the chapters. The run folder is not that of the chapter, which
    still trains its own model when it is run later. An interrupted run continues.
    Raises CourseError for an unknown name, for anything but faces, for faces of which a VAE-GAN or a latent flow cannot be
    trained because they do not have 64 pixels, and when somebody else is training the run.

    >>> vae = gdl.load_or_train("vae", gdl.faces(size=64))  # doctest: +SKIP
    vae: the run vae-quick-5d3c0c7e52a1, trained for 8 epochs.
    """
    if not isinstance(name, str) or name not in CHAPTERS:
        raise CourseError(f"There is no recipe {name!r}: choose one of {', '.join(CHAPTERS)}, or train a model with gdl.train.")
    if not isinstance(faces, Faces):
        raise CourseError(f"gdl.load_or_train takes a name and faces, such as gdl.faces(); this is a {type(faces).__name__}.")
    roots = [Path(os.environ["GDL_RUNS"])] if os.environ.get("GDL_RUNS") else [Path("runs"), Path("..", "runs")]
    for folder in (root / name for root in roots):
        if _is_run_of(folder, name, faces):
            return _load(name, folder)
    options, training = CHAPTERS[name][profile()]
    own = run_folder(f"{name}_recipe", faces)
    for folder in (run_folder(name, faces), own):
        if _is_run_of(folder, name, faces) and RunFolder(folder).epochs() >= training["epochs"]:
            return _load(name, folder)
    if name in PARTS:
        option, part = PARTS[name]
        if faces.size != 64:
            raise CourseError(f"The {part} of the recipe {name} is for 64x64 pixels, and these faces have {faces.size}: give faces of size 64.")
        options = options | {option: pretrained(f"{part}-{'celeba64' if isinstance(faces, CelebA) else 'drawn64'}")}
    print(f"{name}: there is no run on these faces yet, so it is trained now, for {training['epochs']} epochs, as {own.name}.")
    if name == "classifier":
        options = dict(attributes=faces.train.attributes.columns, **options)
    keras.utils.set_random_seed(0)
    model = model_class(name)(faces.size, **options)
    if name in ADAM:
        rates, betas = ADAM[name]
        model.compile(*(keras.optimizers.Adam(rate, **betas) for rate in rates))
    train(model, faces, run=own, pictures=False, **training)
    return model


def _is_run_of(folder, name, faces):
    """Whether a folder holds a run of this kind of model on exactly these faces, with at least one finished epoch."""
    run = RunFolder(folder)
    if not run.settings_file.is_file() or not run.epochs():
        return False
    try:
        settings = run.read_settings()
    except CourseError as error:
        print(f"{folder} is passed over: {error}")
        return False
    return settings["model"] == COMMANDS[name] and settings["data"] in (faces.fingerprint, faces.former_fingerprint)


def _load(name, folder):
    print(f"{name}: the run {folder.name}, trained for {RunFolder(folder).epochs()} epochs.")
    return load(folder)
