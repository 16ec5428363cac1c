"""The explorer without a browser: its widgets turned from Python, against a linear model worked out by hand."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

import gdl
from gdl.latent import explorer
from gdl.models.base import EncoderDecoderModel, FaceModel

VECTORS = pd.DataFrame([[1.0, 0, 0], [0, 2.0, 0]], index=["Red", "Green"])
WIDGET = "application/vnd.jupyter.widget-view+json"


class Linear(EncoderDecoderModel):
    """Codes are the mean colour of an image: decode and encode are each other's inverse."""

    def __init__(self, pixel_range=(0, 1)):
        super(FaceModel, self).__init__()
        self.architecture = SimpleNamespace(image_size=32, z_dim=3, pixel_range=pixel_range)

    def decode(self, z):
        low, high = self.architecture.pixel_range
        pixels = np.broadcast_to(np.asarray(z, np.float32)[:, None, None], (len(z), 32, 32, 3))
        return low + (high - low) * np.clip(0.5 + 0.1 * pixels, 0, 1)

    def encode(self, x):
        low, high = self.architecture.pixel_range
        return 10 * ((self.check_images(x).mean(axis=(1, 2)) - low) / (high - low) - 0.5)


def colour(z):
    """The colour of a code, by hand: 0.5 + z / 10, clipped, in bytes."""
    return np.rint(255 * np.clip(0.5 + 0.1 * np.asarray(z), 0, 1))


def shown(explorer):
    """The picture in the explorer, its enlargement undone."""
    pixels = np.asarray(Image.open(io.BytesIO(explorer.picture.value)))
    assert pixels.shape == (256, 256, 3) and pixels.dtype == np.uint8
    small = pixels[::8, ::8]
    assert np.array_equal(pixels, small.repeat(8, 0).repeat(8, 1)), "each pixel is enlarged as it is"
    return small


@pytest.fixture
def widgets():
    return pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_the_face_follows_the_sliders(widgets, pixel_range):
    explorer = gdl.explore(Linear(pixel_range), VECTORS, seed=5)
    z = np.random.default_rng(5).standard_normal(3)
    assert list(explorer.sliders) == ["Red", "Green"]
    assert np.abs(shown(explorer) - colour(z)).max() <= 1
    explorer.sliders["Red"].value = 1.5
    explorer.sliders["Green"].value = -0.5
    assert np.abs(shown(explorer) - colour(z + [1.5, -1, 0])).max() <= 1


def test_a_random_face_keeps_the_sliders_and_reset_keeps_the_face(widgets):
    explorer = gdl.explore(Linear(), VECTORS, seed=5)
    second = np.random.default_rng(5).standard_normal((2, 3))[1]
    explorer.sliders["Red"].value = 1
    explorer.sharpening.value = 4
    explorer.another.click()
    assert np.abs(shown(explorer) - colour(second + [1, 0, 0])).max() <= 1
    explorer.reset.click()
    assert [slider.value for slider in explorer.sliders.values()] == [0, 0] and explorer.sharpening.value == 1
    assert np.abs(shown(explorer) - colour(second)).max() <= 1


def test_sharpening_is_pillows(widgets):
    class Edges(Linear):
        def decode(self, z):
            return np.random.default_rng(0).random((len(z), 32, 32, 3), np.float32)

    explorer = gdl.explore(Edges(), VECTORS)
    plain = Image.fromarray(shown(explorer))
    explorer.sharpening.value = 5
    assert np.array_equal(shown(explorer), np.asarray(ImageEnhance.Sharpness(plain).enhance(5)))


@pytest.mark.parametrize("given", ["path", "bytes", "floats"])
def test_a_photograph_is_encoded_and_comes_back(widgets, given, tmp_path):
    bytes_ = np.full((32, 32, 3), (200, 60, 100), np.uint8)
    Image.fromarray(bytes_).resize((218, 218)).save(tmp_path / "me.png")
    photo = {"path": tmp_path / "me.png", "bytes": bytes_, "floats": bytes_.astype(np.float32) / 255}[given]
    explorer = gdl.explore(Linear(), VECTORS, photo=photo, seed=5)
    assert np.abs(shown(explorer) - [200.0, 60, 100]).max() <= 1
    explorer.another.click()
    assert np.abs(shown(explorer) - [200.0, 60, 100]).max() > 5
    explorer.photograph.click()
    assert np.abs(shown(explorer) - [200.0, 60, 100]).max() <= 1


def test_without_a_photograph_there_is_no_button_for_one(widgets):
    def buttons(explorer):
        return [button.description for button in explorer.box.children[1].children[-1].children]

    assert buttons(gdl.explore(Linear(), VECTORS)) == ["Another face", "Reset"]
    assert buttons(gdl.explore(Linear(), VECTORS, photo=np.zeros((32, 32, 3)))) == ["Another face", "Photograph", "Reset"]


def test_a_dict_of_vectors_does_as_well(widgets):
    explorer = gdl.explore(Linear(), {"Blue": np.array([0, 0, 3.0])}, seed=5)
    explorer.sliders["Blue"].value = -1
    z = np.random.default_rng(5).standard_normal(3)
    assert np.abs(shown(explorer) - colour(z - [0, 0, 3])).max() <= 1


