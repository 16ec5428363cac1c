"""The lock of a folder: one process writes there at a time. The system releases it when its process ends, however that happens."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from gdl.errors import CourseError
from gdl.files import HOST, readable_errors

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

NAME = ".lock"
TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)  # what systems say when somebody else has the lock
READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_held: set[int] = set()  # descriptors of the locks that this process has


class InUse(CourseError):
    """Somebody else has the lock of a folder. holder: who, and since when."""

    def __init__(self, folder: Path, holder: str):
        super().__init__(f"{folder} is in use: {holder} trains there; wait until it has ended, or give another folder.")
        self.holder = holder


@contextmanager
def locked(folder: Path, name: str = NAME) -> Iterator[None]:
    """Holds the lock of a folder, which is made if it is not there, while the indented lines run.

    name: of the lock's file; locks of different names in one folder are independent of each other.
    Raises InUse if somebody else has the lock, without waiting. On a drive that knows no locks, and in a folder in which
    nothing can be written, the lines run without one.
    """
    with readable_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = _open(folder / name)
    if descriptor is None:
        yield
        return
    _held.add(descriptor)
    try:
        if _take(descriptor, folder / name):
            try:
                yield
            finally:
                os.ftruncate(descriptor, 0)
                _call(descriptor, release=True)  # also where a forked process still has the descriptor
        else:
            yield
    finally:
        _held.discard(descriptor)
        os.close(descriptor)


def _open(file):
    """A descriptor of the lock file; None where nothing can be written."""
    try:
        return os.open(file, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        if error.errno in READ_ONLY and not file.is_dir():
            return None
        raise


def _take(descriptor, file):
    """Takes the lock and notes whose it is. Returns whether the drive knows locks; InUse if somebody else has it."""
    try:
        _call(descriptor)
    except OSError as error:
        if error.errno not in TAKEN:
            _say_no_locks(file.parent, error.strerror)
            return False
        raise InUse(file.parent, _holder(file)) from None
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {HOST}, since {time.strftime('%Y-%m-%d %H:%M:%S')},".encode())
    return True


@cache  # printed once for each folder
def _say_no_locks(folder, reason):
    print(f"{folder} is on a drive without locks ({reason}): make sure that nobody else trains there at the same time.")


def _holder(file):
    """Who has the lock, as its file says."""
    words = ""
    with suppress(OSError, UnicodeDecodeError):
        words = file.read_text(encoding="utf-8")[:200]
    own = words.startswith(f"process {os.getpid()} on {HOST},")
    return f"this {words}" if own else words or "another process"


def _call(descriptor, release=False):
    """Takes or releases the lock, without waiting. Raises OSError."""
    if sys.platform == "win32":
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)  # behind the words, which another process may then read
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK if release else msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_UN if release else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _close_in_child():
    """A process that this one forks shares the descriptors, and would hold the locks for longer than this one lives."""
    while _held:
        os.close(_held.pop())


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
