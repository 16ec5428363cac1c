"""The feedback pages as zips that Moodle and Canvas take back, each page to its student.

The platforms' own programs read the names as follows (mod/assign/feedback/file/importziplib.php of Moodle and app/models/
abstract_assignment.rb of Canvas, read in 2026). Moodle looks for a folder `Full Name_1234567_assignsubmission_file_` with the number of the
participant. Canvas looks for the numbers of the user and of the file that was handed in, `lovelaceada_12345_67890_`. It shows the feedback
under the name of the file that was handed in. A page with the name 02_vae.ipynb would not open, so for Canvas the page lies in a notebook.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from gdl.files import write_zip
from gdl.instructor.grading.names import platform_of
from gdl.instructor.grading.tables import certain
from gdl.instructor.grading.totals import Result

_CANVAS = re.compile(r"(?:anon_[^\W_]+|\w+?_(?:LATE_)?\d+|LATE_anon_[^\W_]+)_\d{3,}(?=_)")


def write_feedback_zips(results: Sequence[Result], pages: Mapping[str, str], out: Path) -> list[Path]:
    """Writes feedback_moodle_NN_name.zip and feedback_canvas_NN_name.zip into `out`. Returns their paths. One without a page is removed.

    Only final results are in them, and only those whose files have names that the platform has given. pages: the feedback pages by the
    results' names.
    """
    written = []
    for exercise in sorted({result["exercise"] for result in results}):
        moodle: dict[str, bytes] = {}
        canvas: dict[str, bytes] = {}
        for result in certain([one for one in results if one["exercise"] == exercise]):
            page, platform = pages[result["name"]], platform_of(result["file"])
            if platform == "moodle" and re.fullmatch(r"\d+", result["identifier"], re.ASCII):
                student = re.sub(r"[_/\\\0]", " ", result["student"])
                moodle[f"{student}_{result['identifier']}_assignsubmission_file_/feedback_{exercise}.html"] = page.encode(errors="replace")
            elif platform == "canvas" and "with" not in result:
                name = re.split(r"[/!]", result["file"])[-1]
                if begin := _CANVAS.match(name):
                    is_notebook = name.endswith(".ipynb")
                    content = _as_notebook(page) if is_notebook else page
                    canvas[f"{begin[0]}_feedback{'.ipynb' if is_notebook else '.html'}"] = content.encode(errors="replace")
        for platform, files in (("moodle", moodle), ("canvas", canvas)):
            path = out / f"feedback_{platform}_{exercise}.zip"
            if files:
                write_zip(path, "feedback", files)
                written.append(path)
            else:
                path.unlink(missing_ok=True)  # that of an earlier run, whose points are no longer final
    return written


def _as_notebook(page: str) -> str:
    """A notebook that shows a page: Jupyter and Colab open it, and nothing in it runs."""
    output = nbformat.v4.new_output("display_data", data={"text/html": page, "text/plain": "Open this notebook in Jupyter or Colab."})
    cell = nbformat.v4.new_code_cell("# your feedback", outputs=[output], id="feedback")
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell])) + "\n"
