"""`python -m pip download ... --dest FOLDER ...` without a network.

Environment variables: PIP_STAND_IN_ACTION is one of the functions below, PIP_STAND_IN_ARGUMENT its argument, and
PIP_STAND_IN_CALLS a file in which each call writes the number of its process.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

FOLDER = Path(sys.argv[sys.argv.index("--dest") + 1])


def download(wheel):
    assert sys.argv[1] == "download" and Path(tempfile.gettempdir()) == FOLDER
    shutil.copy(wheel, FOLDER)


def download_another_file(_):
    (FOLDER / "other.whl").write_bytes(b"not a zip")


def do_nothing(_):
    pass


def stop(message):
    sys.exit(message)


def stop_half_way(message):
    (FOLDER / "half").write_bytes(b"1" * 1000)
    sys.exit(message)


def hang(_):
    (FOLDER / "half").write_bytes(b"1" * 1000)
    time.sleep(60)


with open(os.environ["PIP_STAND_IN_CALLS"], "a") as calls:
    calls.write(f"{os.getpid()}\n")
globals()[os.environ["PIP_STAND_IN_ACTION"]](os.environ["PIP_STAND_IN_ARGUMENT"])
