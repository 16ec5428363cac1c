"""The sandbox in which a student's notebook runs: bubblewrap, in which only Python and the course can be read.

There is no network, no file of the instructor, no sight of other processes, no capability and another user. The temporary folders are
small and vanish with it. The worker sets the limits of each process; `process.Worker` watches time, memory and files of all together.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from gdl.errors import CourseError

PACKAGE = Path(__file__).resolve().parents[2]  # the folder gdl
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",
    "LANG": "C.UTF-8",
    "PYTHONPATH": "/course",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "IPYTHONDIR": "/tmp/ipython",
    "GDL_DATA": "drawn",
    "GDL_CACHE": "/tmp/cache",
    "GDL_PROFILE": "smoke",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PIP_NO_INDEX": "1",  # there is no network: pip fails at once
}
WORKER = ["-P", "-m", "gdl.instructor.grading.worker"]
TEMPORARY = ("/tmp", "/dev/shm")
MEGABYTES = 256  # of each temporary folder
_users = itertools.count()


def sandboxed() -> tuple[list[str], dict[str, str]]:
    """The command and the environment that start a worker in the sandbox. Raises CourseError where there is no bubblewrap."""
    check_bubblewrap()
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--hostname", "course", "--clearenv", "--cap-drop", "ALL"]
    environment = dict(ENVIRONMENT)
    if os.geteuid() == 0:  # root: the worker itself becomes another user, for good, before it reads the notebook
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        environment["GDL_WORKER_UID"] = str(61_000 + next(_users) % 1000)
    else:
        command += ["--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]
    for folder in ("/usr", "/etc/ld.so.cache", "/etc/alternatives"):
        command += ["--ro-bind-try", folder, folder]
    for folder in ("/bin", "/sbin", "/lib", "/lib64"):
        if os.path.islink(folder):
            command += ["--symlink", os.readlink(folder), folder]
        else:
            command += ["--ro-bind-try", folder, folder]
    command += ["--proc", "/proc", "--dev", "/dev"]
    for folder in TEMPORARY:
        command += ["--perms", "1777", "--size", str(MEGABYTES * 2**20), "--tmpfs", folder]
    parts = list(python_parts())  # after the temporary folders, because Python may lie under /tmp
    parents = [parent for part in parts for parent in reversed(Path(part).parents[:-1])]
    for parent in dict.fromkeys([*parents, Path("/course")]):
        if str(parent) not in TEMPORARY:
            command += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap itself would create them for root alone
    for part in parts:
        command += ["--ro-bind", part, part]
    command += ["--ro-bind", str(PACKAGE), "/course/gdl"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    return [*command, "--", sys.executable, *WORKER], {"PATH": os.environ.get("PATH", os.defpath)}


def python_parts() -> Iterator[str]:
    """The files and folders of this Python that are outside /usr."""
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        for part in ("bin", "lib", "lib64", "pyvenv.cfg"):
            if not prefix.startswith("/usr") and os.path.exists(f"{prefix}/{part}"):
                yield f"{prefix}/{part}"


def unsafe() -> tuple[list[str], dict[str, str]]:
    """The command and the environment that start a worker without a sandbox: the notebook can do what the instructor can."""
    home = ("HOME", "PATH", "PYTHONPATH", "IPYTHONDIR", "MPLCONFIGDIR", "GDL_CACHE")
    environment = {**os.environ, **{name: value for name, value in ENVIRONMENT.items() if name not in home}}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    return [sys.executable, *WORKER], environment


@cache
def check_bubblewrap() -> None:
    """Raises CourseError unless bubblewrap 0.8 or later is installed."""
    fix = "Grade on Linux with bubblewrap (Debian, Ubuntu: apt install bubblewrap), or with --unsafe if you trust every notebook."
    if not shutil.which("bwrap"):
        raise CourseError(f"Notebooks only run in a sandbox, and bubblewrap is not installed. {fix}")
    printed = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout.strip()
    version = tuple(map(int, re.findall(r"\d+", printed)))
    if version < (0, 8):
        raise CourseError(f"Notebooks only run in a sandbox, and {printed or 'this bubblewrap'} is too old for it: it needs 0.8. {fix}")
