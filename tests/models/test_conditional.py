"""The conditional models: what is told and what is hidden, who sees it, their steps done again by hand, and what they save."""

import itertools
import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import draw_alike, same, states, values
from scipy import special, stats

import gdl
from gdl.models.adversarial import critic_network
from gdl.models.augmentation import augmented
from gdl.models.base import steps_taken
from gdl.models.conditions import all_told, partly_told

CONDITIONS = ("Smiling", "Male", "Young")
SMALL = dict(image_size=16, conditions=CONDITIONS, z_dim=4, filters=(4, 8))
KINDS = (gdl.ConditionalVAE, gdl.ConditionalGAN)
each_kind = pytest.mark.parametrize("kind", KINDS)


def made(kind, seed=0, eager=True, optimizers=None, **options):
    """A small compiled model; eager, as tracing takes longer than a few steps."""
    keras.utils.set_random_seed(seed)
    model = kind(**{**SMALL, **options})
    model.compile(*(optimizers or (keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))), run_eagerly=eager)
    return model


def shaken(model):
    """The model with weights with which its images and scores depend on all that they can depend on, as after a training."""
    rng = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(0, 0.3, variable.shape))
    return model


@pytest.fixture(scope="module")
def shaken_models():
    """One of each kind, which no test changes."""
    return {kind: shaken(kind(**SMALL)) for kind in KINDS}


def images(n=6, pixel_range=(0, 1)):
    return np.random.default_rng(0).uniform(*pixel_range, (n, 16, 16, 3)).astype("float32")


def labels(n=6, k=3):
    """Attributes as 0 or 1, among them an image with all and one with none."""
    y = np.random.default_rng(2).integers(0, 2, (n, k)).astype("float32")
    y[0], y[1] = 1, 0
    return y


def asked(y):
    """Attributes as 0 or 1 as `decode` takes them."""
    return {name: column > 0 for name, column in zip(CONDITIONS, y.T)}


def step(model, x, y):
    """One training step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.train_step((tf.constant(x), tf.constant(y))).items()}


def validate(model, x, y):
    """One validation step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.test_step((tf.constant(x), tf.constant(y))).items()}


def same_draws(model, state=(7, 7)):
    """Fixes what the model draws next, and returns a generator that draws the same."""
    own = model.sampling.seed_generator if isinstance(model, gdl.VAE) else model.seed_generator
    own.state.assign(state)
    copy = keras.random.SeedGenerator(0)
    copy.state.assign(state)
    return copy


# --- what is asked ---


def test_what_is_asked_is_told_as_one_or_minus_one_in_the_order_of_the_conditions(shaken_models):
    model = shaken_models[gdl.ConditionalVAE]
    told = model.told(3, {"Young": False, "Smiling": [True, False, True]})
    assert told.dtype == np.float32 and told.tolist() == [[1, 0, -1], [-1, 0, -1], [1, 0, -1]]
    assert model.told(2, {}).tolist() == [[0, 0, 0]] * 2 and model.told(0, {"Male": True}).shape == (0, 3)
    for value in (np.array([False, True]), (False, True), pd.Series([False, True], index=[5, 3])):
        assert model.told(2, {"Male": value}).tolist() == [[0, -1, 0], [0, 1, 0]]
    assert model.told(1, {"Male": np.True_}).tolist() == [[0, 1, 0]]


@pytest.mark.parametrize(
    "told,sentence",
    [
        (
            dict(Smilng=True),
            "This model has no condition 'Smilng': choose from Smiling, Male, Young (did you mean 'Smiling'?).",
        ),
        (dict(Bald=True), "This model has no condition 'Bald': choose from Smiling, Male, Young."),
        (dict(Male=1), "Male is asked as True, False or a bool for each of the 3 images; this is array(1): correct it."),
        (dict(Male=None), "Male is asked as True, False or a bool for each of the 3 images; this is array(None, dtype=object): correct it."),
        (dict(Male="yes"), "Male is asked as True, False or a bool for each of the 3 images; this is array('yes'"),
        (dict(Male=[True, False]), "Male is asked as True, False or a bool for each of the 3 images; this is array([ True, False]): correct it."),
        (dict(Smiling=True, Male=[1.0, 0.0, 1.0]), "Male is asked as True, False or a bool for each of the 3 images; this is array([1., 0., 1.])"),
        (dict(Male=np.ones((3, 1), bool)), "Male is asked as True, False or a bool for each of the 3 images; this is array([[ True]"),
    ],
    ids=["meant", "unknown", "number", "nothing", "text", "too short", "numbers", "a column"],
)
def test_what_cannot_be_asked_is_refused_in_one_sentence(told, sentence, shaken_models):
    (vae, gan), x = (shaken_models[kind] for kind in KINDS), images(3)
    calls = [lambda: vae.reconstruct(x, **told), lambda: gan.score(x, **told)]
    calls += [lambda model=model: model.generate(3, **told) for model in (vae, gan)]
    calls += [lambda model=model: model.decode(np.zeros((3, 4)), **told) for model in (vae, gan)]
    for call in calls:
        with pytest.raises(gdl.CourseError) as error:
            call()
        assert str(error.value).startswith(sentence)


