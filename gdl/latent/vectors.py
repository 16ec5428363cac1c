"""A vector for each attribute, which is added to a code to give the face the attribute."""

import difflib
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from gdl.arguments import number, real_numbers, true_or_false
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.models.base import EncoderDecoderModel, check_encoder


def attribute_vector(model: EncoderDecoderModel, images: Split, attribute: str, balanced: bool = False) -> np.ndarray:
    """The vector that is added to a code to give the face an attribute: see `code_vector`. -> (z_dim,) float32

    images: a split, with its attributes.
    Raises CourseError as `code_vector`, and for a model without an encoder.

    >>> import gdl
    >>> vae, faces = gdl.VAE(image_size=32, z_dim=4, filters=(4, 8)), gdl.DrawnFaces(n=40, size=32)
    >>> attribute_vector(vae, faces.train, "Smiling").shape
    (4,)
    """
    _check_split(model, images, balanced)
    _column(images.attributes, attribute)  # before the images are encoded
    return code_vector(model.encode(images.images), images.attributes, attribute, balanced)


def attribute_vectors(model: EncoderDecoderModel, images: Split, balanced: bool = False) -> pd.DataFrame:
    """The vectors of all attributes that some of the images have and others lack. -> DataFrame as from `code_vectors`

    images: a split, with its attributes; they are encoded once. Raises CourseError for a model without an encoder.

    >>> attribute_vectors(vae, faces.train, balanced=True).loc["Smiling"]  # doctest: +SKIP
    """
    _check_split(model, images, balanced)
    return code_vectors(model.encode(images.images), images.attributes, balanced)


def code_vectors(z: np.ndarray, attributes: pd.DataFrame, balanced: bool = False) -> pd.DataFrame:
    """`code_vector` for all attributes that some of the codes have and others lack: one row per attribute, float32.

    >>> people = pd.DataFrame({"Smiling": [True, True, False], "Human": [True, True, True]})
    >>> code_vectors([[3, 1], [5, 1], [1, 0]], people)
               0    1
    Smiling  3.0  1.0
    """
    check_table(attributes)
    z = check_codes(z, len(attributes))
    table = pd.DataFrame({name: _column(attributes, name) for name in attributes.columns})
    varied = table.loc[:, table.any() & ~table.all()]
    if varied.empty:
        raise CourseError("No attribute is present in some of these images and absent in others: give more images, or other attributes.")
    if true_or_false("balanced", balanced):
        return pd.DataFrame(least_squares_vectors(z, varied.to_numpy()), varied.columns, dtype=np.float32)
    return pd.DataFrame({name: code_vector(z, varied, name) for name in varied.columns}).T


def code_vector(z: np.ndarray, attributes: pd.DataFrame, attribute: str, balanced: bool = False) -> np.ndarray:
    """Mean code with the attribute minus mean code without it. Larsen et al. 2016. -> (z_dim,) float32

    z: codes, (n, z_dim).  attributes: DataFrame of bool, n rows.  attribute: the name of one of its columns.
    balanced: controls for the other attributes. The plain difference compares two groups that may differ in other
        attributes too; where smiles are correlated with lipstick, it contains some lipstick. The balanced vector is the
        coefficient of this attribute in a linear regression of the codes on all attributes,
            z = constant + sum over attributes of (has it) * (its vector) + residual,
        with the least squares of the residual: the difference between faces that agree in all other attributes. It still
        contains whatever is correlated with the attribute and has no column of its own.
        Equal columns and opposite columns count as one. Where other columns determine one, as a colour of hair follows
        from all other colours, there are many solutions. This is the one with the smallest coefficients: each colour is
        compared with the mean of all.
    Raises CourseError for codes and attributes that are none, or of different images; for an unknown attribute, and for one that
    all or none of the codes have.

    >>> people = pd.DataFrame({"Smiling": [True, True, False]})
    >>> code_vector([[3, 1], [5, 1], [1, 0]], people, "Smiling").tolist()
    [3.0, 1.0]
    """
    has = _column(attributes, attribute)  # (n,) bool
    balanced = true_or_false("balanced", balanced)
    z = check_codes(z, len(has))
    if has.all() or not has.any():
        raise CourseError(
            f"{'All' if has.all() else 'None'} of the {len(has)} images have {attribute}: a vector needs some with it and some without."
        )
    if not balanced:
        return (z[has].mean(axis=0) - z[~has].mean(axis=0)).astype(np.float32)
    return code_vectors(z, attributes, balanced=True).loc[attribute].to_numpy()


