"""Hair on the head and on the face.

The hair is one shape around the head with an opening for the face. Its texture is noise along one coordinate,
which runs across the strands: the strands follow the outline, and waves bend them.
"""

import numpy as np

from gdl.drawn.paint import dice, hill, lin, mix, noise, over, smin, soft

_COLOURS = {
    "black": (30, 25, 25),
    "espresso": (56, 40, 33),
    "brown": (104, 70, 46),
    "auburn": (130, 62, 38),
    "sandy": (158, 124, 86),
    "blond": (218, 184, 124),
    "gray": (176, 174, 172),
}


def colour(f):
    """Colour of the hair in full light, linear (3, 1, 1); it fades a little with age."""
    pigment = lin(_COLOURS[f.hair_colour]) * (1 + 0.22 * f.hair_light)
    return mix(pigment, 0.8 * lin(_COLOURS["gray"]), 0.11 * max(0.0, f.age - 0.35))


def _shape(f, g):
    """Stores in g the hair's edge (distance inside), half width, lower end and strands, all (H, W), and its top."""
    x, y = g.x, g.y
    curls, lumps = noise(g, 30, 36, 50), noise(g, 11, 13, 51)
    curly = max(0.0, f.hair_wave - 0.3)
    short = 1 - np.clip((f.hair_length - 0.1) / 0.25, 0, 1)
    bulk = (5.5 + 6.5 * f.hair_volume + 9 * curly) * (1.0 if f.hat == "none" else 0.45)

    g.hair_top = g.crown + 2 + bulk
    top = g.hair_top + 0.35 * bulk * np.clip(-f.parting * x / 40, -1, 1)  # more on the side away from the parting
    temple, fall = np.clip((y + 36) / 40, 0, 1), np.clip((y + 10) / 110, 0, 1)
    side = g.w + 0.5 + bulk * (0.75 - 0.45 * short) - 7 * short * temple
    side = side + 13 * f.hair_length * fall * (0.6 + 0.6 * f.hair_volume)
    g.hair_side = side + lumps * (1 + 3.5 * f.hair_wave) * np.clip((y + 50) / 50, 0, 1) * (1 - 0.7 * short)
    across, up = np.abs(x) / g.hair_side, np.clip(-y, 0, None) / top
    slope = 2.2 * np.hypot(across**1.2 / g.hair_side, up**1.2 / top)
    edge = (1 - across**2.2 - up**2.2) / np.maximum(slope, 0.012)
    g.hair_edge = edge + curls * (0.9 + 3.6 * curly + 0.8 * short) * (1 - 0.7 * short * temple)

    sweep = 0.7 * short * np.clip(3 * f.parting, -1, 1)  # short hair is combed to one side
    q = (x - 12 * f.parting * soft(-y - 10, 70) + sweep * (y + 40)) / (g.hair_side + 2)
    bend = 0.07 * np.sin(y / 7 + 4 * q + 6 * lumps) + 0.05 * lumps
    q = q + f.hair_wave * bend * np.clip((y + 60) / 50, 0.2, 1)
    knots = dice(g, 52).standard_normal(320)
    fine, wide = (np.interp(n * q + 160, np.arange(320), knots).astype(np.float32) for n in (54, 15))
    g.strands = 0.07 * fine + 0.07 * wide + (0.06 + 0.30 * curly + 0.06 * short) * curls
    end = 3 + 118 * max(0.0, f.hair_length - 0.08) / 0.92 - 0.004 * x * x * f.hair_length
    g.hair_end = end + (8 + 30 * f.hair_length) * g.strands


def _picture(f, g):
    """The hair's light and colour, linear (3, H, W): strands, round shading and two bands of sheen."""
    nx = np.clip(g.x / (g.hair_side + 4), -1, 1)
    ny = np.clip(-g.y / (g.hair_top + 4), 0, 1)
    light = 0.56 + 0.40 * nx * g.light[0] - 0.38 * ny * g.light[1] - 0.34 * nx * nx + 1.15 * g.strands
    crown = hill(g.y + 0.74 * g.hair_top - 16 * nx * nx - 14 * g.strands, 7)
    sheen = crown * np.clip(0.6 + 1.5 * nx * g.light[0], 0, 1.4)
    sheen = sheen + 0.55 * hill(g.y - 32 + 14 * nx * nx - 14 * g.strands, 13)
    base = colour(f)
    gloss = (0.45 * base + lin((52, 50, 50))) * (1 - 0.6 * f.hair_wave)
    return (base * np.clip(light, 0.15, None) + gloss * sheen * np.clip(0.5 + 3 * g.strands, 0, 2)) * g.lamp


