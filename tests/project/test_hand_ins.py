"""Real small hand-ins, checked and put on a leaderboard, and hostile ones, which cost only their own row."""

import importlib.util
import io
import json
import os
import shutil
import zipfile

import h5py
import keras
import numpy as np
import pytest
from conftest import ROOT
from hand_in_helpers import Touch, npz, refused
from PIL import Image

import gdl
from gdl import cli
from gdl.project import leaderboard as boards
from gdl.project import remake, rules, sandboxed
from gdl.project.check import check
from gdl.project.files import open_files
from gdl.project.hand_in import read_run, stage
from gdl.project.measures import copies, in_group, measure, nearest, recipe_of
from gdl.project.weights import open_model, pack

pytestmark = pytest.mark.slow
OPTIONS = dict(data="drawn", n=300, samples=64)
COMMAND = ["--data", "drawn", "--n", "300", "--samples", "64"]


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    """The two hand-ins that project/make_examples.py makes."""
    spec = importlib.util.spec_from_file_location("make_examples", ROOT / "project" / "make_examples.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    folder = tmp_path_factory.mktemp("examples")
    module.make_both(folder)
    return folder


@pytest.fixture
def gan(examples, tmp_path):
    """A copy of the first."""
    return shutil.copytree(examples / "a_gan", tmp_path / "a_gan")


def edit(folder, old, new):
    """Changes a text in project.toml."""
    text = (folder / "project.toml").read_text()
    assert old in text
    (folder / "project.toml").write_text(text.replace(old, new))


def texts(result):
    """The rows by their names: True, or what is missing."""
    return {row.name: row.ok or row.text for row in result.rows}


# --- the check


@pytest.mark.parametrize("name", ["a_gan", "a_vae"])
def test_an_example_lacks_nothing(examples, name):
    result = check(examples / name, **OPTIONS)
    assert all(row.ok for row in result.rows), texts(result)
    assert [row.name for row in result.rows][-2:] == ["model card", "report"]
    assert result.made.difference == 0, "on the same machine the same images"
    assert result.made.images.shape == (64, 16, 16, 3) and (result.made.own == {}) == (name == "a_gan")
    assert result.spent["epochs"] == 1 and result.spent["images"] == pytest.approx(240, abs=3) and result.recipe is None


def test_what_is_missing_is_said_with_how_to_mend_it(gan, capsys):
    faces = gdl.DrawnFaces(300, 16)
    gdl.plots.save_grid(gan / "samples.png", faces.train.images[:64])  # far better than what the model makes
    (gan / "card.md").write_text("## Data\n\nTODO")
    (gan / "report.md").unlink()
    edit(gan, 'group = "Young"', 'group = "Male"')
    edit(gan, "distance = ", "distance = 0.1 # ")
    edit(gan, "samples = 64", "samples = 640")
    rows = texts(check(gan, **OPTIONS, minutes=1e-4))
    assert rows["samples"].startswith("the 64 images of samples.png differ") and "not by rounding" in rows["samples"]
    assert "hand in a run that keeps to the budget" in rows["budget"]
    assert "0.1 is claimed" in rows["distance"] and "samples = 64 below [claims]" in rows["claims"]
    assert "the section '## Use' is missing" in rows["model card"] and "report.md is missing" in rows["report"]
    assert rows["weights"] is True and rows["copies"] is True

    Image.new("RGB", (10_000, 10_000)).save(gan / "samples.png")
    assert "10000x10000 pixels and not 136x136" in texts(check(gan, **OPTIONS))["samples"]
    with pytest.raises(SystemExit, match=r"^gdl: \d of \d+ checks of .* are not met: see the lines that begin with MISSING\.$"):
        cli.main(["project", "check", str(gan), *COMMAND])
    printed = capsys.readouterr().out
    assert "MISSING  report" in printed and "ok       weights" in printed


def test_one_image_that_was_picked_is_found(examples):
    made = remake.make(examples / "a_gan", 64).images
    other = made.copy()
    other[63] = 255 - other[63] // 2
    content = io.BytesIO()
    Image.fromarray(gdl.plots.grid(made)).save(content, "PNG")
    assert remake.difference(content.getvalue(), made) == 0 and remake.difference(content.getvalue(), other) > 3 * rules.DIFFERENCE
    refused("samples.png is damaged", remake.difference, content.getvalue()[:500], made)
    jpeg = io.BytesIO()
    Image.fromarray(gdl.plots.grid(made)).save(jpeg, "JPEG")
    refused("no PNG file", remake.difference, jpeg.getvalue(), made)


def test_the_minutes_of_trained_parts_count(gan):
    shutil.copytree(gan / "run", gan / "autoencoder")
    history = json.loads((gan / "autoencoder" / "history.json").read_text())
    history["rows"][0]["seconds"] = 3600.0
    (gan / "autoencoder" / "history.json").write_text(json.dumps(history))
    edit(gan, "group =", 'further_runs = ["autoencoder"]\ngroup =')
    result = check(gan, **OPTIONS)
    assert result.spent["minutes"] == pytest.approx(60, abs=3) and texts(result)["budget"] is True


# --- weights


def opened(folder, weights="weights.npz", content=None, name="", **changed):
    """The model of a hand-in with another file of weights, or with other settings."""
    settings = read_run(open_files(folder)).settings | changed
    return open_model(settings, name, weights, (folder / weights).read_bytes() if content is None else content)


def test_both_files_of_weights_give_the_trained_model(gan):
    images = gdl.load(gan / "run").generate(3, seed=1)
    for weights in ("weights.npz", "run/epoch-0001.weights.h5"):
        np.testing.assert_array_equal(opened(gan, weights).generate(3, seed=1), images)
    assert (gan / "weights.npz").stat().st_size < (gan / "run" / "epoch-0001.weights.h5").stat().st_size / 2


def test_a_class_of_ones_own_is_made_as_its_parent(gan):
    refused("class 'MyGAN', which is not of the course, and code is not run", opened, gan, model="MyGAN")
    options = read_run(open_files(gan)).settings["options"] | {"my_option": 3}
    assert type(opened(gan, name="GAN", model="MyGAN", options=options)) is gdl.GAN


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "float64"])
def test_the_precision_of_the_run_is_used_and_the_sessions_stays(gan, precision):
    before = keras.config.dtype_policy().name
    if precision == "float64":
        refused("precision in run.json is none of", opened, gan, precision=precision)
    else:
        assert opened(gan, precision=precision).dtype_policy.name == precision
    assert keras.config.dtype_policy().name == before


