"""The body, the ears and what is worn on them: clothes, necklace, necktie, glasses, hats, earrings."""

import numpy as np

from gdl.drawn.paint import bump, cycle, hill, hsv, lin, mix, noise, over, smin, soft


def body(image, f, g):
    """Neck, necklace, shoulders and clothes."""
    x, y = g.x - 0.25 * g.drift, g.Y - 111  # the body turns less than the head and does not tilt
    half = 18 + 8.5 * f.presentation + 6 * f.chubby + 14 * np.clip((y - 70) / 40, 0, 2) ** 2
    under = np.clip(1 - (y - g.chin) / 26, 0, 1)  # in the shadow of the head
    light = 0.62 + 0.3 * np.clip(0.5 + x * g.light[0] / 30, 0, 1)
    light = light * (1 - 0.5 * under) * (1 - 0.25 * (x / half) ** 2) + 0.03
    warm = 1 - np.float32([[[0]], [[0.10]], [[0.16]]]) * under
    over(image, g.skin * g.lamp * light * warm, soft(half - np.abs(x), 2 * g.px) * soft(y - 20, 10))

    fall = 1 - np.exp(-np.clip(np.abs(x) - 0.9 * half, 0, None) / 40)  # of the shoulders, away from the neck
    collar = 1.0 if f.necktie else f.collar
    neckline = 22 * (1 - collar) * np.exp(-((x / 26) ** 4)) + 14 * hill(x, 14 + 5 * f.presentation)
    depth = y - (87 - 8 * collar - 9 * f.presentation + 20 * fall + neckline)
    cloth = soft(depth, 1.2 * g.px)
    colour = hsv(f.clothes_hue, 0.8 * f.clothes_saturation**2, 0.12 + 0.72 * f.clothes_light**1.4)
    shade = 0.55 + 0.35 * np.clip(0.5 + x * g.light[0] / 70, 0, 1) - 0.2 * np.exp(-np.clip(depth, 0, None) / 5)
    over(image, colour * g.lamp * (shade + 0.12 * noise(g, 5, 7, 40)), cloth)
    seen = float(np.clip((collar - 0.55) / 0.15, 0, 1))
    if seen > 0:
        _shirt(image, f, g, x, y, cloth, seen)
    if f.necklace:
        chain = soft(1.1 - np.abs(y - 98 + 0.011 * x * x), g.px) * soft(32 - np.abs(x), 4)
        over(image, lin((225, 190, 110)), 0.9 * chain)
        over(image, lin((250, 240, 225)), soft(3.2 - np.hypot(x, y - 100), g.px))


def _shirt(image, f, g, x, y, cloth, seen):
    """A collar and, with a necktie, the front of a shirt between lapels."""
    ax, light = np.abs(x), g.lamp * (0.66 + 0.10 * np.clip(x * g.light[0] / 20, -1, 1))
    saturation = (0.12 if f.necktie else 0.4) * f.clothes_saturation
    shirt = hsv(f.clothes_hue, saturation, 0.6 + 0.35 * f.clothes_light) * light
    if f.necktie:
        lapel = 24 - 0.5 * (y - 78) - ax
        over(image, shirt * 0.85, soft(lapel, g.px) * soft(y - 86, 2))
        over(image, image * 0.5, 0.5 * soft(3 - np.abs(lapel), 3) * cloth)
        half = 3.5 + 0.12 * (y - 84) + 2.2 * hill(y - 88, 4)
        tie = hsv(f.tie_hue, 0.75, 0.3 + 0.35 * cycle(f.tie_hue, 3)) * light * 1.3 * (1 - 0.3 * ax / half)
        stripes = 0.85 + 0.2 * cycle(f.tie_hue, 5) * np.sin(0.7 * (x + y))
        knot = 1 - 0.35 * soft(1 - np.abs(y - 93), 1)
        over(image, tie * stripes * knot, soft(half - ax, g.px) * soft(y - 84, g.px))
    flap = smin(smin(ax - 4 - 0.55 * (92 - y), 27 - 0.2 * (y - 72) - ax, 2), 106 - y - 0.75 * (24 - ax), 2)
    over(image, image * 0.5, 0.5 * seen * soft(flap + 2.5, 4) * cloth)
    over(image, shirt * (0.9 + 0.012 * (y - 84)), seen * soft(flap, g.px) * soft(y - 72 + 0.1 * ax, 3))


