"""Companion package of the course on generative deep learning with faces.

Everything public is reached as `gdl.NAME`; a name is imported when it is first used, so that
`import gdl` is quick and drawing or reading faces does not wait for TensorFlow.
"""

import importlib
import os

from gdl.notebook import in_notebook

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what matters is raised as an error too

__version__ = "0.1.0"

_HOME = {  # public name -> the module that defines it
    "faces": "data",
    "CelebA": "data",
    "ImageFolder": "data",
    "DrawnFaces": "data",
    "CourseError": "errors",
    "DataError": "errors",
    "load_photo": "photo",
    "Autoencoder": "autoencoder",
    "VAE": "vae",
    "Sampling": "vae",
    "GAN": "gan",
    "WGAN": "wgan",
    "WGANGP": "wgan_gp",
    "AttributeClassifier": "classifier",
    "train": "training",
    "load": "training",
    "run_folder": "training",
    "load_or_train": "recipes",
    "pretrained": "shipped",
    "pretrained_vectors": "shipped",
    "profile": "profiles",
    "settings": "profiles",
    "show": "plots",
    "sharpen": "sharpening",
    "explore": "explorer",
}
_MODULES = {"cache", "data", "drawn", "edits", "groups", "latent", "losses", "maps", "metrics", "plots", "profiles", "spectrum", "training", "truth"}


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"gdl.{_HOME[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"gdl.{name}")
    raise AttributeError(f"module 'gdl' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_HOME, *_MODULES})


if in_notebook():  # it needs TensorFlow in any case, and not its start-up notes
    from gdl.installed import check_installed
    from gdl.quiet import start_tensorflow

    check_installed()
    start_tensorflow()
