"""Experiments: what a file may say, what is trained and measured of it, and that a killed one ends where an undisturbed one does."""

import itertools
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from PIL import Image

import gdl
from gdl.errors import CourseError
from gdl.experiments import experiment, scores
from gdl.experiments import run as running
from gdl.experiments.job import Job
from gdl.experiments.options import parser
from gdl.training.lock import locked

FILES = sorted((ROOT / "experiments").glob("*.toml"))
PROGRAMS = Path(__file__).parent / "programs"
TINY = (PROGRAMS / "tiny.toml").read_text()
CELLS = ["z_dim=2", "z_dim=3"]


@pytest.fixture
def write(tmp_path):
    """A function that writes the file of an experiment."""

    def write_file(text):
        (tmp_path / "some.toml").write_text(text)
        return tmp_path / "some.toml"

    return write_file


@pytest.fixture(scope="module", autouse=True)
def few_mixture_components():
    """There are too few tiny images for ten."""
    original = scores.mixture_codes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scores, "mixture_codes", lambda *args, **options: original(*args, components=2, **options))
        yield


def run(file, out, **options):
    running.run(file, out, replaced={"data": "drawn"}, **options)


def job_of(words):
    """The Job of a command line."""
    return Job.from_settings(
        {name: value for name, value in vars(parser().parse_args(words.split())).items() if name not in ("command", "out", "devices")}
    )


def files_of(out):
    """The time of the last change of each cell's files."""
    return {file: file.stat().st_mtime_ns for cell in CELLS for file in (out / cell).rglob("*") if file.is_file() and file.name[0] != "."}


