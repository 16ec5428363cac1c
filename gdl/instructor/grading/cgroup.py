"""A control group for each worker, where the kernel lets this user make one: it limits all memory of the worker's processes together.

The kernel then counts also what no process shows: files in the temporary folders, pipes, sockets, page tables. Without a group the watch in
`process` has to do, which counts what processes show and the temporary folders.
"""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

NAME = "gdl-grader"
_numbers = itertools.count()


class Group:
    """A control group that has been made. memory: bytes. Raises OSError if there can be none in `parent`."""

    def __init__(self, parent: Path, memory: int):
        self.folder = parent / f"{NAME}-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        try:
            if (self.folder / "memory.max").exists():  # version 2
                limits, self.events = {"memory.max": memory, "memory.swap.max": 0}, self.folder / "memory.events"
                self.usage, self.cache, self.shared = "memory.current", "file", "shmem"
            else:
                limits = {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory}
                self.events = self.folder / "memory.oom_control"
                self.usage, self.cache, self.shared = "memory.usage_in_bytes", "total_cache", "total_shmem"
            for number, (name, value) in enumerate(limits.items()):
                if number == 0 or (self.folder / name).exists():  # without swap the second one is missing
                    _write(self.folder / name, value)
        except OSError:
            self.folder.rmdir()
            raise
        self.processes = self.folder / "cgroup.procs"

    def out_of_memory(self) -> bool:
        """Whether the kernel has ended a process because the group was at its limit."""
        with suppress(OSError, ValueError):
            counts = dict(line.split() for line in self.events.read_text().splitlines())
            return int(counts.get("oom_kill", 0)) > 0
        return False

    def used(self) -> int:
        """Bytes of memory, without the copies of files that the kernel keeps while there is room."""
        with suppress(OSError, ValueError, KeyError):
            counts = dict(line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
            return int((self.folder / self.usage).read_text()) - int(counts[self.cache]) + int(counts[self.shared])
        return 0

    def close(self) -> None:
        """Ends every process in the group, and removes it."""
        for _ in range(100):
            with suppress(OSError):
                for process in self.processes.read_text().split():
                    with suppress(ProcessLookupError):
                        os.kill(int(process), signal.SIGKILL)
                self.folder.rmdir()
            if not self.folder.exists():
                return
            time.sleep(0.02)  # until the last one has ended


def make_group(memory: int) -> Group | None:
    """A new control group with this limit in bytes, or None where this user cannot make one."""
    for parent in _parents():
        _remove_stale(parent)
        with suppress(OSError):
            return Group(parent, memory)
    return None


def _parents() -> Iterator[Path]:
    """The folders of control groups in which a new one could be made."""
    try:
        own = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text().splitlines()]
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:  # not on Linux
        return
    for _, controllers, path in own:
        for _, place, kind, options, *_ in mounts:
            if kind == "cgroup" and "memory" in controllers.split(",") and "memory" in options.split(","):
                yield from (Path(place + path), Path(place))
            elif kind == "cgroup2" and not controllers:  # a group with processes has no limited ones below it, so beside it
                parent = Path(place + path).parent if path != "/" else Path(place)
                if os.access(parent / "cgroup.procs", os.W_OK):  # or the worker could not be moved
                    yield parent


def _remove_stale(parent):
    """Removes the groups of graders that were killed."""
    with suppress(OSError):
        for folder in parent.glob(f"{NAME}-*-*"):
            if not os.path.exists(f"/proc/{folder.name.split('-')[2]}"):
                with suppress(OSError):
                    folder.rmdir()


def _write(path, value):
    file = os.open(path, os.O_WRONLY)  # it is the kernel that makes such files
    try:
        os.write(file, str(value).encode())
    finally:
        os.close(file)
