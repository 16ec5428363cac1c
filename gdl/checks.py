"""The checks under an exercise's questions: they say what is wrong, and never stop the notebook.

    with check("one loss for each image"):
        has_shape(kl(z_mean, z_log_var), (64,), "one loss for each image")

In a notebook a check prints one line, `✓` or `✗`, and goes on, so that all questions can be run at any time.
Under the grader, and under nbgrader, a failed check raises CheckFailed.
"""

import os
from contextlib import contextmanager

import numpy as np


class CheckFailed(AssertionError):
    """What a check found wrong, in one sentence for the student."""


@contextmanager
def check(what):
    """Runs the indented lines and prints whether they went through, with `what` they look at.

    Raises CheckFailed instead when the environment variable GDL_CHECKS is "raise", or nbgrader runs the notebook.
    """
    try:
        yield
    except NotImplementedError:
        problem = "not answered yet."
    except CheckFailed as failed:
        problem = str(failed)
    except Exception as error:
        problem = f"your code stopped with {type(error).__name__}: {error}"
    else:
        problem = None
    if _raises():
        if problem:
            raise CheckFailed(f"{what}: {problem}") from None
    else:
        print(f"✗ {what}: {problem}" if problem else f"✓ {what}")


@contextmanager
def answered(what="This picture"):
    """Runs the indented lines, and says in one line if they need an answer that is not there yet, or not right."""
    try:
        yield
    except Exception as error:
        if _raises():
            raise
        if isinstance(error, NotImplementedError):
            print(f"{what} appears here when the question above is answered.")
        else:
            print(f"{what} cannot be made yet: the code stopped with {type(error).__name__}: {error}")


def expect(condition, problem):
    """Raises CheckFailed with the sentence `problem` unless the condition holds."""
    if not condition:
        raise CheckFailed(problem)


def has_shape(got, shape, meaning):
    """Raises CheckFailed unless `got` is an array of numbers of this shape, where None stands for any length.

    `meaning` says in words what the shape means: "one loss for each image".
    """
    got = _numbers(got)
    wanted = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ("," if len(shape) == 1 else "") + ")"
    fits = got.ndim == len(shape) and all(n in (None, m) for n, m in zip(shape, got.shape))
    found = "a scalar" if got.ndim == 0 else f"shape {got.shape}"
    expect(fits, f"{f'shape {wanted}' if shape else 'a scalar'} expected, {meaning}; got {found}.")


def is_close(got, expected, meaning, rtol=1e-4, atol=1e-6):
    """Raises CheckFailed unless `got` has the shape of `expected` and its values, up to rtol and atol, and says where they first differ."""
    expected = np.asarray(expected)
    has_shape(got, expected.shape, meaning)
    got = _numbers(got)
    wrong = ~np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        place = tuple(map(int, np.unravel_index(np.argmax(wrong), wrong.shape)))
        at = f" at {list(place)}" if place else ""
        raise CheckFailed(f"{meaning}: {expected[place]:.6g} expected{at}, got {got[place]:.6g}.")


def _raises():
    """Whether the checks are to stop the notebook: under the grader, nbgrader and the tests."""
    return os.environ.get("GDL_CHECKS") == "raise" or "NBGRADER_EXECUTION" in os.environ


def _numbers(got):
    """What a student's function gave, as an array of numbers."""
    expect(got is not None, "got nothing: does your function end with `return`?")
    expect(got is not NotImplemented, "not answered yet.")
    try:
        array = np.asarray(None if _has_text(got) else got)
    except Exception:
        array = np.asarray(None)
    expect(array.dtype.kind in "biuf", f"numbers expected, got {type(got).__name__}.")
    return array if array.dtype.kind in "iu" and array.dtype.itemsize == 8 else array.astype(float)


def _has_text(got):
    """Whether a string is in a list: NumPy would make all of its numbers as long as the longest string."""
    return isinstance(got, str) or isinstance(got, (list, tuple)) and any(_has_text(item) for item in got)
