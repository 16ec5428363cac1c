"""The faces that models learn from: CelebA, a folder of your own, or faces that the course draws."""

from gdl.data.celeba import CelebA
from gdl.data.faces import DrawnFaces
from gdl.data.folder import ImageFolder
from gdl.data.pixels import to_float, to_uint8
from gdl.data.splits import Faces, Split

__all__ = ["CelebA", "DrawnFaces", "Faces", "ImageFolder", "Split", "to_float", "to_uint8"]
