"""The adversarial models: each network's own step, a fresh part of the batch for each, what is drawn, told and saved."""

import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import same, step, validate, values
from scipy import special, stats

import gdl
from gdl.models import gan, wgan_gp
from gdl.models.base import check_decoder, check_encoder, steps_taken

SMALL = dict(image_size=16, z_dim=4, filters=(4, 8))
KINDS = (gdl.GAN, gdl.WGAN, gdl.WGANGP)
each_kind = pytest.mark.parametrize("kind", KINDS)


def made(kind=gdl.WGANGP, seed=0, eager=True, optimizers=None, **options):
    """A small compiled model; eager, as tracing takes longer than a few steps."""
    keras.utils.set_random_seed(seed)
    model = kind(**{**SMALL, "critic_steps": 1, "critic_norm": None, **options})
    model.compile(*(optimizers or (keras.optimizers.Adam(1e-2), keras.optimizers.Adam(1e-2))), run_eagerly=eager)
    return model


def images(n=6, size=16, pixel_range=(0, 1)):
    return np.random.default_rng(0).uniform(*pixel_range, (n, size, size, 3)).astype("float32")


def same_draws(model, state=(7, 7)):
    """Fixes what the model draws next, and returns a generator that draws the same."""
    model.seed_generator.state.assign(state)
    copy = keras.random.SeedGenerator(0)
    copy.state.assign(state)
    return copy


def record(monkeypatch, owner, name, instead=None):
    """Replaces a function by one that remembers its arguments; it still does its work, or `instead`."""
    calls, original = [], getattr(owner, name)

    def recording(*arguments, **options):
        calls.append(arguments)
        return (instead or original)(*arguments, **options)

    monkeypatch.setattr(owner, name, recording)
    return calls


# --- options ---

# every value of each option meets each of the three models
OPTIONS = ("downsampling", "upsampling", "residual", "norm", "critic_norm", "kernel_sizes", "dropout", "pixel_range", "ema", "precision")
TABLE = [
    (gdl.GAN, "stride", "transpose", False, "batch", None, 4, 0.0, (-1, 1), 0.9, "float32"),
    (gdl.GAN, "dilation", "resize", True, "layer", "batch", (5, 3), 0.2, (0, 1), None, "mixed_bfloat16"),
    (gdl.GAN, "stride", "pixel_shuffle", "resnet18", None, "layer", 3, 0.2, (-1, 1), 0.9, "mixed_float16"),
    (gdl.WGAN, "dilation", "transpose", True, None, "layer", 3, 0.0, (0, 1), 0.9, "mixed_float16"),
    (gdl.WGAN, "stride", "resize", "resnet18", "batch", "batch", 4, 0.2, (-1, 1), None, "float32"),
    (gdl.WGAN, "dilation", "pixel_shuffle", False, "layer", None, (5, 3), 0.0, (0, 1), 0.9, "mixed_bfloat16"),
    (gdl.WGANGP, "stride", "transpose", "resnet18", "layer", None, 4, 0.2, (0, 1), None, "mixed_bfloat16"),
    (gdl.WGANGP, "dilation", "resize", False, None, "layer", 3, 0.2, (-1, 1), 0.9, "mixed_float16"),
    (gdl.WGANGP, "dilation", "pixel_shuffle", True, "batch", "layer", (5, 3), 0.0, (-1, 1), 0.9, "float32"),
]


