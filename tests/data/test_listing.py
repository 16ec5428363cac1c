"""Whatever is passed over is counted and said, and nothing hangs."""

import io
import os
import socket
import subprocess
import sys
import zipfile

import pytest
from conftest import refused
from PIL import Image

import gdl
from gdl.data import contents
from gdl.data.decode import extensions
from gdl.data.listing import list_images
from gdl.data.report import counted, printable, say


def fill(folder, n=10, ending=".png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        Image.new("RGB", (20, 20), (i, 0, 0)).save(folder / f"{i}{ending}")
    return folder


def number(faces):
    return len(faces.train) + len(faces.val) + len(faces.test)


def test_endings_are_those_that_pillow_opens():
    assert {".jpg", ".jpe", ".jfif", ".png", ".apng", ".avif", ".jp2", ".ppm", ".webp", ".tif", ".bmp", ".gif", ".mpo"} <= extensions()
    assert not {".pdf", ".h5", ".mpg", ".mpeg", ".eps", ".txt", ".svg"} & extensions()  # other programs open these, or none


@pytest.mark.parametrize("ending", [".avif", ".jfif", ".JP2", ".ppm", ".jpe", ".WebP", ".tga", ".pcx", ".qoi", ".PGM"])
def test_images_of_other_endings_are_taken(ending, tmp_path, own_cache):
    folder = fill(tmp_path / "images", 5)
    Image.new("L" if ending == ".PGM" else "RGB", (20, 20), "white").save(folder / "000", format=extensions_of(ending))
    (folder / "000").rename(folder / f"000{ending}")
    faces = gdl.ImageFolder(folder, 16)
    assert number(faces) == 6
    images = dict(zip([*faces.train.names, *faces.val.names, *faces.test.names], [*faces.train.images, *faces.val.images, *faces.test.images]))
    assert images[f"000{ending}"].min() > 250


def extensions_of(ending):
    return Image.registered_extensions()[ending.lower()]


def test_everything_that_is_passed_over_is_counted(tmp_path, own_cache, capsys):
    folder = fill(tmp_path / "images")
    for name in ("a.heic", "b.HEIC", "c.heic", "d.heic", "notes.txt", "no_ending"):
        (folder / name).write_bytes(b"x")
    for name in (".hidden.png", "._0.png", ".DS_Store", "Thumbs.db", "desktop.ini"):  # not worth a word
        (folder / name).write_bytes(b"x")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "0.png").write_bytes(b"x")
    (folder / "x.png").mkdir()
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "circle.png").symlink_to("circle.png")
    assert number(gdl.ImageFolder(folder, 16)) == 10
    said = (
        f"Passed over in {folder}: 4 with the ending .heic, which Pillow does not read (a.heic, b.HEIC, c.heic, ...), "
        "2 linked to nothing (circle.png, gone.png), 1 without an ending such as .jpg (no_ending), "
        "1 with the ending .txt, which Pillow does not read (notes.txt)\n"
    )
    assert capsys.readouterr().out == said
    gdl.ImageFolder(folder, 16)
    assert capsys.readouterr().out == said  # also when nothing is decoded


@pytest.mark.skipif(os.name == "nt", reason="only root can start it so")
def test_pipes_and_sockets_do_not_hang(tmp_path, own_cache, capsys, monkeypatch):
    folder = fill(tmp_path / "images")
    os.mkfifo(folder / "pipe.png")
    monkeypatch.chdir(folder)  # a socket's path must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        assert number(gdl.ImageFolder(folder, 16)) == 10
    assert "2 of another kind than a file (pipe, socket or device) (pipe.png, socket.png)" in capsys.readouterr().out
    refused("pipe.png is a pipe, a socket or a device", gdl.load_photo, folder / "pipe.png")


