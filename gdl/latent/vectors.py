"""Arithmetic with codes: a vector for each attribute, paths between two codes, and codes from a mixture."""

import difflib
import warnings

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, check_encoder
from gdl.models.vae import VAE


def attribute_vector(model: EncoderDecoderModel, images: Split, attribute: str, balanced: bool = False) -> np.ndarray:
    """The vector that is added to a code to give the face an attribute: see `code_vector`. -> (z_dim,) float32

    images: a split, with its attributes.
    Raises CourseError as `code_vector`, and for a model without an encoder.

    >>> import gdl
    >>> vae, faces = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8)), gdl.DrawnFaces(n=40, size=32)
    >>> attribute_vector(vae, faces.train, "Smiling").shape
    (4,)
    """
    return code_vector(_codes(model, images), images.attributes, attribute, balanced)


def attribute_vectors(model: EncoderDecoderModel, images: Split, balanced: bool = False) -> pd.DataFrame:
    """The vectors of all attributes that some of the images have and others lack. -> DataFrame as from `code_vectors`

    images: a split, with its attributes; they are encoded once. Raises CourseError for a model without an encoder.

    >>> attribute_vectors(vae, faces.train, balanced=True).loc["Smiling"]  # doctest: +SKIP
    """
    return code_vectors(_codes(model, images), images.attributes, balanced)


def code_vectors(z: np.ndarray, attributes: pd.DataFrame, balanced: bool = False) -> pd.DataFrame:
    """`code_vector` for all attributes that some of the codes have and others lack: one row per attribute, float32.

    >>> people = pd.DataFrame({"Smiling": [True, True, False], "Human": [True, True, True]})
    >>> code_vectors([[3, 1], [5, 1], [1, 0]], people)
               0    1
    Smiling  3.0  1.0
    """
    varied = attributes.loc[:, [0 < attributes[name].mean() < 1 for name in attributes.columns]]
    if balanced:
        return pd.DataFrame(least_squares_vectors(np.asarray(z, np.float64), varied.to_numpy(bool)), varied.columns, dtype=np.float32)
    return pd.DataFrame({name: code_vector(z, attributes, name) for name in varied.columns}).T


def code_vector(z: np.ndarray, attributes: pd.DataFrame, attribute: str, balanced: bool = False) -> np.ndarray:
    """Mean code with the attribute less mean code without it. Larsen et al. 2016. -> (z_dim,) float32

    z: codes, (n, z_dim).  attributes: DataFrame of bool, n rows.  attribute: the name of one of its columns.
    balanced: controls for the other attributes. The plain difference compares two groups that may differ in other
        attributes too; where smiles are correlated with lipstick, it contains some lipstick. The balanced vector is the
        coefficient of this attribute in a linear regression of the codes on all attributes,
            z = constant + sum over attributes of (has it) * (its vector) + residual,
        with the least squares of the residual: the difference between faces that agree in all other attributes. It still
        contains what is correlated with the attribute and has no column; it lacks what has a column of its own.
        Equal columns and opposite columns count as one. Where other columns determine one, as a colour of hair follows
        from all other colours, there are many solutions. This is the one with the smallest coefficients: each colour is
        compared with the mean of all.
    Raises CourseError for an unknown attribute, and for one that all or none of the codes have.

    >>> people = pd.DataFrame({"Smiling": [True, True, False]})
    >>> code_vector([[3, 1], [5, 1], [1, 0]], people, "Smiling").tolist()
    [3.0, 1.0]
    """
    z, has = np.asarray(z, np.float64), _column(attributes, attribute)
    if len(z) != len(has):
        raise CourseError(f"There are {len(z)} codes and attributes of {len(has)} images: give the attributes of the same images, in the same order.")
    if has.all() or not has.any():
        raise CourseError(
            f"{'All' if has.all() else 'None'} of the {len(has)} images have {attribute}: a vector needs some with it and some without."
        )
    if not balanced:
        return (z[has].mean(axis=0) - z[~has].mean(axis=0)).astype(np.float32)
    return code_vectors(z, attributes, balanced=True).loc[attribute].to_numpy()


