"""Reading faces: CelebA in its layouts, folders of images, drawn faces, and batches of them."""

import itertools
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ATTRIBUTES, refused, zip_photos
from PIL import Image, ImageDraw

import gdl
from gdl import data
from gdl.data.celeba import find, list_photos
from gdl.data.contents import Files
from gdl.data.splits import Split, choose

ATTR, PARTITION = "list_attr_celeba.txt", "list_eval_partition.txt"


def everything(faces):
    """All that a set of faces holds, to compare two of them."""
    return [(split.images.tobytes(), split.names.tolist(), split.attributes.to_dict("list")) for split in (faces.train, faces.val, faces.test)]


# --- CelebA -----------------------------------------------------------------------------------


def test_celeba_agrees_with_its_tables(celeba):
    """On the real photographs where they are, and on the drawn copy of their layout."""
    faces = gdl.CelebA(celeba, size=32, n=300)
    place, attributes_path, partition_path = find(celeba)
    partition = dict(line.split() for line in partition_path.read_text().splitlines())
    lines = attributes_path.read_text().splitlines()
    assert int(lines[0]) == len(lines) - 2
    rows = {name: [value == "1" for value in values] for name, *values in map(str.split, lines[2:])}
    photos = list_photos(place)
    for code, split in (("0", faces.train), ("1", faces.val), ("2", faces.test)):
        assert {partition[name] for name in split.names} == {code}
        assert split.images.shape == (len(split), 32, 32, 3) and split.images.dtype == np.uint8
        assert split.attributes.columns.tolist() == lines[1].split()
        assert (split.attributes.dtypes == np.dtype(bool)).all()
        assert split.attributes.index.equals(pd.RangeIndex(len(split)))
        assert split.attributes.to_numpy().tolist() == [rows[name] for name in split.names]
        files = Files(place, {"first": photos[split.names[0]][0]})
        with files.open("first") as source, Image.open(source) as photo:  # one by hand
            by_hand = photo.crop((19, 39, 159, 179)).resize((32, 32), Image.Resampling.LANCZOS)
        assert np.array_equal(split.images[0], np.asarray(by_hand))
    total = min(300, len(photos))
    assert sum(map(len, (faces.train, faces.val, faces.test))) == total
    assert len(faces.val) == len(faces.test) == total // 10
    assert (faces.name, faces.size, faces.train.factors) == ("CelebA", 32, None)


@pytest.mark.parametrize("layout", ["zip", "kaggle", "Anno, Eval, Img", "the zip", "the folder", "inner folder"])
def test_every_layout_gives_the_same_bytes(layout, make_celeba):
    expected = everything(gdl.CelebA(make_celeba("plain"), size=16))
    root = path = make_celeba("other", layout="kaggle" if layout in ("kaggle", "inner folder") else "official")
    if layout in ("zip", "the zip"):
        zip_photos(root)
    if layout == "Anno, Eval, Img":
        for folder, name in (("Anno", ATTR), ("Eval", PARTITION), ("Img", "img_align_celeba")):
            (root / folder).mkdir()
            (root / name).rename(root / folder / name)
    path = root / {"the zip": "img_align_celeba.zip", "the folder": "img_align_celeba"}.get(layout, ".")
    if layout == "inner folder":
        path = root / "img_align_celeba" / "img_align_celeba"
    faces = gdl.CelebA(path, size=16)
    assert everything(faces) == expected
    assert faces.train.attributes.columns.tolist() == list(ATTRIBUTES)
    assert everything(gdl.faces(path, size=16)) == expected  # and it is known for CelebA


def test_drawn_copies_in_both_layouts(tmp_path, drawn_celeba):
    from gdl import drawn

    kaggle = drawn.write_celeba(tmp_path / "kaggle", 10, tables="kaggle")
    assert everything(gdl.CelebA(kaggle, size=16)) == everything(gdl.CelebA(drawn_celeba, size=16))


def test_hidden_files_in_a_zip_are_no_photographs(make_celeba):
    root = make_celeba(zipped=True)
    with zipfile.ZipFile(root / "img_align_celeba.zip", "a") as archive:
        archive.writestr("__MACOSX/img_align_celeba/._000001.jpg", b"")
    assert len(gdl.CelebA(root, size=16).train) == 24


