"""Sliders for attributes and a face that follows them: latent arithmetic by hand (chapter 08)."""

import io
import sys

import numpy as np
import pandas as pd
from PIL import Image

from gdl.data.photo import load_photo
from gdl.data.pixels import to_uint8
from gdl.errors import CourseError
from gdl.pictures.plots import figure, image_file
from gdl.pictures.sharpening import sharpen

WIDGET = "application/vnd.jupyter.widget-view+json"
SCREEN = 256  # about how many screen pixels the face is wide
MOST = 12  # sliders
ALPHAS, FACTORS = (-2, -1, 0, 1, 2), (0, 1, 3, 5, 7)  # columns of the still


def explore(model, vectors, photo=None, seed=0):
    """Sliders that add attribute vectors to the code of a face and sharpen it, as the last value of a cell.

    model: any model of the course with a decoder.
    vectors: DataFrame as from `gdl.latent.attribute_vectors`, or a dict from a name to a vector of z_dim numbers;
        each gets a slider for the number of times, alpha, that it is added to the code, so give a handful.
    photo: your own face, for a model with an encoder: a path for `gdl.load_photo`, or what that returns,
        (size, size, 3) uint8 or float32 in the model's pixel range. It is encoded and shown first.
    seed: for the random faces, whose codes are from a standard normal.
    Works in JupyterLab and Colab. Where widgets do not run, as in a saved notebook or on a page, it is a
    still figure: the first face with each vector added -2 to 2 times, and sharpened by the factors 0 to 7.
    CourseError for vectors or a photo that do not fit the model.
    """
    return Explorer(model, vectors, photo, seed)


class Explorer:
    """What `explore` returns: the face's code `z`, and the widgets, which Python can turn as well as the mouse.

    sliders: from an attribute's name to its slider.  sharpening: the slider of the factor.  picture: the face as PNG.
    another, photograph, reset: the buttons.  box: all of them together, None without ipywidgets.
    """

    def __init__(self, model, vectors, photo=None, seed=0):
        self.model, self.rng = model, np.random.default_rng(seed)
        self.vectors = check_vectors(vectors, model.architecture.z_dim)
        self.photo_code = None if photo is None else photo_code(model, photo)
        self.z = self.random_code() if photo is None else self.photo_code  # (z_dim,)
        try:
            import ipywidgets
        except ImportError:
            self.box = None
        else:
            self.build(ipywidgets)

    def build(self, widgets):
        """Makes the widgets out of what ipywidgets 7 and 8 share."""
        style, layout = {"description_width": "9em"}, {"width": "26em"}
        options = dict(step=0.1, readout_format=".1f", style=style, layout=layout)
        self.sliders = {name: widgets.FloatSlider(0, min=-3, max=3, description=name, **options) for name in self.vectors.index}
        self.sharpening = widgets.FloatSlider(1, min=0, max=7, description="Sharpening", **options)
        self.another, self.photograph, self.reset = (
            widgets.Button(description=text, tooltip=tip)
            for text, tip in (("Another face", "A random face"), ("Photograph", "Your own face"), ("Reset", "All sliders back"))
        )
        self.picture = widgets.Image(format="png", layout={"min_width": f"{SCREEN}px", "margin": "0 1em 0 0"})
        for slider in (*self.sliders.values(), self.sharpening):
            slider.observe(self.follow, "value")
        self.another.on_click(lambda _: self.start_from(self.random_code()))
        self.photograph.on_click(lambda _: self.start_from(self.photo_code))
        self.reset.on_click(self.put_back)
        buttons = [self.another, self.reset] if self.photo_code is None else [self.another, self.photograph, self.reset]
        controls = [*self.sliders.values(), self.sharpening, widgets.HBox(buttons)]
        self.box = widgets.HBox([self.picture, widgets.VBox(controls)], layout={"align_items": "center"})
        self.follow()

    def random_code(self):
        return self.rng.standard_normal(self.model.architecture.z_dim)

    def start_from(self, z):
        self.z = z
        self.follow()

    def put_back(self, _=None):
        for slider in self.sliders.values():
            slider.value = 0
        self.sharpening.value = 1

    def follow(self, _=None):
        """Shows the face that the sliders say."""
        (face,) = self.faces([[slider.value for slider in self.sliders.values()]])
        face = sharpen(face, self.sharpening.value)
        scale = max(1, round(SCREEN / len(face)))
        file = io.BytesIO()
        Image.fromarray(face.repeat(scale, axis=0).repeat(scale, axis=1)).save(file, format="PNG")
        self.picture.value = file.getvalue()

    def faces(self, alphas):
        """The face with each vector added so many times. (n, vectors) -> (n, size, size, 3) uint8"""
        z = self.z + np.asarray(alphas) @ self.vectors.to_numpy()
        return to_uint8(self.model.decode(z), self.model.architecture.pixel_range)

    def still(self):
        """The same face changed by each vector and by sharpening, as a figure."""
        steps = np.eye(len(self.vectors))
        rows = {name: self.faces(np.outer(ALPHAS, step)) for name, step in zip(self.vectors.index, steps)}
        (face,) = self.faces(0 * steps[:1])
        rows["Sharpening"] = np.stack([sharpen(face, factor) for factor in FACTORS])
        alphas, factors = (", ".join(map(str, numbers)) for numbers in (ALPHAS, FACTORS))
        return figure(rows, title=f"alpha {alphas}; sharpened by {factors}")

    def mime_bundle(self):
        """What a front end chooses from: the widgets, else the still, else a line of text."""
        bundle = {"text/plain": "The explorer's sliders need a running kernel: run this cell."}
        if self.box is not None:
            bundle[WIDGET] = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        if self.box is None or "google.colab" not in sys.modules:  # Colab always runs widgets, and is given no choice
            bundle["image/png"] = image_file(self.still())
        return bundle

    def _ipython_display_(self):
        from IPython.display import display

        display(self.mime_bundle(), raw=True)


def check_vectors(vectors, z_dim):
    """The vectors as a DataFrame of float64, (number of attributes, z_dim), or CourseError when they cannot be."""
    if not isinstance(vectors, pd.DataFrame):
        vectors = pd.DataFrame.from_dict({name: np.ravel(vector) for name, vector in vectors.items()}, orient="index")
    vectors = vectors.rename(index=str).astype(float)
    if not 1 <= len(vectors) <= MOST:
        raise CourseError(
            f"The explorer takes 1 to {MOST} vectors, a slider for each, and these are {len(vectors)}: choose some, such as vectors[:5]."
        )
    if vectors.shape[1] != z_dim or not np.isfinite(vectors.to_numpy()).all():
        raise CourseError(
            f"The model's codes have {z_dim} dimensions, and so must the vectors, with finite numbers; these have shape {vectors.shape}."
        )
    return vectors


def photo_code(model, photo):
    """The code of one photograph, (z_dim,)."""
    if not hasattr(photo, "shape"):
        photo = load_photo(photo, model.architecture.image_size)
    return model.encode(np.asarray(photo)[None])[0]
