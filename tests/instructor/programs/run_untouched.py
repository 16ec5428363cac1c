"""Runs notebooks cell by cell without their set-up cell, and prints a line of JSON for each: its ticks, crosses and first error."""

import contextlib
import io
import json
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import nbformat

for path in sys.argv[1:]:
    namespace, report = {"__name__": "__main__"}, dict(path=path, ticks=0, crosses=0, stopped=None)
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type == "code" and "set-up" not in cell.metadata.get("tags", []):
            printed = io.StringIO()
            try:
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    exec(compile(cell.source, cell.id, "exec"), namespace)
            except Exception as error:
                report["stopped"] = report["stopped"] or f"{cell.id}: {type(error).__name__}: {error}"
            report["ticks"] += printed.getvalue().count("✓")
            report["crosses"] += printed.getvalue().count("✗")
            plt.close("all")
    print("report", json.dumps(report))
