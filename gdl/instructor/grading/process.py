"""A process on the student's side: the requests to it, and the watch over its time, memory, processes and files."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any, BinaryIO, cast

import psutil

from gdl.errors import CourseError
from gdl.instructor.grading import channel, sandbox

START_SECONDS = 60
WATCH_SECONDS = 0.1  # between two looks at a worker's memory and time
MAX_MEMORY = 3 * 2**30  # bytes, of all processes of a worker together
MAX_PROCESSES = 16 + (os.cpu_count() or 1)  # busy ones would take time from the notebook beside them
MAX_FILES = 20_000  # in each temporary folder
MIN_FREE_MEMORY = 2**28  # bytes of the machine

Start = Callable[[], tuple[list[str], dict[str, str]]]  # gives the command and the environment of a worker, see `sandbox`


class StudentError(Exception):
    """What went wrong on the student's side: an error in a cell or a function, or the end of the worker.

    machine_busy: whether other work on the machine may be the reason, so that another try may succeed.
    """

    def __init__(self, name: str, text: str = "", machine_busy: bool = False):
        self.name, self.text, self.machine_busy = name, text, machine_busy
        super().__init__(f"{name}: {text}" if text else name)


class WorkerEnded(StudentError):
    """The worker has ended, and everything that the notebook had defined is lost."""

    def __init__(self, reason: str, machine_busy: bool = False):
        super().__init__(reason, machine_busy=machine_busy)


class Worker:
    """One process on the student's side, started with the command and environment that `start` gives. Raises CourseError if it does not start."""

    def __init__(self, start: Start):
        command, environment = start()
        self.reason, self.machine_busy = "", False  # why the watch has ended it
        self.requests = 0
        self.ready = False
        with tempfile.TemporaryFile() as stderr:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, env=environment, start_new_session=True,
            )  # fmt: skip
            self.to_worker, self.from_worker = cast(BinaryIO, self.process.stdin), cast(BinaryIO, self.process.stdout)
            self.allowed: float = START_SECONDS
            self.deadline: float | None = time.monotonic() + self.allowed
            threading.Thread(target=self._watch, daemon=True).start()
            try:
                channel.receive(self.from_worker)
            except channel.ChannelError:
                self.close()
                stderr.seek(0)
                last_line = stderr.read()[-500:].decode(errors="replace").strip().splitlines()[-1:]
                reason = self.reason or "".join(last_line) or "it ended without a message"
                raise CourseError(f"The process that runs notebooks does not start: {reason}. Nothing was graded.") from None
        self.deadline = None
        self.ready = True

    def request(self, seconds: float, **request: Any) -> Any:
        """Sends a request to `grading.worker` and returns the value that it answers. Raises StudentError, or WorkerEnded after `seconds`."""
        self.requests += 1
        self.allowed = seconds
        self.deadline = time.monotonic() + seconds
        try:
            try:
                channel.send(self.to_worker, {"id": self.requests, **request})
                reply = channel.receive(self.from_worker)
                if type(reply.get("id")) is not int or reply["id"] != self.requests:
                    raise channel.ChannelError("an answer without a request")
            finally:
                self.deadline = None
        except (channel.ChannelError, OSError) as error:
            self.close()
            raise WorkerEnded(self.reason or _reason(error), self.machine_busy) from None
        if "error" in reply:
            raise StudentError(*_name_and_text(reply["error"]))
        return reply.get("value")

    def close(self) -> None:
        """Ends the worker and everything that it has started."""
        self._kill()
        self.process.wait()
        for pipe in (self.to_worker, self.from_worker):
            try:
                pipe.close()
            except OSError:  # something was still to be written
                pass

    def _kill(self):
        for process in [self.process, *self._processes()]:
            try:
                process.kill()
            except (OSError, psutil.Error):  # it has just ended
                pass

    def _watch(self):
        """Ends the worker when it takes too much time or too much of the machine. `request` then stops waiting for an answer."""
        while self.process.poll() is None:
            processes = self._processes()
            if self.deadline and time.monotonic() > self.deadline:
                self.reason, self.machine_busy = f"it took longer than {self.allowed:g} seconds", True
            elif psutil.virtual_memory().available < MIN_FREE_MEMORY:  # also memory that no process shows
                self.reason, self.machine_busy = "the machine had no memory left", True
            elif len(processes) > MAX_PROCESSES:
                self.reason = f"it started more than {MAX_PROCESSES} processes"
            elif _memory(processes) > MAX_MEMORY:
                self.reason = f"it used more than {MAX_MEMORY / 2**30:.0f} GB of memory"
            elif self.ready and _count_files(processes[:2]) > MAX_FILES:  # the sandbox's first process, and the worker
                self.reason = f"it made more than {MAX_FILES} files"
            if self.reason:
                return self._kill()
            time.sleep(WATCH_SECONDS)

    def _processes(self):
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []


def _memory(processes):
    """Bytes of memory of all these processes together."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            pass
    return total


def _count_files(processes):
    """How many files the fullest of the temporary folders holds that these processes see."""
    largest = 0
    for process in processes:
        for folder in sandbox.TEMPORARY:
            inside = f"/proc/{process.pid}/root{folder}"
            try:
                if os.stat(inside).st_dev == os.stat(folder).st_dev:  # without a sandbox, everybody's folder
                    continue
                status = os.statvfs(inside)
            except OSError:
                continue
            largest = max(largest, status.f_files - status.f_ffree)
    return largest


def _reason(error):
    """Why a worker has ended that the watch has not ended."""
    text = str(error)
    return "it ended Python itself" if text == "no answer" or isinstance(error, OSError) else f"it sent {text}"


def _name_and_text(error):
    """An error's name and text as the student's side has sent them, which may be any values."""
    if isinstance(error, list) and len(error) == 2 and all(isinstance(part, str) for part in error):
        return error[0][:60], error[1][:500]
    return "Error", ""
