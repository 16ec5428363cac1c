"""The leaderboard as a page and as a CSV file. The page loads nothing; its only script sorts the table. What students wrote is shown as text."""

import base64
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gdl.instructor.grading.html import page, student_text, text
from gdl.instructor.grading.sheet import write_sheet
from gdl.project.rules import SAMPLES
from gdl.project.table import agrees

Entry = Mapping[str, Any]
SCRIPT = """
document.querySelectorAll("table.sortable th button").forEach(button => button.addEventListener("click", () => {
  const head = button.parentElement, column = head.cellIndex, body = head.closest("table").tBodies[0];
  const down = head.getAttribute("aria-sort") === "ascending";
  head.parentElement.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = row => row.cells[column].dataset.value, number = row => parseFloat(key(row));
  const compare = (a, b) => {
    if (!key(a) || !key(b)) return !key(a) - !key(b);  // without a value: always last
    const order = isNaN(number(a)) || isNaN(number(b)) ? key(a).localeCompare(key(b)) : number(a) - number(b);
    return down ? -order : order;
  };
  [...body.rows].sort(compare).forEach(row => body.append(row));
}));
"""
STYLE = """<style>
body { max-width: 76rem } th.num { white-space: normal }
th button { all: unset; cursor: pointer } th button:focus-visible { outline: 2px solid #4a76a8 }
th[aria-sort=ascending] button::after { content: " ▲" } th[aria-sort=descending] button::after { content: " ▼" }
td.other { color: var(--none) } tr.recipe td { background: #f0f5fb } .samples { max-width: 100%; image-rendering: pixelated }
</style>"""
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    f"script-src 'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
)
COLUMNS = {  # heading -> name of the number
    "distance to test": "test", "distance to val": "distance", "precision": "precision", "recall": "recall", "copies": "copies",
    "share of the group": "share",
}  # fmt: skip
CLAIMED = ("distance", "copies", "share")


def order(entry: Entry) -> tuple:
    """What entries are sorted by: those of the course's faces by their distance to the test images, then those of own images, then the rest."""
    numbers = entry.get("numbers") or {}
    distance = numbers.get("test", numbers.get("distance", math.inf))
    return not numbers, entry.get("task") == "own", distance, entry["folder"]


def html_page(entries: Sequence[Entry], recipes: Mapping[str, Mapping], minutes: float, pictures: Mapping[str, bytes], unsafe: bool = False) -> str:
    """The whole page. recipes: numbers of the models to beat.  pictures: bytes of JPEG files by the ids of the entries."""
    failed = sum(bool(entry["failed"]) for entry in entries)
    unusable = f", of which {failed} could not be used" if failed else ""
    words = (
        f"Hand-ins: {len(entries)}{unusable}. Every number was computed anew from the weights that were handed in; below it stands what was "
        "claimed, in red where it differs. A smaller distance is better; the order is that of the distance to the test images, on which "
        "nothing was chosen. The minutes of training are as the run's history counts them, on its own machine; "
        f"{minutes:g} were allowed. Who is above the budget, or whose samples are not those of the weights, has no rank. "
        "Distances of own images cannot be compared with the others. Click a heading to sort."
    )
    body = [STYLE, "<h1>Leaderboard</h1>", f'<p class="soft">{text(words)}</p>']
    if unsafe:
        body.append('<section class="warn"><b>Computed without a sandbox.</b></section>')
    heads = ["rank", "name", *COLUMNS, "minutes", "weights", "to mend"]
    cells = "".join(f'<th scope="col" class="{"" if head == "name" else "num"}"><button>{text(head)}</button></th>' for head in heads)
    ranks = {entry["id"]: rank for rank, entry in enumerate(_ranked(entries), 1)}
    rows = [_row(entry, ranks.get(entry["id"]), minutes) for entry in entries] + [_recipe(name, numbers) for name, numbers in recipes.items()]
    table = f'<table class="sortable"><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table>'
    body.append(f'<section><div class="wide">{table}</div></section>')
    body += [_section(entry, pictures.get(entry["id"])) for entry in entries]
    return page("Leaderboard", "\n".join(body) + f"<script>{SCRIPT}</script>", POLICY)


