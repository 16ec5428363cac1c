"""Small trained models that come with the course, so that good faces need neither a GPU nor photographs.

Each is one file NAME.npz, in half precision. The model card NAME.md beside it describes its training data, its
training, its quality and its licence. Those of photographs are for non-commercial research only. docs/models.md shows
what they make.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gdl.errors import CourseError
from gdl.models import model_class, readable_options

FOLDER = Path(__file__).parent
SHA256 = {
    "autoencoder-drawn64": "3dfc9e24ba62266dcbe06934da4fbda380623ed036bfe00a3e5c4b1e497c38d5",
    "autoencoder-z256-celeba64": "5a3bda261f4a15652f77c9bb1513934f0d09f422af4ab45a4d14b6d50512dad1",
    "classifier-celeba64": "7faa4decc3e9c7497be8144d81928df5911d84aab6764af8438f1423c5326bc5",
    "classifier-drawn64": "bd68cf7c2d17635f39867cddcb663cf40f4027600c0f98b3956ab2d69b359fbc",
    "conditional_gan-celeba64": "1a52cf4e7d6def32a0ad0819662238a2e05e45de4b500cb761b2fd453532f4b9",
    "conditional_gan-drawn64": "8cea0f8aa8af40d9627175aeb66e7315d0fcadfd96678c1a254ab060c79b8de7",
    "gan-celeba64": "f197feec8d842717c173e522f354a588774c7fbe4fae1a809f8ee60b8b6825b0",
    "gan-drawn64": "ccc60069f1bc825190f1a926f442f6bdbbf317dd6b5ea1c9e08299acfe2d3ba5",
    "latent_flow-celeba64": "d87b03f03b41dafcc4023ebaae13bcb6af18d0a27976e3239aeb455ea086eb9f",
    "latent_flow-drawn64": "46f08b1bdd36be9f8e2ca3d316d40ce66c13aa97219e93444a51e166e5f80512",
    "vae-celeba64": "72e0e7fdead126395b7b3b98b07fa9c275d15e1d07cb1ccded75a816018a63d8",
    "vae-drawn64": "2342a878fa5f3c55b4d2eee8b8b8464c91cbadeac7cc705414104712c30d11d5",
    "vae_gan-celeba64": "840d1553f9fa01c0863fa5eee1e93eb9e787b77f850b849bc6dc1a4a1d1c9977",
    "vae_gan-drawn64": "f60cbdae69387cf55fa933b6f42973d03cfef87a2aa6db313b136f489fed2369",
    "wgan-drawn64": "06f11c96058ffa538df332c4bd65f62f0458cdc5950ca20a60be95f025a58a06",
    "wgan_gp-celeba64": "343e6dfccd3403a1928b6196242c55bed7ab6b9405fd3074fa9a218e7358665e",
    "wgan_gp-drawn64": "b644c2ac719ba0d887854a1cf8a9b6315053db1b920e401d2502f9dabef04fa9",
}


def pretrained(name: str) -> Any:
    """A trained model that comes with the course.

    name: of models that have learned from photographs, and like these are for non-commercial research only:
        "autoencoder-z256-celeba64", "vae-celeba64", "vae_gan-celeba64", "gan-celeba64", "wgan_gp-celeba64",
        "conditional_gan-celeba64", "latent_flow-celeba64" and "classifier-celeba64"; and "autoencoder-drawn64",
        "vae-drawn64", "vae_gan-drawn64", "gan-drawn64", "wgan-drawn64", "wgan_gp-drawn64", "conditional_gan-drawn64",
        "latent_flow-drawn64" and "classifier-drawn64" for drawn faces. All are for 64x64 pixels. NAME.md beside this
        module says more.
    The weights are stored as float16 and used in the precision that Keras is set to. The optimiser is new: the model can be
    trained further, but the state of its optimiser is not restored.
    Raises CourseError for an unknown name, and for a file that is missing or differs from its checksum.

    >>> import gdl
    >>> vae = gdl.pretrained("vae-celeba64")
    >>> vae.generate(4, seed=0).shape
    (4, 64, 64, 3)
    """
    contents = _read(name)
    about = json.loads(str(contents["about"]))
    model = model_class(about["model"])(**readable_options(about["options"]))
    model.set_weights([contents[f"weight {i}"].astype(np.float32) for i in range(about["weights"])])
    return model


def pretrained_vectors(name: str, balanced: bool = False) -> pd.DataFrame:
    """The attribute vectors of a model that comes with the course, one row per attribute. -> DataFrame (about 40, z_dim) of float32

    name: of an autoencoder or a VAE, whose vectors are computed from its training images and their labels, or of a GAN or
        WGAN-GP, whose vectors are computed from its own samples and the labels that the classifier gives them.
    balanced: see `gdl.latent.code_vector`.
    Raises CourseError as `pretrained`, and for a classifier or a flow, which come without vectors.

    >>> import gdl
    >>> gdl.pretrained_vectors("vae-celeba64").loc["Smiling"].shape
    (128,)
    """
    contents = _read(name)
    key = "balanced vectors" if balanced else "vectors"
    if key not in contents:
        raise CourseError(f"{name} comes without attribute vectors: give the name of an autoencoder, a VAE or a GAN.")
    return pd.DataFrame(contents[key].astype(np.float32), index=json.loads(str(contents["about"]))["attributes"])


def _read(name):
    """The arrays of a model's file by their names."""
    if not isinstance(name, str) or name not in SHA256:
        raise CourseError(f"No model {name!r} comes with the course: choose from {', '.join(SHA256)}.")
    file = FOLDER / f"{name}.npz"
    if not file.is_file():
        raise CourseError(f"{file} is missing: install the course again.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror or error}): install the course again.") from None
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise CourseError(f"{file} is damaged, because its checksum differs: install the course again.")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
