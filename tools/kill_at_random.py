"""Kills trainings and the grader (SIGKILL) at random moments, starts them again, and compares the end with that of an undisturbed run.

    python tools/kill_at_random.py vae                          100 kills of the training of a VAE
    python tools/kill_at_random.py wgan_gp --kills 50           50 kills of the training of a WGAN-GP, which has two optimisers
    python tools/kill_at_random.py grader --kills 20 --seed 1   20 kills of the grader, at other moments

A training must end with the same weights and history, bit for bit. After a kill, no finished epoch may be lost, and each weights file
must be whole. The grader must end with the same marks, tables and pages, and no process that it has started may live on. A process that
ends before its moment counts as no kill; then the next run begins, in a new folder. 100 kills take about half an hour. Not part of
`make test-all`.
"""

import argparse
import csv
import itertools
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import nbformat
import psutil
from PIL import Image
from tqdm import tqdm

from gdl import drawn

ROOT = Path(__file__).resolve().parents[1]
EXERCISES = ("02_vae", "07_sharpening")
STUDENTS = ("Ada Lovelace", "Grace Hopper", "Emmy Noether", "Lise Meitner")
LEFT_SECONDS = 10  # in which all that a killed process had started must end


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("vae", "wgan_gp", "grader"))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        trial = GraderTrial(Path(folder)) if arguments.what == "grader" else TrainingTrial(Path(folder), arguments.what)
        run_trial(trial, arguments.kills)


def run_trial(trial, kills):
    """Kills and starts again until `kills` is reached and the last run has ended. Exits with 1 at the first difference."""
    begin = time.monotonic()
    finish(trial.start(0))
    expected, seconds = trial.outcome(0), time.monotonic() - begin
    print(f"Undisturbed: {seconds:.0f} s, {trial.describe(expected)}.")
    done, starts, run = 0, 0, 1
    with tqdm(total=kills, unit="kill", file=sys.stdout) as bar:
        while True:
            process = trial.start(run)
            starts += 1
            if done < kills and killed(process, random.uniform(0, seconds)):
                trial.check(run)
                done += 1
                bar.update()
                continue
            finish(process)
            if trial.outcome(run) != expected:
                sys.exit(f"After {done} kills, run {run} ended otherwise than the undisturbed one:\n{differences(expected, trial.outcome(run))}")
            if done == kills:
                break
            run += 1
    print(f"{done} kills, {starts} starts; all {run} runs ended as the undisturbed one did.")


def start(*arguments, **environment):
    """Starts `python -m gdl` with these arguments."""
    command = [sys.executable, "-m", "gdl", *map(str, arguments)]
    output = tempfile.TemporaryFile("w+")  # not a pipe, which could fill up while nobody reads it
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=output, stderr=output)
    process.printed = output
    return process


def finish(process):
    """Waits for the end of a process. Exits if it failed."""
    if process.wait():
        process.printed.seek(0)
        sys.exit(f"{' '.join(process.args)} ended with {process.returncode}:\n{process.printed.read()[-3000:]}")


def killed(process, seconds):
    """Kills the process after so many seconds, and checks that all it had started ends too. False if it has ended before."""
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        children = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
    left = psutil.wait_procs(children, LEFT_SECONDS)[1]
    if left:
        sys.exit(f"Processes live on after the one that had started them was killed: {left}")
    return True


def differences(expected, actual):
    """The names of the parts in which two outcomes differ."""
    return ", ".join(str(name) for name in sorted(expected.keys() | actual.keys()) if expected.get(name) != actual.get(name))


