"""The leaderboard of a class: every number computed anew from the handed-in weights. `python -m gdl project leaderboard FOLDER --out page`."""

import hashlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from PIL import Image
from tqdm import tqdm

from gdl.errors import CourseError
from gdl.files import write_file
from gdl.instructor.grading import sandbox
from gdl.pictures.plots import grid
from gdl.project import page, sandboxed
from gdl.project.check import Result, examine
from gdl.project.files import Files, open_files
from gdl.project.hand_in import stage
from gdl.project.ruler import Ruler
from gdl.project.rules import FACES, MEASURED, MINUTES, SAMPLES
from gdl.project.sandboxed import NotNow
from gdl.project.table import Row

VERSION = 1  # of what a result holds: results of another version are computed again
Entry = dict[str, Any]  # a hand-in on the page, as its file in `results` holds it


@dataclass(frozen=True)
class Work:
    """What is done with each hand-in. minutes: the budget.  seconds: for making the images of one hand-in."""

    out: Path
    ruler: Ruler
    minutes: float
    seconds: float
    unsafe: bool

    def settings(self) -> list:
        """All but the hand-in on which its result depends."""
        ruler = self.ruler
        return [VERSION, str(ruler.data), ruler.n, ruler.samples, ruler.network, self.minutes, self.seconds, self.unsafe]


def leaderboard(
    folder: str | Path, out: str | Path, data: str | None = None, n: int | None = FACES, samples: int = MEASURED, network: str | None = None,
    minutes: float = MINUTES, seconds: float = 300.0, unsafe: bool = False,
) -> list[Entry]:  # fmt: skip
    """Computes the numbers of every hand-in in a folder, and writes `index.html` and `leaderboard.csv` into `out`. Returns the entries.

    data, n, samples, network: see `Ruler`.  minutes, seconds: see `Work`.  unsafe: without a sandbox.
    A result in `out` is used again if neither the hand-in nor the settings have changed, so that the same call continues after an
    interruption. A hand-in that cannot be used costs its own row alone, which says why. Raises CourseError for other problems.

    >>> entries = leaderboard("hand-ins", "page", data="drawn")  # doctest: +SKIP
    """
    folder, out = Path(folder), Path(out)
    if not folder.is_dir():
        raise CourseError(f"{folder} is no folder: give the folder with all hand-ins, each a folder or a zip.")
    if out.resolve().is_relative_to(folder.resolve()):
        raise CourseError(f"--out {out} is inside {folder}, and would be taken for a hand-in: choose a folder beside it.")
    if not unsafe:
        sandbox.check_bubblewrap()
    found = list(hand_ins(folder))
    if not found:
        raise CourseError(f"There is no folder and no zip in {folder}: give the folder with all hand-ins.")
    work = Work(out, Ruler(data, n, samples, network), minutes, seconds, unsafe)
    entries = _all(found, work)
    entries.sort(key=page.order)
    recipes = {entry["recipe"][0]: entry["recipe"][1] for entry in entries if entry.get("recipe")}
    write_file(out / "index.html", page.html_page(entries, recipes, minutes, _pictures(out, entries), unsafe))
    page.write_csv(out / "leaderboard.csv", entries)
    return entries


def hand_ins(folder: Path) -> Iterator[tuple[str, Path]]:
    """(name, where project.toml is) of each hand-in: the folders and zips in a folder, or one in each of its folders, as platforms export them."""
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and (path.is_dir() or path.suffix.lower() == ".zip"):
            yield path.name, _where(path)


def _where(path):
    if path.is_symlink() or not path.is_dir() or (path / "project.toml").exists():
        return path
    inner = [one for one in sorted(path.iterdir())[:100] if not one.is_symlink() and not one.name.startswith(".")]
    found = [one for one in inner if (one.is_dir() and (one / "project.toml").exists()) or one.suffix.lower() == ".zip"]
    return found[0] if found else path


