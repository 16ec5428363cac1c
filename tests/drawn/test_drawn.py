"""The drawn faces: reproducible, like CelebA in their table, and showing what the table says."""

import subprocess
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from gdl import drawn
from gdl.errors import CourseError

# How often each attribute is present in CelebA's own table of 202,599 photographs.
CELEBA = {
    "5_o_Clock_Shadow": 0.111, "Arched_Eyebrows": 0.267, "Bags_Under_Eyes": 0.205, "Bald": 0.022, "Bangs": 0.152,
    "Big_Lips": 0.241, "Big_Nose": 0.235, "Black_Hair": 0.239, "Blond_Hair": 0.148, "Blurry": 0.051,
    "Brown_Hair": 0.205, "Bushy_Eyebrows": 0.142, "Chubby": 0.058, "Double_Chin": 0.047, "Eyeglasses": 0.065,
    "Goatee": 0.063, "Gray_Hair": 0.042, "Heavy_Makeup": 0.387, "High_Cheekbones": 0.455, "Male": 0.417,
    "Mouth_Slightly_Open": 0.483, "Mustache": 0.042, "Narrow_Eyes": 0.115, "No_Beard": 0.835, "Pale_Skin": 0.043,
    "Pointy_Nose": 0.277, "Receding_Hairline": 0.080, "Rosy_Cheeks": 0.066, "Sideburns": 0.057, "Smiling": 0.482,
    "Straight_Hair": 0.208, "Wavy_Hair": 0.320, "Wearing_Earrings": 0.189, "Wearing_Hat": 0.048,
    "Wearing_Lipstick": 0.472, "Wearing_Necklace": 0.123, "Wearing_Necktie": 0.073, "Young": 0.774,
}  # fmt: skip
# Of the photographs with the second attribute, and of those without it, how many have the first.
CELEBA_PAIRS = [
    ("Wearing_Lipstick", "Male", 0.006, 0.806),
    ("Heavy_Makeup", "Male", 0.003, 0.661),
    ("Wearing_Earrings", "Male", 0.016, 0.313),
    ("Wearing_Necktie", "Male", 0.174, 0.000),
    ("Goatee", "Male", 0.150, 0.000),
    ("No_Beard", "Male", 0.606, 0.999),
    ("Bald", "Male", 0.054, 0.000),
    ("Blond_Hair", "Male", 0.021, 0.239),
    ("Young", "Male", 0.633, 0.874),
    ("Smiling", "Male", 0.400, 0.541),
    ("Mouth_Slightly_Open", "Smiling", 0.761, 0.225),
    ("High_Cheekbones", "Smiling", 0.808, 0.127),
    ("Gray_Hair", "Young", 0.002, 0.177),
    ("Bald", "Young", 0.007, 0.076),
    ("Eyeglasses", "Young", 0.035, 0.168),
    ("Bags_Under_Eyes", "Young", 0.154, 0.377),
]
PLAIN = dict(  # a face without anything that has a name in CelebA but No_Beard and Young, seen from the front
    seed=7, presentation=0.2, age=0.2, skin_tone=0.35, undertone=0.0, chubby=0.0, double_chin=0.0, smile=0.0,
    mouth_open=0.0, yaw=0.0, roll=0.0, gaze_x=0.0, gaze_y=0.0, narrow_eyes=0.1, eye_bags=0.0, brow_arch=0.1,
    brow_bush=0.1, nose_size=0.1, nose_point=0.1, lip_size=0.1, cheekbones=0.1, rosy=0.0, makeup=0.0, lipstick=0.0,
    stubble=0.0, goatee=0.0, mustache=0.0, sideburns=0.0, beard=0.0, hair_colour="auburn", hair_length=0.1,
    hair_wave=0.4, bald=False, receding=0.0, bangs=0.0, hat="none", glasses=False, sunglasses=False, earrings=False,
    necklace=False, necktie=False, collar=0.3, light_x=0.2, light_strength=0.4, backdrop="gradient", blurry=0.0,
    face_width=0.0, face_length=0.0, hair_light=0.0, hair_volume=0.5, exposure=0.0,
)  # fmt: skip
# Attribute: the factors that bring it, and where it is seen: left, top, right and bottom in the aligned frame.
HAIR, FOREHEAD, BROWS, EYES = (40, 39, 137, 110), (55, 45, 122, 98), (52, 86, 125, 106), (50, 100, 127, 128)
NOSE, CHEEKS, MOUTH, CHIN = (70, 118, 107, 148), (48, 112, 129, 160), (66, 140, 111, 172), (55, 150, 122, 179)
HEAD = (30, 39, 147, 179)
SHOWN = {
    "5_o_Clock_Shadow": (dict(stubble=0.8), CHIN),
    "Arched_Eyebrows": (dict(brow_arch=0.8), BROWS),
    "Bags_Under_Eyes": (dict(eye_bags=0.8), EYES),
    "Bald": (dict(bald=True), HAIR),
    "Bangs": (dict(bangs=0.8), FOREHEAD),
    "Big_Lips": (dict(lip_size=0.8), MOUTH),
    "Big_Nose": (dict(nose_size=0.8), NOSE),
    "Black_Hair": (dict(hair_colour="black"), HAIR),
    "Blond_Hair": (dict(hair_colour="blond"), HAIR),
    "Blurry": (dict(blurry=0.8), HEAD),
    "Brown_Hair": (dict(hair_colour="brown"), HAIR),
    "Bushy_Eyebrows": (dict(brow_bush=0.8), BROWS),
    "Chubby": (dict(chubby=0.8), HEAD),
    "Double_Chin": (dict(double_chin=0.8), CHIN),
    "Eyeglasses": (dict(glasses=True), EYES),
    "Goatee": (dict(goatee=0.8), CHIN),
    "Gray_Hair": (dict(hair_colour="gray"), HAIR),
    "Heavy_Makeup": (dict(makeup=0.8), EYES),
    "High_Cheekbones": (dict(cheekbones=0.9), CHEEKS),
    "Male": (dict(presentation=0.9), (0, 39, 178, 218)),
    "Mouth_Slightly_Open": (dict(mouth_open=0.8), MOUTH),
    "Mustache": (dict(mustache=0.8), MOUTH),
    "Narrow_Eyes": (dict(narrow_eyes=0.8), EYES),
    "No_Beard": (dict(beard=0.8, goatee=0.8, mustache=0.8), CHIN),
    "Pale_Skin": (dict(skin_tone=0.03), CHEEKS),
    "Pointy_Nose": (dict(nose_point=0.8), NOSE),
    "Receding_Hairline": (dict(receding=0.8), FOREHEAD),
    "Rosy_Cheeks": (dict(rosy=0.8), CHEEKS),
    "Sideburns": (dict(sideburns=0.8), (44, 80, 133, 145)),
    "Smiling": (dict(smile=0.8), MOUTH),
    "Straight_Hair": (dict(hair_wave=0.05), HAIR),
    "Wavy_Hair": (dict(hair_wave=0.85), HAIR),
    "Wearing_Earrings": (dict(earrings=True), (36, 128, 141, 152)),
    "Wearing_Hat": (dict(hat="cap"), HAIR),
    "Wearing_Lipstick": (dict(lipstick=0.8), MOUTH),
    "Wearing_Necklace": (dict(necklace=True), (50, 185, 127, 218)),
    "Wearing_Necktie": (dict(necktie=True), (65, 180, 112, 218)),
    "Young": (dict(age=0.85), HEAD),
}


