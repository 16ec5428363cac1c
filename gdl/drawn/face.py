"""Drawing one face: soft masks on a grid of coordinates, painted one over the other in linear light.

The unit is a pixel of CelebA's aligned frame, 178 wide and 218 high, with the eyes at about (69, 111) and
(108, 111). There are three systems of coordinates. (X, Y) belong to the frame. (x, y) belong to the head: their
origin is between the eyes, and they tilt with the head. In (u, y), u also turns with the head, so that what is
drawn at u = 0 stays in the middle of the face. Every edge is a smooth ramp, so the picture changes smoothly with
every amount.

In all modules that draw, `f` holds the factors of one face by name, and `g` holds the grid, the dimensions of the
head and the light.
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from gdl.arguments import whole_number
from gdl.drawn import features, hair, worn
from gdl.drawn.backdrop import backdrop
from gdl.drawn.paint import bump, hill, lin, noise, over, soft

SQUARE = (19, 39, 140, 140)  # left, top, width and height of the part of the frame that a square image shows
FRAME = (0, 0, 178, 218)
TURN = 52.0  # radius of the cylinder on which the features turn


Row = pd.Series | Mapping[str, Any]  # one row of gdl.drawn.factors


def draw(row: Row, size: int = 64) -> np.ndarray:
    """Draws one face as a square image, uint8 (size, size, 3), values 0 to 255.

    row: one row of `gdl.drawn.factors`, a Series or a dict. The image shows the central 140 x 140 pixels of the
    aligned frame, as the course crops CelebA. The same row gives the same bytes. Raises CourseError for a size
    below 8, KeyError for a missing factor.

    >>> import gdl
    >>> gdl.drawn.draw(gdl.drawn.factors(1).iloc[0], size=32).shape
    (32, 32, 3)
    """
    size = whole_number("size", size, 8)
    return _render(row, SQUARE, size, size)


def draw_aligned(row: Row) -> np.ndarray:
    """Draws one face in CelebA's whole aligned frame, uint8 (218, 178, 3), values 0 to 255.

    row: as in `draw`. The same row gives the same bytes. Raises KeyError for a missing factor.

    >>> import gdl
    >>> gdl.drawn.draw_aligned(gdl.drawn.factors(1).iloc[0]).shape
    (218, 178, 3)
    """
    return _render(row, FRAME, 178, 218)


def _render(row, window, width, height):
    f = _Factors(row)
    zoom = max(2, -(-96 // width))  # how many times finer the canvas is than the image
    g = _grid(f, window, width * zoom, height * zoom, zoom)
    image = backdrop(f, g)  # from the back to the front
    hair.behind(image, f, g)
    worn.body(image, f, g)
    worn.ears(image, f, g, front=False)
    _head(image, f, g)
    worn.ears(image, f, g, front=True)
    hair.front(image, f, g)
    worn.glasses(image, f, g)
    worn.hat(image, f, g)
    worn.earrings(image, f, g)
    return _develop(image, f, g, width, height)


class _Factors(dict):
    """The factors of one face: f.smile is f["smile"], and a missing one is a KeyError with its name."""

    __getattr__ = dict.__getitem__


def _grid(f, window, width, height, zoom):
    """The coordinates of the canvas, each float32 (H, W), and the dimensions of this head in frame units."""
    left, top, w, h = window
    g = SimpleNamespace(seed=int(f.seed), window=window, shape=(height, width), px=zoom * w / width)
    g.X = (left + (np.arange(width, dtype=np.float32) + 0.5) * (w / width))[None, :].repeat(height, 0)
    g.Y = (top + (np.arange(height, dtype=np.float32) + 0.5) * (h / height))[:, None].repeat(width, 1)

    g.turn = np.float32(np.radians(25 * f.yaw))
    g.drift = TURN * np.sin(g.turn)  # distance of the middle of the features from the middle of the head
    c, s = np.cos(np.float32(np.radians(f.roll))), np.sin(np.float32(np.radians(f.roll)))
    dx, dy = g.X - 88.5, g.Y - 111
    g.x = c * dx + s * dy + 0.72 * g.drift  # the features stay near the middle of the frame, the head moves
    g.y = c * dy - s * dx
    g.flank = g.x - 0.32 * g.drift  # the sides of the hair turn less than the face
    angle = np.arcsin(np.clip(g.x / TURN, -0.995, 0.995)) - g.turn
    g.u = TURN * np.sin(np.clip(angle, -1.5, 1.5))

    g.w = 39.8 + 2.4 * f.face_width + 4.5 * (f.chubby - 0.2) + 2.2 * f.presentation  # half the width of the head
    g.chin = 64.5 + 3.0 * f.face_length + 1.2 * f.chin + 3 * f.presentation + 4 * f.mouth_open  # below the eyes
    g.crown = 56.5 + 1.5 * f.face_length  # above the eyes
    g.square = 2.2 + 0.25 * f.jaw + 0.6 * f.presentation + 0.6 * f.chubby  # of the jaw
    g.taper = 0.22 - 0.05 * f.jaw - 0.13 * f.presentation - 0.10 * f.chubby  # from the cheeks to the chin
    g.eye = 19.5 + f.eye_distance  # from the middle to each eye
    g.nose = 0.92 + 0.45 * f.nose_size - 0.30 * f.nose_point  # width, 1 for a medium nose
    g.tip = 23.0 + 1.5 * f.nose_size + 1.8 * f.nose_point + 1.6 * f.nose_length  # of the nose, below the eyes
    g.lean = 8 * np.sin(g.turn)  # the nose stands out, so it moves more than the skin
    g.open = 11 * f.mouth_open**1.2 * (0.75 + 0.25 * f.smile)  # height of the open mouth

    light = np.array([0.85 * f.light_x, -0.25 - 0.55 * f.light_y, 0.9])  # x right, y down, z to the viewer
    g.light = (light / np.linalg.norm(light)).astype(np.float32)
    g.lamp = np.float32([1 + 0.10 * f.light_warmth, 1, 1 - 0.14 * f.light_warmth])[:, None, None]  # its colour
    g.skin = _skin(f)
    return g


_TONES = np.array(  # sRGB of skin in full light, from very pale to very dark
    [
        [250, 226, 214],
        [240, 206, 184],
        [228, 186, 156],
        [208, 160, 126],
        [180, 128, 94],
        [146, 98, 70],
        [110, 72, 52],
        [78, 50, 38],
    ]
)


def _skin(f):
    """Colour of the skin, linear (3, 1, 1)."""
    rgb = [np.interp(f.skin_tone, np.linspace(0, 1, len(_TONES)), channel) for channel in _TONES.T]
    return lin(rgb * (1 + f.undertone * np.array([-0.01, 0.015, -0.07])))  # cool to golden


def _head(image, f, g):
    """The head with its features. Stores its mask (g.head) and the distance inside its outline (g.edge)."""
    g.edge, dome = _outline(g)
    g.head = soft(g.edge, 1.3 * g.px)
    light, shine = _light(f, g, 40 * np.sqrt(dome + 0.02) + _relief(f, g))
    light = light * _occlusion(f, g)
    skin = _albedo(f, g)
    shadow = np.clip(1 - light, 0, 1)
    skin *= g.lamp * light * (1 + np.float32([[[0.10]], [[-0.02]], [[-0.10]]]) * shadow)  # shadows on skin are warm
    skin += (0.18 - 0.08 * f.makeup) * shine * g.lamp
    features.eyes(skin, f, g, light)
    features.brows(skin, f, g)
    features.mouth(skin, f, g, light)
    over(image, skin, g.head)


def _outline(g):
    """The distance inside the head's outline (negative outside), and a dome from 0 on the outline to 1, both (H, W)."""
    t = np.clip(g.y / g.chin, 0, 1)
    x = g.x - 0.62 * g.drift * t * t  # the chin turns with the features, the crown stays
    half = g.w * (1 - g.taper * t * t)
    down, up = np.clip(g.y, 0, None) / g.chin, np.clip(-g.y, 0, None) / g.crown
    inside = 1 - (x / half) ** 2 - down**g.square - up**2.4
    slope = np.hypot(2 * x / half**2, g.square * down ** (g.square - 1) / g.chin - 2.4 * up**1.4 / g.crown)
    return inside / np.maximum(slope, 0.012), np.clip(inside, 0, 1)


