"""A trained model as a part of another one that learns: it is frozen, and saved with the whole."""

from typing import Any, TypeVar

from gdl.errors import CourseError
from gdl.models import model_class
from gdl.models.base import FaceModel

Kind = TypeVar("Kind", bound=FaceModel)


def frozen_part(part: Any, name: str, kind: type[Kind]) -> Kind:
    """A copy of the model as a part whose weights stay as they are. CourseError for anything but a model of this kind.

    part: the model, or what `described` gave of one when the whole was saved; its weights are then loaded with the whole's.
    name: of the option, for the error.
    """
    described_only = isinstance(part, dict)
    copy = model_class(part["model"]).from_config(part["options"]) if described_only else part
    if not isinstance(copy, kind):
        raise CourseError(f"{name} is {copy!r}: give a trained {kind.__name__}, such as one of gdl.pretrained.")
    if not described_only:
        copy = part.from_config(part.get_config())  # without the optimiser
        copy.set_weights(part.get_weights())
    copy.trainable = False
    return copy


def described(part: FaceModel) -> dict:
    """The class and the options of a part, from which `frozen_part` makes it again."""
    return {"model": type(part).__name__, "options": part.get_config()}
