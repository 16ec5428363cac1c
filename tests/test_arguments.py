"""The checks of plain arguments: which values they take, and what they say about others."""

import math

import numpy as np
import pytest

from gdl.arguments import number, true_or_false, whole_number, whole_numbers
from gdl.errors import CourseError


def test_numbers_of_python_and_numpy_become_pythons():
    for value in (2, 2.0, np.float32(2), np.int64(2)):
        assert number("beta", value) == 2.0 and type(number("beta", value)) is float
    for value in (7, np.int64(7), np.uint8(7)):
        assert whole_number("epochs", value) == 7 and type(whole_number("epochs", value)) is int
    assert whole_numbers("filters", np.array([32, 64])) == (32, 64)
    assert [true_or_false("flip", value) for value in (True, False, 1, 0, np.bool_(True))] == [True, False, True, False, True]


def test_a_large_whole_number_stays_exact():
    assert whole_number("seed", 2**60 + 1) == 2**60 + 1


@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "1", None, True, 1j, [1]])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(CourseError, match=r"^beta is .*: give a number, at least 0\.$"):
        number("beta", value)


@pytest.mark.parametrize("value", [0, 1.0, np.float64(2), "1", None, True, [1]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(CourseError, match=r"^epochs is .*: give a whole number, at least 1\.$"):
        whole_number("epochs", value)


@pytest.mark.parametrize("values", [32, (32, 0), (32, 2.5), "32"])
def test_several_whole_numbers_are_refused_together(values):
    with pytest.raises(CourseError, match=r"^filters is .*: give a tuple of whole numbers, each at least 1\.$"):
        whole_numbers("filters", values)


@pytest.mark.parametrize("value", ["yes", 2, None, 0.5, []])
def test_what_is_neither_true_nor_false_is_refused(value):
    with pytest.raises(CourseError, match=r"^flip is .*: give True or False\.$"):
        true_or_false("flip", value)
