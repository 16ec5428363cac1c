"""The benchmark compares like with like: the plain recipe is the same network, loss and step."""

import keras
import numpy as np
import pandas as pd
import pytest

import gdl
from benchmarks import cost, quality
from benchmarks.__main__ import flops_of_an_image, parser
from benchmarks.latent import at_half
from benchmarks.latent import main as latent
from benchmarks.plain_vae import PlainVAE, jpeg_batches
from benchmarks.plain_wgan_gp import PlainWGANGP
from gdl import drawn


@pytest.mark.slow
def test_the_plain_recipe_takes_the_same_step():
    keras.utils.set_random_seed(0)
    ours = gdl.VAE(32, 8, (4, 8), kernel_sizes=4, reconstruction="mse", beta=0.5)
    plain = PlainVAE(32, 8, (4, 8), 4, beta=0.5)
    x = np.random.default_rng(0).random((16, 32, 32, 3), np.float32)
    weights = ours.encoder.get_weights(), ours.decoder.get_weights()
    losses = []
    for model, noise in ((ours, ours.sampling.seed_generator), (plain, plain.seed_generator)):
        model.encoder.set_weights(weights[0])
        model.decoder.set_weights(weights[1])
        noise.state.assign([1, 2])
        model.compile(keras.optimizers.SGD(1e-3))
        losses.append(model.fit(x, batch_size=16, epochs=8, shuffle=False, verbose=0).history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][-1] < losses[0][0]
    for a, b in zip(ours.encoder.get_weights() + ours.decoder.get_weights(), plain.encoder.get_weights() + plain.decoder.get_weights()):
        assert np.allclose(a, b, atol=1e-5)


@pytest.mark.slow
def test_the_plain_wgan_gp_takes_the_same_step_when_all_critic_steps_get_one_batch():
    keras.utils.set_random_seed(0)
    ours = gdl.WGANGP(32, 8, (4, 8), kernel_sizes=4, critic_steps=3)
    plain = PlainWGANGP(32, 8, (4, 8), 4, critic_steps=3)
    x = np.random.default_rng(0).random((8, 32, 32, 3), np.float32)
    for name in ("critic", "generator"):
        getattr(plain, name).set_weights(getattr(ours, name).get_weights())
    plain.seed_generator.state.assign([1, 2])
    ours.seed_generator.state.assign([1, 2])
    losses = []
    for model, batch in ((ours, np.repeat(x, 3, axis=0)), (plain, x)):
        model.compile(keras.optimizers.SGD(1e-2), keras.optimizers.SGD(1e-2))
        history = model.fit(batch, batch_size=len(batch), epochs=5, shuffle=False, verbose=0).history
        losses.append([*history["critic_loss"], *history["generator_loss"]])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    for name in ("critic", "generator"):
        for a, b in zip(getattr(ours, name).get_weights(), getattr(plain, name).get_weights()):
            assert np.allclose(a, b, atol=1e-5)


def test_operations_of_a_wgan_gp_are_counted_by_hand():
    model = gdl.WGANGP(32, 8, (4, 8), kernel_sizes=4, critic_steps=2)
    convolutions = [2 * 16 * 3 * 4 * 16**2, 2 * 16 * 4 * 8 * 8**2]  # of the critic; the generator has their mirror
    critic, generator = sum(convolutions) + 2 * 8 * 8 * 8, sum(convolutions) + 2 * 8 * (8 * 8 * 8)
    a_critic_step = generator + 2 * (3 * critic - convolutions[0]) + 4 * critic
    assert flops_of_an_image(model) == a_critic_step + (3 * generator + 2 * critic) / 2


def test_operations_are_counted_by_hand():
    model = gdl.VAE(32, 8, (4, 8), kernel_sizes=4)
    convolutions = [16 * 3 * 4 * 16**2, 16 * 4 * 8 * 8**2]  # kernel area x channels in x channels out x pixels
    dense = [2 * (8 * 8 * 8) * 8, 8 * (8 * 8 * 8)]  # z_mean and z_log_var, and the decoder's
    forward = 2 * (2 * sum(convolutions) + sum(dense))
    assert flops_of_an_image(model) == 3 * forward - 2 * convolutions[0]  # the image needs no gradient


@pytest.mark.slow
def test_the_plain_input_decodes_and_resizes(tmp_path):
    folder = drawn.write_celeba(tmp_path, 10)
    (batch,) = jpeg_batches(folder, 64, 16)
    assert batch.shape == (10, 64, 64, 3) and 0 <= batch.numpy().min() and 0.2 < batch.numpy().mean() < 0.8 and batch.numpy().max() <= 1


