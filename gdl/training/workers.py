"""Training on several machines: the chief tells the other workers where to begin, and none of them waits for one that has ended.

Each machine (a worker) runs the same program. The first one, the chief, alone reads and writes the run folder, so that
the others need not even see it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import keras
import numpy as np
import tensorflow as tf

from gdl.errors import CourseError
from gdl.models.replicas import several_machines
from gdl.models.saving import MemoryFile, weights_in_memory
from gdl.training.run_folder import differences

ENDED = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError)  # what TensorFlow says on the others


def is_chief(model: keras.Model) -> bool:
    """Whether this process reads and writes the run folder: the chief of several machines, and the process on one machine."""
    return model.distribute_strategy.extended.should_checkpoint


def start_alike(model: keras.Model, settings: dict, done: int, rows: list[dict], states: dict) -> tuple[int, list[dict], dict]:
    """Gives each worker the chief's number of finished epochs, history, counters and weights; on one machine, what it is given.

    settings: see `run_settings`. CourseError on a worker whose settings are not the chief's.
    """
    if not several_machines(model.distribute_strategy):
        return done, rows, states
    own = json.loads(json.dumps(settings))  # tuples become lists, as in the chief's
    of_chief, done, rows, states = json.loads(from_chief(model, json.dumps([own, done, rows, states]).encode()))
    different = [f"{name} is {here!r} on this machine and {there!r} on the chief" for name, there, here in differences(of_chief, own)]
    if different:
        raise CourseError(f"{'; '.join(different)}: start the same command with the same data on all machines.")
    if done:
        weights_from_chief(model)
    return done, rows, states


def weights_from_chief(model: keras.Model) -> None:
    """Gives each worker the chief's weights and states of the optimisers. On one machine, nothing changes."""
    if not several_machines(model.distribute_strategy):
        return
    content = from_chief(model, weights_in_memory(model).getvalue() if is_chief(model) else b"")
    if not is_chief(model):
        model.load_weights(MemoryFile(content))


def from_chief(model: keras.Model, content: bytes) -> bytes:
    """What the chief gives as content, on every worker. All of them have to call it."""
    strategy = model.distribute_strategy
    length = _sum(tf.constant([len(content)], tf.float64), strategy)  # a float32 is not exact beyond 2**24
    numbers = np.zeros(int(length[0]), np.float32)
    if is_chief(model):
        numbers[:] = np.frombuffer(content, np.uint8)
    return _sum(tf.constant(numbers), strategy).astype(np.uint8).tobytes()


def _sum(numbers, strategy):
    """The chief's floating-point numbers on every worker: all other replicas add zeros."""
    return strategy.experimental_local_results(_on_all(numbers, strategy))[0].numpy()


@tf.function(reduce_retracing=True)
def _on_all(numbers, strategy):
    def on_each(numbers):
        replica = tf.distribute.get_replica_context()
        return replica.all_reduce("SUM", numbers * tf.cast(tf.equal(replica.replica_id_in_sync_group, 0), numbers.dtype))

    return strategy.run(on_each, [numbers])


@contextmanager
def ended_workers_said(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Makes TensorFlow's error about a worker that has ended, while the indented lines run, a CourseError."""
    try:
        yield
    except ENDED:
        if not several_machines(strategy):
            raise
        raise CourseError(
            "Another machine has ended its training or cannot be reached: where it did not say why, start the same command again "
            "on all machines; they continue after the last finished epoch."
        ) from None
