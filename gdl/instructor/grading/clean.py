"""Text from outside, such as a file's name, made safe to show."""

import unicodedata

_DIRECTION = set(map(chr, [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF]))


def clean(text: str, limit: int = 120) -> str:
    r"""The text in one line, without control and direction characters, at most `limit` characters long.

    >>> clean("two\nlines")
    'two lines'
    """
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    text = "".join(" " if c.isspace() else c for c in text if c.isspace() or not _is_invisible(c))
    text = " ".join(text.split())
    return text if len(text) <= limit else f"{text[: limit // 2]}…{text[-(limit - limit // 2 - 1) :]}"


def _is_invisible(character):
    return unicodedata.category(character) in ("Cc", "Cs", "Co") or character in _DIRECTION
