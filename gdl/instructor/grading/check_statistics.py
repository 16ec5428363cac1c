"""How many notebooks pass each check, and what the others are told most often."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from gdl.instructor.grading.hidden import NOTE
from gdl.instructor.grading.totals import Result, points_text

COLUMNS = ["exercise", "question", "check", "max", "notebooks", "passed", "share", "failed a hidden test", "most frequent message", "times"]


def check_statistics(results: Sequence[Result]) -> list[dict[str, Any]]:
    """One dictionary with the columns of checks.csv for each check, in the order of the exercises. Checks without a verdict are left out.

    share: of the notebooks that pass, from 0 to 1. failed a hidden test: how many notebooks passed the lines that students see and no more.
    """
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    titles = {}
    for result in results:
        for question in result["questions"]:
            for check in question["checks"]:
                if check["points"] is not None:
                    found[result["exercise"], check["name"]].append(check)
                    titles[result["exercise"], check["name"]] = question["title"]
    rows = []
    for (exercise, name), checks in sorted(found.items(), key=lambda item: item[0][0]):
        messages = Counter(check["message"] for check in checks if check["message"])
        (message, times) = messages.most_common(1)[0] if messages else ("", 0)
        passed, hidden = len(checks) - messages.total(), sum(times for text, times in messages.items() if text.endswith(NOTE))
        cells = [exercise, titles[exercise, name], name, points_text(checks[0]["max"]), len(checks), passed, round(passed / len(checks), 3), hidden]
        rows.append(dict(zip(COLUMNS, [*cells, message.removesuffix(NOTE), times], strict=True)))
    return rows
