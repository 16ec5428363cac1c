"""What is said about files that are not used: how many, why, and a few names."""

import sys
from collections.abc import Mapping, Sequence


def printable(name: object) -> str:
    r"""A name as text that every screen shows: bytes that are no text and control characters are written as escapes.

    >>> printable("a\nb\udcff.png")
    'a\\nb\\udcff.png'
    """
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(name))


def counted(reasons: Mapping[str, Sequence[str]]) -> str:
    """The number of names for each reason, with the first three of them.

    >>> counted({"damaged": ["a.png", "b.png"], "empty": ["c.png"]})
    '2 damaged (a.png, b.png), 1 empty (c.png)'
    """

    def few(names):
        return ", ".join(map(printable, names[:3])) + (", ..." if len(names) > 3 else "")

    return ", ".join(f"{len(names):,} {reason} ({few(names)})" for reason, names in reasons.items() if names)


def say(text: str) -> None:
    """Prints text; letters that the output cannot show are written as escapes."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding))
