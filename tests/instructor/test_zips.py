"""Zips that are broken, or that attack whoever unpacks them."""

import os
import struct

import pytest
from submissions import A, bad, put, zipped

from gdl.instructor.grading import submitted, zips


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