def test_the_table_holds_every_value_for_each_model():
    for kind in KINDS:
        for name, column, all_values in zip(OPTIONS, zip(*(row[1:] for row in TABLE if row[0] is kind)), zip(*(row[1:] for row in TABLE))):
            assert set(column) | ({"batch"} if kind is gdl.WGANGP and name == "critic_norm" else set()) == set(all_values), (kind, name)


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=lambda row: "-".join(map(str, (row[0].__name__, *row[1:5]))))
def test_options_go_together(row, precision):
    kind, *chosen = row
    options = dict(zip(OPTIONS, chosen))
    precision(options.pop("precision"))
    norm = options.pop("norm")
    model = made(kind, **options, batch_norm=norm == "batch", layer_norm=norm == "layer", critic_steps=2)
    assert kind(**json.loads(json.dumps(model.get_config()))).get_config() == model.get_config(), "another can be made of its options"
    names = {part: {type(layer).__name__ for layer in getattr(model, part).layers} for part in ("generator", "critic")}
    for part, wanted in (("generator", norm), ("critic", options["critic_norm"])):
        assert ("BatchNormalization" in names[part], "GroupNormalization" in names[part]) == (wanted == "batch", wanted == "layer"), part
    x = images(4, pixel_range=options["pixel_range"])
    before = values(model.trainable_variables)
    for _ in range(20):  # float16 leaves out steps until its loss scale is small enough
        numbers = step(model, x)
        assert set(numbers) == set(kind.metric_names) and all(np.isfinite(number) for number in numbers.values()), numbers
        if all(int(steps_taken(optimizer)) for optimizer, _ in model.optimizer_groups):
            break
    assert all(np.isfinite(w).all() for w in values(model.variables))
    still = [v.path for v, equal in zip(model.trainable_variables, same(before, values(model.trainable_variables))) if equal]
    # no gradient reaches a bias right before a normalisation, nor a WGAN's last bias, which real and fake share
    assert all("bias" in path for path in still), still
    made_images = model.generate(5, seed=3)
    low, high = options["pixel_range"]
    assert made_images.shape == (5, 16, 16, 3) and made_images.dtype == np.float32
    assert low <= made_images.min() < made_images.max() <= high
    assert np.array_equal(made_images, model.generate(5, seed=3)) and not np.array_equal(made_images, model.generate(5, seed=4))
    scores = model.score(x)
    assert scores.shape == (4,) and scores.dtype == np.float32


