"""Zips that are broken, or that attack whoever unpacks them."""

import os
import struct
import time
import zipfile
import zlib

import pytest
from submissions import EXERCISES, A, B, bad, put, zipped

from gdl.instructor.grading import submitted, zips
from gdl.instructor.grading.collect import collect


@pytest.mark.parametrize(
    "path", ["../grace_1_02_vae.ipynb", "/etc/grace_1_02_vae.ipynb", "a/../../grace_1_02_vae.ipynb", "..\\x.ipynb", "C:\\x.ipynb"]
)
def test_zip_slip(tmp_path, path):
    put(tmp_path, {"in/ada_123_02_vae.zip": zipped({path: A}), "in/all.zip": zipped({path: A})})
    before = sorted(tmp_path.rglob("*"))
    students, problems = bad(tmp_path / "in")
    assert students == {"ada": "The path of this file leads out of its zip, so it is not graded."}
    assert list(problems.values()) == ["The path of this file leads out of its zip, so it is not graded."]
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked


def test_zip_bombs(tmp_path, monkeypatch):
    monkeypatch.setattr(submitted, "MAX_NOTEBOOK", 4 * submitted.MIB)
    monkeypatch.setattr(zips, "MAX_MEMBERS", 50)
    zeros = b" " * (3 * submitted.MIB)
    level = zipped({"02_vae.ipynb": A})
    for _ in range(3):
        level = zipped({"inner.zip": level})
    put(tmp_path, {
        "ratio_101.zip": zipped({"02_vae.ipynb": zeros}),
        "large_102.zip": zipped({"02_vae.ipynb": zeros + zeros}),
        "many_103.zip": zipped({f"{i}.txt": b"" for i in range(60)}),
        "deep_104.zip": level,
        "big_105_02_vae.ipynb": zeros + zeros,
        "liar_106.zip": lying(zipped({"02_vae.ipynb": os.urandom(1000) * 5000}), 5_000_000, 1000),
        "list_107.zip": zipped({"02_vae.ipynb": A})[:-22] + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 2**31, 0, 0),
    })  # fmt: skip
    students, problems = bad(tmp_path, exercise="02_vae")
    assert problems == {}
    expected = {
        "ratio": "far larger unpacked than packed", "large": "6 MB, and at most 4", "many": "more than 50 files",
        "deep": "a zip in a zip in a zip", "big": "6 MB", "liar": "broken in its zip", "list": "cannot be opened",
    }  # fmt: skip
    assert set(students) == set(expected)
    for who, words in expected.items():
        assert words in students[who], students[who]


def lying(archive, size, stated):
    """A zip that says that its members are small."""
    return archive.replace(struct.pack("<L", size), struct.pack("<L", stated))


def test_broken_and_locked_zips(tmp_path):
    good = zipped({"02_vae.ipynb": A})
    locked = bytearray(good)
    locked[6] |= 1
    locked[good.rindex(b"PK\1\2") + 8] |= 1
    broken = bytearray(good)
    broken[45] ^= 0xFF
    put(
        tmp_path,
        {"ada_101_02_vae.zip": bytes(locked), "ben_102_02_vae.zip": good[:40], "cleo_103_02_vae.zip": bytes(broken), "dora_104_02_vae.zip": b""},
    )
    students, _ = bad(tmp_path)
    assert students["ada"] == "This file is locked with a password."
    assert "cannot be opened" in students["ben"]
    assert "broken" in students["cleo"]
    assert "cannot be opened" in students["dora"]


