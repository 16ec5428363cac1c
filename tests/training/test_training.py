"""Training: what a run folder holds, and that a killed training ends where an undisturbed one does."""

import json
import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gdl
from gdl.training.callbacks import Diverged, best_epoch
from gdl.training.run_folder import RunFolder

PROGRAM = Path(__file__).parent / "programs" / "train_and_kill.py"
train = runpy.run_path(str(PROGRAM))["train"]


def in_another_process(run, epochs, kind, death):
    """Runs `train` in a Python of its own, which dies where the program says."""
    return subprocess.run([sys.executable, PROGRAM, run, str(epochs), kind, death], capture_output=True, text=True, timeout=300)


def arrays(file):
    """All arrays of an HDF5 file by their path."""
    contents = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: contents.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return contents


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(run, epochs=3)
    return run


@pytest.fixture(scope="module")
def undisturbed_gan(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(run, epochs=3, kind="WGANGP")
    return run


def assert_same_end(run, undisturbed):
    ends = arrays(run / "epoch-0003.weights.h5"), arrays(undisturbed / "epoch-0003.weights.h5")
    assert ends[0].keys() == ends[1].keys()
    assert any("optimizer" in name for name in ends[0])
    different = [name for name in ends[0] if not np.array_equal(ends[0][name], ends[1][name])]
    assert not different
    histories = [pd.read_csv(folder / "history.csv").drop(columns=["seconds", "images_per_second"]) for folder in (run, undisturbed)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind,to_the_end", [("Autoencoder", "undisturbed"), ("WGANGP", "undisturbed_gan")])
def test_killed_in_the_middle_of_an_epoch(tmp_path, kind, to_the_end, request, capsys):
    undisturbed = request.getfixturevalue(to_the_end)
    killed = in_another_process(tmp_path / "run", 3, kind, "in_epoch_2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [file.name for file in RunFolder(tmp_path / "run").weights()] == ["epoch-0001.weights.h5"]
    train(tmp_path / "run", 3, kind=kind)
    assert "continuing after epoch 1" in capsys.readouterr().out
    assert_same_end(tmp_path / "run", undisturbed)


@pytest.mark.slow
def test_the_undisturbed_game_moved_all_that_is_compared(undisturbed_gan):
    """Both networks, the average, both optimisers with their counts and the halved rates of each."""
    saved = arrays(undisturbed_gan / "epoch-0003.weights.h5")
    for part in ("generator", "critic", "averaged_generator", "optimizer", "critic_optimizer"):
        own = {name: a for name, a in saved.items() if name.startswith(part + "/") and a.ndim}
        assert own and all(a.any() for a in own.values() if a.size > 1), (part, sorted(saved))
    counts = {name.split("/")[0]: int(saved[name]) for name in saved if name.endswith("optimizer/vars/0")}
    assert counts == {"optimizer": 3 * 5, "critic_optimizer": 3 * 5 * 2}
    rates = {name.split("/")[0]: float(saved[name]) for name in saved if name.endswith("optimizer/vars/1")}
    assert rates == pytest.approx({"optimizer": 3e-3 / 4, "critic_optimizer": 1e-3 / 4})
    history = pd.read_csv(undisturbed_gan / "history.csv")
    assert {"wasserstein", "val_wasserstein", "gradient_penalty", "val_gradient_penalty", "val_critic_loss"} <= set(history)


@pytest.mark.slow
def test_killed_while_the_weights_are_written(tmp_path, undisturbed):
    killed = in_another_process(tmp_path / "run", 3, "Autoencoder", "writing_epoch_2")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    train(tmp_path / "run", epochs=3)
    assert_same_end(tmp_path / "run", undisturbed)
    assert not list((tmp_path / "run").glob(".partial*")), "what the killed process left is cleared away"


@pytest.mark.slow
def test_a_run_folder_holds_safe_files_only(undisturbed):
    files = sorted(str(file.relative_to(undisturbed)) for file in undisturbed.rglob("*") if file.is_file())
    pictures = [f"pictures/epoch-000{i}.png" for i in (1, 2, 3)]
    weights = ["epoch-0002.weights.h5", "epoch-0003.weights.h5"]  # the epoch before stays, in case the last file is damaged
    assert files == [".lock", *weights, "history.csv", "history.json", *pictures, "run.json", "training.gif"]
    history = pd.read_csv(undisturbed / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["learning_rate"].tolist() == pytest.approx([3e-3, 1.5e-3, 0.75e-3])
    assert (history["images_per_second"] > 0).all()
    with Image.open(undisturbed / "training.gif") as gif:
        assert gif.n_frames == 3, "one frame an epoch"
    settings = json.loads((undisturbed / "run.json").read_text())
    assert settings["options"]["filters"] == [8, 16] and settings["training"]["flip"] is True
    picture = np.asarray(Image.open(undisturbed / "pictures" / "epoch-0003.png"))
    assert picture.shape == (2 * 33, 6 * 33, 3)
    originals = gdl.DrawnFaces(n=100, size=32).val.images
    assert np.array_equal(picture[:32, :32], originals[0]), "the first row shows the images themselves"
    assert not np.array_equal(picture[33:65, :32], originals[0])


@pytest.mark.slow
def test_load_gives_the_trained_model(undisturbed):
    model = gdl.load(undisturbed)
    faces = gdl.DrawnFaces(n=100, size=32)
    loss = model.evaluate(faces.val.batches(16, shuffle=False), verbose=0)
    assert loss == pytest.approx(pd.read_csv(undisturbed / "history.csv")["val_loss"].iloc[-1], rel=1e-5)


@pytest.mark.slow
def test_a_finished_run_is_left_alone(undisturbed, capsys):
    before = (undisturbed / "epoch-0003.weights.h5").stat().st_mtime_ns
    history = train(undisturbed, epochs=3)
    assert "nothing left to train" in capsys.readouterr().out
    assert history.index.tolist() == [1, 2, 3]
    assert (undisturbed / "epoch-0003.weights.h5").stat().st_mtime_ns == before


@pytest.mark.slow
def test_other_settings_are_refused_and_named(undisturbed):
    model = gdl.Autoencoder(image_size=32, z_dim=9, filters=(8, 16), dropout=0.2)
    with pytest.raises(gdl.CourseError) as error:
        gdl.train(model, gdl.DrawnFaces(n=100, size=32), 3, run=undisturbed, batch_size=32)
    assert "z_dim was 8 and is now 9" in str(error.value)
    assert "batch_size was 16 and is now 32" in str(error.value)


def test_a_model_for_another_size_is_refused_before_training(tmp_path):
    model = gdl.Autoencoder(image_size=64, z_dim=8, filters=(8, 16))
    with pytest.raises(gdl.CourseError, match="64x64.*32x32"):
        gdl.train(model, gdl.DrawnFaces(n=100, size=32), 1, run=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(gdl.CourseError, match="no run.json"):
        gdl.load(tmp_path)


def test_a_run_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    with pytest.raises(gdl.CourseError, match="cannot be written"):
        gdl.train(model, gdl.DrawnFaces(n=100, size=32), 1, run=tmp_path / "file")


@pytest.mark.slow
def test_a_compiled_model_keeps_its_optimizer():
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    model.compile(keras.optimizers.SGD(0.0))
    before = model.encoder.trainable_weights[0].numpy().copy()
    gdl.train(model, gdl.DrawnFaces(n=100, size=32), 1)
    assert np.array_equal(before, model.encoder.trainable_weights[0].numpy())


@pytest.mark.parametrize(
    "name,value",
    [
        ("epochs", 0), ("epochs", 2.5), ("batch_size", 0), ("steps_per_epoch", 0), ("patience", -1), ("halve_every", -1),
        ("seed", -1), ("seed", None), ("learning_rate", -1.0), ("learning_rate", np.nan),
    ],
)  # fmt: skip
def test_numbers_that_are_not_possible_are_refused_before_anything_is_written(tmp_path, name, value):
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    with pytest.raises(gdl.CourseError) as error:
        gdl.train(model, gdl.DrawnFaces(n=100, size=32), **{"epochs": 1, "run": tmp_path / "run", name: value})
    assert str(error.value).startswith(f"{name} is {value}: give a ") and "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_numbers_of_numpy_and_zeros_that_mean_never(tmp_path):
    model, one = gdl.Autoencoder(image_size=32, z_dim=4, filters=(4,)), np.int64(1)
    numbers = dict(batch_size=16 * one, steps_per_epoch=one, seed=one, learning_rate=np.float32(0.125))
    history = gdl.train(model, gdl.DrawnFaces(n=100, size=32), 3 * one, run=tmp_path / "run", halve_every=0, patience=0, quiet=True, **numbers)
    assert len(history) == 3 and set(history["learning_rate"]) == {0.125}
    assert not RunFolder(tmp_path / "run").best.exists()


@pytest.mark.slow
@pytest.mark.parametrize("kind,name", [(gdl.Autoencoder, "val_loss"), (gdl.WGAN, "val_critic_loss"), (gdl.WGAN, "generator_loss")])
def test_a_training_that_diverges_says_so_and_keeps_the_epochs_before(tmp_path, kind, name):
    def diverge(epoch, logs):
        if epoch == 1:
            logs[name] = np.inf

    faces, model = gdl.DrawnFaces(n=60, size=32), kind(image_size=32, z_dim=4, filters=(4,))
    with pytest.raises(Diverged) as error:
        gdl.train(model, faces, 3, tmp_path / "run", steps_per_epoch=1, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=diverge)])
    assert isinstance(error.value, gdl.CourseError) and error.value.note == f"diverged: {name} is inf in epoch 2"
    assert f"{name} is inf in epoch 2; train again with a lower learning rate" in str(error.value) and "\n" not in str(error.value)
    assert gdl.load(tmp_path / "run").generate(2).shape == (2, 32, 32, 3)
    assert [file.name for file in RunFolder(tmp_path / "run").weights()] == ["epoch-0001.weights.h5"]
    assert pd.read_csv(tmp_path / "run" / "history.csv")["epoch"].tolist() == [1]
    assert (tmp_path / "run" / "training.gif").exists()


@pytest.mark.slow
def test_steps_per_epoch_cuts_the_epoch_short():
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    gdl.train(model, gdl.DrawnFaces(n=100, size=32), 2, batch_size=16, steps_per_epoch=2)
    assert int(model.optimizer.iterations) == 4


# --- two optimisers, precisions, early stopping: with the variational autoencoder ---

FACES = dict(n=60, size=32)  # 48 to train with


def vae(precision="float32", **options):
    """Sampling, dropout and a warm-up: all that has to go on where it was."""
    keras.utils.set_random_seed(1)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return gdl.VAE(**{**dict(image_size=32, z_dim=4, filters=(4,), dropout=0.2, warm_up=7), **options})
    finally:
        keras.config.set_dtype_policy(before)


def with_two_optimizers(model):
    model.compile(keras.optimizers.Adam(3e-3), keras.optimizers.SGD(1e-5, momentum=0.9))
    return model


def train_vae(model, run, epochs, **options):
    options = {**dict(batch_size=16, halve_every=1, flip=True, seed=1, quiet=True), **options}
    return gdl.train(model, gdl.DrawnFaces(**FACES), epochs, run=run, **options)


def rates(model):
    return [float(optimizer.learning_rate) for optimizer, _ in model.optimizer_groups]


@pytest.fixture(scope="module")
def undisturbed_vae(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "vae"
    train_vae(with_two_optimizers(vae()), run, 3)
    return run


@pytest.mark.slow
def test_a_resumed_vae_ends_where_an_undisturbed_one_does(tmp_path, undisturbed_vae):
    for epochs in (2, 3):
        train_vae(with_two_optimizers(vae()), tmp_path / "run", epochs, quiet=False)
    assert_same_end(tmp_path / "run", undisturbed_vae)
    with Image.open(tmp_path / "run" / "training.gif") as gif:
        assert gif.n_frames == 3, "the frames of both sittings"


@pytest.mark.slow
def test_a_resumed_vae_with_an_average_and_a_learned_variance_ends_where_an_undisturbed_one_does(tmp_path):
    options = dict(ema=0.9, reconstruction="gaussian")
    train_vae(with_two_optimizers(vae(**options)), tmp_path / "whole", 3)
    for epochs in (1, 3):
        train_vae(with_two_optimizers(vae(**options)), tmp_path / "run", epochs)
    assert_same_end(tmp_path / "run", tmp_path / "whole")
    loaded = gdl.load(tmp_path / "run")
    assert float(loaded.log_var) != 0 and loaded.ema == 0.9
    assert not np.array_equal(loaded.decoder.get_weights()[0], loaded.averaged_decoder.get_weights()[0])


@pytest.mark.slow
def test_the_same_model_can_be_trained_further(tmp_path, undisturbed_vae):
    model = with_two_optimizers(vae())
    for epochs in (1, 3):
        history = train_vae(model, tmp_path / "run", epochs)
        assert rates(model) == pytest.approx([3e-3, 1e-5]), "both are as they were before they were halved"
    assert history["learning_rate"].tolist() == pytest.approx([3e-3, 1.5e-3, 0.75e-3])
    assert_same_end(tmp_path / "run", undisturbed_vae)


@pytest.mark.slow
def test_both_rates_are_halved():
    seen = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(rates(model)))
    model = with_two_optimizers(vae())
    train_vae(model, None, 3, halve_every=2, steps_per_epoch=1, callbacks=[look])
    assert np.array(seen) == pytest.approx(np.array([[3e-3, 1e-5], [3e-3, 1e-5], [1.5e-3, 0.5e-5]]))


@pytest.mark.slow
def test_a_model_that_found_nothing_left_to_train_can_be_trained_further(tmp_path, undisturbed_vae):
    train_vae(with_two_optimizers(vae()), tmp_path / "run", 2)
    model = with_two_optimizers(vae())
    train_vae(model, tmp_path / "run", 2)
    assert rates(model) == pytest.approx([3e-3, 1e-5])
    train_vae(model, tmp_path / "run", 3)
    assert_same_end(tmp_path / "run", undisturbed_vae)


@pytest.mark.slow
def test_a_loaded_model_can_be_trained_further(tmp_path, undisturbed_vae):
    train_vae(with_two_optimizers(vae()), tmp_path / "run", 2)
    train_vae(gdl.load(tmp_path / "run"), tmp_path / "run", 3)
    assert_same_end(tmp_path / "run", undisturbed_vae)


@pytest.mark.slow
@pytest.mark.parametrize(
    "precision,optimizers",
    [
        ("float32", lambda: (keras.optimizers.SGD(1e-6, momentum=0.9),)),
        ("mixed_bfloat16", lambda: (keras.optimizers.Adam(1e-3),)),
        ("mixed_float16", lambda: (keras.optimizers.Adam(1e-3), keras.optimizers.SGD(1e-6, momentum=0.9))),
    ],
    ids=["momentum", "bfloat16", "float16 and two optimisers"],
)
def test_load_gives_back_precision_optimizers_and_their_state(tmp_path, precision, optimizers):
    model = vae(precision)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)  # as the command line and the notebooks have it throughout
    try:
        model.compile(*optimizers())
        train_vae(model, tmp_path / "run", 3, halve_every=None)
    finally:
        keras.config.set_dtype_policy(before)
    loaded = gdl.load(tmp_path / "run")
    assert keras.config.dtype_policy().name == "float32", "loading leaves the global precision alone"
    assert loaded.dtype_policy.name == precision and loaded.get_config() == model.get_config()
    pairs = list(zip(model.weights, loaded.weights, strict=True))
    for (trained, _), (read, _) in zip(model.optimizer_groups, loaded.optimizer_groups, strict=True):
        assert type(trained) is type(read)
        assert (type(read).__name__ == "LossScaleOptimizer") == (precision == "mixed_float16")
        assert int(read.iterations) > 0
        pairs += zip(trained.variables, read.variables, strict=True)
    assert not [a.path for a, b in pairs if not np.array_equal(a.numpy(), b.numpy())]


class Script(keras.callbacks.Callback):
    """Gives the validation losses that a test wants, and remembers the weights of each epoch."""

    def __init__(self, *losses):
        super().__init__()
        self.losses = losses
        self.weights = {}

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.losses[epoch]
        self.weights[epoch + 1] = [np.copy(w) for w in self.model.get_weights()]


def has_weights(model, weights):
    return all(np.array_equal(a, b) for a, b in zip(model.get_weights(), weights, strict=True))


def patient(model, run, epochs, script, patience, **options):
    return train_vae(model, run, epochs, patience=patience, callbacks=[script], steps_per_epoch=1, **options)


@pytest.mark.slow
def test_patience_stops_keeps_the_best_and_stays_stopped(tmp_path, capsys):
    run, script = tmp_path / "run", Script(9.0, 5.0, 5.0, 7.0, 1.0, 2.0)
    model = with_two_optimizers(vae())
    history = patient(model, run, 6, script, patience=2)
    assert history.index.tolist() == [1, 2, 3, 4], "equal is not less"
    assert "has not fallen since epoch 2" in capsys.readouterr().out
    assert sorted(file.name for file in run.glob("*.h5")) == ["best.weights.h5", "epoch-0003.weights.h5", "epoch-0004.weights.h5"]
    assert has_weights(model, script.weights[2]) and not has_weights(model, script.weights[4])
    assert has_weights(gdl.load(run), script.weights[2])
    other = with_two_optimizers(vae())
    other.load_weights(run / "best.weights.h5")
    assert has_weights(other, script.weights[2])

    again = with_two_optimizers(vae())
    before = (run / "epoch-0004.weights.h5").stat().st_mtime_ns
    assert patient(again, run, 6, script, patience=2).index.tolist() == [1, 2, 3, 4]
    assert "its validation loss has stopped falling" in capsys.readouterr().out
    assert has_weights(again, script.weights[2]) and (run / "epoch-0004.weights.h5").stat().st_mtime_ns == before

    # more patience goes on from the last epoch, not from the best, and finds a better one
    undisturbed = Script(*script.losses)
    patient(with_two_optimizers(vae()), tmp_path / "undisturbed", 6, undisturbed, patience=3)
    more = with_two_optimizers(vae())
    assert patient(more, run, 6, script, patience=3).index.tolist() == [1, 2, 3, 4, 5, 6]
    assert has_weights(more, undisturbed.weights[5]) and has_weights(gdl.load(run), undisturbed.weights[5])


@pytest.mark.slow
def test_patience_and_halved_rates_leave_a_model_that_can_be_trained_further(tmp_path):
    model = with_two_optimizers(vae())
    script = Script(9.0, 5.0, 6.0, 4.0)
    patient(model, tmp_path / "run", 4, script, patience=1)
    assert rates(model) == pytest.approx([3e-3, 1e-5])
    assert patient(model, tmp_path / "run", 4, script, patience=2).index.tolist() == [1, 2, 3, 4]


@pytest.mark.slow
def test_without_patience_the_last_weights_are_kept(tmp_path):
    model, script = with_two_optimizers(vae()), Script(1.0, 5.0)
    train_vae(model, tmp_path / "run", 2, callbacks=[script], steps_per_epoch=1)
    assert has_weights(model, script.weights[2]) and has_weights(gdl.load(tmp_path / "run"), script.weights[2])
    assert not (tmp_path / "run" / "best.weights.h5").exists()


def test_patience_without_a_run_is_refused_in_one_sentence():
    with pytest.raises(gdl.CourseError) as error:
        train_vae(vae(), None, 2, patience=1)
    assert "patience needs a run folder" in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("losses,best", [([3.0, 2.0, 2.0, 4.0], 2), ([np.nan, 5.0, np.nan, 6.0], 2), ([np.nan, np.nan], 1), ([7.0], 1)])
def test_the_best_epoch_is_the_first_of_the_lowest(losses, best):
    assert best_epoch([{"epoch": i, "val_loss": loss} for i, loss in enumerate(losses, 1)]) == best


@pytest.mark.slow
def test_a_ctrl_c_that_python_forgets_still_stops_the_training(tmp_path):
    """An exception in a destructor is printed and forgotten, and KeyboardInterrupt with it."""

    class InDestructor:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)

    class Press(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.batch = batch
            if batch == 2:
                InDestructor()

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    press = Press()
    try:
        with pytest.raises(KeyboardInterrupt):
            train(tmp_path / "run", 2, [press])
        assert press.batch == 2
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "outside of training Ctrl-C is Python's again"
    finally:
        signal.signal(signal.SIGINT, before)