@pytest.mark.parametrize(
    "kind,options,words",
    [
        (
            gdl.WGANGP,
            dict(critic_norm="batch"),
            "batch normalisation makes the score of an image depend on all images of the batch: choose 'layer' or None",
        ),
        (gdl.GAN, dict(critic_norm="instance"), "'batch', 'layer', 'spectral' or None"),
        (gdl.WGAN, dict(critic_steps=0), "critic_steps is 0"),
        (gdl.WGAN, dict(critic_steps=2.5), "critic_steps is 2.5"),
        (gdl.WGANGP, dict(ema=1.0), "ema is 1.0"),
        (gdl.GAN, dict(ema=-0.1), "ema is -0.1"),
        (gdl.WGAN, dict(clip=0), "clip is 0"),
        (gdl.WGANGP, dict(gp_weight=-1), "gp_weight is -1"),
        (gdl.GAN, dict(label_smoothing=0.5), "label_smoothing is 0.5"),
        (gdl.GAN, dict(label_noise=-0.1), "label_noise is -0.1"),
        (gdl.GAN, dict(layer_norm=True), "set batch_norm=False"),
        (gdl.WGAN, dict(image_size=18), "multiple of 4"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(kind, options, words):
    with pytest.raises(gdl.CourseError) as error:
        kind(**{**SMALL, **options})
    assert words in str(error.value) and "\n" not in str(error.value)


@each_kind
def test_there_is_no_way_back_from_an_image_to_a_code(kind):
    model = kind(**SMALL)
    assert not hasattr(model, "encode") and not hasattr(model, "reconstruct"), "no class promises what it cannot do"
    with pytest.raises(gdl.CourseError, match=f"A {kind.__name__} has no encoder"):
        check_encoder(model)
    check_decoder(model)


def test_patience_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(gdl.CourseError, match="WGAN: leave it out") as error:
        gdl.train(gdl.WGAN(32, 4, (4,)), gdl.DrawnFaces(20, 32), 1, run=tmp_path / "run", patience=2)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("eager", [True, False], ids=["eager", "graph"])
def test_a_batch_without_an_image_for_each_critic_step_is_refused(eager):
    model = made(gdl.WGAN, critic_steps=3, filters=(4,), eager=eager)
    with pytest.raises(tf.errors.InvalidArgumentError, match="fewer images than the 3 critic steps"):
        model.train_on_batch(images(2))


def test_the_discriminator_is_the_critic_and_the_preview_shows_random_codes():
    model = made(gdl.GAN)
    assert model.discriminator is model.critic
    rows = model.preview((images(3) * 255).astype(np.uint8))
    assert np.array_equal(np.concatenate(list(rows.values())), model.generate(12)) and len(rows) == 4
    z = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    assert np.array_equal(model(z), model.decode(z)), "called, it makes images of codes"


# --- who learns when ---


@pytest.mark.slow
@each_kind
def test_each_step_moves_its_own_network_and_no_other(kind):
    """Bit for bit; of the generator's untrained numbers, its batch normalisation counts what it makes for the critic."""
    model = made(kind, ema=0.9)
    parts = {"generator": model.generator, "critic": model.critic, "average": model.averaged_generator}

    def moved(do):
        before = {name: values(part.trainable_variables or part.weights) for name, part in parts.items()}
        do()
        return {name: not all(same(before[name], values(part.trainable_variables or part.weights))) for name, part in parts.items()}

    assert moved(lambda: model.critic_step(tf.constant(images()))) == {"generator": False, "critic": True, "average": False}
    assert moved(lambda: model.generator_step(tf.constant(images()))) == {"generator": True, "critic": False, "average": True}
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [1, 1]


@pytest.mark.slow
@each_kind
@pytest.mark.parametrize("frozen", ["generator", "critic"])
def test_each_optimizer_has_a_rate_of_its_own(kind, frozen):
    rates = {"generator": 1e-2, "critic": 1e-2, frozen: 0.0}
    model = made(kind, optimizers=[keras.optimizers.Adam(rate) for rate in rates.values()], **({"clip": 10.0} if kind is gdl.WGAN else {}))
    before = {part: values(getattr(model, part).trainable_variables) for part in rates}
    step(model, images())
    for part in rates:
        still = same(before[part], values(getattr(model, part).trainable_variables))
        assert all(still) if part == frozen else not all(still)


@pytest.mark.slow
@pytest.mark.parametrize("n,steps", [(12, 3), (11, 3), (5, 5), (4, 1)])
def test_each_critic_step_has_images_of_its_own(n, steps, monkeypatch):
    """No image twice and none left out, also of a batch that cannot be divided."""
    model = made(gdl.WGAN, critic_steps=steps, filters=(4,))
    seen = record(monkeypatch, model, "critic_loss")
    x = np.ones((n, 16, 16, 3), "float32") * np.linspace(0, 1, n, dtype="float32")[:, None, None, None]
    step(model, x)
    parts = [np.asarray(real)[:, 0, 0, 0] for real, _ in seen]
    assert len(parts) == steps and {len(part) for part in parts} <= {n // steps, -(-n // steps)}
    assert sorted(np.concatenate(parts)) == pytest.approx(np.linspace(0, 1, n))
    assert all(fake.shape == real.shape for real, fake in seen)
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [1, steps]


@pytest.mark.slow
def test_training_takes_a_batch_for_each_critic_step(monkeypatch):
    """Of 48 images, 3 steps of 3 times 5; the 3 that are left make no step."""
    model = made(gdl.WGAN, critic_steps=3, image_size=32, filters=(4,))
    original, seen = model.critic_loss, []

    def recording(real, fake, training):
        if training:
            seen.append(real.numpy())
        return original(real, fake, training=training)

    monkeypatch.setattr(model, "critic_loss", recording)
    history = gdl.train(model, gdl.DrawnFaces(n=60, size=32), 2, batch_size=5, quiet=True)
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [2 * 3, 2 * 3 * 3]
    assert {len(real) for real in seen} == {5}
    for epoch in (seen[:9], seen[9:]):
        assert len(np.unique(np.concatenate(epoch).reshape(45, -1), axis=0)) == 45, "no image twice in an epoch"
    assert set(history) >= {"critic_loss", "val_critic_loss", "generator_loss", "val_generator_loss", "wasserstein", "val_wasserstein"}


@pytest.mark.slow
def test_a_training_set_smaller_than_a_step_still_trains():
    model = made(gdl.WGAN, critic_steps=5, image_size=32, filters=(4,))
    gdl.train(model, gdl.DrawnFaces(n=60, size=32), 1, batch_size=16, quiet=True)
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [1, 5]


@each_kind
def test_a_step_is_the_step_done_by_hand(kind):
    """Two networks, two descents, written out once more with TensorFlow's own functions."""
    rate = 0.05
    model = made(
        kind, batch_norm=False, optimizers=[keras.optimizers.SGD(rate), keras.optimizers.SGD(rate)], **({"clip": 0.2} if kind is gdl.WGAN else {})
    )
    x = images()
    draws = same_draws(model)
    generator, critic = (keras.models.clone_model(network) for network in (model.generator, model.critic))
    generator.set_weights(model.generator.get_weights())
    critic.set_weights(model.critic.get_weights())
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    fake = generator(keras.random.normal((6, 4), seed=draws))
    alpha = keras.random.uniform((6, 1, 1, 1), seed=draws) if kind is gdl.WGANGP else None
    with tf.GradientTape() as tape:
        if kind is gdl.GAN:
            loss = bce(tf.ones(6), critic(x)) + bce(tf.zeros(6), critic(fake))
        else:
            loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(x))
        if kind is gdl.WGANGP:
            points = alpha * x + (1 - alpha) * fake
            with tf.GradientTape() as inner:
                inner.watch(points)
                total = tf.reduce_sum(critic(points))
            norms = tf.norm(tf.reshape(inner.gradient(total, points), (6, -1)), axis=1)
            loss += 10 * tf.reduce_mean((norms - 1) ** 2)
    for weight, gradient in zip(critic.trainable_variables, tape.gradient(loss, [w.value for w in critic.trainable_variables])):
        moved = weight - rate * (0 if gradient is None else gradient)
        weight.assign(tf.clip_by_value(moved, -0.2, 0.2) if kind is gdl.WGAN else moved)
    z = keras.random.normal((6, 4), seed=draws)
    with tf.GradientTape() as tape:
        scores = critic(generator(z))
        generator_loss = bce(tf.ones(6), scores) if kind is gdl.GAN else -tf.reduce_mean(scores)
    for weight, gradient in zip(generator.trainable_variables, tape.gradient(generator_loss, [w.value for w in generator.trainable_variables])):
        weight.assign(weight - rate * gradient)

    before = {"generator": model.generator.get_weights(), "critic": model.critic.get_weights()}
    numbers = step(model, x)
    assert numbers["discriminator_loss" if kind is gdl.GAN else "critic_loss"] == pytest.approx(float(loss), rel=1e-4)
    assert numbers["generator_loss"] == pytest.approx(float(generator_loss), rel=1e-4)
    for name, by_hand in (("generator", generator), ("critic", critic)):
        for old, new, wanted in zip(before[name], getattr(model, name).get_weights(), by_hand.get_weights()):
            assert np.abs(new - wanted).max() <= 2e-3 * np.abs(wanted - old).max() + 1e-6, name


@pytest.mark.slow
@pytest.mark.parametrize("norm", [None, "layer", "batch"])
def test_weights_of_the_wgan_stay_within_the_clip(norm):
    """Scales of normalisation layers stay within 1. The generator is not clipped."""
    model = made(gdl.WGAN, clip=0.01, critic_norm=norm, optimizers=[keras.optimizers.SGD(0.1), keras.optimizers.RMSprop(0.1)])
    weights = model.critic.trainable_variables
    limits = [np.float32(1 if weight.name == "gamma" else 0.01) for weight in weights]
    assert (np.float32(1) in limits) == (norm is not None)
    assert max(np.abs(w).max() for w in values(weights)) > 0.1
    generator = values(model.generator.trainable_variables)
    for _ in range(2):
        step(model, images())
        reached = [np.abs(weight).max() / limit for weight, limit in zip(values(weights), limits)]
        assert max(reached) == 1, reached
    assert max(np.abs(w).max() for w in generator) > 0.1 < max(np.abs(w).max() for w in values(model.generator.trainable_variables))


def test_the_critic_of_the_wgan_has_the_papers_normalisation():
    assert gdl.WGAN(**SMALL).critic_norm == "batch" and gdl.WGANGP(**SMALL).critic_norm is gdl.GAN(**SMALL).critic_norm is None


# --- moving average ---


@pytest.mark.slow
@pytest.mark.parametrize("ema", [0.3, 0.0])
def test_the_moving_average_follows_its_recurrence(ema):
    """Of all the generator's weights, its batch normalisation's statistics included; slower only after some steps."""
    model = made(gdl.WGAN, ema=ema, critic_steps=2)
    expected = [w.astype("float64") for w in values(model.generator.weights)]
    assert all(same(values(model.generator.weights), values(model.averaged_generator.weights))), "it begins as the generator does"
    for i in range(1, 7):
        step(model, images())
        decay = min(ema, (1 + i) / (10 + i))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, values(model.generator.weights))]
        for average, wanted in zip(values(model.averaged_generator.weights), expected, strict=True):
            assert np.allclose(average, wanted, rtol=1e-5, atol=1e-6)
    assert not all(same(values(model.generator.weights), values(model.averaged_generator.weights))) or not ema


def test_the_moving_average_makes_the_images():
    model = made(gdl.WGANGP, ema=0.9)
    step(model, images())
    z = np.random.default_rng(5).standard_normal((3, 4)).astype("float32")
    faces = model.generate(3, seed=5)
    assert np.allclose(faces, model.averaged_generator(z), atol=1e-6) and not np.allclose(faces, model.generator(z), atol=1e-4)
    assert np.array_equal(faces, model.decode(z))
    model.generator.set_weights([np.zeros_like(w) for w in model.generator.get_weights()])
    assert np.array_equal(faces, model.generate(3, seed=5))
    averaged = {id(variable) for variable in model.averaged_generator.variables}
    assert not averaged & {id(variable) for _, trained in model.optimizer_groups for variable in trained}
    assert not averaged & {id(variable) for variable in model.trainable_variables}


def test_without_a_moving_average_there_is_no_copy():
    model, averaged = made(gdl.WGAN), made(gdl.WGAN, ema=0.9)
    assert model.averaged_generator is None and model.decoder is model.generator
    assert averaged.count_params() - model.count_params() == model.generator.count_params()


# --- what is drawn ---


def test_the_penalty_looks_uniformly_between_each_pair(monkeypatch):
    instead = lambda critic, real, fake, alpha: tf.zeros(len(real))  # noqa: E731
    calls = record(monkeypatch, wgan_gp, "gradient_penalty", instead)
    model = made(gdl.WGANGP, filters=(2,))
    real = tf.constant(images(1000))
    fake = 1 - real
    for _ in range(2):
        model.critic_loss(real, fake, training=True)
    (_, a, b, first), (*_, second) = calls
    assert np.array_equal(a, real) and np.array_equal(b, fake) and first.shape == (1000, 1, 1, 1)
    assert 0 <= first.numpy().min() and first.numpy().max() <= 1
    assert stats.kstest(first.numpy().ravel(), "uniform").pvalue > 1e-3
    assert len(np.unique(first)) > 990, "a number for each pair"
    assert abs(np.corrcoef(first.numpy().ravel(), second.numpy().ravel())[0, 1]) < 0.15, "and others at each step"


def test_codes_are_standard_normal_and_new_each_time():
    model = made(gdl.GAN)
    first, second = (model.random_codes(2000).numpy() for _ in range(2))
    assert first.shape == (2000, 4) and not np.isin(first, second).any()
    assert stats.kstest(first.ravel(), "norm").pvalue > 1e-3
    assert np.abs(np.corrcoef(first.T) - np.eye(4)).max() < 4 / np.sqrt(2000)


@pytest.mark.parametrize("smoothing,noise", [(0.1, 0.0), (0.1, 0.3), (0.0, 0.2), (0.0, 0.0)])
def test_labels_are_smoothed_on_the_real_side_and_noisy_on_both(smoothing, noise, monkeypatch):
    calls, loss = [], gan.CRITIC_LOSSES["cross_entropy"]
    monkeypatch.setitem(gan.CRITIC_LOSSES, "cross_entropy", lambda *arguments: calls.append(arguments) or loss(*arguments))
    model = made(gdl.GAN, label_smoothing=smoothing, label_noise=noise, filters=(2,))
    real = tf.constant(images(500))
    for training in (True, False):
        model.critic_loss(real, 1 - real, training=training)
    (_, _, real_label, fake_label), (_, _, *calm) = calls
    assert calm == [1 - smoothing, 0], "validation has no noise"
    if not noise:
        assert [real_label, fake_label] == calm
        return
    moved = [1 - smoothing - real_label.numpy(), fake_label.numpy()]
    for share in moved:
        assert share.shape == (500,) and -1e-6 <= share.min() and share.max() <= noise + 1e-6
        assert stats.kstest(share / noise, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(*moved)[0, 1]) < 0.2


# --- metrics ---


def fakes_and_scores(model, x, draws):
    """The fakes that validation will make, and the critic's scores of real images and fakes, in float64."""
    fake = model.generator(keras.random.normal((len(x), 4), seed=draws), training=False).numpy()
    return fake, model.score(x).astype("float64"), model.score(fake).astype("float64")


def test_validation_of_the_gan_is_that_of_numpy():
    model = made(gdl.GAN, label_smoothing=0.1, label_noise=0.2, dropout=0.3, ema=0.9)
    for _ in range(2):
        step(model, images())
    x = images(10) * np.linspace(0, 1, 10, dtype="float32")[:, None, None, None]
    _, real, fake = fakes_and_scores(model, x, same_draws(model))
    model.critic.get_layer("score").bias.assign_sub([np.median(np.concatenate([real, fake]))])  # so that some are called right and some wrong
    _, real, fake = fakes_and_scores(model, x, same_draws(model))
    loss = -(0.9 * special.log_expit(real) + 0.1 * special.log_expit(-real)).mean() - special.log_expit(-fake).mean()
    expected = {
        "discriminator_loss": loss, "generator_loss": -special.log_expit(fake).mean(),
        "real_accuracy": (real > 0).mean(), "fake_accuracy": (fake < 0).mean(),
    }  # fmt: skip
    assert 0 < expected["real_accuracy"] + expected["fake_accuracy"] < 2
    same_draws(model)
    assert validate(model, x) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [gdl.WGAN, gdl.WGANGP])