@pytest.mark.parametrize("name", ["os.system", "Sequential", "classifier", "Functional"])
def test_other_classes_are_never_made(gan, name):
    refused("not of the course|makes no images|with which no", opened, gan, model=name)


def test_options_that_make_no_sense_are_one_sentence(gan):
    options = read_run(open_files(gan)).settings["options"]
    for name, value, said in (
        ("filters", "many", "filters is 'many': give a tuple of whole numbers"),
        ("filters", [{}], r"filters is \[{}\]: give a tuple of whole numbers"),
        ("z_dim", -1, "z_dim is -1: give a whole number, at least 1"),
        ("image_size", 17, "image_size 17 cannot be halved 2 times"),
        ("pixel_range", None, "pixel_range None is not known"),
    ):
        refused(said, opened, gan, options=options | {name: value})
    for wrong in ({"filters": [8, 20_000]}, {"z_dim": 10**9}, {"image_size": 10**6}):
        refused("the project takes models with at most", opened, gan, options=options | wrong)


def h5(folder, change):
    """The weights of the run, changed by a function of the open file."""
    content = io.BytesIO((folder / "run" / "epoch-0001.weights.h5").read_bytes())
    with h5py.File(content, "a") as file:
        change(file)
    return content.getvalue()


def first(file):
    """The name of the first array of the generator."""
    names = []
    file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) and "optimizer" not in name and item.ndim > 1 else None)
    return names[0]


def replace(file, **options):
    name = first(file)
    del file[name]
    file.create_dataset(name, **options)


