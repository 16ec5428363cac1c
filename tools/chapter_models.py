"""The largest models of each chapter, with the settings that its notebook gives, and what a training step of them needs.

`gpu_check.py` trains them for a few steps.
"""

import ast
import json
from pathlib import Path

import keras
import numpy as np

import gdl
from gdl.models.base import FaceModel

NOTEBOOKS = Path(__file__).resolve().parents[1] / "chapters"
BOTH = dict(kernel_sizes=4, pixel_range=(-1, 1))
VAE = dict(kernel_sizes=4, reconstruction="mse", beta=0.5)
SPATIAL = dict(kernel_sizes=4, reconstruction="mse", beta=0.02, spatial_code=True, ema=0.99)
IN_CHAPTERS = {  # the largest models of a chapter, with the options that its cells give beside size, z_dim, filters and critic_steps
    "01_autoencoder": {"autoencoder": dict(kernel_sizes=4)},
    "02_vae": {"autoencoder": dict(kernel_sizes=4), "vae": VAE},
    "03_kl_loss": {"vae": VAE},
    "04_gan": {"gan": dict(ema=0.99, **BOTH)},
    "05_wgan": {"wgan": dict(critic_steps=3, ema=0.99, **BOTH)},
    "06_wgan_gp": {"wgan_gp": dict(penalty_every=4, ema=0.99, **BOTH)},
    "07_sharpening": {"vae": VAE},
    "08_latent_arithmetic": {"vae": VAE},
    "09_which_model": {"vae": VAE | BOTH | dict(ema=0.99), "gan": dict(label_smoothing=0.1, ema=0.99, **BOTH)},
    "10_conditional": {"conditional_gan": dict(classify=0.5, ema=0.99, **BOTH), "conditional_vae": VAE},
    "11_vae_gan": {"vae_gan": SPATIAL | dict(adversarial=5.0), "vae": SPATIAL},
    "12_flow_matching": {"flow": dict(ema=0.99), "latent_flow": dict(ema=0.99)},
}
HALF_SIZE = ("03_kl_loss", "07_sharpening")  # they train on images of half the size


def settings(chapter, profile):
    """The settings of a chapter in a profile, from its notebook's source, which is not executed."""
    for cell in json.loads((NOTEBOOKS / f"{chapter}.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and "= gdl.settings(" in source:
            call = next(node for node in ast.walk(ast.parse(source)) if ast.unparse(getattr(node, "func", node)) == "gdl.settings")
            values = next(keyword.value for keyword in call.keywords if keyword.arg == profile)
            return {keyword.arg: ast.literal_eval(keyword.value) for keyword in values.keywords}


def chapter_models(chapter, profile):
    """The models of a chapter: (kind, size, options) of each."""
    s = settings(chapter, profile)
    size = s.get("live", s.get("size", 64)) // (1 + (chapter in HALF_SIZE))
    for kind, options in IN_CHAPTERS[chapter].items():
        given = dict(filters=s["code_filters" if kind == "latent_flow" else "filters" if "filters" in s else "small_filters"])
        if kind not in ("flow", "latent_flow"):  # whose codes are as large as what they make
            given["z_dim"] = s.get("z_dim", s.get("small_z"))
        if "critic_steps" in s and kind in ("wgan", "wgan_gp"):
            given["critic_steps"] = s["critic_steps"]
        yield kind, 32 if kind == "flow" else size, given | options


def estimated_bytes(model, batch_size):
    """What a step needs: weights, gradients and optimisers' state, and twice the outputs of all layers in the larger backward pass.

    Twice: the outputs, and the gradients with respect to them. The critic sees real images and fakes, and for each gradient penalty
    two passes more. All layers at once is an upper bound; the work space of the convolutions is not included.
    """
    kept = [*model.weights, *model.trainable_weights, *(state for optimizer, _ in model.optimizer_groups for state in optimizer.variables)]
    outputs = {network.name: _outputs(network) for network in _networks(model)}
    if "encoder" in outputs and "critic" in outputs:  # a VAE-GAN
        images = sum(outputs.values()) + 2 * outputs["critic"]
    elif "critic" in outputs:
        penalties = (type(model) is gdl.WGANGP) + sum(getattr(model, name, 0) > 0 for name in ("r1", "r2"))
        images = max((2 + 2 * penalties) * outputs["critic"], outputs["generator"] + outputs["critic"])
    else:
        images = sum(outputs.values())
    return sum(4 * int(np.prod(weight.shape)) for weight in kept) + 2 * batch_size * images


def _networks(model):
    """The networks of a model, with those of a model that is a part of it."""
    for part in model.layers:
        if isinstance(part, FaceModel):
            yield from _networks(part)
        elif isinstance(part, keras.Model):
            yield part


def _outputs(network):
    """Bytes of the outputs of all layers for one image."""
    tensors = [(layer, tensor) for layer in network.layers for tensor in keras.tree.flatten(layer.output)]
    return sum(int(np.prod(tensor.shape[1:])) * (2 if layer.compute_dtype.endswith("16") else 4) for layer, tensor in tensors)
