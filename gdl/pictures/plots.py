"""Pictures of faces: in a notebook with `show`, on disk with `save_grid`."""

import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image, ImageDraw

from gdl.arguments import number, whole_number
from gdl.data.pixels import checked_uint8
from gdl.errors import CourseError
from gdl.files import write_file

DPI = 100  # screen pixels per inch
Images = np.ndarray | dict[str, np.ndarray]  # of a grid, or of labelled rows
Columns = int | Sequence[str]  # how many, or the labels above them


def show(images: Images, pixel_range: tuple[int, int] = (0, 1), columns: Columns = 8, title: str | None = None, inches: float = 1.0) -> None:
    """Shows images in a grid, or labelled rows of images. Each pixel is a whole number of screen pixels wide.

    images: (n, height, width, 3), or a dict from the label of a row to its images; uint8, or floats in `pixel_range`.
    columns: images in a row of the grid (with a dict, each entry is one row), or a list of labels that stand above the columns.
    inches: at least how wide an image is on the page; an inch is 100 screen pixels.
    Raises CourseError for other arrays, and for pixels outside the range.

    >>> import gdl
    >>> faces = gdl.DrawnFaces(n=20, size=32)
    >>> gdl.show(faces.train.images[:8], title="eight faces")  # doctest: +SKIP
    >>> gdl.show({"train": faces.train.images[:4], "test": faces.test.images[:2]})  # doctest: +SKIP
    >>> gdl.show({"Ada": faces.train.images[:2], "Bo": faces.train.images[2:4]}, columns=["before", "after"])  # doctest: +SKIP
    """
    figure(images, pixel_range, columns, title, inches)
    plt.show()


def figure(images: Images, pixel_range: tuple[int, int] = (0, 1), columns: Columns = 8, title: str | None = None, inches: float = 1.0) -> Figure:
    """The figure that `show` shows."""
    labels = list(map(str, images)) if isinstance(images, dict) else []
    if not number("inches", inches):
        raise CourseError("inches is 0: give a number more than 0, such as 1.")
    above = list(map(str, columns)) if isinstance(columns, (list, tuple)) else []
    rows = _rows(images, pixel_range, len(above) or columns)
    longest = max(map(len, rows))
    if above and len(above) != longest:
        raise CourseError(f"columns has {len(above)} labels and the longest row {longest} images: give a label for each column.")
    tile_height, tile_width = rows[0].shape[1:3]
    picture = _page(rows)
    scale = math.ceil(inches * DPI / tile_width)  # screen pixels per pixel
    height, width = scale * picture.shape[0], scale * picture.shape[1]
    left = 10 + 7 * max(map(len, labels), default=0)  # screen pixels for the labels
    top = 10 + 20 * (title is not None) + 15 * bool(above)
    page = plt.figure(figsize=((left + width) / DPI, (top + height) / DPI), dpi=DPI)
    axes = page.add_axes((left / (left + width), 0, width / (left + width), height / (top + height)))
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.set_title(title or "", fontsize=10)
    if above:
        axes.set_xticks([column * (tile_width + 1) + (tile_width - 1) / 2 for column in range(longest)], above, fontsize=9)
        axes.tick_params(axis="x", length=0, top=False, labeltop=True, labelbottom=False, pad=2)
    axes.spines[:].set_visible(False)
    if labels:
        axes.set_yticks([(row + 0.5) * (tile_height + 1) for row in range(len(labels))], labels, fontsize=9)
        axes.tick_params(axis="y", length=0)
    return page


def grid(images: Images, pixel_range: tuple[int, int] = (0, 1), columns: int = 8) -> np.ndarray:
    """The images side by side with a white line between them. Arguments as in `show` -> uint8 (height, width, 3)

    >>> grid(np.zeros((5, 32, 32, 3)), columns=3).shape
    (66, 99, 3)
    """
    return _page(_rows(images, pixel_range, columns))


def _rows(images, pixel_range, columns):
    """The rows of the grid, each uint8 (n, height, width, 3); CourseError if there is no image, or if they differ in size."""
    columns = whole_number("columns", columns)
    if isinstance(images, dict):
        rows = [checked_uint8(row, pixel_range) for row in images.values()]
    else:
        images = checked_uint8(images, pixel_range)
        rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    if not any(map(len, rows)):
        raise CourseError("There is no image to show: give an array (n, height, width, 3) with n at least 1.")
    if len({row.shape[1:] for row in rows}) > 1:
        raise CourseError(f"The rows have images of different shapes, {', '.join(str(row.shape[1:]) for row in rows)}: give images of one size.")
    return rows


def _page(rows):
    """The picture of a grid. -> uint8 (height, width, 3)"""
    height, width = rows[0].shape[1:3]
    longest = max(len(row) for row in rows)
    page = np.full((len(rows) * (height + 1), longest * (width + 1), 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + 1), j * (width + 1)
            page[top : top + height, left : left + width] = image
    return page


def save_grid(path: str | Path, images: Images, pixel_range: tuple[int, int] = (0, 1), columns: int = 8) -> None:
    """Writes the grid as a PNG file, whole or not at all. Arguments as in `show`.

    >>> save_grid("faces.png", np.zeros((5, 32, 32, 3)))  # doctest: +SKIP
    """
    content = io.BytesIO()
    Image.fromarray(grid(images, pixel_range, columns)).save(content, format="PNG")
    write_file(path, content.getvalue())


def save_gif(path: str | Path, pictures: Iterable[Path], seconds: float = 0.3) -> None:
    """Writes picture files as one animation with their names above, whole or not at all. The last stays longer.

    pictures: files of one size, in order; without any, nothing is written. Damaged ones are left out.  seconds: time for each.
    """
    if isinstance(pictures, (str, Path)) or not isinstance(pictures, Iterable):
        raise CourseError(f"pictures is {pictures!r}: give a list of picture files.")
    number("seconds", seconds)
    frames = []
    for picture in pictures:
        try:
            with Image.open(Path(picture)) as image:
                frame = Image.new("RGB", (image.width, image.height + 14), "white")
                frame.paste(image, (0, 14))
        except (OSError, ValueError, SyntaxError):  # what Pillow says about damaged files
            continue
        ImageDraw.Draw(frame).text((2, 1), Path(picture).stem, fill="black")
        frames.append(frame)
    if frames:
        times = [round(1000 * seconds)] * (len(frames) - 1) + [2000]
        content = io.BytesIO()
        frames[0].save(content, format="GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
        write_file(path, content.getvalue())


def image_file(page: Figure, kind: str = "png") -> bytes:
    """A figure as the bytes of an image file ("png" or "jpeg"). The figure is closed, so that the cell does not show it too."""
    file = io.BytesIO()
    page.savefig(file, format=kind)
    plt.close(page)
    return file.getvalue()