def test_weights_that_are_no_plain_numbers_of_this_model_are_refused(gan, tmp_path):
    with np.load(gan / "weights.npz") as file:
        arrays = dict(file)
    wrong = {
        "another model": npz(**arrays | {"weight 0": np.zeros((2, 2))}),
        "another model .": npz(**{name: array for name, array in arrays.items() if name != "weight 0"}),
        "NaN or infinite": npz(**arrays | {"weight 0": np.full_like(arrays["weight 0"], np.nan)}),
        "Python objects": npz(**arrays | {"weight 0": np.array([Touch(tmp_path / "ran")], dtype=object)}),
        "unpacks to more": npz(**arrays | {"more": np.zeros(10**7)}),
        "damaged": b"PK\x03\x04" + bytes(100),
    }
    for said, content in wrong.items():
        refused(said.rstrip(" ."), opened, gan, content=content)
    pack(gdl.GAN(16, z_dim=8, filters=(8, 32)), tmp_path / "other.npz")
    refused("another model", opened, gan, content=(tmp_path / "other.npz").read_bytes())
    assert not (tmp_path / "ran").exists()


def test_weights_in_hdf5_that_lie_elsewhere_or_are_not_numbers_are_refused(gan, tmp_path):
    outside = tmp_path / "outside.bin"
    outside.write_bytes(bytes(10**5))

    def link(file):
        name = first(file)
        del file[name]
        file[name] = h5py.ExternalLink(str(gan / "run" / "epoch-0001.weights.h5"), name)

    shape, weights = (1, 10), "a.weights.h5"
    refused("another model", opened, gan, weights, h5(gan, link))
    refused("another model", opened, gan, weights, h5(gan, lambda file: replace(file, data=np.zeros(shape))))
    refused("refers to other files", opened, gan, weights, h5(gan, lambda file: replace(file, shape=shape, dtype="f4", external=str(outside))))
    refused("other than numbers", opened, gan, weights, h5(gan, lambda file: replace(file, data=np.array([b"text"] * 3, dtype="S4"))))
    refused("another model", opened, gan, weights, h5(gan, lambda file: replace(file, shape=(10**12,), dtype="f8", chunks=(10**6,))))
    refused("damaged", opened, gan, weights, b"\x89HDF\r\n\x1a\n" + bytes(1000))


# --- the measures


def test_copies_are_found_and_new_faces_are_not():
    faces = gdl.DrawnFaces(600, 32)
    real = {"train": faces.train, "val": faces.val, "test": faces.test}
    half = np.concatenate([faces.train.images[:20], faces.test.images[:20]])
    assert measure(half, real, "classifier-drawn64")["copies"] == pytest.approx(0.5, abs=0.1)
    assert measure(faces.test.images, real, "classifier-drawn64")["copies"] < 0.1
    rows, distances = nearest(np.array([[0.0, 0], [9, 9]]), np.array([[9.0, 8], [1, 0], [5, 5]]))
    assert rows.tolist() == [1, 0] and distances.tolist() == [1, 1]
    rng = np.random.default_rng(0)
    train, val, new = (rng.normal(size=(n, 5)) for n in (400, 1000, 1000))
    assert copies(new, train, val) < 0.03 and copies(train + 1e-6, train, val) == 1


def test_the_share_of_a_group_is_that_of_the_labels_but_for_the_classifiers_mistakes():
    faces = gdl.DrawnFaces(600, 64)
    seen = in_group(faces.val.images, "classifier-drawn64", "Eyeglasses")
    assert np.mean(seen == faces.val.attributes["Eyeglasses"]) > 0.9
    refused("did you mean 'Young'", in_group, faces.val.images[:1], "classifier-drawn64", "Yuong")
    assert recipe_of(faces) == "gan-drawn64" and recipe_of(gdl.DrawnFaces(300, 16)) is None and recipe_of(None) is None


# --- the leaderboard


@pytest.fixture(scope="module")
def sandbox():
    """Skips where there is no sandbox."""
    pytest.importorskip("psutil", reason="psutil is not installed")
    if not shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed")


