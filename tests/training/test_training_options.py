"""The options of gdl.train check themselves."""

import numpy as np
import pytest

from gdl.errors import CourseError
from gdl.training.training_options import TrainingOptions


def test_an_unknown_option_is_one_sentence_with_the_known():
    with pytest.raises(CourseError) as error:
        TrainingOptions.from_dict({"batch_size": 8, "epoch": 3})
    known = "batch_size, learning_rate, halve_every, steps_per_epoch, flip, patience, seed"
    assert str(error.value) == f"Training has no option 'epoch' (did you mean 'epochs'?): choose from {known}."


@pytest.mark.parametrize("value", ["yes", 2, None])
def test_flip_is_true_or_false(value):
    with pytest.raises(CourseError, match="flip is .*: give True or False"):
        TrainingOptions(flip=value)


def test_values_become_those_of_python():
    options = TrainingOptions(batch_size=np.int64(8), learning_rate=np.float32(0.5), flip=np.True_, patience=0, halve_every=0)
    assert options == TrainingOptions(8, 0.5, 0, None, True, None, 0)
    assert type(options.batch_size) is int and type(options.learning_rate) is float and options.flip is True
