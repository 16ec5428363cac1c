"""Many drawn faces: an ordered stream from parallel processes, and a folder with CelebA's layout."""

import io
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from gdl.arguments import whole_number
from gdl.drawn.face import draw, draw_aligned
from gdl.drawn.factors import factors, rows
from gdl.drawn.labels import attributes
from gdl.errors import CourseError
from gdl.files import whole_file, write_file

BLOCK = 64  # faces in a block
ALIGNED = 0  # in place of a size: the whole aligned frame


def draw_block(start: int, stop: int, size: int, seed: int) -> np.ndarray:
    """Faces start to stop (not included) of a seed, uint8: (k, size, size, 3), or (k, 218, 178, 3) for ALIGNED."""
    records = rows(start, stop, seed).to_dict("records")
    return np.stack([draw_aligned(row) if size == ALIGNED else draw(row, size) for row in records])


def images(n: int, size: int = 64, seed: int = 0, workers: int | None = None) -> Iterator[np.ndarray]:
    """Draws n faces in parallel: a generator of uint8 blocks (k, size, size, 3), k at most 64, in order 0 to n - 1.

    Face i is `draw(factors(n, seed).iloc[i], size)` for any number of worker processes; by default there is one for
    each processor core. Closing the generator ends the workers. Raises CourseError for a negative n or seed, a size
    below 8 or fewer than 1 worker, and when a worker stops early.

    >>> import gdl
    >>> [block.shape for block in gdl.drawn.images(3, size=32)]
    [(3, 32, 32, 3)]
    """
    n, size, seed = whole_number("n", n, 0), whole_number("size", size, 8), whole_number("seed", seed, 0)
    return _stream(n, size, seed, None if workers is None else whole_number("workers", workers))


def _stream(n, size, seed, workers=None):
    """The generator behind `images`: worker w of W draws blocks w, w + W, w + 2 W ... in a process of its own."""
    shape = (218, 178, 3) if size == ALIGNED else (size, size, 3)
    starts = range(0, n, BLOCK)
    workers = min(workers or os.cpu_count() or 1, len(starts))
    processes = []
    try:
        for w in range(workers):
            processes.append(_worker(n, size, seed, w, workers))
        for b, start in enumerate(starts):
            k = min(BLOCK, n - start)
            length = k * int(np.prod(shape))  # bytes
            block = bytearray(processes[b % workers].stdout.read(length))
            if len(block) < length:
                raise CourseError(f"A process that draws faces stopped before face {start + k}: run it again.")
            yield np.frombuffer(block, dtype=np.uint8).reshape(k, *shape)
    finally:
        for process in processes:
            process.kill()
            process.stdout.close()
            process.wait()


def _worker(n, size, seed, w, workers):
    """Starts one drawing process: a new Python, so that it works in notebooks and beside TensorFlow's threads."""
    home = str(Path(__file__).resolve().parents[2])  # so that the worker imports this same package
    path = os.pathsep.join(p for p in (home, os.environ.get("PYTHONPATH")) if p)
    command = [sys.executable, "-m", "gdl.drawn", *map(str, (n, size, seed, w, workers))]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path})


def write_celeba(folder: str | Path, n: int, seed: int = 0, tables: str = "official", zipped: bool = False) -> Path:
    """Writes n drawn faces to a folder with exactly CelebA's layout. Returns the folder.

    tables="official": `img_align_celeba/000001.jpg` and so on (or the same inside `img_align_celeba.zip` when zipped),
    `list_attr_celeba.txt` and `list_eval_partition.txt`. tables="kaggle": `img_align_celeba/img_align_celeba/*.jpg`,
    `list_attr_celeba.csv` and `list_eval_partition.csv`. The images are JPEG, 178 wide and 218 high. Attributes are
    -1 or 1; only the columns of `attributes` are written. In order, 80 % are train (0), 10 % validation (1) and
    10 % test (2). Raises CourseError for other tables, for Kaggle's tables with zipped, and for a negative n or seed.

    >>> import gdl
    >>> gdl.drawn.write_celeba("data/drawn", 1000, zipped=True)  # doctest: +SKIP
    PosixPath('data/drawn')
    """
    if tables not in ("official", "kaggle"):
        raise CourseError(f'tables is {tables!r}: choose "official" or "kaggle".')
    if tables == "kaggle" and zipped:
        raise CourseError('zipped=True is not possible with tables="kaggle": choose tables="official".')
    table = attributes(factors(n, seed)).astype(int) * 2 - 1
    table.index = [f"{i:06d}.jpg" for i in range(1, n + 1)]  # CelebA's names
    tenth = max(1, n // 10)
    split = np.searchsorted([n - 2 * tenth, n - tenth], np.arange(n), side="right")

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _write_images(folder, table.index, seed, tables, zipped)
    if tables == "official":
        _write_official(folder, table, split)
    else:
        _write_kaggle(folder, table, split)
    return folder


def _write_images(folder, names, seed, tables, zipped):
    faces = (face for block in _stream(len(names), ALIGNED, seed) for face in block)
    bar = tqdm(zip(names, faces), total=len(names), desc="drawing faces", disable=len(names) < 500)
    home = Path("img_align_celeba") / ("img_align_celeba" if tables == "kaggle" else "")
    if zipped:
        with whole_file(folder / "img_align_celeba.zip") as partial, zipfile.ZipFile(partial, "w") as archive:
            for name, face in bar:
                archive.writestr(zipfile.ZipInfo(str(home / name)), _jpeg(face))
    else:
        (folder / home).mkdir(parents=True, exist_ok=True)
        for name, face in bar:
            (folder / home / name).write_bytes(_jpeg(face))


def _jpeg(face):
    """The bytes of a JPEG file of one face, uint8 (218, 178, 3)."""
    file = io.BytesIO()
    Image.fromarray(face).save(file, "JPEG", quality=95)
    return file.getvalue()


def _write_official(folder, table, split):
    """CelebA's own tables: a count, the column names, then `000001.jpg -1  1 ...`, with the line endings of Windows."""
    lines = [str(len(table)), " ".join(table.columns) + " "]
    lines += [f"{name} " + " ".join(f"{value:2d}" for value in row) for name, row in zip(table.index, table.to_numpy())]
    _write_lines(folder / "list_attr_celeba.txt", lines, "\r\n")
    lines = [f"{name} {part}" for name, part in zip(table.index, split)]
    _write_lines(folder / "list_eval_partition.txt", lines, "\r\n")


def _write_kaggle(folder, table, split):
    """The tables as Kaggle has them: `image_id` and the columns, separated by commas."""
    lines = [",".join(["image_id", *table.columns])]
    lines += [",".join([name, *map(str, row)]) for name, row in zip(table.index, table.to_numpy())]
    _write_lines(folder / "list_attr_celeba.csv", lines, "\n")
    lines = ["image_id,partition"] + [f"{name},{part}" for name, part in zip(table.index, split)]
    _write_lines(folder / "list_eval_partition.csv", lines, "\n")


def _write_lines(path, lines, end):
    write_file(path, "".join(line + end for line in lines))
