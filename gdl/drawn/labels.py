"""CelebA's attributes of a drawn face: they follow from its factors.

Z. Liu, P. Luo, X. Wang, X. Tang, "Deep Learning Face Attributes in the Wild", ICCV 2015.
"""

import pandas as pd

AMOUNTS = {  # attribute -> the amount that must be above a half
    "5_o_Clock_Shadow": "stubble",
    "Arched_Eyebrows": "brow_arch",
    "Bags_Under_Eyes": "eye_bags",
    "Big_Lips": "lip_size",
    "Big_Nose": "nose_size",
    "Blurry": "blurry",
    "Bushy_Eyebrows": "brow_bush",
    "Chubby": "chubby",
    "Double_Chin": "double_chin",
    "Goatee": "goatee",
    "Heavy_Makeup": "makeup",
    "High_Cheekbones": "cheekbones",
    "Male": "presentation",
    "Mouth_Slightly_Open": "mouth_open",
    "Mustache": "mustache",
    "Narrow_Eyes": "narrow_eyes",
    "Pointy_Nose": "nose_point",
    "Rosy_Cheeks": "rosy",
    "Sideburns": "sideburns",
    "Smiling": "smile",
    "Wearing_Lipstick": "lipstick",
}


def attributes(factors: pd.DataFrame) -> pd.DataFrame:
    """The CelebA attributes that a drawing of these factors shows: a table of bool, one row for each face.

    factors: a table from `gdl.drawn.factors`, or some of its rows. The columns are 38 of CelebA's 40 names, in
    CelebA's (alphabetical) order. `Male` is CelebA's name for the presentation of a face. Raises KeyError for a
    missing column.

    >>> import gdl
    >>> gdl.drawn.attributes(gdl.drawn.factors(3))[["Eyeglasses", "Smiling", "Young"]]
       Eyeglasses  Smiling  Young
    0       False     True   True
    1       False     True  False
    2       False    False   True
    """
    shown = {name: factors[amount] > 0.5 for name, amount in AMOUNTS.items()}
    hat, bald = factors["hat"] != "none", factors["bald"].astype(bool)
    hair = ~bald  # some hair is visible
    shown["Bald"] = bald & ~hat
    shown["Bangs"] = hair & ~hat & (factors["bangs"] > 0.5)
    for colour in ("Black", "Blond", "Brown", "Gray"):
        shown[f"{colour}_Hair"] = hair & (factors["hair_colour"] == colour.lower())
    strands = hair & (~hat | (factors["hair_length"] > 0.3))  # enough of it to see whether it is wavy
    shown["Wavy_Hair"] = strands & (factors["hair_wave"] > 0.6)
    shown["Straight_Hair"] = strands & (factors["hair_wave"] < 0.2)
    shown["Receding_Hairline"] = hair & ~hat & (factors["receding"] > 0.5)
    for name in ("Bags_Under_Eyes", "Narrow_Eyes"):
        shown[name] = shown[name] & ~factors["sunglasses"].astype(bool)
    shown["Eyeglasses"] = factors["glasses"].astype(bool)
    shown["No_Beard"] = (factors[["stubble", "goatee", "mustache", "beard"]] < 0.5).all(axis=1)
    shown["Pale_Skin"] = factors["skin_tone"] < 0.09
    shown["Wearing_Earrings"] = factors["earrings"].astype(bool)
    shown["Wearing_Hat"] = hat
    shown["Wearing_Necklace"] = factors["necklace"].astype(bool)
    shown["Wearing_Necktie"] = factors["necktie"].astype(bool)
    shown["Young"] = factors["age"] < 0.5
    return pd.DataFrame({name: shown[name].astype(bool) for name in sorted(shown)}, index=factors.index)
