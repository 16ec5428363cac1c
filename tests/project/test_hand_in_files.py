"""Reading a hand-in whose author is not trusted: names, links, sizes, zips, arrays. No model is made here."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from hand_in_helpers import Touch, npz, refused

from gdl.project.archives import read_arrays
from gdl.project.files import checked_name, open_files
from gdl.project.hand_in import read_project, read_run, stage

TOML = 'name = "Ada"\ntask = "recipe"\nchange = "hinge loss"\nweights = "weights.npz"\ngroup = "Young"\n'
ROWS = '{"rows": [{"epoch": 1, "seconds": 90, "images_per_second": 10}, {"epoch": 2, "seconds": 30, "images_per_second": 10}]}'
RUN = '{"model": "GAN", "options": {"a": 1}, "precision": "float32", "optimizers": {"a": 1}, "data": "d", "training": {"a": 1}}'


@pytest.fixture
def folder(tmp_path):
    """A hand-in without a model."""
    (tmp_path / "hand-in" / "run").mkdir(parents=True)
    for name, text in (("project.toml", TOML), ("run/run.json", RUN), ("run/history.json", ROWS), ("weights.npz", "weights")):
        (tmp_path / "hand-in" / name).write_text(text)
    return tmp_path / "hand-in"


def zipped(folder, path, top="", **more):
    """A zip of the folder, and further members with their contents."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, f"{top}{file.relative_to(folder)}")
        for name, content in more.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../weights.npz", "/etc/passwd", "run/../../a.npz", "C:\\a.npz", "a\\b.npz", "", "a\0.npz", "x" * 300])
def test_a_name_that_leads_out_of_the_hand_in_is_refused(name, folder):
    refused("is not the name of a file inside the hand-in", checked_name, name)
    refused("is not the name", open_files(folder).read, name)


@pytest.mark.parametrize("top", ["", "hand-in/", "a/b/"])
def test_a_zip_gives_what_the_folder_gives(folder, top):
    files = open_files(zipped(folder, folder.parent / "a.zip", top))
    assert read_project(files) == read_project(open_files(folder))
    assert files.read("run/run.json") == (folder / "run" / "run.json").read_bytes()
    refused("card.md is missing", files.read, "card.md")


def test_links_are_not_followed(folder):
    os.symlink("/etc/passwd", folder / "card.md")
    refused("card.md is a link", open_files(folder).read, "card.md")
    (folder / "run").rename(folder.parent / "elsewhere")
    os.symlink(folder.parent / "elsewhere", folder / "run")
    refused("run is a link", open_files(folder).read, "run/run.json")
    with zipfile.ZipFile(zipped(folder.parent / "elsewhere", folder.parent / "b.zip"), "a") as archive:
        link = zipfile.ZipInfo("project.toml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    refused("project.toml is a link", open_files(folder.parent / "b.zip").read, "project.toml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only POSIX has named pipes")
def test_a_pipe_does_not_block(folder):
    os.mkfifo(folder / "card.md")
    refused("card.md is no plain file", open_files(folder).read, "card.md")


def test_no_file_is_read_beyond_its_limit(folder):
    (folder / "card.md").write_bytes(b"a" * 400_000)
    refused(r"card.md is larger than 0.25 MB", open_files(folder).read, "card.md")
    bomb = zipped(folder, folder.parent / "bomb.zip", **{"report.md": b"\0" * 100_000_000})
    assert bomb.stat().st_size < 200_000
    refused("report.md is larger than 1 MB", open_files(bomb).read, "report.md")


def test_what_is_no_zip_is_said_so(folder):
    (folder.parent / "a.zip").write_bytes(b"PK\x03\x04 and nothing else")
    refused("a.zip is no zip that can be read", open_files, folder.parent / "a.zip")
    refused("is no folder and no zip", open_files, folder / "project.toml")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('task = "recipe"', 'task = "both"', "task in project.toml is 'both': write 'recipe' or 'own'"),
        ('name = "Ada"', "", "has no name"),
        ('name = "Ada"', "name = 7", "has no name"),
        ('name = "Ada"', f'name = "{"a" * 70}"', "no text of at most 60 characters"),
        ("weights.npz", "model.keras", "other files of weights can hold code"),
        ("weights.npz", "weights.pkl", "other files of weights can hold code"),
        ("weights.npz", "../weights.npz", "not the name of a file inside"),
        ('group = "Young"', "grup = 1", r"an entry 'grup'.*did you mean 'group'"),
        ('group = "Young"', "[claims]\ndistance = true", "distance below .claims. in project.toml is no number"),
        ('group = "Young"', "[claims]\ndistance = nan", "no number"),
        ('group = "Young"', "[claims]\nfid = 3", "an entry 'fid'"),
        ('group = "Young"', 'further_runs = ["../other"]', "not the name of a file inside"),
        ('group = "Young"', "a = " + "[" * 5000, "is no TOML"),
        ('group = "Young"', "group = ", "is no TOML"),
    ],
)
def test_a_mistake_in_project_toml_is_one_sentence(folder, old, new, said):
    (folder / "project.toml").write_text(TOML.replace(old, new))
    refused(said, read_project, open_files(folder))