def _light(f, g, height):
    """The light on a surface of a given height (H, W): diffuse and specular, both (H, W)."""
    dy, dx = np.gradient(height, np.float32(g.window[2] / g.shape[1]))
    norm = 1 / np.sqrt(1 + dx * dx + dy * dy)
    lx, ly, lz = g.light
    facing = (lz - lx * dx - ly * dy) * norm  # cosine between the surface and the light
    strength = 0.44 + 0.40 * f.light_strength
    light = 1 - strength + 1.15 * strength * np.clip((facing + 0.35) / 1.35, 0, None)
    halfway = g.light + np.float32([0, 0, 1])
    hx, hy, hz = halfway / np.linalg.norm(halfway)
    mirror = np.clip((hz - hx * dx - hy * dy) * norm, 0, 1)
    return light, strength * mirror**16


def _relief(f, g):
    """The height of the face above the dome of the head (H, W): nose, brow, eye sockets, cheeks, mouth and chin."""
    u, y, au = g.u, g.y, np.abs(g.u)
    n = u - g.lean * np.clip((y + 6) / 30, 0, 1)  # across the nose
    run = np.clip((y + 14) / 38, 0, 1)  # from its root to its tip
    h = (1.2 + 5.0 * run) * hill(n / (5.8 * g.nose + 1.5 * run), 1) * soft(g.tip + 2 - y, 7) * soft(y + 12, 16)
    h += (5.2 + 3.5 * f.nose_point) * bump(n, y - g.tip, (8.0 - 1.5 * f.nose_point) * g.nose, 6.5 - f.nose_point)
    h += 3.4 * bump(np.abs(n) - 8.5 * g.nose, y - g.tip - 2, 4.0, 4.2)
    h -= (3.4 + 0.8 * f.presentation) * bump(au - g.eye + 1, y + 1, 12, 8)
    h += (1.0 + 1.8 * f.presentation) * bump(u, y + 15, 30, 6)
    h += (1.6 + 5.0 * f.cheekbones + 1.2 * f.smile) * bump(au - 25, y - 18 + 3 * f.smile, 11, 9)
    h += 2.2 * bump(u, y - 42 - 0.4 * g.open, 19, 13)
    h += (3.2 + 1.2 * f.presentation) * bump(u, y - g.chin + 9, 11, 7)
    h -= 1.2 * bump(u, y - 52 - 0.8 * g.open, 12, 3)
    fold = au - 15 - 0.45 * (y - 26)  # from the nose past the corner of the mouth
    h -= (0.4 + 1.3 * f.smile + 0.9 * f.age) * bump(fold, y - 35, 3, 9)
    return h


