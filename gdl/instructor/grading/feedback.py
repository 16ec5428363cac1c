"""The feedback page of a student: points, the messages of the checks, and the answers."""

from gdl.instructor.grading import totals
from gdl.instructor.grading.class_list import late_sentence
from gdl.instructor.grading.html import UNSAFE, bar, page, student_text, text
from gdl.instructor.grading.totals import Result, points_text

COUNTED = '<p class="soft small">Cells are counted from the top, with the text cells.</p>'


def feedback_page(result: Result) -> str:
    """A result as a self-contained HTML page for the student. It has the messages of the checks, and no source of a check."""
    body = [_head(result)]
    if not result["sandboxed"]:
        body.append(f'<section class="warn"><b>{UNSAFE}</b></section>')
    if result.get("comment"):
        body.append(f'<section><h2>Comment</h2><div class="comment">{text(result["comment"])}</div></section>')
    if result["problems"]:
        lines = "".join(f"<li>{text(problem, 2000)}</li>" for problem in result["problems"])
        ran = any(question.get("causes") != result["problems"] for question in result["questions"])  # else no question could be read
        title, counted = ("While your notebook ran", COUNTED) if ran else ("Your file", "")
        body.append(f'<section class="note"><h2>{title}</h2><ul>{lines}</ul>{counted}</section>')
    body += [_question(question) for question in result["questions"]]
    body.append(f'<p class="soft small">Graded from {student_text(result["file"])}</p>')
    return page(f"{result['title']}: {result['student']}", "\n".join(body))


def _head(result):
    total, maximum, waiting = totals.total(result), totals.maximum(result), totals.waiting(result)
    missing = sum(question["max"] for question in waiting)
    identifier = f' <span class="soft">{student_text(result["identifier"])}</span>' if result["identifier"] else ""
    state = f"{points_text(total)} of {points_text(maximum)} points"
    more = ""
    if waiting:
        state = f"{points_text(total)} of {points_text(maximum - missing)} points so far"
        more = f'<p class="soft">Provisional: a person still has to mark answers for {points_text(missing)} more points.</p>'
    more += "".join(f'<p class="soft">{text(sentence)}</p>' for sentence in (late_sentence(result), _partner(result)) if sentence)
    whole = maximum or 1
    return (
        f"<header><p>{student_text(result['student'])}{identifier}</p><h1>{text(result['title'])}</h1>"
        f'<p class="total">{state}</p>{bar((total / whole, "good"), (missing / whole, "wait"))}{more}</header>'
    )


def _partner(result):
    return f"Handed in together with {result['with']}." if "with" in result else ""


def _question(question):
    points, maximum = question["points"], question["max"]
    if points is None:
        value, points_bar = f"{points_text(maximum)} points, marked by a person", bar((1, "wait"))
    elif maximum:
        value = f"{points_text(points)} of {points_text(maximum)} point{'s' * (maximum != 1)}"
        points_bar = bar((points / maximum, "good" if points == maximum else "part"))
    else:
        value, points_bar = "no points", ""
    parts = [f'<div class="head"><h2>{text(question["title"])}</h2><b>{value}</b></div>{points_bar}']
    if question.get("comment"):
        parts.append(f'<div class="comment">{text(question["comment"])}</div>')
    if "automatic" in question and question["automatic"] != points:
        parts.append(f'<p class="soft small">A person has changed the points; the checks gave {points_text(question["automatic"])}.</p>')
    if sentences := question.get("causes"):
        parts.append(f'<div class="cause">{"".join(f"<p>{text(sentence, 2000)}</p>" for sentence in sentences)}</div>')
    parts.append(_checks(question["checks"]))
    if question["answer"].strip():
        kind = 'div class="answer"' if question["by_hand"] else "pre"
        parts.append(f"<details open><summary>Your answer</summary><{kind}>{text(question['answer'])}</{kind.split()[0]}></details>")
    else:
        parts.append('<p class="soft">No answer was found.</p>')
    return f"<section>{''.join(parts)}</section>"


def _checks(checks):
    """Each failed check with its message, and one line for all that succeeded."""
    wrong = [check for check in checks if check["message"]]
    lines = [_line("no", text(check["message"], 2000), check["points"], check["max"]) for check in wrong]
    if right := [check for check in checks if not check["message"]]:
        words = f"{len(right)} of {len(checks)} checks passed." if wrong else "All checks passed."
        lines.append(_line("yes", words, sum(check["points"] for check in right), sum(check["max"] for check in right)))
    return f'<ul class="checks">{"".join(lines)}</ul>' if lines else ""


def _line(kind, words, points, maximum):
    value = f'<span class="soft small">{points_text(points)} of {points_text(maximum)}</span>' if maximum and points is not None else ""
    return f'<li class="{kind}">{value}{words}</li>'
