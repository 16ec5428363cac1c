"""From an image file of any kind that Pillow opens to RGB with 8 bits, or the reason why it cannot be used."""

import io
from functools import cache
from typing import IO

import numpy as np
from PIL import Image, ImageCms

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NO_PICTURES = ("BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF")  # Pillow knows these by name, and opens them with other programs or not at all
ORIENTATION = 0x0112  # in the camera's EXIF data
TURNS = {  # orientation -> what makes the image upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class Unusable(Exception):
    """A file that is not used; the text says why, in words that follow a number, as in "2 with pixels that are no numbers"."""


@cache
def extensions() -> frozenset[str]:
    """The endings of the files that Pillow opens, such as ".jpg", in lower case."""
    Image.init()
    opened = {*Image.OPEN, "MPO"} - set(NO_PICTURES)
    return frozenset(ending for ending, kind in Image.registered_extensions().items() if kind in opened)


def open_image(file: IO[bytes]) -> Image.Image:
    """The image of an open file. A PNG with a damaged note (EXIF data, text, colour profile) is opened without its notes."""
    try:
        return Image.open(file)
    except (Image.UnidentifiedImageError, ValueError, OSError, SyntaxError):
        file.seek(0)
        if file.read(8) != SIGNATURE:
            raise
        return Image.open(io.BytesIO(_png_without_notes(file.read())))


def upright_rgb(image: Image.Image) -> Image.Image:
    """An opened image as RGB with 8 bits for each channel.

    The orientation in the camera's EXIF data is applied, unless that data is damaged. A colour profile is converted to
    sRGB, and transparent pixels become white. Of an animation or a file with several pages, the first is taken.
    16 bits become 8. Fractional pixels are read as 0 to 1, 0 to 255 or 0 to 65535, and those of 32-bit integers as 0 to 255
    or 0 to 65535, whichever they fill. Unusable for pixels that fit none of these, or for which it is uncertain.
    """
    image.load()
    wide = image.mode == "F" or image.mode.startswith("I")
    upright = _upright(image)
    if wide:
        return _eight_bits(upright, *_whites(image)).convert("RGB")
    if image.mode == "La":
        upright = upright.convert("LA")
    if not upright.has_transparency_data:
        return _srgb(upright)
    with_alpha = upright.convert("RGBA")
    colours = with_alpha.convert("RGB")
    if image.mode in ("RGB", "RGBA"):
        colours.info["icc_profile"] = image.info.get("icc_profile")
        colours = _srgb(colours)
    return Image.composite(colours, Image.new("RGB", colours.size, "white"), with_alpha.getchannel("A"))


def why(error: Exception) -> str:
    """The reason why a file was not used, in words that follow a number."""
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, PermissionError):
        return "that you have no permission to read"
    if isinstance(error, Image.DecompressionBombError):
        return f"with more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
    if isinstance(error, Image.UnidentifiedImageError):
        return "that Pillow cannot read as an image"
    if isinstance(error, MemoryError):
        return "too large for the memory"
    return "damaged or cut short"


def _upright(image):
    try:
        turn = TURNS.get(image.getexif().get(ORIENTATION))
    except Exception:  # damaged EXIF data makes Pillow raise errors of many kinds
        return image
    return image if turn is None else image.transpose(turn)


def _whites(image):
    """What may stand for white in an image with wide pixels: one value or several."""
    if image.mode == "F":
        return 1, 255, 65535
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    bits, signed = tags.get(258, (16,))[0], tags.get(339, (1,))[0] == 2
    if bits == 32:
        return 255, 65535
    if signed:
        return 255, 2 ** (bits - 1) - 1
    return (2**bits - 1,)


def _eight_bits(image, *whites):
    """Grey with 8 bits of wide pixels."""
    pixels = np.asarray(image)
    transparent = image.info.get("transparency")
    if not np.isfinite(pixels).all():
        raise Unusable("with pixels that are no numbers")
    low, high = float(pixels.min()), float(pixels.max())
    white = next((white for white in whites if high <= 1.05 * white), None)
    if white is None or low < -0.05 * white:
        raise Unusable(f"with pixels from {low:.6g} to {high:.6g} (save them as 0 to 255)")
    bytes_ = white == 255 and (pixels == np.rint(pixels)).all()
    if white > 1 and not bytes_ and 0 < high < white / 16:
        raise Unusable(f"with pixels up to {high:.6g} of {white} (almost black, or of fewer bits: save them as 0 to 255)")
    grey = np.rint(np.clip(pixels.astype(np.float32) * (255 / white), 0, 255)).astype(np.uint8)
    if isinstance(transparent, int):
        grey[pixels == transparent] = 255
    return Image.fromarray(grey)


def _srgb(image):
    """RGB; the image's own colour profile, where it has one that can be used, is converted to sRGB."""
    try:
        profile = _profile(image)
        if profile is not None:
            return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):  # a damaged profile
        pass
    return image.convert("RGB")


def _profile(image):
    if image.mode == "LAB":
        return ImageCms.createProfile("LAB")
    content, space = image.info.get("icc_profile"), {"RGB": "RGB", "CMYK": "CMYK", "L": "GRAY"}.get(image.mode)
    if not content or not space:
        return None
    profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
    fits = profile.profile.xcolor_space.strip() == space
    return profile if fits and "sRGB" not in (profile.profile.profile_description or "") else None


def _png_without_notes(chunks):
    """A PNG of the chunks that its pixels need. Their checksums stay, so that damaged pixels are still refused."""
    kept, start = [SIGNATURE], 0
    while start + 12 <= len(chunks):
        end = start + 12 + int.from_bytes(chunks[start : start + 4], "big")
        if chunks[start + 4 : start + 8] in (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"):
            kept.append(chunks[start:end])
        start = end
    return b"".join(kept)