@pytest.fixture(scope="module")
def table():
    return drawn.factors(12_000)


@pytest.fixture(scope="module")
def named(table):
    return drawn.attributes(table)


@pytest.fixture(scope="module")
def plain():
    return {**drawn.factors(1).iloc[0], **PLAIN}


@pytest.fixture(scope="module")
def plain_aligned(plain):
    return drawn.draw_aligned(plain)


def change(face, other):
    """Mean absolute difference of two images at each pixel, 0 to 255."""
    return np.abs(face.astype(float) - other).mean(axis=-1)


# --- the table of factors -------------------------------------------------------------------------


def test_rows_depend_on_seed_and_position_alone(table):
    pd.testing.assert_frame_equal(drawn.factors(50), table.iloc[:50])
    assert not drawn.factors(50, seed=1).equals(table.iloc[:50])
    assert len(drawn.factors(0)) == 0 and list(drawn.attributes(drawn.factors(0))) == list(CELEBA)
    with pytest.raises(CourseError, match="n is -1"):
        drawn.factors(-1)
    with pytest.raises(CourseError, match="seed is -1"):
        drawn.factors(1, seed=-1)


def test_amounts_are_in_their_ranges(table):
    numbers = table.select_dtypes(float)
    assert numbers.notna().all(axis=None)
    assert numbers.drop(columns="roll").min().min() >= -1 and numbers.drop(columns="roll").max().max() <= 1
    assert table["roll"].abs().max() <= 10
    amounts = ["presentation", "age", "smile", "makeup", "stubble", "bangs", "lip_size", "eye_bags", "blurry"]
    assert not table[amounts].stack().between(0.41, 0.59).any()  # what the table says must be seen


def test_attributes_are_as_frequent_as_in_celeba(named):
    assert list(named) == sorted(CELEBA) and set(named.dtypes) == {np.dtype(bool)}
    off = {a: round(named[a].mean() - p, 3) for a, p in CELEBA.items() if abs(named[a].mean() - p) > 0.03}
    assert not off


