"""Packs a trained run as one of the models that come with the course.

    python -m gdl.shipped NAME RUN                          a classifier
    python -m gdl.shipped NAME RUN --data data/celeba       a VAE, with its attribute vectors on the training images
    python -m gdl.shipped NAME RUN --classifier RUN         a GAN, with vectors on 20,000 samples that a classifier looks at

Writes NAME.npz beside this file and prints its checksum, which belongs into SHA256 of `gdl.shipped`.
"""

import argparse
import hashlib
import json

import numpy as np
import pandas as pd

import gdl
from gdl.files import whole_file
from gdl.latent.vectors import code_vectors
from gdl.models.adversarial import AdversarialModel
from gdl.shipped import FOLDER

SAMPLES = 20_000


def main():
    parser = argparse.ArgumentParser(prog="python -m gdl.shipped", description="Packs a trained run as one of the models that come with the course.")
    parser.add_argument("name", help="such as vae-celeba64")
    parser.add_argument("run", help="folder that training wrote")
    parser.add_argument("--data", help="photographs with attributes, for the vectors of a VAE")
    parser.add_argument("--classifier", help="run of a classifier, for the vectors of a GAN")
    options = parser.parse_args()
    model = gdl.load(options.run)
    arrays, about = {}, {}
    if options.data or options.classifier:
        z, attributes = _labelled_codes(model, options)
        for key, balanced in (("vectors", False), ("balanced vectors", True)):
            vectors = code_vectors(z, attributes, balanced)
            arrays[key], about["attributes"] = vectors.to_numpy(np.float16), list(vectors.index)
    model = _without_history(model)
    weights = [np.asarray(weight, np.float16) for weight in model.get_weights()]
    if not all(np.isfinite(weight).all() for weight in weights):
        raise gdl.CourseError(f"{options.run} has weights too large for half precision: train it again, or with a smaller learning rate.")
    about |= {"model": type(model).__name__, "options": model.get_config(), "weights": len(weights)}
    arrays |= {f"weight {i}": weight for i, weight in enumerate(weights)}
    file = FOLDER / f"{options.name}.npz"
    with whole_file(file) as partial:
        np.savez_compressed(partial, about=json.dumps(about), **arrays)
    print(f'"{options.name}": "{hashlib.sha256(file.read_bytes()).hexdigest()}",  # {file.stat().st_size / 1e6:.1f} MB')


def _labelled_codes(model, options):
    """Codes and the attributes of their images: of training photographs, or of samples as a classifier sees them."""
    if options.data:
        split = gdl.faces(options.data, size=model.architecture.image_size).train
        return model.encode(split.images), split.attributes
    classifier = gdl.load(options.classifier)
    z = np.random.default_rng(1).standard_normal((SAMPLES, model.architecture.z_dim)).astype(np.float32)
    seen = [classifier.predict_attributes(model.unit_range(model.decode(part))) > 0.5 for part in np.split(z, 20)]
    return z, pd.concat(seen, ignore_index=True)


def _without_history(model):
    """An adversarial model with its averaged generator as its only one; any other model as it is."""
    if not isinstance(model, AdversarialModel):
        return model
    single = type(model)(**model.get_config() | {"ema": None})
    single.generator.set_weights(model.decoder.get_weights())
    single.critic.set_weights(model.critic.get_weights())
    return single


if __name__ == "__main__":
    main()
