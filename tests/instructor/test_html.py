"""Hostile text in every field of a page."""

import pytest
from made_results import Tags, result

from gdl.instructor.grading.feedback import feedback_page
from gdl.instructor.grading.summary import summary_page

EVIL = (
    '"></div></pre></bdi></title></style></details><script>alert(1)</script><img src=x onerror=alert(1)><svg/onload=alert(1)>'
    "<a href='javascript:alert(1)'>x</a><!-- --><style>*{display:none}</style>\u202e\0\x1b[31m&#x3c;script&#x3e;"
)


def spoilt(value):
    """The result with hostile text in place of every text that may be the student's or follow from it."""
    if isinstance(value, dict):
        return {key: EVIL if isinstance(inner, str) and key != "name" else spoilt(inner) for key, inner in value.items()}
    return [EVIL if isinstance(inner, str) else spoilt(inner) for inner in value] if isinstance(value, list) else value


def full():
    """A result with something in each place."""
    one = result(problems=["Cell 7 stopped with ValueError: x"], person=["It must be looked at."], comment="Well done.", sandboxed=False)
    one["questions"][0] |= {"comment": "See the lecture.", "automatic": 1}
    return one


@pytest.mark.parametrize("page", [feedback_page, lambda one: summary_page([one], [(one["file"], one["problems"][0])])], ids=["feedback", "summary"])
def test_no_tag_comes_from_the_student(page):
    kind, evil = Tags(page(full())), Tags(page(spoilt(full())))
    assert evil.tags == kind.tags  # the same page, but for its text
    assert {name for name, _ in evil.attributes} <= {"lang", "charset", "http-equiv", "content", "name", "class", "style", "title", "open"}
    assert not {"script", "img", "a", "svg", "link", "iframe", "form", "base"} & set(evil.tags)
    at = evil.attributes.index(("http-equiv", "Content-Security-Policy"))
    assert evil.attributes[at + 1] == ("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'")
    words = "".join(evil.words)
    assert "<script>alert(1)</script>" in words  # shown as text
    assert "<U+202E><U+0000><U+001B>[31m&#x3c;script" in words
    assert not set(words) & set("\u202e\0\x1b")
    source = page(spoilt(full()))
    assert "http:" not in source
    assert "https:" not in source
    assert "url(" not in source
