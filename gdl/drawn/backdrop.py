"""The background: it is out of focus, so that nothing in it is sharp."""

import numpy as np

from gdl.drawn.paint import dice, hsv, mix, noise, over, soft


def backdrop(f, g):
    """The canvas with nothing but the background, linear (3, H, W)."""
    rng = dice(g, 1)
    saturation, light = 0.5 * f.backdrop_saturation, f.backdrop_light
    far = hsv(f.backdrop_hue, saturation, 0.10 + 0.80 * light)
    near = hsv(f.backdrop_hue + 0.07, saturation, 0.06 + 0.66 * light)
    tilt = rng.uniform(-1, 1, 2)
    ramp = soft((g.Y - 100) / 200 * (0.6 + 0.4 * tilt[1]) + (g.X - 89) / 178 * tilt[0], 1.2)
    image = mix(far, near, ramp).astype(np.float32)
    if f.backdrop == "blobs":
        for k in range(3):
            other = np.clip(light + rng.uniform(-0.45, 0.35), 0.05, 0.95)
            colour = hsv(f.backdrop_hue + 0.22 * (k - 1), 0.9 * saturation, other)
            over(image, colour, 0.85 * soft(noise(g, 4, 5, 10 + k) - 0.1, 1.3))
    elif f.backdrop == "bokeh":  # lights out of focus in the dark
        image *= 0.30
        for x, y, r, bright in rng.uniform((-5, -5, 4, 0), (183, 190, 14, 0.55), (16, 4)):
            colour = hsv(f.backdrop_hue + rng.uniform(-0.12, 0.12), 0.15 + saturation, 1.0)
            over(image, colour, bright * soft(r - np.hypot(g.X - x, g.Y - y), 3.5))
    elif f.backdrop == "wall":  # panels, doors, curtains
        for x, width, bright in rng.uniform((0, 6, 0.3), (178, 40, 1.5), (4, 3)):
            over(image, image * bright, 0.8 * soft(width - np.abs(g.X - x + 0.1 * tilt[1] * g.Y), 5))
    elif f.backdrop == "foliage":
        leaf = hsv(0.22 + 0.14 * f.backdrop_hue, 0.25 + 0.3 * f.backdrop_saturation, 0.25 + 0.4 * light)
        image[:] = leaf * (0.5 + 0.6 * ramp)
        over(image, leaf * np.float32([[[2.0]], [[1.9]], [[1.2]]]), 0.7 * soft(noise(g, 12, 15, 10) - 0.4, 1.3))
        over(image, leaf * 0.25, 0.8 * soft(noise(g, 9, 11, 11) - 0.2, 1.3))
    return image