def test_validation_of_a_critic_is_that_of_numpy(kind):
    model = made(kind, dropout=0.3, critic_norm="layer", **({"gp_weight": 7.0} if kind is gdl.WGANGP else {"clip": 0.3}))
    for _ in range(2):
        step(model, images())
    x = images(10)
    draws = same_draws(model)
    fake_images, real, fake = fakes_and_scores(model, x, draws)
    expected = {"critic_loss": fake.mean() - real.mean(), "generator_loss": -fake.mean(), "wasserstein": real.mean() - fake.mean()}
    if kind is gdl.WGANGP:
        penalties = []
        for alpha, a, b in zip(keras.random.uniform((10, 1, 1, 1), seed=draws).numpy(), x, fake_images):
            point = tf.constant(alpha * a + (1 - alpha) * b)[None]  # one pair at a time
            with tf.GradientTape() as tape:
                tape.watch(point)
                score = model.critic(point)
            penalties.append((np.linalg.norm(tape.gradient(score, point).numpy().astype("float64")) - 1) ** 2)
        expected["gradient_penalty"] = np.mean(penalties)
        expected["critic_loss"] += 7 * np.mean(penalties)
    same_draws(model)
    assert validate(model, x) == pytest.approx(expected, rel=1e-3, abs=1e-5)


