"""Files and folders that are written whole or not at all, even when several processes write the same one.

Each writer writes to a hidden temporary path of its own beside the target, and renames it when it is complete.
A process that is killed leaves that path behind, and the next writer in the same folder removes it.
"""

import os
import platform
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gdl.errors import CourseError

HOST = platform.node().replace(".", "-")[:40]
DAY = 24 * 60 * 60  # seconds
FIX = "make room on the disk, or choose another place"


@contextmanager
def whole_file(path: str | Path, fix: str = FIX) -> Iterator[Path]:
    """Gives a temporary path beside `path` to write to, and renames it to `path` when the indented lines have ended without an error.

    If the process is killed at any moment, `path` holds its old content or the whole new one. Of several writers, the last one wins.
    The temporary path has the ending of `path`, because Keras, NumPy and Pillow look at it.
    fix: the end of the message of the CourseError that is raised when the file cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(f"{folder}/notes.txt") as partial:
    ...         partial.write_text("all of it")
    ...     Path(folder, "notes.txt").read_text()
    9
    'all of it'
    """
    path = Path(path)
    with _readable_errors(path, fix), _temporary_path(path) as partial:
        yield partial
        _flush(partial)
        os.replace(partial, path)


@contextmanager
def whole_folder(path: str | Path, fix: str = FIX) -> Iterator[Path]:
    """Gives an empty temporary folder beside `path` to fill, and renames it to `path` when the indented lines have ended without an error.

    A folder that is at `path` from the start is replaced. One that another writer has put there in the meantime stays.
    fix: as in `whole_file`.
    """
    path = Path(path)
    with _readable_errors(path, fix), _temporary_path(path) as old:
        replace = path.exists()
        with temporary_folder(path) as partial:
            yield partial
            for file in partial.rglob("*"):
                if file.is_file():
                    _flush(file)
            if replace:
                with suppress(FileNotFoundError):  # another writer has just moved it
                    path.rename(old)
            try:
                partial.rename(path)
            except OSError:
                if not path.is_dir():  # else another writer was first, and its folder stays
                    if old.exists():
                        old.rename(path)
                    raise


@contextmanager
def temporary_folder(beside: str | Path) -> Iterator[Path]:
    """Gives an empty folder that no other writer uses, in the folder that holds `beside`, and removes it at the end. Raises OSError."""
    with _temporary_path(Path(beside)) as folder:
        folder.mkdir()
        yield folder


@contextmanager
def _temporary_path(path):
    """A path beside `path` that no other writer has. Whatever is there at the end is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path.parent)
    temporary = path.with_name(f".partial.{HOST}.{os.getpid()}.{secrets.token_hex(4)}.{path.name[-40:]}")
    try:
        yield temporary
    finally:
        _remove(temporary)


@contextmanager
def _readable_errors(path, fix):
    try:
        yield
    except OSError as error:
        raise CourseError(f"{path} cannot be written ({error.strerror or error}): {fix}.") from None


def _remove_stale(folder):
    """Removes the temporary paths of processes that have ended, and those that are more than a day old."""
    for path in folder.glob(".partial.*"):
        try:
            _, _, host, process, _, _ = path.name.split(".", 5)
            ended = host == HOST and os.name != "nt" and not _is_running(int(process))
            if ended or time.time() - path.stat().st_mtime > DAY:
                _remove(path)
        except (ValueError, OverflowError, OSError):  # not one of ours, or another process has just removed it
            continue


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(process):
    try:
        os.kill(process, 0)  # signal 0 only checks whether the process exists (on Windows it would end it)
    except ProcessLookupError:
        return False
    except PermissionError:  # it runs, and belongs to another user
        return True
    return True


def _flush(file):
    """Makes sure that the content is on the disk before the file gets its name."""
    with open(file, "rb+") as opened:
        os.fsync(opened.fileno())
