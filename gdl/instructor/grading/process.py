"""A process on the student's side: the requests to it, and the watch over its time, memory, processes and files."""

import ctypes
import math
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO, cast

import psutil

from gdl.errors import CourseError
from gdl.instructor.grading import channel, seccomp, usage
from gdl.instructor.grading.cgroup import make_group

START_SECONDS = 60
WATCH_SECONDS = 0.1  # between two looks at a worker's memory and time
MAX_MEMORY = 3 * 2**30  # bytes, of all processes of a worker together; a control group's own limit, at which all gets slow, is a quarter higher
MAX_PROCESSES = 16 + (os.cpu_count() or 1)  # busy ones would take time from the notebook beside them
MAX_FILES = 20_000  # in each temporary folder
MIN_FREE_MEMORY = 2**28  # bytes of the machine
# The kernel ends the worker first when the machine has no memory. $1: the list of processes of its control group, or "".
LAUNCHER = 'echo 1000 2> /dev/null > /proc/$$/oom_score_adj; [ -z "$1" ] || echo $$ 2> /dev/null > "$1"; shift; exec "$@"'
NAMESPACES = "let bubblewrap make user namespaces, on Ubuntu with a profile of AppArmor for /usr/bin/bwrap (see solutions/README.md)"
HINTS = {  # what to do, by words of bubblewrap and Python
    "uid map": NAMESPACES,
    "namespace": NAMESPACES,
    "loopback": NAMESPACES,
    "No module named": "install the course's packages into the Python that runs the grader, so that every user may read them",
    "PermissionError": "let every user read this Python and the course (chmod -R o+rX)",
    "no memory": "close other programs",
}

Start = Callable[[], tuple[list[str], dict[str, str]]]  # gives the command and the environment of a worker, see `sandbox`


class GraderFailed(BaseException):
    """The grader itself cannot go on. It is no Exception, so that no check takes it for a mistake of the student's."""


class StudentError(Exception):
    """What went wrong on the student's side: an error in a cell or a function, or the end of the worker.

    machine_busy: whether other work on the machine may be the reason, so that another try may succeed. outside: whether it certainly
    or possibly was none of the notebook's doing, so that no points may be lost for it.
    """

    def __init__(self, name: str, text: str = "", machine_busy: bool = False, outside: bool = False):
        self.name, self.text, self.machine_busy, self.outside = name, text, machine_busy, outside
        super().__init__(f"{name}: {text}" if text else name)


class WorkerEnded(StudentError):
    """The worker has ended, and everything that the notebook had defined is lost."""

    def __init__(self, reason: str, machine_busy: bool = False, outside: bool = False):
        super().__init__(reason, machine_busy=machine_busy, outside=outside)


