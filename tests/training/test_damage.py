"""Every file of a run folder damaged, missing, foreign or impossible to write: one sentence, and no whole epoch is lost."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import keras
import numpy as np
import pandas as pd
import pytest

import gdl

FACES = dict(n=60, size=16)


def model(**options):
    keras.utils.set_random_seed(1)
    return gdl.VAE(**{"image_size": 16, "z_dim": 2, "filters": (4,), **options})


def train(run, epochs, trained=None, **options):
    trained = trained or model()
    history = gdl.train(trained, gdl.DrawnFaces(**FACES), epochs, run=run, **{"steps_per_epoch": 1, "batch_size": 16, "seed": 1, **options})
    return trained, history


def weights(run, epoch):
    """All arrays of an epoch by their names, those of the optimiser too."""
    found = {}
    with h5py.File(run / f"epoch-{epoch:04d}.weights.h5") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def equal(one, two):
    return one.keys() == two.keys() and all(np.array_equal(one[name], two[name]) for name in one)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A run of four epochs."""
    run = tmp_path_factory.mktemp("runs") / "undisturbed"
    train(run, 4)
    return run


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """The same run after three epochs."""
    run = tmp_path_factory.mktemp("runs") / "three"
    train(run, 3)
    return run


@pytest.fixture
def run(three, tmp_path):
    return shutil.copytree(three, tmp_path / "run")


def sentence(function, *arguments, **options):
    with pytest.raises(gdl.CourseError) as error:
        function(*arguments, **options)
    assert "\n" not in str(error.value) and error.value.__suppress_context__ | (error.value.__context__ is None)
    return str(error.value)


def damage(file, kind):
    if kind == "missing":
        file.unlink()
    elif kind == "folder":
        file.unlink()
        file.mkdir()
    elif kind == "cut":
        file.write_bytes(file.read_bytes()[:-1])
    elif kind == "half":
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "empty":
        file.write_bytes(b"")
    elif kind == "foreign":
        file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(5000))
    elif kind == "another model":
        other = gdl.VAE(16, 3, (4,))
        other.compile("adam")
        other.save_weights(file)
    elif kind == "another optimiser":
        other = model()
        other.compile("sgd")
        other.save_weights(file)
    elif kind == "without an array":
        with h5py.File(file, "a") as opened:
            del opened["optimizer/vars/3"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["folder", "cut", "half", "empty", "foreign", "another model", "another optimiser", "without an array"])
def test_a_damaged_last_epoch_is_trained_again_from_the_one_before(run, undisturbed, capsys, kind):
    damage(run / "epoch-0003.weights.h5", kind)
    assert int(gdl.load(run).optimizer.iterations) == 2
    said = capsys.readouterr().out
    assert "epoch-0003.weights.h5" in said and "epoch 2 is whole, and is used." in said and said.count("\n") == 1
    _, history = train(run, 4, quiet=True)
    assert "continuing after epoch 2" in capsys.readouterr().out
    assert equal(weights(run, 4), weights(undisturbed, 4)) and equal(weights(run, 3), weights(undisturbed, 3))
    assert history.index.tolist() == [1, 2, 3, 4]
    assert (run / "epoch-0003.weights.h5.damaged").exists(), "a file that may be somebody's is not overwritten"


@pytest.mark.slow
def test_a_missing_last_epoch_is_trained_again(run, undisturbed):
    (run / "epoch-0003.weights.h5").unlink()
    train(run, 4, quiet=True)
    assert equal(weights(run, 4), weights(undisturbed, 4))


@pytest.mark.slow
def test_no_whole_epoch_is_one_sentence_and_the_model_stays_as_it_is(run):
    for epoch in (2, 3):
        damage(run / f"epoch-000{epoch}.weights.h5", "half")
    assert "epoch-0003.weights.h5 cannot be read (it is damaged), and no other epoch is whole: copy" in sentence(gdl.load, run)
    fresh = model()
    before = fresh.get_weights()
    assert "no other epoch is whole" in sentence(train, run, 4, fresh)
    assert all(np.array_equal(*pair) for pair in zip(before, fresh.get_weights(), strict=True))