@each_kind
@pytest.mark.parametrize(
    "conditions,sentence",
    [
        ((), "A conditional model needs conditions: give names of attributes, such as conditions=['Smiling', 'Male']."),
        ("Smiling", "conditions is 'Smiling': give a list of names, such as ['Smiling', 'Male']."),
        (None, "conditions is None: give a list of names, such as ['Smiling', 'Male']."),
        (3, "conditions is 3: give a list of names, such as ['Smiling', 'Male']."),
        ({"Smiling": True}, "conditions is {'Smiling': True}: give a list of names, such as ['Smiling', 'Male']."),
        (["Male", "Young", "Male"], "The conditions Male, Young, Male contain one of them twice: give each once."),
    ],
    ids=["none", "text", "None", "number", "dictionary", "twice"],
)
def test_conditions_that_are_none_are_refused_in_one_sentence(kind, conditions, sentence):
    with pytest.raises(gdl.CourseError) as error:
        kind(**{**SMALL, "conditions": conditions})
    assert str(error.value) == sentence


@each_kind
def test_conditions_can_be_the_columns_of_a_table_and_need_not_be_words_of_python(kind):
    model = kind(**{**SMALL, "conditions": pd.DataFrame(columns=["5_o_Clock_Shadow", "Male"]).columns})
    assert model.conditions == model.labels == ("5_o_Clock_Shadow", "Male")
    assert model.told(1, {"5_o_Clock_Shadow": True}).tolist() == [[1, 0]]
    assert model.generate(2, **{"5_o_Clock_Shadow": True}).shape == (2, 16, 16, 3)


@each_kind
def test_other_wrong_options_are_refused_in_one_sentence(kind):
    for options, words in ((dict(image_size=18), "multiple of 4"), (dict(condition=["Male"]), "(did you mean 'conditions'?)")):
        with pytest.raises(gdl.CourseError) as error:
            kind(**{**SMALL, **options})
        assert words in str(error.value) and "\n" not in str(error.value)


@each_kind
def test_a_spatial_code_comes_in_alone_and_each_map_is_told_the_rest(kind):
    model = made(kind, z_dim=32, spatial_code=True)
    z = np.random.default_rng(0).normal(size=(2, 32))
    assert np.array_equal(model.decode(z), model.decode(z, Male=True)), "at the start nothing that is told changes the image"
    before = values(model.decoder.trainable_variables)
    step(model, images(), labels())
    still = [v.path for v, equal in zip(model.decoder.trainable_variables, same(before, values(model.decoder.trainable_variables))) if equal]
    assert all("bias" in path for path in still), still  # right before a normalisation
    for told in (dict(Male=True), dict(Young=False)):
        assert np.abs(model.decode(z, **told) - model.decode(z)).max() > 1e-4


def test_nothing_can_be_asked_of_a_model_without_conditions():
    with pytest.raises(gdl.CourseError) as error:
        gdl.Flow(16, filters=(4,)).told(2, dict(Smiling=True))
    assert str(error.value) == "Nothing can be asked of this model, which has no conditions: make one with conditions=['Smiling'], for example."


@pytest.mark.parametrize("steps", [2, 5])
def test_several_critic_steps_are_refused(steps):
    with pytest.raises(gdl.CourseError) as error:
        gdl.ConditionalGAN(**SMALL, critic_steps=steps)
    assert str(error.value) == f"critic_steps is {steps}, and a ConditionalGAN takes one step of each network in turn: leave it out."


# --- what is told in training ---


@pytest.mark.parametrize("k", [1, 3, 12])
def test_one_image_in_k_plus_1_tells_nothing_and_as_many_tell_everything(k):
    """The integral of s^k from 0 to 1, as for every other number of attributes: k choose j times that of s^(k - j) (1 - s)^j."""
    n = 20_000
    y = np.random.default_rng(0).integers(0, 2, (n, k)).astype("float32")
    told = partly_told(tf.constant(y), keras.random.SeedGenerator(0)).numpy()
    assert told.shape == y.shape and told.dtype == np.float32 and set(np.unique(told)) == {-1, 0, 1}
    assert np.array_equal(told[told != 0] > 0, y[told != 0] == 1), "1 is present, -1 is absent"
    numbers = (told != 0).sum(axis=1)
    for extreme in (0, k):
        assert stats.binomtest(int((numbers == extreme).sum()), n, 1 / (k + 1)).pvalue > 1e-3
    assert stats.chisquare(np.bincount(numbers, minlength=k + 1)).pvalue > 1e-3
    for column in (told != 0).T:
        assert stats.binomtest(int(column.sum()), n, 0.5).pvalue > 1e-4, "no attribute is hidden more often than another"
    present, hidden = y.ravel() == 1, told.ravel() == 0
    shares = [hidden[present].mean(), hidden[~present].mean()]
    assert abs(shares[0] - shares[1]) < 4 * np.sqrt(1 / n), "whether it is present or not"


