"""Packs a trained run as one of the models that come with the course.

    python tools/pack_model.py NAME RUN                          a classifier, or a flow, whose codes have no attribute vectors
    python tools/pack_model.py NAME RUN --data data/celeba       a VAE or an autoencoder, with attribute vectors of the training images
    python tools/pack_model.py NAME RUN --classifier RUN         a GAN, with vectors on 20,000 samples that a classifier labels,
                                                                 a trained one or one that comes with the course, by its name

Writes gdl/shipped/NAME.npz and prints its checksum, which belongs in SHA256 of `gdl.shipped`.
"""

import argparse
import hashlib
import json
import sys
from typing import Any

import numpy as np
import pandas as pd

from gdl.data.faces import faces
from gdl.errors import CourseError
from gdl.files import whole_file
from gdl.latent.vectors import code_vectors
from gdl.models.base import FaceModel, check_decoder, check_encoder
from gdl.models.classifier import AttributeClassifier
from gdl.models.flow import Flow
from gdl.models.vae import VAE, copy_networks
from gdl.shipped import FOLDER
from gdl.training.run_folder import load, open_model

SAMPLES = 20_000


def main() -> None:
    """Packs the run that the command line names."""
    parser = argparse.ArgumentParser(description="Packs a trained run as one of the models that come with the course.")
    parser.add_argument("name", help="such as vae-celeba64")
    parser.add_argument("run", help="folder that `python -m gdl train` has written")
    parser.add_argument("--data", help="folder of photographs with attributes, or drawn, for the vectors of a VAE or an autoencoder")
    parser.add_argument("--n", type=int, help="use at most this many images of --data, as in training")
    parser.add_argument("--classifier", help="folder of a trained classifier, or classifier-celeba64 and the like, for the vectors of a GAN")
    options = parser.parse_args()
    model = load(options.run)
    arrays: dict[str, Any] = {}
    about: dict[str, Any] = {}
    if options.data or options.classifier:
        z, attributes = _labelled_codes(model, options)
        for key, balanced in (("vectors", False), ("balanced vectors", True)):
            vectors = code_vectors(z, attributes, balanced)
            arrays[key], about["attributes"] = vectors.to_numpy(np.float16), list(vectors.index)
    model = without_history(model)
    weights = [np.asarray(weight, np.float16) for weight in model.get_weights()]
    if not all(np.isfinite(weight).all() for weight in weights):
        raise CourseError(f"{options.run} has weights that are too large for half precision: train the model again with a lower learning rate.")
    about |= {"model": type(model).__name__, "options": model.get_config(), "weights": len(weights)}
    arrays |= {f"weight {i}": weight for i, weight in enumerate(weights)}
    file = FOLDER / f"{options.name}.npz"
    with whole_file(file) as partial:
        np.savez_compressed(partial, about=json.dumps(about), **arrays)
    print(f'"{options.name}": "{hashlib.sha256(file.read_bytes()).hexdigest()}",  # {file.stat().st_size / 1e6:.1f} MB')


def _labelled_codes(model, options):
    """Codes, and the attributes of their images: the labels of training photographs, or those that a classifier gives to samples."""
    if options.data:
        check_encoder(model)
        split = faces(options.data, size=model.architecture.image_size, n=options.n).train
        return model.encode(split.images), split.attributes
    check_decoder(model)
    classifier = open_model(options.classifier)
    if not isinstance(classifier, AttributeClassifier):
        raise CourseError(f"{options.classifier} contains a {type(classifier).__name__}: give the folder of a trained classifier.")
    z = np.random.default_rng(1).standard_normal((SAMPLES, model.architecture.z_dim)).astype(np.float32)
    labels = [classifier.predict_attributes(model.unit_range(model.decode(part))) > 0.5 for part in np.split(z, 20)]
    return z, pd.concat(labels, ignore_index=True)


def without_history(model: FaceModel) -> FaceModel:
    """A copy of a model in Keras's present precision. Of a model with a moving average, the averaged networks are its only ones."""
    if getattr(model, "ema", None) is None:
        copy = type(model)(**model.get_config())
        copy.set_weights(model.get_weights())
        return copy
    copy = type(model)(**model.get_config() | {"ema": None})
    pairs = []
    if isinstance(model, VAE):
        copy_networks(model, copy)
    elif isinstance(model, Flow):
        pairs = [(copy.network, model.network_for(training=False))]
    else:
        pairs = [(copy.generator, model.decoder)]
    parts = [part for part in ("critic", "classifier", "autoencoder") if getattr(model, part, None) is not None]
    for fresh, trained in pairs + [(getattr(copy, part), getattr(model, part)) for part in parts]:
        fresh.set_weights(trained.get_weights())
    return copy


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(f"pack_model: {error}")
