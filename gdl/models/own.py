"""Classes that somebody has derived from those of the course, made again from what was saved of them."""

import inspect
from typing import Any

from gdl.errors import CourseError


def made_again(cls: type, options: dict) -> Any:
    """A model of a class with the options that its get_config gave when it was saved.

    An option that `__init__` does not take, because the class has a value of its own for it, has to come out the same.
    CourseError if the class has changed since then.
    """
    parameters = inspect.signature(cls.__init__).parameters.values()  # type: ignore[misc]
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    names = {parameter.name for parameter in parameters}
    try:
        model = cls(**{name: value for name, value in options.items() if takes_all or name in names})
    except TypeError as error:
        raise CourseError(f"{cls.__name__} cannot be made from what was saved of it ({error}): let __init__ take what get_config returns.") from None
    now = model.get_config()
    for name, value in options.items():
        if _plain(now.get(name)) != _plain(value):
            raise CourseError(
                f"{cls.__name__} is not defined here as it was when it was saved: its {name} was {value!r} and is {now.get(name)!r}; "
                "run the cell with the old definition first."
            )
    return model


def _plain(value):
    """Tuples as the lists that they are in a file."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return [_plain(part) for part in value] if isinstance(value, (list, tuple)) else value