def _occlusion(f, g):
    """Soft shadows and lines that are the same in any light, a factor (H, W)."""
    u, y, au = g.u, g.y, np.abs(g.u)
    n = u - g.lean
    s = 0.20 * bump(n, y - g.tip - 6.5, 9 * g.nose, 3.0)  # under the nose
    s += 0.42 * bump(np.abs(n) - 4.6 * g.nose, y - g.tip - 4.2, 2.2 * g.nose, 1.5)  # nostrils
    s += 0.20 * f.light_strength * bump(n + 9 * g.light[0], y - g.tip - 6, 8, 5)  # cast by the nose
    s += 0.16 * bump(au - 12.5, y + 3, 5, 6) + 0.12 * bump(au - 20, y + 7, 10, 4)  # eye sockets
    s += (0.05 + 0.46 * f.eye_bags) * bump(au - g.eye, y - 10 - 0.02 * (au - g.eye) ** 2, 8, 2.2)
    s -= 0.20 * f.eye_bags * bump(au - g.eye, y - 6.4, 7, 1.8)
    s += 0.34 * f.cheekbones * bump(au - 29 + 0.35 * (y - 34), y - 35, 5, 9)  # below the cheekbone
    s += 0.52 * f.double_chin * hill(y - g.chin + 8 + 0.012 * u * u, 1.9) * soft(26 - au, 10)
    fold = au - 14.5 - 0.42 * (y - 26)
    s += (0.10 * f.smile + 0.05) * bump(fold, y - 34, 2.2, 9)
    s += f.age**1.5 * _wrinkles(u, y, au, fold)
    return (1 - s) * (1 - 0.25 * np.clip(1 - g.edge / 7, 0, 1) ** 2)


def _wrinkles(u, y, au, fold):
    """The lines and hollows of an old face (H, W)."""
    forehead = hill(np.sin((y + 34 + 0.004 * u * u) * 0.52), 0.35) * bump(u, y + 29, 24, 8)
    crow = hill(np.sin((y + 1) * 0.95 + 0.03 * (au - 30) * y), 0.4) * bump(au - 34, y, 4, 6)
    lines = 0.32 * forehead + 0.34 * crow + 0.50 * bump(fold, y - 34, 1.5, 9) + 0.22 * bump(au - 3.2, y + 14, 1.1, 5)
    return lines + 0.22 * bump(au - 29, y - 33, 5, 12) + 0.28 * bump(au - 21 - 0.1 * (y - 50), y - 52, 2, 7)


def _albedo(f, g):
    """Colour of the skin with its blemishes, make-up and beard, linear (3, H, W)."""
    u, y, au = g.u, g.y, np.abs(g.u)
    skin = g.skin * (1 + 0.05 * noise(g, 14, 18, 20) + 0.03 * noise(g, 110, 135, 21))
    red = g.skin * lin((257, 216, 213))
    over(skin, red, 0.22 * bump(au - 26, y - 20, 12, 10) + 0.30 * bump(u, y - 25, 9, 6))
    rouge = lin((226, 84, 92)) * (0.35 + 0.65 * g.skin)
    over(skin, rouge, (0.56 * f.rosy + 0.08 * f.makeup) * bump(au - 26, y - 18, 13, 9))
    over(skin, g.skin * 0.62, f.age * 0.35 * np.clip(noise(g, 24, 30, 22) - 0.35, 0, 1))  # spots of age
    hair.beard(skin, f, g)
    return skin


def _develop(image, f, g, width, height):
    """Linear light (3, H, W) to an sRGB image, uint8 (height, width, 3): exposure, vignette, blur, resolution."""
    image *= 1.10 * 2 ** (0.35 * f.exposure)
    image /= 1 + 0.16 * image * image  # bright light saturates slowly
    image *= 1 - 0.10 * ((g.X - 89) / 89) ** 2 - 0.06 * ((g.Y - 109) / 109) ** 2
    pixels = np.sqrt(np.clip(image, 0, 1)) * 255 + 0.5
    picture = Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8).transpose(1, 2, 0)))
    if f.blurry > 0:
        radius = 1.9 * f.blurry * g.shape[1] / g.window[2]
        picture = picture.filter(ImageFilter.GaussianBlur(float(radius)))  # Pillow 13 takes no NumPy number
    return np.array(picture.resize((width, height), Image.Resampling.BOX))