def test_a_circle_stays_a_circle_and_the_crop_is_the_centre(make_celeba):
    photo = Image.new("RGB", (178, 218), "magenta")
    pen = ImageDraw.Draw(photo)
    pen.rectangle((19, 39, 19 + 139, 39 + 139), fill="black")
    pen.ellipse((89 - 40, 109 - 40, 89 + 40, 109 + 40), fill="white")
    corners = {(19, 39): "red", (155, 39): "lime", (19, 175): "blue", (155, 175): "yellow"}
    for (x, y), colour in corners.items():
        pen.rectangle((x, y, x + 3, y + 3), fill=colour)
    root = make_celeba(photos={0: photo})
    image = gdl.CelebA(root, size=512, n=None, crop=140).train.images[0].astype(int)
    white = image.min(axis=-1) > 127
    diameters = 4 * np.std(np.nonzero(white), axis=1)  # (height, width); a disc deviates by a quarter of its diameter
    assert np.abs(diameters / (81 * 512 / 140) - 1).max() < 0.01
    assert abs(white.sum() / (np.pi / 4 * diameters.prod()) - 1) < 0.01
    pixel = 512 // 140  # one pixel of the photograph, magnified
    seen = [image[y, x] for y in (2 * pixel, -2 * pixel) for x in (2 * pixel, -2 * pixel)]
    expected = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)])
    assert np.abs(np.array(seen) - expected).max() < 40
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    assert not ((edge[:, 0] > 128) & (edge[:, 2] > 128)).any()  # nothing of what lies outside


def test_the_crop_is_resized_with_antialiasing(make_celeba):
    stripes = np.zeros((218, 178, 3), np.uint8)
    stripes[:, ::2] = 255
    image = gdl.CelebA(make_celeba(photos={0: Image.fromarray(stripes)}), size=16).train.images[0]
    assert 100 < image.min() and image.max() < 155  # even grey, no moiré


def test_a_crop_of_the_size_is_not_touched(make_celeba):
    root = make_celeba()
    with Image.open(root / "img_align_celeba" / "000001.jpg") as file:
        photo = np.asarray(file)
    assert np.array_equal(gdl.CelebA(root, size=128, crop=128).train.images[0], photo[45:173, 25:153])


def test_n_keeps_the_proportions_and_is_reproducible(make_celeba):
    root = make_celeba(n=100)
    twenty, fifty = gdl.CelebA(root, size=16, n=20), gdl.CelebA(root, size=16, n=50)
    assert [len(split) for split in (twenty.train, twenty.val, twenty.test)] == [16, 2, 2]
    assert set(twenty.train.names) < set(fifty.train.names)
    assert list(fifty.train.names) == sorted(fifty.train.names)
    assert twenty.train.names.tolist() != gdl.CelebA(root, size=16).train.names[:16].tolist()
    three = gdl.CelebA(root, size=16, n=3)
    assert [len(split) for split in (three.train, three.val, three.test)] == [1, 1, 1]


def test_choose_never_takes_more_than_n():
    splits = {split: list(range(count)) for split, count in (("train", 37), ("val", 5), ("test", 1))}
    for n in range(3, 50):
        chosen = choose(splits, n)
        assert sum(map(len, chosen.values())) == min(n, 43) and all(chosen.values())


# --- what is wrong with a copy of CelebA is said in one sentence --------------------------------


def table_change(name, old, new):
    def change(root):
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new, 1))

    return change


def remove(name):
    return lambda root: (root / name).unlink()


def remove_photos(first, last):
    def change(root):
        for i in range(first, last + 1):
            (root / "img_align_celeba" / f"{i:06d}.jpg").unlink()

    return change


def remove_split(digit):
    return lambda root: [remove_photos(i, i)(root) for i in range(digit, 31, 10)]


def cut_rows(root):
    table = root / "list_attr_celeba.txt"
    table.write_text("".join(table.read_text().splitlines(keepends=True)[:-3]))


def wrong_shape(root):
    Image.new("RGB", (178, 217)).save(root / "img_align_celeba" / "000005.jpg")


def repeated_row(root):
    (root / PARTITION).write_text((root / PARTITION).read_text() + "000001.jpg 0\n")


def unlisted(root):
    Image.new("RGB", (178, 218)).save(root / "img_align_celeba" / "000031.jpg")


