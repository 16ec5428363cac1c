"""Training: what a run folder holds, and that a killed training ends where an undisturbed one does."""

import json
import signal
import subprocess
import sys
import textwrap

import h5py
import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import gdl
from gdl import training

# everything that draws random numbers or changes from epoch to epoch is on: flips, dropout, step decay
TRAIN = """
    import os, signal, keras, gdl
    from gdl import training

    def train(run, epochs, callbacks=()):
        keras.utils.set_random_seed(1)
        model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16), dropout=0.2)
        return gdl.train(
            model, gdl.DrawnFaces(n=100, size=32), epochs, run=run, batch_size=16,
            learning_rate=3e-3, halve_every=1, flip=True, seed=1, callbacks=callbacks,
        )
"""
train = {}
exec(textwrap.dedent(TRAIN), train)
train = train["train"]


def in_another_process(code):
    """Runs TRAIN and then the code in a Python of its own; returns its exit status."""
    code = textwrap.dedent(TRAIN) + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)


def arrays(file):
    """All arrays of an HDF5 file by their path."""
    found = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(run, epochs=3)
    return run


def assert_same_end(run, undisturbed):
    ends = arrays(run / "epoch-0003.weights.h5"), arrays(undisturbed / "epoch-0003.weights.h5")
    assert ends[0].keys() == ends[1].keys()
    assert any("optimizer" in name for name in ends[0])
    different = [name for name in ends[0] if not np.array_equal(ends[0][name], ends[1][name])]
    assert not different
    histories = [pd.read_csv(folder / "history.csv")[["epoch", "loss", "val_loss", "learning_rate"]] for folder in (run, undisturbed)]
    pd.testing.assert_frame_equal(*histories, check_exact=True)


def test_killed_in_the_middle_of_an_epoch(tmp_path, undisturbed):
    killed = in_another_process(
        f"""
        class Kill(keras.callbacks.Callback):
            def on_epoch_begin(self, epoch, logs=None):
                self.epoch = epoch
            def on_train_batch_end(self, batch, logs=None):
                if self.epoch == 1 and batch == 2:
                    os.kill(os.getpid(), signal.SIGKILL)
        train({str(tmp_path / "run")!r}, 3, [Kill()])
        """
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [file.name for file in training.RunFolder(tmp_path / "run").weights()] == ["epoch-0001.weights.h5"]
    resumed = in_another_process(f"train({str(tmp_path / 'run')!r}, 3)")
    assert resumed.returncode == 0, resumed.stderr
    assert "going on after epoch 1" in resumed.stdout
    assert_same_end(tmp_path / "run", undisturbed)


def test_killed_while_the_weights_are_written(tmp_path, undisturbed):
    killed = in_another_process(
        f"""
        save = keras.Model.save_weights
        def half(self, path, *arguments, **options):
            save(self, path, *arguments, **options)
            if "epoch-0002" in str(path):
                os.truncate(path, os.path.getsize(path) // 2)
                os.kill(os.getpid(), signal.SIGKILL)
        keras.Model.save_weights = half
        train({str(tmp_path / "run")!r}, 3)
        """
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    train(tmp_path / "run", epochs=3)
    assert_same_end(tmp_path / "run", undisturbed)
    assert len(list((tmp_path / "run").glob("*epoch-0002*"))) == 0, "what the killed process left is cleared away"


def test_a_run_folder_holds_safe_files_only(undisturbed):
    files = sorted(str(file.relative_to(undisturbed)) for file in undisturbed.rglob("*") if file.is_file())
    assert files == ["epoch-0003.weights.h5", "history.csv"] + [f"pictures/epoch-000{i}.png" for i in (1, 2, 3)] + ["run.json", "training.gif"]
    history = pd.read_csv(undisturbed / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history["learning_rate"].tolist() == pytest.approx([3e-3, 1.5e-3, 0.75e-3])
    assert (history["images_per_second"] > 0).all()
    settings = json.loads((undisturbed / "run.json").read_text())
    assert settings["options"]["filters"] == [8, 16] and settings["training"]["flip"] is True
    picture = np.asarray(Image.open(undisturbed / "pictures" / "epoch-0003.png"))
    assert picture.shape == (2 * 33, 6 * 33, 3)
    originals = gdl.DrawnFaces(n=100, size=32).val.images
    assert np.array_equal(picture[:32, :32], originals[0]), "the first row shows the images themselves"
    assert not np.array_equal(picture[33:65, :32], originals[0])


def test_load_gives_the_trained_model(undisturbed):
    model = gdl.load(undisturbed)
    faces = gdl.DrawnFaces(n=100, size=32)
    loss = model.evaluate(faces.val.batches(16, shuffle=False), verbose=0)
    assert loss == pytest.approx(pd.read_csv(undisturbed / "history.csv")["val_loss"].iloc[-1], rel=1e-5)


def test_a_finished_run_is_left_alone(undisturbed, capsys):
    before = (undisturbed / "epoch-0003.weights.h5").stat().st_mtime_ns
    history = train(undisturbed, epochs=3)
    assert "nothing left to train" in capsys.readouterr().out
    assert history.index.tolist() == [1, 2, 3]
    assert (undisturbed / "epoch-0003.weights.h5").stat().st_mtime_ns == before


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


def test_a_compiled_model_keeps_its_optimizer():
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    model.compile(keras.optimizers.SGD(0.0))
    before = model.encoder.trainable_weights[0].numpy().copy()
    gdl.train(model, gdl.DrawnFaces(n=100, size=32), 1)
    assert np.array_equal(before, model.encoder.trainable_weights[0].numpy())


def test_steps_per_epoch_cuts_the_epoch_short():
    model = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16))
    gdl.train(model, gdl.DrawnFaces(n=100, size=32), 2, batch_size=16, steps_per_epoch=2)
    assert int(model.optimizer.iterations) == 4
