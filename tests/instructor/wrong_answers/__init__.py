"""Wrong answers to the exercises, and other right ones, with the points that each must get: a module for each exercise."""

from importlib import import_module


def wrong_answers(exercise):
    """(question, the mistake, the points that it still gets, the answer) of each wrong answer."""
    return import_module(f"wrong_answers.{exercise}").WRONG


def other_right_answers(exercise):
    """(question, how it differs from the solution, the answer) of answers that must get all points."""
    return getattr(import_module(f"wrong_answers.{exercise}"), "RIGHT", [])


def changed(source, old, new):
    """The source with `new` for each `old`, of which there must be one."""
    assert old in source, old
    return source.replace(old, new)
