"""Writes one file often, each time whole: write_often.py PATH LETTER."""

import sys

from gdl.files import whole_file

path, letter = sys.argv[1:]
for _ in range(300):
    with whole_file(path) as partial:
        partial.write_text(letter * 10_000)
