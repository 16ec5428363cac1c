"""CelebA's tables in all the forms in which they are shared give the same attributes and splits, or one sentence."""

import numpy as np
import pandas as pd
import pytest
from conftest import ATTRIBUTES, refused

import gdl
from gdl.data import celeba_tables
from gdl.data.celeba_tables import photo_key, read_attributes, read_partition

NAMES = [f"{i:06d}.jpg" for i in range(1, 31)]
TABLE = pd.DataFrame(np.random.default_rng(0).choice([-1, 1], (30, 5)), index=pd.Index(NAMES, name="image_id"), columns=list(ATTRIBUTES))
TABLE["Bald"] = [1, -1] * 15
PARTS = pd.DataFrame({"partition": [0] * 20 + [1] * 5 + [2] * 5}, index=TABLE.index)


def text(table, separator=",", header=True, **options):
    return table.to_csv(sep=separator, header=header, **options)


def official(table, names=NAMES, count="30\n"):
    rows = [f"{name} " + "  ".join(map(str, row)) for name, row in zip(names, table.to_numpy())]
    return f"{count}{' '.join(table.columns)} \n" + "\n".join(rows) + "\n"


def renamed(**columns):
    return TABLE.rename(columns=columns)


def ids(change):
    return TABLE.set_axis(pd.Index(map(change, NAMES), name="image_id"))


