"""The factors of drawn faces, sampled: everything that determines a drawing.

One rule makes the table easy to read: an amount is a number from 0 to 1, and the attribute of that
name is present where the amount is above a half. The sampler avoids the middle (0.4 to 0.6), so that
what the table says can be seen in the drawing.

The frequency of each attribute, and its dependence on presentation, age and smile, are taken from CelebA's
own table (Liu, Luo, Wang, Tang: "Deep Learning Face Attributes in the Wild", ICCV 2015). Skin tone is
independent of everything except the colours of hair and eyes.
"""

import numpy as np
import pandas as pd

from gdl.arguments import whole_number

HAIR_COLOURS = ("black", "espresso", "brown", "auburn", "sandy", "blond")  # gray depends on age, below
_HAIR_WEIGHTS = {  # (dark skin, male) -> probability of each of HAIR_COLOURS
    (False, False): (0.06, 0.10, 0.27, 0.10, 0.09, 0.38),
    (False, True): (0.18, 0.29, 0.23, 0.07, 0.20, 0.03),
    (True, False): (0.42, 0.28, 0.14, 0.08, 0.03, 0.05),
    (True, True): (0.52, 0.36, 0.07, 0.02, 0.02, 0.01),
}
EYE_COLOURS = ("brown", "hazel", "green", "blue", "gray")
_EYE_WEIGHTS = {  # dark skin -> probability of each of EYE_COLOURS
    False: (0.40, 0.19, 0.12, 0.21, 0.08),
    True: (0.88, 0.12, 0.0, 0.0, 0.0),
}
BACKDROPS = ("gradient", "blobs", "bokeh", "wall", "foliage")
HATS = ("cap", "beanie", "fedora")
_BEARDS = (  # (probability for a man, stubble, goatee, mustache, sideburns, beard on the cheeks)
    (0.180, 1, 0, 0, 0, 0),
    (0.050, 1, 0, 0, 1, 0),
    (0.030, 1, 1, 0, 0, 0),
    (0.040, 0, 1, 1, 1, 1),
    (0.035, 0, 1, 1, 0, 0),
    (0.035, 0, 1, 0, 0, 0),
    (0.025, 0, 0, 1, 0, 0),
    (0.050, 0, 0, 0, 1, 0),
    (0.555, 0, 0, 0, 0, 0),
)
_UNIFORMS = 128  # random numbers for each row; not all are used


def _uniforms(start, stop, seed):
    """Uniform numbers in [0, 1), float64 (stop - start, _UNIFORMS); row i depends on (seed, i) alone."""
    rows = [np.random.default_rng([seed, i]).random(_UNIFORMS) for i in range(start, stop)]
    return np.array(rows).reshape(stop - start, _UNIFORMS)


def _amount(present, u):
    """An amount that agrees with a flag: 0.6 to 1 where present, 0 to 0.4 where not."""
    return np.where(present, 0.6 + 0.4 * u, 0.4 * u)


def _pick(names, weights, u):
    """One of `names` for each u; weights (n, len(names)), each row summing to 1."""
    index = (u[:, None] >= np.cumsum(weights, axis=1)[:, :-1]).sum(axis=1)
    return np.array(names, dtype=object)[index]


def _bell(u, sharpness=3.0):
    """A bell-shaped number in [-1, 1] with mean 0 (the quantile function of a logistic, bounded)."""
    return np.tanh(np.log(u / (1 - u + 1e-12) + 1e-12) / sharpness)