@pytest.mark.parametrize("attribute, given, present, absent", CELEBA_PAIRS)
def test_attributes_go_together_as_in_celeba(named, attribute, given, present, absent):
    with_it, without = named.loc[named[given], attribute].mean(), named.loc[~named[given], attribute].mean()
    assert np.sign(with_it - without) == np.sign(present - absent)
    assert abs(with_it - present) < 0.06 and abs(without - absent) < 0.06


def test_variety(table, named):
    assert (named[["Black_Hair", "Blond_Hair", "Brown_Hair", "Gray_Hair"]].sum(axis=1) <= 1).all()
    assert not (named["Bald"] & named["Wavy_Hair"]).any() and not (named["Wavy_Hair"] & named["Straight_Hair"]).any()
    tone = table["skin_tone"]
    assert (np.histogram(tone, bins=8, range=(0, 1))[0] > 0.04 * len(table)).all()  # from very pale to very dark
    for attribute in ("Male", "Young", "Smiling", "Eyeglasses", "Heavy_Makeup", "Big_Nose"):  # no tie to skin tone
        assert abs(np.corrcoef(tone, named[attribute])[0, 1]) < 0.04
    for some in (
        named["Male"] & (table["hair_length"] > 0.5),
        ~named["Male"] & (table["hair_length"] < 0.2),
        ~named["Male"] & ~named["Wearing_Lipstick"],
        named["Young"] & ~named["No_Beard"],
        named["Male"] & named["Wearing_Earrings"],
    ):
        assert some.sum() > 20


# --- one drawing ----------------------------------------------------------------------------------


def test_same_row_same_bytes(table):
    row = table.iloc[3]
    assert (drawn.draw(row) == drawn.draw(row)).all()
    assert (drawn.draw(row) == drawn.draw(row.to_dict())).all()
    assert (drawn.draw_aligned(row) == drawn.draw_aligned(row)).all()
    assert (drawn.draw(row) != drawn.draw(table.iloc[4])).any()


@pytest.mark.parametrize("size", [32, 48, 64, 128])
def test_shape_and_dtype(table, size):
    face = drawn.draw(table.iloc[0], size)
    assert face.shape == (size, size, 3) and face.dtype == np.uint8 and face.std() > 15


def test_wrong_calls(plain):
    with pytest.raises(CourseError, match="size is 4: give a whole number, at least 8"):
        drawn.draw(plain, size=4)
    with pytest.raises(KeyError, match="smile"):
        drawn.draw({name: value for name, value in plain.items() if name != "smile"})


def test_square_is_the_middle_of_the_aligned_frame(table):
    for i in range(6):
        crop = Image.fromarray(drawn.draw_aligned(table.iloc[i])).crop((19, 39, 159, 179)).resize((64, 64), Image.BOX)
        assert change(np.asarray(crop), drawn.draw(table.iloc[i], 64)).mean() < 2.5


def test_the_plain_face_has_no_attribute(plain):
    names = drawn.attributes(pd.DataFrame([plain])).iloc[0]
    assert set(names.index[names]) == {"No_Beard", "Young"}
    assert set(SHOWN) == set(names.index)


@pytest.mark.parametrize("attribute", SHOWN)
def test_each_attribute_is_seen_where_it_belongs(plain, plain_aligned, attribute):
    factors, (left, top, right, bottom) = SHOWN[attribute]
    other = {**plain, **factors}
    names = drawn.attributes(pd.DataFrame([plain, other]))[attribute]
    assert names[0] != names[1]
    difference = change(plain_aligned, drawn.draw_aligned(other))
    inside = difference[top:bottom, left:right]
    assert np.percentile(inside, 95) > 6  # seen by eye: at least a twentieth of the place is 6 of 255 off
    assert inside.mean() > 3 * (difference.sum() - inside.sum()) / (difference.size - inside.size)


def test_sliders_are_smooth(plain):
    """A fiftieth of a slider's way changes the picture a little, and the whole way changes it more."""
    sliders = dict(smile=(0, 1), mouth_open=(0, 1), yaw=(-1, 1), roll=(-10, 10), age=(0, 1), skin_tone=(0, 1),
                   presentation=(0, 1), hair_length=(0, 1), hair_wave=(0, 1), light_x=(-1, 1), gaze_x=(-1, 1),
                   parting=(-1, 1))  # fmt: skip
    for name, (low, high) in sliders.items():

        def draw(value, name=name):
            return drawn.draw({**plain, name: float(value)}, 32)

        whole = change(draw(low), draw(high)).mean()
        for at in (0.1, 0.3, 0.5, 0.9):
            step = change(*(draw(low + (high - low) * t) for t in (at, at + 0.02)))
            assert step.mean() < 0.12 * whole + 0.1, name
            assert step.max() < 130, name


