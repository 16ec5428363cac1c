"""The command line, run as a stranger would run it: in a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gdl import drawn

TINY = "train autoencoder --data drawn --n 60 --size 32 --filters 4 8 --z-dim 4 --batch-size 8".split()


def run(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "gdl", *map(str, arguments)],
        capture_output=True, text=True, timeout=300, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("cli") / "ae"
    done = run(*TINY, "--epochs", 1, "--out", out)
    assert done.returncode == 0, done.stderr
    return out, done


def test_train_says_what_it_does(trained):
    out, done = trained
    assert re.search(r"drawn faces: 60 images of 32x32", done.stdout)
    assert re.search(r"autoencoder: [\d,]+ weights", done.stdout)
    assert "epoch 1/1: 100%" in done.stdout
    assert re.search(r"epoch 1, loss \S+ \(validation \S+\), \d+ images/s", done.stdout)
    assert (out / "run.json").is_file()


def test_train_goes_on_and_then_stops(trained):
    out, _ = trained
    more = run(*TINY, "--epochs", 2, "--out", out)
    assert more.returncode == 0 and "going on after epoch 1" in more.stdout
    assert pd.read_csv(out / "history.csv")["epoch"].tolist() == [1, 2]
    again = run(*TINY, "--epochs", 2, "--out", out)
    assert again.returncode == 0 and "nothing left to train" in again.stdout


def test_sample_writes_pictures(trained, tmp_path):
    out, _ = trained
    made = run("sample", out, "--out", tmp_path / "new.png", "--n", 16)
    assert made.returncode == 0, made.stderr
    assert np.asarray(Image.open(tmp_path / "new.png")).shape == (2 * 33, 8 * 33, 3)
    drawn.write_celeba(tmp_path / "celeba", 60)
    copied = run("sample", out, "--out", tmp_path / "copies.png", "--n", 6, "--reconstruct", tmp_path / "celeba")
    assert copied.returncode == 0, copied.stderr
    assert np.asarray(Image.open(tmp_path / "copies.png")).shape == (2 * 33, 6 * 33, 3)


def test_prepare_fills_the_cache(tmp_path):
    done = run("prepare", "--data", "drawn", "--n", 30, "--size", 32, GDL_CACHE=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == ["train: 24 images", "val: 3 images", "test: 3 images"]
    assert len(list(tmp_path.glob("*/images.npy"))) == 1


@pytest.mark.parametrize(
    "arguments,words",
    [
        ("train autoencoder --data /no/such/folder --out {tmp}/run", "/no/such/folder does not exist"),
        ("train autoencoder --data drawn --n 60 --size 50 --out {tmp}/run", "48 or 64"),
        ("sample {tmp}", "no run.json"),
        ("sample {tmp} --out picture.jpg", "does not end in .png"),
        ("train autoencoder --data drawn --n 60 --size 32 --dropout 2 --out {tmp}/run", "less than 1"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_status_1(arguments, words, tmp_path):
    done = run(*arguments.format(tmp=tmp_path).split())
    assert done.returncode == 1
    said = [line for line in done.stderr.splitlines() if line.startswith("gdl: ")]
    assert len(said) == 1 and words in said[0]
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


def test_wrong_options_are_exit_status_2_and_help_is_0():
    assert run("train", "autoencoder").returncode == 2
    assert run("train", "painter", "--out", "x").returncode == 2
    for command in ("prepare", "train", "sample"):
        told = run(command, "--help")
        assert told.returncode == 0 and "--" in told.stdout


def test_interrupted_training_says_how_to_go_on(tmp_path):
    command = [sys.executable, "-m", "gdl", *TINY, "--n", "400", "--batch-size", "2", "--epochs", "50", "--out", str(tmp_path / "run")]
    training = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )  # fmt: skip
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("run/epoch-*.weights.h5")) and time.monotonic() < deadline and training.poll() is None:
        time.sleep(0.2)
    training.send_signal(signal.SIGINT)
    _, errors = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "goes on after the last finished epoch" in errors and "Traceback" not in errors