def test_validation_changes_no_weight():
    model = made(gdl.WGANGP, ema=0.9, dropout=0.2)
    before = values(model.weights)
    model.evaluate(images(8), batch_size=4, verbose=0)
    assert all(same(before, values(model.weights)))
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [0, 0]


@pytest.mark.slow
def test_a_trained_critic_tells_real_from_fake():
    """Against a generator that stands still; the estimate of the distance grows from about 0."""
    model = made(gdl.WGANGP, critic_steps=10, optimizers=(keras.optimizers.SGD(0.0), keras.optimizers.Adam(3e-3, beta_1=0.5)))
    white = np.random.default_rng(0).uniform(0.9, 1, (60, 16, 16, 3)).astype("float32")
    before = validate(model, white)["wasserstein"]
    for _ in range(3):
        step(model, white)
    after = validate(model, white)
    # images a grey level of about 0.45 apart in each of 768 pixels: about 12.5 in L2
    assert abs(before) < 2 < after["wasserstein"] and after["wasserstein"] < 20, (before, after)


# --- precision and compilation ---


@pytest.mark.slow
@each_kind
def test_the_loss_scale_of_float16_is_divided_out_again(kind, precision):
    """A step of a known scale changes the weights of both networks as a step of float32 does."""
    moves, scaled = {}, []
    for policy in ("float32", "mixed_float16"):
        precision(policy)
        optimizers = [keras.optimizers.SGD(1e-2) for _ in range(2)]
        if policy == "mixed_float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale) for optimizer, scale in zip(optimizers, (64, 16))]
        model = made(kind, batch_norm=False, optimizers=optimizers, **({"clip": 10.0} if kind is gdl.WGAN else {}))
        same_draws(model)
        before = values(model.trainable_variables)
        step(model, images())
        assert [int(steps_taken(optimizer)) for optimizer in optimizers] == [1, 1], "no step was left out"
        moves[policy] = [after - w for after, w in zip(values(model.trainable_variables), before)]
        scaled.append([float(optimizer.scale_loss(tf.constant(1.0))) for optimizer in optimizers])
    assert scaled == [[1, 1], [64, 16]]
    for variable, exact, half in zip(model.trainable_variables, moves["float32"], moves["mixed_float16"]):
        assert np.linalg.norm(half - exact) < 0.1 * np.linalg.norm(exact) + 1e-6, variable.path


