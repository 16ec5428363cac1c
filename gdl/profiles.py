"""How much a chapter computes: `smoke`, `quick` or `full`.

smoke: the tests; every cell runs, in seconds, and the pictures mean nothing.
quick: a laptop's processor, about three minutes a chapter.
full: a GPU.
"""

import os
from types import SimpleNamespace

from gdl.errors import CourseError

PROFILES = ("smoke", "quick", "full")


def profile():
    """The profile's name: the environment variable GDL_PROFILE, else "full" with a GPU and "quick" without."""
    chosen = os.environ.get("GDL_PROFILE")
    if not chosen:
        import tensorflow as tf

        return "full" if tf.config.list_physical_devices("GPU") else "quick"
    if chosen not in PROFILES:
        raise CourseError(f"GDL_PROFILE is {chosen!r}: set it to one of {', '.join(PROFILES)}, or unset it.")
    return chosen


def settings(smoke, quick, full):
    """The settings of this machine's profile, out of three dicts with the same keys.

    Prints one line that names the profile and the values, and returns them as attributes:
    `s = gdl.settings(smoke=dict(epochs=1), quick=dict(epochs=5), full=dict(epochs=20)); s.epochs`.
    """
    choices = {"smoke": smoke, "quick": quick, "full": full}
    for name, values in choices.items():
        if values.keys() != smoke.keys():
            odd = ", ".join(sorted(values.keys() ^ smoke.keys()))
            raise CourseError(f"The settings {name} and smoke differ in {odd}: give every profile the same names.")
    name = profile()
    print(f"Profile {name}: " + ", ".join(f"{key} {value}" for key, value in choices[name].items()))
    return SimpleNamespace(**choices[name])
