"""Sliders that change the attributes of a face: latent arithmetic by hand (chapter 08), and what a conditional model is told (chapter 10)."""

import io
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from gdl.arguments import real_numbers, whole_number
from gdl.data.photo import load_photo
from gdl.data.pixels import to_uint8
from gdl.errors import CourseError
from gdl.models.base import DecoderModel, check_decoder, check_encoder
from gdl.pictures.plots import figure, image_file
from gdl.pictures.sharpening import sharpen

WIDGET = "application/vnd.jupyter.widget-view+json"
SCREEN = 256  # approximate width of the face in screen pixels
MAX_SLIDERS = 12
ALPHAS, FACTORS = (-2, -1, 0, 1, 2), (0, 1, 3, 5, 7)  # columns of the still figure

Vectors = pd.DataFrame | Mapping[str, np.ndarray]
TOLD = {"no": False, "-": None, "yes": True}  # what the buttons of a condition say


def explore(model: DecoderModel, vectors: Vectors | None = None, photo: str | Path | np.ndarray | None = None, seed: int = 0) -> "Explorer":
    """Sliders that add attribute vectors to the code of a face and sharpen its image. Call it on the last line of a cell.

    A conditional model has buttons, too: whether it is told that the face has an attribute, that it has not, or nothing.
    vectors: DataFrame as from `gdl.latent.attribute_vectors`, or a dict from a name to a vector of z_dim numbers, at most
        12. Each has a slider for alpha, the factor with which it is added to the code. A conditional model needs none.
    photo: your own face, for a model with an encoder: a path for `gdl.load_photo`, or its result,
        (size, size, 3) uint8 or float32 in the model's pixel range. It is encoded and shown first.
    seed: of the random faces, whose codes are from a standard normal.
    It works in JupyterLab and Colab. Where widgets do not run, as in a saved notebook or on a web page, it is a
    still figure: the first face with each vector added -2 to 2 times, told of each condition that it is absent, nothing, and that
    it is present, and sharpened by the factors 0 to 7.
    Raises CourseError for vectors or a photo that do not fit the model.

    >>> import gdl
    >>> vae, vectors = gdl.pretrained("vae-celeba64"), gdl.pretrained_vectors("vae-celeba64")  # doctest: +SKIP
    >>> gdl.explore(vae, vectors.loc[["Smiling", "Young"]], photo="me.jpg")  # doctest: +SKIP
    """
    return Explorer(model, vectors, photo, seed)


