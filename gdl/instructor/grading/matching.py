"""Which result a row of person.csv is about, also after a spreadsheet has changed letters and numbers in it."""

import re
import unicodedata
from collections.abc import Sequence

from gdl.errors import CourseError
from gdl.instructor.grading.exercise_names import letters_and_digits
from gdl.instructor.grading.sheet import harmless
from gdl.instructor.grading.totals import Result


def result_of(row: dict[str, str], results: Sequence[Result], place: str) -> Result:
    """The result of this student and exercise. place: where the row is, for messages.

    A name in which a spreadsheet has lost letters ("Ili?"), or an identifier that it took for a date, is matched if the rest of the row fits
    one result alone. Raises LookupError if there is no result or several are alike, and CourseError if the row names several in full.
    """
    of_exercise = [result for result in results if key(result["exercise"]) == key(row["exercise"])]
    named = [result for result in of_exercise if key(result["student"]) == key(row["student"])]
    identifier = row.get("identifier", "")
    exact = [result for result in named if same_identifier(result["identifier"], identifier)] if identifier else named
    if len({one["identifier"] for one in exact}) == 1 < len(exact):  # Ben, Jr. and Ben Jr
        exact = [one for one in exact if one["student"] == row["student"].lstrip("'")] or exact
        exact = [one for one in exact if row.get("file") and is_alike(one["file"], row["file"])] or exact
    if len(exact) == 1:
        return exact[0]
    if len(exact) > 1:
        raise CourseError(f"{place}: there are several students of this name, so give the identifier.")
    alike = [one for one in of_exercise if is_alike(one["student"], row["student"]) and is_alike(one["file"], row.get("file", ""))]
    alike = [one for one in alike if same_identifier(one["identifier"], identifier)] or [one for one in alike if _may_be_date(one, identifier)]
    if len(alike) == 1 and (identifier or row.get("file")):
        return alike[0]
    if len(alike) > 1:
        raise LookupError(f"{place}: this may be {' or '.join(one['student'] for one in alike[:3])}: write the name in full, and save as UTF-8.")
    raise LookupError(f"{place}: no such student with exercise {harmless(row['exercise'], 60) or '?'} is among the results.")


def key(text: str) -> str:
    """A name in the form in which names are compared, without what a spreadsheet or `harmless` may have added or removed."""
    return letters_and_digits(harmless(text)) or harmless(text).replace("'", "").strip()


def is_alike(known: str, typed: str) -> bool:
    """Whether `typed` is the known text after letters beyond ASCII were lost or exchanged by a code page. A text without such letters is itself.

    >>> is_alike("Ilić", "Ili?"), is_alike("Zoë", "Zo‰"), is_alike("Ilić", "Ilja")
    (True, True, False)
    """
    known = unicodedata.normalize("NFC", harmless(known))
    if key(known) == key(typed):
        return True
    pattern = "".join(re.escape(c) if c.isascii() else r"(?:[^\x00-\x40\x5b-\x60\x7b-\x7f]{1,4}|\?{1,2})" for c in known)
    return re.fullmatch(pattern, typed.strip(), re.IGNORECASE) is not None


def _may_be_date(result, identifier):
    """Whether a spreadsheet may have made this cell of the identifier: a date of 3-4 or MAR1, a number of 1E5."""
    known = result["identifier"]
    return bool(re.fullmatch(r"\d{1,2}[-./]\d{1,4}([-./]\d{1,4})?|[a-z]{3,4}[-. ]?\d{1,4}|\d+e\d+", known, re.IGNORECASE)) and bool(
        re.search(r"\d", identifier)
    )


def same_identifier(known: str, typed: str) -> bool:
    """Whether `typed` is the known identifier, also after a spreadsheet took it for a number.

    >>> same_identifier("00123", "123"), same_identifier("1234567890123", "1.23457E+12")
    (True, True)
    """
    known, typed = known.strip(), typed.strip().lstrip("'")
    if key(known) == key(typed) or is_alike(known, typed):
        return True
    if not re.fullmatch(r"\d{1,50}", known, re.ASCII):
        return False
    if whole := re.fullmatch(r"(\d{1,50})([.,]0*)?", typed, re.ASCII):
        return int(known) == int(whole[1])
    if scientific := re.fullmatch(r"(\d(?:[.,](\d{0,20}))?)E\+?(\d{1,2})", typed, re.ASCII | re.IGNORECASE):
        power = int(scientific[3])
        return abs(int(known) - float(scientific[1].replace(",", ".")) * 10**power) <= 0.51 * 10 ** (power - len(scientific[2] or ""))
    return False
