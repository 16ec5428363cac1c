"""The VAE-GAN: its step done again by hand, who learns from what, its frozen classifier; and codes that are small images."""

import json

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from conftest import draw_alike, same, states, step, validate, values
from scipy import ndimage, special

import gdl
from gdl.models.adversarial import critic_network
from gdl.models.architecture import Architecture
from gdl.models.base import steps_taken
from gdl.models.networks import code_from_features, feature_map, image_features, image_from_code, scale_shift
from gdl.models.parts import described, frozen_part
from gdl.models.perceptual import feature_stages, perceptual_distance

SMALL = dict(image_size=16, z_dim=4, filters=(4, 8))


def classifier(seed=5, **options):
    """A classifier as after a training: no weight and no statistic is what it is at the start."""
    keras.utils.set_random_seed(seed)
    model = gdl.AttributeClassifier(**{**dict(image_size=16, attributes=["Smiling", "Male"], filters=(4, 8)), **options})
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        variable.assign(rng.uniform(0.5, 1.5, variable.shape) if "variance" in variable.path else rng.normal(0, 0.3, variable.shape))
    return model


def made(seed=0, eager=True, optimizers=None, kind=gdl.VAEGAN, **options):
    """A small compiled model; eager, as tracing takes longer than a few steps."""
    keras.utils.set_random_seed(seed)
    model = kind(**{**SMALL, **options})
    model.compile(*(optimizers or model.default_optimizers(1e-2)), run_eagerly=eager)
    return model


