"""Whether the packages that the course stands on are there, and new enough."""

from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from gdl.errors import CourseError


def check_installed():
    """Raises CourseError, with the mend, when a package that the course needs is missing here or too old.

    A notebook's set-up cell adds the course alone, so that Colab's own packages stay as they are.
    """
    from packaging.requirements import Requirement  # Jupyter brings it

    try:
        needs = [Requirement(text) for text in requires("gdl") or ()]
    except PackageNotFoundError:  # the source without an installation
        return
    missing, old = [], []
    for need in needs:
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(need.name)
        except PackageNotFoundError:
            if find_spec(need.name) is None:  # TensorFlow has builds of other names
                missing.append(f'"{need.name}{need.specifier}"')
        else:
            if not need.specifier.contains(installed, prereleases=True):
                old.append(f"{need.name} {need.specifier} (here is {installed})")
    if missing:
        raise CourseError(f"The course needs what is not installed here: run %pip install {' '.join(missing)} in a cell, then restart the kernel.")
    if old:
        raise CourseError(
            f"The course needs {', '.join(old)}: in Colab choose the latest version under Runtime, Change runtime type; "
            f"elsewhere make a new environment and install the course there."
        )
