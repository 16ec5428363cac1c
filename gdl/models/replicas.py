"""Training on several devices: a step that is written for one device becomes the same step on all of them together.

TensorFlow's MirroredStrategy gives each device (a replica) a part of the batch, runs the step on each, and adds up the
gradients. Its MultiWorkerMirroredStrategy does the same on several machines. The replicas are independent: each draws
the same random numbers, takes the mean over its own images, and looks for an overflow of float16 in its own gradients.
This module corrects all three. On one device it changes nothing. `gdl.models.base` imports it and calls `share_batch`,
so that the models need not mention it; `gdl.train` calls `share_dataset`.
"""

import threading
from functools import partial, wraps

import keras
import tensorflow as tf

_here = threading.local()  # TensorFlow runs each replica in a thread; `_here.images` is how many images it has


def several():
    """Whether the code runs, or builds a model, for several devices."""
    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def several_machines(strategy):
    """Whether a strategy trains on the machines of a cluster, which the environment variable TF_CONFIG describes."""
    return strategy.cluster_resolver is not None and bool(strategy.cluster_resolver.cluster_spec().jobs)


def rows_of_the_batch(random):
    """`keras.random.normal` or `uniform`, which gives each replica its own rows of what one device would draw for all.

    All replicas have the same seeds, and would otherwise draw the same numbers.
    """

    @wraps(random)
    def draw(shape, *arguments, **options):
        replica = _replica()
        if replica is None:
            return random(shape, *arguments, **options)
        first, rows = _place(replica, shape[0])
        whole = tf.concat([[rows], shape[1:]], axis=0) if tf.is_tensor(shape) else (rows, *shape[1:])
        return random(whole, *arguments, **options)[first : first + shape[0]]

    return draw


def mask_of_the_batch(call):
    """`keras.layers.Dropout.call`, which drops on each replica what one device would drop of its images."""

    @wraps(call)
    def drop(layer, inputs, training=False):
        replica = _replica()
        if replica is None or not training:
            return call(layer, inputs, training=training)
        images = tf.shape(inputs)[0]
        first, rows = _place(replica, images)
        return inputs * call(layer, tf.ones((rows, *inputs.shape[1:]), inputs.dtype), training=True)[first : first + images]

    return drop


def _replica():
    """The replica that runs this code; None for one device, and for a model that is being built for several."""
    return tf.distribute.get_replica_context() if several() else None


def _place(replica, images):
    """The first row of a replica's images in the whole batch, and the number of rows of the batch."""
    own = tf.one_hot(replica.replica_id_in_sync_group, replica.num_replicas_in_sync) * tf.cast(images, tf.float32)
    rows = tf.cast(replica.all_reduce("SUM", own), tf.int32)  # of each replica: a last batch may not be shared evenly
    return tf.reduce_sum(rows[: replica.replica_id_in_sync_group]), tf.reduce_sum(rows)


keras.random.normal = rows_of_the_batch(keras.random.normal)
keras.random.uniform = rows_of_the_batch(keras.random.uniform)
keras.layers.Dropout.call = mask_of_the_batch(keras.layers.Dropout.call)


def share_batch(model):
    """Prepares a compiled model whose strategy has several replicas; `model.compile` calls it.

    A step may then take the mean over its own images: the loss is weighted with the replica's share of them, so that
    each image counts alike and the added gradients are those of the mean over the whole batch.
    """
    for name in ("train_step", "test_step", "critic_step", "generator_step"):
        if hasattr(model, name):
            setattr(model, name, _counting(getattr(type(model), name).__get__(model)))
    model._maybe_symbolic_build = partial(_build_metrics, model)
    if several_machines(model.distribute_strategy):
        model.train_step, model.test_step = _with_an_axis(model.train_step), _with_an_axis(model.test_step)
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


def _with_an_axis(step):
    """A step whose results are (1,) instead of (): Keras averages those of several machines over an axis (Keras issue 20585)."""
    return lambda data: {name: tf.reshape(value, (1,)) for name, value in step(data).items()}


def _build_metrics(model, iterator=None, data_batch=None):
    """What Keras does before `fit`, without the first batch: Keras would take it from the dataset, and average the replicas' images."""
    if iterator is not None:
        specs = iterator.data_adapter.get_tf_dataset().element_spec  # a spec, or one for each replica
        data_batch = keras.tree.map_structure(lambda spec: getattr(spec, "_value_specs", [spec])[0], specs)
    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=data_batch)


def _weighted_loss(loss, *arguments, **options):
    """What `loss` returns, times this replica's share of the images of the step: 0 without images, whose mean is NaN."""
    images = tf.cast(_here.images, tf.float32)
    share = images / tf.distribute.get_replica_context().all_reduce("SUM", images)
    return tf.math.multiply_no_nan(loss(*arguments, **options), share)


def _apply_mean(apply_gradients, gradients_and_weights):
    """`apply_gradients` of a LossScaleOptimizer, which looks for overflow on the first replica only: each gets all gradients."""
    gradients, weights = zip(*gradients_and_weights)
    gradients = tf.distribute.get_replica_context().all_reduce("MEAN", list(gradients))
    apply_gradients(zip(gradients, weights))


def share_dataset(batches, strategy, steps=1):
    """A dataset of whole batches as `fit` takes it under the strategy: each replica gets its own rows of each batch.

    TensorFlow's own sharding among machines would put other images together in a batch than one device has.
    steps: a replica's number of rows is a multiple of it, so that rows i, i + steps, i + 2 * steps, ... are the same images
        on one device and on several. The last replica has the rest.
    """
    if strategy.num_replicas_in_sync == 1:
        return batches
    return strategy.distribute_datasets_from_function(partial(_rows_of_machine, batches, steps))


def _rows_of_machine(batches, steps, context):
    """The dataset of one machine: of each whole batch the rows of its first replica, then those of its next."""
    replicas = context.num_replicas_in_sync
    here = replicas // context.num_input_pipelines
    first = context.input_pipeline_id * here

    def rows(replica, *batch):
        images = tf.shape(batch[0])[0]
        groups = -(-images // steps)
        begin, end = (tf.minimum(steps * (i * groups // replicas), images) for i in (replica, replica + 1))
        parts = tuple(entry[begin:end] for entry in batch)
        return parts if len(parts) > 1 else parts[0]

    def of_each_replica(*batch):
        return tf.data.Dataset.range(first, first + here, output_type=tf.int32).map(lambda replica: rows(replica, *batch))

    number = int(batches.cardinality())
    number = number * here if number > 0 else number  # a negative one stands for infinite
    return batches.flat_map(of_each_replica).apply(tf.data.experimental.assert_cardinality(number)).prefetch(2 * here)