def images(n=6, size=16, pixel_range=(0, 1)):
    """Smooth random images, which a network can learn."""
    rough = np.random.default_rng(0).uniform(*pixel_range, (n, 4, 4, 3)).astype("float32")
    return rough.repeat(size // 4, axis=1).repeat(size // 4, axis=2)


def set_noise(model, state=(7, 7)):
    """Fixes the noise of the next step, and returns it."""
    model.sampling.seed_generator.state.assign(state)
    copy = keras.random.SeedGenerator(0)
    copy.state.assign(state)
    return lambda shape: np.asarray(keras.random.normal(shape, seed=copy))


# --- the perceptual distance ---


def maps_by_hand(judge, x):
    """The feature maps of a classifier without normalisation: convolutions of stride 2, each with a leaky ReLU, in float64."""
    maps = []
    for layer in judge.network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = (w.astype("float64") for w in layer.get_weights())
            x = tf.nn.conv2d(np.asarray(x, "float64"), kernel, 2, "SAME").numpy() + bias
            x = np.where(x > 0, x, 0.2 * x)
            maps.append(x)
    return maps


def distance_by_hand(judge, x, y):
    """For each image the sum over the maps of the mean over the pixels of 2 - 2 cos of the angle between the feature vectors."""
    total = np.zeros(len(x))
    for a, b in zip(maps_by_hand(judge, x), maps_by_hand(judge, y)):
        cosine = (a * b).sum(axis=3) / np.linalg.norm(a, axis=3) / np.linalg.norm(b, axis=3)
        total += (2 - 2 * cosine).mean(axis=(1, 2))
    return total


def halved(x):
    """Images of half the size: each pixel is the mean of four."""
    n, height, width, channels = x.shape
    return x.reshape(n, height // 2, 2, width // 2, 2, channels).mean(axis=(2, 4))


def two_sets_of_images(n=5, size=16):
    return np.random.default_rng(8).random((2, n, size, size, 3)).astype("float32")


def test_the_perceptual_distance_is_that_of_numpy():
    judge, (x, y) = classifier(batch_norm=False), two_sets_of_images()
    stages = feature_stages(judge)
    assert [a.shape for a in stages(x)] == [(5, 8, 8, 4), (5, 4, 4, 8)]
    for own, by_hand in zip(stages(x), maps_by_hand(judge, x), strict=True):
        assert np.allclose(own, by_hand, atol=1e-5)
    distance = perceptual_distance(stages, x, y).numpy()
    assert distance.shape == (5,) and distance.dtype == np.float32 and 0.01 < distance.min()
    assert distance == pytest.approx(distance_by_hand(judge, x, y), rel=1e-3)


@pytest.mark.parametrize("options", [dict(), dict(residual="resnet18"), dict(layer_norm=True, batch_norm=False, dropout=0.5)])
def test_the_perceptual_distance_is_0_of_equal_images_and_symmetric_and_not_larger_than_4_for_each_map(options):
    stages, (x, y) = feature_stages(classifier(**options)), two_sets_of_images()
    maps = stages(x)
    assert all(a.shape[3] in (4, 8) for a in maps) and len(maps) == (5 if "residual" in options else 2)
    assert np.array_equal(perceptual_distance(stages, x, x), np.zeros(5))
    distance = perceptual_distance(stages, x, y).numpy()
    assert np.array_equal(distance, perceptual_distance(stages, y, x)) and (distance > 0.01).all() and (distance < 4 * len(maps)).all()
    assert np.array_equal(distance, perceptual_distance(stages, x, y)), "the classifier is not in training: nothing is dropped"
    assert np.allclose(distance[2:3], perceptual_distance(stages, x[2:3], y[2:3]), atol=1e-5), "of each image alone"


def test_images_of_another_size_are_resized_for_the_classifier():
    """Bilinearly between the centres of the pixels."""
    judge, (x, y) = classifier(batch_norm=False), two_sets_of_images(size=32)
    assert perceptual_distance(feature_stages(judge), x, y).numpy() == pytest.approx(distance_by_hand(judge, halved(x), halved(y)), rel=1e-3)
    larger, (x, y) = classifier(batch_norm=False, image_size=32), two_sets_of_images()
    twice = [ndimage.zoom(a, (1, 2, 2, 1), order=1, mode="nearest", grid_mode=True) for a in (x, y)]
    assert perceptual_distance(feature_stages(larger), x, y).numpy() == pytest.approx(distance_by_hand(larger, *twice), rel=1e-3)


@pytest.mark.parametrize("size", [16, 32])
def test_the_gradient_of_the_perceptual_distance_reaches_every_image(size):
    """Against differences of the distance along a random direction, in float64."""
    judge, (x, y) = classifier(batch_norm=False), two_sets_of_images(3, size)
    direction, resized = np.random.default_rng(1).normal(size=y.shape), halved if size == 32 else np.asarray
    x_hat = tf.constant(y)
    with tf.GradientTape() as tape:
        tape.watch(x_hat)
        distance = perceptual_distance(feature_stages(judge), x, x_hat)
    slopes = np.sum(tape.gradient(distance, x_hat).numpy() * direction, axis=(1, 2, 3))
    after, before = (distance_by_hand(judge, resized(x), resized(y + h * direction)) for h in (1e-6, -1e-6))
    assert slopes == pytest.approx((after - before) / 2e-6, rel=2e-3, abs=1e-4) and np.abs(slopes).min() > 1e-3


def test_a_classifier_with_one_feature_map_will_do():
    judge, (x, y) = classifier(batch_norm=False, filters=(4,)), two_sets_of_images()
    assert perceptual_distance(feature_stages(judge), x, y).numpy() == pytest.approx(distance_by_hand(judge, x, y), rel=1e-3)


def test_a_pixel_without_features_has_a_finite_gradient():
    judge = classifier(batch_norm=False)
    judge.set_weights([w * (w.ndim > 1) for w in judge.get_weights()])  # no bias: black gives zeros
    x, black = tf.constant(two_sets_of_images()[0]), tf.zeros((5, 16, 16, 3))
    with tf.GradientTape() as tape:
        tape.watch(black)
        distance = perceptual_distance(feature_stages(judge), x, black)
    assert distance.numpy() == pytest.approx(2 * np.ones(5), rel=1e-3), "a vector of length 0 beside one of length 1, at each depth"
    assert np.isfinite(tape.gradient(distance, black)).all()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_the_perceptual_distance_is_computed_in_float32(policy, precision):
    x, y = two_sets_of_images()
    exact = perceptual_distance(feature_stages(classifier()), x, y).numpy()
    precision(policy)
    stages = feature_stages(classifier())
    assert stages(x)[0].dtype == policy.removeprefix("mixed_")
    distance = perceptual_distance(stages, x, y)
    assert distance.dtype == tf.float32 and distance.numpy() == pytest.approx(exact, rel=0.01 if policy == "mixed_float16" else 0.05)


# --- losses and metrics ---


def losses_by_hand(model, x, x_hat, judge=None, perceptual=0.0):
    """Reconstruction loss, the generator's and the critic's, means over the images in float64."""
    low, high = model.architecture.pixel_range
    unit, unit_hat = ((a.astype("float64") - low) / (high - low) for a in (x, x_hat))
    if model.reconstruction == "bce":
        error = -(special.xlogy(unit, unit_hat) + special.xlogy(1 - unit, 1 - unit_hat)).sum(axis=(1, 2, 3))
    else:
        error = ((unit - unit_hat) ** 2).sum(axis=(1, 2, 3))
    if judge:
        error = error + perceptual * distance_by_hand(judge, unit, unit_hat)
    real, fake = model.score(x).astype("float64"), model.score(np.clip(x_hat, low, high)).astype("float64")
    return error.mean(), -special.log_expit(fake).mean(), -special.log_expit(real).mean() - special.log_expit(-fake).mean()


@pytest.mark.parametrize(
    "options", [dict(), dict(reconstruction="bce", pixel_range=(-1, 1)), dict(pixel_range=(-1, 1), perceptual=7.0), dict(ema=0.5, perceptual=30.0)]
)
def test_validation_is_that_of_numpy(options):
    judge = classifier(batch_norm=False) if "perceptual" in options else None
    model = made(beta=3.0, adversarial=5.0, critic_norm="layer", classifier=judge, **options)
    low, high = model.architecture.pixel_range
    x = images(pixel_range=(low, high))
    step(model, x)
    before = values(model.weights)
    noise = set_noise(model)
    told = validate(model, x)
    mean, log_var = (a.astype("float64") for a in model.posterior(x))
    x_hat = model.decode(mean + np.exp(log_var / 2) * noise(mean.shape))
    error, realism, critic = losses_by_hand(model, x, x_hat, judge, options.get("perceptual", 0))
    kl = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum() / len(x)
    loss = error + 3 * kl
    expected = dict(loss=loss, reconstruction_loss=error, kl_loss=kl, kl_share=3 * kl / loss, realism_loss=realism, critic_loss=critic)
    assert told == pytest.approx(expected, rel=1e-3)
    assert all(same(before, values(model.weights))), "validation changes nothing"


def test_the_defaults_are_those_of_the_docstring():
    model = gdl.VAEGAN()
    config = model.get_config()
    assert (config["image_size"], config["z_dim"], config["filters"]) == (64, 256, (64, 128, 256))
    assert (config["beta"], config["reconstruction"], config["adversarial"], config["perceptual"]) == (1, "mse", 1, 0)
    assert config["classifier"] is model.classifier is model.stages is None and config["critic_norm"] is None
    optimizers = model.default_optimizers()
    assert [type(o).__name__ for o in optimizers] == ["Adam"] * 3 and len(set(map(id, optimizers))) == 3
    assert [float(o.learning_rate) for o in [*optimizers, *model.default_optimizers(0.0)]] == pytest.approx([1e-3] * 3 + [0] * 3)


# --- who learns from what ---


def test_a_step_is_the_step_done_by_hand():
    """Three networks, three losses, three descents, each from where all three stood before the step."""
    rates, beta, adversarial, perceptual = (1e-3, 3e-3, 1e-2), 2.5, 40.0, 6.0
    judge = classifier(batch_norm=False)
    model = made(
        batch_norm=False, beta=beta, adversarial=adversarial, perceptual=perceptual, classifier=judge,
        optimizers=[keras.optimizers.SGD(rate) for rate in rates],
    )  # fmt: skip
    x, networks = tf.constant(images()), (model.encoder, model.decoder, model.critic)
    epsilon = set_noise(model)((6, 4))
    judged = keras.Model(judge.network.input, [layer.output for layer in judge.network.layers if "leaky" in layer.name])
    bce = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape(persistent=True) as tape:
        mean, log_var = model.encoder(x)
        x_hat = model.decoder(mean + tf.exp(log_var / 2) * epsilon)
        error = tf.reduce_sum((x - x_hat) ** 2) / 6
        for a, b in zip(judged(x), judged(x_hat)):
            error += perceptual * tf.reduce_mean(2 - 2 * tf.reduce_sum(tf.math.l2_normalize(a, 3) * tf.math.l2_normalize(b, 3), axis=3))
        kl = -0.5 * tf.reduce_sum(1 + log_var - mean**2 - tf.exp(log_var)) / 6
        realism = bce(tf.ones(6), model.critic(x_hat))
        critic = bce(tf.ones(6), model.critic(x)) + bce(tf.zeros(6), model.critic(x_hat))
        losses = error + beta * kl, error + adversarial * realism, critic
    expected = []
    for rate, loss, network in zip(rates, losses, networks):
        gradients = tape.gradient(loss, [w.value for w in network.trainable_variables])
        expected.append([w.numpy() - rate * g.numpy() for w, g in zip(network.trainable_variables, gradients)])
    before = [values(network.trainable_variables) for network in networks]
    numbers = step(model, images())
    told = dict(loss=error + beta * kl, reconstruction_loss=error, kl_loss=kl, realism_loss=realism, critic_loss=critic)
    assert {name: numbers[name] for name in told} == pytest.approx({name: float(value) for name, value in told.items()}, rel=1e-4)
    for network, olds, wanteds in zip(networks, before, expected):
        for variable, old, wanted in zip(network.trainable_variables, olds, wanteds):
            moved, distance = np.abs(wanted - old).max(), np.abs(variable.numpy() - wanted).max()
            assert moved > 0 and distance < 2e-3 * moved + 1e-6, variable.path


def two_steps(judge, **changed):
    """Encoder, decoder and critic before the first step, after it, and after the second."""
    options = {**dict(beta=1.0, adversarial=1.0, perceptual=1.0, classifier=judge), **changed}
    model = made(batch_norm=False, optimizers=[keras.optimizers.SGD(1e-3) for _ in range(3)], **options)
    networks = model.encoder, model.decoder, model.critic
    ends = [[values(network.weights) for network in networks]]
    set_noise(model)
    for _ in range(2):
        step(model, images())
        ends.append([values(network.weights) for network in networks])
    return ends


@pytest.fixture(scope="module")
def judge_and_two_steps():
    judge = classifier()
    return judge, two_steps(judge)


@pytest.mark.parametrize(
    "options,encoder_learns,decoder_learns",
    [
        (dict(adversarial=50.0), False, True),
        (dict(beta=50.0), True, False),
        (dict(perceptual=500.0), True, True),
        (dict(reconstruction="bce"), True, True),
    ],
    ids=["adversarial", "beta", "perceptual", "reconstruction"],
)
def test_an_option_changes_the_step_of_those_networks_whose_loss_it_is_in(options, encoder_learns, decoder_learns, judge_and_two_steps):
    """The critic's first step is the same whatever the others learn from; its second one is on other images."""
    judge, usual = judge_and_two_steps
    start, first, second = ([[np.abs(a - b).max() for a, b in zip(*pair)] for pair in zip(*ends)] for ends in zip(usual, two_steps(judge, **options)))
    assert max(map(max, start)) == 0
    for differences, learns in zip(first, (encoder_learns, decoder_learns, False), strict=True):
        assert max(differences) > 5e-6 if learns else max(differences) < 2e-7, first
    assert max(second[2]) > 1e-7


def test_without_adversarial_loss_and_kl_encoder_and_decoder_learn_as_those_of_a_vae():
    """An autoencoder's step, as of a VAE with the same weights, noise and beta 0; the critic learns beside it."""
    ends = []
    for kind, options, n in ((gdl.VAE, {}, 2), (gdl.VAEGAN, dict(adversarial=0.0), 3)):
        model = made(kind=kind, reconstruction="mse", beta=0.0, optimizers=[keras.optimizers.SGD(1e-3) for _ in range(n)], **options)
        for network in (model.encoder, model.decoder):
            rng = np.random.default_rng(0)
            network.set_weights([rng.uniform(0.1, 0.3, w.shape) for w in network.get_weights()])
        set_noise(model)
        for _ in range(2):
            numbers = step(model, images())
        ends.append((values(model.encoder.weights + model.decoder.weights), numbers["loss"]))
    assert all(np.allclose(a, b, atol=1e-6) for a, b in zip(ends[0][0], ends[1][0])) and ends[0][1] == pytest.approx(ends[1][1], rel=1e-5)


@pytest.mark.parametrize("learning", [0, 1, 2], ids=["encoder", "decoder", "critic"])
def test_each_optimizer_moves_its_own_network_and_no_other(learning):
    model = made(optimizers=[keras.optimizers.Adam(1e-2 if i == learning else 0.0) for i in range(3)], reconstruction="gaussian")
    parts = [model.encoder.trainable_variables, [*model.decoder.trainable_variables, model.log_var], model.critic.trainable_variables]
    assert [list(map(id, weights)) for _, weights in model.optimizer_groups] == [list(map(id, part)) for part in parts]
    assert sorted(id(v) for part in parts for v in part) == sorted(id(v) for v in model.trainable_variables)
    before = [values(part) for part in parts]
    step(model, images())
    still = [same(old, values(part)) for old, part in zip(before, parts)]
    assert [not all(equal) for equal in still] == [i == learning for i in range(3)]
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == [1, 1, 1]


def test_optimizers_that_are_missing_are_like_the_first():
    model = gdl.VAEGAN(**SMALL)
    model.compile(keras.optimizers.Adam(3e-4, beta_1=0.5))
    configs = [{**optimizer.get_config(), "name": None} for optimizer, _ in model.optimizer_groups]
    assert configs[0] == configs[1] == configs[2] and len({id(optimizer) for optimizer, _ in model.optimizer_groups}) == 3
    model.compile("adam", "sgd", "rmsprop")
    assert [type(optimizer).__name__ for optimizer, _ in model.optimizer_groups] == ["Adam", "SGD", "RMSprop"]
    twice = keras.optimizers.Adam()
    refused = {(twice, None, twice): "the same optimiser", (None,): "The optimiser is None", ("adma",): "The optimiser is 'adma'"}
    for optimizers, words in refused.items():
        with pytest.raises(gdl.CourseError) as error:
            gdl.VAEGAN(**SMALL).compile(*optimizers)
        assert words in str(error.value) and "\n" not in str(error.value)


def test_the_moving_averages_make_codes_and_images_and_the_critic_has_none():
    model = made(ema=0.9)
    trained, averages = model.networks(training=True), model.networks(training=False)
    expected = [w.astype("float64") for network in trained for w in values(network.weights)]
    for i in range(1, 4):
        step(model, images())
        decay = min(0.9, (1 + i) / (10 + i))
        expected = [decay * old + (1 - decay) * new for old, new in zip(expected, [w for network in trained for w in values(network.weights)])]
    for average, wanted in zip([w for network in averages for w in values(network.weights)], expected, strict=True):
        assert np.allclose(average, wanted, rtol=1e-5, atol=1e-6)
    codes, faces = model.encode(images()), model.generate(3)
    assert np.allclose(codes, averages[0](images())[0], atol=1e-6) and not np.allclose(codes, trained[0](images())[0], atol=1e-4)
    for network in trained:
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])
    assert np.array_equal(codes, model.encode(images())) and np.array_equal(faces, model.generate(3))
    counts = [network.count_params() for network in (model.encoder, model.decoder, model.critic)]
    assert model.count_params() == 2 * counts[0] + 2 * counts[1] + counts[2]


