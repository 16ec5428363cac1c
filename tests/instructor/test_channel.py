"""What may pass between the grader and a student's process."""

import io
import json

import numpy as np
import pytest
from plain_values import through

from gdl.instructor.grading import channel


def raw(data):
    return io.BytesIO(len(data).to_bytes(8, "big") + data)


@pytest.mark.parametrize("value", [None, True, False, 0, -3, 2**70, 0.1, "", "é\n\0", [], [1, [2.5, None]], {"a": {"b": [1]}}, float("inf")])
def test_plain_values_come_through(value):
    got = through(value)
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "int32", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_arrays_come_through_with_shape_and_dtype(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    got = through(array)
    np.testing.assert_array_equal(got, array, strict=True)
    got[...] = 1  # it belongs to the receiver


def test_tensors_become_arrays_and_tuples_stay():
    keras = pytest.importorskip("keras")
    got = through((keras.ops.ones((2, 2)), np.float32(0.5), np.arange(6).reshape(2, 3).T))
    assert type(got) is tuple and through([(1, "a"), ()]) == [(1, "a"), ()]
    np.testing.assert_array_equal(got[0], np.ones((2, 2), "float32"), strict=True)
    assert got[1] == 0.5 and isinstance(got[1], float)
    np.testing.assert_array_equal(got[2], [[0, 3], [1, 4], [2, 5]])


def test_numbers_in_another_order_or_longer_come_through():
    for dtype in (">f8", ">i4", "longdouble"):
        np.testing.assert_array_equal(through(np.arange(3).astype(dtype)), [0, 1, 2])


def test_there_are_not_too_many_values():
    assert len(through([0] * 100_000)) == 100_000
    with pytest.raises(channel.ChannelError, match="more than 500000 values"):
        through([[]] * 400_000)


def test_a_subclass_comes_through_as_what_it_is_underneath():
    class Sly(float):
        def __eq__(self, other):
            return True

        __hash__ = None

    got = through([Sly(0.25)])
    assert type(got[0]) is float and got[0] != 1


@pytest.mark.parametrize("value", [object(), {1, 2}, {1: 2}, b"bytes", 1j, np.array(["a"]), np.array([None]), lambda: 0, np.array([1], "M8[s]")])
def test_nothing_else_can_be_sent(value):
    with pytest.raises(TypeError):
        through(value)


def array(dtype="<f8", shape=(1,), data="AAAAAAAA8D8="):
    return {"value": {"__array__": [dtype, shape, data]}}


def test_the_array_used_below_is_a_good_one():
    assert channel.receive(raw(json.dumps(array()).encode()))["value"].tolist() == [1.0]


@pytest.mark.parametrize(
    "message",
    [
        array(dtype="|O"), array(dtype="O"), array(dtype="<U2"), array(dtype="<c16"), array(dtype="<M8[s]"), array(dtype=[["a", "<f8"]]),
        array(dtype=None), array(shape=(2,)), array(shape=(-1,)), array(shape=(1.0,)), array(shape=(True,)), array(shape=None),
        array(shape=(1,) * 40), array(shape=(2**62, 2**62)), array(data="AAAA"), array(data="not base64"), array(data=None), array(data=7),
        array(shape=(10**8, 0, 2), data=""), array(shape=(0, 10**8), data=""), array(shape=(2**62, 0), data=""), array(shape="", data=""),
        array(shape={}, data=""), {"value": [array(shape=(10**5, 0), data="")["value"]] * 400},
        {"value": {"__array__": []}}, {"value": {"__array__": 3}}, {"value": {"__tuple__": 3}}, {"value": {"__tuple__": {"a": 1}}},
        {"value": {"__tuple__": [], "more": 1}}, {"value": {"__array__": [{}, [1], "AAAAAAAA8D8="]}},
    ],
)  # fmt: skip
def test_a_false_array_is_refused(message):
    with pytest.raises(channel.ChannelError, match="plain values"):
        channel.receive(raw(json.dumps(message).encode()))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[1]",
        b"3",
        b"\xff\xfe",
        b"\x80\x04\x95",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"value": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"value": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_false_message_is_refused(data):
    with pytest.raises(channel.ChannelError):
        channel.receive(raw(data))


def test_a_message_has_a_size_and_an_end():
    with pytest.raises(channel.ChannelError, match="more than 16 MB"):
        channel.receive(io.BytesIO((channel.MAX_BYTES + 1).to_bytes(8, "big")))
    for cut in (b"", b"\0\0", (100).to_bytes(8, "big") + b"{}"):
        with pytest.raises(channel.ChannelError, match="no answer"):
            channel.receive(io.BytesIO(cut))
