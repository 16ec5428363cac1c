"""Arrays of an .npz file, of which nothing is run and nothing is larger than allowed. Its author is not trusted."""

import io
import math
import zipfile

import numpy as np

from gdl.errors import CourseError

MAX_ARRAYS = 10_000


def read_arrays(content: bytes, name: str, most: int) -> dict[str, np.ndarray]:
    """The arrays of an .npz file by their names: real numbers only, with the shapes that they are written with.

    name: of the file, for errors.  most: bytes that the arrays may have together, which is looked at before anything is unpacked.
    CourseError for a file that is damaged, too large, or holds Python objects, which would be run (a pickle).

    >>> file = io.BytesIO()
    >>> np.savez(file, a=np.arange(3.0))
    >>> read_arrays(file.getvalue(), "a.npz", most=100)
    {'a': array([0., 1., 2.])}
    """
    arrays: dict[str, np.ndarray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if len(members) > MAX_ARRAYS:
                raise CourseError(f"{name} has more than {MAX_ARRAYS:,} arrays: write it with gdl.project.weights.pack.")
            for member in members:
                with archive.open(member) as file:
                    array = _read_array(file, name, most)
                most -= array.nbytes
                arrays[member.filename.removesuffix(".npy")] = array
    except CourseError:
        raise
    except Exception as error:  # the list of what zipfile, zlib and NumPy raise for broken files is long
        raise CourseError(f"{name} is damaged or no .npz file ({str(error)[:80] or type(error).__name__}): write it again.") from None
    return arrays


def _read_array(file, name, room):
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format .npy")
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(file)
    if dtype.hasobject:
        raise CourseError(f"{name} holds Python objects, which would be run when they are read: write plain arrays of numbers.")
    if dtype.kind not in "biuf":
        raise CourseError(f"{name} holds values of {dtype}: write plain arrays of numbers.")
    size = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape}")
    if size > room:
        raise CourseError(f"{name} unpacks to more numbers than the model or the images have: write it again with gdl.project.weights.pack.")
    data = file.read(size)
    if len(data) != size:
        raise ValueError("an array is shorter than it says")
    return np.frombuffer(data, dtype).reshape(shape, order="F" if fortran_order else "C")
