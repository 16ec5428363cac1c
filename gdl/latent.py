"""What can be done with codes."""

import warnings

import numpy as np

from gdl.errors import CourseError


def mixture_codes(model, images, n, components=10, seed=0):
    """n codes from a Gaussian mixture fitted to the codes of images; decoded, they look better than codes from the prior. Ghosh et al. 2020.

    model: a VAE, whose codes are drawn from the posteriors, one an image; or an autoencoder.
    images: those it was trained on, a split or (m, size, size, 3) as in `encode`.
    components: Gaussians in the mixture, each with a covariance of its own.
    -> (n, z_dim) float32 for `model.decode`. The same seed gives the same codes.
    Raises CourseError for a model without an encoder, and for fewer images than the covariances need.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(seed)
    z = posterior_codes(model, getattr(images, "images", images), rng)
    needed = components * (z.shape[1] + 1)
    if len(z) < needed:
        raise CourseError(
            f"{len(z):,} images are too few for {components} Gaussians of {z.shape[1]} dimensions: "
            f"give at least {needed:,} images, or fewer components."
        )
    mixture = GaussianMixture(components, reg_covar=1e-6, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a mixture after 100 steps is good enough to sample from
        codes, _ = mixture.fit(z).sample(n)
    return rng.permutation(codes).astype(np.float32)  # they came sorted by component


def posterior_codes(model, images, rng):
    """A code for each image, drawn from its posterior where the model has one. -> (m, z_dim) float64"""
    parts = []
    for start in range(0, len(images), 4096):
        some = images[start : start + 4096]
        if hasattr(model, "posterior"):
            z_mean, z_log_var = model.posterior(some)
            parts.append(z_mean + np.exp(z_log_var / 2) * rng.standard_normal(z_mean.shape))
        else:
            parts.append(model.encode(some))
    return np.concatenate(parts).astype(np.float64)