class TrainingTrial:
    """Trainings on a folder of PNG files, each with a cache of its own, so that writing the cache is interrupted too."""

    def __init__(self, folder, model):
        self.folder, self.model = folder, model
        self.finished = {}  # epochs by run
        (folder / "images").mkdir()
        for number, image in enumerate(itertools.chain.from_iterable(drawn.images(240, 32))):
            Image.fromarray(image).save(folder / "images" / f"{number:04d}.png")

    def start(self, run):
        options = ["--data", self.folder / "images", "--size", 32, "--filters", 16, 32, 64, "--z-dim", 16, "--batch-size", 8]
        options += ["--epochs", 8, "--halve-every", 3] if self.model == "vae" else ["--epochs", 8, "--steps-per-epoch", 5]
        return start("train", self.model, "--out", self.run_folder(run), *options, GDL_CACHE=str(self.folder / f"cache-{run}"))

    def run_folder(self, run):
        return self.folder / f"run-{run}"

    def outcome(self, run):
        """Every array of every weights file as bytes, and the history without its times."""
        folder, arrays = self.run_folder(run), {}
        for file in sorted(folder.glob("*.weights.h5")):
            arrays |= {f"{file.name}{name}": content for name, content in read_arrays(file).items()}
        with open(folder / "history.csv", newline="") as opened:
            rows = [{name: value for name, value in row.items() if "second" not in name} for row in csv.DictReader(opened)]
        return arrays | {"history.csv": rows}

    def describe(self, outcome):
        return f"{len(outcome) - 1} arrays in the weights files, {len(outcome['history.csv'])} epochs in the history"

    def check(self, run):
        """Exits unless all epochs that were finished are there, and each weights file is whole."""
        files = sorted(self.run_folder(run).glob("*.weights.h5"))
        for file in files:
            read_arrays(file)
        epochs = max((int(file.name[6:10]) for file in files if file.name.startswith("epoch-")), default=0)
        if epochs < self.finished.get(run, 0):
            sys.exit(f"Run {run} had {self.finished[run]} finished epochs and has {epochs} now.")
        self.finished[run] = epochs


class GraderTrial:
    """The grader, with a class in which every second student has left every second answer of an exercise as it was handed out."""

    def __init__(self, folder):
        self.folder = folder
        for number, student in enumerate(STUDENTS, 1):
            for exercise in EXERCISES:
                target = folder / "submissions" / f"{student}_{number}_assignsubmission_file_" / f"{exercise}.ipynb"
                target.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(handed_in(exercise, unanswered=number % 2), target)

    def start(self, run):
        return start("grade", self.folder / "submissions", "--out", self.folder / f"marks-{run}")

    def outcome(self, run):
        """The content of each file without the times and the date of grading."""
        folder = self.folder / f"marks-{run}"
        files = {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}
        for name, content in files.items():
            if name.startswith("moodle_"):
                files[name] = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d", b"", content)
            elif name.startswith("results/"):
                files[name] = {key: value for key, value in json.loads(content).items() if key != "seconds"}
        files["summary.html"] = re.sub(rb"<section><h2>Time</h2>.*?</section>", b"", files["summary.html"])
        return files

    def describe(self, outcome):
        results = [content for name, content in outcome.items() if name.startswith("results/")]
        points = [sum(question["points"] or 0 for question in result["questions"]) for result in results]
        return f"{len(results)} notebooks with {points} points, {len(outcome)} files"

    def check(self, run):
        """Exits unless each result that is there is whole."""
        for file in (self.folder / f"marks-{run}" / "results").glob("*.json"):
            json.loads(file.read_text(encoding="utf-8"))


def handed_in(exercise, unanswered):
    """The solution of an exercise; with `unanswered`, every second answer is that of the exercise."""
    solution, given = (nbformat.read(ROOT / folder / f"{exercise}.ipynb", 4) for folder in ("solutions", "exercises"))
    empty = {cell.metadata.nbgrader.grade_id: cell.source for cell in given.cells if "nbgrader" in cell.metadata}
    answers = [cell for cell in solution.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    for cell in answers[1::2] if unanswered else []:
        cell.source = empty[cell.metadata.nbgrader.grade_id]
    return solution


def read_arrays(file):
    """The arrays of an HDF5 file by name, as bytes. Raises OSError if the file is not whole."""
    arrays = {}
    with h5py.File(file) as opened:
        opened.visititems(lambda name, entry: arrays.update({f"/{name}": entry[()].tobytes()}) if isinstance(entry, h5py.Dataset) else None)
    return arrays


if __name__ == "__main__":
    main()
