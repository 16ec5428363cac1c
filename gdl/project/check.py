"""Checks a hand-in of the final project: `python -m gdl project check FOLDER`. What is missing, and how to mend it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gdl.errors import CourseError
from gdl.project import remake
from gdl.project.files import Files, open_files
from gdl.project.hand_in import Project, read_project, spent
from gdl.project.papers import card_problems, report_problem, words
from gdl.project.remake import Made
from gdl.project.ruler import Ruler
from gdl.project.rules import DIFFERENCE, FACES, MEASURED, MINUTES, SAMPLES, SECTIONS
from gdl.project.table import Row, agrees


@dataclass
class Result:
    """What was found of a hand-in. project, made: None if they cannot be read or made.  spent: minutes, epochs and training images.

    numbers: as of `Ruler.measure`.  recipe: the name and the numbers of the model to beat.
    """

    rows: list[Row] = field(default_factory=list)
    project: Project | None = None
    spent: dict[str, float] = field(default_factory=dict)
    made: Made | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    recipe: tuple[str, dict[str, float]] | None = None

    def add(self, name: str, ok: bool, text: str) -> None:
        """Adds a row to the table."""
        self.rows.append(Row(name, ok, text))


def check(
    folder: str | Path, data: str | None = None, n: int | None = FACES, samples: int = MEASURED, network: str | None = None, minutes: float = MINUTES
) -> Result:
    """Checks a hand-in in this process. Arguments as of `Ruler`; minutes: the budget of training.

    >>> check("hand-in", data="drawn").rows[0].ok  # doctest: +SKIP
    True
    """
    return examine(open_files(folder), lambda: remake.make(folder, samples), Ruler(data, n, samples, network), minutes)


def examine(files: Files, make: Callable[[], Made], ruler: Ruler, minutes: float) -> Result:
    """All that is looked at of a hand-in. make: makes its images anew, or raises CourseError."""
    result = Result()
    try:
        result.project = project = read_project(files)
        result.add("project.toml", True, f"{project.name}: {project.task}")
    except CourseError as error:
        result.add("project.toml", False, str(error))
        return result
    _budget(result, files, project, minutes)
    try:
        result.made = made = make()
        result.add("weights", True, f"{made.model} of {made.size}x{made.size} pixels, {made.parameters:,} weights")
    except CourseError as error:
        result.add("weights", False, str(error))
    else:
        _samples(result, made)
        try:
            result.numbers = ruler.measure(made, project.group)
            result.recipe = None if made.own else ruler.recipe(made.size)
            _numbers(result, project)
        except CourseError as error:
            result.add("measures", False, str(error))
    _papers(result, files)
    return result


def _budget(result, files, project, minutes):
    try:
        run, used = spent(files, project)
    except CourseError as error:
        result.add("run folder", False, str(error))
        return
    result.spent = {"minutes": used, "epochs": run.epochs, "images": run.images}
    result.add("run folder", True, f"{run.settings['model'][:40]}, epochs: {run.epochs}, training images seen: {run.images:,}")
    said = f"{used:.1f} of {minutes:g} minutes of training"
    result.add("budget", used <= minutes, said if used <= minutes else f"{said}: hand in a run that keeps to the budget.")


def _samples(result, made):
    if made.difference is None:
        result.add("samples", False, made.problem)
        return
    same = made.difference <= DIFFERENCE
    said = f"the {SAMPLES} images of samples.png differ from those made anew by at most {made.difference:.2f} of 255"
    result.add("samples", same, said if same else f"{said}, and not by rounding: write it with python -m gdl sample, from the weights handed in.")


def _numbers(result, project):
    """Adds the rows of the distance, the copies and the group, each with what was claimed."""
    numbers = result.numbers
    settings = {"network": numbers["network"], "samples": numbers["samples"]}
    different = [f"{name} = {value!r}" for name, value in settings.items() if project.claims.get(name) != value]
    if different:
        result.add("claims", False, f"they are of other settings: measure again, and write {' and '.join(different)} below [claims].")
    distance = f"distance to the validation images {numbers['distance']:.3f}"
    if result.recipe:
        name, known = result.recipe
        distance += f", {'better than' if numbers['distance'] < known['distance'] else 'not better than'} {name} with {known['distance']:.3f}"
    _claim(result, project, "distance", distance)
    _claim(result, project, "copies", f"{numbers['copies']:.1%} of the images are nearer to a training image than 99 % of the validation images are")
    if "share" in numbers:
        share, error, wanted = (numbers[name] for name in ("share", "share_error", "share_val"))
        _claim(result, project, "share", f"{project.group}: {share:.1%} ± {error:.1%} of the images, {wanted:.1%} of the validation images")
    elif project.task == "recipe":
        result.add("share", False, 'project.toml has no group: name an attribute whose share is measured, such as group = "Young".')


def _claim(result, project, name, text):
    claimed, computed = project.claims.get(name), result.numbers[name]
    if claimed is None:
        result.add(name, False, f"{text}; nothing is claimed: write {name} = {computed:.4g} below [claims] in project.toml.")
    elif not agrees(claimed, computed):
        result.add(name, False, f"{text}; {claimed:.4g} is claimed: write {computed:.4g}, or look for what differs.")
    else:
        result.add(name, True, text)


def _papers(result, files):
    for name, file in (("model card", "card.md"), ("report", "report.md")):
        try:
            text = files.read(file).decode(errors="replace")
        except CourseError as error:
            result.add(name, False, str(error))
            continue
        problems = card_problems(text) if file == "card.md" else list(filter(None, [report_problem(text)]))
        said = f"{len(SECTIONS)} sections, {words(text):,} words" if file == "card.md" else f"{words(text):,} words"
        result.add(name, not problems, f"{file}: {'; '.join(problems)}: complete it." if problems else said)
