"""What `import gdl` does for Keras: its loaders know the layers and models of the course, and a set-up that the course cannot use is told.

Keras and TensorFlow are not imported here. As soon as Keras is there, before or after `gdl`, `keras.models.load_model` finds
every class by name, and imports its module only when a file needs it.
"""

import importlib
import json
import os
import sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from gdl.errors import CourseError

CLASSES = {  # class -> its module in gdl.models
    "FastLeakyReLU": "fast_layers",  # the name in files; the class itself is called LeakyReLU, after which weights are named
    "FastBatchNormalization": "fast_layers",
    "FastConv2D": "fast_layers",
    "FastConv2DTranspose": "fast_layers",
    "PixelShuffle": "layers",
    "Sampling": "vae",
    "Autoencoder": "autoencoder",
    "VAE": "vae",
    "GAN": "gan",
    "WGAN": "wgan",
    "WGANGP": "wgan_gp",
    "AttributeClassifier": "classifier",
    "ConditionalVAE": "conditional_vae",
    "ConditionalGAN": "conditional_gan",
    "VAEGAN": "vae_gan",
    "TimeFeatures": "velocity",
    "Flow": "flow",
    "LatentFlow": "latent_flow",
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")


def registered_names(name: str) -> list[str]:
    """The names under which files may have a class, the present one first.

    >>> registered_names("VAE")
    ['gdl>VAE', 'gdl.vae>VAE']
    """
    if name.startswith("Fast"):
        return [f"gdl>{name}", f"gdl>{name.removeprefix('Fast')}"]
    return [f"gdl>{name}", f"gdl.{CLASSES[name]}>{name}"]  # version 0.1.0 wrote the module, too


class _Later:
    """Stands for a class of the course until a file needs it."""

    def __init__(self, name: str):
        self.name = name

    def from_config(self, config: dict) -> Any:
        module = importlib.import_module(f"gdl.models.{CLASSES[self.name]}")
        return getattr(module, self.name.removeprefix("Fast")).from_config(config)


def _register() -> None:
    known = sys.modules["keras"].saving.get_custom_objects()
    for name in CLASSES:
        for alias in registered_names(name):
            known.setdefault(alias, _Later(name))


class _WhenKerasComes(MetaPathFinder):
    """Registers the classes as soon as Keras has been imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)  # of the other finders
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_register(module):
            execute(module)
            _register()

        spec.loader.exec_module = execute_and_register  # type: ignore[method-assign]
        return spec


def prepare_keras() -> None:
    """Makes Keras know the classes of the course. CourseError for a set-up of Keras that the course cannot use."""
    if "keras" in sys.modules:
        check_keras()
        _register()
    else:
        check_settings()
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        sys.meta_path.insert(0, _WhenKerasComes())


def check_settings() -> None:
    """CourseError if Keras's environment variable or its file keras.json ask for what the course cannot use."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"  # which has precedence over the file
    if backend != "tensorflow":
        raise CourseError(
            f"The environment variable KERAS_BACKEND is {backend!r}, and the course needs TensorFlow: "
            "set KERAS_BACKEND=tensorflow, or unset it, and start Python again."
        )
    file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        layout, floatx = settings.get("image_data_format", "channels_last"), settings.get("floatx", "float32")
    except (OSError, ValueError, AttributeError, RuntimeError):  # none, or one that Keras does not read either
        return
    _check(layout, floatx, f"set it in {file}")


def check_keras() -> None:
    """CourseError if the imported Keras runs on another backend, or is set to a layout or precision that the course cannot use."""
    keras = sys.modules["keras"]
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise CourseError(
            f"Keras runs on {backend}, and the course needs TensorFlow: set the environment variable KERAS_BACKEND=tensorflow, "
            "or import gdl before keras, and start Python again."
        )
    _check(keras.config.image_data_format(), keras.config.floatx(), "call keras.config.set_{}({!r})")
    precision = keras.config.dtype_policy().name
    if precision not in PRECISIONS:
        raise CourseError(
            f"Keras's dtype policy is {precision}, and the course works with {', '.join(PRECISIONS)}: call keras.config.set_dtype_policy('float32')."
        )


def _check(layout, floatx, fix):
    for name, value, needed in (("image_data_format", layout, "channels_last"), ("floatx", floatx, "float32")):
        if value != needed:
            raise CourseError(f"Keras's {name} is {value!r}, and the course needs {needed!r}: {fix.format(name, needed)}.")