def rows(start: int, stop: int, seed: int = 0) -> pd.DataFrame:
    """Rows start to stop (stop not included) of the table of factors; see `factors`."""
    table = _uniforms(start, stop, seed)
    columns = iter(table.T)

    def u():
        """The next unused column of uniform numbers, (n,)."""
        return next(columns)

    f = {"seed": (u() * 2**31).astype(np.int64)}

    # who
    male = u() < 0.417
    f["presentation"] = _amount(male, u())
    young = u() < np.where(male, 0.633, 0.874)
    f["age"] = _amount(~young, u())
    pale = u() < 0.043
    f["skin_tone"] = np.where(pale, 0.06 * u(), 0.12 + 0.88 * u() ** 1.2)
    f["undertone"] = 2 * u() - 1

    def chance(male_old, male_young, female_old, female_young):
        """A flag whose probability depends on presentation and age."""
        p = np.where(male, np.where(young, male_young, male_old), np.where(young, female_young, female_old))
        return u() < p

    # shape of the head
    chubby = chance(0.21, 0.07, 0.05, 0.006)
    f["chubby"] = _amount(chubby, u())
    f["double_chin"] = _amount(u() < np.where(chubby, 0.5, np.where(male, 0.04, 0.005)), u())
    for name in ("face_width", "face_length", "jaw", "chin", "nose_length", "mouth_width", "brow_height"):
        f[name] = _bell(u())

    # expression and pose
    smiling = u() < np.where(male, 0.400, 0.541)
    f["smile"] = _amount(smiling, u())
    f["mouth_open"] = np.where(u() < np.where(smiling, 0.761, 0.225), 0.6 + 0.4 * u(), 0.15 * u())
    f["yaw"], f["roll"] = _bell(u(), 2.6), 10 * _bell(u(), 3.5)
    f["gaze_x"], f["gaze_y"] = _bell(u(), 2.5), _bell(u(), 3.0)

    # eyes and brows
    dark = f["skin_tone"] > 0.6
    weights = np.where(dark[:, None], _EYE_WEIGHTS[True], _EYE_WEIGHTS[False])
    f["eye_colour"] = _pick(EYE_COLOURS, weights, u())
    f["eye_size"], f["eye_slant"], f["eye_distance"] = _bell(u()), _bell(u()), _bell(u())
    f["narrow_eyes"] = _amount(u() < np.where(smiling, 0.141, 0.091), u())
    f["eye_bags"] = _amount(chance(0.48, 0.27, 0.21, 0.087), u())
    f["brow_arch"] = _amount(u() < np.where(male, 0.053, 0.420), u())
    f["brow_bush"] = _amount(u() < np.where(male, 0.244, 0.069), u())

    # nose, mouth, cheeks
    f["nose_size"] = _amount(chance(0.55, 0.345, 0.20, 0.088), u())
    f["nose_point"] = _amount(u() < np.where(male, 0.162, 0.360), u())
    f["lip_size"] = _amount(u() < np.where(male, 0.156, 0.301), u())
    cheek_chance = np.where(smiling, np.where(male, 0.68, 0.88), np.where(male, 0.06, 0.18))
    f["cheekbones"] = _amount(u() < cheek_chance, u())
    f["rosy"] = _amount(u() < np.where(male, 0.003, np.where(smiling, 0.18, 0.03)), u())
    made_up = chance(0.003, 0.003, 0.40, 0.70)
    f["makeup"] = np.where(made_up, 0.6 + 0.4 * u(), 0.15 * u())
    lips = u() < np.where(male, 0.006, np.where(made_up, 0.95, 0.53))
    f["lipstick"], f["lipstick_hue"] = np.where(lips, 0.6 + 0.4 * u(), 0.0), u()

    # beard
    chances = np.array([b[0] for b in _BEARDS])
    kind = np.searchsorted(np.cumsum(chances / chances.sum()), u(), side="right").clip(max=len(_BEARDS) - 1)
    for k, name in enumerate(("stubble", "goatee", "mustache", "sideburns", "beard"), start=1):
        has = male & np.array([b[k] for b in _BEARDS], dtype=bool)[kind]
        f[name] = np.where(has, 0.6 + 0.4 * u(), 0.0)

    # hair
    hat = u() < np.where(male, 0.081, 0.025)
    bald = chance(0.12, 0.018, 0.0, 0.0)
    receding = chance(0.26, 0.06, 0.12, 0.045) & ~bald
    bangs = (u() < np.where(male, 0.10, 0.22)) & ~bald & ~receding & ~hat
    weights = np.array([_HAIR_WEIGHTS[d, m] for d, m in zip(dark, male)]).reshape(-1, len(HAIR_COLOURS))
    f["hair_colour"] = np.where(chance(0.24, 0.002, 0.08, 0.001), "gray", _pick(HAIR_COLOURS, weights, u()))
    f["hair_light"] = _bell(u())
    kind, fine = u(), u()
    f["hair_length"] = np.where(
        male,
        np.where(kind < 0.86, 0.22 * fine, np.where(kind < 0.94, 0.22 + 0.2 * fine, 0.42 + 0.58 * fine)),
        np.where(kind < 0.14, 0.25 * fine, np.where(kind < 0.32, 0.25 + 0.2 * fine, 0.45 + 0.55 * fine)),
    )
    f["hair_volume"] = u()
    kind, fine = u(), u()
    wavy, straight = np.where(male, 0.15, 0.45), np.where(male, 0.26, 0.19)
    f["hair_wave"] = np.where(kind < wavy, 0.65 + 0.35 * fine, np.where(kind > 1 - straight, 0.12 * fine, 0.25 + 0.3 * fine))
    f["bald"] = bald
    f["receding"] = _amount(receding, u())
    f["bangs"] = np.where(bangs, 0.6 + 0.4 * u(), 0.0)
    f["parting"] = _bell(u(), 1.5)

    # things worn
    f["hat"] = np.where(hat, _pick(HATS, np.tile([0.5, 0.25, 0.25], (len(hat), 1)), u()), "none")
    f["hat_hue"] = u()
    glasses = chance(0.23, 0.065, 0.07, 0.016)
    f["glasses"], f["sunglasses"] = glasses, glasses & (u() < 0.2)
    f["glasses_rim"], f["glasses_round"] = u(), u()
    f["earrings"], f["earring_size"] = u() < np.where(male, 0.016, 0.313), u()
    f["necklace"] = u() < np.where(male, 0.018, 0.198)
    f["necktie"] = chance(0.28, 0.115, 0.0, 0.0)
    f["tie_hue"] = u()
    f["clothes_hue"], f["clothes_saturation"], f["clothes_light"] = u(), u(), u()
    shirt, fine = f["necktie"] | (u() < 0.25), u()
    f["collar"] = np.where(shirt, 0.7 + 0.3 * fine, 0.5 * fine)

    # light, background, lens
    f["light_x"], f["light_y"] = 2 * u() - 1, u()
    f["light_strength"], f["light_warmth"] = u(), _bell(u(), 2.5)
    f["exposure"] = _bell(u(), 3.0)
    f["backdrop"] = _pick(BACKDROPS, np.tile([0.3, 0.25, 0.15, 0.2, 0.1], (len(hat), 1)), u())
    f["backdrop_hue"], f["backdrop_saturation"], f["backdrop_light"] = u(), u() ** 1.5, u()
    f["blurry"] = np.where(u() < 0.051, 0.6 + 0.4 * u(), 0.0)
    return pd.DataFrame(f, index=pd.RangeIndex(start, stop))


