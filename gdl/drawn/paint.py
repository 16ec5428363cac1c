"""Brushes: soft edges, bumps, noise and colours, on the canvas's grid of coordinates.

Images are linear light, float32 (3, H, W); masks are float32 (H, W) from 0 to 1.
"""

import colorsys

import numpy as np
from PIL import Image


def lin(rgb):
    """An sRGB colour 0 to 255 as linear light, float32 (3, 1, 1) (a square in place of sRGB's curve)."""
    c = np.asarray(rgb, dtype=np.float32) / 255
    return (c * c)[:, None, None]


def hsv(hue, saturation, value):
    """A colour from hue (cyclic, 0 to 1), saturation and value 0 to 1, as linear light (3, 1, 1)."""
    return lin(np.array(colorsys.hsv_to_rgb(hue % 1, saturation, value)) * 255)


def cycle(amount, times):
    """A number from 0 to 1 that goes up and down `times` times while the amount goes from 0 to 1."""
    return 0.5 - 0.5 * float(np.cos(2 * np.pi * times * amount))


def mix(a, b, amount):
    """From a (amount 0) to b (amount 1)."""
    return a + amount * (b - a)


def over(image, colour, mask):
    """Paints a colour (3, 1, 1) or a picture (3, H, W) over an image, in place, with the mask as opacity."""
    image += mask * (colour - image)


def soft(distance, width):
    """A mask from the distance inside a shape: 0 outside, 1 inside, with a smooth ramp of this width between."""
    t = np.clip(distance * np.float32(1 / width) + np.float32(0.5), 0, 1)
    return t * t * (3 - 2 * t)


def hill(d, r):
    """A Gaussian of height 1 and radius r."""
    d = d * np.float32(1 / r)
    return np.exp(-(d * d))


def bump(dx, dy, rx, ry):
    """A Gaussian in two directions, of height 1 and radii rx and ry."""
    dx, dy = dx * np.float32(1 / rx), dy * np.float32(1 / ry)
    return np.exp(-(dx * dx + dy * dy))


def smin(a, b, k):
    """The smaller of two distances, with the corner rounded over k: the intersection of two shapes."""
    h = np.clip(0.5 + (b - a) * np.float32(0.5 / k), 0, 1)
    return b + h * (a - b) - k * h * (1 - h)


def dice(g, key):
    """A random generator for one purpose in this face, independent of everything else that is drawn."""
    return np.random.default_rng([g.seed, key])


def noise(g, across, down, key):
    """Smooth noise with mean 0 and standard deviation 0.5, fixed to the frame (H, W): across x down knots, interpolated."""
    knots = dice(g, key).standard_normal((down, across)).astype(np.float32) * np.float32(0.5)
    left, top, w, h = g.window
    sx, sy = (across - 1) / 178, (down - 1) / 218
    part = (left * sx + 0.5, top * sy + 0.5, (left + w) * sx + 0.5, (top + h) * sy + 0.5)
    return np.asarray(Image.fromarray(knots).resize(g.shape[::-1], Image.Resampling.BICUBIC, box=part))


def box(dx, dy, rx, ry):
    """The part of the canvas where |dx| < rx and |dy| < ry, as slices of the rows and columns."""
    near = (np.abs(dx) < rx) & (np.abs(dy) < ry)
    rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
    if len(rows) == 0:
        return np.s_[0:0, 0:0]
    return np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
