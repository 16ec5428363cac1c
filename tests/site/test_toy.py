"""The toy page: its gradients are right, and its trainings work, collapse and recover as it says."""

import shutil

import chromium
import numpy as np
import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow
KINDS = ("cross_entropy", "wgan_clip", "wgan_gp", "relativistic_r1")

# Two networks and a batch that a seed determines; gradients and loss of one of them.
NETWORKS = """
    const random = gdl.uniform(5), generator = new gdl.Mlp([2, 8, 8, 2], random), critic = new gdl.Mlp([2, 8, 8, 1], random), kind = gdl.KINDS[name];
    for (const network of [generator, critic]) for (const b of network.biases) b.forEach((_, i) => { b[i] = random() - 0.5; });
    const real = gdl.draw(gdl.DATA.ring, 16, random), codes = gdl.normals(32, random), shares = Float64Array.from({length: 16}, random);
    const fakes = () => generator.forward(codes);
    const learner = who === 'critic' ? critic : generator;
    const loss = () => {
        learner.clear();
        if (who === 'critic') return gdl.criticGradients(critic, kind, real, fakes(), shares);
        return gdl.generatorGradients(generator, critic, kind, real, fakes());
    };
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page beside that of the faces, whose styles and random numbers it shares."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("faces", "toy"):
        shutil.copytree(ROOT / "site" / name, folder / name, ignore=shutil.ignore_patterns("weights"))
    return folder / "toy"


@pytest.fixture(scope="module")
def browser():
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def page(browser, folder):
    """The page, which does not begin by itself for readers who want no motion."""
    with chromium.opened(browser, folder / "index.html", reduced_motion="reduce") as page:
        yield page


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["critic", "generator"])
def test_gradients_are_the_slopes_of_the_loss(page, kind, who):
    """The penalties' gradients are second derivatives: here they are compared with differences of the loss itself."""
    code = f"""([name, who]) => {{
        {NETWORKS}
        loss();
        const gradients = learner.gradients.map(array => Array.from(array)), step = 1e-6;
        const slope = (array, w, i) => {{
            const values = [w + step, w - step].map(value => {{ array[i] = value; return loss(); }});
            array[i] = w;
            return (values[0] - values[1]) / (2 * step);
        }};
        const slopes = learner.parameters.map(array => Array.from(array, (w, i) => slope(array, w, i)));
        return [gradients.flat(), slopes.flat()];
    }}"""
    gradients, slopes = map(np.array, page.evaluate(code, [kind, who]))
    assert np.abs(gradients).max() > 0.01 and len(gradients) == 2 * 8 + 8 + 8 * 8 + 8 + (8 * 1 + 1 if who == "critic" else 8 * 2 + 2)
    np.testing.assert_allclose(gradients, slopes, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_critic_learns_from_the_losses_of_the_package(page, kind):
    import keras
    import tensorflow as tf

    from gdl import losses

    code = f"""name => {{
        const who = 'critic';
        {NETWORKS}
        const value = loss(), lists = arrays => arrays.map(array => Array.from(array));
        return {{value, weights: lists(critic.weights), biases: lists(critic.biases), gradients: lists(critic.gradients),
                 real: Array.from(real), fake: Array.from(fakes()), shares: Array.from(shares), kind}};
    }}"""
    given = page.evaluate(code, kind)
    dense, activate = keras.layers.Dense, lambda: keras.layers.LeakyReLU(0.2)
    critic = keras.Sequential(
        [keras.Input((1, 1, 2)), keras.layers.Flatten(), dense(8), activate(), dense(8), activate(), dense(1), keras.layers.Reshape(())]
    )
    matrices = [np.reshape(w, (len(b), -1)).T for w, b in zip(given["weights"], given["biases"])]
    critic.set_weights([array for pair in zip(matrices, given["biases"]) for array in pair])
    real, fake = (tf.constant(np.reshape(given[name], (-1, 1, 1, 2)), tf.float32) for name in ("real", "fake"))
    settings = given["kind"]
    function = {"wasserstein": losses.wasserstein_critic_loss, "relativistic": losses.relativistic_critic_loss}
    with tf.GradientTape() as tape:
        loss = function.get(settings["loss"], losses.discriminator_loss)(critic(real), critic(fake))
        if "gp" in settings:
            loss += settings["gp"] * losses.gradient_penalty(critic, real, fake, np.reshape(given["shares"], (-1, 1, 1, 1)).astype("float32"))
        if "r1" in settings:
            loss += settings["r1"] / 2 * losses.squared_gradient(critic, real)
        loss = tf.reduce_mean(loss)
    assert float(loss) == pytest.approx(given["value"], rel=1e-4, abs=1e-6)
    gradients = tape.gradient(loss, critic.trainable_variables)  # matrix, bias, matrix, bias, ...
    ours = [np.ravel(given["gradients"][i]) for i in (0, 3, 1, 4, 2, 5)]
    for theirs, mine in zip(gradients, ours, strict=True):
        theirs = np.zeros_like(mine) if theirs is None else theirs.numpy().T.ravel()
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)


