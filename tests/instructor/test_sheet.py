"""CSV files in which no cell is a formula."""

import csv
import io

import pytest
from made_results import result

from gdl.instructor.grading.sheet import harmless, read_sheet
from gdl.instructor.grading.tables import write_tables


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", "x;=1+1", 'x"=1', "x,\t@y", "a\n=1"])
def test_no_cell_is_a_formula(tmp_path, text):
    one = result(student=text, identifier=text, person=[text], open_points=None, file=text)
    one["questions"][1]["answer"] = text
    write_tables([one], tmp_path)
    for path in tmp_path.glob("*.csv"):
        content = path.read_text(encoding="utf-8-sig")
        for separator in ",;\t":
            for row in csv.reader(io.StringIO(content, newline=""), delimiter=separator):
                for cell in row:
                    assert cell.strip()[:1] not in tuple("=+-@\uff1d"), (path.name, cell)


def test_harmless_leaves_other_text_alone():
    for text in ("Ada", "O'Brien", "Zoë Ó Sé", "3-4", "a@b.c", "阿达", "1.5"):
        assert harmless(text) == text
    assert harmless("a\r\nb\x00\u202ec") == "a ¶ bc"


def test_a_row_that_an_editor_has_shortened_has_empty_cells(tmp_path):
    (tmp_path / "a.csv").write_text("student,total,state\nAda\n\nBen,3,final,more\n", encoding="utf-8")
    assert read_sheet(tmp_path / "a.csv", ("state",)) == [
        (2, {"student": "Ada", "total": "", "state": ""}), (4, {"student": "Ben", "total": "3", "state": "final"}),
    ]  # fmt: skip