def test_other_files_in_the_folder_are_no_epochs(run):
    for name in ("epoch-last.weights.h5", "epoch-0009.weights (1).h5", "epoch-.weights.h5", "notes.txt"):
        (run / name).write_text("mine")
    assert int(gdl.load(run).optimizer.iterations) == 3


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"null", b"[1, 2]", b"7", b'"text"', b"{}", b"\xff\xfe{", b"\x89PNG",
        {"model": 3}, {"options": []}, {"precision": None}, {"optimizers": "adam"}, {"optimizers": {}}, {"training": 1}, "folder", "cut",
    ],
)  # fmt: skip
@pytest.mark.parametrize("call", [gdl.load, lambda run: train(run, 4)], ids=["load", "train"])
def test_a_damaged_run_json_is_one_sentence_with_a_way_to_the_weights(run, content, call):
    file = run / "run.json"
    if isinstance(content, str):
        damage(file, content)
    elif isinstance(content, dict):
        file.write_text(json.dumps({**json.loads(file.read_text()), **content}))
    else:
        file.write_bytes(content)
    words = sentence(call, run)
    assert str(file) in words and f"model.load_weights('{run / 'epoch-0003.weights.h5'}')" in words


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "Painter"}, {"options": {"z_dim": -1}}, {"options": {"colour": 3}}, {"options": {"image_noise": 0.3}}, {"precision": "float99"},
        {"optimizers": {"optimizer 1": {}}}, {"optimizers": {"optimizer 1": 3}},
        {"optimizers": {"optimizer 1": {"module": "builtins", "class_name": "eval", "config": {}, "registered_name": None}}},
        {"optimizers": {"optimizer 1": {"module": None, "class_name": "Mine", "config": {}, "registered_name": "Mine"}}},
    ],
)  # fmt: skip
def test_a_run_json_with_other_values_is_one_sentence(run, changes):
    settings = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**settings, **changes}))
    assert str(run / "run.json") in sentence(gdl.load, run)
    assert keras.config.dtype_policy().name == "float32"


def test_a_missing_run_json_is_not_made_up(run):
    (run / "run.json").unlink()
    assert "has epoch-0003.weights.h5 but no run.json" in sentence(train, run, 4)
    assert "is not a run: it has no run.json" in sentence(gdl.load, run)
    assert "there is no such folder" in sentence(gdl.load, run / "none")


def spreadsheet(file):
    """What a German spreadsheet makes of the file."""
    text = file.read_text().replace(",", ";").replace(".", ",")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())


@pytest.mark.slow
@pytest.mark.parametrize("change", [spreadsheet, Path.unlink, lambda file: file.write_text(""), lambda file: file.write_text("epoch\n1\n")])
def test_a_history_that_a_spreadsheet_has_changed_is_repaired(run, undisturbed, change, capsys):
    change(run / "history.csv")
    _, history = train(run, 4, quiet=True)
    assert "lacks" not in capsys.readouterr().out
    names = ["loss", "val_loss", "learning_rate"]
    right = pd.read_csv(undisturbed / "history.csv").set_index("epoch")[names]
    pd.testing.assert_frame_equal(history[names], right, check_exact=True)
    pd.testing.assert_frame_equal(pd.read_csv(run / "history.csv").set_index("epoch")[names], right, check_exact=True)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"rows": 3, "counters": {}}', b'{"rows": [{"loss": 1}], "counters": {}}'])
@pytest.mark.parametrize("change", [lambda file: None, spreadsheet])
def test_a_damaged_history_json_is_replaced_by_the_table(run, content, change, capsys):
    expected = pd.read_csv(run / "history.csv").set_index("epoch")
    (run / "history.json").write_bytes(content)
    change(run / "history.csv")
    _, history = train(run, 3, quiet=True)
    assert "lacks" not in capsys.readouterr().out
    pd.testing.assert_frame_equal(history, expected, check_exact=True, check_dtype=False)


def test_epochs_that_no_file_has_are_said(run, capsys):
    (run / "history.json").unlink()
    lines = (run / "history.csv").read_text().splitlines()
    (run / "history.csv").write_text("\n".join([lines[0], lines[2]]) + "\n")
    _, history = train(run, 3, quiet=True)
    assert "lacks the epochs 1, 3, because its files are missing or changed; the weights have all epochs." in capsys.readouterr().out
    assert history.index.tolist() == [2]


@pytest.mark.slow
def test_damaged_pictures_do_not_stop_a_training(run, undisturbed):
    (run / "pictures" / "epoch-0001.png").write_bytes(b"no picture")
    (run / "pictures" / "epoch-0002.png").write_bytes((run / "pictures" / "epoch-0002.png").read_bytes()[:60])
    train(run, 4)
    assert equal(weights(run, 4), weights(undisturbed, 4)) and (run / "training.gif").stat().st_size > 0


@pytest.mark.slow
def test_pictures_that_cannot_be_written_do_not_stop_a_training(run, undisturbed, capsys):
    shutil.rmtree(run / "pictures")
    (run / "pictures").write_text("a file where the folder was")
    (run / "training.gif").unlink()
    (run / "training.gif").mkdir()
    train(run, 4)
    assert "pictures/epoch-0004.png cannot be written" in capsys.readouterr().out
    assert equal(weights(run, 4), weights(undisturbed, 4))


def refuse(monkeypatch, names, number):
    """Files whose names contain one of these cannot be renamed into their place."""
    replace = os.replace

    def fail(source, target):
        if any(name in str(target) for name in names):
            raise OSError(number, os.strerror(number))
        replace(source, target)

    monkeypatch.setattr(os, "replace", fail)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)


