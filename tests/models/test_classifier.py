"""The classifier of attributes: its loss, its answers, its training, and what it refuses."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

import gdl
from gdl.data.splits import Split
from gdl.models.base import check_decoder, check_encoder

NAMES = ["Bald", "Eyeglasses", "Male"]


def tiny(attributes=NAMES, **options):
    keras.utils.set_random_seed(0)
    return gdl.AttributeClassifier(**{"image_size": 16, "attributes": attributes, "filters": (4, 8), **options})


def some_images(n, dtype=np.uint8, seed=0):
    images = np.random.default_rng(seed).integers(0, 256, (n, 16, 16, 3), np.uint8)
    return images if dtype == np.uint8 else images.astype(np.float32) / 255


@pytest.fixture(scope="module")
def stripes():
    """Images whose attributes can be read off: a bright top, a red image, and noise that means nothing."""
    rng = np.random.default_rng(0)
    attributes = pd.DataFrame(rng.random((400, 3)) < (0.5, 0.3, 0.5), columns=["Top", "Red", "Nothing"])
    images = rng.integers(60, 100, (400, 16, 16, 3), np.uint8)
    images[attributes["Top"], :8] += 80
    images[attributes["Red"], :, :, 0] += 60
    return Split(images, attributes, np.arange(400).astype(str))


def test_the_loss_is_the_mean_cross_entropy_and_accuracy_the_share_of_right_answers():
    model, images = tiny(), some_images(5, np.float32)
    labels = (np.random.default_rng(1).random((5, 3)) < 0.5).astype(np.float32)
    model.compile()
    told = model.test_on_batch(images, labels, return_dict=True)
    answers = model.predict_attributes(images)
    assert told["loss"] == pytest.approx(log_loss(labels.ravel(), answers.to_numpy().ravel().astype(float)), rel=1e-5)
    assert told["accuracy"] == pytest.approx(accuracy_score(labels.ravel(), answers.to_numpy().ravel() > 0.5), rel=1e-6)


def test_large_logits_give_a_finite_loss():
    logits, labels = np.array([[200.0, -200.0, 0.0]], np.float32), np.array([[0.0, 1.0, 1.0]], np.float32)
    assert float(tiny().compute_loss(y=labels, y_pred=keras.ops.convert_to_tensor(logits))) == pytest.approx((200 + 200 + np.log(2)) / 3)


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1)])
def test_bytes_and_floats_of_the_pixel_range_have_the_same_answers(pixel_range):
    model, images = tiny(pixel_range=pixel_range), some_images(300)
    answers = model.predict_attributes(images)
    assert list(answers.columns) == NAMES and answers.shape == (300, 3) and list(answers.index) == list(range(300))
    assert answers.dtypes.eq(np.float32).all() and answers.to_numpy().min() >= 0 and answers.to_numpy().max() <= 1
    floats = gdl.data.to_float(images, pixel_range)
    pd.testing.assert_frame_equal(answers, model.predict_attributes(floats))
    logits = keras.ops.convert_to_numpy(model(floats))
    np.testing.assert_allclose(np.log(answers / (1 - answers)), logits, atol=1e-4)
    assert model.predict_attributes(images[:0]).shape == (0, 3)


def test_accuracy_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    there = pd.DataFrame(rng.random((5000, 4)) < (0.05, 0.5, 0.9, 0), columns=list("abcd"))
    images = np.repeat(np.arange(5000, dtype=np.int32)[:, None, None, None], 3, axis=3)  # each image is its number
    answers = np.clip(there.to_numpy() + rng.normal(0, 0.5, there.shape), 0, 1)
    model = tiny(list("dca"))  # another order, and not all
    model.predict_attributes = lambda some: pd.DataFrame(answers[some[:, 0, 0, 0]], columns=there.columns)[["d", "c", "a"]]
    table = model.accuracy(Split(images, there, np.arange(5000).astype(str)))
    assert list(table.index) == ["d", "c", "a"] and list(table.columns) == ["accuracy", "share", "always_guess", "balanced_accuracy"]
    for name in ("c", "a"):
        says, column = answers[:, there.columns.get_loc(name)] >= 0.5, there[name]
        guess = np.full(5000, column.mean() > 0.5)
        expected = [accuracy_score(column, says), column.mean(), accuracy_score(column, guess), balanced_accuracy_score(column, says)]
        np.testing.assert_allclose(table.loc[name], expected)
    assert table.loc["d", "always_guess"] == 1 and np.isnan(table.loc["d", "balanced_accuracy"]), "no image has it"


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_it_learns_what_can_be_seen_and_nothing_else(stripes, precision):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        model = tiny(stripes.attributes.columns)
        model.compile(keras.optimizers.Adam(1e-2))
        model.fit(stripes.batches(32, labels=True), epochs=4, verbose=0, shuffle=False)
    finally:
        keras.config.set_dtype_policy(before)
    table = model.accuracy(stripes)
    assert table.loc[["Top", "Red"], "accuracy"].min() > 0.98, table
    assert table.loc["Nothing", "accuracy"] < 0.75
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def train(run, epochs):
    faces = gdl.DrawnFaces(n=100, size=16)
    model = tiny(["Male", "Smiling", "Young", "Bald"], dropout=0.2)
    return gdl.train(model, faces, epochs, run=run, batch_size=16, learning_rate=3e-3, halve_every=1, flip=True, patience=5), model


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "run"
    train(run, 1)
    return run, *train(run, 3)


@pytest.mark.slow
def test_a_stopped_training_ends_where_an_undisturbed_one_does(trained, tmp_path):
    _, history, model = trained
    whole, other = train(tmp_path / "whole", 3)
    assert {"loss", "accuracy", "val_loss", "val_accuracy"} <= set(whole)
    timing = ["seconds", "images_per_second"]
    pd.testing.assert_frame_equal(whole.drop(columns=timing), history.drop(columns=timing), check_exact=True)
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert len(list((tmp_path / "whole" / "pictures").glob("*.png"))) == 3


@pytest.mark.slow
def test_a_loaded_classifier_knows_its_attributes(trained):
    run, history, model = trained
    again, images = gdl.load(run), gdl.DrawnFaces(n=100, size=16).val
    pd.testing.assert_frame_equal(again.predict_attributes(images.images), model.predict_attributes(images.images))
    options = json.loads((run / "run.json").read_text())["options"]
    assert options["attributes"] == ["Male", "Smiling", "Young", "Bald"] and "z_dim" not in options
    assert gdl.AttributeClassifier(**options).get_config() == model.get_config()
    loss, accuracy = again.evaluate(images.batches(16, shuffle=False, labels=again.labels), verbose=0)
    best = history.loc[history["val_loss"].idxmin()]
    assert (loss, accuracy) == pytest.approx((best["val_loss"], best["val_accuracy"]), rel=1e-5)


def test_preview_orders_the_images_by_a_probability():
    model, images = tiny(["Male", "Hat", "Smiling"]), some_images(6)
    rows = model.preview(images)
    assert list(rows) == ["Smiling: less to more", "Male: less to more"]
    for name in ("Smiling", "Male"):
        assert (np.diff(model.predict_attributes(rows[f"{name}: less to more"])[name]) >= 0).all()
    assert len(tiny(["A", "B", "C", "D"]).preview(images)) == 3


@pytest.mark.parametrize(
    "attributes,words",
    [([], "faces with attributes"), (None, "faces with attributes"), (["Male", "Bald", "Male"], "contain one of them twice: give each once")],
)
def test_attributes_that_cannot_be_are_one_sentence(attributes, words):
    with pytest.raises(gdl.CourseError, match=words):
        tiny(attributes)


def test_what_a_classifier_cannot_do_is_one_sentence():
    model = tiny()
    assert not any(hasattr(model, name) for name in ("encode", "reconstruct", "decode", "generate")), "no class promises what it cannot do"
    with pytest.raises(gdl.CourseError, match="An AttributeClassifier has no encoder") as no_code:
        check_encoder(model)
    with pytest.raises(gdl.CourseError, match="An AttributeClassifier makes no images") as no_image:
        check_decoder(model)
    assert "\n" not in f"{no_code.value} {no_image.value}"


def test_faces_without_the_attribute_are_refused_before_anything_is_written(tmp_path):
    model = tiny(["Male", "Nobel_Prize"])
    with pytest.raises(gdl.CourseError, match="no attribute Nobel_Prize"):
        gdl.train(model, gdl.DrawnFaces(n=30, size=16), 1, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()
