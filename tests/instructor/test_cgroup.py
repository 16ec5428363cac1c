"""A control group for each worker, where one can be made."""

import subprocess
import sys
import time

import pytest

from gdl.instructor.grading import cgroup, process, sandbox
from gdl.instructor.grading.process import Worker, WorkerEnded

FILL = "import os, socket\nbytes(0)\nkept = [bytearray(10**7) for _ in range(100)]"


@pytest.fixture
def group():
    made = cgroup.make_group(2**28)
    if made is None:
        pytest.skip("this user cannot make a control group")
    yield made
    made.close()


def inside(group, program):
    """Starts a Python program in the group."""
    command = ["/bin/sh", "-c", 'echo $$ > "$0"; exec "$@"', str(group.processes), sys.executable, "-c", program]
    return subprocess.Popen(command)


def test_a_group_limits_memory_and_knows_it(group):
    assert not group.out_of_memory()
    assert inside(group, FILL).wait() == -9
    assert group.out_of_memory()


def test_closing_a_group_ends_its_processes(group):
    started = inside(group, "import time; time.sleep(60)")
    while not group.processes.read_text():
        time.sleep(0.01)
    group.close()
    assert started.wait() == -9
    assert not group.folder.exists()


def test_groups_of_killed_graders_are_removed(group):
    ended = subprocess.Popen(["true"])
    ended.wait()
    stale = group.folder.with_name(f"{cgroup.NAME}-{ended.pid}-0")
    stale.mkdir()
    cgroup.make_group(2**28).close()
    assert not stale.exists() and group.folder.exists()


def test_without_a_group_there_is_the_watch(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroup, "_parents", lambda: [tmp_path / "nowhere", tmp_path])
    assert cgroup.make_group(2**28) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_memory_that_no_process_shows_is_counted_in_a_group(group, monkeypatch):
    """Files in the temporary folders and sockets: the processes themselves stay small."""
    monkeypatch.setattr(process, "MAX_MEMORY", 2**28)
    worker = Worker(sandbox.sandboxed)
    source = (
        "for folder in ('/tmp', '/dev/shm'):\n    with open(folder + '/big', 'wb') as file:\n        for _ in range(24): file.write(bytes(10**7))"
    )
    with pytest.raises(WorkerEnded, match="more than 0 GB of memory") as ended:
        worker.request(30, do="run", source=source)
    assert not ended.value.outside, "the notebook's own hunger"
    assert not worker.group.folder.exists()


@pytest.mark.slow
def test_without_a_group_the_watch_counts_the_temporary_folders(monkeypatch):
    if not sandbox.shutil.which("bwrap"):
        pytest.skip("bubblewrap is not installed: nothing can be graded without it")
    monkeypatch.setattr(process, "make_group", lambda memory: None)
    monkeypatch.setattr(process, "MAX_MEMORY", 2**28)
    worker = Worker(sandbox.sandboxed)
    fill = "for folder in ('/tmp', '/dev/shm'):\n    with open(folder + '/big', 'wb') as file:\n        for _ in range(20): file.write(bytes(10**7))"
    source = f"{fill}\nimport time; time.sleep(5)"
    with pytest.raises(WorkerEnded, match="of memory"):
        worker.request(30, do="run", source=source)
