"""The system calls that a notebook may not make, as a filter for `bwrap --seccomp`.

A program for the kernel's classic BPF machine: it looks at the number of a call and at one argument, and answers "allowed" or "no such call"
(ENOSYS), with which programs that can do without a call carry on. Forbidden is what holds memory that no limit counts, what reaches beyond
the sandbox, and what has often had faults: Python, NumPy and TensorFlow need none of it.
"""

import platform
import struct

# name: (number on x86_64, number on aarch64), None where there is no such call
FORBIDDEN = {
    # memory that belongs to no process
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "shmat": (30, 196), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180), "vmsplice": (278, 75), "remap_file_pages": (216, 234),
    # large parts of the kernel, with a history of faults
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "io_setup": (206, 0),
    "userfaultfd": (323, 282), "bpf": (321, 280), "perf_event_open": (298, 241), "fanotify_init": (300, 262),
    # keys, which a session shares
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # namespaces and mounts; clone3 hides its flags from a filter, and programs then use clone
    "unshare": (272, 97), "setns": (308, 268), "clone3": (435, 435), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438), "kcmp": (312, 272), "move_pages": (279, 239), "migrate_pages": (256, 238),
    # the machine
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syslog": (103, 116), "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "personality": (135, 92), "vhangup": (153, 58), "lookup_dcookie": (212, 18),
    "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None), "uselib": (134, None),
}  # fmt: skip
LAST = 466  # the newest call that this list was made with; the kernel's next ones are forbidden too, and x32's, whose numbers are larger

# (name, number on x86_64, number on aarch64, argument, test, value): forbidden if the lower half of the argument passes the test
FORBIDDEN_ARGUMENTS = [
    ("clone", 56, 220, 0, "any of", 0x7E02_0000),  # the flags CLONE_NEW*: new namespaces
    ("socket", 41, 198, 0, "any of", 0xFFFF_FFFE),  # every family but AF_UNIX: no network, vsock, netlink, packets, kernel cryptography
    ("socketpair", 53, 199, 0, "any of", 0xFFFF_FFFE),
    ("mmap", 9, 222, 3, "all of", 0x21),  # MAP_SHARED | MAP_ANONYMOUS: its pages stay when they leave the process
    ("mmap", 9, 222, 3, "any of", 0x4_0000),  # MAP_HUGETLB: reserved memory, which no process shows
    ("ioctl", 16, 29, 1, "equal", 0x5412),  # TIOCSTI and TIOCLINUX type into a terminal
    ("ioctl", 16, 29, 1, "equal", 0x541C),
]

MACHINES = {"x86_64": (0, 0xC000_003E), "aarch64": (1, 0xC000_00B7)}  # which number above, and AUDIT_ARCH_*
ALLOW, NO_SUCH_CALL = 0x7FFF_0000, 0x0005_0000 | 38  # SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO | ENOSYS
LOAD, AND, RETURN = 0x20, 0x54, 0x06  # operations of classic BPF on 32 bits
IF_EQUAL, IF_ABOVE, IF_ANY = 0x15, 0x25, 0x45
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data


def number(name: str, machine: str | None = None) -> int | None:
    """The number of a forbidden system call on this kind of machine, or None."""
    known = MACHINES.get(machine or platform.machine())
    return FORBIDDEN[name][known[0]] if known else None


def program(machine: str | None = None) -> bytes | None:
    """The filter for a kind of machine (x86_64 or aarch64; None: this one), or None for another kind.

    >>> len(program("x86_64")) % 8
    0
    """
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    column, architecture = known
    steps = [_step(LOAD, ARCHITECTURE), _step(IF_EQUAL, architecture, yes=1), FORBID]  # 32-bit calls have other numbers
    steps += [_step(LOAD, NUMBER), _step(IF_ABOVE, LAST, no=1), FORBID]
    for call in FORBIDDEN.values():
        if call[column] is not None:
            steps += [_step(IF_EQUAL, call[column], no=1), FORBID]
    for _, on_x86_64, on_aarch64, argument, test, value in FORBIDDEN_ARGUMENTS:
        check = [_step(LOAD, ARGUMENTS + 8 * argument)]
        check += [_step(AND, value)] if test == "all of" else []
        check += [_step(IF_ANY if test == "any of" else IF_EQUAL, value, no=1), FORBID, _step(LOAD, NUMBER)]
        steps += [_step(IF_EQUAL, (on_x86_64, on_aarch64)[column], no=len(check)), *check]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def _step(operation, value, yes=0, no=0):
    """One instruction. yes, no: how many instructions to skip when a comparison is true, and when it is false."""
    return struct.pack("=HBBI", operation, yes, no, value)


FORBID = _step(RETURN, NO_SUCH_CALL)
