"""Files that are written whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path

from gdl.errors import CourseError


@contextmanager
def whole_file(path):
    """Gives a temporary path beside `path` to write to, and renames it to `path` when all went well.

    Killed at any moment, `path` holds either what it held before or the whole new content.
    Raises CourseError when the disk is full or the place is not to be written.
    """
    path = Path(path)
    partial = path.with_name(f".partial.{path.name}")  # keeps the ending: Keras and Pillow look at it
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield partial
            with open(partial, "rb+") as file:
                os.fsync(file.fileno())
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror or error}): make room on the disk, or choose another place.") from None
