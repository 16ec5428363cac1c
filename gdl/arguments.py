"""The checks of plain arguments: numbers, whole numbers, switches."""

import math
from numbers import Integral, Real

from gdl.errors import CourseError


def number(name, value, least=0, kind=Real):
    """An option as a float, whatever library it is a number of; CourseError if it is none, or is less than `least`."""
    if isinstance(value, bool) or not isinstance(value, kind) or not least <= value < math.inf:
        raise CourseError(f"{name} is {value!r}: give a {'whole ' if kind is Integral else ''}number, at least {least}.")
    return float(value)


def whole_number(name, value, least=1):
    """The same as an int, without a fraction."""
    return int(number(name, value, least, Integral))


def whole_numbers(name, values):
    """The same for several, as a tuple."""
    try:
        return tuple(whole_number(name, value) for value in values)
    except (TypeError, CourseError):
        raise CourseError(f"{name} is {values!r}: give a tuple of whole numbers, each at least 1.") from None


def true_or_false(name, value):
    """An option as a bool; CourseError if it is anything else than True, False, 1 or 0."""
    if isinstance(value, str) or value not in (True, False):
        raise CourseError(f"{name} is {value!r}: give True or False.")
    return bool(value)
