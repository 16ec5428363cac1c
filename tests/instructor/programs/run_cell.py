"""Runs the cell on the standard input in IPython, and prints its error or None."""

import sys

from IPython.core.interactiveshell import InteractiveShell

del sys.path[0]  # the folder of this file: a cell begins in the current folder
sys.path.insert(0, "")
print(InteractiveShell().run_cell(sys.stdin.read()).error_in_exec)
