"""The models of the course, and the one place that has their names."""

import importlib
import inspect
from dataclasses import asdict
from typing import Any

from gdl.errors import CourseError
from gdl.models.architecture import Architecture
from gdl.registration import CLASSES

COMMANDS = {
    "autoencoder": "Autoencoder",
    "vae": "VAE",
    "gan": "GAN",
    "wgan": "WGAN",
    "wgan_gp": "WGANGP",
    "conditional_vae": "ConditionalVAE",
    "conditional_gan": "ConditionalGAN",
    "vae_gan": "VAEGAN",
    "flow": "Flow",
    "latent_flow": "LatentFlow",
    "classifier": "AttributeClassifier",
}
MODULES = {name: CLASSES[name] for name in COMMANDS.values()}  # class -> its module in this package
OWN_CLASSES: dict[str, type] = {}  # classes that somebody has derived from those of the course; the newest of a name


def model_class(name: str) -> type[Any]:
    """The class of a model by its name, such as "VAE" in a run folder or "vae" on the command line; imports TensorFlow.

    A class of your own, such as MyVAE, is found once it is defined; of several with one name, the newest.
    Raises CourseError for an unknown name.

    >>> model_class("wgan_gp").__name__
    'WGANGP'
    """
    name = COMMANDS.get(name, name)
    if name in MODULES:
        return getattr(importlib.import_module(f"gdl.models.{MODULES[name]}"), name)
    if name in OWN_CLASSES:
        return OWN_CLASSES[name]
    if name.isidentifier() and not name.islower():
        raise CourseError(f"The model is of a class {name}, which is not defined here: run the cell that defines it, or import it, and try again.")
    raise CourseError(f"model is {name!r}: choose from {', '.join(COMMANDS)}.")


def constructor_options(name: str) -> dict:
    """The options that the constructor of a model takes, with their defaults; imports TensorFlow.

    >>> constructor_options("vae")["reconstruction"]
    'bce'
    """
    options: dict = {}
    for cls in model_class(name).__mro__:  # the defaults of a class come before those of its parents
        if cls.__module__.startswith("gdl.models.") and "__init__" in vars(cls):
            parameters = inspect.signature(vars(cls)["__init__"]).parameters.values()
            options = {parameter.name: parameter.default for parameter in parameters if parameter.default is not parameter.empty} | options
            if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
                return options
    return asdict(Architecture()) | options


RETIRED = {"image_noise": 0.0}  # options of version 0.1.0 that are gone, and the value at which they did nothing


def readable_options(options: dict) -> dict:
    """A model's options as this version knows them, from those that this or an earlier version wrote.

    Raises CourseError for a retired option with a value that did something.
    """
    for name in RETIRED.keys() & options.keys():
        if options[name] != RETIRED[name]:
            raise CourseError(
                f"This model was made with {name}={options[name]}, an option that the course no longer has: train the model again without it."
            )
    return {name: value for name, value in options.items() if name not in RETIRED}
