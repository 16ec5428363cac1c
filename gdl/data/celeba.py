"""CelebA as it is downloaded: aligned photographs (a zip file, which is not unpacked, or a folder) and two tables.

Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015.
"""

import hashlib
import os
import zipfile
from numbers import Integral
from pathlib import Path

from gdl.data import contents
from gdl.data.celeba_tables import has_partition, photo_key, read_attributes, read_partition
from gdl.data.crop import check_size, square
from gdl.data.decode import open_image, upright_rgb
from gdl.data.listing import NO_FILE, is_hidden, not_an_image
from gdl.data.paths import checked_path
from gdl.data.report import counted, printable, say
from gdl.data.splits import Faces, choose
from gdl.errors import DataError

WIDTH, HEIGHT = 178, 218
PHOTOS = "img_align_celeba"
COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


class CelebA(Faces):
    """CelebA's aligned photographs with the official split and 40 attributes.

    path: the folder with `img_align_celeba.zip` or the folder `img_align_celeba`, and the tables
        `list_attr_celeba` and `list_eval_partition`, as `.txt` (official; also in `Img`, `Anno`,
        `Eval`) or `.csv` (Kaggle). The tables may list more photographs than there are.
    size: height and width of the images, a multiple of 16 from 16 to 512.
    n: at most n photographs, sampled with a fixed seed in the proportions of the splits.
    crop: side of the central square that is cut out of 178x218 pixels and resized. 140 is the
        protocol of WAE (Tolstikhin et al. 2018) and RAE (Ghosh et al. 2020).
    The fingerprint changes with the contents of the photographs and of the tables, and is the same for a zip file and for a folder.
    DataError for photographs, tables or options that cannot be used.

    >>> gdl.CelebA("data/celeba", size=64)  # doctest: +SKIP
    CelebA: 202,599 images of 64x64 pixels (162,770 train, 19,867 val, 19,962 test)
    """

    def __init__(self, path: str | Path, size: int = 64, n: int | None = None, crop: int = 140):
        size = check_size(size)
        if not isinstance(crop, Integral) or crop not in range(16, WIDTH + 1):
            raise DataError(f"crop={crop!r} is not possible: choose 16 to {WIDTH}, the width of a photograph.")
        place, attributes_path, partition_path = find(path)
        photos = list_photos(place)
        partition = read_partition(partition_path, list(photos))
        splits = {split: partition.index[partition == split].tolist() for split in ("train", "val", "test")}
        for split, members in splits.items():
            if not members:
                raise DataError(
                    f"No photograph in {place} is in the split '{split}': add some (the official split is "
                    "train up to 162770.jpg, val up to 182637.jpg, test up to 202599.jpg)."
                )
        splits = choose(splits, n)
        names = [name for members in splits.values() for name in members]
        files = contents.Files(place, {name: photos[name][0] for name in names})
        counts = {split: len(members) for split, members in splits.items()}
        digest = contents.digest(files, names, "Comparing CelebA with the cache")
        key = {
            "kind": "CelebA",
            "splits": counts,
            "photos": digest,
            "attributes": _digest(attributes_path.read_bytes()),
            "size": size,
            "crop": int(crop),
        }
        former = {
            "kind": "CelebA",
            "photos": _digest("\n".join(f"{name} {stamp}" for name, (_, stamp) in photos.items()).encode(errors="surrogateescape")),
            "tables": [key["attributes"], _digest(partition_path.read_bytes())],
            "size": size,
            "crop": int(crop),
            "n": n if n is not None and n < len(photos) else None,
        }

        def decode(file, name):
            with open_image(file) as photo:
                if photo.size != (WIDTH, HEIGHT):
                    raise DataError(
                        f"{name} in {place} has {photo.width}x{photo.height} pixels instead of {WIDTH}x{HEIGHT}: "
                        "take img_align_celeba (aligned and cropped), or open other images with gdl.ImageFolder."
                    )
                return square(upright_rgb(photo), crop, size)

        def plan():
            attributes = read_attributes(attributes_path, list(photos)).loc[names]
            return names, attributes, counts, contents.decoded(files, names, digest, decode)

        super().__init__("CelebA", key, size, plan, former=former)


