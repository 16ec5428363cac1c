"""The sandbox that a student's notebook runs in: bubblewrap, with Python and the course to read and nothing else.

No network, no file of the instructor, processes of its own, no capabilities, another user, small temporary folders that
vanish with it. Limits on processes, files and memory of each process are set by the worker, time and memory
of all together are watched by `student.Worker`.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import gdl
from gdl.errors import CourseError

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
    "PIP_NO_INDEX": "1",  # there is no network: fail at once
}
WORKER = ["-P", "-m", "gdl.instructor.grading.worker"]
TEMPORARY = ("/tmp", "/dev/shm")
MEGABYTES = 256  # of each temporary folder
_users = itertools.count()


def sandboxed():
    """The command and environment that start a worker in the sandbox. Raises CourseError where there is no bubblewrap."""
    need_bubblewrap()
    command = ["bwrap", "--die-with-parent", "--new-session", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--hostname", "course", "--clearenv", "--cap-drop", "ALL"]
    environment = dict(ENVIRONMENT)
    if os.geteuid() == 0:  # root: the worker itself becomes another user, for good, before it looks at the notebook
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
    parts = list(python_parts())  # after the temporary folders, because one of these may lie under /tmp
    parents = [parent for part in parts for parent in reversed(Path(part).parents[:-1])]
    for parent in dict.fromkeys([*parents, Path("/course")]):
        if str(parent) not in TEMPORARY:
            command += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap itself would make them for root alone
    for part in parts:
        command += ["--ro-bind", part, part]
    command += ["--ro-bind", str(Path(gdl.__file__).parent), "/course/gdl"]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    return [*command, "--", sys.executable, *WORKER], {"PATH": os.environ.get("PATH", os.defpath)}


def python_parts():
    """The files and folders outside /usr that this Python lives in."""
    for prefix in dict.fromkeys((sys.base_prefix, sys.prefix)):
        for part in ("bin", "lib", "lib64", "pyvenv.cfg"):
            if not prefix.startswith("/usr") and os.path.exists(f"{prefix}/{part}"):
                yield f"{prefix}/{part}"


def unsafe():
    """The command and environment that start a worker without a sandbox: the notebook can do what the instructor can."""
    home = ("HOME", "PATH", "PYTHONPATH", "IPYTHONDIR", "MPLCONFIGDIR", "GDL_CACHE")
    environment = {**os.environ, **{name: value for name, value in ENVIRONMENT.items() if name not in home}}
    environment["PYTHONPATH"] = str(Path(gdl.__file__).parents[1])
    return [sys.executable, *WORKER], environment


@cache
def need_bubblewrap():
    """Raises CourseError, with the mend, unless bubblewrap 0.8 or later is there and may make a sandbox."""
    mend = "Grade on Linux with bubblewrap (Debian, Ubuntu: apt install bubblewrap), or with --unsafe if you trust every notebook."
    if not shutil.which("bwrap"):
        raise CourseError(f"Notebooks are only run in a sandbox, and there is no bubblewrap here. {mend}")
    told = subprocess.run(["bwrap", "--version"], capture_output=True, text=True).stdout
    version = tuple(map(int, re.findall(r"\d+", told)))
    if version < (0, 8):
        raise CourseError(f"Notebooks are only run in a sandbox, for which {told.strip() or 'this bubblewrap'} is too old: 0.8 is needed. {mend}")
