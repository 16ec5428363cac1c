"""Pictures of faces: in a notebook with `show`, on disk with `save_grid`."""

import io

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageDraw

from gdl.data.pixels import checked_uint8
from gdl.files import whole_file

DPI = 100  # screen pixels an inch


def show(images, pixel_range=(0, 1), columns=8, title=None, inches=0.65):
    """Shows images in a grid, or labelled rows of images, each pixel as a whole number of screen pixels.

    images: (n, h, w, 3), or a dict from a row's label to its images.
        uint8 are bytes; floats are in `pixel_range`, and CourseError says so when they are not.
    columns: images in a row of the grid (with a dict, each entry is one row).
    inches: about how wide an image is on the page.
    """
    figure(images, pixel_range, columns, title, inches)
    plt.show()


def figure(images, pixel_range=(0, 1), columns=8, title=None, inches=0.65):
    """The figure that `show` shows."""
    labels = list(images) if isinstance(images, dict) else []
    tile_height, tile_width = _tile(images)
    picture = grid(images, pixel_range, columns)
    scale = max(1, round(inches * DPI / tile_width))  # screen pixels for a pixel, across and down
    height, width = scale * picture.shape[0], scale * picture.shape[1]
    left = 10 + 7 * max(map(len, labels), default=0)  # screen pixels for the labels
    top = 10 + 20 * (title is not None)
    page = plt.figure(figsize=((left + width) / DPI, (top + height) / DPI), dpi=DPI)
    axes = page.add_axes((left / (left + width), 0, width / (left + width), height / (top + height)))
    axes.imshow(picture, interpolation="nearest", aspect="auto")
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=10)
    axes.spines[:].set_visible(False)
    if labels:
        axes.set_yticks([(row + 0.5) * (tile_height + 1) for row in range(len(labels))], labels, fontsize=9)
        axes.tick_params(axis="y", length=0)
    return page


def grid(images, pixel_range=(0, 1), columns=8):
    """The images side by side with a white line between them. As in `show` -> uint8 (height, width, 3)"""
    if isinstance(images, dict):
        rows = [checked_uint8(row, pixel_range) for row in images.values()]
    else:
        images = checked_uint8(images, pixel_range)
        rows = [images[i : i + columns] for i in range(0, len(images), columns)]
    height, width = _tile(images)
    longest = max(len(row) for row in rows)
    page = np.full((len(rows) * (height + 1), longest * (width + 1), 3), 255, np.uint8)
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            top, left = i * (height + 1), j * (width + 1)
            page[top : top + height, left : left + width] = image
    return page


def save_grid(path, images, pixel_range=(0, 1), columns=8):
    """Writes the grid as a PNG file, whole or not at all."""
    with whole_file(path) as partial:
        Image.fromarray(grid(images, pixel_range, columns)).save(partial, format="PNG")


def save_gif(path, pictures, seconds=0.3):
    """Writes picture files as one moving picture with their names on it, whole or not at all; the last stays longer."""
    frames = []
    for picture in pictures:
        with Image.open(picture) as image:
            frame = Image.new("RGB", (image.width, image.height + 14), "white")
            frame.paste(image, (0, 14))
        ImageDraw.Draw(frame).text((2, 1), picture.stem, fill="black")
        frames.append(frame)
    if frames:
        times = [round(1000 * seconds)] * (len(frames) - 1) + [2000]
        with whole_file(path) as partial:
            frames[0].save(partial, format="GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)


def image_file(page, kind="png"):
    """A figure as the bytes of an image file ("png" or "jpeg"); it is closed, and so not shown by the cell."""
    file = io.BytesIO()
    page.savefig(file, format=kind)
    plt.close(page)
    return file.getvalue()


def _tile(images):
    first = next(iter(images.values())) if isinstance(images, dict) else images
    return np.asarray(first).shape[1:3]
