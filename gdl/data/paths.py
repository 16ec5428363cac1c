"""The path that a reader gives."""

import errno
import os
from pathlib import Path
from typing import Any

from gdl.data.report import printable
from gdl.errors import DataError


def checked_path(path: Any, example: str) -> Path:
    """The path as a Path, with `~` replaced. DataError for anything but a path, and for one that the system refuses, such as one that is too long.

    >>> checked_path("data/celeba", "data/celeba").name
    'celeba'
    """
    if not isinstance(path, (str, Path)):
        raise DataError(f"A path is expected, not a {type(path).__name__}: give one, such as {example!r}.")
    try:
        checked = Path(path).expanduser()
        os.stat(checked)
    except (FileNotFoundError, NotADirectoryError):  # whoever asks says what is missing
        pass
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~ of an unknown user
        if isinstance(error, OSError) and error.errno == errno.ELOOP:  # links in a circle lead to nothing
            return checked
        why = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"The path {printable(path):.100} cannot be used ({why}): correct it, or make sure that you may read there.") from None
    return checked