def overlapping(count, size, quoted):
    """A zip of David Fifield's kind: all files share one packed kernel, so that a small zip holds count * size bytes.

    quoted: each file also holds the headers of the files after it, as bytes that were not packed, which makes each header right.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    kernel = packer.compress(b" " * size) + packer.flush()

    def header(number, packed, unpacked):
        name = b"%d/02_vae.ipynb" % number
        return struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 33, 0, packed, unpacked, len(name), 0) + name

    files = [header(0, len(kernel), size) + kernel]  # what lies from each header to the end of the kernel, from the last file to the first
    packed, unpacked = [len(kernel)], [size]
    for number in range(1, count):
        before = header(number - 1, packed[-1], unpacked[-1])
        quote = struct.pack("<BHH", 0, len(before), len(before) ^ 0xFFFF)
        packed.append(packed[-1] + (len(quote) + len(before) if quoted else 0))
        unpacked.append(unpacked[-1] + (len(before) if quoted else 0))
        files.append(header(number, packed[-1], unpacked[-1]) + (quote if quoted else b"") + files[-1])
    body, directory = files[-1], b""
    for number in reversed(range(count)):
        name = b"%d/02_vae.ipynb" % number
        offset = len(body) - len(files[number])
        directory += (
            struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, 0, 8, 0, 33, 0, packed[number], unpacked[number], len(name), 0, 0, 0, 0, 0, offset) + name
        )
    return body + directory + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), len(body), 0)


@pytest.mark.parametrize("quoted", [False, True])
def test_a_zip_whose_files_overlap_costs_no_time_and_no_other_student_a_mark(tmp_path, quoted):
    bomb = overlapping(300, 15_000_000, quoted)
    assert len(bomb) < 200_000
    put(tmp_path, {"ada_101_02_vae.zip": bomb, "ben_102.zip": zipped({"mine.zip": bomb}), "zed_999_02_vae.ipynb": A})
    start = time.process_time()
    submissions, problems = collect(tmp_path, EXERCISES)
    assert time.process_time() - start < 2
    assert problems == []
    ada, ben, zed = submissions
    assert ada.problem == ben.problem == "This zip cannot be opened: it is broken, or not a zip (its files overlap, as in a zip bomb)."
    assert (zed.problem, zed.content) == (None, A)


def test_limits_of_one_students_zips(tmp_path, monkeypatch):
    """However many files, however many zips in zips: the student's own files have the limits, and the note says so."""
    monkeypatch.setattr(submitted, "MAX_FILES", 100)
    monkeypatch.setattr(submitted, "MAX_STUDENT", 4 * submitted.MIB)
    many = zipped({f"{number}/02_vae.ipynb": A for number in range(60)})
    large = zipped({f"part {number}.zip": zipped({"x.bin": os.urandom(submitted.MIB), "02_vae.ipynb": A}) for number in "abcdefghi"})
    put(tmp_path, {
        "ada_101/a.zip": many, "ada_101/b.zip": many, "ben_102_02_vae.zip": large, "cleo_103_02_vae.zip": zipped({"02_vae.ipynb": B}),
    })  # fmt: skip
    ada, ben, cleo = collect(tmp_path, EXERCISES)[0]
    assert ada.content == A
    assert any("more than 100 files in this student's zips" in note for note in ada.notes)
    assert ben.content == A
    assert any("larger than 4 MB" in note for note in ben.notes)
    assert (cleo.content, cleo.notes) == (B, ())


def test_reading_takes_its_time_at_most(tmp_path, monkeypatch):
    monkeypatch.setattr(submitted, "MAX_SECONDS", -1)
    put(tmp_path, {"ada_101_02_vae.zip": zipped({"02_vae.ipynb": A}), "ben_102_02_vae.ipynb": B})
    assert {problem.split("because")[1] for problem in bad(tmp_path)[0].values()} == {" reading this student's files takes longer than -1 seconds."}


def test_odd_members(tmp_path):
    long = "n" * 3000
    lzma = zipfile.ZipInfo("02_vae.ipynb")
    lzma.compress_type = zipfile.ZIP_LZMA
    put(tmp_path, {
        "ada_101_02_vae.zip": zipped({f"{long}/02_vae.ipynb": A}), "ben_102_02_vae.zip": zipped({lzma: A}),
        "cleo_103_02_vae.zip": zipped({"CON/NUL.ipynb": A, "aux.ipynb/02_vae.ipynb": B}),
        "dora_104_02_vae.zip": zipped({"02_vae.ipynb/": b"", "x.rar": b"Rar!"}),
    })  # fmt: skip
    ada, ben, cleo, dora = collect(tmp_path, EXERCISES)[0]
    assert ada.content == A
    assert len(ada.file) < 600
    assert "packed in an unusual way" in ben.problem
    assert cleo.content == B
    assert "archive of the kind rar" in dora.problem
