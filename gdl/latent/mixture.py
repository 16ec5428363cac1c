"""Codes from a Gaussian mixture instead of the prior."""

import warnings

import numpy as np

from gdl.arguments import whole_number
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, check_encoder
from gdl.models.vae import VAE


def mixture_codes(model: EncoderDecoderModel, images: Split | np.ndarray, n: int, components: int = 10, seed: int = 0) -> np.ndarray:
    """n codes from a Gaussian mixture fitted to the codes of images. Ghosh et al. 2020. -> (n, z_dim) float32

    Their images usually look better than those of codes from the prior.
    model: a VAE, whose codes are sampled from the posteriors, one per image; or an autoencoder.
    images: the images that it was trained on, a split or (m, size, size, 3) as in `encode`.
    components: number of Gaussians in the mixture, each with its own covariance.
    The same seed gives the same codes.
    Raises CourseError for a model without an encoder, and for fewer images than the covariances need.

    >>> import gdl
    >>> vae, faces = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8)), gdl.DrawnFaces(n=40, size=32)
    >>> mixture_codes(vae, faces.train, n=100, components=2).shape
    (100, 4)
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    check_encoder(model)
    n, components = whole_number("n", n), whole_number("components", components)
    rng = np.random.default_rng(whole_number("seed", seed, least=0))
    x = images.images if isinstance(images, Split) else images
    if len(getattr(x, "shape", ())) != 4 or not len(x):
        raise CourseError("images is a split, such as faces.train, or an array (m, size, size, 3) with m at least 1: give one of them.")
    z = posterior_codes(model, x, rng)
    needed = components * (z.shape[1] + 1)
    if len(z) < needed:
        raise CourseError(
            f"{len(z):,} images are too few for {components} Gaussians of {z.shape[1]} dimensions: "
            f"give at least {needed:,} images, or fewer components."
        )
    mixture = GaussianMixture(components, reg_covar=1e-6, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # after 100 steps a mixture is good enough to sample from
        codes, _ = mixture.fit(z).sample(n)
    return rng.permutation(codes).astype(np.float32)  # the samples are sorted by component


def posterior_codes(model: EncoderDecoderModel, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A code for each image, sampled from its posterior if the model is a VAE. -> (m, z_dim) float64"""
    parts = []
    for start in range(0, len(images), 4096):
        some = images[start : start + 4096]
        if isinstance(model, VAE):
            z_mean, z_log_var = model.posterior(some)
            parts.append(z_mean + np.exp(z_log_var / 2) * rng.standard_normal(z_mean.shape))
        else:
            parts.append(model.encode(some))
    return np.concatenate(parts).astype(np.float64)