class Worker:
    """One process on the student's side, started with the command and environment that `start` gives. Raises CourseError if it does not start."""

    def __init__(self, start: Start):
        self.command, self.environment = start()
        self.is_sandboxed = self.command[0] == "bwrap"
        self.reason, self.machine_busy, self.outside = "", False, False  # why the watch has ended it
        self.requests = 0
        self.ready = False
        self.allowed: float = START_SECONDS
        self.deadline = time.monotonic() + self.allowed  # of what is asked; nothing asked: never
        self.ended_by_kernel = usage.ended_by_kernel()  # processes, before this request
        self.known: list[psutil.Process] = []
        self.group = make_group(MAX_MEMORY * 5 // 4) if self.is_sandboxed else None
        self.process: subprocess.Popen[bytes] | None = None
        launched = threading.Event()
        with tempfile.TemporaryFile() as stderr:
            threading.Thread(target=self._live, args=(launched, stderr), daemon=True).start()
            launched.wait()
            try:
                if self.process is None:
                    raise channel.ChannelError(self.reason)
                channel.receive(self.from_worker)
                if self.process.poll() is not None or self.is_sandboxed and not self._look():  # bubblewrap has ended, and nobody watches
                    raise channel.ChannelError("it ended")
            except channel.ChannelError:
                self.close()
                stderr.seek(0)
                last_line = stderr.read()[-500:].decode(errors="replace").strip().splitlines()[-1:]
                reason = self.reason or "".join(last_line) or "it ended without a message"
                fix = next((f": {hint}" for words, hint in HINTS.items() if words in reason), "")
                raise CourseError(f"The process that runs notebooks does not start ({reason}), and nothing more was graded{fix}.") from None
        self.deadline = math.inf
        self.ready = True

    def request(self, seconds: float, **request: Any) -> Any:
        """Sends a request to `grading.worker` and returns the value that it answers. Raises StudentError, or WorkerEnded after `seconds`."""
        self.requests += 1
        self.ended_by_kernel = usage.ended_by_kernel()
        self.allowed = seconds
        self.deadline = time.monotonic() + seconds
        try:
            try:
                channel.send(self.to_worker, {"id": self.requests, **request})
                reply = channel.receive(self.from_worker)
                if type(reply.get("id")) is not int or reply["id"] != self.requests:
                    raise channel.ChannelError("an answer without a request")
            finally:
                self.deadline = math.inf
        except (channel.ChannelError, OSError) as error:
            raise self._ended(error) from None
        if "error" in reply:
            name, text = _name_and_text(reply["error"])
            killed = usage.ended_by_kernel() > self.ended_by_kernel and not self._out_of_memory()
            raise StudentError(name, text, machine_busy=killed or name == "MemoryError", outside=killed)
        return reply.get("value")

    def close(self) -> None:
        """Ends the worker and everything that it has started."""
        self._kill()
        if self.process is not None:
            self.process.wait()
            for pipe in (self.to_worker, self.from_worker):
                with suppress(OSError):  # something was still to be written
                    pipe.close()
        if self.group:
            self.group.close()

    def _ended(self, error):
        """Closes the worker, which has ended or has sent what is no answer. Returns why, as WorkerEnded."""
        assert self.process is not None  # it was started
        status, deadline = self.process.poll(), time.monotonic() + 1
        while status is None and str(error) == "no answer" and time.monotonic() < deadline:  # bubblewrap ends a moment after the worker
            time.sleep(0.01)
            status = self.process.poll()
        out_of_memory = self._out_of_memory()
        self.close()
        if self.reason:
            return WorkerEnded(self.reason, self.machine_busy, self.outside)
        if out_of_memory:
            return WorkerEnded(f"it used more than {MAX_MEMORY / 2**30:.0f} GB of memory")
        if usage.ended_by_kernel() > self.ended_by_kernel:
            return WorkerEnded("the machine had no memory left", machine_busy=True, outside=True)
        if status in (-9, 128 + 9):  # by SIGKILL: bubblewrap itself, or the worker in it
            return WorkerEnded("it was killed", machine_busy=True, outside=True)
        return WorkerEnded(_reason(error))

    def _live(self, launched, stderr):
        """Starts the process and watches it. bubblewrap ends with the thread that has started it, so that nothing runs unwatched."""
        filter_file = _readable(seccomp.program()) if self.is_sandboxed else None
        try:
            command = self.command
            if filter_file is not None:
                _leave_session_keyring()
                processes = str(self.group.processes) if self.group else ""
                command = ["/bin/sh", "-c", LAUNCHER, "sh", processes, "bwrap", "--seccomp", str(filter_file), *command[1:]]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=self.environment, start_new_session=True,
                pass_fds=() if filter_file is None else (filter_file,),
            )  # fmt: skip
            self.to_worker, self.from_worker = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
        except OSError as error:
            self.reason = str(error)
        finally:
            if filter_file is not None:
                os.close(filter_file)
            launched.set()
        if self.process is not None:
            try:
                self._watch()
            finally:
                self._kill()

    def _kill(self):
        """Ends the process, and what it has started as far as that is known. The others end with bubblewrap or with the control group."""
        for process in [self.process, *self.known, *self._look()]:
            if process is not None:
                with suppress(OSError, psutil.Error):  # it has just ended
                    process.kill()

    def _watch(self):
        """Ends the worker when it takes too much time or too much of the machine. `request` then stops waiting for an answer."""
        assert self.process is not None
        request, before = 0, (0.0, 0.0)
        while self.process.poll() is None:
            processes = self._look()
            files, stored = usage.temporary(processes[:2]) if self.ready else (0, 0)  # of the sandbox's first process, and the worker
            if request != self.requests:
                request, before = self.requests, usage.processor_seconds(processes)
            if time.monotonic() > self.deadline:
                self.reason, self.machine_busy = f"it took longer than {self.allowed:g} seconds", True
                self.outside = usage.others_worked(before, usage.processor_seconds(processes), self.allowed)
            elif psutil.virtual_memory().available < MIN_FREE_MEMORY:  # also memory that no process shows
                self.reason, self.machine_busy, self.outside = "the machine had no memory left", True, True
            elif len(processes) > MAX_PROCESSES:
                self.reason = f"it started more than {MAX_PROCESSES} processes"
            elif self._is_hungry(processes, stored):
                self.reason = f"it used more than {MAX_MEMORY / 2**30:.0f} GB of memory"
            elif files > MAX_FILES:
                self.reason = f"it made more than {MAX_FILES} files"
            if self.reason:
                return
            time.sleep(WATCH_SECONDS)

    def _is_hungry(self, processes, stored):
        if self.group:
            return self.group.used() > MAX_MEMORY
        return usage.memory(processes) + stored > MAX_MEMORY and usage.memory(processes, shared_once=True) + stored > MAX_MEMORY

    def _look(self):
        """All processes below the first one. They are known from then on, even if the first one ends before them."""
        if self.process is None:
            return []
        try:
            processes = psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []
        self.known = processes or self.known
        return processes

    def _out_of_memory(self):
        return self.group is not None and self.group.out_of_memory()


def _leave_session_keyring():
    """Gives this thread, and the processes that it starts, a session keyring of their own, so that they have none of the instructor's keys."""
    if keyctl := seccomp.number("keyctl"):
        ctypes.CDLL(None).syscall(keyctl, 1, None)  # KEYCTL_JOIN_SESSION_KEYRING; a kernel without keys answers with an error


def _readable(content):
    """A file descriptor from which these few bytes can be read."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return reading


def _reason(error):
    """Why a worker has ended that the watch has not ended."""
    text = str(error)
    return "it ended Python itself" if text == "no answer" or isinstance(error, OSError) else f"it sent {text}"


def _name_and_text(error):
    """An error's name and text as the student's side has sent them, which may be any values."""
    if isinstance(error, list) and len(error) == 2 and all(isinstance(part, str) for part in error):
        return error[0][:60], error[1][:500]
    return "Error", ""