def behind(image, f, g):
    """The hair behind the neck and the shoulders, in the shadow of the head."""
    if f.bald:
        return
    _shape(f, g)
    seen = float(np.clip((f.hair_length - 0.12) / 0.15, 0, 1))
    if seen > 0:
        mask = soft(g.hair_edge, 1.5 * g.px) * soft(g.hair_end - g.y, 6)
        over(image, _picture(f, g) * 0.45, seen * mask)


def front(image, f, g):
    """The hair over the forehead, at the sides and, where it is long, down beside the face, with its shadow."""
    if f.bald:
        return
    u, y, au = g.u, g.y, np.abs(g.u)
    long = np.clip((f.hair_length - 0.2) / 0.25, 0, 1)
    part = u - 14 * f.parting
    line = -40.5 - 10 * f.receding - 5 * (0.35 * f.presentation + f.receding) * hill(au - 21, 9)
    line = line + 27 * np.tanh((0.010 + 0.012 * long) * part * part / 27) * (1 - 0.5 * f.receding)
    fringe = -17 + 0.3 * f.parting * u + 1.2 * np.sin(0.5 * u + 4 * f.parting) + 8 * g.strands
    line = mix(line, fringe, f.bangs * soft(35 - au, 10))
    # cropped hair ends at the ear, long hair falls over the cheek
    beside = g.w - 2.0 - 2.5 * np.clip(-y / 30, -0.4, 1) - long * (4.5 + 4.0 * hill(y - 55, 35) + 3 * f.hair_volume)
    opening = smin(y - line, beside - np.abs(g.flank), 12) + 5 * g.strands
    face = soft(opening, 4.0 + 0.5 * g.px - 2.2 * long)
    face = face * np.maximum(soft(g.edge - 0.7, 2), soft(y + 4, 12))  # above the ears, the hair outside the head stays
    end = soft(g.hair_end - y, 10 - 6 * long)
    over(image, image * lin((184, 173, 169)), 0.6 * soft(3.5 - opening, 10) * face * g.head * end)
    over(image, _picture(f, g), soft(g.hair_edge, 1.8 * g.px) * (1 - face) * end)


def beard(skin, f, g):
    """The hair on the lip, the chin, the cheeks and in front of the ears, painted on the colour of the skin."""
    if f.stubble + f.goatee + f.mustache + f.sideburns + f.beard == 0:
        return
    u, y, au = g.u, g.y, np.abs(g.u)
    lip = soft(smin(y - 29 - 0.012 * u * u, 42 - 0.012 * u * u - y, 2), 3) * soft(17.5 - au, 6)
    oval = 1 - (u / 17) ** 2 - ((y - 49) / (g.chin - 43)) ** 2
    chin = soft(9 * oval, 6) * soft(y - 46 - 0.4 * g.open + 0.022 * u * u, 6)
    jaw = soft(0.5 * (y - 31 + 0.9 * (au - 27)) + 0.02 * (au - 27) ** 2, 14) * soft(au + 0.9 * y - 44, 14)
    burns = soft(np.abs(g.flank) - g.w + 8.0 + 0.05 * y, 3) * soft(27 - y, 8) * soft(y + 24, 10)

    tint = colour(f) * 0.7 + g.skin * 0.04
    if f.hair_colour != "gray":
        tint = np.minimum(tint, 0.45 * g.skin)  # fair hair must be visible on fair skin
    grain = noise(g, 110, 135, 53)
    shadow = np.maximum(jaw, np.maximum(lip, chin))
    over(skin, 0.38 * g.skin + 0.25 * tint, np.clip(0.66 * f.stubble * shadow * (1 + 0.35 * grain), 0, 1))
    full = np.maximum(f.mustache * lip, f.goatee * chin)
    full = np.maximum(full, np.maximum(f.beard * np.maximum(jaw, chin), f.sideburns * burns))
    over(skin, tint * (1 + 0.1 * grain), np.clip(1.2 * full * (1 + 0.07 * grain), 0, 0.96))