def least_squares_vectors(z: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The coefficients of a linear regression of codes on attributes. (n, z_dim), (n, attributes) bool -> (attributes, z_dim)"""
    opposite = table[0]
    columns, which = np.unique(table ^ opposite, axis=1, return_inverse=True)  # equal and opposite columns once
    x = columns - columns.mean(axis=0)  # both sides are centred: no constant is needed
    coefficients, *_ = np.linalg.lstsq(x, z - z.mean(axis=0), rcond=1e-9)  # the smallest, where there are many
    return coefficients[which.reshape(-1)] * np.where(opposite, -1, 1)[:, None]


def lerp(z_1: np.ndarray, z_2: np.ndarray, t: ArrayLike) -> np.ndarray:
    """Codes on the straight line from z_1 to z_2. z_1, z_2: (z_dim,), t: numbers, 0 is z_1, 1 is z_2 -> (len(t), z_dim) float32

    Between two random codes of many dimensions, the line passes nearer to 0 than random codes lie; `slerp` keeps the length.
    Raises CourseError for ends that are not two codes of the same length.

    >>> lerp([0, 0], [2, 4], [0, 0.5, 1]).tolist()
    [[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]]
    """
    z_1, z_2, fraction = _ends(z_1, z_2, t)  # (z_dim,) twice, (len(t), 1)
    return ((1 - fraction) * z_1 + fraction * z_2).astype(np.float32)


def slerp(z_1: np.ndarray, z_2: np.ndarray, t: ArrayLike) -> np.ndarray:
    """Codes on the arc from z_1 to z_2 around 0. Shoemake 1985; White 2016. Arguments and errors as in `lerp`

    The direction rotates at constant speed in the plane of the two codes, by the smaller angle. The length changes
    linearly from that of z_1 to that of z_2. Between opposite codes there are many arcs, and one of them is taken.
    0 has no direction: the path from it or to it is straight.

    >>> np.linalg.norm(slerp([2, 0], [0, 2], [0, 0.5, 1]), axis=1).round(3).tolist()
    [2.0, 2.0, 2.0]
    """
    z_1, z_2, fraction = _ends(z_1, z_2, t)
    lengths = np.linalg.norm(z_1), np.linalg.norm(z_2)
    if not all(lengths):
        return lerp(z_1, z_2, t)
    first, second = z_1 / lengths[0], z_2 / lengths[1]
    cosine = first @ second
    across = second - cosine * first  # the part of the second direction that is orthogonal to the first
    sine = float(np.linalg.norm(across))
    if sine < 1e-9:  # parallel or opposite: any other axis, made orthogonal
        axis = np.argmin(np.abs(first))
        across = -first[axis] * first
        across[axis] += 1
        cosine, sine = np.sign(cosine), 0.0
    across -= (across @ first) * first
    across /= max(np.linalg.norm(across), 1e-300)
    angle = fraction * np.arctan2(sine, cosine)  # (len(t), 1)
    codes = ((1 - fraction) * lengths[0] + fraction * lengths[1]) * (np.cos(angle) * first + np.sin(angle) * across)
    return np.where(fraction == 0, z_1, np.where(fraction == 1, z_2, codes)).astype(np.float32)


def _ends(z_1, z_2, t):
    z_1, z_2 = np.asarray(z_1, np.float64), np.asarray(z_2, np.float64)
    if z_1.ndim != 1 or z_1.shape != z_2.shape:
        raise CourseError(f"The ends are two codes of shape (z_dim,), such as z[0] and z[1]; these have shapes {z_1.shape} and {z_2.shape}.")
    return z_1, z_2, np.atleast_1d(np.asarray(t, np.float64))[:, None]


def _codes(model, split):
    if not isinstance(split, Split):
        raise CourseError("The vector of an attribute needs images whose attributes are known: give a split, such as faces.train.")
    check_encoder(model)
    return model.encode(split.images)


def _column(attributes, name):
    """A column as (n,) bool; CourseError with similar names if there is none."""
    if name not in attributes.columns:
        near = difflib.get_close_matches(str(name), attributes.columns, n=3, cutoff=0.5)
        known = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(attributes.columns) or 'none'}."
        raise CourseError(f"{name!r} is not an attribute of these images: {known}")
    return attributes[name].to_numpy(bool)


def mixture_codes(model: EncoderDecoderModel, images: Split | np.ndarray, n: int, components: int = 10, seed: int = 0) -> np.ndarray:
    """n codes from a Gaussian mixture fitted to the codes of images. Ghosh et al. 2020. -> (n, z_dim) float32

    Their images usually look better than those of codes from the prior.
    model: a VAE, whose codes are sampled from the posteriors, one per image; or an autoencoder.
    images: the images that it was trained on, a split or (m, size, size, 3) as in `encode`.
    components: Gaussians in the mixture, each with its own covariance.
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
    rng = np.random.default_rng(seed)
    z = posterior_codes(model, images.images if isinstance(images, Split) else images, rng)
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
