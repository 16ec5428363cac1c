"""What `gdl.train` is called with, checked before any work: each mistake is one sentence."""

import inspect
import json
import warnings
from importlib.util import find_spec
from typing import Any

import keras
import numpy as np

from gdl.data.splits import Faces, Split
from gdl.errors import CourseError
from gdl.models import MODULES
from gdl.models.base import FaceModel
from gdl.training.callbacks import has_schedule
from gdl.training.run_files import run_path
from gdl.training.run_folder import run_settings
from gdl.training.training_options import TrainingOptions

SET_THE_RATE = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)


def check_model_and_faces(model: Any, faces: Any) -> None:
    """CourseError unless they are a model of the course and faces of the same size."""
    if isinstance(model, Faces) and isinstance(faces, keras.Model):
        raise CourseError("The model and the faces are in the wrong order: call gdl.train(model, faces, ...).")
    if not isinstance(model, FaceModel):
        raise CourseError(f"gdl.train takes a model of the course first, such as gdl.VAE(); this is {_kind(model)}: a Keras model has `fit`.")
    if not isinstance(faces, Faces):
        fix = "give the faces themselves, because training also needs faces.val" if isinstance(faces, Split) else "open a folder with gdl.ImageFolder"
        raise CourseError(f"gdl.train takes faces after the model, such as gdl.faces(); this is {_kind(faces)}: {fix}.")
    size = model.architecture.image_size
    if size != faces.size:
        raise CourseError(f"The model takes images of {size}x{size} pixels and the faces have {faces.size}x{faces.size}: give both the same size.")
    if model.labels:
        faces.train.labels(model.labels)  # raises where the faces have no such attribute
    if len(faces.train) < model.batches_per_step:
        raise CourseError(
            f"There are {len(faces.train)} training images, fewer than the {model.batches_per_step} critic steps of one training step: give more."
        )


def check_options(model: FaceModel, run: Any, options: TrainingOptions) -> None:
    """CourseError where the model, the run folder and the options do not fit together."""
    if run is not None and run_path(run).is_file():
        raise CourseError(f"{run} cannot be written as a run folder, because it is a file: give the name of a folder.")
    if options.patience is not None and not model.has_validation_loss:
        raise CourseError(f"patience watches the validation loss, which says little about the images of a {type(model).__name__}: leave it out.")
    if options.patience is not None and run is None:
        raise CourseError("patience needs a run folder, in which the best weights are kept: give run='runs/some-name'.")


def check_callbacks(callbacks: Any, model: FaceModel, run: Any, halve_every: int | None) -> list[keras.callbacks.Callback]:
    """The callbacks as a list; None and a single one are taken as in Keras. CourseError for those that cannot work here."""
    callbacks = [] if callbacks is None else [callbacks] if isinstance(callbacks, keras.callbacks.Callback) else callbacks
    if not isinstance(callbacks, (list, tuple)):
        raise CourseError(f"callbacks is {_kind(callbacks)}: give a list of Keras callbacks.")
    for callback in callbacks:
        name = type(callback).__name__
        if not isinstance(callback, keras.callbacks.Callback) or isinstance(callback, keras.callbacks.CallbackList):
            raise CourseError(f"callbacks contains {_kind(callback)}: give objects of Keras's callbacks, such as keras.callbacks.EarlyStopping().")
        if isinstance(callback, keras.callbacks.BackupAndRestore):
            raise CourseError("gdl.train continues by itself where it stopped: give it run='runs/some-name' instead of BackupAndRestore.")
        if isinstance(callback, keras.callbacks.TensorBoard) and find_spec("tensorboard") is None:
            raise CourseError("The callback TensorBoard needs a package that is not installed: run pip install tensorboard, or leave it out.")
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            raise CourseError(
                "SwapEMAWeights exchanges the weights that gdl.train saves: leave it out; a VAE and the adversarial models have the option ema."
            )
        if isinstance(callback, SET_THE_RATE):
            if has_schedule(model.optimizer):
                raise CourseError(f"The optimiser has a LearningRateSchedule, so {name} cannot set its rate: leave one of the two out.")
            if halve_every:
                raise CourseError(f"halve_every and {name} both set the learning rate: leave one of the two out.")
        if isinstance(callback, keras.callbacks.EarlyStopping) and callback.restore_best_weights and run is not None:
            raise CourseError(
                "EarlyStopping(restore_best_weights=True) would leave other weights in the model than in the run folder: "
                "give gdl.train patience=... instead, or EarlyStopping without it."
            )
        watched = str(getattr(callback, "monitor", "loss")).removeprefix("val_")
        if getattr(callback, "mode", None) == "auto" and getattr(callback, "monitor_op", True) is None and watched not in ("loss", "accuracy"):
            raise CourseError(f"{name} does not know whether {callback.monitor} should fall or rise: give it mode='min' or mode='max'.")
    return list(callbacks)


def check_optimizers(model: FaceModel, halve_every: int | None) -> None:
    """CourseError for optimisers that change the weights behind a run's back, and for two ways to set one learning rate."""
    for optimizer, _ in model.optimizer_groups:
        if getattr(getattr(optimizer, "inner_optimizer", optimizer), "use_ema", False):
            raise CourseError(
                "An optimiser with use_ema replaces the weights after the last epoch, so that the saved epochs would be of another model: "
                "make it without use_ema; a VAE and the adversarial models have the option ema."
            )
        if halve_every and has_schedule(optimizer):
            raise CourseError("halve_every and the optimiser's LearningRateSchedule both set the learning rate: leave one of the two out.")


def check_can_be_loaded(model: FaceModel, faces: Faces, options: TrainingOptions) -> None:
    """CourseError if `gdl.load` could not make the model and its optimisers again from run.json."""
    kind = type(model)
    if kind.__module__.rpartition(".")[0] != "gdl.models":  # a class of a student's own
        if kind.__name__ in MODULES:
            raise CourseError(f"Your class is called {kind.__name__} as the course's own, which gdl.load would give back: give it another name.")
        parameters = inspect.signature(kind.__init__).parameters.values()
        names = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)} - {"self"}
        if forgotten := names - model.get_config().keys():
            raise CourseError(
                f"{kind.__name__} takes {min(forgotten)}, which its get_config leaves out, so that gdl.load could not make it again: "
                "let get_config return {**super().get_config(), ...} with all options."
            )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a lambda, which is refused here
            settings = json.loads(json.dumps(run_settings(model, faces, options)))
            optimizers = [keras.saving.deserialize_keras_object(optimizer) for optimizer in settings["optimizers"].values()]
        whole = all(isinstance(optimizer, keras.optimizers.Optimizer) for optimizer in optimizers)
        why = "Keras makes something else of its description"
    except Exception as error:  # whatever Keras, JSON or an own get_config say
        whole, why = False, str(error).splitlines()[0][:150]
    if not whole:
        raise CourseError(
            f"The model or its optimiser cannot be written to run.json and made again ({why}): register a class of your own with "
            "@keras.saving.register_keras_serializable(), and give the learning rate as a number or as a LearningRateSchedule."
        )


def _kind(value):
    """What kind of thing an argument is, in words."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = "array" if isinstance(value, np.ndarray) else type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