@pytest.mark.parametrize(
    "harm, said",
    [
        (remove(ATTR), "holds no list_attr_celeba.txt"),
        (remove(PARTITION), "holds no list_eval_partition.txt"),
        (lambda root: (root / "img_align_celeba").rename(root / "elsewhere"), "neither img_align_celeba.zip nor"),
        (remove_photos(1, 30), "holds no .jpg file"),
        (remove_split(9), "is in the split 'val': add some"),
        (remove_split(10), "is in the split 'test': add some"),
        (unlisted, r"1 photograph \(000031.jpg\) has no row in"),
        (table_change(PARTITION, "000007.jpg 0\n", ""), r"1 photograph \(000007.jpg\) has no row in .*list_eval_partition"),
        (wrong_shape, "000005.jpg in .* has 178x217 pixels instead of 178x218"),
        (table_change(ATTR, " 1", " x"), r"a value is not -1 or 1 but x \(000001.jpg, Bald; 1 such value\): correct it there"),
        (table_change(ATTR, " 1", " 0"), r"a value is not -1 or 1 but 0 \(000001.jpg, Bald; 1 such value\)"),
        (table_change(ATTR, " 1", "  "), "row 2 has 6 values and the first row 5"),
        (table_change(ATTR, "000002.jpg", "000001.jpg"), "000001.jpg is in it twice"),
        (cut_rows, "says 30 rows and it has 27"),
        (table_change(PARTITION, "000009.jpg 1", "000009.jpg 3"), "a value is not 0, 1 or 2"),
        (table_change(PARTITION, "000009.jpg 1", "000009.jpg"), r"a value is not 0, 1 or 2 but empty \(000009.jpg, partition"),
        (repeated_row, "000001.jpg is in it twice"),
        (lambda root: (root / PARTITION).write_bytes(b"\xff\xd8\xff"), "it is no text in UTF-8"),
        (lambda root: (root / ATTR).write_text(""), "it has no rows"),
    ],
)
def test_a_copy_of_celeba_that_cannot_be_used(harm, said, make_celeba, own_cache):
    root = make_celeba()
    harm(root)
    refused(said, gdl.CelebA, root, size=16)
    assert not own_cache.exists() or not any(own_cache.iterdir())  # nothing is left behind
    refused(said, gdl.faces, root, size=16)  # nor is another set taken in its place


