"""Edits compared with the truth, which is known for drawn faces: the same face with an attribute and without.

A face can be drawn again with one factor changed. Photographs have no such counterpart; there, a classifier judges.
"""

from typing import Any

import numpy as np
import pandas as pd

from gdl.arguments import whole_number
from gdl.data.splits import Split
from gdl.drawn import attributes, draw
from gdl.drawn.labels import AMOUNTS
from gdl.errors import CourseError
from gdl.latent.vectors import check_vectors, strength
from gdl.models.base import EncoderDecoderModel, check_encoder

Pairs = dict[str, tuple[np.ndarray, np.ndarray]]  # from an attribute to the images without it and with it

# attribute -> the factor and the value that give it; a necklace and a necktie are below the square image
CHANGES: dict[str, tuple[str, Any]] = {name: (factor, 0.8) for name, factor in AMOUNTS.items()} | {
    "Bald": ("bald", True),
    "Bangs": ("bangs", 0.8),
    "Black_Hair": ("hair_colour", "black"),
    "Blond_Hair": ("hair_colour", "blond"),
    "Brown_Hair": ("hair_colour", "brown"),
    "Eyeglasses": ("glasses", True),
    "Gray_Hair": ("hair_colour", "gray"),
    "Pale_Skin": ("skin_tone", 0.03),
    "Receding_Hairline": ("receding", 0.8),
    "Straight_Hair": ("hair_wave", 0.06),
    "Wavy_Hair": ("hair_wave", 0.8),
    "Wearing_Earrings": ("earrings", True),
    "Wearing_Hat": ("hat", "cap"),
    "Young": ("age", 0.2),
}


def pairs(split: Split, attribute: str, n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Drawn faces without an attribute, and the same faces drawn with it: one factor is changed.

    split: of drawn faces.  n: the largest number of faces; the first of the split are taken.
    -> two arrays, uint8 (m, size, size, 3).
    Raises CourseError for photographs, and for an attribute that no single factor gives, such as No_Beard.

    >>> import gdl
    >>> without, with_it = pairs(gdl.DrawnFaces(n=40, size=32).train, "Eyeglasses", n=5)
    >>> without.shape, with_it.shape
    ((5, 32, 32, 3), (5, 32, 32, 3))
    """
    if not isinstance(split, Split) or split.factors is None:
        raise CourseError("Only drawn faces can be drawn again with one factor changed: give a split of gdl.DrawnFaces.")
    if not isinstance(attribute, str) or attribute not in CHANGES:
        raise CourseError(f"No single factor of a drawn face gives {attribute!r}: choose from {', '.join(sorted(CHANGES))}.")
    factor, value = CHANGES[attribute]
    changed = split.factors.copy()
    changed[factor] = value
    gets = ~split.attributes[attribute] & attributes(changed)[attribute]  # not for bangs that a hat covers
    chosen = np.flatnonzero(gets)[: whole_number("n", n)]
    drawn = [draw(row, split.images.shape[1]) for row in changed.iloc[chosen].to_dict("records")]  # type: ignore[arg-type]
    if not drawn:
        raise CourseError(f"None of these {len(split)} faces can be given {attribute}: give a larger split.")
    return np.asarray(split.images[chosen]), np.stack(drawn)


def true_vectors(model: EncoderDecoderModel, drawn: Pairs) -> pd.DataFrame:
    """Mean code of the faces with the attribute minus that of the same faces without it. -> DataFrame (attribute x z_dim) float32

    drawn: dict from an attribute to its `pairs`.

    >>> true_vectors(vae, {"Eyeglasses": pairs(faces.test, "Eyeglasses")})  # doctest: +SKIP
    """
    check_pairs(model, drawn)
    return pd.DataFrame({name: model.encode(after).mean(0) - model.encode(before).mean(0) for name, (before, after) in drawn.items()}).T


def against_truth(model: EncoderDecoderModel, drawn: Pairs, vectors: pd.DataFrame, alpha: float | pd.Series = 1.0) -> pd.DataFrame:
    """Vectors and their edits compared with faces that are drawn with the attribute. -> DataFrame, one row per attribute

    drawn: dict from an attribute to its `pairs`, of faces that the model was not trained on.
    vectors: DataFrame with a row for each of them, as from `gdl.latent.attribute_vectors`.
    alpha: a number, or a Series with one for each attribute.
    A face without the attribute is edited, z + alpha * vector. The goal is the reconstruction of the same face drawn with
    the attribute. Errors are squared, summed over an image's pixels in [0, 1], and averaged over the faces. The columns:
        cosine  between the vector and that of `true_vectors`
        before  error of the unedited reconstruction: how much the edit has to change
        after   error of the edited image: the edit helps if it is less than `before`
        along   how far the edit moves towards the goal: 0 not at all, 1 all the way, more than 1 too far
        beside  the part of `after` in other directions: what the edit changes and should not
        gains   share of the faces whose edited image is nearer to the goal than to the unedited reconstruction
    after = before * (1 - along)**2 + beside. Where the model does not show the attribute at all, `before` is nearly 0.

    >>> against_truth(vae, {"Eyeglasses": pairs(faces.test, "Eyeglasses")}, vectors)  # doctest: +SKIP
    """
    check_pairs(model, drawn)
    factors = {name: strength(alpha, name) for name in drawn}
    true, rows = true_vectors(model, drawn), {}
    vectors = check_vectors(vectors, drawn, true.shape[1])
    for name, (without, with_it) in drawn.items():
        vector, truth = vectors.loc[name].to_numpy(np.float32), true.loc[name].to_numpy()
        z = model.encode(without)
        start, goal, edited = (
            np.asarray(model.unit_range(model.decode(codes))).reshape(len(z), -1).astype(np.float64)  # (m, pixels)
            for codes in (z, model.encode(with_it), z + factors[name] * vector)
        )
        wanted, done = goal - start, edited - start
        along = np.sum(done * wanted) / np.sum(wanted**2)
        after, moved = np.sum((edited - goal) ** 2, axis=1), np.sum(done**2, axis=1)  # (m,)
        rows[name] = {
            "cosine": vector @ truth / (np.linalg.norm(vector) * np.linalg.norm(truth)),
            "before": np.sum(wanted**2) / len(z),
            "after": after.mean(),
            "along": along,
            "beside": np.sum((done - along * wanted) ** 2) / len(z),
            "gains": (after < moved).mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def check_pairs(model: EncoderDecoderModel, drawn: Pairs) -> None:
    """CourseError unless the model gives codes of images, and there are as many images with each attribute as without it."""
    if not hasattr(model, "encode"):
        check_encoder(model)
    if not isinstance(drawn, dict) or not drawn or not all(isinstance(pair, tuple) and len(pair) == 2 for pair in drawn.values()):
        raise CourseError("drawn is a dict from an attribute to two arrays of images: give the results of pairs, at least one.")
    for name, (without, with_it) in drawn.items():
        if np.shape(without) != np.shape(with_it) or not np.size(without):
            shapes = f"{np.shape(without)} and {np.shape(with_it)}"
            raise CourseError(f"{name}: give as many images with it as without, of one size; the shapes are {shapes}.")