def test_links_to_folders_are_followed_and_circles_are_not(tmp_path, own_cache, capsys):
    fill(tmp_path / "outside")
    fill(tmp_path / "animals" / "cat")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "animals" / "dog").symlink_to(fill(tmp_path / "elsewhere" / "dog"))
    (tmp_path / "animals" / "cat" / "again").symlink_to("..")
    (tmp_path / "animals" / "up").symlink_to("../..")
    faces = gdl.ImageFolder(tmp_path / "animals", 16)
    assert number(faces) == 20 and faces.classes == ["cat", "dog"]
    assert "2 linked to a folder that is taken already (up, cat/again)" in capsys.readouterr().out


def test_folders_that_cannot_be_opened_are_mentioned(tmp_path, monkeypatch):
    folder = fill(tmp_path / "images")
    fill(folder / "closed")
    plain = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: closed(path) if str(path).endswith("closed") else plain(path))

    def closed(path):
        raise PermissionError(13, "Permission denied", str(path))

    listing = list_images(folder)
    assert len(listing.images) == 10 and listing.passed_over == {"that cannot be opened": ["closed"]}


def test_files_that_are_too_large_are_not_read(tmp_path, own_cache, capsys):
    folder = fill(tmp_path / "images")
    with open(folder / "large.png", "wb") as file:
        file.truncate(contents.LARGEST + 1)  # a hole, which takes no room
    assert number(gdl.ImageFolder(folder, 16)) == 10
    assert "1 larger than 2 GB (large.png)" in capsys.readouterr().out


