"""Drawn faces: the course's own data set, without photographs of real people.

`factors` samples the factors of each face, `attributes` gives CelebA's attributes of it, `draw` draws it,
`images` draws many in parallel, and `write_celeba` writes a folder with CelebA's layout.
"""

from gdl.drawn.face import draw, draw_aligned
from gdl.drawn.factors import factors
from gdl.drawn.labels import attributes
from gdl.drawn.layout import images, write_celeba

VERSION = 1  # increased when the same factors give other pixels, so that cached images are drawn again

__all__ = ["VERSION", "attributes", "draw", "draw_aligned", "factors", "images", "write_celeba"]
