"""Grids of images: every pixel in its place, and no guessing of the pixel range."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import gdl
from gdl import plots


def test_grid_puts_each_image_in_its_place():
    images = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), np.uint8)
    page = plots.grid(images, columns=3)
    assert page.shape == (2 * 5, 3 * 7, 3)
    assert np.array_equal(page[:4, 7:13], images[1])
    assert np.array_equal(page[5:9, 0:6], images[3])
    assert (page[5:9, 14:] == 255).all(), "the place of the sixth image stays white"


def test_rows_of_a_dict_are_labelled(monkeypatch):
    rows = {"above": np.zeros((2, 4, 4, 3), np.uint8), "below": np.ones((3, 4, 4, 3), np.float32)}
    monkeypatch.setattr(plt, "show", lambda: None)
    plt.close("all")
    gdl.show(rows, title="two rows")
    axes = plt.gca()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["above", "below"]
    assert axes.get_title() == "two rows"
    assert plots.grid(rows).shape == (10, 15, 3)
    plt.close("all")


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_floats_are_shown_in_their_range(pixel_range):
    low, high = pixel_range
    images = np.stack([np.full((2, 2, 3), value, np.float32) for value in (low, (low + high) / 2, high)])
    page = plots.grid(images, pixel_range)
    assert [page[0, column, 0] for column in (0, 3, 6)] == [0, 128, 255]


@pytest.mark.parametrize(
    "images,words",
    [
        (np.full((1, 2, 2, 3), -1.0), r"reach from -1 to -1, outside the pixel range \[0, 1\]"),
        (np.full((1, 2, 2, 3), 255.0), "reach from 255 to 255"),
        (np.full((1, 2, 2, 3), np.nan), "outside"),
        (np.zeros((2, 2, 3)), r"\(n, height, width, 3\)"),
        (np.zeros((0, 2, 2, 3)), "n at least 1"),
    ],
)
def test_wrong_images_are_refused(images, words):
    with pytest.raises(gdl.CourseError, match=words):
        plots.grid(images)


def test_save_grid_writes_the_grid(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    plots.save_grid(tmp_path / "new" / "grid.png", images, columns=2)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / "grid.png")), plots.grid(images, columns=2))
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["grid.png"]
