"""The course in a terminal: `python -m gdl prepare | train | sample | fid | experiment | project | grade | mark | similar | release`."""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from gdl.arguments import number, whole_number
from gdl.data.faces import faces as open_faces
from gdl.data.faces import find_faces
from gdl.errors import CourseError, DataError
from gdl.experiments.experiment import read_tables
from gdl.experiments.job import FEWEST, Job
from gdl.experiments.options import parser
from gdl.machine import start_tensorflow
from gdl.project.rules import SAMPLES
from gdl.shipped import SHA256
from gdl.training.devices import check_devices, machines, open_strategy
from gdl.training.lock import locked
from gdl.training.run_files import read_settings, run_path

# The functions below import TensorFlow only when they run, so that help and errors in the options appear at once.


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command. Exit status 0: done; 1: a problem, said in one sentence; 2: wrong options; 130: interrupted."""
    options = parser().parse_args(arguments)
    commands = {command.__name__: command for command in (prepare, train, sample, fid, experiment, project, grade, mark, similar, release)}
    try:
        commands[options.command](options)
    except CourseError as error:
        sys.exit(f"gdl: {error}")
    except KeyboardInterrupt:
        print("\ngdl: stopped; the same command continues, a training after its last finished epoch.", file=sys.stderr)
        sys.exit(130)


def prepare(options: Namespace) -> None:
    """`gdl prepare`"""
    faces = open_faces(options.data, size=options.size, n=options.n, crop=options.crop)
    for name in ("train", "val", "test"):
        print(f"{name}: {len(getattr(faces, name)):,} images")


def train(options: Namespace) -> None:
    """`gdl train`"""
    settings = {name: value for name, value in vars(options).items() if name not in ("command", "out", "devices")}
    job = Job.from_settings(settings)  # raises for invalid values before images are decoded and TensorFlow starts
    _check_data(job.data)
    check_devices(options.devices)
    if (options.devices is None or machines() == 1) and run_path(options.out).is_dir():
        with locked(run_path(options.out)):  # raises if somebody else trains there; `fit` takes the lock again
            pass
    start_tensorflow()
    strategy = open_strategy(options.devices)
    from gdl.experiments.fit import build, fit, kept_epoch
    from gdl.training.check_call import check_options
    from gdl.training.display import summary
    from gdl.training.workers import ended_workers_said

    faces = None
    if job.model == "classifier" and options.attributes is None:
        faces = job.open_faces()
        job = Job.from_settings(settings | {"attributes": faces.train.attributes.columns})
    with strategy.scope(), ended_workers_said(strategy):
        model = build(job)  # raises for options that do not fit together, before images are decoded
    check_options(model, options.out, job.training)
    faces = faces or job.open_faces()
    devices = strategy.num_replicas_in_sync
    print(f"{job.model}: {model.count_params():,} weights" + (f" on {devices} devices" if devices > 1 else ""))
    history = fit(model, faces, job, options.out)
    kept = kept_epoch(history, job)
    best = f", the best of {len(history)}, whose weights are kept" if job.training.patience or job.fid_every else ""
    row = history.loc[kept].dropna()
    metrics = row.drop(["learning_rate", "seconds", "images_per_second"])
    print(
        f"{options.out}: epoch {kept}{best}, {summary(metrics.to_dict())}, "
        f"{row['images_per_second']:.0f} images/s, {history['seconds'].sum() / 60:.1f} minutes of training"
    )


def sample(options: Namespace) -> None:
    """`gdl sample`"""
    if Path(options.out).suffix.lower() != ".png":
        raise CourseError(f"--out {options.out} does not end in .png: give a name that does, because the picture is a PNG file.")
    whole_number("--n", options.n)
    whole_number("--seed", options.seed, 0)
    _check_run(options.run)
    if options.reconstruct is not None:
        _check_data(options.reconstruct)
    start_tensorflow()
    from gdl.data.pixels import to_float
    from gdl.models.base import check_decoder, check_encoder
    from gdl.pictures.plots import save_grid
    from gdl.training.run_folder import open_model

    model = open_model(options.run)
    check_decoder(model)
    pixel_range = model.architecture.pixel_range
    if options.reconstruct:
        check_encoder(model)
        images = open_faces(options.reconstruct, size=model.architecture.image_size).test.images[: options.n]
        reconstructions = model.reconstruct(images)
        rows = {}  # eight images, and their reconstructions below them
        for i in range(0, len(images), 8):
            rows |= {f"image {i}": to_float(images[i : i + 8], pixel_range), f"reconstruction {i}": reconstructions[i : i + 8]}
        save_grid(options.out, rows, pixel_range)
    else:
        save_grid(options.out, model.generate(options.n, seed=options.seed), pixel_range)
    print(f"Wrote {options.out}")


def fid(options: Namespace) -> None:
    """`gdl fid`"""
    whole_number("--n", options.n, FEWEST)
    whole_number("--seed", options.seed, 0)
    whole_number("--crop", options.crop)
    _check_run(options.run)
    _check_data(options.data)
    start_tensorflow()
    from gdl.experiments.scores import model_scores
    from gdl.models.base import check_decoder
    from gdl.training.run_folder import open_model

    model = open_model(options.run)
    check_decoder(model)
    faces = open_faces(options.data, size=model.architecture.image_size, crop=options.crop)
    chosen = dict(against=[options.split], codes=[options.codes], network=options.network)
    scores = model_scores(model, faces, options.n, **chosen, copies=options.split, seed=options.seed, interval=options.interval)
    print(f"{options.run}: {options.n:,} images compared with the split {options.split} of {faces.name}")
    for name, value in scores.items():
        print(f"{name:>32}  {value:.4g}")


def experiment(options: Namespace) -> None:
    """`gdl experiment`"""
    replaced = {name: value for name in ("data", "size", "crop", "n", "precision") if (value := getattr(options, name)) is not None}
    for name in replaced.keys() - {"data", "precision"}:
        whole_number(f"--{name}", replaced[name])
    run_path(options.out)
    read_tables(options.file, options.small)
    _check_data(options.data)
    start_tensorflow()
    from gdl.experiments.run import run

    run(options.file, options.out, options.small, replaced)


def project(options: Namespace) -> None:
    """`gdl project`"""
    whole_number("--samples", options.samples, SAMPLES)
    number("--minutes", options.minutes)
    _check_data(options.data)
    settings = {name: getattr(options, name) for name in ("data", "n", "samples", "network", "minutes")}
    if options.action == "leaderboard":
        return _leaderboard(options, settings)
    start_tensorflow()
    from gdl.project.check import check
    from gdl.project.table import table

    rows = check(options.folder, **settings).rows
    print(table(rows))
    if missing := sum(not row.ok for row in rows):
        raise CourseError(f"{missing} of {len(rows)} checks of {options.folder} are not met: see the lines that begin with MISSING.")


def _leaderboard(options, settings):
    start_tensorflow()
    try:
        from gdl.project.leaderboard import leaderboard
    except ModuleNotFoundError as error:
        raise CourseError(f"gdl project leaderboard needs {error.name}: pip install 'gdl[instructor]'.") from None

    if options.unsafe:
        print("gdl: WITHOUT A SANDBOX: a damaged file of weights can do whatever you can. The page says so.", file=sys.stderr)
    entries = leaderboard(options.folder, options.out, **settings, seconds=options.seconds, unsafe=options.unsafe)
    failed = sum(bool(entry["failed"]) for entry in entries)
    print(f"{Path(options.out) / 'index.html'}: hand-ins: {len(entries)}, of which {failed} could not be used.")


def grade(options: Namespace) -> None:
    """`gdl grade`"""
    try:
        from gdl.instructor.grading.class_list import read_class
        from gdl.instructor.grading.grade import grade as grade_folder
    except ModuleNotFoundError as error:
        raise CourseError(f"gdl grade needs {error.name}: pip install 'gdl[instructor]'.") from None

    if options.unsafe:
        print("gdl: WITHOUT A SANDBOX: each notebook can read, change and send whatever you can. Every result is marked as unsafe.", file=sys.stderr)
    chosen = {name: getattr(options, name) for name in ("solutions", "exercise", "marks", "unsafe", "seconds")}
    class_list = read_class(options.students, options.late_percent, options.free_days) if options.students else None
    results = grade_folder(options.submissions, options.out, **chosen, class_list=class_list)
    notebooks = [result for result in results if not {"with", "absent"} & set(result)]
    waiting = sum(question["points"] is None for result in notebooks for question in result["questions"])
    if changed := sum("changed" in result for result in results):
        print(f"The points of {changed} students have changed since the last run: {Path(options.out) / 'changes.csv'}.")
    print(f"{len(notebooks)} notebooks are graded: {Path(options.out) / 'summary.html'}. Answers to mark by hand: {waiting}, in person.csv.")


def mark(options: Namespace) -> None:
    """`gdl mark`"""
    try:
        from gdl.instructor.marking_page.mark import mark as mark_answers
    except ModuleNotFoundError as error:
        raise CourseError(f"gdl mark needs {error.name}: pip install 'gdl[lab,instructor]'.") from None

    mark_answers(options.marks, options.submissions, options.solutions, options.port, options.browser)


def similar(options: Namespace) -> None:
    """`gdl similar`"""
    try:
        from gdl.instructor.grading.class_list import read_class
        from gdl.instructor.similarity.similar import similar as compare
    except ModuleNotFoundError as error:
        raise CourseError(f"gdl similar needs {error.name}: pip install 'gdl[lab,instructor]'.") from None

    found = compare(options.marks, options.solutions, read_class(options.students) if options.students else None, options.pairs)
    print(f"{len(found)} pairs of students are listed, for a person to judge: {Path(options.marks) / 'similar.html'}.")


def release(options: Namespace) -> None:
    """`gdl release`"""
    from gdl.instructor.release import release as release_course

    release_course(options.solutions, options.exercises, options.out, options.address, options.seed)


def _check_run(run):
    """CourseError unless it is a run folder or a model that comes with the course."""
    if run not in SHA256:
        read_settings(run_path(run))


def _check_data(path):
    """DataError for a folder of images that does not exist or has no name."""
    if path == "":
        raise DataError("The folder of the images has an empty name: correct it, or leave it out for the drawn faces.")
    find_faces(path)