def hostile(examples, folder):
    """Hand-ins of which each breaks one rule."""

    def copy(name):
        return shutil.copytree(examples / "a_gan", folder / name)

    a = copy("pickle")
    edit(a, "weights.npz", "weights.pkl")
    (a / "weights.npz").rename(a / "weights.pkl")
    a = copy("link")
    (a / "weights.npz").unlink()
    os.symlink(examples / "a_gan" / "weights.npz", a / "weights.npz")
    a = copy("path")
    edit(a, "weights.npz", "../good/weights.npz")
    a = copy("objects")
    with np.load(a / "weights.npz") as file:
        arrays = dict(file)
    (a / "weights.npz").write_bytes(npz(**arrays | {"weight 0": np.array([Touch(folder / "ran")], dtype=object)}))
    a = copy("shapes")
    pack(gdl.GAN(16, z_dim=8, filters=(8, 32)), a / "weights.npz")
    a = copy("enormous")  # more weights than the sandbox's memory holds
    settings = json.loads((a / "run" / "run.json").read_text())
    settings["options"]["filters"] = [4096, 4096, 4096, 4096]
    (a / "run" / "run.json").write_text(json.dumps(settings))
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.toml", (examples / "a_gan" / "project.toml").read_text())
        archive.writestr("run/history.json", bytes(50_000_000))
    (folder / "broken.zip").write_bytes(b"PK\x03\x04")
    (folder / "empty").mkdir()
    os.symlink(examples / "a_gan", folder / "whole link")
    return ["pickle", "link", "path", "objects", "shapes", "enormous", "bomb.zip", "broken.zip", "empty", "whole link"]


@pytest.fixture(scope="module")
def board(examples, sandbox, tmp_path_factory):
    """(the folder of hand-ins, the page's folder, the entries by their folders) of good and of hostile hand-ins."""
    folder, out = tmp_path_factory.mktemp("hand-ins"), tmp_path_factory.mktemp("page")
    bad = hostile(examples, folder)
    shutil.copytree(examples / "a_gan", folder / "good")
    edit(folder / "good", "copies = ", "copies = 0.5 # ")
    (folder / "Ada Lovelace_123_file_").mkdir()  # as Moodle exports it
    shutil.make_archive(str(folder / "Ada Lovelace_123_file_" / "hand-in"), "zip", examples, "a_vae")
    entries = boards.leaderboard(folder, out, **OPTIONS)
    return folder, out, {entry["folder"]: entry for entry in entries}, bad


def test_the_numbers_on_the_page_are_those_of_the_check(examples, board):
    _, out, entries, _ = board
    for name, own in (("good", "a_gan"), ("Ada Lovelace_123_file_", "a_vae")):
        entry, result = entries[name], check(examples / own, **OPTIONS)
        assert entry["failed"] == "" and entry["numbers"].keys() == result.numbers.keys()
        for key, value in result.numbers.items():
            assert entry["numbers"][key] == (pytest.approx(value, rel=1e-3, abs=1e-6) if isinstance(value, float) else value), key
        assert entry["difference"] < 1 and entry["spent"] == result.spent
    page = (out / "index.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 2 and "0.500 claimed" in page
    assert (out / "leaderboard.csv").read_text(encoding="utf-8-sig").splitlines()[1].startswith("1,good,example 1,recipe")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pickle", "other files of weights can hold code"),
        ("link", "weights.npz is a link"),
        ("path", "is not the name of a file inside the hand-in"),
        ("objects", "holds Python objects, which would be run"),
        ("shapes", "the weights of another model"),
        ("enormous", "hand in a smaller model|found no memory|no GAN can be made|could not be used"),
        ("bomb.zip", "history.json is larger than 4 MB"),
        ("broken.zip", "is no zip that can be read"),
        ("empty", "project.toml is missing"),
        ("whole link", "is a link"),
    ],
)
def test_a_hostile_hand_in_costs_only_its_own_row(board, name, said):
    folder, out, entries, bad = board
    assert name in bad
    refused(said, _raise, entries[name]["failed"])
    assert name in (out / "index.html").read_text() and not entries[name].get("numbers")
    assert not (folder / "ran").exists(), "nothing of it was run"


def _raise(sentence):
    raise gdl.CourseError(sentence)


