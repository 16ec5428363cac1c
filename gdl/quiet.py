"""Starts TensorFlow without its start-up notes, and says in one line what matters of them."""

import os
import shutil
import sys


def start_tensorflow():
    """Imports TensorFlow with standard error closed to its C++ part; errors in Python are raised as ever."""
    if "tensorflow" in sys.modules:
        return
    sys.stderr.flush()
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)  # the notes go straight to file 2, past Python's sys.stderr
    try:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)
    if not gpus and shutil.which("nvidia-smi"):
        print("TensorFlow cannot use this machine's NVIDIA GPU: pip install 'tensorflow[and-cuda]' brings what it needs.")
