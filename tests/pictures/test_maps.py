"""Maps of labelled points: every point in its place, its colour and its plot."""

import io
import json
import sys
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import gdl
from gdl.pictures import maps

RNG = np.random.default_rng(0)
LABELS = np.array(["young", "old", "bald"]).repeat(20)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_still_has_every_point_in_its_place(dimensions):
    points = RNG.standard_normal((60, dimensions))
    order = RNG.permutation(60)  # classes need not come one after the other
    figure = maps.figure(points[order], LABELS[order], "A title", "LD")
    (ax,) = figure.axes
    assert ax.get_title() == "A title"
    assert [ax.get_xlabel(), ax.get_ylabel()] == ["LD 1", "LD 2"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(dict.fromkeys(LABELS[order]))
    for cloud in ax.collections:
        where = np.array(cloud._offsets3d if dimensions == 3 else cloud.get_offsets().T).T
        inside = LABELS[order] == cloud.get_label()
        assert np.allclose(np.sort(where, axis=0), np.sort(points[order][inside], axis=0))
    assert len({cloud.get_facecolor()[0].tobytes() for cloud in ax.collections}) == 3


def test_map_still_shows_one_figure(monkeypatch):
    shown = []
    monkeypatch.setattr(plt, "show", lambda: shown.append(plt.get_fignums()))
    maps.map_still(RNG.standard_normal((60, 2)), LABELS)
    assert len(shown) == 1 and len(shown[0]) == 1


def test_sixteen_classes_differ_in_colour_or_marker():
    labels = np.array([f"{i}" for i in range(16)])
    looks = [(colour, marker) for _, colour, marker in maps.classes(labels, maps.MARKERS)]
    assert len(set(looks)) == 16


def test_colours_differ_for_every_kind_of_colour_vision():
    """The matrices are Viénot, Brettel and Mollon 1999 for protanopia and deuteranopia, in linear RGB."""
    seen = {
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
    }
    colours = np.array([to_rgb(colour) for colour in maps.COLOURS]) ** 2.2
    for kind, matrix in seen.items():
        looks = np.clip(colours @ np.array(matrix).T, 0, 1) ** (1 / 2.2)
        apart = np.abs(looks[:, None] - looks[None]).max(axis=2)[np.triu_indices(len(looks), 1)]
        assert apart.min() > 0.1, kind


def test_the_turning_plot_has_every_point_and_is_small():
    plotly = pytest.importorskip("plotly.graph_objects", reason="Plotly is not installed")
    points = 40 * RNG.standard_normal((1000, 3))
    labels = np.array(list("abcde")).repeat(200)
    plot = maps.turning(points, labels, "Codes", "PC")
    assert isinstance(plot, plotly.Figure)
    assert plot.layout.title.text == "Codes" and plot.layout.scene.zaxis.title.text == "PC 3"
    assert [trace.name for trace in plot.data] == list("abcde")
    for trace in plot.data:
        there = np.stack([trace.x, trace.y, trace.z], axis=1)
        assert np.abs(there - points[labels == trace.name]).max() < np.abs(points).max() / 1000
    assert len(json.dumps(plot.to_plotly_json())) < 40_000


@pytest.fixture
def displayed(monkeypatch):
    """The bundles that are displayed, as in a notebook."""
    display = pytest.importorskip("IPython.display", reason="IPython is not installed")
    bundles = []
    monkeypatch.setattr(maps, "in_notebook", lambda: True)
    monkeypatch.setattr(display, "display", lambda bundle, raw: bundles.append(bundle))
    monkeypatch.setattr(plt, "show", lambda: bundles.append("a still"))
    return bundles


def test_jupyter_is_given_the_plot_and_a_still(displayed):
    pytest.importorskip("plotly", reason="Plotly is not installed")
    maps.map_turning(RNG.standard_normal((60, 3)), LABELS)
    (bundle,) = displayed
    assert set(bundle) == {"application/vnd.plotly.v1+json", "image/jpeg", "text/plain"}
    json.dumps(bundle["application/vnd.plotly.v1+json"])
    assert Image.open(io.BytesIO(bundle["image/jpeg"])).size == (700, 480)
    assert not plt.get_fignums(), "the still is not shown a second time"


def test_colab_is_given_a_page_with_the_plot(displayed, monkeypatch):
    pytest.importorskip("plotly", reason="Plotly is not installed")
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace())
    maps.map_turning(RNG.standard_normal((60, 3)), LABELS)
    (bundle,) = displayed
    assert set(bundle) == {"text/html", "text/plain"}
    assert "scatter3d" in bundle["text/html"] and "plotly" in bundle["text/html"]


def test_without_plotly_or_a_notebook_there_is_the_still(displayed, monkeypatch):
    points = RNG.standard_normal((60, 3))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "plotly", None)
        patch.setitem(sys.modules, "plotly.io", None)
        maps.map_turning(points, LABELS)
    monkeypatch.setattr(maps, "in_notebook", lambda: False)
    maps.map_turning(points, LABELS)
    assert displayed == ["a still", "a still"]


@pytest.mark.parametrize(
    "points,labels,words",
    [
        (np.zeros((60, 4)), LABELS, r"\(n, 2\) or \(n, 3\), n at least 1; these have shape \(60, 4\)"),
        (np.zeros((0, 2)), LABELS[:0], "n at least 1"),
        (np.full((60, 2), np.nan), LABELS, "finite"),
        (np.zeros((60, 2)), LABELS[:59], r"Each of the 60 points needs a label; the labels have shape \(59,\)"),
        (np.zeros((60, 2)), np.arange(60), "at most 16 classes, and these are 60: choose some"),
    ],
)
def test_what_cannot_be_drawn_is_refused(points, labels, words):
    with pytest.raises(gdl.CourseError, match=words):
        maps.figure(points, labels)


def test_a_plane_does_not_turn():
    with pytest.raises(gdl.CourseError, match=r"\(n, 3\)"):
        maps.map_turning(np.zeros((60, 2)), LABELS)