@pytest.mark.slow
@pytest.mark.parametrize("policy,tolerance", [("mixed_float16", 0.03), ("mixed_bfloat16", 0.06)])
def test_half_precision_takes_steps_and_keeps_the_penalty_in_float32(policy, tolerance, precision, monkeypatch):
    full = made(gdl.WGANGP)
    full.critic.set_weights([2 * w for w in full.critic.get_weights()])  # a penalty away from 0 and from 1
    same_draws(full)
    expected = validate(full, images(8))
    precision(policy)
    model = made(gdl.WGANGP, ema=0.9)
    precision("float32")
    optimizers = [optimizer for optimizer, _ in model.optimizer_groups]
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16") for o in optimizers)
    assert optimizers[0] is not optimizers[1] and model.critic.layers[1].compute_dtype == policy.removeprefix("mixed_")
    model.set_weights([*full.generator.get_weights(), *full.critic.get_weights(), *full.generator.get_weights()])
    same_draws(model)
    told = validate(model, images(8))
    assert told["gradient_penalty"] == pytest.approx(expected["gradient_penalty"], rel=tolerance)
    original, dtypes = wgan_gp.gradient_penalty, []

    def recording(*arguments):
        penalty = original(*arguments)
        dtypes.append(penalty.dtype)
        return penalty

    monkeypatch.setattr(wgan_gp, "gradient_penalty", recording)
    before = values(model.trainable_variables)
    for _ in range(20):
        assert all(np.isfinite(number) for number in step(model, images(8)).values())
        if all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers):
            break
    assert all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers) and set(dtypes) == {tf.float32}
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert all(np.isfinite(w).all() for w in values(model.variables)) and not all(same(before, values(model.trainable_variables)))
    assert model.generate(2).dtype == model.score(images()).dtype == np.float32


