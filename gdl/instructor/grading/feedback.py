"""A student's page: points, what each check says, the own answers."""

from gdl.instructor.grading import totals
from gdl.instructor.grading.html import UNSAFE, bar, own, page, text
from gdl.instructor.grading.totals import number


def feedback_page(result):
    """A result as a self-contained HTML page for the student: messages of checks, and never what they tried."""
    body = [_head(result)]
    if not result["sandboxed"]:
        body.append(f'<section class="warn"><b>{UNSAFE}</b></section>')
    if result.get("comment"):
        body.append(f'<section><h2>Comment</h2><div class="comment">{text(result["comment"])}</div></section>')
    if result["problems"]:
        lines = "".join(f"<li>{text(problem, 2000)}</li>" for problem in result["problems"])
        body.append(f'<section class="note"><h2>While your notebook ran</h2><ul>{lines}</ul></section>')
    body += [_question(question) for question in result["questions"]]
    body.append(f'<p class="soft small">Graded from {own(result["file"])}</p>')
    return page(f"{result['title']}: {result['student']}", "\n".join(body))


def _head(result):
    total, maximum, waiting = totals.total(result), totals.maximum(result), totals.waiting(result)
    missing = sum(question["max"] for question in waiting)
    identifier = f' <span class="soft">{own(result["identifier"])}</span>' if result["identifier"] else ""
    state = f"{number(total)} of {number(maximum)} points"
    more = ""
    if waiting:
        state = f"{number(total)} of {number(maximum - missing)} points so far"
        more = f'<p class="soft">Provisional: {number(missing)} more points are marked by a person.</p>'
    whole = maximum or 1
    return (
        f"<header><p>{own(result['student'])}{identifier}</p><h1>{text(result['title'])}</h1>"
        f'<p class="total">{state}</p>{bar((total / whole, "good"), (missing / whole, "wait"))}{more}</header>'
    )


def _question(question):
    points, most = question["points"], question["max"]
    if points is None:
        value, drawn = f"{number(most)} points, marked by a person", bar((1, "wait"))
    elif most:
        value = f"{number(points)} of {number(most)} point{'s' * (most != 1)}"
        drawn = bar((points / most, "good" if points == most else "part"))
    else:
        value, drawn = "for the quick, no points", ""
    parts = [f'<div class="head"><h2>{text(question["title"])}</h2><b>{value}</b></div>{drawn}']
    if question.get("comment"):
        parts.append(f'<div class="comment">{text(question["comment"])}</div>')
    if "automatic" in question and question["automatic"] != points:
        parts.append(f'<p class="soft small">A person has set the points; the checks gave {number(question["automatic"])}.</p>')
    parts.append(_checks(question["checks"]))
    if question["answer"].strip():
        kind = 'div class="answer"' if question["by_hand"] else "pre"
        parts.append(f"<details open><summary>Your answer</summary><{kind}>{text(question['answer'])}</{kind.split()[0]}></details>")
    else:
        parts.append('<p class="soft">No answer was found.</p>')
    return f"<section>{''.join(parts)}</section>"


def _checks(checks):
    """What is wrong, each with what the check says; what is right, in one line."""
    wrong = [check for check in checks if check["message"]]
    lines = [_line("no", text(check["message"], 2000), check["points"], check["max"]) for check in wrong]
    if right := [check for check in checks if not check["message"]]:
        words = f"{len(right)} of {len(checks)} checks are right." if wrong else "All checks are right."
        lines.append(_line("yes", words, sum(check["points"] for check in right), sum(check["max"] for check in right)))
    return f'<ul class="checks">{"".join(lines)}</ul>' if lines else ""


def _line(kind, words, points, most):
    value = f'<span class="soft small">{number(points)} of {number(most)}</span>' if most else ""
    return f'<li class="{kind}">{value}{words}</li>'
