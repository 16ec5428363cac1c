"""The cache: built once, whole at any moment, and clear about what is wrong."""

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import gdl
from gdl.data import cache

OPEN = Path(__file__).parent / "programs" / "open_celeba.py"


def entries(folder):
    return sorted(path.name for path in folder.iterdir())


def digest(entry):
    """One digest of all of an entry's files."""
    whole = hashlib.sha256()
    for name in ("images.npy", "meta.json"):
        whole.update((entry / name).read_bytes())
    with np.load(entry / "tables.npz") as tables:
        for name in sorted(tables):
            whole.update(tables[name].tobytes())
    return whole.hexdigest()


def start(root, folder, *options):
    """Opens CelebA in a process of its own."""
    return subprocess.Popen([sys.executable, str(OPEN), str(root), *options], env=os.environ | {"GDL_CACHE": str(folder)}, stdout=subprocess.DEVNULL)


def test_an_entry_is_three_plain_files_and_is_built_once(make_celeba, own_cache, monkeypatch):
    root = make_celeba()
    first = gdl.CelebA(root, size=16)
    (entry,) = own_cache.iterdir()
    assert entry.name == f"CelebA-16-{first.fingerprint}"
    assert entries(entry) == ["images.npy", "meta.json", "tables.npz"]
    assert (entry / "images.npy").stat().st_size == 128 + 30 * 16 * 16 * 3
    monkeypatch.setattr(cache, "_build", lambda *_: pytest.fail("decoded a second time"))
    again = gdl.CelebA(root, size=16)
    assert np.array_equal(again.train.images, first.train.images)
    assert again.train.attributes.equals(first.train.attributes)
    assert again.train.names.tolist() == first.train.names.tolist()


def test_images_are_a_read_only_memory_map(make_celeba, own_cache):
    images = gdl.CelebA(make_celeba(), size=16).train.images
    assert isinstance(images, np.memmap) and images.dtype == np.uint8
    with pytest.raises(ValueError):
        images[0] = 0


def test_the_fingerprint_tells_data_crop_size_and_n_apart(make_celeba, own_cache):
    root = make_celeba()
    options = [{}, {"crop": 100}, {"size": 32}, {"n": 20}]
    prints = [gdl.CelebA(root, **({"size": 16} | option)).fingerprint for option in options]
    (root / "img_align_celeba" / "000030.jpg").unlink()
    prints.append(gdl.CelebA(root, size=16).fingerprint)
    table = root / "list_attr_celeba.txt"
    table.write_text(table.read_text().replace(" 1", "-1", 1))
    prints.append(gdl.CelebA(root, size=16).fingerprint)
    assert len(set(prints)) == len(prints) == len(entries(own_cache))
    assert gdl.CelebA(root, size=16, n=29).fingerprint == prints[-1]  # all that there are


@pytest.mark.parametrize(
    "platform, variable, expected",
    [
        ("linux", "XDG_CACHE_HOME", "here/gdl"),
        ("linux", None, "home/.cache/gdl"),
        ("darwin", None, "home/Library/Caches/gdl"),
    ],
)
def test_the_folder_is_where_the_system_keeps_caches(platform, variable, expected, monkeypatch, tmp_path):
    for name in ("GDL_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "platform", platform)
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "here"))
    assert cache.folder() == tmp_path / expected


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_killed_in_the_middle_the_next_start_is_right(make_celeba, tmp_path):
    root = make_celeba(n=600)
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    process = start(root, disturbed, "slowly")
    deadline = time.time() + 60
    while not any(path.stat().st_size for path in disturbed.glob(".partial.*/images.npy")):
        assert process.poll() is None and time.time() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert [name.startswith(".partial.") for name in entries(disturbed)] == [True]  # nothing but a part
    for folder in (disturbed, undisturbed):
        assert start(root, folder).wait() == 0
    assert entries(disturbed) == entries(undisturbed)  # the part has been removed
    (name,) = entries(undisturbed)
    assert digest(disturbed / name) == digest(undisturbed / name)