def test_the_data_are_the_clusters_that_are_drawn(page):
    for name, shares in (("ring", [1 / 8] * 8), ("grid", [1 / 25] * 25), ("rare", [0.4, 0.3, 0.15, 0.1, 0.05])):
        points, data = page.evaluate("name => [Array.from(gdl.draw(gdl.DATA[name], 20000, gdl.uniform(1))), gdl.DATA[name]]", name)
        centres = np.array(data["clusters"])[:, :2]
        np.testing.assert_allclose(np.array(data["clusters"])[:, 2], shares)
        from_centres = np.reshape(points, (-1, 1, 2)) - centres  # (20000, clusters, 2)
        nearest = np.linalg.norm(from_centres, axis=2).argmin(axis=1)
        np.testing.assert_allclose(np.bincount(nearest) / 20000, shares, atol=0.012)
        assert from_centres[np.arange(20000), nearest].std() == pytest.approx(data["deviation"], rel=0.02)


def test_a_mode_counts_from_one_point_in_a_hundred_within_three_deviations(page):
    code = "points => state.game.modes(Float64Array.from(points.flat()))"
    far, ring = [[9, 9]], [[2 * np.cos(i * np.pi / 4), 2 * np.sin(i * np.pi / 4)] for i in range(8)]
    assert page.evaluate(code, 9 * far + 3 * ring[:1]) == 1
    assert page.evaluate(code, 99 * far + ring[:1]) == 1
    assert page.evaluate(code, 100 * far + ring[:1]) == 0
    assert page.evaluate(code, far + ring) == 8
    assert page.evaluate(code, [[2.14, 0], [0, 2.16]]) == 1, "the deviation is 0.05"


# Trainings

TRAIN = """
    const train = (game, rounds) => {
        const rows = [];
        for (let i = 0; i < rounds; i++) {
            game.round();
            if (game.rounds % 40) continue;
            const points = game.points(), n = points.length / 2;
            const mean = [0, 1].map(axis => points.reduce((sum, x, i) => sum + (i % 2 === axis ? x : 0), 0) / n);
            const spread = Math.sqrt(points.reduce((sum, x, i) => sum + (x - mean[i % 2]) ** 2, 0) / n);
            rows.push({modes: game.modes(points), spread, x: mean[0], y: mean[1], losses: [...game.losses]});
        }
        return rows;
    };
"""
SEEDS = (0, 1, 2)


def modes(rows):
    return np.array([row["modes"] for row in rows])


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy_with_one_step_each_finds_the_modes(page, seed):
    rows = page.evaluate(f"seed => {{ {TRAIN} return train(new gdl.Game({{seed}}), 1600); }}", seed)
    assert modes(rows)[:3].max() <= 4 and np.median(modes(rows)[-10:]) >= 6, modes(rows)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("cure", ["relativistic", "penalty"])
def test_five_steps_of_the_generator_collapse_it_and_another_loss_cures_it(page, seed, cure):
    """The buttons of the page, whose settings are taken from it: the collapse, then a cure of the same two networks."""
    code = f"""([seed, cure]) => {{
        {TRAIN}
        document.getElementById('seed').value = seed;
        choosePreset('collapse');
        const game = state.game, collapsed = train(game, 400);
        choosePreset(cure);
        return [game === state.game, collapsed, train(game, cure === 'penalty' ? 1000 : 1600)];
    }}"""
    same, collapsed, cured = page.evaluate(code, [seed, cure])
    assert same, "the cure goes on with the networks that have collapsed"
    late = collapsed[3:]
    assert np.median(modes(late)) <= 2, modes(collapsed)
    assert np.median([row["spread"] for row in late]) < 1.5, "a clump; the ring has 2.0"
    places = np.array([[row["x"], row["y"]] for row in late])
    assert np.ptp(places, axis=0).max() > 1.5, "which goes round"
    assert modes(cured)[-10:].max() >= 6 and np.median(modes(cured)[-10:]) >= 4, modes(cured)


