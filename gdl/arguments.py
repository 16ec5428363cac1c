"""The checks of plain arguments: numbers, whole numbers, switches, words."""

import difflib
import math
from collections.abc import Hashable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from gdl.errors import CourseError


def number(name: str, value: Any, least: float = 0) -> float:
    """The value as a float; CourseError unless it is a finite number, at least `least`. NumPy's numbers are accepted.

    >>> number("beta", 2)
    2.0
    """
    real = isinstance(value, Real) and not isinstance(value, bool)
    if not (real and least <= value < math.inf):
        raise CourseError(f"{name} is {value!r}: give a number, at least {least}.")
    return float(value)


def whole_number(name: str, value: Any, least: int = 1) -> int:
    """The value as an int; CourseError unless it is a whole number, at least `least`. NumPy's numbers are accepted.

    >>> whole_number("seed", 0, least=0)
    0
    """
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise CourseError(f"{name} is {value!r}: give a whole number, at least {least}.")
    return int(value)


def whole_numbers(name: str, values: Iterable) -> tuple[int, ...]:
    """The values as a tuple of ints; CourseError unless each is a whole number, at least 1.

    >>> whole_numbers("filters", [32, 64])
    (32, 64)
    """
    try:
        if isinstance(values, (set, frozenset, Mapping, bytes)):
            raise TypeError
        return tuple(whole_number(name, value) for value in values)
    except (TypeError, CourseError):
        raise CourseError(f"{name} is {values!r}: give a tuple of whole numbers, each at least 1.") from None


def true_or_false(name: str, value: Any) -> bool:
    """The value as a bool; CourseError unless it is True, False, 1 or 0.

    >>> true_or_false("flip", 1)
    True
    """
    if not isinstance(value, Hashable) or isinstance(value, str) or value not in (True, False):
        raise CourseError(f"{name} is {value!r}: give True or False.")
    return bool(value)


def is_real(dtype: np.dtype) -> bool:
    """Whether arrays of this dtype hold real numbers, also those of bfloat16, which NumPy does not count among its own floats.

    >>> is_real(np.dtype(bool)), is_real(np.dtype(complex))
    (True, False)
    """
    return dtype.kind in "biuf" or dtype.name == "bfloat16"


def real_numbers(name: str, value: Any, *sides: str) -> np.ndarray:
    """The value as a float64 array; CourseError unless it holds finite real numbers, with a side for each of the names.

    >>> real_numbers("z", [[1, 2], [3, 4]], "n", "z_dim").shape
    (2, 2)
    """
    shape = f"({', '.join(sides)}{',' * (len(sides) == 1)})"
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # rows of different lengths
        raise CourseError(f"{name} is no array of shape {shape}: give rows of equal length.") from None
    if array.ndim != len(sides) or not is_real(array.dtype):
        raise CourseError(f"{name} is an array of real numbers of shape {shape}; this is of dtype {array.dtype} and shape {array.shape}.")
    array = array.astype(np.float64, copy=False)
    if not np.isfinite(array).all():
        raise CourseError(f"{name} has numbers that are NaN or infinite: look where they come from, and leave them out.")
    return array


def choice(name: str, value: Any, known: Iterable) -> Any:
    """The value if it is one of those that are known, else CourseError.

    >>> choice("upsampling", "resize", ("transpose", "resize"))
    'resize'
    """
    known = list(known)
    if isinstance(value, Hashable) and value in known:
        return value
    last = f" or {known[-1]!r}" if len(known) > 1 else ""
    listed = ", ".join(map(repr, known[:-1] or known))
    raise CourseError(f"{name}={value!r} is not known: choose {listed}{last}{did_you_mean(value, known)}.")


def several_choices(name: str, values: Any, known: Iterable) -> tuple:
    """A tuple of names of which each is in `known` and none is there twice; one name alone will do.

    >>> several_choices("augment", ["colour", "cutout"], ["colour", "translation", "cutout"])
    ('colour', 'cutout')
    """
    values = (values,) if isinstance(values, str) or not isinstance(values, Iterable) else tuple(values)
    for value in values:
        choice(name, value, known)
    if len(set(values)) < len(values):
        raise CourseError(f"{name} is {values!r}: give each name once.")
    return values


def did_you_mean(value: Any, known: Iterable) -> str:
    """The end of a sentence that names what was probably meant, or nothing.

    >>> did_you_mean("trasnpose", ("transpose", "resize"))
    " (did you mean 'transpose'?)"
    """
    close = difflib.get_close_matches(value, [word for word in known if isinstance(word, str)], 1) if isinstance(value, str) else []
    return f" (did you mean {close[0]!r}?)" if close else ""
