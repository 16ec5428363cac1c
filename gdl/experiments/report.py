"""The table and the figure of an experiment."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from gdl.experiments.experiment import Cell, Experiment, text
from gdl.files import write_file
from gdl.pictures import plots

DIGITS = {  # of a number in the Markdown table, by the start of its name
    "fid": ".1f", "reconstruction_fid": ".1f", "cpu_minutes": ".1f", "parameters": ",", "kid": ".4f", "mse": ".4f",
    "precision": ".3f", "recall": ".3f", "ssim": ".3f", "pearson": ".3f", "checkerboard": ".2f",
}  # fmt: skip
NETWORKS = {
    "inception": "the Inception network",
    "stand_in": "a small stand-in for the Inception network, whose distances are not FIDs",
}


def write(out: str | Path, experiment: Experiment, results: Mapping[str, dict | None], command: str) -> None:
    """Writes table.csv, table.md and figure.png of the results so far, each whole or not at all.

    results: the result of each cell by the cell's name; None if it is not measured yet.
    command: the command line that made them.
    """
    out = Path(out)
    done = [(cell, result) for cell in experiment.cells if (result := results[cell.name])]
    rows = [{name: text(value) for name, value in cell.own.items()} | result["row"] for cell, result in done]
    table = pd.DataFrame(rows, dtype=object)
    if "note" in table:
        table["note"] = table.pop("note")  # last
    write_file(out / "table.csv", table.to_csv(index=False, lineterminator="\n"))
    data = sorted({result["data"] for _, result in done})
    write_file(out / "table.md", markdown(experiment, table, data, command))
    samples = {label(cell, result["row"]): cell.folder / "samples.png" for cell, result in done}
    _write_figure(out / "figure.png", experiment.title, {words: file for words, file in samples.items() if file.is_file()})


def markdown(experiment: Experiment, table: pd.DataFrame, data: list[str], command: str) -> str:
    """The page with the table: the columns of the CSV file that can be compared, and errors beside their values."""
    measure, own = experiment.measure, list(experiment.cells[0].own)
    done = table[table["note"].isna()] if "note" in table else table
    columns = [
        name for name in map(str, table)
        if not name.endswith(("_error", "_share")) and (not name.startswith("val_") or done[name].notna().all())  # losses of other models
    ]  # fmt: skip
    network = NETWORKS.get(measure["network"], f"the features of {measure['network']}, whose distances are not FIDs")
    measured_on = (
        f"{'; '.join(data)}. {measure['samples']:,} samples of each model, seen by {network}; kernel distance, precision and recall are "
        f"against the split {measure['against'][0]}, reconstructions are of the split val. {len(table)} of {len(experiment.cells)} cells are done."
    )
    lines = [
        f"# {experiment.title}", "", experiment.question, "", "```", command, "```", "", measured_on, "",
        "| " + " | ".join(name.replace("stand_in", "stand-in").replace("_", " ") for name in columns) + " |",
        "| " + " | ".join("---" if name in own or name == "note" else "---:" for name in columns) + " |",
    ]  # fmt: skip
    for row in table.to_dict("records"):
        lines.append("| " + " | ".join(_entry(name, row) for name in columns) + " |")
    return "\n".join(lines) + "\n"


def _entry(name: str, row: Mapping) -> str:
    value, error = row[name], row.get(f"{name}_error")
    if pd.isna(value):
        return ""
    if isinstance(value, str):
        return value.replace("|", "/").replace("\n", " ")
    core = name.removeprefix("mixture_").removeprefix("stand_in_").removeprefix("face_")
    digits = next((digits for start, digits in DIGITS.items() if core.startswith(start)), ".4g")
    return f"{value:{digits}}" + (f" ± {error:{digits}}" if not pd.isna(error) else "")


def label(cell: Cell, row: Mapping) -> str:
    """The name of a cell in the figure: its options in words, and its distance."""
    parts = []
    for name, value in cell.own.items():
        words = name.replace("_", " ")
        if isinstance(value, bool):
            parts.append(words if value else f"no {words}")
        else:
            parts.append(value if isinstance(value, str) else f"{words} {text(value)}")
    distances = {"FID": "fid_", "face distance": "face_distance_", "stand-in distance": "stand_in_distance_"}
    scores = [f"{what} {value:.4g}" for name, value in row.items() for what, start in distances.items() if name.startswith(start)]
    return ", ".join(parts + scores[:1])


def _write_figure(path, title, files):
    """A row of samples from noise for each cell, by its label, all enlarged by whole numbers to about the same size."""
    rows = {}
    for words, file in files.items():
        try:
            with Image.open(file) as image:
                strip = np.asarray(image.convert("RGB"))  # a grid of one row: a white line below the images and right of each
        except (OSError, ValueError, SyntaxError):  # what Pillow says about a damaged file
            print(f"{file} is damaged and left out of the figure: delete result.json beside it and run again to make both anew.")
            continue
        size = len(strip) - 1
        rows[words] = np.stack([strip[:size, i : i + size] for i in range(0, strip.shape[1], size + 1)])
    largest = max((images.shape[1] for images in rows.values()), default=0)
    for words, images in rows.items():
        scale = largest // images.shape[1]
        images = images.repeat(scale, axis=1).repeat(scale, axis=2)
        rest = largest - images.shape[1]
        rows[words] = np.pad(images, ((0, 0), (0, rest), (0, rest), (0, 0)), constant_values=255)
    if rows:
        page = plots.figure(rows, title=title)
        write_file(path, plots.image_file(page))
