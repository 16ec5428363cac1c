"""The instructor's page: the points by question and in all, and what needs a person."""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from gdl.instructor.grading import totals
from gdl.instructor.grading.html import UNSAFE, bar, page, student_text, text
from gdl.instructor.grading.totals import Result, points_text

BINS = 10  # of the distribution of totals
_HARDEST = ' <span class="tag calm">hardest</span>'
_UNSAFE_TAG = '<span class="tag">no sandbox</span>'


def summary_page(results: Sequence[Result], problems: Sequence[tuple[str, str]] = (), checks: Sequence[dict[str, Any]] = ()) -> str:
    """All results as one self-contained HTML page.

    problems: (file, sentence) of files that belong to no student. checks: as `check_statistics` returns them.
    """
    absent = [result for result in results if "absent" in result]
    results = [result for result in results if "absent" not in result]
    exercises = sorted({result["exercise"] for result in results})
    count = len({(result["student"], result["identifier"]) for result in results})
    notebooks = sum("with" not in result for result in results)
    body = [f"<h1>Marks: {_many(notebooks, 'notebook')} of {_many(count, 'student')}</h1>"]
    unsafe = sum(not result["sandboxed"] for result in results)
    if unsafe:
        body.append(f'<section class="warn"><b>{unsafe} of {len(results)}: {UNSAFE}</b> They are marked {_UNSAFE_TAG} below.</section>')
    waiting = sum(len(totals.waiting(result)) for result in results)
    if waiting:
        left_out = len({(one["student"], one["identifier"]) for one in results if not totals.final(one)})
        sentence = (
            f"{_many(waiting, 'answer')} to mark by hand: fill in person.csv and run gdl grade again. "
            f"{_many(left_out, 'student')} wait{'s' * (left_out == 1)} for this, and moodle_*.csv and canvas_*.csv leave out what is not final."
        )
        body.append(f'<section class="note"><b>Provisional.</b> {sentence}</section>')
    for exercise in exercises:
        of_exercise = [result for result in results if result["exercise"] == exercise]
        missing = [result for result in absent if result["exercise"] == exercise]
        body.append(_exercise(of_exercise, missing, [row for row in checks if row["exercise"] == exercise]))
    body.append(_changed(results))
    body.append(_person(results, problems))
    body.append(_time(results))
    return page("Marks", "\n".join(part for part in body if part))


def _exercise(results, absent, checks):
    maximum = max(map(totals.maximum, results))
    sums = [totals.total(result) for result in results]
    done = sum(map(totals.final, results))
    state = "all final" if done == len(results) else f"{done} final, {len(results) - done} provisional"
    so_far = " so far" if done < len(results) else ""
    notebooks = _many(sum("with" not in result for result in results), "notebook")
    words = (
        f"{notebooks}, {state}. Mean{so_far} {mean(sums):.1f} of {points_text(maximum)} points, "
        f"median {median(sums):.1f}, from {points_text(min(sums))} to {points_text(max(sums))}."
    )
    parts = [_histogram(sums, maximum), _questions(results), _checks(checks), _students(results)]
    if absent:
        who = ", ".join(_student(result) for result in absent)
        parts.append(f"<p><b>{_many(len(absent), 'student')} handed in nothing:</b> {who}</p>")
    return f'<section><h2>{text(results[0]["title"])}</h2><p class="soft">{words}</p>{"".join(parts)}</section>'


