"""Companion package of the course on generative deep learning with faces.

Everything public is reached as `gdl.NAME`; a name is imported when it is first used, so that
`import gdl` is quick and drawing or reading faces does not wait for TensorFlow.
"""

import importlib
import os
import sys

from gdl.errors import CourseError as _CourseError
from gdl.machine import check_installed, in_notebook, on_command_line, start_tensorflow
from gdl.registration import prepare_keras

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors are raised as exceptions in any case
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # faster convolutions; TensorFlow leaves them off without AVX512-VNNI and on Windows

__version__ = "0.1.0"

_HOME = {  # public name -> the module that defines it
    "faces": "data.faces",
    "CelebA": "data.celeba",
    "ImageFolder": "data.folder",
    "DrawnFaces": "data.faces",
    "CourseError": "errors",
    "DataError": "errors",
    "load_photo": "data.photo",
    "Autoencoder": "models.autoencoder",
    "VAE": "models.vae",
    "Sampling": "models.vae",
    "GAN": "models.gan",
    "WGAN": "models.wgan",
    "WGANGP": "models.wgan_gp",
    "AttributeClassifier": "models.classifier",
    "ConditionalVAE": "models.conditional_vae",
    "ConditionalGAN": "models.conditional_gan",
    "VAEGAN": "models.vae_gan",
    "Flow": "models.flow",
    "LatentFlow": "models.latent_flow",
    "train": "training.train",
    "load": "training.run_folder",
    "run_folder": "training.run_folder",
    "load_or_train": "training.load_or_train",
    "pretrained": "shipped",
    "pretrained_vectors": "shipped",
    "profile": "profiles",
    "settings": "profiles",
    "show": "pictures.plots",
    "sharpen": "pictures.sharpening",
    "explore": "latent.explorer",
}
_MODULES = {  # public module -> where it is
    "cache": "data.cache",
    "data": "data",
    "drawn": "drawn",
    "edits": "latent.edits",
    "groups": "latent.groups",
    "latent": "latent",
    "losses": "models.losses",
    "maps": "pictures.maps",
    "metrics": "metrics",
    "plots": "pictures.plots",
    "profiles": "profiles",
    "spectrum": "pictures.spectrum",
    "training": "training",
    "truth": "latent.truth",
}


def __getattr__(name):
    if name in _HOME:
        return getattr(importlib.import_module(f"gdl.{_HOME[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"gdl.{_MODULES[name]}")
    raise AttributeError(f"module 'gdl' has no attribute {name!r}")


def __dir__():
    return sorted({*globals(), *_HOME, *_MODULES})


try:
    prepare_keras()
except _CourseError as error:
    if on_command_line():
        sys.exit(f"gdl: {error}")
    raise
if in_notebook():  # a notebook needs TensorFlow in any case, without its start-up messages
    check_installed()
    start_tensorflow()