# --- saving ---


def draw_alike(*models):
    """Sets all that draws, dropout too, as gdl.train does at each epoch."""
    for model in models:
        for variable in model.variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign([3, 3])


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@each_kind
def test_weights_files_hold_both_networks_the_average_and_the_state_of_both_optimizers(kind, policy, tmp_path, precision):
    """Keras drops the state of an optimiser that was not built before, with no more than a warning."""
    precision(policy)

    def compiled(seed):
        optimizers = keras.optimizers.Adam(1e-2), keras.optimizers.RMSprop(1e-3, momentum=0.9)
        return made(kind, seed, ema=0.9, dropout=0.2, critic_steps=2, filters=(4,), optimizers=optimizers)

    x, model, other = images(8), compiled(0), compiled(1)
    for _ in range(2 if policy == "float32" else 10):  # float16 leaves out steps until its loss scale is small enough
        step(model, x)
    model.save_weights(tmp_path / "gan.weights.h5")
    other.load_weights(tmp_path / "gan.weights.h5")
    steps = [[int(steps_taken(optimizer)) for optimizer, _ in one.optimizer_groups] for one in (model, other)]
    assert steps[0] == steps[1] and 0 < steps[0][0] < steps[0][1]
    for (first, _), (second, _) in zip(model.optimizer_groups, other.optimizer_groups):
        names = [variable.path for variable in first.variables]
        assert any("momentum" in name for name in names)
        different = [name for name, equal in zip(names, same(values(first.variables), values(second.variables))) if not equal]
        assert not different
    assert all(same(values(model.weights), values(other.weights)))
    assert np.array_equal(model.generate(2), other.generate(2))
    draw_alike(model, other)
    assert step(model, x) == step(other, x)
    assert all(same(values(model.variables), values(other.variables))), "the next step is that of an uninterrupted training"


