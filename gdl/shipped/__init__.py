"""Small trained models that come with the course, so that photographic faces need neither a GPU nor photographs.

Each is one file NAME.npz, in half precision, with a model card NAME.md beside it, which says what it was trained on
and how, how good it is, and under which terms it may be used: non-commercial research.
"""

import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd

import gdl
from gdl.errors import CourseError

FOLDER = Path(__file__).parent
SHA256 = {
    "classifier-celeba64": "7faa4decc3e9c7497be8144d81928df5911d84aab6764af8438f1423c5326bc5",
    "gan-celeba64": "6793178bb1dcaa582dcf640d884651fdd0dd242174cc45439fa2dbe3b2ee7d29",
    "vae-celeba64": "72e0e7fdead126395b7b3b98b07fa9c275d15e1d07cb1ccded75a816018a63d8",
}


def pretrained(name):
    """A trained model that comes with the course.

    name: "vae-celeba64", a VAE; "gan-celeba64", a GAN; "classifier-celeba64", an AttributeClassifier: each of photographs of
        64x64 pixels. They are for non-commercial research, as their data are: see NAME.md beside this module.
    Its weights are float16 numbers, in the precision that Keras is set to. Its optimiser is new: it can be trained further,
    but not as if it had never been stopped.
    Raises CourseError for an unknown name, and for a file that is missing or differs from its checksum.
    """
    contents = _read(name)
    about = json.loads(str(contents["about"]))
    model = getattr(gdl, about["model"])(**about["options"])
    model.set_weights([contents[f"weight {i}"].astype(np.float32) for i in range(about["weights"])])
    return model


def pretrained_vectors(name, balanced=False):
    """The attribute vectors of a model that comes with the course, one row an attribute. -> DataFrame (40, z_dim) of float32

    name: "vae-celeba64", whose vectors were measured on the photographs that it was trained on, or "gan-celeba64", on images
        that it invented and that "classifier-celeba64" looked at.
    balanced: see `gdl.latent.attribute_vector`.
    Raises CourseError as `pretrained`, and for a model without codes.
    """
    contents = _read(name)
    key = "balanced vectors" if balanced else "vectors"
    if key not in contents:
        raise CourseError(f"{name} has no codes, and so no attribute vectors: give the name of a model that makes images.")
    return pd.DataFrame(contents[key].astype(np.float32), index=json.loads(str(contents["about"]))["attributes"])


def _read(name):
    """The arrays of a model's file by their names."""
    if name not in SHA256:
        raise CourseError(f"No model {name!r} comes with the course: choose one of {', '.join(SHA256)}.")
    file = FOLDER / f"{name}.npz"
    if not file.is_file():
        raise CourseError(f"{file} is missing: install the course anew, or fetch that file from where you have the course from.")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise CourseError(f"{file} is damaged (its checksum differs): install the course anew, or fetch that file again.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