def _all(found, work):
    """The entries of all hand-ins: as many at a time as the machine has cores, and those that others may have disturbed again, alone."""
    entries: list[Entry] = []
    again = []
    with tqdm(total=len(found), desc="Hand-ins", unit="hand-in", file=sys.stdout) as bar:
        with ThreadPool(os.cpu_count()) as pool:
            for (name, path), entry in pool.imap_unordered(lambda one: (one, entry_of(one[0], one[1], work, alone=False)), found):
                if entry is None:
                    again.append((name, path))
                else:
                    entries.append(entry)
                    bar.update()
        for name, path in again:
            entry = entry_of(name, path, work, alone=True)
            assert entry is not None  # after another try there is a result or a reason
            entries.append(entry)
            bar.update()
    return entries


def entry_of(name: str, path: Path, work: Work, alone: bool) -> Entry | None:
    """The entry of one hand-in, from `out` or computed. None if another try alone may succeed. alone: whether this is that try."""
    ident = hashlib.sha256(name.encode(errors="replace")).hexdigest()[:16]
    file = work.out / "results" / f"{ident}.json"
    entry: Entry = {"folder": name, "id": ident, "rows": [], "failed": ""}
    keep = True
    try:
        if path.is_symlink():
            raise CourseError(f"{path.name} is a link: put a copy in its place.")
        files = open_files(path)
        with tempfile.TemporaryDirectory(prefix="gdl-project-") as staged:
            digest = hashlib.sha256(json.dumps([stage(files, Path(staged)), *work.settings()]).encode()).hexdigest()
            earlier = _read(file)
            if earlier.get("digest") == digest:
                return earlier
            result, keep = _examined(files, Path(staged), work, alone)
            if result is None:
                return None
        entry |= {"digest": digest} | _plain(result)
        _write_picture(work.out, ident, result)
    except CourseError as error:
        entry["failed"] = str(error)
    except Exception as error:  # whatever a hand-in has found that nobody thought of: its own row says so
        entry["failed"] = f"The hand-in cannot be used ({type(error).__name__}): look at it by hand."
    if keep:
        write_file(file, json.dumps(entry, indent=1))
    return entry


def _examined(files: Files, staged: Path, work: Work, alone: bool) -> tuple[Result | None, bool]:
    """(the result, or None for another try; whether it stands, because the machine did not cause it)."""
    disturbed: list[NotNow] = []

    def make():
        try:
            return sandboxed.make(staged, work.ruler.samples, work.seconds, work.unsafe)
        except NotNow as error:
            disturbed.append(error)
            raise

    result = examine(files, make, work.ruler, work.minutes)
    if disturbed and not alone:
        return None, False
    return result, not any(error.certain for error in disturbed)


def _plain(result):
    """What is stored of a result."""
    project, made = result.project, result.made
    about = {} if made is None else {"model": made.model, "parameters": made.parameters, "size": made.size, "difference": made.difference}
    said = {} if project is None else {name: getattr(project, name) for name in ("name", "task", "change", "group", "claims")}
    failed = next((row.text for row in result.rows if row.name in ("project.toml", "weights", "measures") and not row.ok), "")
    rows = [list(row) for row in result.rows]
    return said | about | {"spent": result.spent, "numbers": result.numbers, "recipe": result.recipe, "rows": rows, "failed": failed}


def _write_picture(out, ident, result):
    if result.made is not None:
        content = io.BytesIO()
        Image.fromarray(grid(result.made.images[:SAMPLES])).save(content, format="JPEG", quality=90)
        write_file(out / "results" / f"{ident}.jpg", content.getvalue())


def _pictures(out, entries):
    """The pictures of the entries by their ids, as the bytes of JPEG files."""
    files = {entry["id"]: out / "results" / f"{entry['id']}.jpg" for entry in entries if entry.get("model")}
    return {ident: file.read_bytes() for ident, file in files.items() if file.is_file()}


def _read(file):
    """A stored entry, or {}."""
    try:
        entry = json.loads(file.read_text(encoding="utf-8"))
        entry["rows"] = [Row(*row) for row in entry["rows"]]
        return entry
    except (OSError, ValueError, KeyError, TypeError):
        return {}