def test_project_toml_may_be_written_by_an_editor_of_windows(folder):
    (folder / "project.toml").write_bytes(b"\xef\xbb\xbf" + TOML.replace("\n", "\r\n").replace("Ada", "Zoë").encode())
    assert read_project(open_files(folder)).name == "Zoë"


def test_all_epochs_count(folder):
    run = read_run(open_files(folder))
    assert (run.epochs, run.minutes, run.images) == (2, 2.0, 1200)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("run.json", "{}", "lacks entries"),
        ("run.json", "[" * 100_000, "damaged"),
        ("history.json", '{"rows": []}', "has no epochs"),
        ("history.json", ROWS.replace('"epoch": 1', '"epoch": 5'), "lacks epochs"),
        ("history.json", ROWS.replace('"seconds": 90', '"seconds": -90'), "without its number"),
        ("history.json", ROWS.replace('"seconds": 90', '"seconds": NaN'), "without its number"),
        ("history.json", ROWS.replace('"seconds": 90', '"seconds": "90"'), "without its number"),
    ],
)
def test_a_run_folder_that_training_has_not_written_is_one_sentence(folder, name, content, said):
    (folder / "run" / name).write_text(content)
    refused(said, read_run, open_files(folder))


def test_only_what_is_needed_is_staged_and_everybody_may_read_it(folder, tmp_path):
    (folder / "secret.txt").write_text("nobody asks for it")
    (folder / "weights.npz").chmod(0o600)
    staged = tmp_path / "staged"
    staged.mkdir(0o700)
    digest = stage(open_files(folder), staged)
    assert sorted(str(file.relative_to(staged)) for file in staged.rglob("*") if file.is_file()) == [
        "project.toml", "run/history.json", "run/run.json", "weights.npz",
    ]  # fmt: skip
    assert all(file.stat().st_mode & 0o004 for file in [staged, *staged.rglob("*")])
    (folder / "weights.npz").write_text("others")
    (tmp_path / "again").mkdir()
    assert stage(open_files(folder), tmp_path / "again") != digest


# --- arrays


def npy(header, data=b""):
    """A zip with one array of this header, which need not be true."""
    text = (header + "\n").encode()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
    return content.getvalue()


def test_arrays_come_back_as_they_were():
    given = {"a": np.arange(6, dtype=np.float16).reshape(2, 3), "b": np.asfortranarray(np.arange(6).reshape(2, 3)), "c": np.uint8(3)}
    found = read_arrays(npz(**given), "a.npz", most=1000)
    assert found.keys() == given.keys()
    for name, array in given.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_a_pickle_is_refused_and_not_run(tmp_path):
    content = npz(a=np.array([Touch(tmp_path / "ran")], dtype=object))
    refused("holds Python objects, which would be run", read_arrays, content, "a.npz", most=10**6)
    refused("damaged or no .npz file", read_arrays, pickle.dumps(Touch(tmp_path / "ran")), "a.npz", most=10**6)
    assert not (tmp_path / "ran").exists()


def test_an_array_that_unpacks_to_too_much_is_refused_before_it_is_unpacked():
    true = npz(a=np.zeros(50_000_000, np.uint8))
    assert len(true) < 100_000
    refused("unpacks to more numbers", read_arrays, true, "a.npz", most=1_000_000)
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }"
    refused("unpacks to more numbers", read_arrays, npy(header % 10**15), "a.npz", most=1_000_000)
    many = b"\0" * 50_000_000
    refused(r"an array of shape \(-1,\)", read_arrays, npy(header % -1, many), "a.npz", most=1_000_000)
    refused("shorter than it says", read_arrays, npy(header % 100), "a.npz", most=1_000_000)
    refused("unpacks to more", read_arrays, npz(a=np.zeros(100), b=np.zeros(100)), "a.npz", most=1000)


@pytest.mark.parametrize("header", ["{'descr': '|S9', 'fortran_order': False, 'shape': (1,), }", "__import__('os')", "{" * 3000])
def test_other_headers_are_refused(header):
    refused("a.npz", read_arrays, npy(header, b"123456789"), "a.npz", most=10**6)
