"""Converts models that come with the course to what the page site/faces reads in a browser.

    python tools/web_faces.py                   writes site/faces/weights/NAME.js, and NAME-encoder.js for a VAE
    python tools/web_faces.py --out FOLDER      into another folder

Each file is a script, because a page that is opened from a folder may load scripts but no other files. It calls gdl.add with the
layers of one network, its kernels as matrices in half precision, as they are stored in the .npz, and for each layer a scale and a
shift in single precision: those of the batch normalisation, or 1 and the bias. Arrays are in base64. TensorFlow is not needed.
"""

import argparse
import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.models.architecture import Architecture
from gdl.shipped import FOLDER

NAMES = ("gan-celeba64", "vae-celeba64", "gan-drawn64", "vae-drawn64")
OUT = Path(__file__).resolve().parents[1] / "site" / "faces" / "weights"
OPTIONS = dict(downsampling="stride", upsampling="transpose", residual=False, batch_norm=True, layer_norm=False, spatial_code=False)
EPSILON = 1e-3  # of Keras's batch normalisation
PANEL = 8  # columns that the browser's matrix product takes together


def main() -> None:
    parser = argparse.ArgumentParser(description="Converts models that come with the course to what the page site/faces reads.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for the scripts (default: site/faces/weights)")
    convert(parser.parse_args().out)


def convert(out: Path, names: Sequence[str] = NAMES) -> None:
    """Writes the scripts of these models, and prints their sizes. CourseError for a model that the page cannot run."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
            contents = dict(arrays)
        for key, network in networks(name, contents).items():
            file = out / f"{key}.js"
            write_file(file, f"gdl.add({json.dumps(key)}, {json.dumps(network)});\n")
            print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")


def networks(name: str, contents: dict[str, np.ndarray]) -> dict[str, dict]:
    """The decoder of a model, with its attribute vectors, and the encoder if there is one. Values are ready for JSON."""
    about = json.loads(str(contents["about"]))
    architecture = Architecture(**{key: value for key, value in about["options"].items() if key in Architecture.__dataclass_fields__})
    if about["model"] not in ("GAN", "VAE") or any(getattr(architecture, key) != value for key, value in OPTIONS.items()):
        raise CourseError(f"{name} has layers that site/faces does not know: choose a GAN or a VAE whose options are {OPTIONS}.")
    weights = iter([contents[f"weight {i}"] for i in range(about["weights"])])
    parts = {}
    if about["model"] == "VAE":
        parts[f"{name}-encoder"] = encoder(weights, architecture)
        next(weights), next(weights)  # z_log_var: a photograph is shown by its mean code
    vectors = {key: encoded(contents[key].ravel(), np.float16) for key in ("vectors", "balanced vectors")}
    return {name: decoder(weights, architecture) | {"attributes": about["attributes"]} | vectors} | parts


def encoder(weights: Any, architecture: Architecture) -> dict:
    """Convolutions that halve the image, then the dense layer of z_mean. (size, size, 3) -> (z_dim,)"""
    layers = []
    for filters, k in zip(architecture.filters, architecture.kernels):
        kernel = next(weights)  # (k, k, inputs, filters)
        scale, shift = normalisation(weights)
        layers.append(layer("convolution", kernel.reshape(-1, filters), scale, shift, "leaky_relu", k))
    layers.append(layer("dense", next(weights), 1, next(weights), "none"))
    return network(layers, architecture)


def decoder(weights: Any, architecture: Architecture) -> dict:
    """A dense layer, then transposed convolutions that double the image. (z_dim,) -> (size, size, 3)"""
    kernel, bias = next(weights), next(weights).astype(np.float32)
    scale, shift = (np.tile(values, architecture.feature_size**2) for values in normalisation(weights))
    layers = [layer("dense", kernel, scale, bias * scale + shift, "leaky_relu")]
    channels = (*architecture.filters[-2::-1], 3)
    for filters, k in zip(channels, architecture.kernels[::-1]):
        kernel = next(weights)  # (k, k, filters, inputs)
        scale, shift = (1, next(weights)) if filters == 3 else normalisation(weights)
        last = "sigmoid" if architecture.pixel_range == (0, 1) else "tanh"
        layers.append(layer("deconvolution", kernel.reshape(-1, kernel.shape[-1]).T, scale, shift, last if filters == 3 else "leaky_relu", k))
    return network(layers, architecture)


def normalisation(weights: Any) -> tuple[np.ndarray, np.ndarray]:
    """The next batch normalisation as y = scale x + shift, float32."""
    gamma, beta, mean, variance = (next(weights).astype(np.float32) for _ in range(4))
    scale = gamma / np.sqrt(variance + np.float32(EPSILON))
    return scale, beta - mean * scale


def layer(kind: str, matrix: np.ndarray, scale: Any, shift: np.ndarray, activation: str, kernel: int = 1) -> dict:
    """One layer, whose matrix is (inputs, columns), cut into panels of 8 columns; scale and shift have one number per output channel."""
    inputs, columns = matrix.shape
    if columns % PANEL:
        raise CourseError(f"A layer has {columns} columns, and the page takes {PANEL} at a time: choose filters and z_dim that {PANEL} divides.")
    panels = matrix.reshape(inputs, -1, PANEL).transpose(1, 0, 2)  # (columns / 8, inputs, 8)
    numbers = np.concatenate([np.broadcast_to(scale, shift.shape), shift])
    sizes = {"inputs": inputs, "columns": columns, "channels": len(shift), "kernel": kernel}
    return {"kind": kind, **sizes, "activation": activation, "panels": panels, "numbers": numbers}


def network(layers: list[dict], architecture: Architecture) -> dict:
    """Layers whose arrays have been joined, with what the page has to know of the images and the codes."""
    halves = np.concatenate([layer.pop("panels").ravel() for layer in layers])
    singles = np.concatenate([layer.pop("numbers") for layer in layers])
    low, high = architecture.pixel_range
    sizes = {"image_size": architecture.image_size, "z_dim": architecture.z_dim, "low": low, "high": high}
    return sizes | {"layers": layers, "halves": encoded(halves, np.float16), "singles": encoded(singles, np.float32)}


def encoded(array: np.ndarray, dtype: type) -> str:
    """An array in base64, little-endian."""
    return base64.b64encode(array.astype(np.dtype(dtype).newbyteorder("<")).tobytes()).decode()


if __name__ == "__main__":
    main()
