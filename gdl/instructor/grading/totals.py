"""What a result adds up to."""


def automatic(result):
    """Points of the questions that the grader marks."""
    return sum(question["points"] or 0 for question in result["questions"] if not question["by_hand"])


def by_hand(result):
    """Points that a person has given so far to the questions marked by hand."""
    return sum(question["points"] or 0 for question in result["questions"] if question["by_hand"])


def total(result):
    """All points so far: final only if `final` says so."""
    return automatic(result) + by_hand(result)


def maximum(result):
    return sum(question["max"] for question in result["questions"])


def waiting(result):
    """The questions that wait for a person's mark."""
    return [question for question in result["questions"] if question["points"] is None]


def final(result):
    return not waiting(result)


def reasons(result):
    """Why a person must look at a result, without the questions that are marked by hand in any case."""
    return [why for why in result["person"] if not why.endswith("marked by hand.")]


def reasons_with_marks(result):
    """All that a person still has to do, as sentences."""
    return [f"{question['title']}: marked by hand." for question in waiting(result)] + reasons(result)


def number(value):
    """A number of points as people write it: 3, 2.5."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".")
