"""python -m benchmarks quality: how soon is a recipe as good as the network of a textbook after half an hour of processor time?

Trains the variants `textbook_vae` and `textbook_wgan_gp` of experiments/same_budget.toml for --minutes of processor time of all
cores together, then the course's `vae` and `wgan_gp` until their FID is as low, all with several seeds. Measuring does not count.
Can be stopped at any moment; the same command continues.
"""

from dataclasses import replace
from pathlib import Path

import keras
import pandas as pd

import gdl
from gdl.experiments.experiment import read
from gdl.experiments.fit import build, fit
from gdl.metrics.reference import reference
from gdl.training.callbacks import ProcessorTime
from gdl.training.run_files import read_history
from gdl.training.run_folder import RunFolder

FILE = "experiments/same_budget.toml"


class UntilAsGood(keras.callbacks.Callback):
    """Measures the FID every `every` minutes of processor time, and ends the training at the minutes' end or when the FID is at most `goal`.

    rows: the history so far, of which a resumed training is the continuation. Comes after `ProcessorTime` in the list of callbacks.
    """

    def __init__(self, real, samples, every, minutes, goal, rows):
        super().__init__()
        self.real, self.samples, self.every, self.minutes, self.goal, self.rows = real, samples, every, minutes, goal, rows

    def ended(self):
        """Whether there is nothing left to train."""
        measured = fids(self.rows)
        return bool(measured) and (measured[-1] <= self.goal or self.spent() >= self.minutes)

    def spent(self, measured=False):
        """Minutes of processor time so far, or until the last measurement."""
        last = max((i for i, row in enumerate(self.rows, 1) if fids([row])), default=0) if measured else None
        return sum(row["cpu_seconds"] for row in self.rows[:last]) / 60

    def on_epoch_end(self, epoch, logs=None):
        self.rows.append(logs)
        if self.spent() - self.spent(measured=True) >= self.every or self.spent() >= self.minutes:
            logs["fid_train"] = gdl.metrics.fid(self.model.generate(self.samples), self.real, self.model.architecture.pixel_range)
            print(f"  {self.spent():.1f} minutes: FID {logs['fid_train']:.1f}")
        self.model.stop_training = self.ended()


def add_options(command):
    command.add_argument("--data", required=True, help="folder of CelebA, or 'drawn'")
    command.add_argument("--n", type=int, help="use at most this many images of each split")
    command.add_argument("--out", default="runs/quality", help="folder of the runs and of the table, quality.csv")
    command.add_argument("--models", nargs="+", choices=("vae", "wgan_gp"), default=("vae", "wgan_gp"))
    command.add_argument("--seeds", type=int, nargs="+", default=(0, 1, 2))
    command.add_argument("--minutes", type=float, default=30.0, help="processor time of the textbook's network, of all cores together")
    command.add_argument("--every", type=float, default=1.0, help="minutes of training between two measurements of a recipe")
    command.add_argument("--samples", type=int, default=2000, help="generated images for an FID")


def main(options):
    jobs = {cell.name: cell.job for cell in read(FILE, options.out, replaced={"data": options.data}).cells}
    faces = gdl.faces(options.data, size=64, n=options.n)
    real, rows = reference(faces.train), []
    for seed in options.seeds:
        for name in options.models:
            goal, spent, textbook = None, {}, f"textbook_{name}"
            for variant in (textbook, name):
                print(f"{variant}, seed {seed}")
                minutes, values = curve(jobs[variant], faces, real, seed, f"{options.out}/{variant}-{seed}", goal, options)
                goal, spent[variant] = values[-1] if goal is None else goal, minutes
            reached = values[-1] <= goal
            row = {"model": name, "seed": seed, "FID of the textbook's": goal, "its minutes": spent[textbook], "minutes": spent[name]}
            rows.append(row | {"FID": values[-1], "share": spent[name] / spent[textbook] if reached else float("nan")})
            pd.DataFrame(rows).to_csv(Path(options.out) / "quality.csv", index=False)
    print(f"\n{pd.DataFrame(rows).round(2).to_string(index=False)}")


def curve(job, faces, real, seed, run, goal, options):
    """Trains a job until it is as good as the goal; for all its minutes without one. -> minutes of training, and the FIDs on the way"""
    job = replace(job, epochs=10_000, training=replace(job.training, seed=seed))
    done = RunFolder(run).epochs()
    every = options.minutes if goal is None else options.every  # the textbook's network is measured at its end
    watch = UntilAsGood(real, options.samples, every, options.minutes, goal or 0, read_history(Path(run), done)[0] if done else [])
    if not watch.ended():
        keras.backend.clear_session()
        fit(build(job), faces, job, run, [ProcessorTime(), watch])
    return watch.spent(), fids(watch.rows)


def fids(rows):
    """The FIDs in the rows of a history; most epochs have none."""
    values = [row.get("fid_train") for row in rows]
    return [value for value in values if value is not None and value == value]  # not NaN
