"""What `compile` is given, checked before any training; and what is kept of it in a saved model."""

from typing import Any

import keras

from gdl.errors import CourseError
from gdl.models.batch import is_ours

KEPT = ("metrics", "run_eagerly", "steps_per_execution", "jit_compile")


def an_optimizer(optimizer: Any) -> keras.optimizers.Optimizer:
    """The optimiser, or the one of this name. CourseError for anything else."""
    try:
        made = keras.optimizers.get(optimizer)
    except (ValueError, TypeError, AttributeError, KeyError):
        made = None
    if not isinstance(made, keras.optimizers.Optimizer):
        what = f"the class {optimizer.__name__}" if isinstance(optimizer, type) else repr(optimizer)[:60]
        raise CourseError(f"The optimiser is {what}: give one of Keras's, such as 'adam' or keras.optimizers.Adam(1e-3).")
    return made


def check_compile(model: Any, optimizer: Any, options: dict) -> None:
    """CourseError for what the models of the course cannot be compiled with. A class of somebody's own may use metrics."""
    kind = type(model).__name__
    if optimizer is None or options.get("loss") is not None:
        raise CourseError(f"The {kind} has a loss of its own and needs an optimiser: compile it with one, such as 'adam', and without a loss.")
    for name in ("loss_weights", "weighted_metrics"):
        if options.get(name) is not None:
            raise CourseError(f"The {kind} has one loss that counts every image alike, so {name} has no effect: compile it without.")
    own_steps = type(model).train_step is not keras.Model.train_step
    if options.get("metrics") and own_steps and is_ours(model, "train_step"):
        raise CourseError(
            f"The {kind} has metrics of its own, and others would have no effect: compile it without metrics, "
            "or override train_step in a class of your own."
        )


def check_optimizers(groups: list[tuple]) -> None:
    """CourseError for optimisers that cannot train these weights. groups: pairs of an optimiser and its weights."""
    optimizers = [getattr(optimizer, "inner_optimizer", optimizer) for optimizer, _ in groups]
    if len(set(map(id, optimizers))) < len(optimizers):
        raise CourseError("Both networks have the same optimiser, and an optimiser can train only one of them: give two.")
    for optimizer, (_, weights) in zip(optimizers, groups):
        if optimizer.built and list(map(id, optimizer._trainable_variables)) != list(map(id, weights)):
            raise CourseError("This optimiser already trains another model, whose averages it keeps: make a new one for each model.")
        if optimizer.use_ema and len(groups) > 1:
            raise CourseError(
                "An optimiser with use_ema can train only a whole model: make it without; a VAE and the adversarial models have the option ema."
            )


def saved_options(config: dict) -> dict:
    """Those options of `compile` that a saved model can be compiled with again, as Keras describes them."""
    kept = {}
    for name in KEPT:
        try:
            keras.saving.deserialize_keras_object(config.get(name))
        except (TypeError, ValueError):  # a function or class of somebody's own that is not registered
            continue
        if config.get(name) is not None:
            kept[name] = config[name]
    return kept
