"""Messages between the grader and the student's process: JSON of plain values, each message after its length.

Plain values are None, booleans, numbers, strings, arrays of numbers, and lists and dictionaries of these. Nothing that
is received is executed or becomes another kind of object. Whatever the student's side sends, it is only a value.
"""

import base64
import json
import math
from typing import Any, BinaryIO

import numpy as np

MAX_BYTES = 16 * 2**20  # of one message
MAX_VALUES = 500_000  # in the lists and dictionaries of one message: in memory each takes far more than its bytes
MAX_DEPTH = 64  # of lists in lists: as many dimensions as an array of NumPy has
DTYPES = {np.dtype(name).str for name in "?bBhHiIlLqQefd"}
ARRAY, TUPLE = "__array__", "__tuple__"


class ChannelError(Exception):
    """A message that breaks the rules, or no message because the other side has ended."""


def send(file: BinaryIO, message: dict[str, Any]) -> None:
    """Writes one message, a dictionary of plain values. Raises TypeError for a value that is not plain."""
    data = json.dumps(_pack(message)).encode()
    file.write(len(data).to_bytes(8, "big") + data)
    file.flush()


def receive(file: BinaryIO) -> dict[str, Any]:
    """Reads one message. Raises ChannelError if there is none, if it is too large, or if it has other than plain values.

    >>> import io
    >>> pipe = io.BytesIO()
    >>> send(pipe, {"value": [1, np.array([2.0, 3.0])]})
    >>> receive(io.BytesIO(pipe.getvalue()))
    {'value': [1, array([2., 3.])]}
    """
    header = file.read(8)
    if len(header) < 8:
        raise ChannelError("no answer")
    length = int.from_bytes(header, "big")
    if length > MAX_BYTES:
        raise ChannelError(f"more than {MAX_BYTES // 2**20} MB in one answer")
    data = file.read(length)
    if len(data) < length:
        raise ChannelError("no answer")
    try:
        if sum(data.count(sign) for sign in (b",", b"[", b"{")) > MAX_VALUES:
            raise ChannelError(f"more than {MAX_VALUES} values in one answer")
        message = _unpack(json.loads(data), _Room())
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        message = None
    if not isinstance(message, dict):
        raise ChannelError("an answer that is not made of plain values")
    return message


def size_of(value: Any) -> int:
    """About how many bytes a plain value takes.

    >>> size_of([1, "ab", np.zeros(3)])
    34
    """
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(len(key) + size_of(item) for key, item in value.items())
    return sum(map(size_of, value)) if isinstance(value, (list, tuple)) else len(value) if isinstance(value, str) else 8


def _pack(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, (int, float)):  # NumPy's float64 is a float too
        return int(value) if isinstance(value, int) else float(value)
    if isinstance(value, tuple):
        return {TUPLE: [_pack(item) for item in value]}
    if isinstance(value, list):
        return [_pack(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise TypeError("it gave a dictionary with keys that are not strings")
        return {key: _pack(item) for key, item in value.items()}
    array = np.asarray(value)  # tensors, variables and pandas columns as well
    if array.dtype.kind in "iuf":  # of another byte order, or longer than other machines can read
        array = array.astype(np.float64 if array.dtype.itemsize > 8 else array.dtype.newbyteorder("="))
    if array.dtype.str not in DTYPES:
        kind = f"an array of {array.dtype}" if array.ndim and array.dtype != object else f"a value of type {type(value).__name__}"
        raise TypeError(f"it gave {kind}; only real numbers, strings, arrays, lists and dictionaries can be marked")
    if isinstance(value, np.generic):
        return array.item()
    return {ARRAY: [array.dtype.str, list(array.shape), base64.b64encode(array.tobytes()).decode()]}


class _Room:
    """What the arrays of one message may still take, in numbers. A side of length 0 counts as 1: the other sides can still be enormous."""

    def __init__(self):
        self.left = MAX_BYTES

    def take(self, shape):
        self.left -= math.prod(max(n, 1) for n in shape)
        if self.left < 0:
            raise ValueError("too large")


def _unpack(value, room, depth=0):
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if isinstance(value, list):
        return [_unpack(item, room, depth + 1) for item in value]
    if not isinstance(value, dict):
        return value
    if TUPLE in value:
        if len(value) != 1 or not isinstance(value[TUPLE], list):
            raise ValueError("not a tuple")
        return tuple(_unpack(item, room, depth + 1) for item in value[TUPLE])
    if ARRAY not in value:
        return {key: _unpack(item, room, depth + 1) for key, item in value.items()}
    dtype, shape, data = value[ARRAY]
    if not isinstance(dtype, str) or dtype not in DTYPES or not isinstance(shape, list) or len(shape) > 8:
        raise ValueError("not an array")
    if not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("not an array")
    room.take(shape)  # before anything is made
    data = base64.b64decode(data, validate=True)
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data):
        raise ValueError("not an array")
    return np.frombuffer(data, dtype).reshape(shape).copy()
