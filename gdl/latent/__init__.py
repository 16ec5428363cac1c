"""Arithmetic with codes: attribute vectors, the ways between two codes, and whether an edit did what it should."""

from gdl.latent.vectors import (
    attribute_vector,
    attribute_vectors,
    code_vector,
    code_vectors,
    lerp,
    mixture_codes,
    slerp,
)

__all__ = ["attribute_vector", "attribute_vectors", "code_vector", "code_vectors", "lerp", "mixture_codes", "slerp"]