def test_the_still_has_a_row_for_each_vector_and_one_for_sharpening(monkeypatch):
    drawn = {}
    monkeypatch.setattr(explorer, "figure", lambda rows, **options: drawn.update(rows))
    gdl.explore(Linear(), VECTORS, seed=5).still()
    z = np.random.default_rng(5).standard_normal(3)
    assert list(drawn) == ["Red", "Green", "Sharpening"]
    for alpha, red, green in zip((-2, -1, 0, 1, 2), drawn["Red"], drawn["Green"]):
        assert np.abs(red - colour(z + [alpha, 0, 0])).max() <= 1
        assert np.abs(green - colour(z + [0, 2 * alpha, 0])).max() <= 1
    assert drawn["Sharpening"].shape == (5, 32, 32, 3)
    assert np.abs(drawn["Sharpening"][1] - colour(z)).max() <= 1


def test_front_ends_choose_between_widgets_and_the_still(widgets):
    explorer = gdl.explore(Linear(), VECTORS)
    bundle = explorer.mime_bundle()
    assert bundle[WIDGET]["model_id"] == explorer.box.model_id
    width, height = Image.open(io.BytesIO(bundle["image/png"])).size
    assert width > 5 * 32 and height > 3 * 32
    assert "run this cell" in bundle["text/plain"]


def test_colab_is_given_the_widgets_alone(widgets, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    assert set(gdl.explore(Linear(), VECTORS).mime_bundle()) == {WIDGET, "text/plain"}


def test_without_ipywidgets_there_is_the_still(monkeypatch):
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    explorer = gdl.explore(Linear(), VECTORS)
    assert explorer.box is None
    assert set(explorer.mime_bundle()) == {"image/png", "text/plain"}


def test_a_real_vae_and_a_real_gan(widgets):
    small = dict(image_size=32, z_dim=4, filters=(8, 8))
    vectors = {"up": np.ones(4)}
    vae = gdl.VAE(**small)
    face = shown(gdl.explore(vae, vectors, seed=2))
    assert np.abs(face - np.rint(255 * vae.generate(1, seed=2)[0])).max() <= 1
    gan = gdl.GAN(**small, pixel_range=(-1, 1))
    explorer = gdl.explore(gan, vectors, seed=2)
    before = explorer.picture.value
    explorer.sliders["up"].value = 3
    assert explorer.picture.value != before
    with pytest.raises(gdl.CourseError, match="A GAN has no encoder"):
        gdl.explore(gan, vectors, photo=np.zeros((32, 32, 3), np.uint8))


class Told(Linear):
    """Redder where it is told that Smiling is present, by as much less red where it is told that it is absent."""

    conditions = ("Smiling", "Male")

    def decode(self, z, Smiling=None, Male=None):
        return super().decode(np.asarray(z) + [{None: 0, True: 2, False: -2}[Smiling], 0, 0])


def test_a_conditional_model_is_told_by_buttons(widgets):
    explorer = gdl.explore(Told(), VECTORS, seed=5)
    z = np.random.default_rng(5).standard_normal(3)
    assert list(explorer.choices) == ["Smiling", "Male"] and np.abs(shown(explorer) - colour(z)).max() <= 1
    assert [buttons.index for buttons in explorer.choices.values()] == [1, 1], "the button that says nothing is chosen, and not none"
    explorer.sliders["Green"].value = 1
    for value, change in (("yes", 2), ("no", -2), ("-", 0)):
        explorer.choices["Smiling"].value = value
        assert np.abs(shown(explorer) - colour(z + [change, 2, 0])).max() <= 1
    explorer.choices["Smiling"].value = "yes"
    explorer.reset.click()
    assert explorer.choices["Smiling"].index == 1 and np.abs(shown(explorer) - colour(z)).max() <= 1


def test_a_conditional_model_needs_no_vectors(monkeypatch):
    drawn = {}
    monkeypatch.setattr(explorer, "figure", lambda rows, **options: drawn.update(rows))
    gdl.explore(Told(), seed=5).still()
    z = np.random.default_rng(5).standard_normal(3)
    assert list(drawn) == ["told Smiling", "told Male", "Sharpening"]
    for change, smiling, male in zip((-2, 0, 2), drawn["told Smiling"], drawn["told Male"], strict=True):
        assert np.abs(smiling - colour(z + [change, 0, 0])).max() <= 1
        assert np.abs(male - colour(z)).max() <= 1


@pytest.mark.slow
def test_a_real_conditional_gan(widgets):
    gan = gdl.ConditionalGAN(32, ["Smiling"], 4, (8, 8), pixel_range=(-1, 1))
    for weight in gan.decoder.trainable_variables:
        weight.assign(np.random.default_rng(0).standard_normal(weight.shape) * 0.3)
    shows = gdl.explore(gan, seed=2)
    before = shows.picture.value
    shows.choices["Smiling"].value = "yes"
    assert shows.picture.value != before


@pytest.mark.parametrize(
    "vectors,words",
    [
        (None, "vectors is NoneType: give a DataFrame"),
        ({}, "takes 1 to 12 vectors, .* these are 0"),
        (pd.DataFrame(np.ones((40, 3))), "these are 40: choose some"),
        ({"Red": [1, 2]}, r"3 dimensions: .* these have shape \(1, 2\)"),
        ({"Red": [1, 2, np.nan]}, "finite"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors, words):
    with pytest.raises(gdl.CourseError, match=words):
        gdl.explore(Linear(), vectors)


def test_photographs_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(gdl.CourseError, match=r"\(n, 32, 32, 3\)"):
        gdl.explore(Linear(), VECTORS, photo=np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(gdl.CourseError, match="does not exist"):
        gdl.explore(Linear(), VECTORS, photo=tmp_path / "nobody.jpg")
