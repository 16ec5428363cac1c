"""What the metrics share: the checks of features, and a progress bar.

Features are arrays of shape (n, d), one row for each image, computed by any network.
"""

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np
from tqdm import tqdm

from gdl.errors import CourseError

FEWEST = 4  # images whose scores can be computed: precision and recall look at the third nearest other image of each


def check_features(features: np.ndarray) -> np.ndarray:
    """Features as float64, (n, d); CourseError if there are fewer than 2 rows, or numbers that are not finite."""
    features = as_floats(features)
    if features.ndim != 2 or len(features) < 2 or not features.shape[1]:
        raise CourseError(f"Give features of at least 2 images, of shape (n, d); these have shape {features.shape}.")
    if not np.isfinite(features).all():
        raise CourseError("Features are NaN or infinite, because the model has diverged: train it again with a lower learning rate.")
    return features


def as_floats(values: Any) -> np.ndarray:
    """The values as float64, of any shape; CourseError unless they are real numbers."""
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "biuf":
            raise ValueError
        return array.astype(np.float64, copy=False)
    except (TypeError, ValueError):
        raise CourseError(f"Give an array of real numbers, such as gdl.metrics.features(images); this is {type(values).__name__}.") from None


def check_pair(features_1: np.ndarray, features_2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both sets of features as float64; CourseError also if their numbers of features differ."""
    first, second = check_features(features_1), check_features(features_2)
    if first.shape[1] != second.shape[1]:
        raise CourseError(f"One set has {first.shape[1]} features per image and the other {second.shape[1]}: take both from the same network.")
    return first, second


def progress(steps: Iterable, what: str, unit: str = "it") -> tqdm:
    """The steps, with a progress bar if they take more than five seconds. It goes to standard output, as notebooks show standard error in red."""
    return tqdm(steps, desc=what, unit=unit, file=sys.stdout, leave=False, delay=5)
