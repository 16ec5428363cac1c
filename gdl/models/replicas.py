"""Training on several devices: a step that is written for one device becomes the same step on all of them together.

TensorFlow's MirroredStrategy gives each device (a replica) a part of the batch, runs the step on each, and adds up the
gradients. The replicas are independent: each draws the same random numbers, takes the mean over its own
images, and looks for an overflow of float16 in its own gradients. This module corrects all three. On one device it
changes nothing. `gdl.models.base` imports it and calls `share_batch`, so that the models need not mention it.
"""

import threading
from functools import partial, wraps

import keras
import tensorflow as tf

_here = threading.local()  # TensorFlow runs each replica in a thread; `_here.images` is how many images it has


def several():
    """Whether the code runs, or builds a model, for several devices."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def rows_of_the_batch(random):
    """`keras.random.normal` or `uniform`, which gives each replica its own rows of what one device would draw for all.

    All replicas have the same seeds, and would otherwise draw the same numbers.
    """

    @wraps(random)
    def draw(shape, *arguments, **options):
        replica = tf.distribute.get_replica_context() if several() else None
        if replica is None:  # one device, or a model that is being built for several
            return random(shape, *arguments, **options)
        own = tf.one_hot(replica.replica_id_in_sync_group, replica.num_replicas_in_sync) * tf.cast(shape[0], tf.float32)
        rows = tf.cast(replica.all_reduce("SUM", own), tf.int32)  # of each replica: a last batch may not be shared evenly
        first = tf.reduce_sum(rows[: replica.replica_id_in_sync_group])
        return random((tf.reduce_sum(rows), *shape[1:]), *arguments, **options)[first : first + shape[0]]

    return draw


keras.random.normal = rows_of_the_batch(keras.random.normal)
keras.random.uniform = rows_of_the_batch(keras.random.uniform)


def share_batch(model):
    """Prepares a compiled model whose strategy has several replicas; `model.compile` calls it.

    A step may then take the mean over its own images: the loss is weighted with the replica's share of them, so that
    each image counts alike and the added gradients are those of the mean over the whole batch.
    """
    for name in ("train_step", "test_step", "critic_step", "generator_step"):
        if hasattr(model, name):
            setattr(model, name, _counting(getattr(type(model), name).__get__(model)))
    if type(model).train_step is keras.Model.train_step:  # which takes the loss of compute_loss and reports it, too
        model.compute_loss = partial(_weighted_loss, type(model).compute_loss.__get__(model))
    else:
        for optimizer, _ in model.optimizer_groups:
            optimizer.scale_loss = partial(_weighted_loss, type(optimizer).scale_loss.__get__(optimizer))
    for optimizer, _ in model.optimizer_groups:
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            optimizer.apply_gradients = partial(_apply_mean, type(optimizer).apply_gradients.__get__(optimizer))


def _counting(step):
    """A step that notes how many images it has: of its batch, or as its argument says."""

    def counted(data):
        x = keras.tree.flatten(data)[0]
        _here.images = x if isinstance(x, int) or len(x.shape) == 0 else tf.shape(x)[0]
        return step(data)

    return counted


def _weighted_loss(loss, *arguments, **options):
    """What `loss` returns, times this replica's share of the images of the step."""
    images = tf.cast(_here.images, tf.float32)
    return loss(*arguments, **options) * (images / tf.distribute.get_replica_context().all_reduce("SUM", images))


def _apply_mean(apply_gradients, gradients_and_weights):
    """`apply_gradients` of a LossScaleOptimizer, which looks for overflow on the first replica only: each gets all gradients."""
    gradients, weights = zip(*gradients_and_weights)
    gradients = tf.distribute.get_replica_context().all_reduce("MEAN", list(gradients))
    apply_gradients(zip(gradients, weights))
