"""Which devices train a model: the GPUs of this machine, or of all machines in TF_CONFIG. `python -m gdl train --devices`."""

import json
import os
from typing import TYPE_CHECKING

from gdl.errors import CourseError

if TYPE_CHECKING:
    import tensorflow as tf


def check_devices(devices: str | None) -> None:
    """CourseError for what is not "all", a number, or None."""
    if devices not in (None, "all") and not (devices.isdecimal() and int(devices)):
        raise CourseError(f"--devices is {devices!r}: give all, or a number of GPUs such as 2.")


def machines() -> int:
    """The number of machines in the environment variable TF_CONFIG, which is TensorFlow's own; 1 without it.

    CourseError for a TF_CONFIG that does not describe a cluster and this machine's place in it.
    """
    text = os.environ.get("TF_CONFIG", "")
    try:
        config = json.loads(text) if text else {}
        cluster = config.get("cluster") or {}
        if cluster:
            task = config["task"]
            if task["type"] not in ("chief", "worker") or not 0 <= int(task["index"]) < len(cluster[task["type"]]):
                raise ValueError
        return max(1, sum(len(cluster.get(kind, ())) for kind in ("chief", "worker")))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CourseError(
            f"TF_CONFIG is {text[:200]!r}: give the addresses of all machines and the place of this one, such as "
            '{"cluster": {"worker": ["first:12345", "second:12345"]}, "task": {"type": "worker", "index": 0}}.'
        ) from None


def open_strategy(devices: str | None) -> "tf.distribute.Strategy":
    """TensorFlow's strategy for so many GPUs of each machine; call it before TensorFlow computes anything.

    devices: "all", or a number of GPUs; without GPUs, "all" is the processor. None is one device, as TensorFlow chooses it,
        whatever TF_CONFIG says.
    Waits until all machines of TF_CONFIG have called it. CourseError when this machine has fewer GPUs, and when its address
    in TF_CONFIG cannot be used.
    """
    import tensorflow as tf

    if devices is None:
        return tf.distribute.get_strategy()
    gpus = tf.config.list_physical_devices("GPU")
    if devices != "all":
        if int(devices) > len(gpus):
            raise CourseError(f"--devices is {devices}, and TensorFlow finds {len(gpus)} GPUs on this machine: give at most so many, or all.")
        gpus = gpus[: int(devices)]
        tf.config.set_visible_devices(gpus, "GPU")
    elif not gpus:
        print("TensorFlow finds no GPU on this machine: the processor trains.")
    if machines() > 1:
        print(f"Waiting for all {machines()} machines of TF_CONFIG.", flush=True)
        try:
            return tf.distribute.MultiWorkerMirroredStrategy()
        except tf.errors.UnknownError as error:  # "Could not start gRPC server"
            raise CourseError(
                f"TensorFlow cannot use this machine's address in TF_CONFIG ({error.message}): "
                "another program may have the port; give another port in TF_CONFIG on all machines."
            ) from None
    return tf.distribute.MirroredStrategy() if len(gpus) > 1 else tf.distribute.get_strategy()