# --- many drawings --------------------------------------------------------------------------------


@pytest.mark.slow
def test_stream_is_the_same_for_any_number_of_workers(table):
    one = list(drawn.images(66, size=32, workers=1))
    assert [block.shape for block in one] == [(64, 32, 32, 3), (2, 32, 32, 3)] and one[0].dtype == np.uint8
    assert (np.concatenate(one) == np.concatenate(list(drawn.images(66, size=32, workers=2)))).all()
    assert (one[1][1] == drawn.draw(table.iloc[65], 32)).all()
    assert list(drawn.images(0)) == []
    with pytest.raises(CourseError, match="workers is 0"):
        drawn.images(10, workers=0)


@pytest.mark.slow
def test_a_closed_stream_leaves_no_process(monkeypatch):
    started, popen = [], subprocess.Popen

    def start(*args, **options):
        started.append(popen(*args, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", start)
    stream = drawn.images(5_000, size=32, workers=2)
    next(stream)
    assert len(started) == 2 and all(process.poll() is None for process in started)
    stream.close()
    assert all(process.poll() is not None for process in started)


@pytest.mark.slow
def test_a_worker_ends_when_nobody_reads():
    command = [sys.executable, "-m", "gdl.drawn", "5000", "32", "0", "0", "1"]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    worker.stdout.read(100)
    worker.stdout.close()
    assert worker.wait(timeout=20) == 1
    assert worker.stderr.read() == b""
    worker.stderr.close()


@pytest.mark.slow
def test_importing_leaves_tensorflow_alone():
    code = "import sys; from gdl import drawn; drawn.factors(1); sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_official_layout(tmp_path):
    folder = drawn.write_celeba(tmp_path / "official", 10)
    names = [f"{i:06d}.jpg" for i in range(1, 11)]
    assert sorted(p.name for p in (folder / "img_align_celeba").iterdir()) == names
    with Image.open(folder / "img_align_celeba" / "000003.jpg") as photo:
        assert photo.format == "JPEG" and photo.size == (178, 218)
        assert np.abs(np.asarray(photo, float) - drawn.draw_aligned(drawn.factors(3).iloc[2])).mean() < 4
    lines = (folder / "list_attr_celeba.txt").read_text().splitlines()
    assert lines[0] == "10" and lines[1] == " ".join(CELEBA) + " " and lines[2].startswith("000001.jpg ")
    assert {len(line) for line in lines[2:]} == {10 + 3 * len(CELEBA)}  # each value is two wide
    table = pd.read_csv(folder / "list_attr_celeba.txt", sep=r"\s+", skiprows=1)
    assert ((table == 1).to_numpy() == drawn.attributes(drawn.factors(10)).to_numpy()).all()
    assert table.isin((-1, 1)).all(axis=None) and list(table.index) == names
    parts = pd.read_csv(folder / "list_eval_partition.txt", sep=" ", header=None)
    assert list(parts[0]) == names and list(parts[1]) == [0] * 8 + [1] + [2]


def test_zip_and_kaggle_layouts(tmp_path):
    folder = drawn.write_celeba(tmp_path / "zip", 4, zipped=True)
    files = ["img_align_celeba.zip", "list_attr_celeba.txt", "list_eval_partition.txt"]
    assert sorted(p.name for p in folder.iterdir()) == files
    with zipfile.ZipFile(folder / "img_align_celeba.zip") as archive:
        assert archive.namelist() == [f"img_align_celeba/{i:06d}.jpg" for i in range(1, 5)]
        with archive.open("img_align_celeba/000004.jpg") as file, Image.open(file) as photo:
            assert photo.size == (178, 218)
            inside = np.asarray(photo)

    folder = drawn.write_celeba(tmp_path / "kaggle", 4, tables="kaggle")
    with Image.open(folder / "img_align_celeba" / "img_align_celeba" / "000004.jpg") as photo:
        assert (np.asarray(photo) == inside).all()
    table = pd.read_csv(folder / "list_attr_celeba.csv", index_col="image_id")
    assert ((table == 1).to_numpy() == drawn.attributes(drawn.factors(4)).to_numpy()).all()
    assert list(pd.read_csv(folder / "list_eval_partition.csv").columns) == ["image_id", "partition"]

    with pytest.raises(CourseError, match="official"):
        drawn.write_celeba(tmp_path, 4, tables="kaggle", zipped=True)
    with pytest.raises(CourseError, match="csv"):
        drawn.write_celeba(tmp_path, 4, tables="csv")


def test_a_row_of_the_table_and_a_dict_draw_the_same():
    table = drawn.factors(200)
    row = table[table.blurry > 0.6].iloc[0]  # NumPy numbers, which Pillow 13's blur refuses as they are
    assert (drawn.draw(row, 32) == drawn.draw(row.to_dict(), 32)).all()