def find(path: str | Path) -> tuple[Path, Path, Path]:
    """Paths of the photographs (a zip file or a folder) and of the two tables; DataError if one is missing.

    The table of attributes is also that of the split if it has a column for it and the other table is missing.
    """
    root = checked_path(path, "data/celeba").absolute()
    if not root.exists():
        raise DataError(f"{printable(path)} does not exist: give the folder that holds {PHOTOS}.zip and CelebA's tables.")
    inner = (PHOTOS, f"{PHOTOS}.zip", "Img")
    while root.name in inner and not _table(root, "list_attr_celeba"):  # the path leads to the photographs themselves
        root = root.parent
    place = _photos(root)
    if place is None:
        raise DataError(f"{printable(path)} holds neither {PHOTOS}.zip nor a folder {PHOTOS}: put the photographs there.")
    attributes, partition = _table(root, "list_attr_celeba"), _table(root, "list_eval_partition")
    if attributes and not partition and has_partition(attributes):
        partition = attributes
    if attributes is None or partition is None:
        missing = "list_eval_partition" if attributes else "list_attr_celeba"
        raise DataError(f"{printable(root)} holds no {missing}.txt (or .csv): put it there; CelebA's page offers it beside the photographs.")
    return place, attributes, partition


def looks_like_celeba(path: Path) -> bool:
    """Whether a path holds CelebA's photographs or one of its tables, or is its zip file."""
    tables = (_table(path, "list_attr_celeba"), _table(path, "list_eval_partition"))
    return path.name in (PHOTOS, f"{PHOTOS}.zip") or _photos(path) is not None or any(tables)


def _photos(root):
    for folder in (root, root / "Img"):
        if (folder / f"{PHOTOS}.zip").is_file():
            return folder / f"{PHOTOS}.zip"
        for place in (folder / PHOTOS / PHOTOS, folder / PHOTOS):
            if place.is_dir():
                return place
    return None


def _table(root, name):
    for folder in (root, root / "Anno", root / "Eval"):
        for ending in ("txt", "csv", "tsv"):
            if (folder / f"{name}.{ending}").is_file():
                return folder / f"{name}.{ending}"
    return None


def list_photos(place: Path) -> dict[str, tuple[str, int]]:
    """{name: (the path inside, its CRC or number of bytes)} of a zip file or a folder, sorted by name. Prints what is passed over."""
    files, passed_over = _in_folder(place) if place.is_dir() else _in_zip(place)
    photos, keys = {}, set()
    for name, where, stamp in sorted(files):
        if reason := not_an_image(name):
            passed_over.setdefault(reason, []).append(where)
            continue
        if photo_key(name) in keys:
            raise DataError(f"{printable(place)} holds two photographs of the same name ({printable(name)}): remove one.")
        keys.add(photo_key(name))
        photos[name] = where, stamp
    if not photos:
        nested = ", but a zip file: unpack it, and" if any(name.lower().endswith(".zip") for name, _, _ in files) else ":"
        raise DataError(f"{printable(place)} holds no .jpg file{nested} put CelebA's photographs there.")
    if passed_over:
        say(f"Passed over in {printable(place)}: {counted(passed_over)}")
    return photos


def _in_folder(place):
    files, passed_over = [], {}
    for entry in os.scandir(place):
        if is_hidden(entry.name) or entry.is_dir():
            continue
        if entry.is_file():
            files.append((entry.name, entry.name, entry.stat().st_size))
        else:
            passed_over.setdefault("linked to nothing" if entry.is_symlink() else NO_FILE, []).append(entry.name)
    return files, passed_over


def _in_zip(place):
    try:
        with zipfile.ZipFile(place) as archive:
            members = [info for info in archive.infolist() if not info.is_dir() and not any(map(is_hidden, _parts(info.filename)))]
    except PermissionError:
        raise DataError(f"You have no permission to read {place}: change its permissions, or use a copy of your own.") from None
    except (zipfile.BadZipFile, OSError, NotImplementedError):
        raise DataError(f"{place} is not a complete zip file: download it again.") from None
    if any(info.volume for info in members):
        raise DataError(f"{place} is one part of a zip file that was split: unpack it, and put the folder {PHOTOS} in its place.")
    for info in members:
        locked, unusual = info.flag_bits & 1, info.compress_type not in COMPRESSIONS
        if (locked or unusual) and not not_an_image(info.filename):
            why = "protected by a password" if locked else f"compressed in a way that Python cannot read (method {info.compress_type})"
            raise DataError(f"{place} is {why} ({printable(info.filename)}): unpack it, and put the folder {PHOTOS} in its place.")
    return [(_parts(info.filename)[-1], info.filename, info.CRC) for info in members], {}


def _parts(path):
    """The folders and the name of a file in a zip, which some programs write with backslashes."""
    return [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _digest(content):
    return hashlib.sha256(content).hexdigest()[:16]
