"""Files and folders that are written whole or not at all, even when several processes write the same one.

Each writer writes to a hidden temporary path of its own beside the target, and renames it when it is complete.
A process that is killed leaves that path behind, and the next writer in the same folder removes it.
"""

import errno
import os
import platform
import secrets
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from gdl.errors import CourseError

HOST = platform.node().replace(".", "-")[:40]
DAY = 24 * 60 * 60  # seconds
ROOM = "make room on the disk"
PLACE = "choose another place"
FULL = (errno.ENOSPC, errno.EDQUOT)
NO_FSYNC = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EPERM, errno.EACCES)  # some network and WSL drives
HINTS = {  # what else to do, by the kind of error
    errno.EACCES: "close it where another program has it open, make sure that you may write there, or ",
    errno.EPERM: "close it where another program has it open, make sure that you may write there, or ",
    errno.ENAMETOOLONG: "give a shorter name, or ",
}


@contextmanager
def whole_file(path: str | Path, room: str = ROOM, place: str = PLACE) -> Iterator[Path]:
    """Gives a temporary path beside `path` to write to, and renames it to `path` when the indented lines have ended without an error.

    If the process is killed at any moment, `path` holds its old content or the whole new one. Of several writers, the last one wins.
    The temporary path has the ending of `path`, because Keras, NumPy and Pillow look at it.
    room: what to do when the disk is full.  place: what else to do when the file cannot be written. Both are in the message
        of the CourseError that is then raised.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with whole_file(f"{folder}/notes.txt") as partial:
    ...         partial.write_text("all of it")
    ...     Path(folder, "notes.txt").read_text()
    9
    'all of it'
    """
    path = Path(path)
    with readable_errors(path, room, place), _temporary_path(path) as partial:
        yield partial
        patiently(lambda: _flush(partial))
        patiently(lambda: os.replace(partial, path))


def write_file(path: str | Path, content: bytes | str, room: str = ROOM, place: str = PLACE) -> None:
    """Writes content that is in memory, whole or not at all; text as UTF-8. room, place: as in `whole_file`.

    Libraries that meet a full disk in the middle of a file raise errors of many kinds, and HDF5 ends the process. So
    they write to memory, and this function to the disk.
    """
    with whole_file(path, room, place) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def write_zip(path: Path, folder: str, files: Mapping[str, bytes]) -> None:
    """Packs the files into one zip, in which they are in `folder`. The same files give the same bytes."""
    with whole_file(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(f"{folder}/{name}")  # its time is 1980
            info.external_attr, info.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            packed.writestr(info, content)


@contextmanager
def whole_folder(path: str | Path, room: str = ROOM, place: str = PLACE) -> Iterator[Path]:
    """Gives an empty temporary folder beside `path` to fill, and renames it to `path` when the indented lines have ended without an error.

    A folder that is at `path` from the start is replaced. One that another writer has put there in the meantime stays.
    room, place: as in `whole_file`.
    """
    path = Path(path)
    with readable_errors(path, room, place), _temporary_path(path) as old:
        replace = path.exists()
        with temporary_folder(path) as partial:
            yield partial
            for file in partial.rglob("*"):
                if file.is_file():
                    _flush(file)
            if replace:
                with suppress(FileNotFoundError):  # another writer has just moved it
                    patiently(lambda: path.rename(old))
            try:
                patiently(lambda: partial.rename(path))
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
def readable_errors(path: str | Path, room: str = ROOM, place: str = PLACE) -> Iterator[None]:
    """Makes each OSError of the indented lines a CourseError that names the path, the reason and what to do, as in `whole_file`."""
    try:
        yield
    except OSError as error:
        fix = f"{room}, or {place}" if error.errno in FULL else HINTS.get(error.errno or 0, "") + place
        raise CourseError(f"{path} cannot be written ({error.strerror or error}): {fix}.") from None


def patiently(action: Callable[[], object]) -> None:
    """Calls an action, and again for two seconds while it is refused: a virus scanner or a spreadsheet may hold the file for a moment."""
    for seconds in (0.1, 0.2, 0.5, 1.2):
        try:
            action()
            return
        except PermissionError:
            time.sleep(seconds)
    action()


@contextmanager
def _temporary_path(path):
    """A path beside `path` that no other writer has. Whatever is there at the end is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path.parent)
    temporary = path.with_name(f".partial.{HOST}.{os.getpid()}.{secrets.token_hex(4)}.{path.name[-24:]}")
    try:
        yield temporary
    finally:
        with suppress(OSError):  # another program holds it: it is removed later, as what a killed process leaves
            _remove(temporary)


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
    """Makes sure that the content is on the disk before the file gets its name, where the drive can do that."""
    with open(file, "rb+") as opened:
        try:
            os.fsync(opened.fileno())
        except OSError as error:
            if error.errno not in NO_FSYNC:
                raise
