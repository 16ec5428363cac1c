"""Which folders are taken as splits and classes."""

import pytest
from PIL import Image

import gdl
from gdl.data.layout import find_layout, split_folders


def layout_of(*folders, n=2, more=()):
    """The layout of n images in each folder."""
    images = [f"{folder}/{i}.png" for folder in folders for i in range(n)] + list(more)
    above = {"/".join(folder.split("/")[: i + 1]) for folder in folders for i in range(folder.count("/") + 1)}
    return find_layout(images, sorted(above))


@pytest.mark.parametrize(
    "train, val, test",
    [
        ("train", "val", "test"),
        ("Training", None, "Testing"),
        ("TRAIN", "VALIDATION", "TEST"),
        ("train", "dev", "eval"),
        ("training", "development", "evaluation"),
        ("seg_train", None, "seg_test"),
        ("training_set", None, "test_set"),
        ("trainset", None, "testset"),
        ("train_images", "val_images", "test_images"),
        ("asl_alphabet_train", None, "asl_alphabet_test"),
        ("church-train-64", "church-val-64", "church-test-64"),
        ("train2017", "val2017", "test2017"),
        ("Train Data", "Valid Data", None),
        ("data/train", "data/val", "data/test"),
        ("some/where/train", None, "some/where/test"),
        ("images/train", "images/val", None),
        ("seg_train/seg_train", None, "seg_test/seg_test"),
    ],
)
def test_folders_for_splits_under_their_usual_names(train, val, test):
    folders = {split: folder for split, folder in (("train", train), ("val", val), ("test", test)) if folder}
    found = layout_of(*[f"{folder}/{kind}" for folder in folders.values() for kind in ("cat", "dog")])
    assert {split: {name.rsplit("/", 2)[0] for name in names} for split, names in found.splits.items()} == {s: {f} for s, f in folders.items()}
    assert all(kind == name.split("/")[-2] for name, kind in found.class_of.items())
    assert (found.left_out, found.remark) == ([], "")


def test_splits_inside_each_class():
    found = layout_of("cat/train", "cat/test", "dog/train", "dog/test", n=1)
    assert found.splits == {"train": ["cat/train/0.png", "dog/train/0.png"], "test": ["cat/test/0.png", "dog/test/0.png"]}
    assert found.class_of["dog/test/0.png"] == "dog"


def test_both_names_of_a_split_are_taken():
    assert layout_of("train", "val", "valid", "test", n=1).splits["val"] == ["val/0.png", "valid/0.png"]


def test_what_is_outside_of_the_splits_is_left_out():
    found = layout_of("train", "test", "seg_pred", n=1, more=["cover.png"])
    assert found.left_out == ["cover.png", "seg_pred/0.png"] and sorted(found.splits) == ["test", "train"]


@pytest.mark.parametrize("folders", [("train", "bus", "car"), ("trainA", "trainB", "testA", "testB"), ("test tubes", "training shoes")])
def test_folders_that_are_not_taken_as_splits_are_mentioned(folders):
    found = layout_of(*folders)
    assert list(found.splits) == ["train"] and set(found.class_of.values()) == set(folders)
    assert found.remark.startswith(f"Folders ({', '.join(sorted(f for f in folders if f.startswith('t')))}) are not taken as splits: all images")


def test_test_images_alone_are_split_at_random_and_that_is_said():
    found = layout_of("test", "val")
    assert found.remark == "There are no images for training but for val and test: all of them are split at random."


def test_a_folder_around_everything_is_no_class():
    assert set(layout_of("data/cat", "data/dog").class_of.values()) == {"cat", "dog"}
    assert set(layout_of("cat").class_of.values()) == {"cat"}
    assert split_folders([], []) == {}


def test_a_split_folder_without_images_is_an_error(tmp_path):
    for name in ("train", "test"):
        (tmp_path / name).mkdir()
    for i in range(5):
        Image.new("RGB", (20, 20)).save(tmp_path / "train" / f"{i}.png")
    (tmp_path / "test" / "a.heic").write_bytes(b"")
    with pytest.raises(gdl.DataError, match="no image for the split 'test'"):
        gdl.ImageFolder(tmp_path, size=16)


def test_the_remark_is_printed(tmp_path, capsys, own_cache):
    for name in ("train", "bus"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.new("RGB", (20, 20)).save(tmp_path / name / f"{i}.png")
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert faces.classes == ["bus", "train"] and len(faces.train) == 8
    assert capsys.readouterr().out.startswith("Folders (train) are not taken as splits")
