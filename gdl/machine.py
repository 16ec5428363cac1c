"""The surroundings of the course: a notebook or a terminal, TensorFlow without its start-up messages, and the packages that are needed."""

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from gdl.errors import CourseError


def in_notebook() -> bool:
    """Whether the code runs in Jupyter or Colab, which can display pictures."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def on_command_line() -> bool:
    """Whether this process is the command `gdl`, or `python -m gdl`, whose package is imported before its name is known."""
    return os.path.basename(sys.argv[0] if sys.argv else "").removesuffix(".exe") in ("-m", "gdl")


def bfloat16_instructions() -> bool:
    """Whether this processor multiplies bfloat16 numbers (AVX512-BF16 or AMX), as Linux says, and TensorFlow may use that; elsewhere False."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return not {"avx512_bf16", "amx_bf16"}.isdisjoint(flags) and os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0"


def start_tensorflow() -> None:
    """Imports TensorFlow without the messages of its C++ code; exceptions are raised as usual."""
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)  # the messages go straight to file descriptor 2, past Python's sys.stderr
    try:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)
    if not gpus and shutil.which("nvidia-smi"):
        print("TensorFlow cannot use this machine's NVIDIA GPU: run pip install 'tensorflow[and-cuda]'.")


def check_installed() -> None:
    """Raises CourseError when a package that the course needs is missing or too old.

    The set-up cell of a notebook installs the course without its requirements, so that Colab's packages stay as they are.
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
                old.append(f"{need.name} {need.specifier} ({installed} is installed)")
    if missing:
        raise CourseError(
            f"The course needs packages that are not installed: run %pip install {' '.join(missing)} in a cell, then restart the kernel."
        )
    if old:
        raise CourseError(
            f"The course needs {', '.join(old)}: in Colab choose the latest version under Runtime, Change runtime type; "
            f"elsewhere make a new environment and install the course there."
        )
