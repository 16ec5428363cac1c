"""The models of the course, and the one place that has their names."""

import importlib

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