def test_the_share_that_is_hidden_is_uniform_and_each_images_own():
    told = partly_told(tf.ones((2000, 1000)), keras.random.SeedGenerator(1)).numpy()
    hidden = (told == 0).mean(axis=1)
    assert stats.kstest(hidden, "uniform").pvalue > 1e-3
    assert hidden.mean() == pytest.approx(1 / 2, abs=4 * np.sqrt(1 / 12 / 2000)) and hidden.var() == pytest.approx(1 / 12, rel=0.1)
    assert abs(np.corrcoef(hidden[:-1], hidden[1:])[0, 1]) < 4 / np.sqrt(2000)


def test_what_is_hidden_is_new_at_each_call_and_the_same_with_the_same_seed():
    y, first, second = tf.constant(labels(50)), keras.random.SeedGenerator(3), keras.random.SeedGenerator(3)
    draws = [partly_told(y, first).numpy() for _ in range(2)]
    assert not np.array_equal(*draws) and np.array_equal(draws[0], partly_told(y, second))


@pytest.mark.parametrize("dtype", ["float32", "int64", "uint8", "bool"])
def test_labels_of_any_kind_are_told_in_batches_of_any_size(dtype):
    seed = keras.random.SeedGenerator(0)

    @tf.function(input_signature=[tf.TensorSpec((None, 3), dtype)])
    def told(y):
        return all_told(y), partly_told(y, seed)

    for n in (1, 5):
        y = labels(6)[:n]
        everything, part = told(tf.constant(y.astype(dtype)))
        assert everything.dtype == part.dtype == tf.float32 and part.shape == (n, 3)
        assert np.array_equal(everything, np.where(y == 1, 1, -1)) and np.isin(part.numpy() / everything, (0, 1)).all()


@each_kind
def test_training_takes_the_labels_of_the_images_in_the_order_of_the_conditions(kind, monkeypatch):
    faces, names = gdl.DrawnFaces(n=60, size=16), ["Young", "Smiling", "Male"]
    model = made(kind, conditions=names, filters=(2,))
    seen, original = [], model.train_step
    monkeypatch.setattr(model, "train_step", lambda data: seen.append([part.numpy() for part in data]) or original(data))
    gdl.train(model, faces, 1, batch_size=20, quiet=True)
    table = {image.tobytes(): row for image, row in zip(faces.train.images, faces.train.attributes[names].to_numpy())}
    x, y = (np.concatenate(parts) for parts in zip(*seen))
    assert len(x) == len(faces.train) and len(np.unique(y, axis=0)) > 2
    assert np.array_equal(y, [table[image.tobytes()] for image in (x * 255).round().astype(np.uint8)])


@each_kind
def test_faces_without_such_an_attribute_are_refused_before_any_work(kind, tmp_path):
    with pytest.raises(gdl.CourseError, match="no attribute Freckles") as error:
        gdl.train(kind(**{**SMALL, "conditions": ["Smiling", "Freckles"]}), gdl.DrawnFaces(n=60, size=16), 1, run=tmp_path / "run", quiet=True)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


@each_kind
def test_batches_without_labels_are_refused(kind):
    with pytest.raises(gdl.CourseError, match=r"shape \(n, 3\), 1 where it is present and 0 where not: give pairs of images and labels"):
        made(kind).fit(images(), verbose=0)


@pytest.mark.slow
@each_kind
def test_fit_and_evaluate_take_pairs_of_arrays(kind):
    model = made(kind, filters=(4,))
    before = values(model.trainable_variables)
    history = model.fit(images(), labels(), batch_size=4, validation_data=(images(), labels()), verbose=0).history
    assert not all(same(before, values(model.trainable_variables))) and all(np.isfinite(numbers[0]) for numbers in history.values())
    assert {name for name in history if not name.startswith("val_")} == set(model.evaluate(images(), labels(), verbose=0, return_dict=True))


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize("eager", [True, False], ids=["eager", "graph"])
def test_a_model_takes_single_batches(kind, eager):
    model = made(kind, eager=eager, filters=(4,))
    before = values(model.trainable_variables)
    numbers = model.train_on_batch(images(), labels(), return_dict=True)
    assert np.isfinite(list(numbers.values())).all() and not all(same(before, values(model.trainable_variables)))
    assert model.test_on_batch(images(), labels(), return_dict=True).keys() == numbers.keys()


# --- images that show what is asked ---