# What the reader does


def test_rounds_go_on_stop_and_are_the_same_for_a_seed(page):
    assert page.evaluate("state.game.rounds") == 0 and page.get_by_role("button", name="Start").count() == 1
    page.get_by_role("button", name="One round").click()
    assert page.evaluate("state.game.rounds") == 1
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("state.game.rounds > 15")
    page.get_by_role("button", name="Pause").click()
    rounds = page.evaluate("state.game.rounds")
    page.wait_for_timeout(200)
    assert page.evaluate("state.game.rounds") == rounds
    assert f"Round {rounds}," in page.locator("#numbers").inner_text()
    again = page.evaluate(
        """() => { const other = new gdl.Game({seed: 0}); while (other.rounds < state.game.rounds) other.round();
                   return [Array.from(other.points()), Array.from(state.game.points())]; }"""
    )
    assert again[0] == again[1]
    page.get_by_role("button", name="New networks").click()
    assert page.evaluate("state.game.rounds") == 0 and page.locator("#seed").input_value() == "1"


def test_the_controls_change_the_game(page):
    page.get_by_label("Relativistic with R1").check()
    for name in ("criticSteps", "momentum"):
        page.locator(f"#{name}").focus()
        page.keyboard.press("ArrowRight")
    game = page.evaluate("(({kind, criticSteps, optimizers}) => [kind.loss, kind.r1 > 0, criticSteps, ...optimizers.map(o => o.beta1)])(state.game)")
    assert game == ["relativistic", True, 2, 0.1, 0.1]
    page.get_by_label("WGAN, weights clipped").check()
    page.get_by_role("button", name="One round").click()
    assert page.evaluate("Math.max(...state.game.critic.parameters.flatMap(array => Array.from(array, Math.abs)))") <= 0.1
    page.get_by_label("Grid of 25").check()
    assert page.locator("#of").inner_text() == "of 25 modes reached" and page.evaluate("state.game.rounds") == 0
    page.get_by_role("button", name="2 · Collapse").click()
    page.get_by_role("button", name="Pause").click()
    assert page.evaluate("[state.game.kind.name, state.game.generatorSteps, state.game.data.clusters.length]") == ["Cross-entropy", 5, 25]
    assert page.url.endswith("#collapse")


def test_the_plane_shows_points_clusters_and_the_discriminator(page):
    """Where a point of one colour stands is worked out by hand."""
    page.evaluate(
        """() => {
            state.game.points = () => Float64Array.from({length: 2000}, (_, i) => i % 2 ? 1.5 : -1.5);
            state.game.critic.forward = x => Float64Array.from({length: x.length / 2}, (_, i) => x[2 * i] > 0 ? 9 : -9);
            paint();
        }"""
    )
    colour = "([x, y]) => Array.from(document.getElementById('plane').getContext('2d').getImageData(x, y, 1, 1).data).slice(0, 3)"
    assert page.evaluate(colour, [140, 140]) == [0xB0, 0x12, 0x5B], "(-1.5, 1.5), a quarter from the left and from the top"
    left, right = np.array(page.evaluate(colour, [20, 300])), np.array(page.evaluate(colour, [540, 300]))
    assert left[0] > left[2] + 50 and right[2] > right[0] + 50, "fake is orange and real is blue"
    assert sum(page.evaluate(colour, [int(560 * (2 + 0.15 + 3) / 6), 280])) < 200, "the dark ring around (2, 0)"
    assert "reach 1 of 8" in page.locator("#plane").get_attribute("aria-label")


@pytest.mark.parametrize("width", [390, 820, 1440])
def test_the_page_fits_and_follows_the_colour_scheme(browser, folder, width):
    options = dict(viewport={"width": width, "height": 844}, reduced_motion="reduce", color_scheme="dark" if width == 820 else "light")
    with chromium.opened(browser, folder / "index.html", **options) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        red, *_ = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).map(Number)")
        assert (red < 60) == (width == 820)


def test_it_begins_by_itself_for_everybody_else(browser, folder):
    with chromium.opened(browser, folder / "index.html") as page:
        page.wait_for_function("state.game.rounds > 3")
        assert page.locator("#run").get_attribute("aria-pressed") == "true"