class Explorer:
    """What `explore` returns: the code `z` of the face, and the widgets, which the mouse or Python can move.

    sliders: from the name of an attribute to its slider.
    choices: from the name of a condition to its buttons, whose value is "no", "-" or "yes".
    sharpening: the slider of the factor.  picture: the face as PNG.
    another, photograph, reset: the buttons.  box: all of them together, None without ipywidgets.
    """

    def __init__(
        self,
        model: DecoderModel,
        vectors: Vectors | None = None,
        photo: str | Path | np.ndarray | None = None,
        seed: int = 0,
    ):
        if not hasattr(model, "decode"):  # any object with `decode` and an `architecture` will do
            check_decoder(model)
        self.model, self.rng = model, np.random.default_rng(whole_number("seed", seed, least=0))
        self.conditions, z_dim = getattr(model, "conditions", ()), model.architecture.z_dim
        no_vectors = vectors is None and self.conditions
        self.vectors = pd.DataFrame(np.zeros((0, z_dim))) if no_vectors else check_vectors(vectors, z_dim)
        self.has_photo = photo is not None
        self.z = self.first = self.random_code() if photo is None else photo_code(model, photo)  # (z_dim,)
        try:
            import ipywidgets
        except ImportError:
            self.box: Any = None
        else:
            self.build(ipywidgets)

    def build(self, widgets: Any) -> None:
        """Makes the widgets with what ipywidgets 7 and 8 have in common. widgets: the module"""
        style, layout = {"description_width": "11em"}, {"width": "28em"}
        options = dict(step=0.1, readout_format=".1f", style=style, layout=layout)
        self.sliders = {name: widgets.FloatSlider(0, min=-3, max=3, description=name, **options) for name in self.vectors.index}
        self.choices = {name: widgets.ToggleButtons(options=list(TOLD), value="-", style={"button_width": "4em"}) for name in self.conditions}
        right = {"width": "11em", "display": "flex", "justify_content": "flex-end"}  # its own description would stand above the buttons
        rows = [widgets.HBox([widgets.Label(name, layout=right), buttons]) for name, buttons in self.choices.items()]
        self.sharpening = widgets.FloatSlider(1, min=0, max=7, description="Sharpening", **options)
        self.another, self.photograph, self.reset = (
            widgets.Button(description=text, tooltip=tip)
            for text, tip in (("Another face", "A random face"), ("Photograph", "Your own face"), ("Reset", "Move all sliders back"))
        )
        self.picture = widgets.Image(format="png", layout={"min_width": f"{SCREEN}px", "margin": "0 1em 0 0"})
        for slider in (*self.sliders.values(), *self.choices.values(), self.sharpening):
            slider.observe(self.follow, "value")
        self.another.on_click(lambda _: self.start_from(self.random_code()))
        self.photograph.on_click(lambda _: self.start_from(self.first))
        self.reset.on_click(self.put_back)
        buttons = [self.another, self.photograph, self.reset] if self.has_photo else [self.another, self.reset]
        controls = [*rows, *self.sliders.values(), self.sharpening, widgets.HBox(buttons)]
        self.box = widgets.HBox([self.picture, widgets.VBox(controls)], layout={"align_items": "center"})
        self.follow()

    def random_code(self) -> np.ndarray:
        """A code from a standard normal, (z_dim,)."""
        return self.rng.standard_normal(self.model.architecture.z_dim)

    def start_from(self, z: np.ndarray) -> None:
        """Shows the face of another code with the same sliders."""
        self.z = z
        self.follow()

    def put_back(self, _: Any = None) -> None:
        """Moves all sliders back to where they were at the beginning, and tells nothing."""
        for slider in self.sliders.values():
            slider.value = 0
        for buttons in self.choices.values():
            buttons.value = "-"
        self.sharpening.value = 1

    def follow(self, _: Any = None) -> None:
        """Shows the face for the present values of the sliders, as the model is told at present."""
        told = {name: TOLD[buttons.value] for name, buttons in self.choices.items()}
        (face,) = self.faces([[slider.value for slider in self.sliders.values()]], told)
        face = sharpen(face, self.sharpening.value)
        scale = max(1, round(SCREEN / len(face)))
        file = io.BytesIO()
        Image.fromarray(face.repeat(scale, axis=0).repeat(scale, axis=1)).save(file, format="PNG")
        self.picture.value = file.getvalue()

    def faces(self, alphas: Any, told: Mapping[str, bool | None]) -> np.ndarray:
        """The face with each vector added alpha times, as the model is told. (n, vectors) -> (n, size, size, 3) uint8

        told: True, False, or None for nothing, of conditions by their names.
        """
        asked = {name: value for name, value in told.items() if value is not None}
        z = self.z + np.asarray(alphas) @ self.vectors.to_numpy()
        return to_uint8(self.model.decode(z, **asked), self.model.architecture.pixel_range)

    def still(self) -> Figure:
        """A figure of the face changed by each vector, and sharpened."""
        steps = np.eye(len(self.vectors))
        rows = {name: self.faces(np.outer(ALPHAS, step), {}) for name, step in zip(self.vectors.index, steps)}
        unchanged = np.zeros((1, len(self.vectors)))
        for name in self.conditions:
            rows[f"told {name}"] = np.concatenate([self.faces(unchanged, {name: value}) for value in TOLD.values()])
        (face,) = self.faces(unchanged, {})
        rows["Sharpening"] = np.stack([sharpen(face, factor) for factor in FACTORS])
        alphas, factors = (", ".join(map(str, numbers)) for numbers in (ALPHAS, FACTORS))
        told = f"; told {', '.join(TOLD)}" if self.conditions else ""
        return figure(rows, title=f"alpha {alphas}{told}; sharpened by {factors}")

    def mime_bundle(self) -> dict[str, Any]:
        """What a front end can choose from: the widgets, the still figure, or a line of text."""
        bundle: dict[str, Any] = {"text/plain": "The explorer's sliders need a running kernel: run this cell."}
        if self.box is not None:
            bundle[WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        if self.box is None or "google.colab" not in sys.modules:  # Colab always runs widgets
            bundle["image/png"] = image_file(self.still())
        return bundle

    def _ipython_display_(self):
        from IPython.display import display

        display(self.mime_bundle(), raw=True)


def check_vectors(vectors: Vectors | None, z_dim: int) -> pd.DataFrame:
    """The vectors as a DataFrame of float64, (number of attributes, z_dim); CourseError if they do not fit."""
    if not isinstance(vectors, (pd.DataFrame, Mapping)):
        raise CourseError(f"vectors is {type(vectors).__name__}: give a DataFrame as from gdl.latent.attribute_vectors, or a dict.")
    if not isinstance(vectors, pd.DataFrame):
        given = {name: real_numbers(str(name), np.ravel(vector), "z_dim") for name, vector in vectors.items()}
        vectors = pd.DataFrame.from_dict(given, orient="index")
    vectors = vectors.rename(index=str)
    if not 1 <= len(vectors) <= MAX_SLIDERS:
        raise CourseError(
            f"The explorer takes 1 to {MAX_SLIDERS} vectors, a slider for each, and these are {len(vectors)}: choose some, such as vectors[:5]."
        )
    numbers = vectors.select_dtypes("number").to_numpy(float)
    if numbers.shape != (len(vectors), z_dim) or not np.isfinite(numbers).all():
        raise CourseError(f"The model's codes have {z_dim} dimensions: give vectors of {z_dim} finite numbers; these have shape {vectors.shape}.")
    return vectors.astype(float)


def photo_code(model: DecoderModel, photo: str | Path | np.ndarray) -> np.ndarray:
    """The code of one photograph, (z_dim,); CourseError for a model without an encoder."""
    check_encoder(model)
    if isinstance(photo, (str, Path)):
        photo = load_photo(photo, model.architecture.image_size)
    return model.encode(np.asarray(photo)[None])[0]
