"""Files in folders of submissions that are no notebooks, or no files."""

import os
import time
import zipfile

import pytest
from submissions import A, B, bad, notebook, put, zipped

from gdl.instructor.grading import submitted


def test_links_are_not_followed(tmp_path):
    put(tmp_path / "secret", {"02_vae.ipynb": A})
    folder = put(tmp_path / "in", {"grace_124_02_vae.ipynb": B})
    (folder / "ada_123_02_vae.ipynb").symlink_to(tmp_path / "secret" / "02_vae.ipynb")
    (folder / "hedy_125").symlink_to(tmp_path / "secret")
    (folder / "loop_126").symlink_to(folder)
    link = zipfile.ZipInfo("02_vae.ipynb")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    (folder / "ines_127.zip").write_bytes(zipped({link: b"/etc/passwd"}))
    students, _ = bad(folder)
    assert set(students) == {"ada", "hedy", "loop", "ines"}
    assert set(students.values()) == {"This is a link to another place, and links are not followed."}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a system with FIFOs")
def test_a_fifo_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "ada_123_02_vae.ipynb")
    os.mkfifo(tmp_path / "ben_124_02_vae.zip")
    start = time.monotonic()
    students, _ = bad(tmp_path)
    assert students == {"ada": "This is not a regular file.", "ben": "This is not a regular file."}
    assert time.monotonic() - start < 1


def test_unreadable_file(tmp_path, monkeypatch):
    put(tmp_path, {"ada_123_02_vae.ipynb": A, "ben_124_02_vae.ipynb": B})
    real = os.open

    def refuse(path, *more):
        if "ada_123" in str(path):
            raise PermissionError(13, "Permission denied")
        return real(path, *more)

    monkeypatch.setattr(os, "open", refuse)
    assert bad(tmp_path)[0] == {"ada": "This file cannot be read (Permission denied)."}


def test_everything_together_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(submitted, "MAX_ALL", 2 * len(A))
    put(tmp_path, {f"{who}_10{i}_02_vae.ipynb": notebook(f"{who} = 1") for i, who in enumerate("abc")})
    assert list(bad(tmp_path)[0]) == ["c"]
