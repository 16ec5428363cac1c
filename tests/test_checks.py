"""The checks of the exercises: what they accept, and what they say."""

import numpy as np
import pytest

from gdl.checks import CheckFailed, answered, check, expect, has_shape, is_close


@pytest.fixture(params=["notebook", "grader", "nbgrader"])
def place(request, monkeypatch):
    monkeypatch.delenv("GDL_CHECKS", raising=False)
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)
    if request.param == "grader":
        monkeypatch.setenv("GDL_CHECKS", "raise")
    if request.param == "nbgrader":
        monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    return request.param


def said(capsys, place, action):
    """What a check says about an action: it is printed in a notebook and raised elsewhere."""
    if place == "notebook":
        action()
        return capsys.readouterr().out.strip()
    with pytest.raises(CheckFailed) as failed:
        action()
    return f"✗ {failed.value}"


def run(what, body):
    def action():
        with check(what):
            body()

    return action


def fail(error):
    raise error


def test_what_holds_is_ticked(capsys, place):
    run("sums", lambda: is_close([1.0, 2.0], [1, 2], "a sum"))()
    assert capsys.readouterr().out == ("✓ sums\n" if place == "notebook" else "")


@pytest.mark.parametrize(
    "body, message",
    [
        (lambda: fail(NotImplementedError("wait")), "not answered yet."),
        (lambda: fail(KeyError("a")), "your code stopped with KeyError: 'a'"),
        (lambda: expect(3 > 4, "3 is less."), "3 is less."),
        (lambda: has_shape(5.0, (64,), "one loss for each image"), "shape (64,) expected, one loss for each image; got a scalar."),
        (lambda: has_shape(np.ones((2, 3)), (None, 4), "a row for each image"), "shape (any, 4) expected, a row for each image; got shape (2, 3)."),
        (lambda: has_shape(np.ones(3), (), "one number"), "a scalar expected, one number; got shape (3,)."),
        (lambda: has_shape(None, (3,), "a loss"), "got nothing: does your function end with `return`?"),
        (lambda: is_close("0.5", 0.5, "a loss"), "numbers expected, got str."),
        (lambda: is_close([[1], [1, 2]], [1, 2], "a loss"), "numbers expected, got list."),
        (lambda: is_close({"a": 1}, [1], "a loss"), "numbers expected, got dict."),
        (lambda: is_close(2.0, [2.0], "a loss"), "shape (1,) expected, a loss; got a scalar."),
        (lambda: is_close([2.0], 2.0, "a loss"), "a scalar expected, a loss; got shape (1,)."),
        (lambda: is_close([[1, 2], [3, 9]], [[1, 2], [3, 4]], "a sum"), "a sum: 4 expected at [1, 1], got 9."),
        (lambda: is_close([1, np.nan], [1, 2], "a sum"), "a sum: 2 expected at [1], got nan."),
    ],
)
def test_what_is_wrong_is_said(capsys, place, body, message):
    assert said(capsys, place, run("the question", body)) == f"✗ the question: {message}"


def test_tolerances():
    is_close(np.float32(0.1), 0.1, "a loss")
    is_close([1.0001], [1], "a loss", rtol=1e-3)
    is_close([np.inf, 1], [np.inf, 1], "a loss")
    is_close(np.array([True, False]), [1, 0], "a mask")
    is_close(np.array([2**62]), [2**62], "a count", rtol=0, atol=0)
    with pytest.raises(CheckFailed):
        is_close([1.01], [1], "a loss")
    with pytest.raises(CheckFailed):
        is_close([0], [np.nan], "a loss")


def test_an_interruption_is_not_a_failed_check():
    with pytest.raises(KeyboardInterrupt), check("anything"):
        raise KeyboardInterrupt


def test_pictures_wait_for_their_answers(capsys, place):
    for error, message in (
        (NotImplementedError(), "appears here when"),
        (ValueError("no"), "cannot be made yet: the code stopped with ValueError: no"),
    ):
        try:
            with answered("This curve"):
                raise error
        except type(error):
            assert place != "notebook"
        else:
            assert place == "notebook" and f"This curve {message}" in capsys.readouterr().out
