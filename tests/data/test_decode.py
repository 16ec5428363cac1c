"""Every kind of image file becomes the same RGB, or the reason is said."""

import io
import struct
import zlib

import numpy as np
import pytest
from conftest import refused
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

import gdl
from gdl.data.decode import SIGNATURE, Unusable, open_image, upright_rgb

RAMP = np.tile(np.arange(0, 256, 5, dtype=np.uint8), (52, 1))  # 52x52, dark at the left
COLOUR = Image.fromarray(np.dstack([RAMP, RAMP.T, 255 - RAMP]))


def read(image, kind, **options):
    """What becomes of an image that is saved in a format."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return decode(file.getvalue())


def decode(content):
    with open_image(io.BytesIO(content)) as opened:
        return np.asarray(upright_rgb(opened)).astype(int)


def grey(array):
    return np.dstack([np.asarray(array).astype(int)] * 3)


# --- wide pixels ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pixels",
    [
        RAMP.astype(np.float32) / 255,
        RAMP.astype(np.float32),
        RAMP.astype(np.float32) * 257,
        RAMP.astype(np.int32),
        RAMP.astype(np.int32) * 257,
        RAMP.astype(np.uint16) * 257,
    ],
    ids=["0 to 1", "0 to 255", "0 to 65535", "int 0 to 255", "int 0 to 65535", "16 bits"],
)
def test_wide_pixels_in_tiff(pixels):
    assert np.array_equal(read(Image.fromarray(pixels), "TIFF"), grey(RAMP))


def test_wide_pixels_in_other_formats():
    sixteen, fractions = Image.fromarray(RAMP.astype(np.uint16) * 257), Image.fromarray(RAMP.astype(np.float32) / 255)
    for kind in ("PNG", "PPM", "JPEG2000"):
        assert np.array_equal(read(sixteen, kind), grey(RAMP)), kind
    assert np.array_equal(read(fractions, "PPM"), grey(RAMP))  # .pfm
    transparent = read(sixteen, "PNG", transparency=10 * 257)
    assert (transparent[RAMP == 10] == 255).all() and np.array_equal(transparent[RAMP != 10], grey(RAMP)[RAMP != 10])
    big_endian = Image.fromarray(np.asarray(sixteen).astype(">u2"))
    assert big_endian.mode == "I;16B" and np.array_equal(read(big_endian, "TIFF"), grey(RAMP))


def test_twelve_bits_fill_the_range():
    """A TIFF of 12 bits, written by hand: two pixels in three bytes."""
    row = b"\x00\x0f\xff" * 8  # 0, 4095, ...
    tags = [(256, 3, 16), (257, 3, 2), (258, 3, 12), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 2), (279, 4, 48)]
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in tags)
    content = b"II*\0" + struct.pack("<I", 56) + row * 2 + struct.pack("<H", len(tags)) + entries + bytes(4)
    assert np.array_equal(decode(content)[..., 0], [[0, 255] * 8] * 2)


@pytest.mark.parametrize(
    "pixels, said",
    [
        (RAMP.astype(np.float32) / 127.5 - 1, "with pixels from -1 to 1 .save them as 0 to 255"),
        (np.where(RAMP > 100, np.nan, 0).astype(np.float32), "with pixels that are no numbers"),
        (np.full((20, 20), np.inf, np.float32), "with pixels that are no numbers"),
        (RAMP.astype(np.float32) * 1e6, "with pixels from 0 to 2.55e.08"),
        (RAMP.astype(np.float32) / 85, "with pixels up to 3 of 255 .almost black, or of fewer bits"),
        (RAMP.astype(np.uint16), "with pixels up to 255 of 65535 .almost black, or of fewer bits"),
        (RAMP.astype(np.uint16) * 16, "with pixels up to 4080 of 65535"),
        (RAMP.astype(np.int32) * 16, "with pixels up to 4080 of 65535"),
        (RAMP.astype(np.int32) - 128, "with pixels from -128 to 127"),
    ],
)
def test_pixels_that_could_be_anything_are_refused(pixels, said, tmp_path):
    with pytest.raises(Unusable, match=said):
        read(Image.fromarray(pixels), "TIFF")
    Image.fromarray(pixels).save(tmp_path / "photo.tif")
    refused(f"photo.tif is a file {said}", gdl.load_photo, tmp_path / "photo.tif")


def test_black_white_and_small_overshoots_are_certain():
    for kind, white in ((np.float32, 1), (np.int32, 255), (np.uint16, 65535)):
        assert read(Image.fromarray(np.zeros((20, 20), kind)), "TIFF").max() == 0
        assert read(Image.fromarray(np.full((20, 20), white, kind)), "TIFF").min() == 255
    overshoot = read(Image.fromarray(np.array([[-0.02, 0, 0.5, 1, 1.02]], np.float32)), "TIFF")
    assert overshoot[0, :, 0].tolist() == [0, 0, 128, 255, 255]
    dark = read(Image.fromarray(np.full((20, 20), 3, np.float32)), "TIFF")  # whole numbers: not 0 to 1
    assert dark.max() == 3


# --- other modes ------------------------------------------------------------------------------


def test_colour_spaces():
    tolerance = {"P": 60, "CMYK": 0, "YCbCr": 3, "LAB": 40}
    for mode, most in tolerance.items():
        if mode == "LAB":
            spaces = [ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")]
            image = ImageCms.profileToProfile(COLOUR, *spaces, outputMode="LAB")
        else:
            image = COLOUR.convert(mode)
        off = np.abs(read(image, "TIFF") - np.asarray(COLOUR).astype(int))
        assert off.max() <= most and off.mean() < (6 if mode != "P" else 20), mode
    assert np.array_equal(read(Image.fromarray(RAMP).convert("1", dither=0), "TIFF"), grey(255 * (RAMP > 127)))


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF"])
def test_half_transparent_pixels_are_half_white(kind):
    alpha = Image.new("L", COLOUR.size, 128)
    image = Image.merge("RGBA", [*COLOUR.split(), alpha])
    expected = np.asarray(COLOUR) * (128 / 255) + 255 * (127 / 255)
    assert np.abs(read(image, kind, **({"lossless": True} if kind == "WEBP" else {})) - expected).max() <= 1.5


def test_grey_with_alpha_and_premultiplied_alpha():
    both = Image.merge("LA", [Image.fromarray(RAMP), Image.new("L", (52, 52), 128)])
    expected = grey(RAMP) * (128 / 255) + 127
    for kind in ("PNG", "TIFF"):
        assert np.abs(read(both, kind) - expected).max() <= 1.5
    multiplied = Image.merge("RGBA", [*COLOUR.split(), Image.new("L", (52, 52), 128)]).convert("RGBa")
    assert np.abs(np.asarray(upright_rgb(multiplied)) - (np.asarray(COLOUR) * (128 / 255) + 127)).max() <= 3
    multiplied = both.convert("La")
    assert np.abs(np.asarray(upright_rgb(multiplied)) - expected).max() <= 3


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_the_first_of_several_pictures_is_taken(kind):
    red = Image.new("RGB", COLOUR.size, "red")
    options = {"lossless": True} if kind == "WEBP" else {}
    image = Image.new("RGB", COLOUR.size, "blue")
    several = read(image, kind, save_all=True, append_images=[red, red], **options)
    assert (several == (0, 0, 255)).all()


# --- notes in a file --------------------------------------------------------------------------


def profile(**changes):
    """sRGB's profile with some of its tags in the place of others, as bytes."""
    content = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for at in range(132, 132 + 12 * int.from_bytes(content[128:132], "big"), 12):
        name = bytes(content[at : at + 4]).decode()
        if name in changes:
            content[at : at + 4] = changes[name].encode()
    return bytes(content).replace("sRGB built-in".encode("utf-16-be"), "other profile".encode("utf-16-be"))


