"""A reader's own photograph: any kind of file, CelebA's crop, CelebA's alignment, and what is wrong in one sentence."""

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from conftest import REAL_CELEBA, refused
from PIL import Image, ImageDraw

import gdl
from gdl.data.celeba import find, list_photos
from gdl.data.contents import Files
from gdl.data.photo import EYES, load_photo


def picture(width, height):
    """A smooth picture without any symmetry, as an RGB image."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    channels = [255 * x, 255 * y**2, 120 + 100 * np.sin(5 * x + 3 * y)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def save(path, image, **options):
    image.save(path, **options)
    return path


# --- the crop ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 64, 256])
def test_a_photograph_of_celeba_gives_what_celeba_gives(size, celeba, tmp_path):
    faces = gdl.CelebA(celeba, size=size, n=10)
    place = find(celeba)[0]
    photos = list_photos(place)
    for split in (faces.train, faces.val, faces.test):
        with Files(place, {"first": photos[split.names[0]][0]}).open("first") as source:
            (tmp_path / "photo.jpg").write_bytes(source.read())
        loaded = load_photo(tmp_path / "photo.jpg", size)
        assert loaded.shape == (size, size, 3) and loaded.dtype == np.uint8 and loaded.flags.writeable
        assert np.array_equal(loaded, split.images[0])


@pytest.mark.parametrize(
    "width, height, side",
    [(356, 436, 280), (534, 2000, 420), (1200, 654, 420), (654, 654, 420), (89, 109, 70), (300, 150, 96)],
)
def test_portrait_and_landscape_are_cut_in_the_middle(width, height, side, tmp_path):
    left, top = (width - side) // 2, (height - side) // 2
    photo = Image.new("RGB", (width, height), "magenta")
    inside = picture(side, side)
    photo.paste(inside, (left, top))  # nothing of the magenta has a part in the result
    expected = np.asarray(inside.resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(load_photo(save(tmp_path / "photo.png", photo)), expected)


def test_the_path_may_be_text_and_begin_with_the_home_folder(tmp_path, monkeypatch):
    path = save(tmp_path / "ein Foto.png", picture(178, 218))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert np.array_equal(load_photo(str(path)), load_photo("~/ein Foto.png"))


@pytest.mark.parametrize("width, height", [(1, 1), (2, 3), (50, 1), (1, 50), (20, 30)])
def test_a_tiny_photograph_is_enlarged(width, height, tmp_path):
    loaded = load_photo(save(tmp_path / "photo.png", Image.new("RGB", (width, height), (10, 200, 30))), 512)
    assert loaded.shape == (512, 512, 3) and (loaded == (10, 200, 30)).all()


def test_a_huge_photograph_is_shrunk_with_antialiasing_and_without_a_warning(tmp_path, monkeypatch):
    stripes = np.zeros((3000, 4000), np.uint8)
    stripes[:, ::2] = 255
    path = save(tmp_path / "photo.png", Image.fromarray(stripes), compress_level=1)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8_000_000)  # Pillow warns from here, and refuses from twice that
    with warnings.catch_warnings(action="error"):
        loaded = load_photo(path, 16)
        aligned = load_photo(path, 16, eyes=((1500, 1400), (2400, 1600)))
    assert 120 < loaded.min() and loaded.max() < 135  # even grey, no moiré
    assert 120 < aligned.min() and aligned.max() < 135


# --- files of every kind ----------------------------------------------------------------------


def test_every_mode_becomes_rgb(tmp_path):
    colour = picture(178, 218)
    grey = colour.getchannel(2)
    sixteen = np.asarray(grey).astype(np.uint16) * 257

    def same(name, image, expected, tolerance=0, **options):
        loaded = load_photo(save(tmp_path / name, image, **options)).astype(int)
        difference = np.abs(loaded - load_photo(save(tmp_path / "expected.png", expected)))
        assert loaded.shape == (64, 64, 3) and difference.max() <= tolerance, name

    threefold = Image.merge("RGB", [grey] * 3)
    same("grey.png", grey, threefold)
    same("sixteen.png", Image.fromarray(sixteen), threefold)
    same("sixteen.tif", Image.fromarray(sixteen), threefold)
    same("two.bmp", grey.convert("1", dither=0), threefold.point(lambda value: 255 * (value > 127)))
    same("cmyk.tif", colour.convert("CMYK"), colour, tolerance=2)
    same("photo.webp", colour, colour, lossless=True)
    same("photo.jpg", colour, colour, tolerance=12, quality=95)
    palette = colour.quantize(64)
    same("palette.gif", palette, palette.convert("RGB"))

    alpha = Image.linear_gradient("L").resize(colour.size)
    on_white = Image.composite(colour, Image.new("RGB", colour.size, "white"), alpha)
    same("alpha.png", Image.merge("RGBA", [*colour.split(), alpha]), on_white, tolerance=2)
    same("grey alpha.png", Image.merge("LA", [grey, alpha]), Image.merge("RGB", [on_white.getchannel(2)] * 3), 2)
    half = Image.new("P", colour.size, 1)
    half.putpalette([255, 0, 0, 0, 0, 255])
    half.paste(0, (0, 0, 89, 218))
    expected = Image.new("RGB", colour.size, "blue")
    expected.paste("white", (0, 0, 89, 218))
    same("transparent palette.png", half, expected, transparency=0)
    same("transparent palette.gif", half, expected, transparency=0)
    red = expected.copy()
    red.paste("red", (0, 0, 89, 218))
    same("transparent colour.png", red, expected, transparency=(255, 0, 0))


@pytest.mark.parametrize("eyes", [None, ((110, 130), (190, 115))])
def test_all_orientations_of_a_camera_give_the_same(eyes, tmp_path):
    upright = picture(300, 400)
    expected = load_photo(save(tmp_path / "upright.png", upright), eyes=eyes)
    turn = Image.Transpose
    stored = {  # how a camera stores what is to be shown upright, by the number of its note
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        image = upright if orientation == 1 else upright.transpose(stored[orientation])
        path = save(tmp_path / "stored.png", image, exif=exif)
        with Image.open(path) as file:
            assert file.getexif()[0x0112] == orientation
        assert np.array_equal(load_photo(path, eyes=eyes), expected), orientation


# --- the eyes ---------------------------------------------------------------------------------


def dot(image, place, radius, colour):
    """Paint a disc with a soft edge; place: (x, y) in pixels, counted from the middle of the top left one."""
    y, x = np.indices(image.shape[:2])
    cover = np.clip(radius + 0.5 - np.hypot(x - place[0], y - place[1]), 0, 1)[..., None]
    image[:] = image * (1 - cover) + np.array(colour) * cover


def centre(weights):
    """The centre (x, y) of an array of weights."""
    y, x = np.indices(weights.shape)
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize(
    "width, height, scale, degrees",
    [
        (178, 218, 1, 0),  # CelebA's own size
        (500, 700, 2.3, 12),  # a portrait, the head tilted
        (1000, 600, 3, -25),
        (900, 1200, 6.7, 5),  # a close one: the crop is wider than the photograph
        (700, 500, 2, 75),  # lying
        (700, 500, 2, -75),
        (150, 140, 0.4, 30),  # a small face, enlarged
    ],
)
def test_eyes_come_to_where_celeba_has_them(width, height, scale, degrees, size, tmp_path):
    angle = np.radians(degrees)
    rotation = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    faces = np.array([*EYES, (88.5, 140)])  # two eyes and a nose, in CelebA's frame
    middle = np.array([0.52 * width, 0.45 * height])
    places = (faces - (88.5, 120)) @ rotation.T + middle  # in the photograph
    photo = np.full((height, width, 3), 40.0)
    for place, colour in zip(places, ((240, 40, 40), (40, 240, 40), (40, 40, 240))):
        dot(photo, place, 7 * scale, colour)
    path = save(tmp_path / "photo.png", Image.fromarray(np.rint(photo).astype(np.uint8)))
    loaded = load_photo(path, size, eyes=places[:2])
    expected = (faces + 0.5 - (19, 39)) * size / 140 - 0.5
    for channel in range(3):
        seen = centre(np.clip(loaded[..., channel].astype(float) - 60, 0, None))
        assert np.hypot(*(seen - expected[channel])) < 0.15
    edge = np.concatenate([loaded[0], loaded[-1], loaded[:, 0], loaded[:, -1]]).astype(int)
    assert np.abs(edge - 40).max() <= 2  # and nothing is black
    assert np.array_equal(loaded, load_photo(path, size, eyes=places[1::-1].tolist()))


def test_eyes_where_celeba_has_them_change_little(celeba, tmp_path):
    place = find(celeba)[0]
    files = Files(place, {"first": next(iter(list_photos(place).values()))[0]})
    with files.open("first") as source, Image.open(source) as file:
        photo = file.copy()
    double = photo.resize((356, 436), Image.Resampling.BICUBIC)
    plain = load_photo(save(tmp_path / "photo.png", photo)).astype(int)
    assert np.abs(load_photo(tmp_path / "photo.png", eyes=EYES) - plain).mean() < 2
    twice = 2 * (np.array(EYES) + 0.5) - 0.5
    assert np.abs(load_photo(save(tmp_path / "double.png", double), eyes=twice) - plain).mean() < 2


@pytest.mark.skipif(not REAL_CELEBA.is_dir(), reason="CelebA is not there; GDL_TEST_CELEBA names its folder")
def test_the_eyes_of_the_mean_face_are_there():
    """In the mean of 300 photographs it is darkest near where the alignment is said to have the eyes."""
    place = find(REAL_CELEBA)[0]
    files = Files(place, {name: where for name, (where, _) in list_photos(place).items()})
    mean = np.mean([np.asarray(Image.open(files.open(name)).convert("L")) for name in list(files.paths)[:300]], axis=0)
    for x, y in EYES:
        left, top = round(x) - 6, round(y) - 6
        window = mean[top : top + 13, left : left + 13]
        darkest = centre(np.clip(np.quantile(window, 0.2) - window, 0, None)) + (left, top)
        assert np.hypot(*(darkest - (x, y))) < 3


def test_outside_of_the_photograph_its_edge_is_repeated(tmp_path):
    photo = Image.new("RGB", (200, 200), "blue")
    ImageDraw.Draw(photo).rectangle((8, 8, 191, 191), fill="yellow")
    path = save(tmp_path / "photo.png", photo)
    loaded = load_photo(path, eyes=((60, 100), (140, 100)))  # the crop is 295 wide
    border = np.concatenate([loaded[:8].reshape(-1, 3), loaded[:, :9].reshape(-1, 3), loaded[:, -9:].reshape(-1, 3)])
    assert np.abs(border - np.array([0, 0, 255])).max() <= 2
    assert (loaded[32, 32] == (255, 255, 0)).all()
    for eyes in (((0, 0), (5, 3)), ((199, 199), (0, 0)), ((0, 199), (199.9, 0)), ((100, 0), (100, 199))):
        loaded = load_photo(save(path, Image.new("RGB", (200, 200), (10, 200, 30))), eyes=eyes)
        assert np.abs(loaded - np.array([10, 200, 30])).max() <= 1


def test_fine_patterns_are_not_aliased_when_aligned(tmp_path):
    board = 255 * (np.indices((1200, 1500)).sum(axis=0) % 2).astype(np.uint8)
    path = save(tmp_path / "photo.png", Image.fromarray(board))
    loaded = load_photo(path, eyes=((600, 500), (950, 560)))
    assert 120 < loaded.min() and loaded.max() < 135


@pytest.mark.parametrize(
    "eyes, said",
    [
        (((50, 60), (50, 60)), r"Both eyes are at \(50, 60\): give the position of each"),
        (((50, 60), (50.5, 60)), "Both eyes are at"),
        ((50, 60, 90, 60), "eyes are two points in pixels"),
        (((50, 60),), "eyes are two points in pixels"),
        (((50, 60), (90, 60), (70, 80)), "eyes are two points in pixels"),
        (((50, 60, 1), (90, 60, 1)), "eyes are two points in pixels"),
        (np.zeros((2, 3)), "eyes are two points in pixels"),
        (((50, 60), (90, None)), "eyes are two points in pixels"),
        ("left, right", "eyes are two points in pixels"),
        (7, "eyes are two points in pixels"),
        (((50, 60), (178, 60)), r"The eye \(178, 60\) is outside .*photo.png: give x below 178 and y below 218"),
        (((50, -1), (90, 60)), r"The eye \(50, -1\) is outside"),
        (((50, 60), (90, float("nan"))), r"The eye \(90, nan\) is outside"),
        (((50, 60), (float("inf"), 60)), r"The eye \(inf, 60\) is outside"),
    ],
)
def test_eyes_that_cannot_be_used(eyes, said, tmp_path):
    refused(said, load_photo, save(tmp_path / "photo.png", picture(178, 218)), eyes=eyes)


# --- what is wrong with a file is said in one sentence ------------------------------------------


def test_files_that_cannot_be_used(tmp_path, monkeypatch):
    refused("nowhere.jpg does not exist: give the path", load_photo, tmp_path / "nowhere.jpg")
    refused("is a folder: give one photograph", load_photo, tmp_path)
    whole = save(tmp_path / "whole.jpg", picture(400, 600)).read_bytes()
    no_images = {"text.jpg": b"no image", "empty.png": b"", "page.jpg": b"<html>", "start.jpg": whole[:2]}
    for name, content in no_images.items():
        (tmp_path / name).write_bytes(content)
        refused(f"{name} is not an image that Pillow can read; HEIC, for example, is not: save it as JPEG", load_photo, tmp_path / name)
    for ending in ("jpg", "png", "webp", "tif", "gif", "bmp"):
        path = save(tmp_path / f"cut.{ending}", picture(400, 600))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        refused(f"cut.{ending} is (damaged|not an image)", load_photo, path)
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    refused("half.jpg is damaged or was cut short: copy or", load_photo, tmp_path / "half.jpg")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100_000)
    refused("whole.jpg has more than 200,000 pixels", load_photo, tmp_path / "whole.jpg")


@pytest.mark.parametrize(
    "path, said",
    [
        (None, "not a NoneType: give the path"),
        (3, "not a int: give the path"),
        (np.zeros((64, 64, 3), np.uint8), "not a ndarray: give the path"),
        (picture(64, 64), "not a Image: give the path"),
        ("https://example.org/me.jpg", "me.jpg is an address: download the photograph"),
    ],
    ids=["None", "number", "array", "image", "address"],
)
def test_what_is_no_path(path, said):
    refused(said, load_photo, path)


@pytest.mark.parametrize("size", [None, (64, 64), "64"])
def test_sizes_that_are_no_number(size, tmp_path):
    refused("give one number of pixels, such as 64", load_photo, save(tmp_path / "photo.png", picture(178, 218)), size=size)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="whoever may read everything is refused nothing")
def test_a_file_that_may_not_be_read(tmp_path):
    path = save(tmp_path / "photo.png", picture(178, 218))
    path.chmod(0)
    refused("You have no permission to read .*photo.png: change its permissions", load_photo, path)


@pytest.mark.parametrize("size", [60, 0, 520, 63.5])
def test_sizes_that_the_networks_cannot_halve(size, tmp_path):
    refused(f"size={size} is not possible", load_photo, save(tmp_path / "photo.png", picture(178, 218)), size=size)


@pytest.mark.slow
def test_a_photograph_is_read_without_tensorflow(tmp_path):
    path = save(tmp_path / "photo.png", picture(178, 218))
    script = "import sys, gdl; gdl.load_photo(sys.argv[1]); assert 'tensorflow' not in sys.modules"
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
