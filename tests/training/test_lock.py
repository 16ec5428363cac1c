"""The lock of a run folder: one training at a time, and nothing that a dead process leaves is in the way."""

import errno
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import gdl
from gdl.training import lock
from gdl.training.lock import locked

PROGRAM = """
import sys, time
from pathlib import Path
from gdl.training.lock import locked
with locked(Path(sys.argv[1])):
    print("here", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that has the lock of the folder `run`."""
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "here\n"
    yield process
    process.kill()
    process.communicate()


def sentence(folder):
    with pytest.raises(gdl.CourseError) as error:
        with locked(folder):
            pytest.fail("it began to train")
    assert "\n" not in str(error.value)
    return str(error.value)


def test_the_second_process_says_who_trains_there_and_since_when(tmp_path, other):
    words = sentence(tmp_path / "run")
    assert re.search(rf"/run is in use: process {other.pid} on \S+, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d, trains there; wait until it has", words)
    other.send_signal(signal.SIGKILL)
    other.wait()
    with locked(tmp_path / "run"):
        assert f"process {os.getpid()} on" in (tmp_path / "run" / lock.NAME).read_text()
    assert (tmp_path / "run" / lock.NAME).read_text() == ""


@pytest.mark.slow
def test_gdl_train_says_it_before_any_work(tmp_path, other, monkeypatch):
    monkeypatch.setattr(gdl.VAE, "fit", lambda *arguments, **options: pytest.fail("it trains"))
    with pytest.raises(gdl.CourseError, match=rf"process {other.pid} on .* trains there"):
        gdl.train(gdl.VAE(16, 2, (4,)), gdl.DrawnFaces(20, 16), 1, run=tmp_path / "run")
    assert os.listdir(tmp_path / "run") == [lock.NAME]


def test_another_thread_of_the_same_process_is_refused_too(tmp_path):
    entered, leave = threading.Event(), threading.Event()

    def hold():
        with locked(tmp_path):
            entered.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert entered.wait(60)
        assert f"in use: this process {os.getpid()} on " in sentence(tmp_path)
    finally:
        leave.set()
        thread.join()
    with locked(tmp_path):
        pass


def test_locks_of_different_names_are_independent(tmp_path):
    with locked(tmp_path, ".claim"):
        with locked(tmp_path):
            with pytest.raises(lock.InUse) as error, locked(tmp_path, ".claim"):
                pytest.fail("it has the lock twice")
    assert error.value.holder.startswith(f"this process {os.getpid()} on ")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError])
def test_a_cell_that_was_interrupted_can_be_run_again(tmp_path, error):
    for _ in range(2):
        with pytest.raises(error):
            with locked(tmp_path):
                raise error


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows does not fork")
@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning", "ignore:.*multi-threaded:DeprecationWarning")
def test_a_process_forked_from_a_killed_training_does_not_keep_the_lock(tmp_path):
    program = PROGRAM.replace('print("here", flush=True)', "import os\n    child = os.fork()\n    None if child else print(os.getpid(), flush=True)")
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    child = int(process.stdout.readline())
    try:
        process.kill()
        process.wait()
        with locked(tmp_path):
            os.kill(child, 0)  # it lives
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdout.close()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no flock")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL])
def test_a_drive_without_locks_is_used_with_a_note(tmp_path, monkeypatch, capsys, number):
    def refuse(descriptor, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(lock.fcntl, "flock", refuse)
    for name in (lock.NAME, ".other", lock.NAME):
        with locked(tmp_path, name):
            pass
    assert capsys.readouterr().out == (
        f"{tmp_path} is on a drive without locks ({os.strerror(number)}): make sure that nobody else trains there at the same time.\n"
    )


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"x" * 100_000])
def test_whatever_is_in_the_file_of_the_lock(tmp_path, other, content):
    (tmp_path / "run" / lock.NAME).write_bytes(content)
    assert len(sentence(tmp_path / "run")) < 400 + len(str(tmp_path))


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "run", tmp_path / ("x" * 300)):
        assert "cannot be written" in sentence(folder)


def test_a_folder_in_which_nothing_can_be_written_is_not_locked(tmp_path, monkeypatch):
    def refuse(path, flags):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(lock.os, "open", refuse)
    with locked(tmp_path):
        assert not Path(tmp_path, lock.NAME).exists()