def _histogram(sums, maximum):
    """The distribution of the students' points."""
    width = max(1, -(-maximum // BINS)) if float(maximum).is_integer() else maximum / BINS
    edges = [k * width for k in range(int(maximum // width) + 1)]
    counts = [sum(low <= value < low + width for value in sums) for low in edges]
    highest = max(counts) or 1
    columns = []
    for low, count in zip(edges, counts):
        high = min(low + width - 1, maximum)
        label = points_text(low) if width == 1 or high <= low else f"{points_text(low)}–{points_text(high)}"
        columns.append(f'<div>{count or ""}<i style="height:{75 * count / highest:.0f}%"></i><span>{label}</span></div>')
    caption = "students by points" + ("" if width == 1 else " (half points are rounded down)")
    return f'<div class="hist">{"".join(columns)}</div><p class="soft small right">{caption}</p>'


def _questions(results):
    """One row for each question: the mean, and a bar with the shares of students who have all, some and none of the points."""
    rows, shares = [], {}
    names = {question["name"]: question for result in results for question in result["questions"]}
    for name, first in names.items():
        given = [question for result in results for question in result["questions"] if question["name"] == name]
        marked = [question["points"] for question in given if question["points"] is not None]
        n, maximum = len(given), first["max"]
        if not maximum:
            continue
        full, none = sum(p >= maximum for p in marked) / n, sum(p == 0 for p in marked) / n
        part, wait = (len(marked) / n) - full - none, 1 - len(marked) / n
        if 2 * len(marked) >= n:  # an open question is only compared when half of its answers are marked
            shares[name] = mean(marked) / maximum
        title = f"{full:.0%} all, {part:.0%} some, {none:.0%} none, {wait:.0%} waiting"
        share_bar = bar((full, "good"), (part, "part"), (none, "none"), (wait, "wait"), title=title)
        average = f"{mean(marked):.1f}" if marked else "–"
        rows.append((name, first["title"], f"{average} of {points_text(maximum)}", share_bar, full, none))
    hardest = min(shares, key=shares.__getitem__) if len(shares) > 1 and min(shares.values()) < 1 else None
    lines = [
        f"<tr><td>{text(title)}{_HARDEST if name == hardest else ''}</td><td class=num>{average}</td>"
        f"<td>{share_bar}</td><td class=num>{full:.0%}</td><td class=num>{none:.0%}</td></tr>"
        for name, title, average, share_bar, full, none in rows
    ]
    head = '<th>Question</th><th class=num>Mean</th><th style="width:34%"></th><th class=num>All</th><th class=num>None</th>'
    colours = [("good", "all points"), ("part", "some"), ("none", "none"), ("wait", "not marked yet")]
    key = "".join(f'<span class="key {colour}"></span>{words}' for colour, words in colours)
    return f'{_table(head, lines)}<p class="soft small right">{key}</p>'


def _checks(checks):
    """One row for each check, without a bar: this table is unfolded to find the check that most notebooks fail."""
    lines = []
    for row in checks:
        often = f"{text(row['most frequent message'], 300)} ({row['times']})" if row["times"] else ""
        numbers = f"<td class=num>{row['share']:.0%}</td><td class=num>{row['failed a hidden test'] or ''}</td>"
        lines.append(f"<tr><td>{text(row['check'])}</td><td>{text(row['question'])}</td>{numbers}<td class=small>{often}</td></tr>")
    if not lines:
        return ""
    head = "<th>Check</th><th>Question</th><th class=num>Pass</th><th class=num>Fail hidden tests</th><th>Most frequent message</th>"
    return f"<details><summary>{_many(len(lines), 'check')}</summary>{_table(head, lines)}</details>"


def _changed(results):
    """Whose points this run has changed."""
    lines = []
    for result in results:
        if change := result.get("changed"):
            totals_ = f"{text(change['total before'])} → {text(change['total now'])}"
            cells = f"<td>{text(result['exercise'])}</td><td class=num>{totals_}</td><td>{text(change['what'])}</td>"
            lines.append(f"<tr><td>{_student(result)}</td>{cells}<td>{text(change['state before'])}</td></tr>")
    if not lines:
        return ""
    head = "<th>Student</th><th>Exercise</th><th class=num>Total</th><th>What</th><th>State before</th>"
    return f"<section><h2>Changed since the last run</h2>{_table(head, lines)}</section>"


def _students(results):
    lines = []
    for result in sorted(results, key=lambda result: (result["student"].casefold(), result["identifier"])):
        maximum = totals.maximum(result) or 1
        missing = sum(question["max"] for question in totals.waiting(result))
        state = "" if totals.final(result) else ' <span class="soft small">provisional</span>'
        tag = "" if result["sandboxed"] else f" {_UNSAFE_TAG}"
        points = f"{points_text(totals.total(result))}{state}"
        points_bar = bar((totals.total(result) / maximum, "good"), (missing / maximum, "wait"))
        lines.append(f"<tr><td>{_student(result)}{tag}</td><td class=num>{points}</td><td>{points_bar}</td></tr>")
    table = _table('<th>Student</th><th class=num>Points</th><th style="width:45%"></th>', lines)
    return f"<details open><summary>{_many(len(results), 'student')}</summary>{table}</details>"


def _person(results, problems):
    """Which results a person must look at and why, without the open questions, which a person marks in any case."""
    lines = []
    for result in results:
        if reasons := totals.reasons(result):
            items = "".join(f"<div>{text(reason, 600)}</div>" for reason in reasons)
            lines.append(f"<tr><td>{_student(result)}</td><td>{text(result['exercise'])}</td><td>{items}</td></tr>")
    lines += [f"<tr><td>{student_text(file)}</td><td></td><td>{text(reason, 600)}</td></tr>" for file, reason in problems]
    table = _table("<th>Student</th><th>Exercise</th><th>Why</th>", lines) if lines else "<p>Only the open questions, if there are any.</p>"
    return f"<section><h2>Needs a person</h2>{table}</section>"


def _time(results):
    timed = [result for result in results if result.get("seconds") is not None]
    if not timed:
        return ""
    seconds = [result["seconds"] for result in timed]
    slowest = max(timed, key=lambda result: result["seconds"])
    return (
        f"<section><h2>Time</h2><p>{sum(seconds):.0f} s of grading, median {median(seconds):.1f} s a notebook; "
        f"longest {slowest['seconds']:.1f} s, {student_text(slowest['student'])}, {text(slowest['exercise'])}.</p></section>"
    )


def _student(result):
    return f'{student_text(result["student"])} <span class="soft small">{student_text(result["identifier"])}</span>'


def _table(head, lines):
    return f'<div class="wide"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _many(count, noun):
    return f"{count} {noun}{'s' * (count != 1)}"
