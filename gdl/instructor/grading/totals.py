"""The sums of a result: points, and what still waits for a person."""

from typing import Any

Result = dict[str, Any]  # of one notebook, as `grade` writes it to results/*.json
BY_HAND = "marked by hand."  # the end of the sentences about open questions


def automatic(result: Result) -> float:
    """Points of the questions that the grader marks."""
    return sum(question["points"] or 0 for question in result["questions"] if not question["by_hand"])


def by_hand(result: Result) -> float:
    """Points so far of the questions that a person marks."""
    return sum(question["points"] or 0 for question in result["questions"] if question["by_hand"])


def total(result: Result) -> float:
    """All points so far, less what is deducted for late days. They are final if `final` is true."""
    return max(0, automatic(result) + by_hand(result) - result.get("deducted", 0))


def maximum(result: Result) -> float:
    """The points of a notebook without mistakes."""
    return sum(question["max"] for question in result["questions"])


def waiting(result: Result) -> list[dict[str, Any]]:
    """The questions that a person still has to mark."""
    return [question for question in result["questions"] if question["points"] is None]


def final(result: Result) -> bool:
    """Whether no question waits for a person."""
    return not waiting(result)


def reasons(result: Result) -> list[str]:
    """Why a person must look at a result, without the open questions, which a person marks in any case."""
    return [reason for reason in result["person"] if not reason.endswith(BY_HAND)]


def reasons_with_marks(result: Result) -> list[str]:
    """All that a person still has to do, as sentences."""
    return [f"{question['title']}: to be {BY_HAND}" for question in waiting(result)] + reasons(result)


def points_text(value: float | None) -> str:
    """A number of points as people write it.

    >>> points_text(3.0), points_text(2.5), points_text(None)
    ('3', '2.5', '')
    """
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
