"""Training on two machines, here two processes, is training on one; and one of them may be killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import tensorflow as tf

from gdl.errors import CourseError
from gdl.training import workers

PROGRAM = Path(__file__).parent / "programs" / "train_on_machines.py"


@pytest.fixture
def start():
    """A function that starts Python with arguments, on the processor. Whatever still runs at the end is killed."""
    running = []

    def start(*arguments, **environment):
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3", **environment}
        pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        running.append(subprocess.Popen([sys.executable, *map(str, arguments)], env=environment, **pipes))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.communicate()


def tf_config(ports, index):
    """TF_CONFIG of one of the workers at these ports."""
    return json.dumps({"cluster": {"worker": [f"127.0.0.1:{port}" for port in ports]}, "task": {"type": "worker", "index": index}})


def start_two(start, chief, second, end):
    """Starts the program on two workers with runs in two folders; the second one ends as `end` says."""
    with socket.socket() as first, socket.socket() as other:
        for free in (first, other):
            free.bind(("127.0.0.1", 0))
        ports = [free.getsockname()[1] for free in (first, other)]
    return start(PROGRAM, chief, "lives", TF_CONFIG=tf_config(ports, 0)), start(PROGRAM, second, end, TF_CONFIG=tf_config(ports, 1))


def ended(process):
    """The exit status of a process, what it printed, and what it complained of."""
    printed, complaints = process.communicate(timeout=120)
    return process.returncode, printed, complaints


def arrays(file):
    """All numbers in a file of weights, with the state of the optimisers."""
    found = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def test_the_chief_sends_more_bytes_than_a_float32_counts():
    """On one device, which is its own chief. 2**24 + 1 is the first whole number that is no float32."""
    content = np.random.default_rng(0).integers(0, 256, 2**24 + 1, np.uint8).tobytes()
    assert workers.from_chief(SimpleNamespace(distribute_strategy=tf.distribute.get_strategy()), content) == content


def test_other_settings_than_the_chiefs_are_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(workers, "several_machines", lambda strategy: True)
    monkeypatch.setattr(workers, "from_chief", lambda model, content: json.dumps([{"training": {"seed": 0, "flip": True}}, 0, [], {}]).encode())
    model = SimpleNamespace(distribute_strategy=None)
    assert workers.start_alike(model, {"training": {"seed": 0, "flip": True}}, 5, ["row"], {"5": {}}) == (0, [], {})
    with pytest.raises(CourseError, match="^seed is 1 on this machine and 0 on the chief: start the same command"):
        workers.start_alike(model, {"training": {"seed": 1, "flip": True}}, 0, [], {})


@pytest.mark.slow  # starts TensorFlow
def test_a_port_that_another_program_has_is_said_in_one_sentence(start, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("-m", "gdl", "train", "vae", "--data", "drawn", "--devices", "all", "--out", tmp_path, TF_CONFIG=tf_config((port, port), 0))
        status, _, complaints = ended(process)
    assert status == 1
    assert complaints.startswith("gdl: ") and "another program may have the port" in complaints and "Traceback" not in complaints


@pytest.mark.slow  # five processes
def test_two_workers_train_as_one_process_and_continue_after_one_was_killed(start, tmp_path):
    one, chief, second = tmp_path / "one", tmp_path / "chief", tmp_path / "second"
    alone = start(PROGRAM, one, "lives")
    survivor, killed = start_two(start, chief, second, "dies")
    status, _, complaints = ended(alone)
    assert status == 0, complaints
    assert ended(killed)[0] == -signal.SIGKILL
    status, _, complaints = ended(survivor)
    assert status == 1
    sentences = [line for line in complaints.splitlines() if line.startswith("gdl: ")]
    assert len(sentences) == 1 and "Another machine has ended its training" in sentences[0]
    assert "Traceback" not in complaints
    assert not (chief / "GAN" / "epoch-0002.weights.h5").exists()

    for index, process in enumerate(start_two(start, chief, second, "lives")):
        status, printed, complaints = ended(process)
        assert status == 0, complaints
        assert "retracing" not in complaints
        assert ("VAE has 2 finished epochs already" in printed) == ("GAN: continuing after epoch 1" in printed) == (index == 0)
    assert not second.exists(), "the chief alone writes"
    for kind in ("VAE", "GAN"):
        last = "epoch-0002.weights.h5"
        expected, found = arrays(one / kind / last), arrays(chief / kind / last)
        assert expected.keys() == found.keys()
        for name in expected:
            np.testing.assert_allclose(found[name], expected[name], rtol=0, atol=1e-5, err_msg=f"{kind} {name}")