def test_the_same_command_continues_and_computes_only_what_has_changed(board, monkeypatch):
    folder, out, entries, _ = board
    asked = []

    def make(staged, *arguments):
        asked.append((staged / "project.toml").read_text())
        raise sandboxed.NotNow("The model found no memory.", certain=True)

    monkeypatch.setattr(sandboxed, "make", make)
    again = {entry["folder"]: entry for entry in boards.leaderboard(folder, out, **OPTIONS)}
    unfinished = {"enormous"} if entries["enormous"]["failed"].startswith("The model found no memory") else set()
    assert {name: entry["failed"] for name, entry in again.items() if name not in unfinished} == {
        name: entry["failed"] for name, entry in entries.items() if name not in unfinished
    }
    assert len(asked) <= 2 * len(unfinished)
    edit(folder / "good", "example 1", "another name")
    asked.clear()
    again = {entry["folder"]: entry for entry in boards.leaderboard(folder, out, **OPTIONS)}
    tried = [text for text in asked if "another name" in text]
    assert len(tried) == 2, "beside others, then alone"
    assert again["good"]["failed"] == "The model found no memory." and not again["Ada Lovelace_123_file_"]["failed"]
    monkeypatch.undo()
    again = {entry["folder"]: entry for entry in boards.leaderboard(folder, out, **OPTIONS)}
    assert again["good"]["failed"] == "" and again["good"]["name"] == "another name", "what the machine caused was not kept"


def test_what_reads_the_weights_sees_this_hand_in_alone_and_cannot_change_it(gan, sandbox, tmp_path):
    from functools import partial

    from gdl.instructor.grading.process import StudentError, Worker
    from gdl.instructor.grading.sandbox import sandboxed as start

    staged = tmp_path / "staged"
    staged.mkdir()
    stage(open_files(gan), staged)
    worker = Worker(partial(start, {sandboxed.PLACE: str(staged)}))
    try:
        worker.request(30, do="run", source="import os\ndef seen(path): return sorted(os.listdir(path))\ndef write(path): open(path, 'w')")
        call = dict(do="call", options={})
        assert worker.request(30, name="seen", args=["/hand-in"], **call) == sorted(os.listdir(staged))
        for path in ("/hand-in/new", "/hand-in/project.toml"):
            with pytest.raises(StudentError, match="OSError|PermissionError"):
                worker.request(30, name="write", args=[path], **call)
        with pytest.raises(StudentError, match="FileNotFoundError|PermissionError"):
            worker.request(30, name="seen", args=[str(gan)], **call)
    finally:
        worker.close()


ABOUT = {"about": {"model": "GAN", "parameters": 1, "size": 16}, "draw": None}
COMPARED = ABOUT | {"compare": 0.0, "own_images": {}}


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"about": {"model": "GAN", "parameters": 1, "size": 10**9}}, "says nothing of itself"),
        ({"about": "GAN"}, "says nothing of itself"),
        (ABOUT | {"compare": "near"}, "gave no number"),
        (COMPARED | {"own_images": {"train": 10**12}}, "images.npz could not"),
        (COMPARED | {"own_images": {"train": 600_000}}, "images.npz could not"),
        (COMPARED | {"piece": np.zeros((64, 16, 16, 3))}, "gave no images"),
        (COMPARED | {"piece": np.zeros((1, 16, 16, 3), np.uint8)}, "gave no images"),
    ],
)
def test_answers_of_the_sandbox_are_not_trusted(answers, said, monkeypatch, tmp_path):
    class Liar:
        def __init__(self, start):
            pass

        def request(self, seconds, do="call", name="", **more):
            return answers[name] if do == "call" else None

        def close(self):
            pass

    monkeypatch.setattr(sandboxed, "Worker", Liar)
    refused(said, sandboxed.make, tmp_path, 64, 10.0)


def test_mistakes_of_the_instructor_are_one_sentence(tmp_path):
    refused("is no folder", boards.leaderboard, tmp_path / "none", tmp_path / "page", unsafe=True)
    refused("would be taken for a hand-in", boards.leaderboard, tmp_path, tmp_path / "page", unsafe=True)
    (tmp_path / "hand-ins").mkdir()
    refused("no folder and no zip in", boards.leaderboard, tmp_path / "hand-ins", tmp_path / "page", unsafe=True)


def test_without_a_sandbox_the_page_says_so(gan, sandbox, tmp_path, capsys):
    (tmp_path / "hand-ins").mkdir()
    gan.rename(tmp_path / "hand-ins" / "a")
    cli.main(["project", "leaderboard", str(tmp_path / "hand-ins"), "--out", str(tmp_path / "page"), *COMMAND, "--unsafe"])
    said = capsys.readouterr()
    assert "WITHOUT A SANDBOX" in said.err and "hand-ins: 1, of which 0 could not be used" in said.out
    assert "Computed without a sandbox" in (tmp_path / "page" / "index.html").read_text()
