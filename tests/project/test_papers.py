"""The card and the report, and that the files of project/ are what the checker asks for."""

import json
import re
import tomllib

from conftest import ROOT

from gdl.project import rules
from gdl.project.hand_in import CLAIMS, Project
from gdl.project.papers import card_problems, card_template, report_problem, words

FOLDER = ROOT / "project"


def test_words_are_those_that_a_reader_reads():
    assert words("Three plain words.\n\n```\ncode is not counted\n```\n<!-- nor this -->\nhttps://example.org/a/b - | ---") == 3
    assert words("one <!-- an unfinished comment") == 1


def test_an_empty_card_lacks_every_section_and_the_example_none():
    assert len(card_problems(card_template())) == len(rules.SECTIONS)
    example = (FOLDER / "examples" / "card.md").read_text()
    assert card_problems(example) == card_problems(example.replace("\n", "\r\n")) == []
    assert card_problems(example.replace("## Limits", "## Bounds")) == ["the section '## Limits' is missing"]
    assert card_problems(re.sub(r"(## Use\n\n).*", r"\1Anything.", example, flags=re.DOTALL)) == ["the section Use has 1 words of at least 15"]
    assert card_problems(example.replace("The model makes no faces.", "TODO")) == ["the section Limits still has a placeholder"]


def test_the_length_of_the_report_is_looked_at():
    least, most = rules.REPORT_WORDS
    assert report_problem("word " * least) == report_problem("word " * most) == ""
    assert "599 words" in report_problem("word " * (least - 1)) and "1,501 words" in report_problem("word " * (most + 1))
    assert report_problem((FOLDER / "examples" / "report.md").read_text()) == ""


def test_the_forms_are_what_the_checker_asks_for():
    assert (FOLDER / "card.md").read_text() == card_template()
    text = (FOLDER / "project.toml").read_text()
    entries = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))
    assert set(entries) == set(Project.__dataclass_fields__) and set(entries["claims"]) == set(CLAIMS)


def test_the_pages_say_what_the_rules_are():
    page = (FOLDER / "README.md").read_text()
    least, most = rules.REPORT_WORDS
    assert f"**{rules.MINUTES:g} minutes of training**" in page and f"{least} to {most:,} words" in page
    assert f"more than {rules.DIFFERENCE:g} of 255" in page and f"{rules.MEASURED:,} images" in page
    assert all(name in page for name in rules.RECIPES.values())
    rubric = (FOLDER / "rubric.md").read_text()
    points = {name: int(n) for name, n in re.findall(r"^\| \*\*(.+?)\*\*[^|]*\| (\d+) \|", rubric, re.MULTILINE)}
    assert sum(points.values()) == 40
    sheet = (FOLDER / "peer_review.md").read_text()
    assert sorted(map(int, re.findall(r"[a-z] (\d+) \|", sheet.splitlines()[-3]))) == sorted(points.values())


def test_the_notebook_is_a_clean_form_with_the_set_up_of_the_chapters():
    notebook = json.loads((FOLDER / "project.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    sources = ["".join(cell["source"]) for cell in code]
    assert not any(cell["outputs"] for cell in code) and max(len(source.splitlines()) for source in sources) <= 25
    chapter = json.loads((ROOT / "chapters" / "00_faces.ipynb").read_text())
    (shared,) = ["".join(cell["source"]) for cell in chapter["cells"] if "set-up" in cell["metadata"].get("tags", [])]
    assert sources[0] == shared