@pytest.mark.slow
def test_a_trained_critic_tells_images_from_reconstructions():
    """Of networks that are held still; and against them the decoder gets its reconstructions past it again."""
    rates = [0.0, 0.0, 3e-3]
    model = made(optimizers=[keras.optimizers.Adam(rate, beta_1=0.5) for rate in rates], eager=False, adversarial=1000.0)
    x = images(16) * np.random.default_rng(1).uniform(0.7, 1, (16, 16, 16, 3)).astype("float32")
    before = step(model, x)
    for _ in range(60):
        numbers = step(model, x)
    assert numbers["critic_loss"] < 0.2 < 1 < before["critic_loss"] and numbers["realism_loss"] > 2
    assert (model.score(x) > 0).all() and (model.score(model.reconstruct(x)) < 0).all()
    model.optimizer_groups[1][0].learning_rate = 1e-2
    model.optimizer_groups[2][0].learning_rate = 0.0
    for _ in range(60):
        fooled = step(model, x)
    assert fooled["realism_loss"] < 0.5 * numbers["realism_loss"]


@pytest.mark.parametrize("norm,layer", [("batch", "BatchNormalization"), ("layer", "GroupNormalization"), ("spectral", "SpectralNormalization")])
def test_the_critic_has_a_normalisation_of_its_own(norm, layer):
    model = made(critic_norm=norm, batch_norm=False)
    names = {part: {type(one).__name__ for one in getattr(model, part).layers} for part in ("encoder", "decoder", "critic")}
    assert layer in names["critic"] and layer not in names["encoder"] | names["decoder"]
    before = values(model.trainable_variables)
    assert all(np.isfinite(number) for number in step(model, images()).values())
    still = [v.path for v, equal in zip(model.trainable_variables, same(before, values(model.trainable_variables))) if equal]
    assert all("bias" in path for path in still), still  # right before a normalisation
    scores = model.score(images())
    assert scores.shape == (6,) and scores.dtype == np.float32 and model.score(images()[:0]).shape == (0,)
    assert np.allclose(scores, model.critic(images(), training=False), atol=1e-6)
    assert np.allclose(model.score((images() * 255).round().astype(np.uint8)), scores, atol=0.05)


