"""Computes the features of images.npy twice with deterministic kernels, checks that they are equal, and writes features.npy.

Argument: the folder of both files.
"""

import sys

import keras
import numpy as np
import tensorflow as tf

from gdl.metrics import inception_features

tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(0)
images = np.load(sys.argv[1] + "/images.npy")
first, second = (inception_features(images) for _ in range(2))
assert np.array_equal(first, second)
np.save(sys.argv[1] + "/features.npy", first)
