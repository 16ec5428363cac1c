"""The filter of system calls, run here instruction by instruction as the kernel runs it."""

import struct

import pytest

from gdl.instructor.grading import seccomp

ALLOWED, ENOSYS = 0x7FFF0000, 0x00050026
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def answer(machine, number, *arguments, architecture=None):
    """What the filter answers to a system call."""
    data = struct.pack("=IIQ6Q", number, architecture or ARCHITECTURE[machine], 0, *arguments, *[0] * (6 - len(arguments)))
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    place, value = 0, 0
    while True:
        operation, yes, no, k = steps[place]
        place += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("=I", data, k)
        elif operation == 0x54:
            value &= k
        elif operation == 0x06:
            return k
        else:
            place += yes if {0x15: value == k, 0x25: value > k, 0x45: value & k}[operation] else no


@pytest.mark.parametrize(
    ("machine", "numbers"),
    [
        ("x86_64", {"read": 0, "write": 1, "brk": 12, "execve": 59, "fork": 57, "futex": 202, "openat": 257, "prctl": 157, "futex_waitv": 449}),
        ("aarch64", {"read": 63, "write": 64, "brk": 214, "execve": 221, "futex": 98, "openat": 56, "prctl": 167, "futex_waitv": 449}),
    ],
)
def test_common_calls_are_allowed(machine, numbers):
    assert {name: answer(machine, number) for name, number in numbers.items()} == dict.fromkeys(numbers, ALLOWED)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_forbidden_calls_do_not_exist(machine):
    column = list(seccomp.MACHINES).index(machine)
    for name, numbers in seccomp.FORBIDDEN.items():
        if numbers[column] is not None:
            assert answer(machine, numbers[column]) == ENOSYS, name
    assert {answer(machine, number) for number in (467, 500, 0x40000000, 0x40000000 + 39, 2**32 - 1)} == {ENOSYS}
    assert answer(machine, 0, architecture=0x40000003) == ENOSYS, "a 32-bit call"
    assert answer(machine, 0, architecture=ARCHITECTURE["aarch64" if machine == "x86_64" else "x86_64"]) == ENOSYS


@pytest.mark.parametrize(
    ("machine", "clone", "socket", "socketpair", "mmap", "ioctl"), [("x86_64", 56, 41, 53, 9, 16), ("aarch64", 220, 198, 199, 222, 29)]
)
def test_some_calls_depend_on_an_argument(machine, clone, socket, socketpair, mmap, ioctl):
    thread, fork = 0x003D0F00, 0x01200011
    allowed = [(clone, thread), (clone, fork), (socket, 1, 1), (socketpair, 1, 1), (mmap, 0, 4096, 3, 0x22), (mmap, 0, 4096, 3, 0x01)]
    allowed += [(ioctl, 0, 0x5413), (ioctl, 0, 0x5401), (clone, 2**33)]  # the upper half is not looked at
    assert [call for call in allowed if answer(machine, *call) != ALLOWED] == []
    spaces = [1 << bit for bit in (17, 25, 26, 27, 28, 29, 30)]
    forbidden = [(clone, fork | flag) for flag in spaces] + [(call, family, 1) for call in (socket, socketpair) for family in (2, 10, 16, 17, 38, 40)]
    forbidden += [(mmap, 0, 4096, 3, 0x21), (mmap, 0, 4096, 3, 0x4021), (mmap, 0, 4096, 3, 0x40022), (ioctl, 0, 0x5412), (ioctl, 0, 2**32 + 0x541C)]
    assert [call for call in forbidden if answer(machine, *call) != ENOSYS] == []


def test_other_machines_have_no_filter():
    assert seccomp.program("riscv64") is None and seccomp.number("keyctl", "riscv64") is None
    assert (seccomp.number("keyctl", "x86_64"), seccomp.number("keyctl", "aarch64")) == (250, 219)
