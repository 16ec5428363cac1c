"""CelebA as it is downloaded: aligned photographs (a zip file, which is not unpacked, or a folder) and two tables.

Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015.
"""

import hashlib
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import pandas as pd
from PIL import Image

from gdl.data import cache
from gdl.data.crop import check_size, square
from gdl.data.splits import Faces, choose
from gdl.errors import DataError

WIDTH, HEIGHT = 178, 218
SPLITS = {0: "train", 1: "val", 2: "test"}  # as list_eval_partition numbers them
PHOTOS = "img_align_celeba"


class CelebA(Faces):
    """CelebA's aligned photographs with the official split and 40 attributes.

    path: the folder with `img_align_celeba.zip` or the folder `img_align_celeba`, and the tables
        `list_attr_celeba` and `list_eval_partition`, as `.txt` (official; also in `Img`, `Anno`,
        `Eval`) or `.csv` (Kaggle). The tables may list more photographs than there are.
    size: height and width of the images, a multiple of 16 from 16 to 512.
    n: at most n photographs, sampled with a fixed seed in the proportions of the splits.
    crop: side of the central square that is cut out of 178x218 pixels and resized. 140 is the
        protocol of WAE (Tolstikhin et al. 2018) and RAE (Ghosh et al. 2020).
    DataError for photographs, tables or options that cannot be used.

    >>> gdl.CelebA("data/celeba", size=64)  # doctest: +SKIP
    CelebA: 202,599 images of 64x64 pixels (162,770 train, 19,867 val, 19,962 test)
    """

    def __init__(self, path: str | Path, size: int = 64, n: int | None = None, crop: int = 140):
        size = check_size(size)
        if crop not in range(16, WIDTH + 1):
            raise DataError(f"crop={crop} is not possible: choose 16 to {WIDTH}, the width of a photograph.")
        place, attributes_path, partition_path = find(path)
        photos = list_photos(place)  # name -> (its place, its CRC or number of bytes)
        key = {
            "kind": "CelebA",
            "photos": _digest("\n".join(f"{name} {stamp}" for name, (_, stamp) in photos.items()).encode()),
            "tables": [_digest(table.read_bytes()) for table in (attributes_path, partition_path)],
            "size": size,
            "crop": crop,
            "n": n if n is not None and n < len(photos) else None,
        }

        def decode(named):
            name, source = named
            with Image.open(source) as photo:
                if photo.size != (WIDTH, HEIGHT):
                    raise DataError(
                        f"{name} in {place} has {photo.width}x{photo.height} pixels instead of {WIDTH}x{HEIGHT}: "
                        "take img_align_celeba (aligned and cropped), or open other images with gdl.ImageFolder."
                    )
                return square(photo.convert("RGB"), crop, size)

        def plan():
            attributes, partition = read_table(attributes_path), read_table(partition_path)
            for table, table_path in ((attributes, attributes_path), (partition, partition_path)):
                unknown = next((name for name in photos if name not in table.index), None)
                if unknown:
                    raise DataError(
                        f"The photograph {unknown} in {place} has no row in {table_path}: use photographs and tables from the same copy of CelebA."
                    )
            splits = {split: [] for split in SPLITS.values()}
            for name, number in zip(photos, partition["partition"].loc[list(photos)]):
                splits[SPLITS[number]].append(name)
            for split, members in splits.items():
                if not members:
                    raise DataError(
                        f"No photograph in {place} is in the split '{split}': add some (the official split is "
                        "train up to 162770.jpg, val up to 182637.jpg, test up to 202599.jpg)."
                    )
            splits = choose(splits, n)
            names = [name for members in splits.values() for name in members]
            counts = {split: len(members) for split, members in splits.items()}
            sources = open_photos(place, [photos[name][0] for name in names])
            return names, attributes.loc[names] == 1, counts, cache.decoded(zip(names, sources), decode)

        super().__init__("CelebA", key, size, plan)


def find(path: str | Path) -> tuple[Path, Path, Path]:
    """Paths of the photographs (a zip file or a folder) and of the two tables; DataError if one is missing."""
    root = Path(path).expanduser().absolute()
    if not root.exists():
        raise DataError(f"{path} does not exist: give the folder that holds {PHOTOS}.zip and CelebA's tables.")
    inner = (PHOTOS, f"{PHOTOS}.zip", "Img")
    while root.name in inner and not _table(root, "list_attr_celeba"):  # the path leads to the photographs themselves
        root = root.parent
    place = _photos(root)
    if place is None:
        raise DataError(f"{path} holds neither {PHOTOS}.zip nor a folder {PHOTOS}: put the photographs there.")
    attributes, partition = _table(root, "list_attr_celeba"), _table(root, "list_eval_partition")
    if attributes is None or partition is None:
        missing = "list_eval_partition" if attributes else "list_attr_celeba"
        raise DataError(f"{root} holds no {missing}.txt (or .csv): put it there; CelebA's page offers it beside the photographs.")
    return place, attributes, partition


