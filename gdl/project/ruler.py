"""What hand-ins are measured with: the faces, the network whose features are compared, and the model to beat."""

import threading
from typing import Any

from gdl.data.faces import faces as open_faces
from gdl.data.splits import Faces
from gdl.project.measures import Real, default_network, measure, recipe_images, recipe_of, splits
from gdl.project.remake import Made
from gdl.project.rules import FACES, MEASURED


class Ruler:
    """Measures hand-ins, one at a time, also when several threads ask.

    data, n: the faces, see `gdl.faces`.  samples: number of images that are measured.
    network: whose features are compared; None is the classifier that comes with the course, which needs no download.
    """

    def __init__(self, data: str | None = None, n: int | None = FACES, samples: int = MEASURED, network: str | None = None):
        self.data, self.n, self.samples, self.network = data, n, samples, network
        self.faces: dict[int, Faces] = {}  # by their size
        self.recipes: dict[int, tuple[str, dict[str, float]] | None] = {}
        self.lock = threading.Lock()

    def measure(self, made: Made, group: str) -> dict[str, Any]:
        """The numbers of a hand-in, see `measures.measure`, and the network that they were measured with."""
        with self.lock:
            faces = None if made.own else self._faces(made.size)
            real: Real = made.own if faces is None else splits(faces)
            network = self.network or default_network(faces)
            return {**measure(made.images, real, network, group), "network": network, "samples": len(made.images)}

    def recipe(self, size: int) -> tuple[str, dict[str, float]] | None:
        """The name of the model to beat, and its numbers; None where there is none of this size."""
        with self.lock:
            if size not in self.recipes:
                faces = self._faces(size)
                name, network = recipe_of(faces), self.network or default_network(faces)
                self.recipes[size] = (name, measure(recipe_images(name, self.samples), splits(faces), network)) if name else None
            return self.recipes[size]

    def _faces(self, size):
        if size not in self.faces:
            self.faces[size] = open_faces(self.data, size=size, n=self.n)
        return self.faces[size]
