"""Maps of labelled points, such as codes projected to two or three dimensions: a still figure, and a plot to rotate."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gdl.arguments import real_numbers
from gdl.errors import CourseError
from gdl.machine import in_notebook
from gdl.pictures.plots import image_file

if TYPE_CHECKING:
    import plotly.graph_objects

# Okabe and Ito 2008: distinguishable with every kind of colour vision, the darker ones first
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000", "#F0E442")
MARKERS, SYMBOLS = "osDX", ("circle", "square", "diamond", "x")  # Matplotlib's and Plotly's names of the same four
MAX_CLASSES = 2 * len(COLOURS)
PLOTLY = "application/vnd.plotly.v1+json"


def map_still(points: np.ndarray, labels: Sequence | np.ndarray, title: str | None = None, axis: str = "component") -> None:
    """Shows labelled points in the plane or in space, each class with its own colour and marker.

    points: (n, 2) or (n, 3) numbers, such as codes projected by scikit-learn's PCA or LinearDiscriminantAnalysis.
    labels: (n,) array of str, the class of each point; the legend lists the classes in the order of their first points.
    axis: the name of the axes, to which a number is added.
    Raises CourseError for other shapes, and for more than 16 classes.

    >>> map_still(np.random.default_rng(0).standard_normal((4, 2)), ["old", "young"] * 2)  # doctest: +SKIP
    """
    figure(points, labels, title, axis)
    plt.show()


def map_turning(points: np.ndarray, labels: Sequence | np.ndarray, title: str | None = None, axis: str = "component") -> None:
    """Shows labelled points in space as a plot that the mouse rotates, in JupyterLab and Colab; elsewhere as `map_still`.

    points: (n, 3). The other arguments as in `map_still`, whose figure a saved notebook and a web page show.
    A click on a class in the legend hides it, a double click hides all others. Without Plotly the still figure is shown.

    >>> map_turning(np.random.default_rng(0).standard_normal((4, 3)), ["old", "young"] * 2)  # doctest: +SKIP
    """
    points, labels = check_points(points, labels, dimensions=(3,))
    try:
        import plotly.io
    except ImportError:
        plotly = None
    if plotly is None or not in_notebook():
        return map_still(points, labels, title, axis)
    from IPython.display import display

    plot = turning(points, labels, title, axis)
    if "google.colab" in sys.modules:  # Colab cannot show Plotly's data alone, but it shows a page that contains Plotly
        bundle = plotly.io.renderers["colab"].to_mimebundle(plot.to_plotly_json())
    else:
        still = image_file(figure(points, labels, title, axis), "jpeg")  # JupyterLab would prefer a PNG to the plot
        bundle = {PLOTLY: plot.to_plotly_json(), "image/jpeg": still}
    display({"text/plain": title or "A map of labelled points.", **bundle}, raw=True)


def figure(points: np.ndarray, labels: Sequence | np.ndarray, title: str | None = None, axis: str = "component") -> Figure:
    """The figure that `map_still` shows.

    >>> page = figure(np.array([[0.0, 0.0], [1.0, 1.0]]), ["old", "young"])
    >>> [text.get_text() for text in page.legends[0].get_texts()]
    ['old', 'young']
    >>> plt.close(page)
    """
    points, labels = check_points(points, labels)
    space = points.shape[1] == 3
    page, ax = plt.subplots(figsize=(7, 4.8), layout="constrained", subplot_kw={"projection": "3d"} if space else {})
    for name, colour, marker in classes(labels, MARKERS):
        ax.scatter(*points[labels == name].T, color=colour, marker=marker, s=14, linewidths=0, alpha=0.75, label=name)  # type: ignore[misc]
    names = [f"{axis} {i + 1}" for i in range(points.shape[1])]
    ax.set(title=title, **dict(zip(("xlabel", "ylabel", "zlabel"), names)))
    page.legend(loc="outside right upper", markerscale=1.6, frameon=False)
    return page


def turning(points: np.ndarray, labels: np.ndarray, title: str | None = None, axis: str = "component") -> "plotly.graph_objects.Figure":
    """The plot that `map_turning` shows. Arguments as from `check_points`."""
    from plotly.graph_objects import Figure, Scatter3d

    digits = 3 - int(np.floor(np.log10(np.abs(points).max() or 1)))  # a notebook stores them as text
    plot = Figure(layout={"template": "none", "title": title, "width": 700, "height": 520, "margin": dict(l=0, r=0, t=40, b=0)})
    plot.update_layout(legend_itemsizing="constant", scene_aspectmode="cube", scene_camera_eye=dict(x=1.5, y=1.5, z=1.2))
    plot.update_scenes({f"{'xyz'[i]}axis_title": f"{axis} {i + 1}" for i in range(3)})
    for name, colour, symbol in classes(labels, SYMBOLS):
        x, y, z = np.round(points[labels == name], digits).T.tolist()
        plot.add_trace(Scatter3d(x=x, y=y, z=z, name=name, mode="markers", marker=dict(size=3, color=colour, symbol=symbol)))
    return plot


def classes(labels: np.ndarray, markers: Sequence[str]) -> list[tuple[str, str, str]]:
    """Each class with its colour and its marker, in the order of their first points."""
    names = pd.unique(labels)
    return [(name, COLOURS[i % len(COLOURS)], markers[(i + i // len(COLOURS)) % len(markers)]) for i, name in enumerate(names)]


def check_points(points: np.ndarray, labels: Sequence | np.ndarray, dimensions: tuple[int, ...] = (2, 3)) -> tuple[np.ndarray, np.ndarray]:
    """The points as float64 and their labels as str; CourseError if they cannot be drawn."""
    points, labels = real_numbers("points", points, "n", "dimensions"), np.asarray(labels).astype(str).astype(object)
    if points.ndim != 2 or points.shape[1] not in dimensions or not len(points) or not np.isfinite(points).all():
        shapes = " or ".join(f"(n, {d})" for d in dimensions)
        raise CourseError(f"This map takes finite points of shape {shapes}, n at least 1; these have shape {points.shape}.")
    if labels.shape != points.shape[:1]:
        raise CourseError(f"Each of the {len(points)} points needs a label; the labels have shape {labels.shape}.")
    if len(pd.unique(labels)) > MAX_CLASSES:
        raise CourseError(f"One map can show at most {MAX_CLASSES} classes, and these are {len(pd.unique(labels))}: choose some of them.")
    return points, labels
