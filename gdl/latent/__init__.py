"""Arithmetic with codes: attribute vectors, paths between two codes, and tests of whether an edit did what it should."""

from gdl.latent.mixture import mixture_codes
from gdl.latent.paths import lerp, slerp
from gdl.latent.projection import project
from gdl.latent.vectors import attribute_vector, attribute_vectors, code_vector, code_vectors, least_squares_vectors

__all__ = [
    "attribute_vector", "attribute_vectors", "code_vector", "code_vectors", "least_squares_vectors", "lerp", "mixture_codes", "project", "slerp",
]  # fmt: skip
