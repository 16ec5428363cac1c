"""Arguments of the wrong kind for the functions of gdl.latent: one sentence each, and never a wrong number."""

import numpy as np
import pandas as pd
import pytest

import gdl
from gdl.latent import attribute_vector, code_vector, code_vectors, edits, groups, lerp, mixture_codes, project, slerp, truth
from gdl.latent.vectors import least_squares_vectors

Z = np.array([[3.0, 1.0], [5.0, 1.0], [1.0, 0.0]])
PEOPLE = pd.DataFrame({"Smiling": [True, True, False]})
VECTORS = pd.DataFrame([[1.0, 0.0]], ["Smiling"])
PAIRS = {"Smiling": (np.zeros((2, 4, 4, 3), np.uint8),) * 2}


class Model:
    """Encodes and decodes; it must never be reached."""

    encode = decode = predict_attributes = None


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(n=40, size=32)


@pytest.fixture(scope="module")
def vae():
    return gdl.VAE(image_size=32, z_dim=4, filters=(4, 8))


CALLS = {
    "-1 for absent": (lambda: code_vector(Z, PEOPLE * 2 - 1, "Smiling"), "Smiling has values other than True and False"),
    "NaN as a label": (lambda: code_vector(Z, pd.DataFrame({"A": [1, 0, np.nan]}), "A"), "A has values other than True and False"),
    "words as labels": (lambda: code_vectors(Z, pd.DataFrame({"A": ["yes", "no", "no"]})), "A has values other than"),
    "one code": (lambda: code_vector(Z[0], PEOPLE, "Smiling"), r"z is an array of real numbers of shape \(n, z_dim\)"),
    "images for codes": (lambda: code_vector(np.zeros((3, 4, 4, 3)), PEOPLE, "Smiling"), "z is an array of real numbers"),
    "text for codes": (lambda: code_vector("codes", PEOPLE, "Smiling"), "z is an array of real numbers"),
    "ragged codes": (lambda: code_vector([[1, 2], [3]], PEOPLE, "Smiling"), "z is no array of shape"),
    "NaN codes": (lambda: code_vectors(Z * np.nan, PEOPLE), "z has numbers that are NaN"),
    "fewer codes": (lambda: code_vectors(Z[:2], PEOPLE, balanced=True), "There are 2 codes and attributes of 3 images"),
    "a list of names": (lambda: code_vector(Z, PEOPLE, ["Smiling"]), r"\['Smiling'\] is not an attribute"),
    "no table": (lambda: code_vector(Z, {"Smiling": [1, 1, 0]}, "Smiling"), "attributes is a DataFrame"),
    "no column varies": (lambda: code_vectors(Z, PEOPLE | True), "No attribute is present in some"),
    "balanced is a word": (lambda: code_vector(Z, PEOPLE, "Smiling", balanced="yes"), "balanced is 'yes'"),
    "-1 in a table": (lambda: least_squares_vectors(Z, np.array([[1], [-1], [1]])), "table has values other than"),
    "codes of other images": (lambda: least_squares_vectors(Z[:1], np.eye(3)), "There are 1 codes"),
    "t is a table": (lambda: lerp(Z[0], Z[1], [[0, 1]]), "t is an array of real numbers"),
    "t is NaN": (lambda: slerp(Z[0], Z[1], np.nan), "t has numbers that are NaN"),
    "t is a word": (lambda: lerp(Z[0], Z[1], "half"), "t is an array of real numbers"),
    "ends are words": (lambda: lerp("ab", "cd", 0.5), "The ends are two codes"),
    "an end is NaN": (lambda: slerp([np.nan, 1], [0, 1], 0.5), "z_1 has numbers that are NaN"),
    "an alpha for each face": (lambda: edits.flips(Model(), Model(), Z, VECTORS, np.ones(3)), "alpha of Smiling is"),
    "an alpha is missing": (lambda: edits.flips(Model(), Model(), Z, VECTORS, pd.Series({"A": 1})), "alpha has no number for Smiling"),
    "vectors of one number": (lambda: edits.flips(Model(), Model(), Z, VECTORS[[0]]), "The codes have 2 dimensions"),
    "no classifier": (lambda: edits.flips(Model(), None, Z, VECTORS), "classifier is NoneType"),
    "a model of no use": (lambda: edits.flips("vae", Model(), Z, VECTORS), "A str makes no images"),
    "a word for pairs": (lambda: truth.true_vectors(Model(), "Smiling"), "drawn is a dict"),
    "unequal pairs": (lambda: truth.true_vectors(Model(), {"A": (np.zeros((2, 4)), np.zeros((3, 4)))}), "A: give as many images"),
    "alpha of truth": (lambda: truth.against_truth(Model(), PAIRS, VECTORS, "1"), "alpha of Smiling is '1'"),
    "no split": (lambda: truth.pairs(None, "Eyeglasses"), "Only drawn faces"),
    "no faces": (lambda: groups.resampled(None, "Male"), "faces is NoneType"),
}


@pytest.mark.parametrize("call,words", CALLS.values(), ids=CALLS)
def test_a_wrong_argument_is_one_sentence(call, words):
    with pytest.raises(gdl.CourseError, match=f"^{words}"):
        call()


def test_a_wrong_argument_beside_faces_and_a_model(faces, vae):
    for call, words in (
        (lambda: attribute_vector(vae, faces.train, "Smilling"), "'Smilling' is not an attribute .*did you mean Smiling"),
        (lambda: truth.pairs(faces.train, "Eyeglasses", n=2.5), "n is 2.5"),
        (lambda: truth.pairs(faces.train, ["Eyeglasses"]), "No single factor"),
        (lambda: mixture_codes(vae, faces.train, n=0), "n is 0"),
        (lambda: mixture_codes(vae, faces.train, n=5, components=2.0), "components is 2.0"),
        (lambda: mixture_codes(vae, faces, n=5), "images is a split"),
        (lambda: project("gan", faces.val.images), "A str makes no images"),
        (lambda: project(vae, faces.val.images, steps=0), "steps is 0"),
        (lambda: project(vae, faces.val.images, beta=-1), "beta is -1"),
        (lambda: project(vae, faces.val.images[:, :16]), "Images have the shape"),
        (lambda: groups.resampled(faces, "Male", "half"), "share is 'half'"),
        (lambda: groups.resampled(faces, "Male", seed=-1), "seed is -1"),
        (lambda: groups.group_table(vae, None, faces), "classifier is NoneType"),
        (lambda: gdl.explore("vae", VECTORS), "A str makes no images"),
        (lambda: gdl.explore(vae, np.eye(4)), "vectors is ndarray"),
        (lambda: gdl.explore(vae, {"A": "abcd"}), "A is an array of real numbers"),
        (lambda: gdl.explore(vae, pd.DataFrame([list("abcd")])), "The model's codes have 4 dimensions"),
        (lambda: gdl.explore(vae, {"A": np.ones(4)}, seed="0"), "seed is '0'"),
    ):
        with pytest.raises(gdl.CourseError, match=f"^{words}"):
            call()


def test_ones_and_zeros_are_labels_too():
    assert code_vector(Z, PEOPLE.astype(int), "Smiling").tolist() == code_vector(Z, PEOPLE, "Smiling").tolist() == [3, 1]