@each_kind
@pytest.mark.parametrize("ema", [None, 0.9])
def test_the_decoder_is_told_what_is_asked_and_zeros_for_the_rest(kind, ema):
    model, z = shaken(kind(**SMALL, ema=ema)), np.random.default_rng(4).normal(size=(3, 4)).astype("float32")
    network = model.decoder
    if ema:
        trained = model.generator if kind is gdl.ConditionalGAN else model.decoder
        network = model.averaged_generator if kind is gdl.ConditionalGAN else model.averaged_decoder
        network.set_weights(trained.get_weights())
        trained.set_weights([np.zeros_like(w) for w in trained.get_weights()])
    assert np.array_equal(model.decode(z), network([z, np.zeros((3, 3), "float32")]))
    told = np.array([[0, 1, -1], [0, 1, 1], [0, 1, -1]], "float32")
    faces = model.decode(z, Male=True, Young=[False, True, False])
    assert np.array_equal(faces, network([z, told])) and faces.dtype == np.float32
    assert np.array_equal(model.decode(z, Male=True), model.decode(z, Male=[True] * 3))
    different = [model.decode(z, **told) for told in ({}, dict(Male=True), dict(Male=False), dict(Young=True), dict(Male=True, Young=True))]
    for a, b in itertools.combinations(different, 2):
        assert (np.abs(a - b).max(axis=(1, 2, 3)) > 1e-3).all()


@each_kind
def test_generated_images_are_those_of_the_seeds_codes(kind, shaken_models):
    model = shaken_models[kind]
    z = np.random.default_rng(5).standard_normal((3, 4))
    assert np.array_equal(model.generate(3, seed=5, Male=[True, False, True]), model.decode(z, Male=[True, False, True]))
    assert np.array_equal(model.generate(3, seed=5), model.decode(z))
    assert model.generate(0, Male=True).shape == model.decode(np.zeros((0, 4)), Male=True).shape == (0, 16, 16, 3)
    for wrong, words in ((dict(n=-1), "n is -1"), (dict(n=2, seed=0.5), "seed is 0.5")):
        with pytest.raises(gdl.CourseError, match=words):
            model.generate(**wrong)
    with pytest.raises(gdl.CourseError, match=r"decode takes codes of shape \(n, 4\)"):
        model.decode(np.zeros((2, 5)), Male=True)
    assert np.array_equal(model.decode(z.tolist()), model.decode(z))
    with pytest.raises(gdl.CourseError, match="decode takes one array"):
        model.decode([[0.0] * 4, [0.0] * 3])


@each_kind
def test_of_more_images_than_a_batch_each_shows_what_is_asked_of_it(kind, shaken_models):
    model = shaken_models[kind]
    z, male = np.tile(np.random.default_rng(0).normal(size=4), (300, 1)), np.random.default_rng(1).random(300) < 0.5
    faces = model.decode(z, Male=male)
    for value in (True, False):
        assert np.allclose(faces[male == value], model.decode(z[:1], Male=value), atol=1e-5)
    assert np.abs(faces[male][0] - faces[~male][0]).max() > 0.01
    if kind is gdl.ConditionalGAN:
        scores = model.score(np.tile(images(1), (300, 1, 1, 1)), Male=male)
        for value in (True, False):
            assert scores[male == value] == pytest.approx(float(model.score(images(1), Male=value)[0]), abs=1e-4)


@each_kind
def test_called_or_previewed_nothing_is_told(kind, shaken_models):
    model, x = shaken_models[kind], images(3)
    rows = model.preview((x * 255).round().astype(np.uint8))
    if kind is gdl.ConditionalGAN:
        z = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
        assert np.array_equal(model(z), model.decode(z))
        assert np.array_equal(np.concatenate(list(rows.values())), model.generate(12))
    else:
        epsilon = keras.random.normal((3, 4), seed=same_draws(model)).numpy()
        mean, log_var = model.posterior(x)
        assert np.allclose(model(x), model.decode(mean + np.exp(log_var / 2) * epsilon), atol=1e-5)
        assert np.allclose(rows["reconstruction"], model.decode(mean), atol=1e-2) and np.array_equal(rows["random z"], model.generate(6)[:3])


def test_images_are_reconstructed_as_is_asked(shaken_models):
    model, x = shaken_models[gdl.ConditionalVAE], images(3)
    assert np.array_equal(model.reconstruct(x), model.decode(model.encode(x)))
    assert np.array_equal(model.reconstruct(x, Male=[True, False, True]), model.decode(model.encode(x), Male=[True, False, True]))
    assert not np.allclose(model.reconstruct(x, Male=True), model.reconstruct(x, Male=False), atol=1e-3)


