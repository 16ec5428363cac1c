"""The instructor's page: how each question and the whole went, and what needs a person."""

from statistics import mean, median

from gdl.instructor.grading import totals
from gdl.instructor.grading.html import UNSAFE, bar, own, page, text
from gdl.instructor.grading.totals import number

BINS = 10  # of the distribution of totals


def summary_page(results, problems=()):
    """All results as one HTML page. problems: (file, sentence) of files that are nobody's."""
    exercises = sorted({result["exercise"] for result in results})
    count = len({(result["student"], result["identifier"]) for result in results})
    body = [f"<h1>Marks: {_many(len(results), 'notebook')} of {_many(count, 'student')}</h1>"]
    unsafe = sum(not result["sandboxed"] for result in results)
    if unsafe:
        body.append(f'<section class="warn"><b>{unsafe} of {len(results)}: {UNSAFE}</b> They carry the sign {_UNSAFE_TAG} below.</section>')
    waiting = sum(len(totals.waiting(result)) for result in results)
    if waiting:
        body.append(
            f'<section class="note"><b>Provisional.</b> {_many(waiting, "answer")} to mark by hand: fill in person.csv, and import it.</section>'
        )
    for exercise in exercises:
        body.append(_exercise([result for result in results if result["exercise"] == exercise]))
    body.append(_person(results, problems))
    body.append(_time(results))
    return page("Marks", "\n".join(part for part in body if part))


_HARDEST = ' <span class="tag calm">hardest</span>'
_UNSAFE_TAG = '<span class="tag">no sandbox</span>'


def _exercise(results):
    most = max(map(totals.maximum, results))
    sums = [totals.total(result) for result in results]
    done = sum(map(totals.final, results))
    state = "all final" if done == len(results) else f"{done} final, {len(results) - done} provisional"
    words = (
        f"{_many(len(results), 'notebook')}, {state}. Mean{' so far' if done < len(results) else ''} {mean(sums):.1f} of {number(most)} points, median {median(sums):.1f}, "
        f"from {number(min(sums))} to {number(max(sums))}."
    )
    parts = [_histogram(sums, most), _questions(results), _students(results)]
    return f'<section><h2>{text(results[0]["title"])}</h2><p class="soft">{words}</p>{"".join(parts)}</section>'


def _histogram(sums, most):
    """How many students have how many points."""
    width = max(1, -(-most // BINS)) if float(most).is_integer() else most / BINS
    edges = [k * width for k in range(int(most // width) + 1)]
    counts = [sum(low <= value < low + width for value in sums) for low in edges]
    highest = max(counts) or 1
    columns = []
    for low, count in zip(edges, counts):
        high = min(low + width - 1, most)
        label = number(low) if width == 1 or high <= low else f"{number(low)}–{number(high)}"
        columns.append(f'<div>{count or ""}<i style="height:{75 * count / highest:.0f}%"></i><span>{label}</span></div>')
    return f'<div class="hist">{"".join(columns)}</div><p class="soft small right">students by points{"" if width == 1 else " (half points count downwards)"}</p>'


def _questions(results):
    """One row for each question: the mean and a bar of who has all, some and none of the points."""
    rows, shares = [], {}
    names = {question["name"]: question for result in results for question in result["questions"]}
    for name, first in names.items():
        given = [question for result in results for question in result["questions"] if question["name"] == name]
        marked = [question["points"] for question in given if question["points"] is not None]
        n, most = len(given), first["max"]
        if not most:
            continue
        full, none = sum(p >= most for p in marked) / n, sum(p == 0 for p in marked) / n
        part, wait = (len(marked) / n) - full - none, 1 - len(marked) / n
        if 2 * len(marked) >= n:  # an open question is only compared when half of its answers are marked
            shares[name] = mean(marked) / most
        drawn = bar(
            (full, "good"),
            (part, "part"),
            (none, "none"),
            (wait, "wait"),
            title=f"{full:.0%} all, {part:.0%} some, {none:.0%} none, {wait:.0%} waiting",
        )
        rows.append((name, first["title"], f"{mean(marked):.1f} of {number(most)}" if marked else f"– of {number(most)}", drawn, full, none))
    hardest = min(shares, key=shares.get) if len(shares) > 1 and min(shares.values()) < 1 else None
    lines = [
        f"<tr><td>{text(title)}{_HARDEST if name == hardest else ''}</td><td class=num>{average}</td>"
        f"<td>{drawn}</td><td class=num>{full:.0%}</td><td class=num>{none:.0%}</td></tr>"
        for name, title, average, drawn, full, none in rows
    ]
    key = "".join(
        f'<span class="key {kind}"></span>{words}'
        for kind, words in [("good", "all points"), ("part", "some"), ("none", "none"), ("wait", "not marked yet")]
    )
    return (
        '<div class="wide"><table><tr><th>Question</th><th class=num>Mean</th><th style="width:34%"></th><th class=num>All</th><th class=num>None</th></tr>'
        f'{"".join(lines)}</table></div><p class="soft small right">{key}</p>'
    )


def _students(results):
    lines = []
    for result in sorted(results, key=lambda result: (result["student"].casefold(), result["identifier"])):
        most = totals.maximum(result) or 1
        missing = sum(question["max"] for question in totals.waiting(result))
        state = "" if totals.final(result) else ' <span class="soft small">provisional</span>'
        tag = "" if result["sandboxed"] else f" {_UNSAFE_TAG}"
        drawn = bar((totals.total(result) / most, "good"), (missing / most, "wait"))
        lines.append(
            f'<tr><td>{own(result["student"])} <span class="soft small">{own(result["identifier"])}</span>{tag}</td><td class=num>{number(totals.total(result))}{state}</td>'
            f"<td>{drawn}</td></tr>"
        )
    table = f'<div class="wide"><table><tr><th>Student</th><th class=num>Points</th><th style="width:45%"></th></tr>{"".join(lines)}</table></div>'
    return f"<details open><summary>{_many(len(results), 'student')}</summary>{table}</details>"


def _person(results, problems):
    """Who must be looked at and why, without the questions that are always marked by hand."""
    lines = []
    for result in results:
        if why := totals.reasons(result):
            items = "".join(f"<div>{text(reason, 600)}</div>" for reason in why)
            lines.append(
                f'<tr><td>{own(result["student"])} <span class="soft small">{own(result["identifier"])}</span></td><td>{text(result["exercise"])}</td><td>{items}</td></tr>'
            )
    lines += [f"<tr><td>{own(file)}</td><td></td><td>{text(why, 600)}</td></tr>" for file, why in problems]
    if not lines:
        return "<section><h2>Needs a person</h2><p>Nothing but the open questions, if there are any.</p></section>"
    return f'<section><h2>Needs a person</h2><div class="wide"><table><tr><th>Student</th><th>Exercise</th><th>Why</th></tr>{"".join(lines)}</table></div></section>'


def _time(results):
    seconds = [result["seconds"] for result in results if result.get("seconds") is not None]
    if not seconds:
        return ""
    slow = max((result for result in results if result.get("seconds") is not None), key=lambda result: result["seconds"])
    return (
        f"<section><h2>Time</h2><p>{sum(seconds):.0f} s of grading, median {median(seconds):.1f} s a notebook; "
        f"longest {slow['seconds']:.1f} s, {own(slow['student'])}, {text(slow['exercise'])}.</p></section>"
    )


def _many(count, what):
    return f"{count} {what}{'s' * (count != 1)}"
