"""The checks below the questions of an exercise: they say what is wrong and never stop the notebook.

    with check("one loss for each image"):
        has_shape(kl(z_mean, z_log_var), (64,), "one loss for each image")

In a notebook a check prints one line, `✓` or `✗`, and the notebook goes on, so that every question can be run at any time.
In the grader and in nbgrader, a failed check raises CheckFailed.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from gdl.errors import CourseError

MACHINE = (OSError, MemoryError, ImportError, CourseError)  # in the grader these are not the student's: it catches the student's own
NOT_ANSWERED = "not answered yet."
OTHER_FORM = "the check cannot use what your code returns: is it of another form or type than the question asks for?"
OTHER_SHAPE = "another shape expected."
OTHER_NUMBERS = "other numbers expected."
NO_NUMBERS = "numbers expected."


class CheckFailed(AssertionError):
    """What is wrong with an answer, in one sentence for the student.

    words: the same without the values that the student's code has returned, as strings that stand in the source of the check or of this
    module. The grader shows these alone for hidden tests.
    """

    def __init__(self, problem: str, *words: str):
        super().__init__(problem)
        self.words = words or (problem,)


@contextmanager
def check(what: str) -> Iterator[None]:
    """Runs the indented lines and prints whether they succeed. `what` says what they check.

    A failure raises CheckFailed if the environment variable GDL_CHECKS is "raise" or nbgrader runs the notebook.

    >>> with check("one loss for each image"):  # doctest: +SKIP
    ...     has_shape(np.zeros(64), (64,), "one loss for each image")
    ✓ one loss for each image
    """
    problem = ""
    words: tuple[str, ...] = ()
    try:
        yield
    except NotImplementedError:
        problem, words = NOT_ANSWERED, (NOT_ANSWERED,)
    except CheckFailed as failed:
        problem, words = str(failed), failed.words
    except Exception as error:
        if _raises() and isinstance(error, MACHINE):
            raise
        problem, words = f"your code stopped with {type(error).__name__}: {error}", (OTHER_FORM,)
    if _raises():
        if problem:
            raise CheckFailed(f"{what}: {problem}", what, *words) from None
    else:
        print(f"✗ {what}: {problem}" if problem else f"✓ {what}")


@contextmanager
def answered(what: str = "This picture") -> Iterator[None]:
    """Runs the indented lines. Prints one line if they need an answer that is missing or wrong."""
    try:
        yield
    except Exception as error:
        if _raises():
            raise
        if isinstance(error, NotImplementedError):
            print(f"{what} appears here when the question above is answered.")
        else:
            print(f"{what} cannot be made yet: the code stopped with {type(error).__name__}: {error}")


def expect(condition: Any, problem: str) -> None:
    """Raises CheckFailed with the sentence `problem` unless the condition is true."""
    if not condition:
        raise CheckFailed(problem)


def has_shape(got: Any, shape: Sequence[int | None], meaning: str) -> None:
    """Raises CheckFailed unless `got` is an array of numbers with this shape, where None stands for any length.

    `meaning` says in words what the shape means: "one loss for each image".

    >>> has_shape(np.zeros((5, 3)), (None, 3), "a row for each image")
    """
    got = _numbers(got)
    expected = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    fits = got.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, got.shape))
    actual = f"shape {got.shape}" if got.shape else "a scalar"
    if not fits:
        raise CheckFailed(f"{f'shape {expected}' if shape else 'a scalar'} expected, {meaning}; got {actual}.", meaning, OTHER_SHAPE)


def is_close(got: Any, expected: ArrayLike, meaning: str, rtol: float = 1e-4, atol: float = 1e-6) -> None:
    """Raises CheckFailed unless `got` has the shape and the values of `expected`, within rtol and atol. The message gives the first difference.

    >>> is_close([1.0, 2.00001], [1, 2], "two losses")
    """
    expected = np.asarray(expected)
    has_shape(got, expected.shape, meaning)
    got = _numbers(got)
    wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        place = tuple(map(int, np.unravel_index(np.argmax(wrong), wrong.shape)))
        at = f" at {list(place)}" if place else ""
        raise CheckFailed(f"{meaning}: {expected[place]:.6g} expected{at}, got {got[place]:.6g}.", meaning, OTHER_NUMBERS)


def _raises():
    """Whether a failed check stops the notebook: in the grader, in nbgrader and in the tests."""
    return os.environ.get("GDL_CHECKS") == "raise" or "NBGRADER_EXECUTION" in os.environ


def _numbers(got):
    """The result of a student's function as an array of numbers."""
    expect(got is not None, "got nothing: does your function end with `return`?")
    expect(got is not NotImplemented, NOT_ANSWERED)
    try:
        array = np.asarray(None if _has_text(got) else got)
    except Exception:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise CheckFailed(f"numbers expected, got {type(got).__name__}.", NO_NUMBERS)
    return array if array.dtype.kind in "iu" and array.dtype.itemsize == 8 else array.astype(float)


def _has_text(got):
    """Whether a list contains a string: NumPy would turn all its numbers into strings as long as the longest one."""
    return isinstance(got, str) or isinstance(got, (list, tuple)) and any(_has_text(item) for item in got)
