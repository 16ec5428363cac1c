"""Grids of images: every pixel in its place, and no guessing of the pixel range."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image

import gdl
from gdl.pictures import plots


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


def test_labels_stand_above_the_columns():
    page = plots.figure({"one": np.zeros((2, 4, 4, 3)), "two": np.zeros((1, 4, 4, 3))}, columns=["before", "after"], inches=0.2)
    (axes,) = page.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["before", "after"]
    middles = [axes.transData.transform((place, 0))[0] for place in axes.get_xticks()]
    left = axes.get_window_extent().x0
    assert np.allclose(middles, [left + 5 * 2, left + 5 * 7]), "over the middle of each image, whose pixels are 5 wide"
    lines = plots.figure(np.zeros((4, 4, 4, 3)), columns=["before", "after"]).axes[0].images[0].get_array()
    assert lines.shape == (10, 10, 3), "two rows of two"
    with pytest.raises(gdl.CourseError, match="columns has 2 labels and the longest row 3 images"):
        plots.figure({"one": np.zeros((3, 4, 4, 3))}, columns=["before", "after"])
    plt.close("all")


@pytest.mark.parametrize("size", [28, 32, 48, 64, 128])
def test_an_image_is_at_least_an_inch_wide(size):
    page = plots.figure(np.zeros((1, size, size, 3)))
    width = page.axes[0].get_window_extent().width
    assert width >= plots.DPI
    assert np.isclose(width / (size + 1), round(width / (size + 1))), "each pixel is a whole number of screen pixels wide"
    plt.close(page)


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_floats_are_shown_in_their_range(pixel_range):
    low, high = pixel_range
    images = np.stack([np.full((2, 2, 3), value, np.float32) for value in (low, (low + high) / 2, high)])
    page = plots.grid(images, pixel_range)
    assert [page[0, column, 0] for column in (0, 3, 6)] == [0, 128, 255]


@pytest.mark.parametrize(
    "images,words",
    [
        (np.full((1, 2, 2, 3), -1.0), r"should be in \[0, 1\]; these range from -1 to -1: give pixel_range=\(-1, 1\)"),
        (np.full((1, 2, 2, 3), 255.0), "range from 255 to 255"),
        (np.full((1, 2, 2, 3), np.nan), "NaN"),
        (np.zeros((2, 2, 3)), r"\(n, height, width, 3\)"),
        (np.zeros(3), r"\(n, height, width, 3\)"),
        (np.zeros((0, 2, 2, 3)), "n at least 1"),
        ({}, "n at least 1"),
        ({"a": np.zeros((0, 2, 2, 3)), "b": np.zeros((0, 2, 2, 3))}, "n at least 1"),
        ({"a": np.zeros((1, 2, 2, 3)), "b": np.zeros((1, 4, 2, 3))}, r"different shapes, \(2, 2, 3\), \(4, 2, 3\)"),
    ],
)
def test_wrong_images_are_refused(images, words):
    for draw in (plots.grid, plots.figure):
        with pytest.raises(gdl.CourseError, match=words) as error:
            draw(images)
        assert "\n" not in str(error.value)


def test_save_grid_writes_the_grid(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), np.uint8)
    plots.save_grid(tmp_path / "new" / "grid.png", images, columns=2)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "new" / "grid.png")), plots.grid(images, columns=2))
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["grid.png"]


def test_save_gif_shows_every_picture_once_with_its_name(tmp_path):
    picture = np.random.default_rng(0).integers(0, 256, (4, 40, 40, 3), np.uint8)
    files = [tmp_path / f"epoch-000{i}.png" for i in (1, 2, 3)]
    for file in files:
        plots.save_grid(file, picture)  # the same picture thrice: a GIF's writer would leave out what does not change
    plots.save_gif(tmp_path / "training.gif", files, seconds=0.2)
    with Image.open(tmp_path / "training.gif") as gif:
        assert gif.n_frames == 3 and gif.info["loop"] == 0
        frames, times = [], []
        for i in range(3):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
            times.append(gif.info["duration"])
    height, width = plots.grid(picture).shape[:2]
    assert frames[0].shape == (height + 14, width, 3)
    assert np.abs(frames[0][14:] - plots.grid(picture)).mean() < 20, "the picture, in the 256 colours of a GIF"
    assert all((frame[:14].min(axis=2) < 100).any() for frame in frames), "its name is written above"
    assert (frames[0][:14] != frames[1][:14]).any()
    assert times == [200, 200, 2000], "the last stays longer"
    assert not list(tmp_path.glob(".partial*"))


def test_save_gif_of_nothing_writes_nothing(tmp_path):
    plots.save_gif(tmp_path / "training.gif", [])
    assert not list(tmp_path.iterdir())