def looks_like_celeba(path: Path) -> bool:
    """Whether a path holds CelebA's photographs or one of its tables, or is its zip file."""
    tables = (_table(path, "list_attr_celeba"), _table(path, "list_eval_partition"))
    return path.name in (PHOTOS, f"{PHOTOS}.zip") or _photos(path) is not None or any(tables)


def _photos(root):
    for folder in (root, root / "Img"):
        if (folder / f"{PHOTOS}.zip").exists():
            return folder / f"{PHOTOS}.zip"
        for place in (folder / PHOTOS / PHOTOS, folder / PHOTOS):
            if place.is_dir():
                return place
    return None


def _table(root, name):
    for folder in (root, root / "Anno", root / "Eval"):
        for path in (folder / f"{name}.txt", folder / f"{name}.csv"):
            if path.is_file():
                return path
    return None


def list_photos(place: Path) -> dict[str, tuple[str, int]]:
    """{name: (its place, its CRC or number of bytes)} of a zip file or a folder, sorted by name."""
    if place.suffix == ".zip":
        try:
            with zipfile.ZipFile(place) as archive:
                files = [(PurePosixPath(info.filename).name, info.filename, info.CRC) for info in archive.infolist()]
        except (zipfile.BadZipFile, OSError):
            raise DataError(f"{place} is not a complete zip file: download it again.") from None
    else:
        files = [(entry.name, entry.path, entry.stat().st_size) for entry in os.scandir(place)]
    files = [file for file in files if file[0].lower().endswith(".jpg") and not file[0].startswith(".")]
    photos = {name: (where, stamp) for name, where, stamp in sorted(files)}
    if not photos:
        raise DataError(f"{place} holds no .jpg file: put CelebA's photographs there.")
    if len(photos) < len(files):
        raise DataError(f"{place} holds two photographs of the same name: download it again.")
    return photos


def open_photos(place: Path, paths: Iterable[str]) -> Iterator[str | IO[bytes] | None]:
    """Yields what Pillow can open for each photograph of a zip file or a folder; None for one that is damaged."""
    if place.suffix != ".zip":
        yield from paths
        return
    with zipfile.ZipFile(place) as archive:
        for path in paths:
            try:
                yield io.BytesIO(archive.read(path))
            except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
                yield None


def read_table(path: Path) -> pd.DataFrame:
    """One of CelebA's tables as a DataFrame of int8 with the file names as index; DataError if it is wrong."""
    is_csv, is_attributes = path.suffix == ".csv", path.name.startswith("list_attr")
    try:
        with open(path, encoding="utf-8-sig") as file:
            first = file.readline().strip()
            second = file.readline().strip()
        if is_csv:
            columns, skip, rows = first.split(","), 1, None
        elif is_attributes:  # the number of rows, the names of the attributes, the rows
            columns, skip, rows = ["image_id", *second.split()], 2, int(first)
        else:
            columns, skip, rows = ["image_id", "partition"], 0, None
        kinds = {column: "int8" for column in columns} | {"image_id": str}
        separator = "," if is_csv else r"\s+"
        table = pd.read_csv(path, sep=separator, names=columns, skiprows=skip, dtype=kinds, header=None)
        table = table.set_index("image_id")
    except (ValueError, KeyError, OSError):  # pandas' own errors are ValueErrors
        raise _wrong_table(path, "its header or its values are not CelebA's") from None
    if rows is not None and rows != len(table):
        raise _wrong_table(path, f"its first line says {rows:,} rows and it has {len(table):,}")
    if table.index.has_duplicates:
        raise _wrong_table(path, f"{table.index[table.index.duplicated()][0]} is in it twice")
    if not is_attributes and list(table.columns) != ["partition"]:
        raise _wrong_table(path, "its columns are not image_id and partition")
    if not table.isin([-1, 1] if is_attributes else list(SPLITS)).all(axis=None):
        raise _wrong_table(path, "a value is not " + ("-1 or 1" if is_attributes else "0, 1 or 2"))
    return table


def _wrong_table(path, why):
    return DataError(f"The table {path} cannot be used because {why}: download it again.")


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]
