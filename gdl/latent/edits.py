"""Does an edit of a code change the attribute that it should, and no other? An attribute classifier judges the edited images."""

import numpy as np
import pandas as pd

from gdl.arguments import real_numbers
from gdl.data.pixels import to_uint8
from gdl.errors import CourseError
from gdl.latent.vectors import check_vectors, strength
from gdl.models.base import DecoderModel, check_decoder
from gdl.models.classifier import AttributeClassifier, check_classifier


def flips(model: DecoderModel, classifier: AttributeClassifier, z: np.ndarray, vectors: pd.DataFrame, alpha: float | pd.Series = 1.0) -> pd.DataFrame:
    """How often z + alpha * vector gives a face the attribute, and what else it changes. -> DataFrame, one row per vector

    classifier: for images of the model's size.
    z: codes, (n, z_dim), of images that the model was not trained on; for a GAN, random codes.
    vectors: DataFrame, one row per attribute, as from `gdl.latent.attribute_vectors`.
    alpha: the factor of the vector; a number, or a Series with one for each attribute.
    A face has an attribute if the classifier gives the decoded image a probability above 1/2. Each face is edited once
    for each attribute: z + alpha * vector if it lacks the attribute, z - alpha * vector if it has it. The columns:
        without     number of faces that lack the attribute before the edit
        gains       share of those that have it afterwards (NaN if there are none)
        with        number of faces that have the attribute before the edit
        loses       share of those that lack it afterwards (NaN if there are none)
        own         mean change of the attribute's probability, in the direction of the edit
        others      mean absolute change of the probabilities of all other attributes; 0 if the edit changes none of them
        most moved  the other attribute with the largest mean change in the direction of the vector
        by          that change, from -1 to 1: with +0.2, faces that are given the attribute gain 0.2 of the other one too
    At the same alpha a longer vector flips more faces and changes more of the others. Compare two kinds of vectors at the
    alphas at which they flip the same share of faces.
    Raises CourseError for a vector of an attribute that the classifier does not know.

    >>> flips(vae, classifier, vae.encode(faces.val.images), vectors)[["gains", "others"]]  # doctest: +SKIP
    """
    if not hasattr(model, "decode"):
        check_decoder(model)
    check_classifier(classifier)
    z = real_numbers("z", z, "n", "z_dim").astype(np.float32)
    vectors = check_vectors(vectors, (), z.shape[1])
    factors = {name: strength(alpha, name) for name in vectors.index}
    before = _probabilities(model, classifier, z)
    unknown = [name for name in vectors.index if name not in before]
    if unknown:
        raise CourseError(f"The classifier does not know {', '.join(unknown)}: leave these vectors out; it knows {', '.join(before)}.")
    rows = {}
    for name in vectors.index:
        has = before[name].to_numpy() > 0.5
        sign = np.where(has, -1, 1)[:, None]  # (n, 1)
        after = _probabilities(model, classifier, z + sign * factors[name] * vectors.loc[name].to_numpy(np.float32))
        flipped = (after[name].to_numpy() > 0.5) != has
        moves = (after - before) * sign  # in the direction of the vector
        others = moves.drop(columns=name)
        mean = others.mean()
        most = mean.abs().idxmax() if len(mean) else ""
        rows[name] = {
            "without": int((~has).sum()), "gains": flipped[~has].mean() if not has.all() else np.nan,
            "with": int(has.sum()), "loses": flipped[has].mean() if has.any() else np.nan,
            "own": moves[name].mean(), "others": others.abs().to_numpy().mean() if len(mean) else np.nan,
            "most moved": most, "by": mean[most] if most else np.nan,
        }  # fmt: skip
    return pd.DataFrame.from_dict(rows, orient="index")


def _probabilities(model, classifier, z):
    """The probabilities that the classifier gives to decoded codes, as a DataFrame."""
    return classifier.predict_attributes(to_uint8(model.decode(z), model.architecture.pixel_range))
