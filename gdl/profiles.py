"""How much a chapter computes: `smoke`, `quick` or `full`.

smoke: for the tests; every cell runs, in seconds, and the pictures mean nothing.
quick: for the processor of a laptop, about three minutes for a chapter.
full: for a GPU.
"""

import os
from types import SimpleNamespace

from gdl.errors import CourseError

PROFILES = ("smoke", "quick", "full")


def profile() -> str:
    """The name of the profile: the environment variable GDL_PROFILE, else "full" with a GPU and "quick" without.

    CourseError if GDL_PROFILE has any other value.

    >>> import gdl
    >>> gdl.profile()  # doctest: +SKIP
    'quick'
    """
    chosen = os.environ.get("GDL_PROFILE")
    if not chosen:
        import tensorflow as tf

        return "full" if tf.config.list_physical_devices("GPU") else "quick"
    if chosen not in PROFILES:
        raise CourseError(f"The environment variable GDL_PROFILE is {chosen!r}: set it to one of {', '.join(PROFILES)}, or unset it.")
    return chosen


def settings(smoke: dict, quick: dict, full: dict) -> SimpleNamespace:
    """The settings for the profile, from three dicts with the same keys; CourseError if the keys differ.

    Prints one line with the profile and the values, and returns the values as attributes.

    >>> import gdl
    >>> gdl.settings(smoke=dict(epochs=1), quick=dict(epochs=5), full=dict(epochs=20)).epochs  # doctest: +SKIP
    Profile quick: epochs 5
    5
    """
    choices = {"smoke": smoke, "quick": quick, "full": full}
    for name, values in choices.items():
        if values.keys() != smoke.keys():
            differing = ", ".join(sorted(values.keys() ^ smoke.keys()))
            raise CourseError(f"The settings {name} and smoke differ in {differing}: give every profile the same names.")
    name = profile()
    print(f"Profile {name}: " + ", ".join(f"{key} {value}" for key, value in choices[name].items()))
    return SimpleNamespace(**choices[name])
