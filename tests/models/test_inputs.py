"""Data that do not fit a model are refused in one sentence, whichever method of Keras gets them and in whatever form."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf

import gdl

pytestmark = pytest.mark.filterwarnings("ignore:`shuffle=True` was passed")
RNG = np.random.default_rng(0)
X = RNG.random((8, 16, 16, 3), np.float32)
Y = RNG.integers(0, 2, (8, 2))
Z = RNG.standard_normal((8, 2)).astype("float32")
LATER = np.concatenate([0 * X[:4], 255 * X[4:]])  # the first batch is black, and could be in any range
BAD = {
    "range": (255 * X, "range from .* to 255: if they are in .0, 255., give x / 255"),
    "later": (LATER, r"range from .* to 255"),
    "uint8": ((255 * X).astype(np.uint8), r"these images are uint8: convert images of 0 to 255 with gdl.data.to_float\(images, \(0, 1\)\)"),
    "int": ((255 * X).astype(int), "these images are int64"),
    "minus": (2 * X - 1, r"range from -1 to 1: if they are in \[-1, 1\], give \(x \+ 1\) / 2, or make the model with pixel_range=\(-1, 1\)"),
    "clip": (1.2 * X - 0.1, r"clip them with np.clip\(x, 0, 1\)"),
    "nan": (np.where(X == X[5, 3, 2, 1], np.nan, X).astype("float32"), "some of these pixels are NaN"),
    "channels": (np.moveaxis(X, -1, 1), r"give np.moveaxis\(x, 1, -1\)"),
    "size": (np.zeros((8, 32, 32, 3), np.float32), "change their size, or make the model with another image_size"),
    "grey": (X[..., :1], r"np.repeat\(x, 3, axis=-1\)"),
    "alpha": (np.zeros((8, 16, 16, 4), np.float32), r"give x\[..., :3\]"),
}


class Sequence(keras.utils.PyDataset):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return self.x[4 * i : 4 * i + 4]


FORMS = {
    "array": lambda x: x,
    "dataset": lambda x: tf.data.Dataset.from_tensor_slices(x).batch(4),
    "generator": lambda x: ((x[i : i + 4],) for i in (0, 4)),
    "sequence": Sequence,
}


@pytest.fixture(scope="module")
def models():
    kinds = dict(vae=gdl.VAE, autoencoder=gdl.Autoencoder, gan=gdl.GAN)
    models = {name: kind(16, 2, (4,)) for name, kind in kinds.items()}
    models["minus"] = gdl.VAE(16, 2, (4,), pixel_range=(-1, 1))
    models["classifier"] = gdl.AttributeClassifier(16, ["Smiling", "Male"], (4,))
    models["smile"] = gdl.AttributeClassifier(16, ["Smiling"], (4,))
    for model in models.values():
        model.compile(run_eagerly=True)
    return models


def sentence(method, *arguments, **options):
    with pytest.raises(gdl.CourseError) as caught:
        method(*arguments, **options)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None
    return str(caught.value)


@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("form", FORMS)
def test_unfit_images_are_refused_in_every_form_of_data(models, form, kind):
    bad, words = BAD[kind]
    model = models["vae"]
    before = [np.copy(weight) for weight in model.get_weights()]
    for call in (model.fit, model.evaluate, model.predict):
        said = sentence(call, FORMS[form](bad), verbose=0)
        assert said.startswith(f"VAE.{call.__name__} takes images of shape (n, 16, 16, 3) as floats in [0, 1]")
        assert re.search(words, said)
    if kind not in ("later", "nan"):  # of which the first batch is fit
        assert all(map(np.array_equal, before, model.get_weights())), "nothing has been trained"
    assert re.search(words, sentence(model.fit, X, validation_data=(bad, None) if form == "array" else FORMS[form](bad), verbose=0))


@pytest.mark.parametrize("kind", BAD)
def test_unfit_images_are_refused_by_methods_for_one_batch_and_by_all_models(models, kind):
    bad, words = BAD[kind]
    model = models["vae"]
    for call in (model.train_on_batch, model.test_on_batch, model.predict_on_batch, model, models["autoencoder"].train_on_batch):
        assert "takes images of shape" in sentence(call, bad)
    assert sentence(models["gan"].fit, bad, verbose=0).startswith("GAN.fit takes images of shape")
    assert "Autoencoder.call takes images" in sentence(models["autoencoder"], tf.constant(bad))


def test_a_graph_knows_the_dtype_and_the_shape_before_it_runs(models):
    graph = tf.function(lambda x: models["vae"](x), autograph=False)
    assert "these images are uint8" in sentence(graph.get_concrete_function, tf.TensorSpec((None, 16, 16, 3), tf.uint8))


@pytest.mark.slow
def test_no_images_are_told(models):
    assert "was given no images" in sentence(models["vae"].fit, X[:0], verbose=0)
    assert "was given no images" in sentence(models["vae"].evaluate, X[:0], verbose=0)


@pytest.mark.filterwarnings("ignore:Model doesn't support `jit_compile")  # where an earlier test has asked for deterministic operations
def test_a_compiled_training_stops_at_the_first_unfit_batch(models):
    model = gdl.VAE(16, 2, (4,))
    model.compile(jit_compile=True)  # XLA leaves assertions out
    before = [weight.numpy() for weight in model.trainable_variables]
    assert "range from" in sentence(model.fit, FORMS["dataset"](LATER), verbose=0, shuffle=False)
    moved = max(np.abs(weight.numpy() - old).max() for weight, old in zip(model.trainable_variables, before))
    assert 0 < moved < 1.1e-3, "Adam's first step, with the batch before it, is at most the learning rate"


def test_pixels_in_0_1_are_told_from_pixels_in_minus_1_1(models):
    model = models["minus"]
    assert "with no dark pixel: if they are in [0, 1], give 2 * x - 1" in sentence(model.fit, X, verbose=0)
    assert "with no dark pixel" in sentence(model.train_on_batch, X[:4])
    assert "give x / 255 * 2 - 1" in sentence(model.fit, 255 * X, verbose=0)
    model.fit(2 * X - 1, verbose=0)
    model.train_on_batch(X[:1])  # one image may be bright


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_what_fits_is_taken_in_every_form(models):
    for form in FORMS.values():
        models["vae"].fit(form(X), verbose=0, shuffle=False)
        models["gan"].fit(form(X), verbose=0, shuffle=False)
    for dtype in ("float64", "float16", "bfloat16"):
        for name in ("vae", "autoencoder", "gan"):
            models[name].fit(tf.data.Dataset.from_tensors(tf.cast(X, dtype)), verbose=0)
    wide = models["vae"].evaluate(X.astype(float), verbose=0, return_dict=True)
    assert np.isfinite(wide["loss"])
    inside = keras.Input((16, 16, 3))
    assert keras.Model(inside, models["autoencoder"](inside)).predict(X, verbose=0).shape == X.shape


def test_labels_are_no_targets_of_an_autoencoder(models):
    model = models["autoencoder"]
    for labels in (Y, Y[:, :1], Y[:, 0], np.float32(Y)):
        said = sentence(model.fit, tf.data.Dataset.from_tensors((X, labels)), verbose=0)
        assert (
            said.startswith("Autoencoder.fit takes images alone, or pairs whose second is the image that should come out")
            and "leave labels out" in said
        )
        sentence(model.fit, X, labels, verbose=0)
    assert "give x / 255" in sentence(model.fit, X, 255 * X, verbose=0)
    assert "there are 8 images and 4" in sentence(model.fit, X, X[:4], verbose=0)
    model.fit(X + RNG.normal(size=X.shape), X, verbose=0)  # a noisy input
    for name in ("vae", "gan"):  # which look at the images alone
        models[name].fit(tf.data.Dataset.from_tensors((X, Y)), verbose=0)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (2 * Y - 1, "range from -1 to 1: give y > 0"),
        (2 * Y, "range from 0 to 2: give 1 and 0"),
        (Y * np.nan, "range from nan to nan"),
        (Y[:, 0], r"these have shape (8,): give a column for each of Smiling, Male"),
        (np.eye(3)[Y[:, 0]], "these have shape (8, 3)"),
        (Y.astype(str), "of dtype <U21: convert them to numbers"),
        (None, "give pairs of images and labels"),
    ],
)
def test_unfit_labels_are_refused(models, labels, words):
    assert words in sentence(models["classifier"].fit, X, labels, verbose=0)
    assert words in sentence(models["classifier"].test_on_batch, X, labels)


def test_labels_may_be_of_any_kind_of_number(models):
    found = []
    for labels in (Y, Y > 0, Y.astype(float), Y.astype("float32"), np.uint8(Y)):
        found.append(models["classifier"].evaluate(tf.data.Dataset.from_tensors((X, labels)), verbose=0))
    assert np.allclose(found, found[0])
    models["classifier"].evaluate(X, 0.9 * Y, verbose=0)
    assert "give y[:, None]" in sentence(models["smile"].fit, X, Y[:, 0], verbose=0)


def test_weights_of_images_are_refused(models):
    weights = np.ones(8)
    assert "sample_weight has no effect: leave it out" in sentence(models["vae"].fit, X, sample_weight=weights, verbose=0)
    sentence(models["autoencoder"].fit, tf.data.Dataset.from_tensors((X, X, weights)), verbose=0)
    assert "class_weight has no effect" in sentence(models["classifier"].fit, X, Y, class_weight={0: 1, 1: 2}, verbose=0)


def test_other_things_are_refused(models):
    model = models["vae"]
    assert "gdl.train(model, faces, epochs)" in sentence(model.fit, gdl.DrawnFaces(20, 16), verbose=0)
    for thing in ("x", 5, None, list(X)):
        assert "takes one array, or a dataset of arrays" in sentence(model.fit, thing, verbose=0)
    sentence(model.fit, tf.data.Dataset.from_tensors({"image": X}), verbose=0)
    assert ".batch(64)" in sentence(model.fit, tf.data.Dataset.from_tensor_slices(X), verbose=0)


def test_codes_of_another_kind_are_refused(models):
    gan = models["gan"]
    bad = [X, Z[0], np.ones((3, 5)), Z * np.nan, Z > 0, Z * 1j, Z.astype(str), None, np.array([[None, 1]])]
    for codes in bad:
        for call in (gan.decode, gan.predict, gan, models["vae"].decode):
            sentence(call, codes)
    assert "give z[None]" in sentence(gan.decode, Z[0])
    assert np.array_equal(gan.decode(Z.tolist()), gan.decode(Z))
    assert np.allclose(gan.predict(Z, verbose=0), gan.decode(Z), atol=1e-6)


def test_a_class_of_ones_own_may_take_what_it_wants(models):
    class Conditional(gdl.VAE):
        def train_step(self, data):
            (x, _), labels = data
            return super().train_step(x)

        def call(self, x, training=False):
            return super().call(x[0])

    model = Conditional(16, 2, (4,))
    model.compile(run_eagerly=True)
    model.fit(tf.data.Dataset.from_tensors(((X, Y), Y)), verbose=0)
    assert "range from" in sentence(model.fit, 255 * X, verbose=0)


def test_numbers_of_random_images_are_checked(models):
    for n in (-1, 2.5, "3", None, True):
        assert sentence(models["vae"].generate, n).startswith("n is ")
    assert sentence(models["vae"].generate, 2, seed=-1).startswith("seed is -1")
    assert "these are int64" in sentence(models["vae"].encode, np.zeros((1, 16, 16, 3), int))
