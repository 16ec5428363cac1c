"""Opens a CelebA: open_celeba.py FOLDER [slowly]."""

import sys
import time

import gdl
from gdl.data import celeba

if "slowly" in sys.argv:
    square = celeba.square
    celeba.square = lambda *options: time.sleep(0.01) or square(*options)
gdl.CelebA(sys.argv[1], size=16, crop=178)