def write_csv(path: Path, entries: Sequence[Entry]) -> None:
    """The same numbers as a CSV file, one row for each hand-in."""
    numbers = ["network", "samples", *COLUMNS.values(), "share_error", "share_val"]
    head = ["rank", "folder", "name", "task", "change", "model", "parameters", "size", "minutes", "epochs", "images", "group", *numbers]
    head += [f"claimed_{name}" for name in CLAIMED] + ["difference", "to_mend", "failed"]
    ranks = {entry["id"]: rank for rank, entry in enumerate(_ranked(entries), 1)}
    rows = []
    for entry in entries:
        flat = {**entry, **(entry.get("spent") or {}), **(entry.get("numbers") or {}), "rank": ranks.get(entry["id"], "")}
        flat |= {f"claimed_{name}": value for name, value in (entry.get("claims") or {}).items()}
        flat["to_mend"] = "; ".join(name for name, ok, _ in entry["rows"] if not ok)
        rows.append(["" if flat.get(name) is None else flat[name] for name in head])
    write_sheet(path, [head, *rows])


def _ranked(entries):
    """The entries that have a rank: of the course's faces, within the budget, and with samples that nobody picked."""
    needed = ("run folder", "budget", "samples")
    kept = [entry for entry in entries if entry.get("numbers") and entry.get("task") == "recipe"]
    return [entry for entry in kept if all(ok for name, ok, _ in entry["rows"] if name in needed)]


def _row(entry, rank, minutes):
    name = entry.get("name") or entry["folder"]
    link = f'<a href="#{entry["id"]}">{student_text(name, 60)}</a>'
    cells = [_cell(rank, str(rank or "")), f'<td data-value="{text(name, 60)}">{link}</td>']
    numbers, claims = entry.get("numbers") or {}, entry.get("claims") or {}
    for key in COLUMNS.values():
        value = numbers.get(key)
        claimed = claims.get(key) if key in CLAIMED and value is not None else None
        differs = claimed is not None and value is not None and not agrees(claimed, value)
        below = "" if claimed is None else f'<br><span class="small">{_number(claimed)} claimed</span>'
        shown = "" if value is None else _number(value)
        if key == "share" and value is not None:
            shown = f"{student_text(entry['group'], 40)} {shown} of {_number(numbers['share_val'])}"
        cells.append(_cell(value, shown + below, "other" if differs else ""))
    used = (entry.get("spent") or {}).get("minutes")
    cells.append(_cell(used, "" if used is None else f"{used:.1f}", "other" if used is not None and used > minutes else ""))
    parameters = entry.get("parameters")
    cells.append(_cell(parameters, "" if parameters is None else f"{parameters:,}"))
    missing = sum(not ok for _, ok, _ in entry["rows"]) or bool(entry["failed"])
    cells.append(_cell(missing, str(int(missing)), "other" if missing else ""))
    return f"<tr>{''.join(cells)}</tr>"


def _recipe(name, numbers):
    """The row of a model that comes with the course."""
    cells = [_cell(None, ""), f'<td data-value="{text(name)}">{text(name)}, the model to beat</td>']
    cells += [_cell(numbers.get(key), "" if numbers.get(key) is None else _number(numbers[key])) for key in COLUMNS.values()]
    return f'<tr class="recipe">{"".join(cells)}{3 * _cell(None, "")}</tr>'


def _cell(value, shown, kind=""):
    return f'<td class="num {kind}" data-value="{"" if value is None else value}">{shown}</td>'


def _number(value):
    """Three digits, also where the last ones are 0, so that 1.10 and 1.12 can be compared."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"


def _section(entry, picture):
    name = student_text(entry.get("name") or entry["folder"], 60)
    task = {"own": "own images · ", "recipe": "beat the recipe · "}.get(entry.get("task"), "")
    parts = [f'<div class="head"><h2>{name}</h2><span class="soft">{task}{student_text(entry["folder"], 80)}</span></div>']
    if entry.get("change"):
        parts.append(f"<p>{student_text(entry['change'], 300)}</p>")
    if entry["failed"]:
        parts.append(f'<div class="cause">{student_text(entry["failed"])}</div>')
    if picture:
        data = base64.b64encode(picture).decode()
        words = f"{SAMPLES} images of codes from the project's seed, made anew"
        parts.append(f'<img class="samples" alt="{words}" title="{words}" src="data:image/jpeg;base64,{data}">')
    items = "".join(f'<li class="{"yes" if ok else "no"}"><b>{text(what)}</b> {student_text(said)}</li>' for what, ok, said in entry["rows"])
    if items:
        parts.append(f'<details><summary>All checks</summary><ul class="checks">{items}</ul></details>')
    return f'<section id="{entry["id"]}">{"".join(parts)}</section>'
