"""What can be done with codes: a vector for each attribute, ways between two codes, and codes from a mixture."""

import difflib
import warnings

import numpy as np
import pandas as pd

from gdl.errors import CourseError


def attribute_vector(model, images, attribute, balanced=False):
    """What has to be added to a code so that the face gets an attribute: see `code_vector`. -> (z_dim,) float32

    images: a split, with its attributes. Raises CourseError for a model without an encoder.
    """
    return code_vector(_codes(model, images), images.attributes, attribute, balanced)


def attribute_vectors(model, images, balanced=False):
    """The vectors of all attributes that some of the images have and some have not. -> DataFrame as from `code_vectors`

    images: a split, with its attributes; they are encoded once. Raises CourseError for a model without an encoder.
    """
    return code_vectors(_codes(model, images), images.attributes, balanced)


def code_vectors(z, attributes, balanced=False):
    """`code_vector` for all attributes that some of the codes have and some have not, one row an attribute, float32."""
    varied = attributes.loc[:, [0 < attributes[name].mean() < 1 for name in attributes.columns]]
    if balanced:
        return pd.DataFrame(_least_squares(np.asarray(z, np.float64), varied.to_numpy(bool)), varied.columns, dtype=np.float32)
    return pd.DataFrame({name: code_vector(z, attributes, name) for name in varied.columns}).T


def code_vector(z, attributes, attribute, balanced=False):
    """Mean code with the attribute less mean code without it. Larsen et al. 2016. -> (z_dim,) float32

    z: codes, (n, z_dim).  attributes: DataFrame of bool, n rows.  attribute: the name of one of its columns.
    balanced: takes out what goes along with the other attributes. The plain difference compares two groups that differ
        in other things too; where smiles come with lipstick, it holds some lipstick. The balanced vector is the
        coefficient of this attribute where the codes are explained by all attributes at once,
            z = constant + sum over attributes of (has it) * (its vector) + rest,
        with the least squares of the rest: the difference between faces that agree in all other attributes. What no
        column names stays in it, and what is part of the attribute but has a column of its own goes out of it.
        Columns that say the same, or the opposite, cannot be told apart and count as one. Where several others together
        determine one, as a colour of hair follows from all other colours, there are many solutions, and this is the one
        with the smallest coefficients: each colour is compared with the mean of all.
    Raises CourseError for an unknown attribute, and for one that all or none of the codes have.
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


def _least_squares(z, table):
    """What each attribute adds to the codes when all are considered. (n, z_dim), (n, attributes) bool -> (attributes, z_dim)"""
    opposite = table[0]
    columns, which = np.unique(table ^ opposite, axis=1, return_inverse=True)  # what says the same, or the opposite, once
    x = columns - columns.mean(axis=0)  # both centred: no constant is needed
    coefficients, *_ = np.linalg.lstsq(x, z - z.mean(axis=0), rcond=1e-9)  # the smallest, where there are many
    return coefficients[which.reshape(-1)] * np.where(opposite, -1, 1)[:, None]


def lerp(z_1, z_2, t):
    """Codes on the straight line from z_1 to z_2. z_1, z_2: (z_dim,), t: numbers, 0 is z_1, 1 is z_2 -> (len(t), z_dim) float32

    Between two random codes the line passes nearer to 0 than such codes ever lie; `slerp` keeps the length.
    """
    z_1, z_2, t = _ends(z_1, z_2, t)
    return ((1 - t) * z_1 + t * z_2).astype(np.float32)


def slerp(z_1, z_2, t):
    """Codes on the arc from z_1 to z_2 around 0. Shoemake 1985; White 2016. As in `lerp`

    The direction turns with constant speed in the plane of the two codes, by the smaller angle. The length goes from
    that of z_1 to that of z_2 in a straight line; where both are equal, it stays. From a code to its opposite many
    arcs lead, and one is taken. 0 has no direction: the way from it or to it is straight.
    """
    z_1, z_2, t = _ends(z_1, z_2, t)
    lengths = np.linalg.norm(z_1), np.linalg.norm(z_2)
    if not all(lengths):
        return lerp(z_1, z_2, t[:, 0])
    first, second = z_1 / lengths[0], z_2 / lengths[1]
    cosine = first @ second
    across = second - cosine * first  # the part of the second direction at a right angle to the first
    sine = np.linalg.norm(across)
    if sine < 1e-9:  # parallel or opposite: any other axis, made rectangular
        axis = np.argmin(np.abs(first))
        across = -first[axis] * first
        across[axis] += 1
        cosine, sine = np.sign(cosine), 0.0
    across -= (across @ first) * first
    across /= max(np.linalg.norm(across), 1e-300)
    angle = t * np.arctan2(sine, cosine)  # (len(t), 1)
    codes = ((1 - t) * lengths[0] + t * lengths[1]) * (np.cos(angle) * first + np.sin(angle) * across)
    return np.where(t == 0, z_1, np.where(t == 1, z_2, codes)).astype(np.float32)


def _ends(z_1, z_2, t):
    z_1, z_2 = np.asarray(z_1, np.float64), np.asarray(z_2, np.float64)
    if z_1.ndim != 1 or z_1.shape != z_2.shape:
        raise CourseError(f"The ends are two codes of shape (z_dim,), such as z[0] and z[1]; these have shapes {z_1.shape} and {z_2.shape}.")
    return z_1, z_2, np.atleast_1d(np.asarray(t, np.float64))[:, None]


def _codes(model, split):
    if not hasattr(split, "attributes"):
        raise CourseError("An attribute's vector needs images whose attributes are known: give a split, such as faces.train.")
    return model.encode(split.images)


def _column(attributes, name):
    """A column as (n,) bool, or CourseError with the names that are near."""
    if name not in attributes.columns:
        near = difflib.get_close_matches(str(name), attributes.columns, n=3, cutoff=0.5)
        known = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(attributes.columns) or 'none'}."
        raise CourseError(f"{name!r} is not an attribute of these images: {known}")
    return attributes[name].to_numpy(bool)


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
