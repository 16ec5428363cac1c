"""What a notebook may be, and what is none."""

import json

import pytest
from submissions import A, B, bad, put

from gdl.errors import CourseError
from gdl.instructor.grading.reading import read_notebook


def test_read_notebook():
    content = json.dumps({"nbformat": 4, "cells": [
        {"cell_type": "code", "source": ["a = 1\n", "b = 2"], "metadata": {"tags": ["x"]}},
        {"cell_type": "markdown", "source": "# Title"},  # no metadata
        {"cell_type": "code", "source": 3}, {"cell_type": "applet", "source": ""}, "text", None, {"source": "x"},
        {"cell_type": "code", "source": ["half \ud800", 7, "!"], "metadata": []},
    ]}).encode()  # fmt: skip
    expected = [("code", "a = 1\nb = 2", {"tags": ["x"]}), ("markdown", "# Title", {}), ("code", "half ?!", {})]
    assert read_notebook(content) == expected
    assert read_notebook(b"\xef\xbb\xbf" + content) == expected  # with a byte order mark
    assert read_notebook(content.decode().encode("utf-16")) == expected
    assert read_notebook(json.dumps({"cells": [{"cell_type": "code", "source": "é"}]}, ensure_ascii=False).encode("latin-1"))[0][1] == "\ufffd"


def test_old_formats_are_converted():
    old = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": [
        {"cell_type": "heading", "level": 1, "source": "Title"},
        {"cell_type": "code", "input": "a = 1", "language": "python", "outputs": []},
    ]}]}  # fmt: skip
    assert [cell[:2] for cell in read_notebook(json.dumps(old).encode())] == [("markdown", "# Title"), ("code", "a = 1")]
    old["worksheets"] = [3]
    with pytest.raises(CourseError, match="old format"):
        read_notebook(json.dumps(old).encode())


@pytest.mark.parametrize(("content", "words"), [
    (b"", "empty"), (b" \n", "empty"), (b"%PDF-1.7", "a PDF"), (b"\x89PNG\r\n", "a picture"), (b"\n<!DOCTYPE html>", "a web page"),
    (b"PK\x03\x04...", "a zip"), (b"[1, 2]", "no cells"), (b"{}", "no cells"), (b'{"cells": {}}', "no cells"), (b'"x"', "no cells"),
    (b"null", "no cells"), (A[:50], "only a part"), (b"[" * 200_000, "nested too deeply"), (b'{"a":' * 200_000, "nested too deeply"),
    (b"1" * 10_000, "not in a notebook's"), (b"\0\0\0", "not in a notebook's"), (b"\xff\xfe\xff", "not in a notebook's"),
    (b'{"nbformat": 2, "worksheets": "x"}', "old format"),
])  # fmt: skip
def test_other_files_are_not_notebooks(content, words):
    with pytest.raises(CourseError, match=words):
        read_notebook(content)


def test_a_file_that_is_not_a_notebook_still_belongs_to_its_student(tmp_path):
    put(tmp_path, {"ada_101_02_vae.ipynb": b"%PDF", "ben_102_02_vae.ipynb": b"[]", "cleo_103_02_vae.ipynb": A, "dora_104_02_vae.ipynb.txt": B})
    students, problems = bad(tmp_path)
    assert set(students) == {"ada", "ben"}
    assert not problems