@each_kind
def test_each_normalised_map_of_the_decoder_is_told_and_at_the_start_none_changes(kind):
    """What is told comes in beside the code, too; without these weights all images of one code are the same."""
    model, z = kind(**{**SMALL, "filters": (4, 4, 8)}), np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    decoder = model.decoder
    dense = [layer for layer in decoder.layers if isinstance(layer, keras.layers.Dense)]
    by_told = [layer for layer in dense if layer.kernel.shape[0] == 3]
    assert sorted(layer.units for layer in by_told) == [4] * 4 + [8] * 2 and not any(layer.kernel.numpy().any() for layer in by_told)
    (first,) = [layer for layer in dense if layer not in by_told]
    assert first.kernel.shape[0] == 4 + 3 and not np.allclose(model.decode(z, Male=True), model.decode(z), atol=1e-4)
    first.kernel.assign(first.kernel.numpy() * np.array([1, 1, 1, 1, 0, 0, 0], "float32")[:, None])
    assert np.array_equal(model.decode(z, Male=True), model.decode(z))
    for layer in by_told:
        layer.kernel.assign(np.ones_like(layer.kernel))
        assert not np.allclose(model.decode(z, Male=True), model.decode(z), atol=1e-5), layer.name
        layer.kernel.assign(np.zeros_like(layer.kernel))


# --- the conditional VAE ---


def test_validation_of_the_vae_tells_all_and_is_that_of_numpy():
    model, x, y = shaken(made(gdl.ConditionalVAE, beta=3.0)), images(), labels()
    epsilon = keras.random.normal((6, 4), seed=same_draws(model)).numpy()
    numbers = validate(model, x, y)
    mean, log_var = (a.astype("float64") for a in model.posterior(x))
    x_hat = model.decode(mean + np.exp(log_var / 2) * epsilon, **asked(y)).astype("float64")
    error = -(special.xlogy(x, x_hat) + special.xlogy(1 - x, 1 - x_hat)).sum() / 6
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum() / 6
    loss = error + 3 * kl
    assert numbers == pytest.approx({"loss": loss, "reconstruction_loss": error, "kl_loss": kl, "kl_share": 3 * kl / loss}, rel=1e-4)


def test_a_step_of_the_vae_is_the_step_done_by_hand():
    rate, beta = 1e-3, 2.5
    model = shaken(made(gdl.ConditionalVAE, beta=beta, batch_norm=False, optimizers=[keras.optimizers.SGD(rate)]))
    x, y = images(), labels()
    draws = same_draws(model)
    told = partly_told(tf.constant(y), draws)
    assert set(np.unique(told)) == {-1, 0, 1}, "some is told, and some is hidden"
    epsilon = keras.random.normal((6, 4), seed=draws)
    weights = model.trainable_variables
    with tf.GradientTape() as tape:
        mean, log_var = model.encoder(x)
        x_hat = model.decoder([mean + tf.exp(log_var / 2) * epsilon, told])
        per_pixel = -(x * tf.math.log(x_hat) + (1 - x) * tf.math.log(1 - x_hat))
        per_dimension = -0.5 * (1 + log_var - mean**2 - tf.exp(log_var))
        loss = tf.reduce_sum(per_pixel) / 6 + beta * tf.reduce_sum(per_dimension) / 6
    expected = [w - rate * g for w, g in zip(values(weights), values(tape.gradient(loss, weights)))]
    before = values(weights)
    assert step(model, x, y)["loss"] == pytest.approx(float(loss), rel=1e-5)
    assert {id(v) for v in weights} == {id(v) for network in (model.encoder, model.decoder) for v in network.trainable_variables}
    for variable, old, wanted in zip(weights, before, expected):
        moved, distance = np.abs(wanted - old).max(), np.abs(variable.numpy() - wanted).max()
        assert moved > 0 and distance < 1e-3 * moved + 1e-6, variable.path


def test_the_encoder_sees_the_image_alone_and_the_decoder_what_is_told():
    model, x, y = shaken(made(gdl.ConditionalVAE)), images(), labels()
    assert [tuple(tensor.shape) for tensor in model.encoder.inputs] == [(None, 16, 16, 3)]
    numbers = []
    for told in (y, 1 - y):
        same_draws(model)
        numbers.append(validate(model, x, told))
    assert numbers[0]["kl_loss"] == numbers[1]["kl_loss"] and abs(numbers[0]["reconstruction_loss"] - numbers[1]["reconstruction_loss"]) > 0.1


@pytest.mark.parametrize("frozen", ["encoder", "decoder"])
def test_each_optimizer_of_the_vae_moves_its_own_network(frozen):
    rates = {"encoder": 1e-2, "decoder": 1e-2, frozen: 0.0}
    model = made(gdl.ConditionalVAE, optimizers=[keras.optimizers.Adam(rate) for rate in rates.values()])
    before = {part: values(getattr(model, part).trainable_variables) for part in rates}
    step(model, images(), labels())
    for part in rates:
        still = same(before[part], values(getattr(model, part).trainable_variables))
        assert all(still) if part == frozen else not any(still)


