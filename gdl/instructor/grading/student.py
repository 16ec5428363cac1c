"""A student's notebook: its cells run in a worker, which is started again when one of them ends it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gdl.errors import CourseError
from gdl.instructor.grading import channel
from gdl.instructor.grading.process import GraderFailed, Start, StudentError, Worker, WorkerEnded

START_AGAIN = (2, 10)  # seconds before another try to start a worker: what the machine has too little of may be free by then
MAX_RECEIVED = 256 * 2**20  # bytes of the values that all calls of one check return


@dataclass
class Limits:
    """Seconds that one cell or one call may take, and a whole notebook."""

    step: float = 30.0
    notebook: float = 600.0


class Student:
    """A notebook's cells, run in order. Its functions can then be called by name.

    cells: the sources of the student's code cells. prelude: sources of the course that run before them. start: see `Worker`.
    The cells run at the first call. A cell or call that ends the worker is the only one that is lost: another worker runs the other cells
    again. `problems` lists (index in `cells`, StudentError), `ended` the calls that have ended a worker. `hidden`: whether the student's code
    knows hidden inputs, so that a new problem of a cell, which could repeat them, is not kept. `received`: bytes of values in this check.

    >>> from gdl.instructor.grading.sandbox import sandboxed
    >>> student = Student(["def double(x): return 2 * x"], [], sandboxed, Limits())  # doctest: +SKIP
    >>> student.call("double", 3)  # doctest: +SKIP
    6
    """

    def __init__(self, cells: Sequence[str], prelude: Sequence[str], start: Start, limits: Limits):
        self.cells, self.prelude, self.start, self.limits = dict(enumerate(cells)), prelude, start, limits
        self.problems: list[tuple[int, StudentError]] = []
        self.ended: list[WorkerEnded] = []
        self.hidden = False
        self.received = 0
        self.failure: WorkerEnded | None = None  # of the prelude
        self.worker: Worker | None = None
        self.end = time.monotonic() + limits.notebook

    def run(self) -> None:
        """Starts a worker and runs the cells, again without each cell that ends it. Raises WorkerEnded when the notebook's time is used up.

        Raises GraderFailed if no worker starts.
        """
        while self.worker is None:
            if self.failure is not None:
                raise self.failure
            self._check_time()
            self.worker = self._start_worker()
            self._run_prelude()
            failed: dict[int, StudentError] = {}
            try:
                for number, source in self.cells.items():
                    if error := self._run_cell(source):
                        failed[number] = error
            except WorkerEnded as error:
                self.worker = None
                if number not in self.cells or error in self.ended:  # the time for the whole notebook is used up
                    raise
                del self.cells[number]
                failed = {number: error}
            known = {number for number, _ in self.problems}
            if not self.hidden:
                self.problems += [(number, error) for number, error in failed.items() if number not in known]

    def call(self, name: str, *args: Any, **options: Any) -> Any:
        """What the student's function `name` returns for these plain values, see `channel`. Raises StudentError."""
        self.run()
        try:
            value = self._request(do="call", name=name, args=list(args), options=options)
            self.received += channel.size_of(value)
            if self.received > MAX_RECEIVED:  # a check that keeps the values of hundreds of calls would fill the grader's memory
                raise StudentError("ValueError", f"it gave more than {MAX_RECEIVED // 2**20} MB in one check")
            return value
        except WorkerEnded as error:
            self.worker = None
            if error not in self.ended:
                self.ended.append(error)
            raise
        except StudentError as error:
            if error.machine_busy:
                reason = "the machine had no memory left" if error.outside else "it found no memory"
                self.ended.append(WorkerEnded(reason, machine_busy=True, outside=error.outside))
            raise

    def close(self) -> None:
        """Ends the worker."""
        if self.worker is not None:
            self.worker.close()

    def _start_worker(self):
        for pause in (*START_AGAIN, None):
            try:
                return Worker(self.start)
            except (CourseError, OSError, RuntimeError, MemoryError) as error:  # RuntimeError: no thread can be started
                if pause is None:
                    raise GraderFailed(str(error)) from None
                time.sleep(pause)

    def _run_prelude(self):
        """Runs the course's own cells. What stops them is none of the student's doing."""
        try:
            for source in self.prelude:
                self._request(do="run", source=source)
        except StudentError as error:
            self.close()
            self.worker = None
            if error in self.ended:  # the time for the notebook is used up
                raise
            self.failure = WorkerEnded("the course's own code did not run", machine_busy=True, outside=True)
            self.ended.append(self.failure)
            raise self.failure from None

    def _run_cell(self, source):
        """Runs a cell. Returns the error that it stopped with, or None."""
        try:
            self._request(do="run", source=source)
        except WorkerEnded:
            raise
        except StudentError as error:
            return error
        return None

    def _request(self, **request):
        self._check_time()
        assert self.worker is not None  # `run` has started one
        return self.worker.request(min(self.end - time.monotonic(), self.limits.step), **request)

    def _check_time(self):
        if time.monotonic() > self.end:
            self.close()
            self.worker = None
            self.ended.append(WorkerEnded(f"the {self.limits.notebook:g} seconds for one notebook are used up", machine_busy=True))
            raise self.ended[-1]
