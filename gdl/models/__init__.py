"""The models of the course, and the one place that has their names."""

import importlib

from gdl.errors import CourseError

MODULES = {  # class -> its module in this package
    "Autoencoder": "autoencoder",
    "VAE": "vae",
    "GAN": "gan",
    "WGAN": "wgan",
    "WGANGP": "wgan_gp",
    "AttributeClassifier": "classifier",
}
COMMANDS = {"autoencoder": "Autoencoder", "vae": "VAE", "gan": "GAN", "wgan": "WGAN", "wgan_gp": "WGANGP", "classifier": "AttributeClassifier"}


def model_class(name):
    """The class of a model by its name, such as "VAE" in a run folder or "vae" on the command line; imports TensorFlow."""
    name = COMMANDS.get(name, name)
    return getattr(importlib.import_module(f"gdl.models.{MODULES[name]}"), name)


RETIRED = {"image_noise": 0.0}  # options of version 0.1.0 that are gone, and the value at which they did nothing


def readable_options(options):
    """A model's options as this version knows them, out of those that an earlier version wrote; CourseError if it cannot make that model."""
    for name in RETIRED.keys() & options.keys():
        if options[name] != RETIRED[name]:
            raise CourseError(
                f"This model was made with {name}={options[name]}, an option that the course no longer has: train the model again without it."
            )
    return {name: value for name, value in options.items() if name not in RETIRED}
