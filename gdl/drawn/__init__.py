"""Drawn faces: the course's own data set, with nobody's photograph in it.

`factors` samples what is true of each face, `attributes` names it in CelebA's words, `draw` paints it,
`images` paints many in parallel, and `write_celeba` writes a folder that looks like CelebA's own.
"""

from gdl.drawn.face import draw, draw_aligned
from gdl.drawn.factors import attributes, factors
from gdl.drawn.layout import images, write_celeba

VERSION = 1  # raised when the same factors give other pixels, so that stored images are drawn anew

__all__ = ["VERSION", "attributes", "draw", "draw_aligned", "factors", "images", "write_celeba"]