def test_zips_that_cannot_be_used(make_celeba):
    root = make_celeba(zipped=True)
    archive = root / "img_align_celeba.zip"
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(archive, "a") as opened:
        opened.writestr("img_align_celeba/000001.jpg", b"")
    refused("two photographs of the same name", gdl.CelebA, root, size=16)
    os.truncate(archive, archive.stat().st_size // 2)
    refused("not a complete zip file: download it again", gdl.CelebA, root, size=16)
    archive.write_text("<html>Too many users have viewed or downloaded this file recently.</html>")
    refused("not a complete zip file: download it again", gdl.CelebA, root, size=16)


def break_photo(root, name):
    photo = root / "img_align_celeba" / name
    photo.write_bytes(photo.read_bytes()[:700])


def test_one_photograph_in_a_thousand_may_be_broken(make_celeba, own_cache, capsys):
    root = make_celeba(n=1000)
    whole = gdl.CelebA(root, size=16)
    break_photo(root, "000009.jpg")
    faces = gdl.CelebA(root, size=16)
    assert capsys.readouterr().out == "Skipped 1 of 1,000 images: 1 damaged or cut short (000009.jpg)\n"
    assert (len(faces.train), len(faces.val), len(faces.test)) == (800, 99, 100)
    assert np.array_equal(faces.val.images, whole.val.images[1:])
    assert faces.val.names.tolist() == whole.val.names[1:].tolist()
    assert faces.val.attributes.equals(whole.val.attributes[1:].reset_index(drop=True))
    assert np.array_equal(faces.test.images, whole.test.images)
    break_photo(root, "000010.jpg")
    refused(r"2 of 1,000 images cannot be used: 2 damaged or cut short \(000009.jpg, 000010.jpg\)", gdl.CelebA, root, size=16)
    assert len(list(own_cache.iterdir())) == 2


def test_a_broken_photograph_in_a_zip(make_celeba, capsys):
    root = make_celeba(n=1000, zipped=True)
    archive = root / "img_align_celeba.zip"
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo("img_align_celeba/000010.jpg")
    content = bytearray(archive.read_bytes())
    content[info.header_offset + 800] ^= 255  # Pillow may not see it, the zip's checksum does
    archive.write_bytes(content)
    assert len(gdl.CelebA(root, size=16).test) == 99
    assert "Skipped 1 of 1,000" in capsys.readouterr().out


@pytest.mark.parametrize("size, near", [(60, "48 or 64"), (8, "16 "), (0, "16 "), (-5, "16 "), (520, "512 "), (63.5, "48 or 64")])
def test_sizes_that_the_networks_cannot_halve(size, near, make_celeba, tmp_path):
    said = f"size={size} is not possible, .*: choose {near}"
    refused(said, gdl.CelebA, make_celeba(), size=size)
    refused(said, gdl.DrawnFaces, size=size)
    refused(said, gdl.ImageFolder, tmp_path, size=size)


def test_other_options_that_cannot_be(make_celeba):
    root = make_celeba()
    refused("crop=179 is not possible: choose 16 to 178", gdl.CelebA, root, crop=179)
    refused("crop=8 is not possible: choose 16 to 178", gdl.CelebA, root, crop=8)
    refused("n=2 is too few", gdl.CelebA, root, size=16, n=2)
    refused("n=0 is too few", gdl.DrawnFaces, n=0)
    refused("does not exist", gdl.CelebA, root / "nowhere")


# --- a folder of images -----------------------------------------------------------------------


def save(path, colour="gray", size=(20, 20), mode="RGB", **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, colour).save(path, **options)


def by_name(faces):
    """{name: image} of all splits."""
    splits = (faces.train, faces.val, faces.test)
    return {Path(name).name: image for split in splits for name, image in zip(split.names, split.images)}


def test_images_of_every_kind_become_rgb(tmp_path):
    grey = np.tile(np.linspace(0, 255, 40).astype(np.uint8), (40, 1))
    colour = np.stack([grey, grey.T, 255 - grey], axis=-1)
    rgb = Image.fromarray(colour)
    alpha = np.where(np.arange(40) < 20, 0, 255).astype(np.uint8) * np.ones((40, 1), np.uint8)
    kinds = {
        "grey.png": Image.fromarray(grey),
        "two.bmp": Image.fromarray(grey).convert("1", dither=0),
        "sixteen.png": Image.fromarray(grey.astype(np.uint16) * 257),
        "sixteen.tif": Image.fromarray(grey.astype(np.uint16) * 257),
        "palette.gif": rgb.quantize(64),
        "cmyk.jpg": rgb.convert("CMYK"),
        "CAPITALS.PNG": rgb,
        "alpha.png": Image.fromarray(np.dstack([colour, alpha])),
        "grey alpha.png": Image.fromarray(np.dstack([grey, alpha])),
        "lossless.webp": rgb,
    }
    for name, image in kinds.items():
        image.save(tmp_path / name, lossless=True)
    transparent = Image.new("P", (40, 40), 1)
    transparent.putpalette([255, 0, 0, 0, 0, 255])
    transparent.paste(0, (0, 0, 20, 40))
    transparent.save(tmp_path / "transparent palette.png", transparency=0)
    images = by_name(gdl.ImageFolder(tmp_path, size=32))
    assert len(images) == len(kinds) + 1

    def resized(array):
        return np.asarray(Image.fromarray(array).resize((32, 32), Image.Resampling.LANCZOS)).astype(int)

    grey_rgb = resized(np.dstack([grey] * 3))
    assert np.abs(images["grey.png"] - grey_rgb).max() == 0
    assert np.abs(images["sixteen.png"] - grey_rgb).max() == 0
    assert np.abs(images["sixteen.tif"] - grey_rgb).max() == 0
    assert images["two.bmp"][:, :8].max() == 0 and images["two.bmp"][:, -8:].min() == 255
    for name, tolerance in (("CAPITALS.PNG", 0), ("lossless.webp", 0), ("palette.gif", 40), ("cmyk.jpg", 20)):
        assert np.abs(images[name] - resized(colour)).max() <= tolerance, name
    for name, expected in (("alpha.png", resized(colour)), ("grey alpha.png", grey_rgb)):
        assert (images[name][:, :12] == 255).all()  # transparent: white
        assert np.abs(images[name][:, 20:] - expected[:, 20:]).max() <= 1
    assert (images["transparent palette.png"][:, :14] == 255).all()
    assert (images["transparent palette.png"][:, 18:] == (0, 0, 255)).all()


def test_the_centre_is_cut_out_and_the_camera_is_believed(tmp_path):
    wide = np.zeros((40, 120, 3), np.uint8)
    wide[:, 40:80] = 255
    wide[:10, 40:80] = (255, 0, 0)  # a red band on top of the white centre
    Image.fromarray(wide).save(tmp_path / "wide.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90 degrees clockwise to see it upright
    Image.fromarray(np.rot90(wide)).save(tmp_path / "turned.jpg", exif=exif, quality=95, subsampling=0)
    for i in range(3):
        save(tmp_path / f"{i}.png")
    images = by_name(gdl.ImageFolder(tmp_path, size=16))
    expected = np.full((16, 16, 3), 255)
    expected[:4] = (255, 0, 0)
    for name in ("wide.png", "turned.jpg"):
        off = np.abs(images[name].astype(int) - expected)
        assert off[:3].max() < 40 and off[6:].max() < 40, name


def test_a_large_jpeg_is_decoded_small(tmp_path):
    for i in range(3):
        Image.effect_noise((40, 40), 90).resize((1600, 1200), Image.Resampling.BICUBIC).save(tmp_path / f"{i}.jpg")
    image = by_name(gdl.ImageFolder(tmp_path, size=32))["0.jpg"]
    with Image.open(tmp_path / "0.jpg") as photo:
        whole = photo.crop((200, 0, 1400, 1200)).resize((32, 32), Image.Resampling.LANCZOS)
    assert np.abs(image[..., 0].astype(int) - np.asarray(whole)).max() <= 6


def test_a_plain_folder_is_split_at_random(tmp_path):
    for i in range(50):
        name = f"deep/er/{i:02d}.JPeG" if i % 2 else f"{i:02d}.png"
        save(tmp_path / name, format="PNG", colour=(i, i, i))
    for name in (".hidden.png", "notes.txt", ".git/x.png", "__MACOSX/y.png"):
        save(tmp_path / name, format="PNG")
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert [len(split) for split in (faces.train, faces.val, faces.test)] == [40, 5, 5]
    names = np.concatenate([split.names for split in (faces.train, faces.val, faces.test)])
    assert len(set(names)) == 50 and "deep/er/01.JPeG" in names
    assert faces.train.names.tolist() != sorted(names)[:40]  # at random
    assert all(image[0, 0, 0] == int(name[:2]) for name, image in by_name(faces).items())
    assert faces.classes == ["deep"] and faces.name == tmp_path.name
    assert faces.train.attributes["deep"].tolist() == ["/" in name for name in faces.train.names]
    some = gdl.ImageFolder(tmp_path, size=16, n=20)
    assert [len(split) for split in (some.train, some.val, some.test)] == [16, 2, 2]


def test_a_flat_folder_has_no_classes(tmp_path):
    for i in range(10):
        save(tmp_path / f"{i}.png")
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert faces.classes == [] and faces.train.attributes.shape == (8, 0)
    assert faces.train.attributes.index.equals(pd.RangeIndex(8))


@pytest.mark.parametrize("val", ["val", "valid", "validation", None])
def test_folders_named_for_the_splits(val, tmp_path):
    for i in range(20):
        save(tmp_path / "train" / ("cat" if i < 5 else "dog") / f"{i}.png")
    for i in range(3):
        save(tmp_path / "test" / "cat" / f"{i}.png")
        if val:
            save(tmp_path / val / "dog" / f"{i}.png")
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert [len(split) for split in (faces.train, faces.val, faces.test)] == ([20, 3, 3] if val else [18, 2, 3])
    assert all(name.startswith("test/") for name in faces.test.names)
    assert all(name.startswith(f"{val}/" if val else "train/") for name in faces.val.names)
    assert not set(faces.val.names) & set(faces.train.names)
    assert faces.classes == ["cat", "dog"] and faces.test.attributes.all().tolist() == [True, False]


def test_food_101(tmp_path):
    listed = {"train": [], "test": []}
    for i, food in itertools.product(range(10), ("apple_pie", "waffles")):
        save(tmp_path / "images" / food / f"{i}.jpg")
        listed["test" if i >= 7 else "train"].append(f"{food}/{i}")
    (tmp_path / "meta").mkdir()
    for split, lines in listed.items():  # and one that is listed but is not there
        (tmp_path / "meta" / f"{split}.txt").write_text("\n".join([*lines, f"waffles/{split}"]) + "\n")
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert [len(split) for split in (faces.train, faces.val, faces.test)] == [13, 1, 6]
    assert faces.test.names.tolist() == sorted(f"images/{line}.jpg" for line in listed["test"])
    assert faces.classes == ["apple_pie", "waffles"] and (faces.test.attributes.sum() == 3).all()
    (tmp_path / "meta" / "train.txt").write_text("\n".join(listed["train"] + listed["test"][:1]))
    refused("apple_pie/7.jpg is in meta/train.txt and in meta/test.txt", gdl.ImageFolder, tmp_path, size=16)


@pytest.mark.parametrize("there, counts", [("train val test", [9, 2, 3]), ("train val", [9, 2, 1]), ("val", [8, 1, 1])])
def test_coco(there, counts, tmp_path):
    sizes = {"train": 9, "val": 2, "test": 3} if there != "val" else {"val": 10}
    for split in there.split():
        for i in range(sizes[split] + (split == "train" and "test" not in there)):
            save(tmp_path / f"{split}2017" / f"{i:012d}.jpg")
    (tmp_path / "annotations").mkdir()
    faces = gdl.ImageFolder(tmp_path, size=16)
    assert [len(split) for split in (faces.train, faces.val, faces.test)] == counts
    assert faces.classes == []


def test_folders_that_cannot_be_used(tmp_path, own_cache):
    refused("does not exist", gdl.ImageFolder, tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    refused("is not a folder", gdl.ImageFolder, tmp_path / "file")
    (tmp_path / "empty").mkdir()
    refused("has no image for the split 'train'", gdl.ImageFolder, tmp_path / "empty")
    save(tmp_path / "two" / "1.png")
    save(tmp_path / "two" / "2.png")
    refused("has no image for the split 'train' .2 found; at least 3", gdl.ImageFolder, tmp_path / "two")
    save(tmp_path / "two" / "3.png")
    assert len(gdl.ImageFolder(tmp_path / "two", size=16).train) == 1
    (tmp_path / "two" / "3.png").write_bytes((tmp_path / "two" / "3.png").read_bytes()[:50])
    refused(r"1 of 3 images cannot be used: 1 .* \(3.png\); replace or remove them", gdl.ImageFolder, tmp_path / "two", size=16)
    refused("n=2 is too few", gdl.ImageFolder, tmp_path / "two", size=16, n=2)


# --- drawn faces ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def drawn_faces(cache_folder):
    return gdl.DrawnFaces(n=30, size=16, seed=3)


def test_drawn_faces(drawn_faces):
    from gdl import drawn

    splits = (drawn_faces.train, drawn_faces.val, drawn_faces.test)
    assert [len(split) for split in splits] == [24, 3, 3]
    factors = drawn.factors(30, 3)
    assert drawn_faces.val.factors.equals(factors[24:27].reset_index(drop=True))
    assert drawn_faces.val.attributes.equals(drawn.attributes(factors)[24:27].reset_index(drop=True))
    whole = np.concatenate(list(drawn.images(30, 16, 3)))
    assert np.array_equal(np.concatenate([split.images for split in splits]), whole)
    assert drawn_faces.name == "drawn faces"
    assert drawn_faces.description == "drawn faces: 30 images of 16x16 pixels (24 train, 3 val, 3 test)"
    assert str(drawn_faces) == drawn_faces.description


# --- which faces ------------------------------------------------------------------------------


def test_where_faces_come_from(tmp_path, monkeypatch, make_celeba, drawn_celeba, capsys):
    chapters = tmp_path / "project" / "chapters"
    chapters.mkdir(parents=True)
    monkeypatch.chdir(chapters)
    monkeypatch.setattr(data.faces, "__file__", str(tmp_path / "checkout" / "gdl" / "data" / "faces.py"))

    drawn = f"{len((drawn_celeba / ATTR).read_text().splitlines()[1].split())} attributes"

    def taken(path=None):
        faces = gdl.faces(path, size=16, n=10)
        out = capsys.readouterr().out
        assert out == faces.description + "\n" and out.count("\n") == 1
        assert ": 10 images of 16x16 pixels (8 train, 1 val, 1 test)" in out
        return f"{faces.name}, {len(faces.train.attributes.columns)} attributes"

    assert taken() == f"drawn faces, {drawn}"
    in_checkout = make_celeba("checkout/data/celeba")
    assert taken() == "CelebA, 5 attributes"
    in_checkout.rename(tmp_path / "project" / "data").rename(tmp_path / "celeba")
    (tmp_path / "project" / "data").mkdir()
    (tmp_path / "celeba").rename(tmp_path / "project" / "data" / "celeba")  # the parent of chapters/
    assert taken() == "CelebA, 5 attributes"
    (tmp_path / "project" / "data").rename(chapters / "data")
    assert taken() == "CelebA, 5 attributes"
    monkeypatch.setenv("GDL_DATA", str(drawn_celeba))
    assert taken() == f"CelebA, {drawn}"
    assert taken("data/celeba") == "CelebA, 5 attributes"
    assert taken("drawn") == f"drawn faces, {drawn}"
    assert taken(chapters / "data" / "celeba" / "img_align_celeba") == "CelebA, 5 attributes"
    refused("^nowhere does not exist", gdl.faces, "nowhere")
    monkeypatch.setenv("GDL_DATA", "nowhere/at/all")
    refused("^nowhere/at/all .the environment variable GDL_DATA. does not exist", gdl.faces)
    monkeypatch.delenv("GDL_DATA")
    (chapters / "data" / "celeba" / "list_attr_celeba.txt").unlink()
    refused("holds no list_attr_celeba.txt", gdl.faces)
    assert taken("drawn") == f"drawn faces, {drawn}"


def test_a_folder_that_is_not_celeba(tmp_path):
    for i in range(10):
        save(tmp_path / "pets" / f"{i}.png")
    assert gdl.faces(tmp_path / "pets", size=16).name == "pets"


def test_reading_does_not_wait_for_tensorflow(make_celeba):
    script = "import sys, gdl; gdl.faces(sys.argv[1], size=16); assert 'tensorflow' not in sys.modules"
    environment = os.environ | {"PYTHONPATH": str(Path(gdl.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", script, str(make_celeba())], env=environment, check=True)


# --- batches ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def numbered():
    """A split of 100 images; the red channel is the image's number, the green one grows from left to right."""
    images = np.zeros((100, 16, 16, 3), np.uint8)
    images[..., 0] = np.arange(100)[:, None, None]
    images[..., 1] = np.arange(16)
    images.flags.writeable = False
    return Split(images, pd.DataFrame(index=range(100)), [str(i) for i in range(100)])


def order(dataset):
    """The numbers of the images of one pass."""
    return np.concatenate([np.rint(batch.numpy()[:, 0, 0, 0] * 255) for batch in dataset]).astype(int).tolist()


def test_batches_have_known_shapes_and_number(numbered):
    batches = numbered.batches(32)
    assert batches.cardinality() == 4
    assert batches.element_spec.shape.as_list() == [None, 16, 16, 3] and batches.element_spec.dtype == "float32"
    assert [len(batch) for batch in batches] == [32, 32, 32, 4]


def test_the_end_of_an_epoch_does_not_wait_for_a_tuning_thread(numbered):
    """With autotuning, an epoch of more than a minute is followed by up to another minute in which nothing happens (TensorFlow 2.21)."""
    batches = numbered.batches(4)
    assert batches.options().autotune.enabled is False and batches.map(lambda x: x).options().autotune.enabled is False


def test_the_order_depends_on_seed_and_epoch_alone(numbered):
    batches = numbered.batches(32, seed=1)
    passes = [order(batches) for _ in range(4)]
    for one in passes:
        assert sorted(one) == list(range(100))
    assert len(set(map(tuple, passes))) == 4
    assert passes[0] == np.random.default_rng([1, 0]).permutation(100).tolist()
    resumed = numbered.batches(25, seed=1, first_epoch=2, flip=True)  # in batches of any size
    assert [order(resumed), order(resumed)] == passes[2:]
    assert order(numbered.batches(32, seed=2)) != passes[0]
    assert order(numbered.batches(32, shuffle=False)) == list(range(100))


def test_flip_mirrors_about_half_and_is_off_by_default(numbered):
    def mirrored(**options):
        batches = numbered.batches(100, shuffle=False, **options)
        green = [np.rint(next(iter(batches)).numpy()[:, 0, :, 1] * 255) for _ in range(3)]
        ramp = np.arange(16)
        assert all((row == ramp).all() or (row == ramp[::-1]).all() for epoch in green for row in epoch)
        return [(epoch[:, 0] == 15).tolist() for epoch in green]

    assert not np.any(mirrored())
    first, second, third = mirrored(flip=True)
    assert 30 < sum(first) < 70 and first != second
    assert mirrored(flip=True) == [first, second, third]
    assert mirrored(flip=True, first_epoch=2)[0] == third
    assert mirrored(flip=True, seed=1)[0] != first
    assert numbered.images[0, 0, :, 1].tolist() == list(range(16))  # the set itself is not touched


def test_labels_go_with_their_images_and_change_nothing_else(numbered):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"Even": np.arange(100) % 2 == 0, "Large": np.arange(100) > 49, "Any": rng.random(100) < 0.5})
    split = Split(numbered.images, table, numbered.names)
    options = dict(batch_size=32, pixel_range=(-1, 1), flip=True, seed=3, first_epoch=1)
    pairs = split.batches(**options, labels=True)
    assert pairs.cardinality() == 4
    assert [spec.shape.as_list() for spec in pairs.element_spec] == [[None, 16, 16, 3], [None, 3]]
    alone, chosen = split.batches(**options), split.batches(**options, labels=["Large", "Even"])
    for _ in range(2):  # epochs
        for (images, labels), plain, (same, two) in zip(pairs, alone, chosen, strict=True):
            assert np.array_equal(images, plain) and np.array_equal(same, plain), "to the last bit"
            assert labels.dtype == two.dtype == "float32"
            number = np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5).astype(int)
            assert np.array_equal(labels, table.iloc[number]) and np.array_equal(two, table.iloc[number][["Large", "Even"]])


def test_labels_that_are_not_there_are_refused(numbered):
    refused("no attribute at all: .* .none.", numbered.batches, 8, labels=True)
    split = Split(numbered.images, pd.DataFrame({"Male": np.zeros(100, bool)}), numbered.names)
    refused("no attribute Hat: .* .Male.", split.batches, 8, labels=["Male", "Hat"])


@pytest.mark.parametrize("pixel_range", [(0, 1), (-1, 1), [-1, 1]])
def test_pixel_ranges_are_exact(pixel_range):
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    floats = data.to_float(images, pixel_range)
    assert floats.dtype == np.float32 and (floats.min(), floats.max()) == tuple(pixel_range)
    assert np.array_equal(data.to_uint8(floats, pixel_range), images)
    assert data.to_uint8(floats, pixel_range).dtype == np.uint8
    (batch,) = Split(images, None, ["x"]).batches(1, pixel_range)
    assert np.array_equal(batch.numpy(), floats)  # the same to the last bit


def test_pixels_are_rounded_and_clipped():
    assert data.to_uint8(np.array([-0.2, 0.0019, 0.002, 0.5, 1.2]), (0, 1)).tolist() == [0, 0, 1, 128, 255]
    assert data.to_uint8(np.array([-1.2, -1, 0.999, 1.2]), (-1, 1)).tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("wrong", [(0, 255), (-0.5, 0.5), (1, 0)])
def test_other_pixel_ranges_are_refused(wrong, numbered):
    for function in (lambda: numbered.batches(8, wrong), lambda: data.to_float(numbered.images, wrong)):
        with pytest.raises(gdl.CourseError, match="choose .0, 1. or .-1, 1."):
            function()
    with pytest.raises(gdl.CourseError, match="uint8"):
        data.to_float(np.zeros(3))


@pytest.mark.parametrize(
    "wrong", [{"batch_size": value} for value in (0, 2.0, "8", None, (8, 8))] + [{"flip": "yes"}, {"seed": -1}, {"first_epoch": 0.5}]
)
def test_batches_of_wrong_kinds_are_refused(wrong, numbered):
    with pytest.raises(gdl.CourseError, match=f"{min(wrong)} is .*: give"):
        numbered.batches(**{"batch_size": 8, **wrong})


@pytest.mark.slow
def test_fit_sees_one_epoch_after_the_other(numbered):
    """Keras makes more iterators than it uses; that must not skip an epoch."""
    import keras

    class Notes(keras.Model):
        def train_step(self, batch):
            seen.append(np.rint(batch.numpy()[:, 0, 0, 0] * 255).astype(int))
            return {"loss": 0.0}

        def test_step(self, batch):
            return {"loss": 0.0}

    def fit(first, last):
        seen.clear()
        model = Notes()
        model.compile(run_eagerly=True)
        validation = numbered.batches(64, shuffle=False)
        batches = numbered.batches(32, seed=5, first_epoch=first)
        model.fit(batches, validation_data=validation, initial_epoch=first, epochs=last, shuffle=False, verbose=0)
        return np.concatenate(seen).tolist()

    seen = []
    expected = [i for k in range(5) for i in np.random.default_rng([5, k]).permutation(100)]
    assert fit(0, 5) == expected
    assert fit(3, 5) == expected[300:]


def test_memory_does_not_grow_with_the_set(tmp_path):
    """A set of 400 MB is read from its file; what a process holds of its own stays far below that."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux tells the two kinds of memory apart")
    images = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.uint8, (8192, 128, 128, 3))
    split = Split(np.load(tmp_path / "x.npy", mmap_mode="r"), None, None)
    del images

    def own():
        status = Path("/proc/self/status").read_text()
        return int(status.split("RssAnon:")[1].split()[0]) / 1000  # MB

    batches = iter(split.batches(64))
    for _ in range(4):
        next(batches)
    before = own()
    for _ in batches:
        pass
    assert own() - before < 100