def _ear(f, g, side):
    """The middle of an ear (x of the head), and how far it is turned to the viewer, -1 to 1."""
    return side * (g.w + 1.0 - 3.5 * covered(f) - 0.24 * abs(g.drift)), -side * f.yaw


def covered(f):
    """How much the hair covers the ears, 0 to 1."""
    return float(np.clip((f.hair_length - 0.25) / 0.2, 0, 1)) * (not f.bald)


def ears(image, f, g, front):
    """Both ears behind the head, or the one in front of it that is turned to the viewer."""
    for side in (-1, 1):
        centre, towards = _ear(f, g, side)
        seen = float(np.clip(3 * towards, 0, 1)) if front else 1.0
        dx, dy = (g.x - centre) / (4.8 + 1.4 * max(0.0, towards)), (g.y - 7) / 13
        dx = dx - side * 0.25 * (0.5 - 0.6 * dy)
        mask = soft(4 * (1 - dx * dx - dy * dy), g.px) * soft(side * (g.x - centre) + 2, 4)
        light = 0.62 + 0.25 * side * g.light[0]
        light = light - 0.28 * bump(dx - 0.15 * side, dy + 0.1, 0.35, 0.45)  # the hollow
        light = light + 0.12 * bump(dx - 0.6 * side, dy + 0.2, 0.25, 0.7)  # the rim
        over(image, g.skin * lin((255, 226, 218)) * g.lamp * light, seen * mask)


def earrings(image, f, g):
    """A pearl for a small earring_size, a hoop for a large one."""
    if not f.earrings:
        return
    hoop = float(soft(f.earring_size - 0.5, 0.3))
    size = 3.0 + 2.6 * f.earring_size
    metal = mix(lin((240, 240, 245)), lin((236, 200, 120)), float(soft(f.earring_size - 0.35, 0.3)))
    for side in (-1, 1):
        centre, towards = _ear(f, g, side)
        dx, dy = g.x - centre - 1.5 * side, g.y - 24 - size
        r = np.hypot(dx, dy)
        shape = soft(smin(size - r, r - hoop * (size - 2), 0.3), g.px)
        seen = float(np.clip(1 + 1.5 * towards, 0, 1))
        over(image, metal * (0.7 + 0.4 * bump(dx + 1, dy + 1, 2, 2)), seen * shape)


def glasses(image, f, g):
    """Spectacles or sunglasses: thin metal for a small glasses_rim, thick and dark for a large one."""
    if not f.glasses:
        return
    rim = 0.9 + 1.6 * f.glasses_rim
    power = 2.2 + 3.0 * (1 - f.glasses_round)
    frame = soft(rim - np.abs(g.y + 1.5 - 0.05 * g.u**2), g.px) * soft(5.5 - np.abs(g.u), 2)  # the bridge
    for side in (-1, 1):
        dx, dy = g.u - side * 19.8, g.y - 2
        d = 12.5 * (1 - (np.abs(dx / 15.5) ** power + np.abs(dy / 11.5) ** power) ** (1 / power))
        lens = soft(d, g.px) * g.head
        if f.sunglasses:
            over(image, lin((30, 26, 28)) * (0.7 + 1.4 * np.clip((dy + 4) / 14 + 0.3, 0, 1)), 0.95 * lens)
        over(image, lin((255, 255, 255)), lens * (0.04 + 0.14 * soft(2.5 - np.abs(dx + 0.7 * dy - 1.6), 3)))
        arm = soft(0.8 * rim - np.abs(g.y + 2), g.px) * soft(side * g.u - 34, 2) * soft(g.edge, 2)
        frame = np.maximum(frame, np.maximum(soft(rim - np.abs(d), g.px), arm * (1 - 0.9 * covered(f))))
    over(image, mix(lin((112, 102, 94)), lin((26, 22, 22)), float(soft(f.glasses_rim - 0.3, 0.4))), 0.95 * frame)


