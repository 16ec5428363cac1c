"""The fingerprint and the cache follow the contents of images, and no file is read without need."""

import errno
import os
import time
import zipfile

import numpy as np
import pytest
from conftest import refused, zip_photos
from PIL import Image

import gdl
from gdl.data import cache, contents
from gdl.data.contents import Files, decoded, digest


def fill(folder, colour, n=10):
    """Images of one colour, all of the same size in bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.new("RGB", (20, 20), colour).save(folder / f"{i:04d}.bmp")
    return folder


def replace_in_place(file, content):
    """Changes a file as `cp -p`, rsync and tar can: its size, its time of modification and its inode stay."""
    before = file.stat()
    with open(file, "r+b") as opened:
        opened.write(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = file.stat()
    assert (before.st_size, before.st_mtime_ns, before.st_ino) == (after.st_size, after.st_mtime_ns, after.st_ino)


@pytest.fixture
def quiet(monkeypatch):
    """Files count as settled at once, so that digests are remembered in a test that has just written the files."""
    monkeypatch.setattr(contents, "QUIET", -60)


@pytest.fixture
def reads(monkeypatch):
    """The names of the files that were opened."""
    names, plain = [], Files.open
    monkeypatch.setattr(Files, "open", lambda files, name: names.append(name) or plain(files, name))
    return names


@pytest.mark.slow
def test_other_images_of_the_same_names_and_sizes_are_other_faces(tmp_path, own_cache):
    black, white = (gdl.ImageFolder(fill(tmp_path / name / "images", name), 32) for name in ("black", "white"))
    assert (black.train.images.max(), white.train.images.min()) == (0, 255)
    assert black.fingerprint != white.fingerprint and black.train.fingerprint != white.train.fingerprint
    references = [gdl.metrics.reference(faces.train, network="stand_in").mean for faces in (black, white)]
    assert not np.allclose(*references)
    assert gdl.run_folder("vae", black) != gdl.run_folder("vae", white)


@pytest.mark.parametrize("remembered", [False, True])
def test_an_image_that_is_changed_in_place_is_read_again(remembered, tmp_path, own_cache, monkeypatch):
    if remembered:
        monkeypatch.setattr(contents, "QUIET", -60)
    folder = fill(tmp_path / "images", "black")
    first = gdl.ImageFolder(folder, 32)
    assert (own_cache / "contents").is_dir() is remembered
    time.sleep(0.02)  # more than a tick of the system's clock
    replace_in_place(folder / "0003.bmp", (fill(tmp_path / "other", "white") / "0003.bmp").read_bytes())
    second = gdl.ImageFolder(folder, 32)
    assert second.fingerprint != first.fingerprint
    assert sorted(image.mean() for split in (second.train, second.val, second.test) for image in split.images) == [0] * 9 + [255]
    assert first.train.images.max() == 0  # what is open stays as it is


def test_files_that_may_still_change_within_the_tick_of_a_clock_are_not_trusted(tmp_path, own_cache):
    folder = fill(tmp_path / "images", "black")
    gdl.ImageFolder(folder, 32)
    assert not (own_cache / "contents").exists()
    replace_in_place(folder / "0003.bmp", (fill(tmp_path / "other", "white") / "0003.bmp").read_bytes())  # perhaps in the same tick
    faces = gdl.ImageFolder(folder, 32)
    assert sum(split.images.max() for split in (faces.train, faces.val, faces.test)) == 255


@pytest.mark.skipif(os.name == "nt", reason="only root can start it so")
def test_untouched_files_are_not_read_again(tmp_path, own_cache, quiet, reads):
    folder = fill(tmp_path / "images", "black")
    first = gdl.ImageFolder(folder, 32)
    assert len(reads) == 20  # once for the digest, once to be decoded
    reads.clear()
    assert gdl.ImageFolder(folder, 32).fingerprint == first.fingerprint and reads == []
    folder.rename(tmp_path / "moved")
    assert gdl.ImageFolder(tmp_path / "moved", 32).fingerprint == first.fingerprint and len(reads) == 10  # the entry is named for the folder
    reads.clear()
    (tmp_path / "moved" / "0001.bmp").touch()
    assert gdl.ImageFolder(tmp_path / "moved", 32).fingerprint == first.fingerprint and len(reads) == 10


def test_a_copy_has_the_same_fingerprint(tmp_path, own_cache):
    here, there = (gdl.ImageFolder(fill(tmp_path / name / "images", "gray"), 32) for name in ("here", "there"))
    assert here.fingerprint == there.fingerprint and len(list(own_cache.iterdir())) == 1


def test_a_digest_that_was_damaged_in_the_cache_is_made_anew(tmp_path, own_cache, quiet):
    folder = fill(tmp_path / "images", "black")
    first = gdl.ImageFolder(folder, 32).fingerprint
    (note,) = (own_cache / "contents").iterdir()
    whole = note.read_text()
    for damaged in ("", whole[:20], "no digest", whole + whole):
        note.write_text(damaged)
        assert gdl.ImageFolder(folder, 32).fingerprint == first
        assert note.read_text() == whole


def test_a_remembered_digest_that_is_wrong_never_names_other_images(tmp_path, own_cache, quiet):
    folder = fill(tmp_path / "images", "black")
    gdl.ImageFolder(folder, 32)
    (note,) = (own_cache / "contents").iterdir()
    note.write_text("0" * 64)
    refused("Files in .*images changed while they were read: run again", gdl.ImageFolder, folder, 32)
    assert sorted(path.name.split("-")[0] for path in own_cache.iterdir()) == ["contents", "images"]
    gdl.ImageFolder(folder, 32)


def test_files_that_change_while_they_are_read_are_not_kept(tmp_path, own_cache):
    folder = fill(tmp_path / "images", "black")
    files, names = Files(folder, {"a": "0000.bmp", "b": "0001.bmp"}), ["a", "b"]
    expected = digest(files, names, "")
    assert list(decoded(files, names, expected, lambda file, name: name)) == [["a", "b"]]
    (folder / "0001.bmp").write_bytes((fill(tmp_path / "other", "white") / "0001.bmp").read_bytes())
    refused("changed while they were read", lambda: list(decoded(files, names, expected, lambda file, name: name)))


def test_a_cache_that_cannot_be_written_costs_the_memory_alone(tmp_path, own_cache, quiet, monkeypatch):
    files, names = Files(fill(tmp_path / "images", "black"), {"a": "0000.bmp"}), ["a"]

    def full(*_):
        raise gdl.CourseError(os.strerror(errno.ENOSPC))

    monkeypatch.setattr(contents, "write_file", full)
    assert len(digest(files, names, "")) == 64


# --- CelebA -----------------------------------------------------------------------------------


def test_celeba_follows_the_contents_of_photographs_and_tables(make_celeba, own_cache):
    root = make_celeba()
    first = gdl.CelebA(root, size=16)
    photo, other = root / "img_align_celeba" / "000001.jpg", root / "img_align_celeba" / "000002.jpg"
    size = max(photo.stat().st_size, other.stat().st_size)
    for file in (photo, other):  # the same size, so that one can take the place of the other
        file.write_bytes(file.read_bytes().ljust(size, b"\0"))
    second = gdl.CelebA(root, size=16)
    assert second.fingerprint != first.fingerprint
    replace_in_place(photo, other.read_bytes())
    third = gdl.CelebA(root, size=16)
    assert np.array_equal(third.train.images[0], first.train.images[1]) and third.fingerprint != second.fingerprint
    table = root / "list_attr_celeba.txt"
    lines = table.read_text().splitlines()
    lines[2] = lines[2].translate(str.maketrans({"-": " "})) if "-1" in lines[2] else lines[2].replace(" 1", "-1")
    table.write_text("\n".join(lines) + "\n")
    fourth = gdl.CelebA(root, size=16)
    assert fourth.fingerprint != third.fingerprint and not fourth.train.attributes.equals(third.train.attributes)
    parts = root / "list_eval_partition.txt"
    parts.write_text(parts.read_text().replace("000009.jpg 1", "000009.jpg 0").replace("000010.jpg 2", "000010.jpg 1"))
    fifth = gdl.CelebA(root, size=16)
    assert fifth.fingerprint != fourth.fingerprint and "000009.jpg" in fifth.train.names and "000010.jpg" in fifth.val.names


def test_a_zip_and_a_folder_of_the_same_photographs_are_the_same_faces(make_celeba, own_cache):
    folder = gdl.CelebA(make_celeba("folder"), size=16)
    assert gdl.CelebA(make_celeba("zip", zipped=True), size=16).fingerprint == folder.fingerprint
    assert len(list(own_cache.iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("checksum", ["right", "old"])
def test_a_zip_that_is_changed_in_place(checksum, make_celeba, own_cache, quiet):
    """In the second case, the list of the zip file says nothing about the change."""
    root = make_celeba(n=1000, zipped=True)
    archive = root / "img_align_celeba.zip"
    first = gdl.CelebA(root, size=16)
    time.sleep(0.02)
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo("img_align_celeba/000001.jpg")
        photo = bytearray(opened.read(info))
    start = archive.read_bytes().index(photo)
    photo[len(photo) // 2 :] = bytes(len(photo) - len(photo) // 2)
    content = bytearray(archive.read_bytes())
    content[start : start + len(photo)] = photo
    if checksum == "right":
        old, new = info.CRC.to_bytes(4, "little"), zipfile.crc32(photo).to_bytes(4, "little")
        content = content.replace(old, new)
    replace_in_place(archive, bytes(content))
    second = gdl.CelebA(root, size=16)
    assert second.fingerprint != first.fingerprint
    assert "000001.jpg" not in second.train.names  # it is damaged now


def test_of_many_photographs_only_the_chosen_ones_are_read(make_celeba, own_cache, reads):
    gdl.CelebA(make_celeba(n=100), size=16, n=10)
    assert len(reads) == 20 and len(set(reads)) == 10


# --- faces of version 0.1.0 ---------------------------------------------------------------------


def test_an_entry_of_version_0_1_0_is_not_served(make_celeba, own_cache):
    root = make_celeba()
    faces = gdl.CelebA(root, size=16)
    (entry,) = own_cache.iterdir()
    entry.rename(own_cache / f"CelebA-16-{faces.former_fingerprint}")
    again = gdl.CelebA(root, size=16)
    assert again.fingerprint == faces.fingerprint != faces.former_fingerprint
    assert entry.is_dir()


@pytest.mark.slow
def test_former_fingerprints_are_those_of_version_0_1_0(tmp_path, own_cache):
    """Its keys: names and sizes of files, or the checksums of a zip."""
    folder = fill(tmp_path / "images", "black", 3)
    faces = gdl.ImageFolder(folder, 32)
    names = [(split, name) for split in ("train", "val", "test") for name in getattr(faces, split).names]
    stamps = "\n".join(f"{split} {name} {(folder / name).stat().st_size}" for split, name in names)
    key = {"kind": "folder", "images": contents.hashlib.sha256(stamps.encode()).hexdigest()[:16], "size": 32, "n": None}
    assert faces.former_fingerprint == cache.fingerprint(key)
    drawn = gdl.DrawnFaces(n=20, size=32)
    assert drawn.former_fingerprint == drawn.fingerprint


def test_a_run_of_version_0_1_0_continues(tmp_path, own_cache, monkeypatch):
    from gdl.training.run_folder import RunFolder, run_settings
    from gdl.training.training_options import TrainingOptions

    monkeypatch.setenv("GDL_RUNS", str(tmp_path / "runs"))
    faces, others = (gdl.ImageFolder(fill(tmp_path / name / "images", name), 16) for name in ("black", "white"))
    model = gdl.Autoencoder(image_size=16, z_dim=2, filters=(4, 4))
    model.compile()
    settings = run_settings(model, faces, TrainingOptions())
    folder = gdl.run_folder("ae", faces)
    former = RunFolder(folder.with_name(folder.name.replace(faces.fingerprint, faces.former_fingerprint)))
    former.settings = settings | {"data": faces.former_fingerprint}
    former.begin()
    assert gdl.run_folder("ae", faces) == former.path
    assert former.open(settings, model, faces.former_fingerprint) == 0
    former.begin()  # from now on it belongs to these images alone
    assert former.read_settings()["data"] == faces.fingerprint
    with pytest.raises(gdl.CourseError, match="other settings .data was"):
        former.open(run_settings(model, others, TrainingOptions()), model, others.former_fingerprint)


def test_a_zip_of_photographs_can_be_closed_and_removed(make_celeba, own_cache):
    root = make_celeba()
    zip_photos(root)
    faces = gdl.CelebA(root, size=16)
    (root / "img_align_celeba.zip").unlink()
    assert faces.train.images.shape == (24, 16, 16, 3)
