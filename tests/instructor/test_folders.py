"""Files in folders of submissions that are no notebooks, or no files."""

import os
import time
import tracemalloc
import zipfile

import pytest
from submissions import EXERCISES, A, B, bad, notebook, put, zipped

from gdl.instructor.grading import submitted
from gdl.instructor.grading.collect import collect
from gdl.instructor.grading.submission import NotRead


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


def test_the_limit_is_for_each_student(tmp_path, monkeypatch):
    """However much others hand in, a student's notebook is read."""
    monkeypatch.setattr(submitted, "MAX_STUDENT", 2 * len(A))
    put(tmp_path, {f"ben_102/{i}/02_vae.ipynb": notebook(f"b = {i}") for i in range(5)})
    put(tmp_path, {f"{who}_10{i}_02_vae.ipynb": notebook(f"{who} = 1") for i, who in enumerate("acdefgh", 3)})
    submissions, problems = collect(tmp_path, EXERCISES)
    assert [(one.student, one.problem) for one in submissions] == [(who, None) for who in ["a", "ben", *"cdefgh"]]
    assert problems == []
    notes = submissions[1].notes
    assert any("were" in note or "not read, because this student's files together are larger" in note for note in notes), notes


@pytest.mark.slow
def test_contents_are_not_kept_in_memory(tmp_path):
    """An honest term: notebooks of 19 MB, of which 40 must fit into much less than their sum."""
    big = notebook("a = 1")[:-1] + b', "pad": "' + b"x" * 19_000_000 + b'"}'
    (tmp_path / "big").write_bytes(big)
    for number in range(40):
        (folder := tmp_path / "in" / f"ada{number}_{100 + number}").mkdir(parents=True)
        os.link(tmp_path / "big", folder / "02_vae.ipynb")
    tracemalloc.start()
    submissions, _ = collect(tmp_path / "in", EXERCISES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.problem for one in submissions] == [None] * 40
    assert peak < 6 * len(big)
    assert submissions[0].content == big


def test_a_notebook_that_changes_or_vanishes_is_not_graded_as_another(tmp_path):
    put(tmp_path, {"ada_123_02_vae.ipynb": A, "ben_124.zip": zipped({"02_vae.ipynb": A})})
    ada, ben = collect(tmp_path, EXERCISES)[0]
    put(tmp_path, {"ada_123_02_vae.ipynb": B, "ben_124.zip": zipped({"02_vae.ipynb": B})})
    for one in (ada, ben):
        with pytest.raises(NotRead, match="has changed while the grader ran|broken in its zip"):
            _ = one.content
    (tmp_path / "ada_123_02_vae.ipynb").unlink()
    with pytest.raises(NotRead, match="cannot be read .No such file"):
        _ = ada.content


def test_a_file_that_seems_endless_and_a_folder_of_many_files(tmp_path):
    put(tmp_path, {"ada_123/02_vae.ipynb": A, "ben_124/x.txt": b""})
    for path in ("ben_124/02_vae.ipynb", "cleo_125_02_vae.zip"):
        with open(tmp_path / path, "wb") as file:
            file.truncate(10**12)  # a terabyte of nothing, which takes no room
    for number in range(2000):
        (tmp_path / "ada_123" / f"{number}.txt").touch()
    start = time.process_time()
    students, _ = bad(tmp_path)
    assert time.process_time() - start < 5
    assert set(students) == {"ben", "cleo"}
    assert "at most 20 MB are read" in students["ben"]
    assert "not a zip" in students["cleo"]


def test_archives_that_are_not_opened_are_told(tmp_path):
    put(tmp_path, {"Ada/x.rar": b"Rar!", "Ben/y.7z": b"7z", "Cleo.tar.gz": b"\x1f\x8b", "dora_104_z.tgz": b"", "Emma/02_vae.ipynb": A})
    students, problems = bad(tmp_path)
    assert problems == {}
    assert {who: problem.split(",")[0] for who, problem in students.items()} == {
        "Ada": "This is an archive of the kind rar", "Ben": "This is an archive of the kind 7z", "Cleo": "This is an archive of the kind tar.gz",
        "dora": "This is an archive of the kind tgz",
    }  # fmt: skip


def test_what_cannot_be_read_is_uncertain_and_what_is_no_notebook_is_not(tmp_path):
    put(tmp_path, {"ada_101_02_vae.ipynb": b" " * (submitted.MAX_NOTEBOOK + 1), "ben_102_02_vae.ipynb": b"%PDF-1.7"})
    ada, ben = collect(tmp_path, EXERCISES)[0]
    assert (ada.unread, ben.unread) == (True, False)