@pytest.mark.slow
def test_two_processes_at_once_both_end_right(make_celeba, tmp_path):
    root, folder = make_celeba(n=300), tmp_path / "shared cache"
    both = [start(root, folder, "slowly") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    (name,) = entries(folder)
    assert start(root, tmp_path / "alone").wait() == 0
    assert digest(folder / name) == digest(tmp_path / "alone" / name)


def test_if_another_process_was_first_its_entry_is_taken(make_celeba, own_cache, monkeypatch):
    root = make_celeba()
    first = np.array(gdl.CelebA(root, size=16).train.images)
    monkeypatch.setattr(Path, "exists", lambda path, **_: False if path.parent == own_cache else os.path.exists(path))
    assert np.array_equal(gdl.CelebA(root, size=16).train.images, first)
    assert len(entries(own_cache)) == 1


def change_format(entry):
    meta = json.loads((entry / "meta.json").read_text())
    (entry / "meta.json").write_text(json.dumps(meta | {"format": 99}))


def cut(name):
    return lambda entry: os.truncate(entry / name, (entry / name).stat().st_size - 100)


@pytest.mark.parametrize(
    "harm, said",
    [
        (change_format, "format 99"),
        (cut("images.npy"), "damaged"),
        (cut("tables.npz"), "damaged"),
        (cut("meta.json"), "damaged"),
        (lambda entry: (entry / "meta.json").unlink(), "damaged"),
    ],
)
def test_an_entry_that_cannot_be_read_says_which_folder_to_delete(harm, said, make_celeba, own_cache):
    root = make_celeba()
    gdl.CelebA(root, size=16)
    (entry,) = own_cache.iterdir()
    harm(entry)
    with pytest.raises(gdl.DataError, match=said) as caught:
        gdl.CelebA(root, size=16)
    assert f"delete the folder {entry} and run again" in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_disk_that_is_too_small_is_reported_before_anything_is_decoded(make_celeba, own_cache, monkeypatch):
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda _: SimpleNamespace(free=10_000))
    monkeypatch.setattr(cache, "_write_images", lambda *_: pytest.fail("began to decode"))
    with pytest.raises(gdl.DataError, match=r"The disk of the cache .* has 0.00 GB free: make room for 0.00 GB"):
        gdl.CelebA(make_celeba(), size=16)
    assert entries(own_cache) == []


@pytest.mark.parametrize("full", ["images.npy", "tables.npz"])
def test_a_disk_that_fills_up_leaves_nothing_behind(full, make_celeba, own_cache, monkeypatch):
    class FullDisk:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, content):
            if self.file.name.endswith(full) and self.file.tell() + memoryview(content).nbytes > 200:
                raise OSError(errno.ENOSPC, "No space left on device")
            return self.file.write(content)

    monkeypatch.setattr(cache, "open", lambda *options, **more: FullDisk(open(*options, **more)), raising=False)
    root = make_celeba()
    said = r"cannot be written \(No space left on device\): make room for 0.00 GB, take fewer images with n, or set the environment .* GDL_CACHE"
    with pytest.raises(gdl.CourseError, match=said):
        gdl.CelebA(root, size=16)
    assert entries(own_cache) == []
    monkeypatch.undo()
    monkeypatch.setenv("GDL_CACHE", str(own_cache))
    assert len(gdl.CelebA(root, size=16).train) == 24


def test_a_cache_that_cannot_be_written_says_so(make_celeba, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("GDL_CACHE", str(tmp_path / "file" / "cache"))
    said = r"cannot be written \(Not a directory\): set the environment variable GDL_CACHE to another folder"
    with pytest.raises(gdl.CourseError, match=said):
        gdl.CelebA(make_celeba(), size=16)


def test_an_interrupted_build_leaves_nothing_behind(make_celeba, own_cache, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "_write_header", interrupt)
    with pytest.raises(KeyboardInterrupt):
        gdl.CelebA(make_celeba(), size=16)
    assert entries(own_cache) == []


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENODEV])
def test_a_drive_without_memory_maps_is_read_into_memory(own_cache, monkeypatch, capsys, number):
    mapped = gdl.DrawnFaces(20, 16).train.images

    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(np, "memmap", refuse)
        images = gdl.DrawnFaces(20, 16).train.images
    assert "images.npy is on a drive without memory maps, and is read into memory (0.00 GB)" in capsys.readouterr().out
    assert not isinstance(images, np.memmap) and not images.flags.writeable and np.array_equal(images, mapped)
