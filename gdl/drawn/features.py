"""The features of the face, painted on the lit skin: eyes, brows, mouth."""

import numpy as np

from gdl.drawn import hair
from gdl.drawn.paint import box, bump, cycle, hill, hsv, lin, mix, noise, over, smin, soft

_IRIS = {
    "brown": (107, 65, 37),
    "hazel": (149, 112, 60),
    "green": (121, 144, 98),
    "blue": (112, 158, 200),
    "gray": (149, 163, 172),
}


def eyes(skin, f, g, light):
    for side in (-1, 1):
        part = box(g.u - side * g.eye, g.y, 20, 16)
        if part[0].stop > 0:
            dx, y = g.u[part] - side * g.eye, g.y[part]
            _eye(skin[(slice(None), *part)], f, g, light[part], dx, y, side)


def _eye(view, f, g, light, dx, y, side):
    """One eye on its part of the skin; the origin of dx and y is its middle, side is -1 for the eye on the left."""
    half = 10.4 + 0.8 * f.eye_size
    t = dx / half
    y = y + side * dx * (0.05 + 0.06 * f.eye_slant)
    arch = np.clip(1 - t * t, 0, None)
    wide = (1 - 0.55 * f.narrow_eyes) * (1 - 0.22 * f.smile) * (1 + 0.12 * f.eye_size)
    upper, lower = 0.6 - 5.5 * wide * arch**0.8, 0.6 + 3.1 * wide * arch  # edges of the lids
    to_corner = (1 - np.abs(t)) * half
    inside = soft(smin(y - upper, lower - y, 0.8), g.px) * soft(to_corner, g.px)

    shadow = hsv(0.75 + 0.7 * f.lipstick_hue, 0.35, 0.32) * (0.4 + 0.6 * g.skin)
    over(view, shadow, 0.75 * f.makeup * bump(dx, y + 7.5, 11, 4) * soft(-y - 1, 4))
    over(view, g.skin * 0.25, 0.45 * hill(y - upper + 3.4, 1.1) * soft(to_corner + 0.5, 4))  # crease of the lid

    ball = 0.45 + 0.5 * np.clip(light, 0, 1.1)
    ball = ball * (1 - 0.4 * np.exp(-np.clip(y - upper, 0, None) / 2)) * (1 - 0.25 * t * t)
    over(view, lin((219, 215, 212)) * ball, inside)
    ix, iy = dx - 3.4 * f.gaze_x, y + 0.6 - 1.5 * f.gaze_y
    r = np.hypot(ix, iy)
    glow = 0.75 + 0.5 * np.clip(iy / 4.4, -0.6, 1) - 0.5 * soft(r - 3.6, 1.2)
    over(view, lin(_IRIS[f.eye_colour]) * glow * (0.5 + 0.5 * ball), inside * soft(4.9 - r, 1.2 * g.px))
    over(view, lin((12, 9, 8)), inside * soft(1.9 - r, g.px))
    glint = np.hypot(ix - np.clip(6 * g.light[0], -1.5, 1.5), iy + 1.6)
    over(view, lin((255, 255, 255)), 0.9 * inside * soft(1.2 - glint, g.px))

    lashes = soft(0.75 + 0.9 * f.makeup - np.abs(y - upper + 0.3), g.px) * soft(to_corner + 0.4 + f.makeup, 2)
    over(view, lin((24, 16, 14)), (0.72 + 0.25 * f.makeup - 0.22 * f.presentation) * lashes)
    lashes = soft(0.35 + 0.35 * f.makeup - np.abs(y - lower), g.px) * soft(to_corner, 2)
    over(view, g.skin * 0.2, (0.35 + 0.3 * f.makeup) * lashes)


