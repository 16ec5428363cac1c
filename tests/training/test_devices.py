"""The option --devices and TensorFlow's TF_CONFIG, read before TensorFlow starts; and which rows of a batch each replica gets."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from gdl.errors import CourseError
from gdl.models.replicas import _rows_of_machine
from gdl.training.devices import check_devices, machines, open_strategy


def test_devices_are_all_or_a_number():
    for devices in (None, "all", "1", "16"):
        check_devices(devices)
    for devices in ("0", "-1", "two", "", "1.5"):
        with pytest.raises(CourseError, match="give all, or a number of GPUs"):
            check_devices(devices)


def test_more_gpus_than_there_are_is_said_in_one_sentence():
    with pytest.raises(CourseError, match="give at most so many, or all"):
        open_strategy("99")


@pytest.mark.parametrize("cluster,task,number", [
    ({}, None, 1),
    ({"worker": ["a:1", "b:1"]}, {"type": "worker", "index": 1}, 2),
    ({"chief": ["a:1"], "worker": ["b:1", "c:1"]}, {"type": "chief", "index": 0}, 3),
])  # fmt: skip
def test_machines_of_tf_config(monkeypatch, cluster, task, number):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": task}))
    assert machines() == number


@pytest.mark.parametrize("text", ["{", "[]", '{"cluster": {"worker": ["a:1"]}}', '{"cluster": {"worker": ["a:1"]}, "task": {"type": "ps"}}'])
def test_a_tf_config_that_is_none_is_said_in_one_sentence(monkeypatch, text):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(CourseError, match="TF_CONFIG"):
        machines()


@pytest.mark.parametrize("images,steps", [(16, 1), (15, 1), (3, 1), (16, 2), (14, 2)])
def test_the_replicas_rows_make_up_each_batch_in_its_order(images, steps):
    """Two machines with two replicas each."""
    batches = tf.data.Dataset.from_tensors(np.arange(images)).repeat(2)
    parts = []
    for machine in range(2):
        context = SimpleNamespace(num_replicas_in_sync=4, num_input_pipelines=2, input_pipeline_id=machine)
        parts.append([rows.tolist() for rows in _rows_of_machine(batches, steps, context).as_numpy_iterator()])
    for batch in range(2):
        replicas = [rows for part in parts for rows in part[2 * batch : 2 * batch + 2]]
        assert sum(replicas, []) == list(range(images))
        assert all(rows[0] % steps == 0 for rows in replicas if rows)
