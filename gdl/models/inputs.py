"""What Keras's methods are given is checked: images in the model's pixel range, and labels or targets that fit them.

`CheckedInputs` wraps `fit`, `evaluate`, `predict`, their `..._on_batch` and the call of a model. An array is checked as a
whole before any work. The batches of a dataset are checked one by one as they are made, beside the training step.
"""

import inspect
from functools import wraps
from types import GeneratorType
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gdl.errors import CourseError
from gdl.models.batch import check_batch, check_weights


def checked(method):
    """A method of keras.Model that first checks the data that it is given, unless another such method calls it."""
    signature = inspect.signature(method)

    @wraps(method)
    def checked_method(self, *arguments, **options):
        if self.checking:
            return method(self, *arguments, **options)
        bound = signature.bind(self, *arguments, **options)
        given, problems = bound.arguments, []
        check_weights(self, method.__name__, given)
        given["x"] = checked_data(self, method.__name__, given.get("x"), given.get("y"), problems)
        if given.get("validation_data") is not None:
            given["validation_data"] = checked_validation(self, method.__name__, given["validation_data"], problems)
        self.checking = True
        try:
            return method(*bound.args, **bound.kwargs)
        except tf.errors.OpError:
            if problems:  # TensorFlow has made an error of its own of it
                raise problems[0] from None
            raise
        finally:
            self.checking = False

    return checked_method


class CheckedInputs:
    """A keras.Model whose methods say in one sentence what is wrong with their data."""

    checking = False  # whether a method is at work whose data are checked

    fit = checked(keras.Model.fit)
    evaluate = checked(keras.Model.evaluate)
    predict = checked(keras.Model.predict)
    train_on_batch = checked(keras.Model.train_on_batch)
    test_on_batch = checked(keras.Model.test_on_batch)
    predict_on_batch = checked(keras.Model.predict_on_batch)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if not self.checking and arguments and not keras.backend.is_keras_tensor(arguments[0]):
            look_at_kind_or_all(self, arguments[0])
        return super().__call__(*arguments, **options)  # type: ignore[misc]


def look_at_kind_or_all(model, x):
    """Checks what a model is called with; of a tensor in a graph, whose numbers are not known, the dtype and the shape."""
    if not tf.is_symbolic_tensor(x):
        check_batch(model, "call", x)
    elif _is_known(x):
        check_batch(model, "call", _of_that_kind(x))


def checked_data(model, method, x, y, problems):
    """The data, checked at once if they are arrays, and else to be checked batch by batch; problems then gets the CourseError."""

    def look(*batch):
        try:
            check_batch(model, method, *batch)
        except CourseError as error:
            problems.append(error)
            raise

    def look_at(batch):
        look(*keras.utils.unpack_x_y_sample_weight(batch))
        return batch

    if isinstance(x, tf.data.Dataset):
        return _checked_dataset(x, look)
    if isinstance(x, GeneratorType):
        return (look_at(batch) for batch in x)
    if isinstance(x, keras.utils.PyDataset):
        return x if x.use_multiprocessing and look_at(x[0]) else _CheckedPyDataset(x, look_at)
    if not isinstance(x, tf.distribute.DistributedDataset) and "torch" not in type(x).__module__:
        check_batch(model, method, x, y)
        if not len(x) and not method.startswith("predict"):
            raise CourseError(f"{type(model).__name__}.{method} was given no images: give at least one.")
    return x


def checked_validation(model, method, data, problems):
    """The validation data of `fit`: an array, a pair, or a dataset."""
    if not isinstance(data, (tuple, list)):
        return checked_data(model, method, data, None, problems)
    x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(tuple(data))
    check_weights(model, method, {"sample_weight": sample_weight})
    checked_data(model, method, x, y, problems)
    return data


def _checked_dataset(dataset, look):
    """The dataset whose batches are looked at when they are made; what their description says is looked at now."""
    spec = dataset.element_spec
    parts = spec if isinstance(spec, tuple) else (spec,)
    if not all(isinstance(part, tf.TensorSpec) for part in parts):
        look(*parts)
        return dataset
    if all(map(_is_known, parts)):
        look(*map(_of_that_kind, parts))

    @tf.autograph.experimental.do_not_convert
    def check(*batch):
        seen = tf.numpy_function(lambda *arrays: look(*arrays) or True, batch, tf.bool)
        with tf.control_dependencies([seen]):
            batch = tuple(tf.identity(part) for part in batch)
        return batch if isinstance(spec, tuple) else batch[0]

    return dataset.map(check).prefetch(1)


def _is_known(tensor):
    return bool(tensor.shape.rank) and tensor.shape[1:].is_fully_defined()


def _of_that_kind(tensor):
    """An array of no images with the dtype and the shape of a tensor; one image, where that is the shape."""
    n = tensor.shape[0] if tensor.shape.rank == 3 else 0
    return np.empty((n or 0, *tensor.shape[1:]), tensor.dtype.as_numpy_dtype)


class _CheckedPyDataset(keras.utils.PyDataset):
    """Another PyDataset, each batch of which is looked at."""

    def __init__(self, dataset, look_at):
        super().__init__(workers=dataset.workers, use_multiprocessing=False, max_queue_size=dataset.max_queue_size)
        self.dataset, self.look_at = dataset, look_at
        self.on_epoch_begin, self.on_epoch_end = dataset.on_epoch_begin, dataset.on_epoch_end

    def __getitem__(self, index):
        return self.look_at(self.dataset[index])

    @property
    def num_batches(self):
        return self.dataset.num_batches
