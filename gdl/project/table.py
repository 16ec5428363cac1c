"""The table of a check: one line for each thing that is looked at, and whether a claimed number is the computed one."""

from collections.abc import Iterable
from typing import NamedTuple

from gdl.project.rules import CLAIM_LEAST, CLAIM_SHARE


class Row(NamedTuple):
    """One line of the table: what is looked at, whether it is as asked for, and a sentence with what was found and how to mend it."""

    name: str
    ok: bool
    text: str


def table(rows: Iterable[Row]) -> str:
    """The rows as text, each beginning with ok or MISSING.

    >>> print(table([Row("budget", True, "3.0 of 120 minutes")]))
    ok       budget        3.0 of 120 minutes
    """
    return "\n".join(f"{'ok' if row.ok else 'MISSING':<9}{row.name:<14}{row.text}" for row in rows)


def agrees(claimed: float, computed: float) -> bool:
    """Whether a claimed number is the computed one, but for what another machine may change.

    >>> agrees(1.03, 1.0), agrees(0.8, 1.0)
    (True, False)
    """
    return abs(claimed - computed) <= max(CLAIM_LEAST, CLAIM_SHARE * abs(computed))
