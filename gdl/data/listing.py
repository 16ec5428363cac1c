"""Which files of a folder are images, and what is passed over."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from gdl.data.contents import LARGEST
from gdl.data.decode import extensions
from gdl.data.report import counted, printable, say

SYSTEM = ("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "system volume information")  # in small letters
NO_FILE = "of another kind than a file (pipe, socket or device)"


class Listing(NamedTuple):
    images: dict[str, int]  # path relative to the folder, with `/` -> bytes, sorted
    folders: list[str]  # the same for the folders inside
    passed_over: dict[str, list[str]]  # reason, in words that follow a number -> paths

    def report(self, place: Path) -> None:
        """Prints one line about what is passed over, if anything is."""
        if any(self.passed_over.values()):
            say(f"Passed over in {printable(place)}: {counted(self.passed_over)}")


def is_hidden(name: str) -> bool:
    """Whether a file or folder is of no interest: hidden, or made by the system. None of these is mentioned."""
    return name.startswith(".") or name.lower() in SYSTEM


def not_an_image(name: str) -> str:
    """The reason why a file is no image by its name; empty for an image."""
    ending = os.path.splitext(name)[1].lower()
    if ending in extensions():
        return ""
    return f"with the ending {printable(ending)}, which Pillow does not read" if ending else "without an ending such as .jpg"


def list_images(folder: Path) -> Listing:
    """All images below a folder. Links to folders are followed, but not to one that is taken already or holds the folder itself."""
    images, folders, passed_over = {}, [], {}
    seen = {_identity(place) for place in (folder.resolve(), *folder.resolve().parents)}

    def pass_over(reason, path):
        passed_over.setdefault(reason, []).append(path)

    def refused(error):
        pass_over("that cannot be opened", Path(error.filename).relative_to(folder).as_posix())

    for place, inner, files in os.walk(folder, followlinks=True, onerror=refused):
        inside = Path(place).relative_to(folder)
        kept = []
        for name in sorted(name for name in inner if not is_hidden(name)):
            path = (inside / name).as_posix()
            identity = _identity(Path(place) / name)
            if identity in seen:
                pass_over("linked to a folder that is taken already", path)
            else:
                seen.add(identity)
                kept.append(name)
                folders.append(path)
        inner[:] = kept
        for name in sorted(name for name in files if not is_hidden(name)):
            path = (inside / name).as_posix()
            reason, size = _look(Path(place) / name)
            if reason:
                pass_over(reason, path)
            else:
                images[path] = size
    return Listing(dict(sorted(images.items())), sorted(folders), passed_over)


def _look(file):
    """(the reason why a file is passed over, else empty, its bytes)"""
    try:
        state = file.stat()
    except OSError:
        return ("linked to nothing" if file.is_symlink() else "that cannot be opened"), 0
    if not stat.S_ISREG(state.st_mode):
        return NO_FILE, 0
    if state.st_size > LARGEST:
        return "larger than 2 GB", 0
    return not_an_image(file.name), state.st_size


def _identity(folder):
    state = folder.stat()
    return state.st_dev, state.st_ino