def test_the_alpha_of_a_half_is_between_two_measured_ones():
    rows = {1.0: {"gains": 0.2, "others": 0.02}, 2.0: {"gains": 0.4, "others": 0.03}, 4.0: {"gains": 0.8, "others": 0.07}}
    assert at_half(rows) == pytest.approx({"alpha": 2.5, "others": 0.04})
    assert at_half({0.5: {"gains": 1.0, "others": 0.2}}) == pytest.approx({"alpha": 0.25, "others": 0.1})
    assert np.isnan(at_half({1.0: {"gains": 0.4, "others": 0.1}})["alpha"])


@pytest.mark.slow
def test_tables_of_edits_are_printed(drawn_celeba, monkeypatch, capsys):
    names = drawn.attributes(drawn.factors(1)).columns
    models = {"v": gdl.VAE(32, 4, (4, 8)), "g": gdl.GAN(32, 4, (4, 8)), "c": gdl.AttributeClassifier(32, names, (4, 8))}
    monkeypatch.setattr(gdl, "load", models.get)
    monkeypatch.setattr("benchmarks.latent.ALPHAS", (1.0,))
    latent(parser().parse_args(f"latent --data {drawn_celeba} --vae v --gan g --classifier c --faces 4".split()))
    printed = capsys.readouterr().out
    for title in (
        "Classifier on the validation",
        "vae, plain vectors, alpha 1, 1 faces",
        "gan, balanced vectors, alpha 1, 4 faces",
        "vae: what goes together",
        "gan: groups",
    ):
        assert title in printed


def test_a_training_ends_when_it_is_as_good_as_its_goal(monkeypatch):
    """Five epochs of 30 s each, measured every minute: not after the first, then 90, 60."""
    values = iter([90.0, 60.0])
    monkeypatch.setattr(gdl.metrics, "fid", lambda *arguments: next(values))
    watch = quality.UntilAsGood(None, samples=4, every=1.0, minutes=10.0, goal=60.0, rows=[])
    watch.set_model(gdl.GAN(16, 4, (4,)))
    for epoch in range(4):
        assert not watch.ended()
        watch.on_epoch_end(epoch, {"cpu_seconds": 30.0})
    assert watch.model.stop_training and watch.ended() and watch.spent() == 2.0
    assert quality.fids(watch.rows) == [90.0, 60.0] and quality.fids([{"fid_train": float("nan")}, {}]) == []
    again = quality.UntilAsGood(None, 4, 1.0, 10.0, goal=59.0, rows=watch.rows)
    assert not again.ended() and again.spent(measured=True) == 2.0, "with a higher goal the same run continues"
    assert quality.UntilAsGood(None, 4, 1.0, minutes=2.0, goal=1.0, rows=watch.rows).ended(), "or not, if its minutes are spent"


@pytest.mark.slow
def test_quality_trains_measures_and_writes_a_table(tmp_path, monkeypatch, capsys):
    """Small networks, a stand-in for the FID that falls with every call, and a second call that trains nothing."""
    file = tmp_path / "small.toml"
    small = "filters = [4]\nz_dim = 4\nkernel_sizes = 3\nbatch_size = 16\npatience = 0\nepochs = 3\n"
    file.write_text(
        'title = "t"\nquestion = "q?"\n' + "".join(f'[[variants]]\nname = "{name}"\nmodel = "vae"\n{small}' for name in ("textbook_vae", "vae"))
    )
    calls = []
    monkeypatch.setattr(quality, "FILE", str(file))
    monkeypatch.setattr(quality, "reference", lambda split: None)
    monkeypatch.setattr(gdl.metrics, "fid", lambda images, *rest: calls.append(len(images)) or 100.0 - 10 * len(calls))
    options = parser().parse_args(
        ["quality", "--data", "drawn", "--n", "60", "--out", str(tmp_path / "out"), "--models", "vae", "--seeds", "1", "--minutes", "1e-6"]
    )
    quality.main(options)
    table = pd.read_csv(tmp_path / "out" / "quality.csv")
    assert table.loc[0, ["FID of the textbook's", "FID"]].tolist() == [90, 80] and calls == [2000, 2000]
    assert table.loc[0, "share"] == pytest.approx(table.loc[0, "minutes"] / table.loc[0, "its minutes"])
    quality.main(options)
    assert len(calls) == 2 and pd.read_csv(tmp_path / "out" / "quality.csv").equals(table)
    assert "share" in capsys.readouterr().out


@pytest.mark.slow
def test_the_cost_of_each_option_is_measured_beside_the_model_without_it(capsys):
    common = ["--precision", "float32", "--filters", "4", "8", "--size", "16", "--batch-size", "8", "--rounds", "1", "--steps", "1"]
    cost.main(parser().parse_args(["cost", "--models", "WGANGP", "VAE", *common]))
    printed = capsys.readouterr().out
    for kind in ("WGANGP", "VAE"):
        for name in cost.OPTIONS[kind]:
            assert name in printed
    assert printed.count("1.00") >= 2, "the first of each table is the measure"
