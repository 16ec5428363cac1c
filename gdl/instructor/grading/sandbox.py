"""The sandbox in which a student's notebook runs: bubblewrap, in which only Python and the course can be read.

There is no network, no file of the instructor, no sight of other processes, no capability, another user, and a filter of system calls. The
temporary folders are small and vanish with it. The worker sets the limits of each process; a control group, where there can be one, and
`process.Worker` limit time, memory and files of all together.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from gdl.errors import CourseError
from gdl.instructor.grading import seccomp

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
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "TF_NUM_INTRAOP_THREADS": "2",
    "TF_NUM_INTEROP_THREADS": "2",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PIP_NO_INDEX": "1",  # there is no network: pip fails at once
}
WORKER = ["-P", "-m", "gdl.instructor.grading.worker"]
TEMPORARY = ("/tmp", "/dev/shm")
MEGABYTES = 256  # of each temporary folder
FIX = "Grade on Linux with bubblewrap (Debian, Ubuntu: apt install bubblewrap), or with --unsafe if you trust every notebook."
_users = itertools.count()


def sandboxed(folders: Mapping[str, str] | None = None) -> tuple[list[str], dict[str, str]]:
    """The command and the environment that start a worker in the sandbox. Raises CourseError where there is no bubblewrap.

    folders: further folders that it may read, by their places in the sandbox, such as "/hand-in". Every user must be able to read them.
    `process.Worker` adds the filter of system calls, whose program it gives to the process as an open file.
    """
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
    command += ["--proc", "/proc", "--dev", "/dev", "--dev-bind", "/dev/full", "/dev/zero"]  # full gives zeros too, but no shared memory
    for names in ("/proc/keys", "/proc/key-users"):  # of the instructor's keys
        if os.path.exists(names):
            command += ["--ro-bind", "/dev/null", names]
    for folder in TEMPORARY:
        command += ["--perms", "1777", "--size", str(MEGABYTES * 2**20), "--tmpfs", folder]
    parts = list(python_parts())  # after the temporary folders, because Python may lie under /tmp
    parents = [parent for part in parts for parent in reversed(Path(part).parents[:-1])]
    for parent in dict.fromkeys([*parents, Path("/course"), Path("/packages")]):
        if str(parent) not in TEMPORARY:
            command += ["--perms", "0755", "--dir", str(parent)]  # bubblewrap itself would create them for root alone
    for part in parts:
        command += ["--ro-bind", part, part]
    for number, folder in enumerate(package_folders()):
        command += ["--ro-bind", folder, f"/packages/{number}"]
        environment["PYTHONPATH"] += f":/packages/{number}"
    command += ["--ro-bind", str(PACKAGE), "/course/gdl"]
    for place, folder in (folders or {}).items():
        command += ["--perms", "0755", "--dir", place, "--ro-bind", folder, place]
    command += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"]
    for name, value in environment.items():
        command += ["--setenv", name, value]
    return [*command, "--", python(), *WORKER], {"PATH": os.environ.get("PATH", os.defpath)}


def python() -> str:
    """The Python under the virtual environment, by a path without links: it finds its library from there, wherever it is called from."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def python_parts() -> Iterator[str]:
    """The files and folders of this Python itself that are outside /usr."""
    prefixes = [os.path.realpath(prefix) for prefix in (sys.base_prefix, sys.base_exec_prefix)]
    for part in dict.fromkeys([python(), *(f"{prefix}/{name}" for prefix in prefixes for name in ("lib", "lib64"))]):
        if not part.startswith("/usr/") and os.path.exists(part):
            yield part


def package_folders() -> list[str]:
    """The folders from which this Python imports installed packages."""
    folders = [os.path.realpath(folder) for folder in sys.path if os.path.basename(folder.rstrip("/")) in ("site-packages", "dist-packages")]
    for name in ("numpy", "IPython", "keras", "tensorflow"):
        spec = find_spec(name)
        if spec and spec.origin:
            folders.append(os.path.realpath(Path(spec.origin).parents[1]))
    return [folder for folder in dict.fromkeys(folders) if os.path.isdir(folder)]


def unsafe() -> tuple[list[str], dict[str, str]]:
    """The command and the environment that start a worker without a sandbox: the notebook can do what the instructor can."""
    home = ("HOME", "PATH", "PYTHONPATH", "IPYTHONDIR", "MPLCONFIGDIR", "GDL_CACHE")
    environment = {**os.environ, **{name: value for name, value in ENVIRONMENT.items() if name not in home}}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    return [sys.executable, *WORKER], environment


@cache
def check_bubblewrap() -> None:
    """Raises CourseError unless bubblewrap 0.8 or later is installed and the filter of system calls knows this kind of machine."""
    if not shutil.which("bwrap"):
        raise CourseError(f"Notebooks only run in a sandbox, and bubblewrap is not installed. {FIX}")
    if seccomp.program() is None:
        raise CourseError(f"Notebooks only run in a sandbox, which needs a processor of x86_64 or aarch64. {FIX}")
    try:
        done = subprocess.run(["bwrap", "--version"], capture_output=True, text=True, errors="replace", timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CourseError(f"Notebooks only run in a sandbox, and bubblewrap cannot be used ({error}). {FIX}") from None
    version = tuple(map(int, re.findall(r"\d+", done.stdout)))
    if done.returncode or not version:
        said = " ".join(done.stderr.split())[-300:] or f"exit status {done.returncode}"
        raise CourseError(f"Notebooks only run in a sandbox, and bubblewrap cannot be used ({said}). {FIX}")
    if version < (0, 8):
        raise CourseError(f"Notebooks only run in a sandbox, and {done.stdout.strip()} is too old for it: it needs 0.8. {FIX}")
