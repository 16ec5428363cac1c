"""One student's notebook at work: its cells run in a worker, which is watched, ended, and started again when it must be."""

import os
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass

import psutil

from gdl.errors import CourseError
from gdl.instructor.grading import channel, sandbox

START_SECONDS = 60
LOOK_SECONDS = 0.1  # between two looks at a worker's memory and time
MOST_MEMORY = 3 * 2**30  # bytes, of all processes of a worker together
MOST_PROCESSES = 16 + os.cpu_count()  # busy ones would cost the notebook beside them its time
LEAST_LEFT = 2**28  # bytes of the machine's memory
MOST_FILES = 20_000  # in each temporary folder


class StudentError(Exception):
    """What went wrong on the student's side: an error in a cell or a function, or the end of the worker."""

    def __init__(self, name, text=""):
        self.name, self.text, self.hurried = name, text, False
        super().__init__(f"{name}: {text}" if text else name)


class WorkerEnded(StudentError):
    """The worker is gone, and with it everything that the notebook had defined. `hurried`: because of what others may be to blame for."""

    def __init__(self, reason, hurried=False):
        super().__init__(reason)
        self.hurried = hurried


@dataclass
class Limits:
    """Seconds that one cell or one call may take, and a whole notebook."""

    step: float = 30.0
    notebook: float = 600.0


class Worker:
    """One process on the student's side. `start` gives its command and environment, see `sandbox`."""

    def __init__(self, start):
        command, environment = start()
        self.reason, self.hurried = None, False  # why it was ended, and whether others may be to blame
        self.requests = 0
        self.ready = False
        with tempfile.TemporaryFile() as complaints:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, env=environment, start_new_session=True,
            )  # fmt: skip
            self.allowed = START_SECONDS
            self.deadline = time.monotonic() + self.allowed
            threading.Thread(target=self._watch, daemon=True).start()
            try:
                channel.receive(self.process.stdout)
            except channel.ChannelError:
                self.close()
                complaints.seek(0)
                last = complaints.read()[-500:].decode(errors="replace").strip().splitlines()[-1:]
                told = self.reason or "".join(last) or "it ended without a word"
                raise CourseError(f"The process that runs notebooks does not start: {told}. Nothing was graded by this.") from None
        self.deadline = None
        self.ready = True

    def ask(self, seconds, **request):
        """Sends a request and returns the value that comes back. Raises StudentError, or WorkerEnded after `seconds`."""
        self.requests += 1
        self.allowed = seconds
        self.deadline = time.monotonic() + seconds
        try:
            try:
                channel.send(self.process.stdin, {"id": self.requests, **request})
                reply = channel.receive(self.process.stdout)
                if type(reply.get("id")) is not int or reply["id"] != self.requests:
                    raise channel.ChannelError("an answer that nobody asked for")
            finally:
                self.deadline = None
        except (channel.ChannelError, OSError) as error:
            self.close()
            raise WorkerEnded(self.reason or self._why(error), hurried=self.hurried) from None
        if "error" in reply:
            raise StudentError(*_name_and_text(reply["error"]))
        return reply.get("value")

    def close(self):
        """Ends the worker and everything that it has started."""
        self._kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
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

    def _why(self, error):
        text = str(error)
        return "it ended Python itself" if text == "no answer" or isinstance(error, OSError) else f"it sent {text}"

    def _watch(self):
        """Ends the worker when it takes too long or too much; what waits for its answer then goes on."""
        while self.process.poll() is None:
            processes = self._processes()
            if self.deadline and time.monotonic() > self.deadline:
                self.reason, self.hurried = f"it took longer than {self.allowed:g} seconds", True
            elif psutil.virtual_memory().available < LEAST_LEFT:  # memory that no process shows, too
                self.reason, self.hurried = "the machine had no memory left", True
            elif len(processes) > MOST_PROCESSES:
                self.reason = f"it started more than {MOST_PROCESSES} processes"
            elif memory_of(processes) > MOST_MEMORY:
                self.reason = f"it used more than {MOST_MEMORY / 2**30:.0f} GB of memory"
            elif self.ready and files_of(processes[:2]) > MOST_FILES:  # the sandbox's first process, and the worker
                self.reason = f"it made more than {MOST_FILES} files"
            if self.reason:
                return self._kill()
            time.sleep(LOOK_SECONDS)

    def _processes(self):
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.Error:
            return []


def memory_of(processes):
    """Bytes of memory of all these processes together."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            pass
    return total


def files_of(processes):
    """How many files the fuller of the temporary folders holds that these processes see."""
    most = 0
    for process in processes:
        for folder in sandbox.TEMPORARY:
            inside = f"/proc/{process.pid}/root{folder}"
            try:
                if os.stat(inside).st_dev == os.stat(folder).st_dev:  # without a sandbox it is everybody's
                    continue
                told = os.statvfs(inside)
            except OSError:
                continue
            most = max(most, told.f_files - told.f_ffree)
    return most


class Student:
    """A notebook's cells, run in order; its functions can then be called by name.

    prelude: sources of the course's own that run first; cells: the sources of the student's code cells.
    The first request runs them. A cell or call that ends the worker costs only itself: another worker runs the
    other cells again. `problems` lists (number of the cell in `cells`, StudentError).
    """

    def __init__(self, cells, prelude, start, limits):
        self.cells, self.prelude, self.start, self.limits = dict(enumerate(cells)), prelude, start, limits
        self.problems, self.ended = [], []
        self.worker = None
        self.end = time.monotonic() + limits.notebook

    def run(self):
        """Starts a worker and runs the cells, again without each cell that ends it. Raises WorkerEnded when the time is used up."""
        while self.worker is None:
            self._need_time()
            self.worker = Worker(self.start)
            failed = {}
            try:
                for source in self.prelude:
                    self._run(source)
                for number, source in self.cells.items():
                    if error := self._run(source):
                        failed[number] = error
            except WorkerEnded as error:
                self.worker = None
                if source not in self.cells.values():
                    raise
                del self.cells[number]
                failed = {number: error}
            known = {number for number, _ in self.problems}
            self.problems += [(number, error) for number, error in failed.items() if number not in known]

    def _run(self, source):
        """Runs a cell. Returns the error that it stopped with, or None."""
        try:
            self._ask(do="run", source=source)
        except WorkerEnded:
            raise
        except StudentError as error:
            return error

    def call(self, name, *args, **options):
        """What the student's function `name` returns for these plain values. Raises StudentError."""
        self.run()
        try:
            return self._ask(do="call", name=name, args=list(args), options=options)
        except WorkerEnded as error:
            self.worker = None
            if error not in self.ended:
                self.ended.append(error)
            raise

    def close(self):
        if self.worker is not None:
            self.worker.close()

    def _ask(self, **request):
        self._need_time()
        return self.worker.ask(min(self.end - time.monotonic(), self.limits.step), **request)

    def _need_time(self):
        if time.monotonic() > self.end:
            self.close()
            self.worker = None
            self.ended.append(WorkerEnded(f"the {self.limits.notebook:g} seconds for one notebook are used up", hurried=True))
            raise self.ended[-1]


def _name_and_text(error):
    """An error's name and text as they came from the student's side: any values may come."""
    if isinstance(error, list) and len(error) == 2 and all(isinstance(part, str) for part in error):
        return error[0][:60], error[1][:500]
    return "Error", ""
