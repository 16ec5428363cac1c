"""Arguments of the wrong kind for the functions of gdl.pictures: one sentence each."""

import numpy as np
import pytest

import gdl
from gdl.pictures import maps, plots, sharpening, spectrum

IMAGES = np.zeros((5, 8, 8, 3))

CALLS = {
    "no columns": (lambda: plots.grid(IMAGES, columns=0), "columns is 0"),
    "columns in words": (lambda: plots.figure(IMAGES, columns="two"), "columns is 'two'"),
    "half a column": (lambda: plots.grid(IMAGES, columns=2.5), "columns is 2.5"),
    "inches": (lambda: plots.figure(IMAGES, inches=0), "inches is 0"),
    "inches in words": (lambda: plots.figure(IMAGES, inches="wide"), "inches is 'wide'"),
    "nothing": (lambda: plots.grid(None), "Images have the shape"),
    "0 to 255": (lambda: plots.grid(IMAGES + 255), "The pixels should be in"),
    "objects": (lambda: plots.grid(IMAGES.astype(object)), "Pixels are real numbers"),
    "one picture": (lambda: plots.save_gif("a.gif", "a.png"), "pictures is 'a.png'"),
    "seconds": (lambda: plots.save_gif("a.gif", [], seconds="1"), "seconds is '1'"),
    "factor": (lambda: sharpening.sharpen(IMAGES, "3"), "factor is '3'"),
    "method": (lambda: sharpening.sharpen(IMAGES, method=["unsharp"]), "method="),
    "range": (lambda: spectrum.radial_power(IMAGES, (0, 255)), r"pixel_range \(0, 255\) is not known"),
    "one image": (lambda: spectrum.radial_power(IMAGES[0]), r".*give x\[None\]"),
    "points in words": (lambda: maps.figure("points", ["a"]), "points is an array of real numbers"),
    "points without numbers": (lambda: maps.figure([["a", "b"]], ["a"]), "points is an array of real numbers"),
}


@pytest.mark.parametrize("call,words", CALLS.values(), ids=CALLS)
def test_a_wrong_argument_is_one_sentence(call, words):
    with pytest.raises(gdl.CourseError, match=f"^{words}"):
        call()
