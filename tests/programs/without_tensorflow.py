"""Runs command lines in one process and prints, for each, exit status, standard output and error, and whether TensorFlow was imported, as JSON.

Arguments: one command line each.
"""

import contextlib
import io
import json
import shlex
import sys

from gdl.cli import main

results = {}
for line in sys.argv[1:]:
    out, error = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        try:
            main(shlex.split(line))
            status = 0
        except SystemExit as stop:
            status = stop.code
    results[line] = dict(status=status, out=out.getvalue(), error=error.getvalue(), tensorflow="tensorflow" in sys.modules)
print(json.dumps(results))
