"""What a worker's processes use of the machine, and what other programs use."""

import os
from collections.abc import Sequence
from contextlib import suppress

import psutil

from gdl.instructor.grading import sandbox

Processes = Sequence[psutil.Process]


def memory(processes: Processes, shared_once: bool = False) -> int:
    """Bytes of memory of all these processes together. shared_once: memory that several share counts once, which takes longer to find out."""
    total = 0
    for process in processes:
        with suppress(psutil.Error):  # it has just ended
            if shared_once:
                with suppress(psutil.AccessDenied):
                    total += process.memory_full_info().pss
                    continue
            total += process.memory_info().rss
    return total


def temporary(processes: Processes) -> tuple[int, int]:
    """(files, bytes) in the temporary folders that these processes see: files in the fullest of them, bytes in all."""
    files = 0
    stored: dict[int, int] = {}  # by device: the sandbox's folders are the same for all of its processes
    for process in processes:
        for folder in sandbox.TEMPORARY:
            inside = f"/proc/{process.pid}/root{folder}"
            try:
                device = os.stat(inside).st_dev
                if device == os.stat(folder).st_dev:  # without a sandbox, everybody's folder
                    continue
                status = os.statvfs(inside)
            except OSError:
                continue
            files = max(files, status.f_files - status.f_ffree)
            stored[device] = (status.f_blocks - status.f_bfree) * status.f_frsize
    return files, sum(stored.values())


def processor_seconds(processes: Processes) -> tuple[float, float]:
    """(seconds that the machine's cores were busy, seconds that these processes had of them), since their start."""
    times, own = psutil.cpu_times(), 0.0
    for process in processes:
        with suppress(psutil.Error):
            spent = process.cpu_times()
            own += spent.user + spent.system + spent.children_user + spent.children_system
    return sum(times[:8]) - times.idle - getattr(times, "iowait", 0), own


def others_worked(before: tuple[float, float], after: tuple[float, float], seconds: float) -> bool:
    """Whether other programs had more than half of the machine's cores for these seconds. before, after: see `processor_seconds`."""
    others = (after[0] - before[0]) - (after[1] - before[1])
    return others > 0.5 * (os.cpu_count() or 1) * seconds


def ended_by_kernel() -> int:
    """How many processes the kernel has ended for lack of memory since the machine's start."""
    with suppress(OSError, ValueError), open("/proc/vmstat") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("oom_kill ")), 0)
    return 0
