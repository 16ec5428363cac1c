"""The checks of plain arguments: numbers, and whole numbers."""

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


def check_training(epochs, batch_size, steps_per_epoch, halve_every, patience, seed, learning_rate):
    """The numbers of `gdl.train` in this order, as Python's; CourseError for one that is not possible."""
    return (
        whole_number("epochs", epochs),
        whole_number("batch_size", batch_size),
        None if steps_per_epoch is None else whole_number("steps_per_epoch", steps_per_epoch),
        None if halve_every is None else whole_number("halve_every", halve_every, 0),
        None if patience is None else whole_number("patience", patience, 0),
        whole_number("seed", seed, 0),
        None if learning_rate is None else number("learning_rate", learning_rate),
    )