# --- the classifier stays as it is ---


def test_the_classifier_is_not_trained():
    """None of its weights, and none of the statistics of its batch normalisation."""
    judge = classifier(dropout=0.3)
    before = values(judge.weights)
    model = made(classifier=judge, perceptual=10.0, ema=0.9)
    frozen = {id(variable) for variable in model.classifier.variables}
    assert all(same(before, values(model.classifier.weights))) and not frozen & {id(variable) for variable in model.trainable_variables}
    assert not frozen & {id(v) for optimizer, weights in model.optimizer_groups for v in [*weights, *optimizer.variables]}
    for _ in range(3):
        step(model, images())
    validate(model, images())
    assert all(same(before, values(model.classifier.weights)))
    assert frozen <= {id(variable) for variable in model.variables}, "it is saved with the whole"


def test_a_part_is_a_frozen_copy_and_the_model_can_still_be_trained():
    judge = classifier(residual=True)
    judge.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    before = values(judge.weights)
    part = frozen_part(judge, "classifier", gdl.AttributeClassifier)
    assert type(part) is gdl.AttributeClassifier and part.get_config() == judge.get_config() and not part.compiled
    assert part.trainable_weights == [] and all(same(before, values(part.weights))) and len(judge.trainable_weights) > 8
    judge.train_on_batch(images(), np.ones((6, 2), "float32"))
    assert not all(same(before, values(judge.weights))) and all(same(before, values(part.weights)))


