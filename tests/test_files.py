"""Files and folders that are written whole or not at all, by several writers at once."""

import errno
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gdl import files
from gdl.errors import CourseError
from gdl.files import temporary_folder, whole_file, whole_folder, write_file

WRITE_OFTEN = Path(__file__).parent / "programs" / "write_often.py"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "new folder" / "weights.weights.h5"
    with whole_file(path) as partial:
        partial.write_text("new")
        assert partial.parent == path.parent and partial.name.endswith(".weights.h5")
        assert not path.exists()
    assert path.read_text() == "new" and names(path.parent) == [path.name]


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        with whole_file(path) as partial:
            partial.write_text("half")
            1 / 0  # noqa: B018
    assert path.read_text() == "old" and names(tmp_path) == ["file.txt"]


def test_a_writer_that_starts_in_the_middle_of_another_does_not_end_it(tmp_path):
    path = tmp_path / "file.txt"
    with whole_file(path) as first:
        first.write_text("first")
        with whole_file(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and names(tmp_path) == ["file.txt"]


@pytest.mark.slow
def test_two_processes_that_write_one_file_both_end_well(tmp_path):
    path = tmp_path / "file.txt"
    both = [subprocess.Popen([sys.executable, str(WRITE_OFTEN), str(path), letter]) for letter in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    assert path.read_text() in ("a" * 10_000, "b" * 10_000) and names(tmp_path) == ["file.txt"]


def test_threads_that_write_one_file_all_end_well(tmp_path):
    path = tmp_path / "file.txt"

    def write(letter):
        for _ in range(100):
            with whole_file(path) as partial:
                partial.write_text(letter * 1000)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    assert path.read_text() in {letter * 1000 for letter in "abcd"} and names(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_what_cannot_be_written_is_one_sentence_with_the_fix(whole, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    path = tmp_path / "file" / "new"
    with pytest.raises(CourseError) as caught:
        with whole(path, room="buy a disk", place="choose another disk"):
            pytest.fail("it began to write")
    assert re.fullmatch(rf"{re.escape(str(path))} cannot be written \([\w ]+\): choose another disk\.", str(caught.value))
    assert caught.value.__suppress_context__ and names(tmp_path) == ["file"]


@pytest.mark.parametrize(
    "number,fix",
    [
        (errno.ENOSPC, "buy a disk, or choose another disk"),
        (errno.EDQUOT, "buy a disk, or choose another disk"),
        (errno.EROFS, "choose another disk"),
        (errno.EIO, "choose another disk"),
        (errno.EFBIG, "choose another disk"),
        (errno.EACCES, "close it where another program has it open, make sure that you may write there, or choose another disk"),
        (errno.ENAMETOOLONG, "give a shorter name, or choose another disk"),
    ],
)
def test_only_a_full_disk_asks_for_room(number, fix, tmp_path, monkeypatch):
    def fail(source, target):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with pytest.raises(CourseError) as caught:
        write_file(tmp_path / "new", "text", room="buy a disk", place="choose another disk")
    assert str(caught.value) == f"{tmp_path / 'new'} cannot be written ({os.strerror(number)}): {fix}."
    assert names(tmp_path) == []


def test_a_virus_scanner_that_holds_a_file_for_a_moment_is_waited_for(tmp_path, monkeypatch):
    replace, refusals, slept = os.replace, iter([True, True, False]), []

    def scan(source, target):
        if next(refusals):
            raise PermissionError(errno.EACCES, "Access is denied")
        replace(source, target)

    monkeypatch.setattr(os, "replace", scan)
    monkeypatch.setattr(time, "sleep", slept.append)
    write_file(tmp_path / "file.txt", "all of it")
    assert (tmp_path / "file.txt").read_text() == "all of it" and slept == [0.1, 0.2]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP, errno.EPERM, errno.EACCES, errno.ENOSYS])
@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_a_drive_without_fsync_is_written_all_the_same(whole, number, tmp_path, monkeypatch):
    def refuse(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with whole(tmp_path / "new") as partial:
        (partial if whole is whole_file else partial / "a.txt").write_text("new")
    assert names(tmp_path) == ["new"]


def test_a_disk_that_fails_to_keep_the_content_is_an_error(tmp_path, monkeypatch):
    def fail(descriptor):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CourseError, match="Input/output error"):
        write_file(tmp_path / "new", b"bytes")
    assert names(tmp_path) == []


def test_a_long_name_in_any_alphabet_can_be_written(tmp_path):
    path = tmp_path / ("顔" * 70 + ".weights.h5")  # 221 bytes
    write_file(path, "é")
    assert path.read_bytes() == "é".encode() and names(tmp_path) == [path.name]


def test_a_folder_is_there_when_it_is_whole(tmp_path):
    path = tmp_path / "new folder" / "release"
    with whole_folder(path) as partial:
        (partial / "inside").mkdir()
        (partial / "inside" / "a.txt").write_text("new")
        assert partial.parent == path.parent and not path.exists()
    assert (path / "inside" / "a.txt").read_text() == "new" and names(path.parent) == ["release"]


def test_a_folder_that_is_there_is_replaced_when_the_new_one_is_whole(tmp_path):
    path = tmp_path / "release"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with pytest.raises(ZeroDivisionError):
        with whole_folder(path) as partial:
            (partial / "new.txt").write_text("half")
            1 / 0  # noqa: B018
    assert names(path) == ["old.txt"] and names(tmp_path) == ["release"]
    with whole_folder(path) as partial:
        (partial / "new.txt").write_text("new")
        assert names(path) == ["old.txt"]
    assert names(path) == ["new.txt"] and names(tmp_path) == ["release"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    path = tmp_path / "release"
    path.mkdir()
    (path / "old.txt").write_text("old")
    rename = Path.rename

    def refuse(source, target):
        if target == path and not (source / "old.txt").exists():
            raise OSError(errno.EIO, "Input/output error")
        return rename(source, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CourseError, match="Input/output error"):
        with whole_folder(path) as partial:
            (partial / "new.txt").write_text("new")
    assert names(path) == ["old.txt"] and names(tmp_path) == ["release"]


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_another_writer_has_put_there_in_the_meantime_stays(there, tmp_path):
    path = tmp_path / "entry"
    if there:
        path.mkdir()
        (path / "old.txt").write_text("old")
    with whole_folder(path) as first:
        (first / "first.txt").write_text("first")
        with whole_folder(path) as second:
            (second / "second.txt").write_text("second")
        assert names(path) == ["second.txt"]
    assert names(path) == (["first.txt"] if there else ["second.txt"]) and names(tmp_path) == ["entry"]


def test_a_temporary_folder_is_gone_at_the_end(tmp_path):
    with pytest.raises(ZeroDivisionError):
        with temporary_folder(tmp_path / "file.txt") as one, temporary_folder(tmp_path / "file.txt") as two:
            (one / "inside").mkdir()
            assert one.parent == two.parent == tmp_path and one != two and names(two) == []
            1 / 0  # noqa: B018
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows does not say whether a process runs")
def test_only_what_nobody_writes_any_more_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host = files.HOST
    writers = {"mine": (host, os.getpid()), "ended": (host, ended.pid), "far": ("far", 1), "old": ("old", 1), "huge": (host, 10**30)}
    parts = {who: tmp_path / f".partial.{host}.{process}.abc.{who}.npz" for who, (host, process) in writers.items()}
    for path in parts.values():
        path.write_text("half")
    for name in (".partial.theirs", f".partial.{host}.{ended.pid}.abc.folder"):
        (tmp_path / name).mkdir()
    (tmp_path / f".partial.{host}.{ended.pid}.abc.folder" / "a.txt").write_text("half")
    two_days_ago = time.time() - 2 * files.DAY
    os.utime(parts["old"], (two_days_ago, two_days_ago))
    with whole_file(tmp_path / "new.txt") as partial:
        partial.write_text("new")
    assert names(tmp_path) == sorted([parts["far"].name, parts["huge"].name, parts["mine"].name, ".partial.theirs", "new.txt"])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_what_a_killed_writer_leaves_goes_with_the_next_one(tmp_path):
    path = tmp_path / "file.txt"
    process = subprocess.Popen([sys.executable, str(WRITE_OFTEN), str(path), "a"])
    while not any(name.startswith(".partial.") for name in names(tmp_path)):
        assert process.poll() is None
    process.kill()
    process.wait()
    (tmp_path / f".partial.{files.HOST}.{process.pid}.abc.file.txt").write_text("half")
    with whole_file(path) as partial:
        partial.write_text("new")
    assert path.read_text() == "new" and names(tmp_path) == ["file.txt"]