def test_a_warm_up_and_a_learned_variance_work_with_conditions():
    model = made(gdl.ConditionalVAE, reconstruction="gaussian", warm_up=4, beta=2.0)
    weights = []
    for _ in range(5):
        numbers = step(model, images(), labels())
        weights.append((numbers["loss"] - numbers["reconstruction_loss"]) / numbers["kl_loss"])
    assert weights == pytest.approx([0, 0.5, 1, 1.5, 2], abs=0.02) and float(model.log_var) != -3


@pytest.mark.slow
@each_kind
def test_trained_models_show_what_is_asked(kind):
    """Bright images are called Smiling and dark ones are not; Male says nothing."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, (64, 2)).astype("float32")
    x = (0.25 + 0.5 * y[:, :1, None, None] + rng.uniform(-0.15, 0.15, (64, 16, 16, 3))).astype("float32")
    rate, epochs, options = (4e-3, 40, {}) if kind is gdl.ConditionalGAN else (1e-2, 15, dict(beta=100.0))  # so that the code says little
    optimizers = [keras.optimizers.Adam(rate, beta_1=0.5) for _ in range(2)]
    model = made(kind, eager=False, conditions=["Smiling", "Male"], filters=(4,), optimizers=optimizers, **options)
    model.fit(x, y, batch_size=16, epochs=epochs, shuffle=False, verbose=0)

    def brightness(**told):
        return model.generate(64, **told).mean()

    smiling, serious = brightness(Smiling=True), brightness(Smiling=False)
    assert smiling - serious > 0.15, (smiling, serious)
    assert abs(brightness(Male=True) - brightness(Male=False)) < 0.1


# --- the conditional GAN ---


def features_by_hand(critic, x):
    """The last feature map, flattened, of a critic without normalisation: convolutions of stride 2 and leaky ReLUs."""
    for layer in critic.layers:
        if isinstance(layer, keras.layers.Conv2D):
            x = tf.nn.conv2d(x, layer.kernel.numpy(), 2, "SAME").numpy() + layer.bias.numpy()
            x = np.where(x > 0, x, 0.2 * x)
    return x.reshape(len(x), -1).astype("float64")


def test_a_score_is_that_of_the_projection_discriminator(shaken_models):
    """psi(x) + <V y, phi(x)>; where nothing is told the second term is 0."""
    model, x, y = shaken_models[gdl.ConditionalGAN], images(), labels()
    phi = features_by_hand(model.critic, x)
    score, wanted = model.critic.get_layer("score"), model.critic.get_layer("wanted")
    assert phi.shape == (6, 4 * 4 * 8) and wanted.kernel.shape == (3, 128) and len(wanted.weights) == 1
    psi = (phi @ score.kernel.numpy() + score.bias.numpy())[:, 0]
    for told in (2 * y - 1, (2 * y - 1) * [1, 0, 1]):
        named = {name: column > 0 for name, column in zip(CONDITIONS, told.T) if column.any()}
        expected = psi + np.sum(phi * (told @ wanted.kernel.numpy()), axis=1)
        assert model.score(x, **named) == pytest.approx(expected, rel=1e-4, abs=1e-4)
        assert np.abs(expected - psi).min() > 0.01
    assert model.score(x) == pytest.approx(psi, rel=1e-4, abs=1e-4) and model.score(x).dtype == np.float32


@pytest.mark.parametrize("norm", [None, "batch", "layer", "spectral"])
def test_where_nothing_is_told_the_score_is_the_unconditional_one(norm):
    model, x = gdl.ConditionalGAN(**SMALL, critic_norm=norm), images()
    other = critic_network(model.architecture, norm)
    pairs = [[layer for layer in network.layers if layer.weights and layer.name != "wanted"] for network in (other, model.critic)]
    for layer, conditional in zip(*pairs, strict=True):
        layer.set_weights(conditional.get_weights())
    assert np.allclose(model.score(x), other(x, training=False), atol=1e-5)
    assert not np.allclose(model.score(x, Male=True), other(x, training=False), atol=1e-3)
    wrapped = isinstance(model.critic.get_layer("wanted"), keras.layers.SpectralNormalization)
    assert wrapped == (norm == "spectral")


def test_each_step_of_the_gan_moves_its_own_network_and_no_other():
    model = made(gdl.ConditionalGAN, ema=0.9)
    parts = {"generator": model.generator, "critic": model.critic, "average": model.averaged_generator}
    x, told = tf.constant(images()), all_told(tf.constant(labels()))

    def moved(do):
        before = {name: values(part.trainable_variables or part.weights) for name, part in parts.items()}
        do()
        return {name: not all(same(before[name], values(part.trainable_variables or part.weights))) for name, part in parts.items()}

    assert moved(lambda: model.discriminator_step(x, told)) == {"generator": False, "critic": True, "average": False}
    assert moved(lambda: model.generator_step(told)) == {"generator": True, "critic": False, "average": True}
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [1, 1]
    assert moved(lambda: step(model, images(), labels())) == dict.fromkeys(parts, True)
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [2, 2]


def nats(critic, x, told, bce):
    """For each attribute that is told: cross-entropy of the score told rightly less the score told wrongly. Mean over the images."""
    told, total = np.array(told), 0.0
    for k in range(told.shape[1]):
        wrong = told.copy()
        wrong[:, k] *= -1
        rows = np.flatnonzero(told[:, k])
        if len(rows):
            difference = tf.gather(critic([x, tf.constant(told)]) - critic([x, tf.constant(wrong)]), rows)
            total += bce(tf.ones(len(rows)), difference) * len(rows) / len(told)
    return total


@pytest.mark.parametrize("augment,classify", [((), 0.0), (("translation", "cutout"), 0.0), ((), 0.7)], ids=["plain", "augmented", "classify"])
def test_a_step_of_the_gan_is_the_step_done_by_hand(augment, classify):
    """The same is told about an image and about the fake beside it, to the generator and to the discriminator."""
    rate = 0.02
    optimizers = [keras.optimizers.SGD(rate) for _ in range(2)]
    model = shaken(made(gdl.ConditionalGAN, batch_norm=False, augment=augment, classify=classify, optimizers=optimizers))
    x, y = images(), labels()
    draws = same_draws(model)
    generator, critic = (keras.models.clone_model(network) for network in (model.generator, model.critic))
    generator.set_weights(model.generator.get_weights())
    critic.set_weights(model.critic.get_weights())
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def seen(x):
        return (augmented(2 * x - 1, augment, draws) + 1) / 2 if augment else x

    told = partly_told(tf.constant(y), draws)
    assert set(np.unique(told)) == {-1, 0, 1}
    fake = generator([keras.random.normal((6, 4), seed=draws), told])
    real, fake = seen(tf.constant(x)), seen(fake)
    with tf.GradientTape() as tape:
        real_scores, fake_scores = critic([real, told]), critic([fake, told])
        loss = bce(tf.ones(6), real_scores) + bce(tf.zeros(6), fake_scores)
        both = loss + classify * nats(critic, real, told, bce)
    for weight, gradient in zip(critic.trainable_variables, tape.gradient(both, [w.value for w in critic.trainable_variables])):
        weight.assign(weight - rate * gradient)
    z = keras.random.normal((6, 4), seed=draws)
    with tf.GradientTape() as tape:
        seen_fake = seen(generator([z, told]))
        generator_loss = bce(tf.ones(6), critic([seen_fake, told]))
        both = generator_loss + classify * nats(critic, seen_fake, told, bce)
    for weight, gradient in zip(generator.trainable_variables, tape.gradient(both, [w.value for w in generator.trainable_variables])):
        weight.assign(weight - rate * gradient)

    before = {"generator": model.generator.get_weights(), "critic": model.critic.get_weights()}
    expected = {
        "discriminator_loss": float(loss), "generator_loss": float(generator_loss),
        "real_accuracy": (real_scores.numpy() > 0).mean(), "fake_accuracy": (fake_scores.numpy() < 0).mean(),
    }  # fmt: skip
    assert step(model, x, y) == pytest.approx(expected, rel=1e-4)
    for name, by_hand in (("generator", generator), ("critic", critic)):
        for old, new, wanted in zip(before[name], getattr(model, name).get_weights(), by_hand.get_weights()):
            assert np.abs(wanted - old).max() > 0
            assert np.abs(new - wanted).max() <= 2e-3 * np.abs(wanted - old).max() + 1e-6, name


def test_validation_of_the_gan_tells_all_and_is_that_of_numpy():
    model, x, y = shaken(made(gdl.ConditionalGAN, augment=("cutout",))), images(), labels()
    z = keras.random.normal((6, 4), seed=same_draws(model)).numpy()
    fake = model.generator([z, (2 * y - 1).astype("float32")]).numpy()
    real, fake = (model.score(np.asarray(faces), **asked(y)).astype("float64") for faces in (x, fake))
    middle = np.median(np.concatenate([real, fake]))
    model.critic.get_layer("score").bias.assign_sub([middle])  # so that some are called right and some wrong
    real, fake = real - middle, fake - middle
    before = values(model.weights)
    expected = {
        "discriminator_loss": -special.log_expit(real).mean() - special.log_expit(-fake).mean(), "generator_loss": -special.log_expit(fake).mean(),
        "real_accuracy": (real > 0).mean(), "fake_accuracy": (fake < 0).mean(),
    }  # fmt: skip
    assert 0 < expected["real_accuracy"] + expected["fake_accuracy"] < 2
    assert validate(model, x, y) == pytest.approx(expected, rel=1e-3)
    assert all(same(before, values(model.weights)))


def test_patience_is_refused_for_the_gan(tmp_path):
    with pytest.raises(gdl.CourseError, match="ConditionalGAN: leave it out") as error:
        gdl.train(gdl.ConditionalGAN(**SMALL), gdl.DrawnFaces(n=60, size=16), 1, run=tmp_path / "run", patience=2)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


# --- precision ---


@pytest.mark.slow
@each_kind
def test_the_loss_scale_of_float16_is_divided_out_again(kind, precision):
    """A step of a known scale changes the weights of both networks as a step of float32 does."""
    moves, rate = {}, 1e-4 if kind is gdl.ConditionalVAE else 1e-2
    for policy in ("float32", "mixed_float16"):
        precision(policy)
        optimizers = [keras.optimizers.SGD(rate) for _ in range(2)]
        if policy == "mixed_float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale) for optimizer, scale in zip(optimizers, (16, 64))]
        model = made(kind, batch_norm=False, optimizers=optimizers)
        same_draws(model)
        before = values(model.trainable_variables)
        step(model, images(), labels())
        assert [int(steps_taken(optimizer)) for optimizer in optimizers] == [1, 1], "no step was left out"
        moves[policy] = [after - w for after, w in zip(values(model.trainable_variables), before)]
    for variable, exact, half in zip(model.trainable_variables, moves["float32"], moves["mixed_float16"]):
        assert np.linalg.norm(half - exact) < 0.1 * np.linalg.norm(exact) + 1e-6, variable.path


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_both_networks_learn_in_half_precision(kind, policy, precision):
    precision(policy)
    model = made(kind, ema=0.9)
    precision("float32")
    optimizers = [optimizer for optimizer, _ in model.optimizer_groups]
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16") for o in optimizers) and len(optimizers) == 2
    assert model.decoder.layers[2].compute_dtype == policy.removeprefix("mixed_")
    before = values(model.trainable_variables)
    for _ in range(20):  # float16 leaves out steps until its loss scale is small enough
        assert all(np.isfinite(number) for number in step(model, images(), labels()).values())
        if all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers):
            break
    assert all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers)
    assert all(np.isfinite(w).all() for w in values(model.variables)) and {v.dtype for v in model.trainable_variables} == {"float32"}
    still = [v.path for v, equal in zip(model.trainable_variables, same(before, values(model.trainable_variables))) if equal]
    assert all("bias" in path for path in still), still  # right before a normalisation
    assert model.generate(2, Male=True).dtype == np.float32
    if kind is gdl.ConditionalGAN:
        assert model.score(images(), Male=True).dtype == np.float32


# --- saving ---


@each_kind
def test_another_can_be_made_of_its_options(kind):
    model = kind(**SMALL, ema=0.5, pixel_range=(-1, 1))
    config = json.loads(json.dumps(model.get_config()))
    assert config["conditions"] == list(CONDITIONS)
    other = kind(**config)
    assert other.get_config() == model.get_config() and other.conditions == CONDITIONS
    faces = other.generate(3, Male=True)
    assert -1 <= faces.min() < 0 < faces.max() <= 1


@pytest.mark.slow
@each_kind
def test_keras_saves_and_loads_the_whole_model(kind, tmp_path):
    model = made(kind, ema=0.9, dropout=0.2, filters=(4,), optimizers=(keras.optimizers.Adam(1e-2), keras.optimizers.RMSprop(1e-3, momentum=0.9)))
    for _ in range(2):
        step(model, images(), labels())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is kind and loaded.conditions == CONDITIONS
    assert [(type(o).__name__, int(o.iterations)) for o, _ in loaded.optimizer_groups] == [("Adam", 2), ("RMSprop", 2)]
    assert all(same(states(model), states(loaded)))
    assert np.array_equal(model.generate(3, Male=[True, False, True]), loaded.generate(3, Male=[True, False, True]))
    draw_alike(model, loaded)
    assert step(model, images(), labels()) == step(loaded, images(), labels())
    assert all(same(states(model), states(loaded))), "the next step is that of an uninterrupted training"


@pytest.mark.slow
@each_kind
def test_a_resumed_training_ends_where_an_undisturbed_one_does(kind, tmp_path):
    def train(run, epochs):
        model = made(kind, ema=0.9, dropout=0.2, filters=(4,))
        options = dict(batch_size=24, steps_per_epoch=1, halve_every=1, flip=True, quiet=True)
        gdl.train(model, gdl.DrawnFaces(n=60, size=16), epochs, run=tmp_path / run, **options)
        return model

    whole = train("whole", 2)
    first = train("cut", 1)
    resumed = train("cut", 2)
    assert all(same(states(whole), states(resumed))) and not all(same(states(first), states(resumed)))
    histories = [pd.read_csv(tmp_path / run / "history.csv").drop(columns=["seconds", "images_per_second"]) for run in ("whole", "cut")]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    loaded = gdl.load(tmp_path / "cut")
    assert type(loaded) is kind and loaded.get_config() == whole.get_config() and all(same(states(loaded), states(whole)))
    assert np.array_equal(loaded.generate(2, Male=True), whole.generate(2, Male=True))