def test_a_part_is_made_again_of_its_description():
    for whole, kind in ((classifier(residual=True), gdl.AttributeClassifier), (gdl.VAE(**SMALL, beta=0.25), gdl.VAE)):
        part = frozen_part(json.loads(json.dumps(described(whole))), "part", kind)
        assert type(part) is kind and part.get_config() == whole.get_config() and part.trainable_weights == []
        assert [w.shape for w in part.weights] == [w.shape for w in whole.weights] and len(part.weights) > 8
        assert described(part) == described(whole)


def test_a_part_can_be_of_a_class_of_ones_own():
    class MyJudge(gdl.AttributeClassifier):
        pass

    judge = MyJudge(16, ["Smiling"], (4,))
    assert described(judge)["model"] == "MyJudge"
    model = gdl.VAEGAN(**SMALL, classifier=judge, perceptual=1.0)
    other = gdl.VAEGAN.from_config(json.loads(json.dumps(model.get_config())))
    assert type(other.classifier) is MyJudge and other.classifier.attributes == ("Smiling",)


@pytest.mark.parametrize(
    "options,words",
    [
        (dict(classifier="classifier-celeba64", perceptual=1.0), "classifier is 'classifier-celeba64': give a trained AttributeClassifier, such as"),
        (dict(classifier=3), "classifier is 3: give a trained AttributeClassifier, such as one of gdl.pretrained."),
        (dict(classifier=gdl.AttributeClassifier, perceptual=1.0), "give a trained AttributeClassifier, such as one of gdl.pretrained."),
        (dict(classifier=lambda: gdl.VAE(**SMALL), perceptual=1.0), "classifier is <VAE"),
        (dict(classifier=lambda: described(gdl.VAE(**SMALL)), perceptual=1.0), "classifier is <VAE"),
        (dict(perceptual=1.0), "has a weight and a classifier: give both perceptual=10 and classifier=..., or none of them."),
        (dict(classifier=classifier), "has a weight and a classifier: give both perceptual=10 and classifier=..., or none of them."),
        (
            dict(classifier=lambda: classifier(pixel_range=(-1, 1)), perceptual=1.0),
            "The classifier takes pixels in [-1, 1], and perceptual distances are of pixels in [0, 1]: give another classifier.",
        ),
        (dict(warm_up=4), "warm_up is 4.0, and a VAEGAN weighs the KL alike in all steps: leave it out, and give a smaller beta."),
        (dict(classifier=classifier, perceptual=-1.0), "perceptual is -1.0: give a number, at least 0."),
        (dict(adversarial=-0.5), "adversarial is -0.5: give a number, at least 0."),
        (dict(adversarial="1"), "adversarial is '1': give a number, at least 0."),
        (dict(critic_norm="instance"), "critic_norm='instance' is not known: choose 'batch', 'layer', 'spectral' or None."),
        (dict(adverserial=2.0), "(did you mean 'adversarial'?)."),
        (dict(beta=-1), "beta is -1: give a number, at least 0."),
        (dict(image_size=18), "multiple of 4"),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(options, words):
    options = {name: value() if callable(value) and not isinstance(value, type) else value for name, value in options.items()}
    with pytest.raises(gdl.CourseError) as error:
        gdl.VAEGAN(**{**SMALL, **options})
    assert words in str(error.value) and "\n" not in str(error.value)


def test_patience_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(gdl.CourseError, match="VAEGAN: leave it out") as error:
        gdl.train(gdl.VAEGAN(**SMALL), gdl.DrawnFaces(n=60, size=16), 1, run=tmp_path / "run", patience=2)
    assert "\n" not in str(error.value) and not (tmp_path / "run").exists()


# --- precision ---


@pytest.mark.slow
def test_the_loss_scale_of_float16_is_divided_out_again(precision):
    """A step of three known scales changes the weights of each network as a step of float32 does."""
    moves, rates = {}, (1e-4, 1e-4, 1e-2)
    for policy in ("float32", "mixed_float16"):
        precision(policy)
        optimizers = [keras.optimizers.SGD(rate) for rate in rates]
        if policy == "mixed_float16":
            optimizers = [keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale) for optimizer, scale in zip(optimizers, (4, 16, 64))]
        model = made(batch_norm=False, optimizers=optimizers)
        set_noise(model)
        before = values(model.trainable_variables)
        step(model, images())
        assert [int(steps_taken(optimizer)) for optimizer in optimizers] == [1, 1, 1], "no step was left out"
        moves[policy] = [after - w for after, w in zip(values(model.trainable_variables), before)]
    for variable, exact, half in zip(model.trainable_variables, moves["float32"], moves["mixed_float16"]):
        assert np.linalg.norm(half - exact) < 0.1 * np.linalg.norm(exact) + 1e-6, variable.path


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_all_networks_learn_in_half_precision(policy, precision):
    precision(policy)
    model = made(z_dim=16, spatial_code=True, perceptual=5.0, classifier=classifier())
    precision("float32")
    optimizers = [optimizer for optimizer, _ in model.optimizer_groups]
    assert all(isinstance(o, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16") for o in optimizers) and len(optimizers) == 3
    assert model.critic.layers[1].compute_dtype == policy.removeprefix("mixed_")
    before, judged = values(model.trainable_variables), values(model.classifier.weights)
    for _ in range(20):  # float16 leaves out steps until its loss scale is small enough
        assert all(np.isfinite(number) for number in step(model, images()).values())
        if all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers):
            break
    assert all(int(steps_taken(optimizer)) > 1 for optimizer in optimizers) and all(same(judged, values(model.classifier.weights)))
    assert all(np.isfinite(w).all() for w in values(model.variables)) and {v.dtype for v in model.trainable_variables} == {"float32"}
    assert not any(same(before, values(model.trainable_variables)))
    assert model.encode(images()).dtype == model.generate(2).dtype == model.score(images()).dtype == np.float32


# --- codes that are small images ---


SPATIAL = dict(image_size=32, z_dim=8 * 8 * 3, filters=(4, 8), spatial_code=True)


def test_a_spatial_code_is_a_flattened_image_of_the_smallest_feature_map():
    architecture = Architecture(**SPATIAL)
    assert (architecture.feature_size, architecture.code_channels) == (8, 3)
    assert Architecture(32, 64, (4, 8), spatial_code=1).spatial_code is True and Architecture().spatial_code is False
    model, x = gdl.VAE(**SPATIAL), images(3, 32)
    mean, log_var = model.posterior(x)
    assert mean.shape == log_var.shape == model.encode(x).shape == (3, 192) and mean.dtype == np.float32
    assert model.reconstruct(x).shape == model.generate(3).shape == (3, 32, 32, 3)
    for name in ("z_mean", "z_log_var"):
        layer = model.encoder.get_layer(name)
        assert isinstance(layer, keras.layers.Conv2D) and layer.kernel.shape == (1, 1, 8, 3)
    assert model.count_params() < 0.1 * gdl.VAE(**{**SPATIAL, "spatial_code": False}).count_params()


@pytest.mark.parametrize("kind", [gdl.Autoencoder, gdl.VAE, gdl.VAEGAN])
def test_a_spatial_code_holds_a_linear_function_of_the_features_of_each_pixel(kind):
    """And lies row by row, the channels of a pixel beside each other."""
    model, x = kind(**SPATIAL), images(3, 32)
    head = model.encoder.get_layer("z" if kind is gdl.Autoencoder else "z_mean")
    head.set_weights([np.random.default_rng(0).normal(size=(1, 1, 8, 3)), np.array([1.0, 2.0, 3.0])])
    features = np.asarray(keras.Model(model.encoder.inputs[0], head.input)(x))
    assert features.shape == (3, 8, 8, 8)
    expected = np.einsum("nijc,cd->nijd", features, head.kernel.numpy()[0, 0]) + [1, 2, 3]
    assert model.encode(x) == pytest.approx(expected.reshape(3, 192), abs=1e-4)


def test_an_image_moved_by_a_cell_has_a_code_moved_by_a_cell():
    """Away from the border, and without batch normalisation, which would do as well."""
    model = gdl.VAE(**{**SPATIAL, "batch_norm": False})
    x = np.random.default_rng(0).random((2, 32, 32, 3)).astype("float32")
    for rows, columns in ((1, 0), (0, 1), (2, -1)):
        code, moved = (model.encode(a).reshape(2, 8, 8, 3) for a in (x, np.roll(x, (4 * rows, 4 * columns), (1, 2))))
        expected = np.roll(code, (rows, columns), (1, 2))
        assert np.allclose(moved[:, 3:-3, 3:-3], expected[:, 3:-3, 3:-3], atol=1e-5)
        assert np.abs(expected - code)[:, 3:-3, 3:-3].max() > 1e-2


@pytest.mark.parametrize("upsampling", ["transpose", "resize", "pixel_shuffle"])
def test_a_cell_of_a_spatial_code_changes_the_image_around_its_place_alone(upsampling):
    model, z = gdl.VAE(**SPATIAL, upsampling=upsampling), np.random.default_rng(0).normal(size=(1, 8, 8, 3))
    other = z.copy()
    other[0, 1, 6] += 3
    before, after = (model.decode(code.reshape(1, -1))[0] for code in (z, other))
    changed = np.argwhere(np.abs(after - before).max(axis=2) > 1e-6)
    middle, reach = np.array([1, 6]) * 4 + 1.5, 4 + 3 * 4 + 4  # a cell, one beside it by each of three convolutions, and those of the others
    assert len(changed) > 16 and np.abs(changed - middle).max() < reach
    assert np.abs(changed[:, 0] - middle[0]).min() < 2 and np.abs(changed[:, 1] - middle[1]).min() < 2


def test_heads_have_their_names_and_float32_in_every_precision(precision):
    precision("mixed_bfloat16")
    for spatial in (True, False):
        architecture, x = Architecture(**{**SPATIAL, "spatial_code": spatial}), keras.Input((32, 32, 3))
        features = feature_map(x, architecture)
        assert features.shape == (None, 8, 8, 8) and image_features(x, architecture).shape == (None, 512)
        code = code_from_features(features, architecture, "head")
        network = keras.Model(x, code)
        assert network(images(2, 32)).dtype == tf.float32 and network.output_shape == (None, 192)
        head = network.get_layer("head")
        assert head.compute_dtype == "float32" and head.kernel.shape == ((1, 1, 8, 3) if spatial else (512, 192))


@pytest.mark.parametrize("residual", [True, "resnet18"])
def test_spatial_codes_go_with_residual_blocks(residual):
    model = made(kind=gdl.VAE, z_dim=16, spatial_code=True, residual=residual)
    before = values(model.trainable_variables)
    step(model, images())
    assert not all(same(before, values(model.trainable_variables))) and model.encode(images()).shape == (6, 16)


def test_features_are_the_flattened_feature_map():
    architecture, x = Architecture(**SPATIAL), keras.Input((32, 32, 3))
    keras.utils.set_random_seed(0)
    network = keras.Model(x, feature_map(x, architecture))
    keras.utils.set_random_seed(0)
    flat = keras.Model(x, image_features(x, architecture))
    assert np.array_equal(network(images(2, 32)).numpy().reshape(2, -1), flat(images(2, 32)))


@pytest.mark.parametrize("kind", [gdl.Autoencoder, gdl.VAE, gdl.VAEGAN, gdl.GAN])
@pytest.mark.parametrize("z_dim", [4, 24, 100])
def test_a_length_that_is_no_small_image_is_refused_in_one_sentence(kind, z_dim):
    with pytest.raises(gdl.CourseError) as error:
        kind(**{**SMALL, "z_dim": z_dim, "spatial_code": True})
    sentence = f"z_dim {z_dim} cannot be a spatial code: the smallest feature map has 4x4 pixels, so give a multiple of 16, such as 64."
    assert str(error.value) == sentence
    assert kind(**{**SMALL, "z_dim": 64, "spatial_code": True}).architecture.code_channels == 4


def test_what_does_not_go_with_a_spatial_code_is_refused_in_one_sentence():
    with pytest.raises(gdl.CourseError) as error:
        gdl.VAE(**{**SMALL, "z_dim": 16}, narrow_dense=3, spatial_code=True)
    assert str(error.value) == "narrow_dense is a layer without pixels, and a spatial code needs them: leave one of the two out."
    with pytest.raises(gdl.CourseError, match="^spatial_code is 'yes': give True or False.$"):
        gdl.VAE(**{**SMALL, "z_dim": 16}, spatial_code="yes")
    assert gdl.VAE(**SMALL, narrow_dense=3).encoder.get_layer("z_mean").kernel.shape == (3, 4)


@pytest.mark.parametrize("kind", [gdl.GAN, gdl.WGANGP])
def test_a_gan_makes_images_of_spatial_codes(kind):
    model = made(kind=kind, z_dim=32, spatial_code=True, critic_steps=1)
    before = values(model.trainable_variables)
    assert all(np.isfinite(number) for number in step(model, images()).values())
    still = [v.path for v, equal in zip(model.trainable_variables, same(before, values(model.trainable_variables))) if equal]
    assert all("bias" in path for path in still), still  # right before a normalisation
    assert model.generate(3).shape == (3, 16, 16, 3) and model.score(images()).shape == (6,)
    assert not any(isinstance(layer, keras.layers.Dense) for layer in model.generator.layers)
    assert model.critic.count_params() == critic_network(Architecture(**SMALL), None).count_params()


# --- what is told changes feature maps ---


def test_scale_and_shift_are_linear_in_what_is_told():
    """x (1 + a) + b, where a and b are the same at each pixel of a channel."""
    rng = np.random.default_rng(0)
    x, told = rng.normal(size=(5, 4, 6, 7)).astype("float32"), rng.choice([-1, 0, 1], (5, 3)).astype("float32")
    inputs = keras.Input((4, 6, 7)), keras.Input((3,))
    network = keras.Model(inputs, scale_shift(*inputs))
    assert np.array_equal(network([x, told]), x), "at the start nothing changes"
    scale, shift = (layer for layer in network.layers if isinstance(layer, keras.layers.Dense))
    weights = [rng.normal(size=shape) for shape in ((3, 7), (7,), (3, 7), (7,))]
    scale.set_weights(weights[:2])
    shift.set_weights(weights[2:])
    a, b = told @ weights[0] + weights[1], told @ weights[2] + weights[3]
    expected = x * (1 + a)[:, None, None] + b[:, None, None]
    assert network([x, told]).numpy() == pytest.approx(expected, abs=1e-5)


def test_scale_and_shift_learn_from_the_start():
    """Although they are 0: their derivatives are not."""
    inputs = keras.Input((4, 4, 2)), keras.Input((3,))
    network = keras.Model(inputs, scale_shift(*inputs))
    x, told = np.random.default_rng(0).normal(size=(5, 4, 4, 2)).astype("float32"), np.ones((5, 3), "float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(network([tf.constant(x), tf.constant(told)]) * x)
    by_scale, by_scale_bias, by_shift, by_shift_bias = tape.gradient(loss, network.trainable_variables)
    assert np.allclose(by_scale, [np.square(x).sum(axis=(0, 1, 2))] * 3, rtol=1e-4) and np.allclose(by_shift, [x.sum(axis=(0, 1, 2))] * 3, atol=1e-3)
    assert np.allclose(by_scale_bias, by_scale[0], rtol=1e-4) and np.allclose(by_shift_bias, by_shift[0], atol=1e-3)


@pytest.mark.parametrize("norm", ["batch", "layer", None])
def test_what_is_told_changes_an_image_after_each_normalisation(norm):
    architecture = Architecture(**SMALL, batch_norm=norm == "batch", layer_norm=norm == "layer")
    z, told = keras.Input((4,)), keras.Input((3,))
    keras.utils.set_random_seed(0)
    conditional = keras.Model([z, told], image_from_code(z, architecture, told))
    keras.utils.set_random_seed(0)
    plain = keras.Model(z, image_from_code(z, architecture))
    scales = [layer for layer in conditional.layers if isinstance(layer, keras.layers.Dense) and layer.kernel.shape[0] == 3]
    others = [layer for layer in conditional.layers if layer.weights and layer not in scales]
    for layer, same_layer in zip([layer for layer in plain.layers if layer.weights], others, strict=True):
        layer.set_weights(same_layer.get_weights())
    codes, said = np.random.default_rng(0).normal(size=(3, 4)).astype("float32"), np.ones((3, 3), "float32")
    assert len(scales) == 2 * 2 and np.allclose(conditional([codes, said]), plain(codes), atol=1e-6)
    for layer in scales:
        layer.kernel.assign(np.full(layer.kernel.shape, 0.5))
        assert not np.allclose(conditional([codes, said]), plain(codes), atol=1e-4)
        layer.kernel.assign(np.zeros(layer.kernel.shape))


# --- saving ---


def with_all(**options):
    return made(
        ema=0.9, dropout=0.2, filters=(4,), z_dim=64, spatial_code=True, perceptual=5.0, classifier=classifier(dropout=0.2), adversarial=0.5,
        critic_norm="spectral", optimizers=[keras.optimizers.Adam(1e-2), keras.optimizers.RMSprop(1e-3), keras.optimizers.SGD(1e-2, momentum=0.9)],
        **options,
    )  # fmt: skip


def spatial_vae(**options):
    return made(kind=gdl.VAE, ema=0.9, dropout=0.2, filters=(4,), z_dim=64, spatial_code=True, optimizers=[keras.optimizers.Adam(1e-2)], **options)


def test_options_can_be_written_as_json_and_another_made_of_them():
    model = with_all()
    config = json.loads(json.dumps(model.get_config()))
    assert config["classifier"]["model"] == "AttributeClassifier" and config["classifier"]["options"]["attributes"] == ["Smiling", "Male"]
    other = gdl.VAEGAN.from_config(config)
    assert other.get_config() == model.get_config() and other.stages is not None and other.classifier.trainable_weights == []
    assert gdl.VAEGAN(**config).get_config() == model.get_config()
    assert [w.shape for w in other.weights] == [w.shape for w in model.weights]


@pytest.mark.slow
@pytest.mark.parametrize("make,kinds", [(with_all, ["Adam", "RMSprop", "SGD"]), (spatial_vae, ["Adam"])])
def test_keras_saves_and_loads_the_whole_model(make, kinds, tmp_path):
    model = make()
    for _ in range(2):
        step(model, images())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model) and loaded.get_config() == model.get_config()
    assert [(type(o).__name__, int(o.iterations)) for o, _ in loaded.optimizer_groups] == [(kind, 2) for kind in kinds]
    assert all(same(states(model), states(loaded)))
    assert np.array_equal(model.reconstruct(images()), loaded.reconstruct(images()))
    if isinstance(model, gdl.VAEGAN):
        assert all(same(values(model.classifier.weights), values(loaded.classifier.weights))) and not loaded.classifier.trainable_weights
        assert np.array_equal(model.classifier.predict_attributes(images()), loaded.classifier.predict_attributes(images()))
    draw_alike(model, loaded)
    assert step(model, images()) == step(loaded, images())
    assert all(same(states(model), states(loaded))), "the next step is that of an uninterrupted training"


def train(model, run, epochs):
    return gdl.train(model, gdl.DrawnFaces(n=60, size=16), epochs, run=run, batch_size=24, steps_per_epoch=1, halve_every=1, flip=True, quiet=True)


@pytest.mark.slow
@pytest.mark.parametrize("make", [with_all, spatial_vae])
def test_a_resumed_training_ends_where_an_undisturbed_one_does(make, tmp_path):
    ends = []
    for run, epochs in (("whole", 2), ("cut", 1), ("cut", 2)):
        model = make()
        train(model, tmp_path / run, epochs)
        ends.append(states(model))
    assert all(same(ends[0], ends[2])) and not all(same(ends[0], ends[1]))
    histories = [pd.read_csv(tmp_path / run / "history.csv").drop(columns=["seconds", "images_per_second"]) for run in ("whole", "cut")]
    pd.testing.assert_frame_equal(*histories, check_exact=True)
    loaded = gdl.load(tmp_path / "cut")
    assert loaded.get_config() == model.get_config() and all(same(states(loaded), ends[0]))
    if make is with_all:
        assert all(same(values(loaded.classifier.weights), values(classifier(dropout=0.2).weights)))


@pytest.mark.slow
def test_a_run_with_a_classifier_that_was_just_trained_can_be_loaded_and_continued(tmp_path):
    """With the classifier of the run; one that is given then stays as it is."""
    judge, other = classifier(), classifier(seed=6)
    judge.compile("adam", run_eagerly=True)
    judge.train_on_batch(images(), np.ones((6, 2), "float32"))
    before, others = values(judge.weights), values(other.weights)
    model = made(filters=(4,), perceptual=1.0, classifier=judge)
    train(model, tmp_path / "run", 1)
    loaded = gdl.load(tmp_path / "run")
    assert all(same(states(loaded), states(model))) and all(same(values(loaded.classifier.weights), before))
    continued = made(filters=(4,), perceptual=1.0, classifier=other)
    train(continued, tmp_path / "run", 2)
    assert all(same(values(continued.classifier.weights), before)) and all(same(values(other.weights), others))


@pytest.mark.slow
def test_a_model_with_a_classifier_that_was_just_trained_is_saved_whole(tmp_path):
    judge = classifier()
    judge.compile("adam", run_eagerly=True)
    judge.train_on_batch(images(), np.ones((6, 2), "float32"))
    model = made(filters=(4,), perceptual=1.0, classifier=judge)
    step(model, images())
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert all(same(states(loaded), states(model)))


def test_the_preview_shows_images_reconstructions_and_random_codes():
    model, x = made(), (images() * 255).round().astype(np.uint8)
    rows = model.preview(x)
    assert [row.shape for row in rows.values()] == [x.shape] * 4 and np.array_equal(rows["reconstruction"], model.reconstruct(x))