def hat(image, f, g):
    """A cap, a beanie or a fedora on top of the hair."""
    if f.hat == "none":
        return
    cloth = hsv(f.hat_hue, 0.15 + 0.6 * cycle(f.hat_hue, 7), 0.2 + 0.55 * cycle(f.hat_hue, 4)) * g.lamp
    half = g.w + 6.5
    top, low, bend = {"cap": (13, -31, 0.006), "beanie": (14, -28, 0.006), "fedora": (20, -31, 0.002)}[f.hat]
    top, brim = g.crown + top, low + bend * g.x * g.x
    nx = np.clip(g.x / half, -1, 1)
    dome = 1 - (np.abs(g.x) / half) ** 2.7 - (np.clip(-g.y - 15, 0, None) / (top - 15)) ** 2.7
    if f.hat == "fedora":
        dome = dome - 0.16 * bump(g.x - 0.3 * g.drift, g.y + top, 12, 9)  # the dent
    mask = soft(smin(0.4 * half * dome, brim - g.y, 2), 1.5 * g.px)
    light = 0.62 + 0.34 * g.light[0] * nx - 0.25 * nx * nx + 0.26 * np.clip(-(g.y + 45) / 40, -0.5, 1)
    over(image, image * 0.4, 0.75 * soft(9 - (g.y - brim), 12) * soft(g.y - brim + 3, 3) * g.head)  # its shadow
    cloth = cloth * np.clip(light, 0.2, None)
    over(image, cloth, mask)
    {"cap": _visor, "beanie": _band, "fedora": _brim}[f.hat](image, g, cloth, brim, half, mask)


def _visor(image, g, cloth, brim, half, mask):
    """The front of a cap: seams, a badge and the visor with its shadow."""
    u = g.u - 6 * np.sin(g.turn)
    seam = np.maximum(soft(0.5 - np.abs(u), 1), soft(0.5 - np.abs(np.abs(u) - 24 - 0.2 * (g.y + 40)), 1))
    over(image, image * 0.6, 0.6 * seam * mask)
    over(image, cloth * 2.2 + 0.05, 0.75 * mask * soft(1 - (u / 10) ** 2 - ((g.y + 52) / 7) ** 2, 0.3))
    upper, lower = -39 + 0.008 * u * u, -17 - 0.007 * u * u
    d = smin(smin(g.y - upper, lower - g.y, 3), 40 - np.abs(u), 4)
    over(image, image * 0.35, 0.8 * soft(d + 5, 8) * np.maximum(g.head, mask))
    over(image, cloth * (0.35 + 0.95 * soft(lower - 9 - g.y, 16)), soft(d, 1.4 * g.px))
    over(image, cloth * 1.5, 0.5 * soft(0.8 - np.abs(lower - 1.5 - g.y), 1) * soft(d, 2))


def _band(image, g, cloth, brim, half, mask):
    """The ribbed band of a beanie."""
    y = np.abs(g.y - brim + 7)
    over(image, image * 0.6, 0.6 * soft(11 - y, 4) * mask)
    ribs = 1.0 + 0.18 * np.sin(1.2 * g.u)
    over(image, cloth * ribs, soft(smin(8 - y, half + 1.5 - np.abs(g.x), 3), 1.4 * g.px))


def _brim(image, g, cloth, brim, half, mask):
    """The ribbon and the brim of a fedora, and the shadow of the brim."""
    over(image, cloth * 0.3, soft(4 - np.abs(g.y - brim + 14), g.px) * mask)
    d = 1 - (g.x / (half + 20)) ** 2 - ((g.y + 31 - 0.0015 * g.x * g.x) / 7) ** 2
    over(image, image * 0.5, 0.6 * soft(3 - np.abs(g.y + 24), 6) * g.head)
    over(image, cloth * np.clip(0.8 - 0.045 * (g.y + 30), 0.2, None), soft(6 * d, 1.4 * g.px))