def test_files_that_cannot_be_decoded_are_counted_by_reason(tmp_path, own_cache, monkeypatch):
    folder = fill(tmp_path / "images")
    (folder / "page.png").write_bytes(b"<html>")
    (folder / "zero.png").write_bytes(b"")
    Image.effect_noise((40, 40), 50).save(folder / "cut.jpg")
    (folder / "cut.jpg").write_bytes((folder / "cut.jpg").read_bytes()[:700])
    Image.new("RGB", (60, 60)).save(folder / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # refused from twice that
    plain = contents.Files.open
    monkeypatch.setattr(contents.Files, "open", lambda files, name: closed() if name == "0.png" else plain(files, name))

    def closed():
        raise PermissionError(13, "Permission denied")

    with pytest.raises(gdl.DataError) as caught:
        gdl.ImageFolder(folder, 16)
    for part in (
        "5 of 14 images cannot be used: ",
        "1 that Pillow cannot read as an image (page.png)",
        "1 empty (zero.png)",
        "1 damaged or cut short (cut.jpg)",
        "1 with more than 2,000 pixels (bomb.png)",
        "1 that you have no permission to read (0.png)",
        "; replace or remove them.",
    ):
        assert part in str(caught.value)


@pytest.mark.slow
def test_names_that_are_no_text(tmp_path, own_cache, capsys):
    folder = fill(tmp_path / "images", 1000)
    name = os.fsdecode(b"\xff\xfe.png")
    try:
        (folder / name).write_bytes(b"no image")
    except OSError:
        pytest.skip("only Linux has such names")
    assert number(gdl.ImageFolder(folder, 16)) == 1000
    assert capsys.readouterr().out == "Skipped 1 of 1,001 images: 1 that Pillow cannot read as an image (\\udcff\\udcfe.png)\n"
    Image.new("RGB", (20, 20)).save(folder / name, format="PNG")
    faces = gdl.ImageFolder(folder, 16)
    assert number(faces) == 1001 and name in [*faces.train.names, *faces.val.names, *faces.test.names]
    folder.rename(tmp_path / os.fsdecode(b"\xff"))
    assert gdl.ImageFolder(tmp_path / os.fsdecode(b"\xff"), 16).description.startswith("\\udcff: 1,001 images")


def test_reports_are_printed_on_every_screen(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    say(counted({"damaged": ["Äpfel.png", "a\nb.png", "\udcff.png", "d.png"]}))
    sys.stdout.flush()
    assert written.getvalue() == b"4 damaged (\\xc4pfel.png, a\\nb.png, \\udcff.png, ...)\n"
    assert printable("\x1b[31m") == "\\x1b[31m"


@pytest.mark.slow
def test_a_narrow_terminal(tmp_path):
    fill(tmp_path / "Gänse", 3)
    program = f"import gdl; gdl.faces({str(tmp_path / 'Gänse')!r}, size=16)"
    settings = os.environ | {"PYTHONIOENCODING": "ascii", "GDL_CACHE": str(tmp_path / "cache")}
    done = subprocess.run([sys.executable, "-c", program], env=settings, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "G\\xe4nse: 3 images of 16x16 pixels (1 train, 1 val, 1 test)\n")


# --- CelebA's zip -----------------------------------------------------------------------------


def rewrite(archive, change):
    """Writes a zip anew; change: (info, content) -> (info, content)."""
    with zipfile.ZipFile(archive) as old:
        members = [(info, old.read(info)) for info in old.infolist()]
    with zipfile.ZipFile(archive, "w") as new:
        for info, content in members:
            new.writestr(*change(info, content))


def set_in_directory(archive, offset, value):
    """Sets two bytes of each member in the central directory and in the local headers."""
    content = bytearray(archive.read_bytes())
    for signature, place in ((b"PK\x01\x02", offset), (b"PK\x03\x04", offset - 2)):
        start = content.find(signature)
        while start >= 0:
            content[start + place : start + place + 2] = value.to_bytes(2, "little")
            start = content.find(signature, start + 4)
    archive.write_bytes(content)


def test_zips_that_python_cannot_read_say_what_to_do(make_celeba):
    root = make_celeba(zipped=True)
    archive, whole = root / "img_align_celeba.zip", (root / "img_align_celeba.zip").read_bytes()
    set_in_directory(archive, 8, 1)  # the flag of an encrypted member
    refused(r"protected by a password \(img_align_celeba/000001.jpg\): unpack it", gdl.CelebA, root, size=16)
    for method in (9, 93, 98):  # deflate64, zstd, ppmd
        archive.write_bytes(whole)
        set_in_directory(archive, 10, method)
        refused(rf"compressed in a way that Python cannot read \(method {method}\)", gdl.CelebA, root, size=16)
    archive.write_bytes(whole)
    content = bytearray(whole)
    last = content.rindex(b"PK\x01\x02")
    content[last + 34] = 1  # the last photograph lies on the second of two disks
    archive.write_bytes(content)
    refused("img_align_celeba.zip is one part of a zip file that was split: unpack it", gdl.CelebA, root, size=16)
    with zipfile.ZipFile(archive, "w") as nested:
        nested.writestr("img_align_celeba.zip", whole)
    refused("holds no .jpg file, but a zip file: unpack it", gdl.CelebA, root, size=16)


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_zips_of_other_kinds_that_python_reads(compression, make_celeba, own_cache):
    plain = gdl.CelebA(make_celeba("plain"), size=16)
    root = make_celeba("packed", zipped=True)

    def pack(info, content):
        other = zipfile.ZipInfo(f"../../x/{info.filename}" if info.filename.endswith("5.jpg") else f"/abs/{info.filename}")
        other.compress_type = compression
        return other, content

    rewrite(root / "img_align_celeba.zip", pack)
    assert gdl.CelebA(root, size=16).fingerprint == plain.fingerprint
    assert not (root.parent / "x").exists()  # nothing is unpacked


def test_what_is_passed_over_in_celeba_is_said(make_celeba, capsys):
    root = make_celeba(zipped=True)
    with zipfile.ZipFile(root / "img_align_celeba.zip", "a") as archive:
        archive.writestr("img_align_celeba/notes.txt", b"x")
        archive.writestr("__MACOSX/img_align_celeba/._000001.jpg", b"x")
    gdl.CelebA(root, size=16)
    said = "1 with the ending .txt, which Pillow does not read (img_align_celeba/notes.txt)"
    assert capsys.readouterr().out == f"Passed over in {root / 'img_align_celeba.zip'}: {said}\n"
    root = make_celeba("folder")
    (root / "img_align_celeba" / "gone.jpg").symlink_to("nowhere")
    gdl.CelebA(root, size=16)
    assert capsys.readouterr().out == f"Passed over in {root / 'img_align_celeba'}: 1 linked to nothing (gone.jpg)\n"