def least_squares_vectors(z: np.ndarray, table: np.ndarray) -> np.ndarray:
    """The coefficients of a linear regression of codes on attributes. (n, z_dim), (n, attributes) bool -> (attributes, z_dim)"""
    z, table = check_codes(z, len(table)), _present("table", table)
    opposite = table[0]
    columns, which = np.unique(table ^ opposite, axis=1, return_inverse=True)  # equal or opposite columns count once
    x = columns - columns.mean(axis=0)  # both sides are centred, so no constant is needed
    coefficients, *_ = np.linalg.lstsq(x, z - z.mean(axis=0), rcond=1e-9)  # the smallest of all solutions
    return coefficients[which.reshape(-1)] * np.where(opposite, -1, 1)[:, None]


def check_codes(z: Any, n: int) -> np.ndarray:
    """Codes as float64, (n, z_dim); CourseError unless they are codes of n images."""
    z = real_numbers("z", z, "n", "z_dim")
    if len(z) != n:
        raise CourseError(f"There are {len(z)} codes and attributes of {n} images: give the attributes of the same images, in the same order.")
    return z


def check_vectors(vectors: Any, names: Any, z_dim: int) -> pd.DataFrame:
    """The vectors of some attributes as float64; CourseError unless there is one of z_dim finite numbers for each."""
    if not isinstance(vectors, pd.DataFrame):
        raise CourseError(f"vectors is {type(vectors).__name__}: give a DataFrame as from gdl.latent.attribute_vectors.")
    if missing := [str(name) for name in names if name not in vectors.index]:
        raise CourseError(f"There is no vector for {', '.join(missing)}: add one, or leave the attribute out.")
    numbers = real_numbers("vectors", vectors, "attributes", "z_dim")
    if numbers.shape[1] != z_dim or not vectors.index.is_unique:
        raise CourseError(
            f"The codes have {z_dim} dimensions: give one vector of {z_dim} numbers for each attribute; these have shape {vectors.shape}."
        )
    return pd.DataFrame(numbers, vectors.index)


def strength(alpha: Any, name: str) -> float:
    """The factor of one attribute's vector, from a number or from a Series; CourseError if there is none."""
    if isinstance(alpha, pd.Series):
        if name not in alpha.index:
            raise CourseError(f"alpha has no number for {name}: give one number, or a Series with one for each attribute.")
        alpha = alpha[name]
    return number(f"alpha of {name}", alpha, least=-np.finfo(float).max)


def check_table(attributes: Any) -> None:
    """CourseError unless the attributes are a DataFrame whose columns have names of their own."""
    if not isinstance(attributes, pd.DataFrame) or not attributes.columns.is_unique:
        raise CourseError("attributes is a DataFrame with a row for each image and a column for each attribute: give faces.train.attributes.")


def _check_split(model, split, balanced):
    if not isinstance(split, Split):
        raise CourseError("The vector of an attribute needs images whose attributes are known: give a split, such as faces.train.")
    check_encoder(model)
    true_or_false("balanced", balanced)


def _column(attributes, name):
    """A column as (n,) bool; CourseError with similar names if there is none."""
    check_table(attributes)
    if not isinstance(name, Hashable) or name not in attributes.columns:
        near = difflib.get_close_matches(str(name), map(str, attributes.columns), n=3, cutoff=0.5)
        known = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(map(str, attributes.columns)) or 'none'}."
        raise CourseError(f"{name!r} is not an attribute of these images: {known}")
    return _present(name, attributes[name])


def _present(name, values):
    """Values as bool; CourseError unless each is True, False, 1 or 0."""
    values = np.asarray(values)
    if values.dtype != bool and not np.all((values == 0) | (values == 1)):
        raise CourseError(f"{name} has values other than True and False: where 1 is present and -1 is absent, give attributes > 0.")
    return values.astype(bool)