ATTRIBUTE_TABLES = {
    "official": official(TABLE),
    "official without the count": official(TABLE, count=""),
    "official with 0 and 1": official((TABLE + 1) // 2),
    "official with True and False": official(TABLE > 0),
    "Windows": official(TABLE).replace("\n", "\r\n"),
    "old Mac": text(TABLE).replace("\n", "\r"),
    "BOM": "\ufeff" + text(TABLE),
    "csv": text(TABLE),
    "semicolons": text(TABLE, ";"),
    "tabs": text(TABLE, "\t"),
    "spaces": text(TABLE, " "),
    "0 and 1": text((TABLE + 1) // 2),
    "0.0 and 1.0": text((TABLE + 1) / 2),
    "True and False": text(TABLE > 0),
    "TRUE and FALSE": text(TABLE > 0).replace("True", "TRUE").replace("False", "FALSE"),
    "yes and no": text(TABLE.replace({1: "Yes", -1: "no"})),
    "T and F": text(TABLE.replace({1: "T", -1: "F"})),
    "words in one column, numbers in the others": text(TABLE.assign(Young=TABLE["Young"] > 0)),
    "bars": text(TABLE, "|"),
    "a comment": "# made by hand\n" + text(TABLE),
    "quoted": text(TABLE.astype(str), quoting=1),
    "a count above a csv": "30,,,,,\n" + text(TABLE),
    "Excel's first line": "sep=;\n" + text(TABLE, ";"),
    "filename": text(TABLE, index_label="filename"),
    "File Name": text(TABLE, index_label="File Name"),
    "an unnamed first column": text(TABLE, index_label=""),
    "no name of the first column": text(TABLE, index_label=False),
    "the name is last": text(TABLE.reset_index()[[*ATTRIBUTES, "image_id"]], index=False),
    "numbered rows": text(TABLE.reset_index()),
    "numbered rows, twice": text(TABLE.reset_index().reset_index()),
    "without the ending": text(ids(lambda name: name[:6])),
    "without leading zeros": text(ids(lambda name: str(int(name[:6])))),
    "png": text(ids(lambda name: name.replace("jpg", "png"))),
    "in a folder": text(ids(lambda name: f"img_align_celeba/{name}")),
    "in a folder of Windows": text(ids(lambda name: f"img_align_celeba\\{name}")),
    "spaces after the commas": text(TABLE).replace(",", ", "),
    "a comma at the end": text(TABLE).replace("\n", ",\n"),
    "empty lines": text(TABLE).replace("\n", "\n\n"),
    "small letters": text(renamed(Eyeglasses="eyeglasses", Young="young")),
    "another order": text(TABLE.sample(frac=1, random_state=0)),
    "more rows": text(pd.concat([TABLE, TABLE.set_axis(TABLE.index.str.replace("0000", "0009"))])),
    "with the split": text(TABLE.join(PARTS)),
    "with landmarks": text(TABLE.assign(lefteye_x=69, nose_y=range(30))),
}


@pytest.mark.parametrize("form", ATTRIBUTE_TABLES)
def test_attributes_in_every_form(form, tmp_path, capsys):
    path = tmp_path / "list_attr_celeba.csv"
    path.write_bytes(ATTRIBUTE_TABLES[form].encode())
    read = read_attributes(path, NAMES)
    assert read.index.tolist() == NAMES and read.columns.tolist() == list(ATTRIBUTES)
    assert (read.dtypes == np.dtype(bool)).all() and read.to_numpy().tolist() == (TABLE > 0).to_numpy().tolist()
    out = capsys.readouterr().out
    assert out == (f"{path}: columns that are no attributes are left out (lefteye_x, nose_y).\n" if "landmarks" in form else "")


def test_utf_16_and_attributes_with_spaces_in_their_names(tmp_path):
    whole = pd.DataFrame(1, index=TABLE.index, columns=celeba_tables.ATTRIBUTES)
    spaced = whole.rename(columns=lambda name: name.replace("_", " "))
    for form in (text(spaced), text(spaced, "\t"), official(spaced)):
        path = tmp_path / "list_attr_celeba.txt"
        path.write_text(form, encoding="utf-16")
        assert read_attributes(path, NAMES).equals(whole == 1)
    path.write_text(text(whole, header=False))  # without a header, but with all 40 columns
    assert read_attributes(path, NAMES).equals(whole == 1)


PARTITION_TABLES = {
    "official": text(PARTS, " ", header=False),
    "csv": text(PARTS),
    "csv without a header": text(PARTS, header=False),
    "split": text(PARTS.rename(columns={"partition": "split"})),
    "another name": text(PARTS.rename(columns={"partition": "which"})),
    "words": text(PARTS.replace({0: "train", 1: "val", 2: "test"})),
    "official words": text(PARTS.replace({0: "Train", 1: "Validation", 2: "Test"}), " ", header=False),
    "other words": text(PARTS.replace({0: "training", 1: "valid", 2: "testing"}), ";"),
    "numbered rows": text(PARTS.reset_index()),
    "fractions": text(PARTS.astype(float)),
    "tabs and numbers": text(PARTS.set_axis(range(1, 31)), "\t", header=False),
    "with the attributes": text(TABLE.join(PARTS)),
}


@pytest.mark.parametrize("form", PARTITION_TABLES)
def test_the_split_in_every_form(form, tmp_path):
    path = tmp_path / "list_eval_partition.csv"
    path.write_text(PARTITION_TABLES[form])
    assert read_partition(path, NAMES).tolist() == ["train"] * 20 + ["val"] * 5 + ["test"] * 5


REFUSED = {
    "0 beside -1": (text(TABLE).replace("000002.jpg,-1", "000002.jpg,0"), r"a value is not -1 or 1 but 0 \(000002.jpg, Bald; 1 such value\)"),
    "2": (text(TABLE).replace("000002.jpg,-1", "000002.jpg,2"), r"a value is not -1 or 1 but 2 \(000002.jpg, Bald; 1 such value\): correct it"),
    "empty": (text(TABLE).replace("000002.jpg,-1", "000002.jpg,"), r"but empty \(000002.jpg, Bald"),
    "NaN": (text(TABLE).replace("000002.jpg,-1", "000002.jpg,NaN"), r"but NaN \(000002.jpg, Bald"),
    "maybe": (text(TABLE).replace("000002.jpg,-1", "000002.jpg,maybe"), r"but maybe \(000002.jpg, Bald"),
    "a short row": (text(TABLE).rstrip().rpartition(",")[0], r"but empty \(000030.jpg, Young"),
    "a long row": (text(TABLE).replace("000030.jpg", "000030.jpg,1"), "row 30 has 7 values and the first row 6: correct it"),
    "no names": (text(TABLE, index=False), r"no column with the names of the photographs \(image_id\)"),
    "rows numbered from 0 alone": (text(TABLE.set_axis(range(30))).replace("image_id", ""), "no column with the names of the photographs"),
    "no attributes": (text(PARTS), "has no column with an attribute: name its columns in the first line"),
    "no header": (text(TABLE, header=False), "its first line does not name its columns"),
    "twice": (text(pd.concat([TABLE, TABLE[:1]])), "000001.jpg is in it twice"),
    "two columns": (text(TABLE.assign(bald=1)), "has two columns for Bald: remove one"),
    "missing rows": (text(TABLE[:27]), r"3 photographs \(000028.jpg\) have no row in .*: use photographs and tables from the same copy"),
    "a title": ("CelebA\n" + text(TABLE[["Bald"]]), "its first line does not name its columns"),
    "a web page": ("<!DOCTYPE html>\n<html><body>\nToo many users\n</body>", "it is a web page: correct it, or copy it again"),
    "a header alone": (text(TABLE[:0]), "it has no rows"),
}


@pytest.mark.parametrize("form", REFUSED)
def test_what_is_uncertain_is_refused_with_what_to_change(form, tmp_path):
    content, said = REFUSED[form]
    path = tmp_path / "list_attr_celeba.csv"
    path.write_text(content)
    refused(said, read_attributes, path, NAMES)


@pytest.mark.parametrize(
    "content, said",
    [
        (text(PARTS + 1), r"a value is not 0, 1 or 2 but 3 \(000026.jpg, partition; 5 such values\)"),
        (text(PARTS.replace({0: "learn"})), r"but learn \(000001.jpg, partition"),
        (text(TABLE), "has no column that tells the split: name it partition"),
        (text(PARTS[:9]), r"21 photographs \(000010.jpg\) have no row"),
    ],
)
def test_splits_that_are_uncertain(content, said, tmp_path):
    path = tmp_path / "list_eval_partition.csv"
    path.write_text(content)
    refused(said, read_partition, path, NAMES)


def test_photographs_and_tables_with_other_names(make_celeba, own_cache):
    """Photographs as PNG and without zeros, attributes and split in one table, with 0 and 1."""
    root = make_celeba(layout="kaggle")
    expected = gdl.CelebA(root, size=16)
    table = (
        pd.read_csv(root / "list_attr_celeba.csv", index_col=0).add(1).floordiv(2).join(pd.read_csv(root / "list_eval_partition.csv", index_col=0))
    )
    table.index.name = "filename"
    table.to_csv(root / "list_attr_celeba.csv")
    (root / "list_eval_partition.csv").unlink()
    for photo in (root / "img_align_celeba" / "img_align_celeba").iterdir():
        photo.rename(photo.with_name(f"{int(photo.stem)}.png"))
    faces = gdl.CelebA(root, size=16)
    for split in ("train", "val", "test"):
        new, old = getattr(faces, split), getattr(expected, split)
        rows = [old.names.tolist().index(f"{int(name[:-4]):06d}.jpg") for name in new.names]
        assert sorted(rows) == list(range(len(old)))
        assert np.array_equal(new.images, old.images[rows])
        assert new.attributes.equals(old.attributes.iloc[rows].reset_index(drop=True))


def test_keys_of_photographs():
    keys = {"000012.jpg": "12", "12": "12", "a/b/000012.JPEG": "12", "0": "0", "ada.v2.jpg": "ada.v2", "12.5": "12.5", " x.png ": "x", ".jpg": ".jpg"}
    assert {name: photo_key(name) for name in keys} == keys