def test_a_colour_profile_is_converted_to_srgb():
    plain = np.asarray(COLOUR).astype(int)
    swapped = profile(rXYZ="gXYZ", gXYZ="rXYZ")  # what is stored as red is to be shown as green
    for image, expected in ((COLOUR, plain[..., [1, 0, 2]]), (COLOUR.convert("RGBA"), plain[..., [1, 0, 2]])):
        assert np.abs(read(image, "PNG", icc_profile=swapped) - expected).max() <= 3


def test_colour_profiles_that_say_nothing_new_or_are_damaged_change_nothing():
    same = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for content in (same, b"no profile", profile()[:300], lab):
        assert np.array_equal(read(COLOUR, "PNG", icc_profile=content), np.asarray(COLOUR))
    assert np.array_equal(read(Image.fromarray(RAMP), "PNG", icc_profile=profile()), grey(RAMP))  # for colours, in a grey image


GARBAGE = b"Exif\0\0garbage, which is no EXIF data"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_exif_data_does_not_matter(kind):
    image = Image.fromarray(RAMP).convert("RGB")
    assert np.abs(read(image, kind, exif=GARBAGE) - grey(RAMP)).max() < 30


def chunk(name, content, checksum=None):
    right = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", right if checksum is None else checksum)


@pytest.mark.parametrize(
    "note",
    [
        chunk(b"eXIf", b"MM\0*garbage"),
        chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\0", checksum=7),
        chunk(b"iCCP", b"name\0\0no compressed profile"),
        chunk(b"tEXt", b"Raw profile type exif\0\nexif\n  10\nzzzz"),
        chunk(b"zTXt", b"comment\0\0" + zlib.compress(bytes(10_000_000))),
        chunk(b"pHYs", b"short"),
    ],
    ids=["no EXIF", "wrong checksum", "no profile", "no hexadecimal text", "a large text", "a short chunk"],
)
def test_damaged_notes_of_a_png_do_not_matter(note):
    file = io.BytesIO()
    COLOUR.save(file, "PNG")
    content = file.getvalue()
    with_note = content[:33] + note + content[33:]  # behind the header
    assert np.array_equal(decode(with_note), np.asarray(COLOUR))


def test_damaged_pixels_of_a_png_do_matter():
    file = io.BytesIO()
    COLOUR.save(file, "PNG", pnginfo=PngInfo())
    content = bytearray(file.getvalue())
    content[content.index(b"IDAT") + 30] ^= 255
    with pytest.raises((OSError, SyntaxError, ValueError)):
        decode(bytes(content))
    with pytest.raises(Image.UnidentifiedImageError):
        decode(SIGNATURE + b"nothing else")


def test_one_image_with_damaged_exif_data_does_not_refuse_the_folder(tmp_path, own_cache, capsys):
    for i in range(10):
        COLOUR.save(tmp_path / f"{i}.png", exif=GARBAGE if i == 3 else b"")
    faces = gdl.ImageFolder(tmp_path, 16)
    images = np.concatenate([faces.train.images, faces.val.images, faces.test.images])
    assert len(images) == 10 and (images == images[0]).all() and capsys.readouterr().out == ""
    assert np.array_equal(gdl.load_photo(tmp_path / "3.png"), gdl.load_photo(tmp_path / "4.png"))


def test_an_orientation_in_a_damaged_block_is_left_alone(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 99  # no orientation
    assert np.array_equal(read(COLOUR, "PNG", exif=exif), np.asarray(COLOUR))
    exif[0x0112] = 3
    assert np.array_equal(read(COLOUR, "PNG", exif=exif), np.asarray(COLOUR)[::-1, ::-1])