def test_all_that_draws_is_set_anew_at_each_epoch():
    """gdl.train finds it among the variables of the model: the model's own noise and each network's dropout."""
    model = made(gdl.WGANGP, dropout=0.2, ema=0.9)
    states = {id(variable) for variable in model.variables if variable.path.endswith("seed_generator_state")}
    dropouts = [
        layer
        for network in (model.generator, model.critic, model.averaged_generator)
        for layer in network.layers
        if isinstance(layer, keras.layers.Dropout)
    ]
    assert len(dropouts) >= 3
    assert {id(model.seed_generator.state)} | {id(layer.seed_generator.state) for layer in dropouts} == states


@pytest.mark.slow
@pytest.mark.parametrize("kind,optimizer", [(gdl.GAN, "Adam"), (gdl.WGAN, "RMSprop"), (gdl.WGANGP, "Adam")])
def test_load_gives_the_trained_model(kind, optimizer, tmp_path):
    """With the optimisers of its paper: Radford, Metz and Chintala 2016; Arjovsky et al. 2017; Gulrajani et al. 2017."""
    keras.utils.set_random_seed(0)
    model = kind(32, 4, (4,), critic_steps=2, ema=0.9)
    gdl.train(model, gdl.DrawnFaces(n=60, size=32), 1, run=tmp_path / "run", batch_size=8, steps_per_epoch=2, quiet=True)
    loaded = gdl.load(tmp_path / "run")
    assert type(loaded) is kind and loaded.get_config() == model.get_config()
    assert [type(one).__name__ for one, _ in loaded.optimizer_groups] == [optimizer] * 2
    assert [int(one.iterations) for one, _ in loaded.optimizer_groups] == [2, 4]
    assert all(same(values(model.weights), values(loaded.weights))) and np.array_equal(model.generate(3), loaded.generate(3))
    for (first, _), (second, _) in zip(model.optimizer_groups, loaded.optimizer_groups, strict=True):
        assert all(same(values(first.variables), values(second.variables)))


def test_one_optimizer_is_copied_for_the_critic():
    model = gdl.WGAN(**SMALL)
    model.compile(keras.optimizers.Adam(3e-4, beta_1=0.5))
    first, second = (optimizer for optimizer, _ in model.optimizer_groups)
    assert first is not second and type(second) is keras.optimizers.Adam
    assert {**first.get_config(), "name": None} == {**second.get_config(), "name": None}
    rates = [float(o.learning_rate) for kind, rate in itertools.product(KINDS, (None, 0.0)) for o in kind(**SMALL).default_optimizers(rate)]
    assert rates == pytest.approx([2e-4, 2e-4, 0, 0, 5e-5, 5e-5, 0, 0, 2e-4, 2e-4, 0, 0]), "0 is a rate too"


def test_fewer_training_images_than_critic_steps_are_refused():
    model = gdl.WGANGP(16, 4, (4,), critic_steps=17)
    with pytest.raises(gdl.CourseError, match="16 training images, fewer than the 17 critic steps"):
        gdl.train(model, gdl.DrawnFaces(20, 16), 1, quiet=True)