def table(out):
    return pd.read_csv(out / "table.csv").drop(columns="cpu_minutes", errors="ignore")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The folder of the tiny experiment."""
    out = tmp_path_factory.mktemp("experiment") / "out"
    run(PROGRAMS / "tiny.toml", out)
    return out


def test_a_grid_is_every_combination(write):
    grid = {"z_dim": [4, 8], "residual": [False, True], "downsampling": ["stride", "dilation"], "filters": [[4], [4, 8]]}
    text = '[train]\nmodel = "wgan_gp"\nflip = false\nbatch_norm = false\ncritic_learning_rate = 1e-3\n[grid]\n'
    text += "\n".join(f"{name} = {json.dumps(values)}" for name, values in grid.items())
    read = experiment.read(write(text), "out")
    assert [tuple(cell.own.values()) for cell in read.cells] == list(itertools.product(*grid.values()))
    assert read.cells[-1].name == "z_dim=8,residual=true,downsampling=dilation,filters=4-8"
    words = "train wgan_gp --no-flip --no-batch-norm --critic-learning-rate 0.001 --z-dim 8 --residual --downsampling dilation --filters 4 8 --out"
    assert read.cells[-1].job == job_of(f"{words} out") and read.cells[-1].folder == Path("out", read.cells[-1].name)
    assert read.cells[0].job.model_options["residual"] is False and read.cells[0].job.model_options["filters"] == (4,)
    assert read.measure == experiment.MEASURE


def test_variants_and_the_small_version_and_the_command_replace_in_this_order():
    file = PROGRAMS / "variants.toml"
    large, small = (experiment.read(file, "out", small, {"n": 300, "data": "drawn"}) for small in (False, True))
    assert [cell.name for cell in large.cells] == ["plain,z_dim=4", "plain,z_dim=8", "blurred,z_dim=4", "blurred,z_dim=8"]
    assert [(cell.job.model_options["beta"], cell.job.epochs, cell.job.n, cell.job.data) for cell in large.cells] == [
        (b, 9, 300, "drawn") for b in (3, 3, 7, 7)
    ]
    assert [(cell.name, cell.job.epochs) for cell in small.cells] == [("plain,z_dim=5", 2), ("blurred,z_dim=5", 2)]
    assert (large.measure["network"], small.measure["network"], small.measure["samples"]) == ("inception", "stand_in", 100)


@pytest.mark.parametrize(
    "old,new,words",
    [
        ("title =", "titel =", "titel is not known"),
        ('title = "Codes of two lengths"', "title = 3", "title must be a text"),
        ("[grid]", "[gird]", "gird is not known"),
        ("epochs = 2", "epoch = 2", "vae has no option 'epoch'"),
        ("epochs = 2", "epochs = 2.5", "epochs is 2.5: give a whole number"),
        ("epochs = 2", "clip = 0.1", "vae has no option 'clip'"),
        ("epochs = 2", 'out = "here"', "vae has no option 'out'"),
        ("epochs = 2", "help = true", "vae has no option 'help'"),
        ("epochs = 2", "image_size = 32", "vae has no option 'image_size'"),
        ("epochs = 2", "beta_1 = 0.5", "vae has no option 'beta_1'"),
        ("epochs = 2", "epochs = 2\ncritic_learning_rate = 1", "vae has no option 'critic_learning_rate'"),
        ("epochs = 2", "epochs = 2\nflip = 3", "flip is 3: give True or False"),
        ("epochs = 2", "epochs = 2\nbatch_norm = 'yes'", "batch_norm is 'yes': give True or False"),
        ("epochs = 2", "epochs = 2\nwarm_up = 'long'", "warm_up is 'long': give a number"),
        ("epochs = 2", "epochs = 2\nprecision = 'float8'", "precision is 'float8': choose from float32"),
        ("epochs = 2", "batch = 2", "vae has no option 'batch'"),  # no abbreviations
        ("epochs = 2", "epochs = ", "is not TOML"),
        ("[2, 3]", "[2, 2]", "z_dim in [grid]"),
        ("[2, 3]", "2", "z_dim in [grid]"),
        ("[2, 3]", "[2, 'long']", "z_dim=long: z_dim is 'long': give a whole number"),
        ("[2, 3]", "[2, -3]", "z_dim=-3: z_dim is -3"),
        ("z_dim = [2, 3]", "size = [32, 64]", "size is in [grid] and also fixed elsewhere"),
        ("z_dim = [2, 3]", "", "compares nothing"),
        ('"vae"', '"painter"', "model is 'painter'"),
        ('"vae"', '"classifier"', "a classifier makes no images to compare"),
        ('"vae"', '"gan"\nlabel_noise = "much"', "label_noise is 'much': give a number"),
        ('"vae"', '"vae"\nreconstruction = "l1"', "reconstruction='l1' is not known"),
        ("filters = [4]", "filters = [4, 4, 4, 4, 4, 4]", "cannot be halved 6 times"),
        ("samples = 40", "samples = 1", "samples in [measure] is 1"),
        ("samples = 40", "sample = 40", "sample in [measure] is not known"),
        ('["train", "val"]', '"train"', "against in [measure] is 'train': give a list"),
        ('["train", "val"]', '["training"]', "against in [measure]"),
        ('"stand_in"', '["stand_in"]', "network in [measure] is ['stand_in']: give one of"),
        ("[measure]", "[[variants]]\nbeta = 1\n[measure]", "needs a name of its own"),
        ("[measure]", '[[variants]]\nname = "../up"\n[measure]', "needs a name of its own"),
        ("[measure]", "[small.trian]\n[measure]", "small.trian is not known"),
    ],
)
def test_a_mistake_is_found_before_any_training(old, new, words, write, tmp_path):
    assert TINY.count(old) == 1
    file = write(TINY.replace(old, new))
    with pytest.raises(CourseError) as error:
        run(file, tmp_path / "out")
    sentence = str(error.value)
    assert str(file) in sentence and words in sentence and len(sentence.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_other_mistakes(write, tmp_path):
    with pytest.raises(CourseError, match="cannot be read"):
        experiment.read(tmp_path / "no.toml", "out")
    with pytest.raises(CourseError, match="no small version"):
        experiment.read(write(TINY), "out", small=True)
    with pytest.raises(CourseError, match="leave --n out of the command"):
        experiment.read(write(TINY.replace("z_dim = [2, 3]", "n = [30, 60]").replace("n = 60", "")), "out", replaced={"n": 5})


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
@pytest.mark.parametrize("small", [False, True])
def test_the_course_s_experiments_can_be_run(file, small):
    read = experiment.read(file, "out", small)  # raises what does not fit
    assert read.title and read.question.endswith("?") and 2 <= len(read.cells) <= 20
    for cell in read.cells:
        if small:
            assert read.measure["samples"] <= 1000 and cell.job.n <= 12_000 and cell.job.size <= 64
    if small:
        running._try_jobs(file, read.cells[-1:])


def test_the_experiment_of_the_same_budget_says_what_was_trained():
    usual = "--beta-1 0.5 --beta-2 0.9 --critic-steps 3 --penalty-every 1"
    commands = [
        "vae --epochs 35 --patience 0 --halve-every 10",
        "vae --epochs 19 --patience 0 --batch-size 128 --filters 128 128 128 128 --kernel-sizes 3 --z-dim 200 --beta 6.144 "
        "--learning-rate 5e-4 --halve-every 0 --no-flip --ema 0",
        "wgan_gp --epochs 19",
        f"wgan_gp --epochs 7 --filters 64 128 256 512 --learning-rate 2e-4 --critic-learning-rate 2e-4 --halve-every 0 --no-flip --ema 0 {usual}",
        "gan --epochs 21",
        "wgan --epochs 33",
        "vae --epochs 42 --patience 0 --batch-size 128 --learning-rate 1e-3 --halve-every 10 --ema 0",
        "gan --epochs 22 --learning-rate 2e-4 --beta-1 0.5 --beta-2 0.9 --halve-every 0 --augment --label-smoothing 0.1",
        f"wgan_gp --epochs 23 --learning-rate 4e-4 --critic-learning-rate 4e-4 --halve-every 11 {usual}",
    ]
    file = next(file for file in FILES if file.stem == "same_budget")
    for command, cell in zip(commands, experiment.read(file, "out").cells, strict=True):
        assert cell.job == job_of(f"train {command} --precision mixed_bfloat16 --out out")


@pytest.mark.slow
def test_an_experiment_writes_its_table_and_figure(undisturbed):
    rows = pd.read_csv(undisturbed / "table.csv")
    assert rows["z_dim"].tolist() == [2, 3] and rows["epochs"].tolist() == [2, 2] and (rows["cpu_minutes"] > 0).all()
    for row, cell in zip(rows.to_dict("records"), CELLS):
        model, history = gdl.load(undisturbed / cell), pd.read_csv(undisturbed / cell / "history.csv")
        assert row["parameters"] == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
        assert row["val_kl_loss"] == pytest.approx(history["val_kl_loss"].iloc[-1]) and row["cpu_minutes"] == pytest.approx(
            history["cpu_seconds"].sum() / 60
        )
        faces = gdl.DrawnFaces(60, 32)
        generated = model.generate(40)
        assert row["stand_in_distance_train"] == pytest.approx(gdl.metrics.stand_in_distance(generated, faces.train), rel=1e-4)
        assert row["stand_in_distance_val"] == pytest.approx(gdl.metrics.stand_in_distance(generated, faces.val), rel=1e-4)
        assert row["mse"] == pytest.approx(np.mean((model.reconstruct(faces.val.images) - faces.val.images / 255) ** 2), rel=1e-4)
        assert {
            "mixture_stand_in_distance_val",
            "stand_in_precision",
            "stand_in_recall",
            "ssim",
            "pearson",
            "stand_in_reconstruction_distance",
        } <= set(row)
    page = (undisturbed / "table.md").read_text()
    assert (
        page.startswith("# Codes of two lengths\n\nIs the longer one better?\n")
        and "python -m gdl experiment" in page
        and "whose distances are not FIDs" in page
    )
    lines = [line for line in page.splitlines() if line.startswith("|")]
    assert len(lines) == 4 and len({line.count("|") for line in lines}) == 1 and "±" in lines[2]
    with Image.open(undisturbed / "figure.png") as figure:
        assert figure.width > 10 * 33 and figure.height > 2 * 33
    with Image.open(undisturbed / "z_dim=3" / "samples.png") as image:
        samples = np.asarray(image)
    assert np.array_equal(samples, gdl.plots.grid(gdl.load(undisturbed / "z_dim=3").generate(10), columns=10)), "samples are of noise"


@pytest.mark.slow
def test_what_is_done_is_left_alone_and_what_has_changed_is_done_anew(undisturbed, write, tmp_path, capsys):
    out = shutil.copytree(undisturbed, tmp_path / "out")
    before, results = files_of(out), table(out)
    (out / "table.csv").unlink()  # as if killed between the result and the table
    run(write(TINY), out)
    assert files_of(out) == before and "Cell" not in capsys.readouterr().out
    pd.testing.assert_frame_equal(table(out), results, check_exact=True)

    run(write(TINY.replace("samples = 40", "samples = 30").replace("[2, 3]", "[2]")), out)
    changed = [file for file, time in files_of(out).items() if before[file] != time]
    assert sorted(file.name for file in changed) == ["result.json", "samples.png"] and {file.parent.name for file in changed} == {"z_dim=2"}
    assert len(table(out)) == 1 and table(out)["stand_in_distance_train"][0] != results["stand_in_distance_train"][0]

    run(write(TINY.replace("epochs = 2", "epochs = 3").replace("[2, 3]", "[2]")), out)
    assert "continuing after epoch 2" in capsys.readouterr().out and table(out)["epochs"].tolist() == [3]

    file = write(TINY.replace("epochs = 2", "epochs = 2\nhalve_every = 1").replace("[2, 3]", "[2, 4]"))
    with pytest.raises(
        CourseError, match=r"1 of 2 cells failed: .*z_dim=2 holds a training with other settings \(halve_every was 20 and is now 1\)"
    ) as error:
        run(file, out)
    assert len(str(error.value).splitlines()) == 1
    assert capsys.readouterr().out.count("Cell 1 of 2") == 1, "it fails once"
    rows = table(out)
    assert rows["z_dim"].tolist() == [2, 4] and "other settings" in rows["note"][0] and rows["epochs"][1] == 2, "the others go on"
    assert json.loads((out / "z_dim=2" / "result.json").read_text())["row"]["epochs"] == 3, "what was measured before is not lost"


@pytest.mark.slow
def test_a_killed_experiment_ends_where_an_undisturbed_one_does(undisturbed, write, tmp_path, capsys):
    file, out = write(TINY), tmp_path / "out"
    done = subprocess.run([sys.executable, PROGRAMS / "killed.py", file, out], capture_output=True, text=True, timeout=300)
    assert done.returncode == -9, done.stderr
    assert len(table(out)) == 1 and "1 of 2 cells" in (out / "table.md").read_text()
    finished = {file: time for file, time in files_of(out).items() if file.parent.name == "z_dim=2"}
    run(file, out)
    printed = capsys.readouterr().out
    assert "Cell 2 of 2" in printed and "Cell 1 of 2" not in printed and "continuing after epoch 1" in printed
    assert finished.items() <= files_of(out).items(), "a finished cell is not touched"
    pd.testing.assert_frame_equal(table(out), table(undisturbed), check_exact=True)


@pytest.mark.slow
def test_a_cell_that_diverges_is_in_the_table_and_the_others_go_on(tmp_path, capsys):
    file, out = PROGRAMS / "fast_and_slow.toml", tmp_path / "out"
    run(file, out)
    rows = pd.read_csv(out / "table.csv")
    assert rows["variant"].tolist() == ["vae", "gan"]
    assert rows["note"][0].startswith("diverged: ") and "in epoch 1" in rows["note"][0] and np.isnan(rows["epochs"][0])
    assert rows["epochs"][1] == 2 and rows["stand_in_distance_train"][1] > 0 and "mse" not in rows and "mixture_stand_in_distance_train" not in rows
    assert not list((out / "vae").glob("*.weights.h5")), "an epoch of NaN is not kept"
    assert json.loads((out / "gan" / "run.json").read_text())["precision"] == "mixed_bfloat16"
    assert "diverged" in (out / "table.md").read_text() and (out / "figure.png").is_file()
    capsys.readouterr()
    run(file, out)
    assert "Cell" not in capsys.readouterr().out, "it would diverge again"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"measure": 3}', b"\xff", "other row", "other train", "missing", "folder"])
def test_a_damaged_result_is_none(undisturbed, tmp_path, content):
    read = experiment.read(PROGRAMS / "tiny.toml", shutil.copytree(undisturbed, tmp_path / "out"), replaced={"data": "drawn"})
    cell = read.cells[0]
    file = cell.folder / "result.json"
    whole = json.loads(file.read_text())
    request = {"measure": whole["measure"], "train": whole["train"]}
    assert running._read_result(cell, request)["row"] == whole["row"]
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content.startswith("other"):
        file.write_text(json.dumps({**whole, content.split()[1]: []}))
    else:
        file.unlink()
        if content == "folder":
            file.mkdir()
    assert running._read_result(cell, request) is None


@pytest.mark.slow
def test_a_damaged_picture_is_left_out_of_the_figure_and_said(undisturbed, tmp_path, capsys):
    out = shutil.copytree(undisturbed, tmp_path / "out")
    (out / CELLS[0] / "samples.png").write_bytes(b"no picture")
    run(PROGRAMS / "tiny.toml", out)
    assert f"{CELLS[0]}/samples.png is damaged and left out of the figure" in capsys.readouterr().out


def report_of(out):
    """The table, the page and the figure without measured times and the name of the folder."""
    page = (out / "table.md").read_text().replace(str(out), "OUT")
    assert page.count("| cpu minutes |") == 1 and pd.read_csv(out / "table.csv").columns[2] == "cpu_minutes"
    lines = ["|".join(line.split("|")[:3] + line.split("|")[4:]) for line in page.splitlines()]
    rows = [line.split(",")[:2] + line.split(",")[3:] for line in (out / "table.csv").read_text().splitlines()]
    return lines, rows, (out / "figure.png").read_bytes()


def meanwhile(monkeypatch, seconds, action):
    """Has `action` called when `run` waits for so many seconds for the first time."""
    actions = {seconds: action}

    def sleep(seconds):
        actions.pop(seconds, lambda: None)()
        time.sleep(0.1)

    monkeypatch.setattr(running, "time", SimpleNamespace(sleep=sleep))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["both_end", "one_is_killed"])
def test_two_processes_share_the_cells(undisturbed, tmp_path, capfd, monkeypatch, killed):
    file, out = PROGRAMS / "tiny.toml", tmp_path / "out"
    program = [sys.executable, PROGRAMS / "waits.py", file, out]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        printed = []
        while "It waits\n" not in printed:
            printed.append(other.stdout.readline())
            assert printed[-1], "it has ended"
        meanwhile(monkeypatch, running.SECONDS, other.kill if killed else lambda: print(file=other.stdin, flush=True))
        run(file, out)
        here, there = capfd.readouterr().out, "".join(printed) + other.communicate()[0]
    assert here.count(f"Waiting for z_dim=2: process {other.pid} on ") == 1 and "Waiting" not in there
    assert here.count("Cell 2 of 2: z_dim=3\n") == 1 and "Cell 2 of 2" not in there and "2 of 2 cells are done" in here
    if killed:
        assert other.returncode == -9 and "cells are done" not in there
        assert here.count("Cell 1 of 2: z_dim=2\n") == 1 and here.count("continuing after epoch 1") == 1, "it is taken over"
    else:
        assert other.returncode == 0 and "2 of 2 cells are done" in there
        assert "Cell 1 of 2" not in here and there.count("Cell 1 of 2: z_dim=2\n") == 1
    assert report_of(out) == report_of(undisturbed)


def test_of_two_writers_one_waits(undisturbed, tmp_path, monkeypatch):
    out = shutil.copytree(undisturbed, tmp_path / "out")
    (out / "table.csv").unlink()
    with ExitStack() as other:
        other.enter_context(locked(out))
        meanwhile(monkeypatch, 0.1, other.close)
        run(PROGRAMS / "tiny.toml", out)
    assert report_of(out) == report_of(undisturbed)


@pytest.mark.slow
def test_a_cell_that_failed_here_and_was_measured_elsewhere_has_not_failed(undisturbed, tmp_path, monkeypatch, capsys):
    out, failing = tmp_path / "out", []

    def fail(cell, *arguments):
        failing.append(cell.name)
        raise CourseError("The disk of this machine is full: make room.")

    monkeypatch.setattr(running, "_run_cell", fail)
    with ExitStack() as other:
        other.enter_context(locked(out / CELLS[1], running.CLAIM))
        meanwhile(monkeypatch, running.SECONDS, lambda: (shutil.copytree(undisturbed, out, dirs_exist_ok=True), (out / "table.csv").unlink()))
        run(PROGRAMS / "tiny.toml", out)
    assert failing == [CELLS[0]] and f"Waiting for {CELLS[1]}: this process {os.getpid()} on" in capsys.readouterr().out
    assert report_of(out) == report_of(undisturbed)


@pytest.mark.parametrize(
    "wrong",
    [
        dict(samples=3), dict(samples="many"), dict(against=[]), dict(against="train"), dict(against=["all"]),
        dict(codes=["posterior"]), dict(copies="all"), dict(network="vgg"),
    ],
)  # fmt: skip
def test_scores_of_a_model_check_what_is_asked_first(wrong, monkeypatch):
    monkeypatch.setattr(gdl.VAE, "generate", lambda *arguments, **options: pytest.fail("it works already"))
    with pytest.raises(CourseError, match=min(wrong)):
        scores.model_scores(gdl.VAE(16, 2, (4,)), gdl.DrawnFaces(60, 16), **{"samples": 10, "network": "stand_in", **wrong})