def brows(skin, f, g):
    fair = 0.4 * (f.hair_colour in ("blond", "gray"))
    colour = mix(0.55 * hair.colour(f) + 0.05 * g.skin, 0.35 * g.skin, fair)
    rough = 1 + 0.35 * noise(g, 60, 60, 30)
    for side in (-1, 1):
        t = (side * g.u - 8.0) / 23.5  # 0 at the nose, 1 at the temple
        rise = 1.2 * np.sin(2.6 * np.clip(t, 0, 1)) + f.brow_arch * (0.8 + 3.6 * hill(t - 0.58, 0.30))
        height = 12.4 + 1.2 * f.brow_height + 0.9 * f.smile - 1.5 * f.presentation
        y = g.y + height + rise - 2.2 * np.clip(t - 0.7, 0, 1)
        thick = (1.25 + 1.8 * f.brow_bush + 0.6 * f.presentation) * np.clip(1 - 0.55 * t * t, 0.1, None)
        mask = soft(thick * rough - np.abs(y), 1.6 + 0.5 * g.px) * soft(t - 0.02, 0.22) * soft(1 - t, 0.3)
        over(skin, colour, (0.70 + 0.25 * f.brow_bush) * mask)


def mouth(skin, f, g, light):
    part = box(g.u, g.y - 44, 32, 26)
    view, light = skin[(slice(None), *part)], light[part]
    u, y = g.u[part] - 3 * np.sin(g.turn), g.y[part]
    half = 15.2 + 1.3 * f.mouth_width + 3.6 * f.smile + 0.8 * f.presentation - 0.8 * f.mouth_open * (1 - f.smile)
    t = u / half
    arch = np.clip(1 - t * t, 0, None)
    to_corner = (1 - np.abs(t)) * half
    ends = soft(to_corner, 1.5)
    middle = 41.3 + 1.2 * f.smile - (5.4 * f.smile - 0.1) * t * t  # a smile lifts the corners
    full = 0.80 + 0.70 * f.lip_size - 0.16 * f.presentation - 0.12 * f.age
    top, bottom = middle - 0.22 * g.open * arch, middle + 0.78 * g.open * arch**0.7  # of the opening
    lip_top = top - (4.6 * full - 0.9 * f.smile) * arch * (1 - 0.30 * hill(t, 0.13))
    lip_bottom = bottom + (6.2 * full - 1.0 * f.smile) * arch**0.75

    lips = soft(smin(y - lip_top, lip_bottom - y, 1.0), 1.1 + 0.5 * g.px) * ends
    stick = hsv(0.92 + 0.08 * f.lipstick_hue, 0.86, 0.84 - 0.34 * cycle(f.lipstick_hue, 3))
    colour = mix(g.skin * lin((220, 164, 163)), stick, 0.92 * f.lipstick)
    shine = 0.16 * bump(u, y - bottom - 2.4 * full, 8, 1.6)
    colour = colour * g.lamp * light * (0.92 - 0.22 * soft(middle - y, 1.5) + shine)  # the upper lip is darker
    over(view, colour, (0.82 + 0.15 * f.lipstick) * lips)
    gloss = bump(u - 4 * g.light[0], y - bottom - 2.2 * full, 5, 1.0)
    over(view, lin((255, 235, 230)), (0.10 + 0.2 * f.lipstick) * gloss * lips)
    seam = soft(0.55 - np.abs(y - middle), 1.2 * g.px) * soft(to_corner + 0.9, 2.5)
    over(view, g.skin * 0.08, 0.75 * seam * soft(1.2 - g.open, 2))

    hole = soft(smin(y - top, bottom - y, 0.5) + 0.1, g.px) * ends * soft(g.open - 0.3, 1)
    over(view, lin((58, 16, 18)), hole)
    length = (0.30 + 0.45 * f.smile) * g.open + 0.9 + 0.8 * f.smile
    teeth = hole * soft(top + length - y, 1.2) * soft(to_corner - 1.2, 4)
    gaps = 1 - 0.12 * hill(np.sin(0.85 * u), 0.25)
    over(view, lin((243, 236, 222)) * (0.36 + 0.58 * light) * gaps * (1 - 0.35 * t * t), 0.96 * teeth)

    over(view, g.skin * 0.12, 0.45 * bump(np.abs(u) - half, y - middle, 1.8, 1.6))  # the corners
    over(view, g.skin * 0.45, 0.30 * bump(u, y - lip_bottom - 2.0, 9, 1.8))  # below the lower lip
