"""Paths between two codes: a straight line and an arc."""

import numpy as np
from numpy.typing import ArrayLike

from gdl.arguments import real_numbers
from gdl.errors import CourseError


def lerp(z_1: np.ndarray, z_2: np.ndarray, t: ArrayLike) -> np.ndarray:
    """Codes on the straight line from z_1 to z_2. z_1, z_2: (z_dim,), t: numbers, 0 is z_1, 1 is z_2 -> (len(t), z_dim) float32

    In many dimensions, the line between two random codes passes closer to 0 than random codes are; `slerp` keeps the length.
    Raises CourseError for ends that are not two codes of the same length, and for t that is not numbers.

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
    if np.shape(z_1) != np.shape(z_2) or np.ndim(z_1) != 1:
        raise CourseError(f"The ends are two codes of shape (z_dim,), such as z[0] and z[1]; these have shapes {np.shape(z_1)} and {np.shape(z_2)}.")
    fraction = real_numbers("t", [t] if np.ndim(t) == 0 else t, "number of codes")
    return real_numbers("z_1", z_1, "z_dim"), real_numbers("z_2", z_2, "z_dim"), fraction[:, None]
