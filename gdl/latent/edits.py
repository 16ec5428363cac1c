"""Does an edit of a code do what it should, and nothing else? An attribute classifier judges the edited images."""

import numpy as np
import pandas as pd

from gdl.data.pixels import to_uint8
from gdl.errors import CourseError


def flips(model, classifier, z, vectors, alpha=1.0):
    """How often z + alpha * vector gives a face the attribute, and what else it changes. -> DataFrame, one row a vector

    model: decodes.  classifier: a `gdl.AttributeClassifier` for images of the same size.
    z: codes, (n, z_dim), of images that the model was not trained on, or for a GAN random ones.
    vectors: DataFrame, one row an attribute, as from `gdl.latent.attribute_vectors`.
    alpha: how many vectors are added; a number, or a Series with one for each attribute.
    Whether a face has an attribute is what the classifier says of the decoded image, with 1/2 as the threshold. Each
    face is edited once for each attribute: it is given what it lacks, z + alpha * vector, or loses what it has,
    z - alpha * vector. The columns:
        without     faces that have not got the attribute before the edit
        gains       share of those that have it afterwards (NaN where there are none)
        with        faces that have it before
        loses       share of those that have not got it afterwards (NaN where there are none)
        own         mean change of the attribute's probability, in the direction of the edit
        others      mean absolute change of the probabilities of all other attributes: 0 is an edit that keeps to itself
        most moved  the other attribute with the largest mean change in the direction of the vector
        by          that change, from -1 to 1: +0.2 says that what is given the attribute gets 0.2 more of this one too
    At the same alpha a longer vector flips more and moves more; what compares two kinds of vectors is how much they move
    the others where they flip as many faces.
    Raises CourseError for a vector of an attribute that the classifier does not know.
    """
    z = np.asarray(z, np.float32)
    before = _judged(model, classifier, z)
    unknown = [name for name in vectors.index if name not in before]
    if unknown:
        raise CourseError(f"The classifier does not know {', '.join(unknown)}: leave these vectors out; it knows {', '.join(before)}.")
    rows = {}
    for name, vector in vectors.iterrows():
        strength = alpha[name] if isinstance(alpha, pd.Series) else alpha
        has = before[name].to_numpy() > 0.5
        sign = np.where(has, -1, 1)[:, None]  # (n, 1)
        after = _judged(model, classifier, z + sign * strength * vector.to_numpy(np.float32))
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


def _judged(model, classifier, z):
    """What the classifier says of decoded codes: DataFrame of probabilities."""
    return classifier.predict_attributes(to_uint8(model.decode(z), model.architecture.pixel_range))
