"""A Job carried out: the model is built and fitted, and one epoch's weights are kept."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import pandas as pd

from gdl.data.splits import Faces
from gdl.experiments.job import Job
from gdl.metrics.callback import BestFID
from gdl.models import model_class
from gdl.models.base import FaceModel
from gdl.models.saving import read_weights
from gdl.training.callbacks import StopIfDiverged, best_epoch
from gdl.training.run_folder import RunFolder, open_model
from gdl.training.train import train
from gdl.training.workers import is_chief

PARTS = ("autoencoder", "classifier")  # options that are trained models, named by a run folder or a model that comes with the course


def build(job: Job) -> FaceModel:
    """The model of a job at the start of its training. Sets Keras's precision to the job's."""
    keras.utils.set_random_seed(job.training.seed)
    keras.config.set_dtype_policy(job.precision)
    parts = {name: open_model(run) for name, run in job.model_options.items() if name in PARTS and isinstance(run, str)}
    model = model_class(job.model)(**job.model_options | parts)
    rate, second_rate = job.training.learning_rate, job.second_learning_rate
    if second_rate is not None or job.betas:  # otherwise gdl.train makes the usual optimisers
        first, *others = model.default_optimizers(rate)
        last = model.default_optimizers(rate if second_rate is None else second_rate)[-1]
        model.compile(*(type(optimizer).from_config({**optimizer.get_config(), **job.betas}) for optimizer in (first, *others[:-1], last)))
    return model


def fit(model: FaceModel, faces: Faces, job: Job, run: str | Path, callbacks: Sequence[keras.callbacks.Callback] = ()) -> pd.DataFrame:
    """Trains a job's model in a run folder. Returns the history, and leaves the model with the weights of `kept_epoch`."""
    best = RunFolder(run).best
    if job.fid_every:
        file = best if is_chief(model) else None
        callbacks = [*callbacks, StopIfDiverged(), BestFID(faces.val, n=job.fid_samples, every=job.fid_every, file=file)]
    history = train(model, faces, job.epochs, run, callbacks, **asdict(job.training))
    if job.fid_every and best.is_file():
        read_weights(model, best)
    return history


def kept_epoch(history: pd.DataFrame, job: Job) -> int:
    """The epoch whose weights `fit` leaves in the model, from the history that it returns."""
    if job.training.patience:
        return best_epoch(history.reset_index().to_dict("records"))
    if job.fid_every and "fid" in history:
        return int(history["fid"].argmin()) + 1  # epochs count from 1
    return len(history)