@pytest.mark.slow
def test_a_history_that_a_spreadsheet_has_open_does_not_stop_a_training(tmp_path, undisturbed, monkeypatch, capsys):
    with monkeypatch.context() as patch:
        refuse(patch, ["history.csv"], errno.EACCES)
        train(tmp_path / "run", 3, quiet=True)
    said = capsys.readouterr().out
    assert said.count("history.csv cannot be written (Permission denied): close it where another program has it open") == 3
    assert "The training goes on; the file is written again after the next epoch." in said and "make room" not in said
    train(tmp_path / "run", 4, quiet=True)
    assert pd.read_csv(tmp_path / "run" / "history.csv")["epoch"].tolist() == [1, 2, 3, 4]
    assert equal(weights(tmp_path / "run", 4), weights(undisturbed, 4))


@pytest.mark.slow
@pytest.mark.parametrize("kind, number", [(gdl.VAE, errno.ENOSPC), (gdl.VAE, errno.EDQUOT), (gdl.VAE, errno.EIO), (gdl.GAN, errno.ENOSPC)])
def test_a_disk_that_is_full_is_one_sentence_and_the_epochs_before_stay(tmp_path, monkeypatch, kind, number):
    keras.utils.set_random_seed(1)
    trained = kind(16, 2, (4,))
    run, write_bytes = tmp_path / "run", Path.write_bytes

    def fill(path, content):
        write_bytes(path, content[: len(content) // 2])
        if "epoch-0003.weights" in path.name:
            raise OSError(number, os.strerror(number))
        return write_bytes(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", fill)
        words = sentence(train, run, 4, trained, quiet=True)
    assert f"epoch-0003.weights.h5 cannot be written ({os.strerror(number)})" in words
    assert ("make room on the disk" in words) == (number in (errno.ENOSPC, errno.EDQUOT))
    assert sorted(file.name for file in run.glob("*.h5")) == ["epoch-0002.weights.h5"]
    loaded = gdl.load(run)
    assert int(loaded.optimizer.iterations) == 2
    train(run, 3, loaded, quiet=True)
    assert sorted(file.name for file in run.glob("*.h5")) == ["epoch-0002.weights.h5", "epoch-0003.weights.h5"]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows limits no file sizes")
def test_a_real_limit_on_the_size_of_a_file_does_not_end_the_process(tmp_path):
    program = """
import resource, sys, gdl
faces = gdl.DrawnFaces(60, 16)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # the weights have more bytes, all other files fewer
try:
    gdl.train(gdl.VAE(16, 64, (64,)), faces, 2, run=sys.argv[1], steps_per_epoch=1, quiet=True)
except gdl.CourseError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path / "run")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout == f"{tmp_path}/run/epoch-0001.weights.h5 cannot be written (File too large): choose another place.\n"
    assert not list((tmp_path / "run").glob("*.h5")) and not list((tmp_path / "run").glob(".partial*"))


@pytest.mark.slow
def test_a_run_folder_that_is_deleted_during_training_is_made_again(tmp_path, undisturbed, capsys):
    run = tmp_path / "run"
    delete = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: shutil.rmtree(run) if epoch == 2 else None)
    train(run, 4, callbacks=delete, quiet=True)
    assert equal(weights(run, 4), weights(undisturbed, 4))
    assert int(gdl.load(run).optimizer.iterations) == 4
    assert pd.read_csv(run / "history.csv")["epoch"].tolist() == [1, 2, 3, 4]


def test_a_folder_in_which_nothing_can_be_written_is_said_before_any_training(run, monkeypatch):
    monkeypatch.setattr(gdl.VAE, "fit", lambda *arguments, **options: pytest.fail("it trains"))
    refuse(monkeypatch, ["run.json"], errno.EROFS)
    assert "run.json cannot be written (Read-only file system): choose another place." in sentence(train, run, 4)
    assert train(run, 3)[1].index.tolist() == [1, 2, 3], "nothing is left to train, so nothing is written"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "missing", "another model"])
def test_lost_best_weights_are_said(tmp_path, kind, capsys):
    run = tmp_path / "run"
    train(run, 3, patience=5, quiet=True)
    damage(run / "best.weights.h5", kind)
    words = sentence(train, run, 3, patience=5)
    assert "best.weights.h5" in words and "the best weights are lost; gdl.load(" in words
    capsys.readouterr()
    assert int(gdl.load(run).optimizer.iterations) == 3
    assert "these are the weights of epoch 3, and not of the best." in capsys.readouterr().out


@pytest.mark.slow
def test_loading_while_training_goes_on_reads_a_whole_epoch(tmp_path):
    seen = []

    def load(epoch, logs):
        if epoch:
            seen.append(int(gdl.load(tmp_path / "run").optimizer.iterations))

    train(tmp_path / "run", 4, callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=load)], quiet=True)
    assert seen == [1, 2, 3], "callbacks come before the epoch is saved"