def factors(n: int, seed: int = 0) -> pd.DataFrame:
    """The factors of n drawn faces: a table with one row for each face.

    n: number of rows, at least 0. seed: integer, at least 0. Row i depends only on (seed, i), so a longer
    table begins with the rows of a shorter one. CourseError for another n or seed.

    Floats from 0 to 1: presentation (0 female, 1 male), age (0 is about 18 years, 1 about 80), skin_tone (0 very
    pale, 1 very dark), chubby, double_chin, smile, mouth_open, narrow_eyes, eye_bags, brow_arch, brow_bush,
    nose_size, nose_point, lip_size, cheekbones, rosy, makeup, lipstick, stubble, goatee, mustache, sideburns, beard
    (on the cheeks), hair_length (0 cropped, 0.3 to the ears, 0.6 to the shoulders, 1 past them), hair_volume,
    hair_wave (0 straight, 1 curly), receding, bangs, collar (0 a low neckline, 1 a shirt), light_y (0 from the
    front, 1 from above), light_strength, blurry; and those that only choose a colour or a shape: lipstick_hue, hat_hue,
    tie_hue, earring_size, glasses_rim, glasses_round, clothes_* and backdrop_* hue, saturation and light.
    Floats from -1 to 1: undertone (cool to golden), face_width, face_length, jaw, chin, nose_length, mouth_width,
    brow_height, eye_size, eye_slant, eye_distance, hair_light, parting, yaw (turned by up to 25 degrees to the left
    or right of the picture), gaze_x (left to right), gaze_y (up to down), light_x (from the left or right),
    light_warmth, exposure. roll is in degrees, -10 to 10, clockwise.
    Booleans: bald, glasses, sunglasses (with glasses), earrings, necklace, necktie. Strings: hair_colour, eye_colour,
    hat ("none" for no hat), backdrop. seed is an integer for the fine texture.

    >>> import gdl
    >>> gdl.drawn.factors(3)[["age", "smile", "hair_colour", "glasses"]].round(2)
        age  smile hair_colour  glasses
    0  0.33   0.65       black    False
    1  0.62   0.88       blond    False
    2  0.05   0.23    espresso    False
    """
    return rows(0, whole_number("n", n, 0), whole_number("seed", seed, 0))
