"""The course in a terminal: `python -m gdl prepare | train | sample | fid | experiment | grade | release`."""

import argparse
import sys
from pathlib import Path

from gdl.arguments import check_training, number, whole_number
from gdl.errors import CourseError
from gdl.machine import start_tensorflow
from gdl.models.architecture import Architecture

MODELS = {"autoencoder": "Autoencoder", "vae": "VAE", "gan": "GAN", "wgan": "WGAN", "wgan_gp": "WGANGP", "classifier": "AttributeClassifier"}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

VAE_RECIPE = dict(
    epochs=80, batch_size=64, learning_rate=1e-3, halve_every=20, patience=15, flip=True,
    z_dim=128, filters=[32, 64, 128, 256], kernel_sizes=[4], reconstruction="mse", beta=0.5,
)  # fmt: skip

ADVERSARIAL_RECIPE = dict(
    batch_size=64, learning_rate=2e-4, flip=True, z_dim=128, filters=[32, 64, 128, 256], kernel_sizes=[4], pixel_range=[-1, 1], ema=0.998,
)  # fmt: skip
RECIPES = {
    "vae": VAE_RECIPE,
    "gan": ADVERSARIAL_RECIPE | dict(epochs=30, label_smoothing=0.1),
    "wgan": ADVERSARIAL_RECIPE | dict(epochs=24, critic_steps=5, critic_norm="batch", learning_rate=5e-4, ema=0.99),
    "wgan_gp": ADVERSARIAL_RECIPE | dict(epochs=44, critic_steps=3, learning_rate=4e-4, halve_every=22),
    "classifier": dict(
        epochs=24,
        batch_size=128,
        learning_rate=1e-3,
        halve_every=8,
        patience=6,
        flip=True,
        filters=[32, 64, 128, 256],
        kernel_sizes=[3],
        dropout=0.2,
    ),
}
OWN_OPTIONS = {  # of the constructors, besides those of the architecture
    "autoencoder": (),
    "vae": ("beta", "reconstruction", "warm_up", "narrow_dense"),
    "gan": ("critic_steps", "critic_norm", "ema", "label_smoothing", "label_noise"),
    "wgan": ("critic_steps", "critic_norm", "ema", "clip"),
    "wgan_gp": ("critic_steps", "critic_norm", "ema", "gp_weight"),
    "classifier": ("attributes",),
}

DATA_HELP = (
    "folder of photographs: CelebA (images or zip, with its two tables), Food-101, COCO, or any folder of images; "
    "'drawn' is the course's own drawn faces. Without it: the environment variable GDL_DATA, else data/celeba, "
    "else the drawn faces"
)


def main(arguments=None):
    """Runs one command. Exit status 0: done; 1: a problem, said in one sentence; 2: wrong options; 130: interrupted."""
    options = parser().parse_args(arguments)
    try:
        options.command(options)
    except CourseError as error:
        sys.exit(f"gdl: {error}")
    except KeyboardInterrupt:
        print("\ngdl: stopped; the same command goes on after what is finished, in training the last epoch.", file=sys.stderr)
        sys.exit(130)


def parser(kind=argparse.ArgumentParser):
    """The options of all commands."""
    top = kind(
        prog="python -m gdl",
        description="Generative deep learning with faces: prepare a data set, train a model, look at what it makes.",
        epilog="python -m gdl COMMAND --help tells the options of a command.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    style = dict(formatter_class=argparse.ArgumentDefaultsHelpFormatter)

    text = "Decodes, crops and resizes a data set once, into the cache that training reads. Training does it too if needed."
    command = commands.add_parser("prepare", help="decode a data set once, into the cache", description=text, **style)
    _add_data(command)
    command.set_defaults(command=prepare)

    text = (
        "Trains a model. Stopped at any moment, the same command goes on after the last finished epoch. "
        "Example: python -m gdl train vae --data data/celeba --out runs/vae"
    )
    command = commands.add_parser("train", help="train a model, or go on with it", description=text)
    models = command.add_subparsers(title="models", metavar="MODEL", dest="model", required=True)
    text = "Trains an autoencoder (chapter 01)."
    _add_training(models.add_parser("autoencoder", help="chapter 01", description=text, **style))
    text = "Trains a variational autoencoder (chapters 02 and 03). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("vae", help="chapters 02 and 03", description=text, **style)
    _add_training(model)
    loss = model.add_argument_group("variational autoencoder")
    loss.add_argument("--beta", type=float, default=1.0, help="weight of the KL")
    loss.add_argument("--reconstruction", choices=("bce", "mse"), default="bce", help="binary cross-entropy or squared error")
    loss.add_argument("--warm-up", type=int, default=0, metavar="STEPS", help="training steps in which the weight of the KL grows from 0 to beta")
    loss.add_argument("--narrow-dense", type=int, metavar="UNITS", help="a dense layer of so many units before z_mean and z_log_var")
    loss.add_argument(
        "--decoder-learning-rate", dest="second_learning_rate", type=float, help="of a second Adam for the decoder; without it one trains both"
    )
    text = "Trains a generative adversarial network (chapter 04). The defaults are the course's recipe for the best faces at 64x64 pixels."
    game = _add_adversarial(models.add_parser("gan", help="chapter 04", description=text, **style))
    game.add_argument("--label-smoothing", type=float, default=0.0, help="real images are labelled 1 less this")
    game.add_argument("--label-noise", type=float, default=0.0, help="labels are moved towards the other side by a random share, at most this")
    game.add_argument("--image-noise", type=float, default=0.0, help="standard deviation of noise on all images that the discriminator sees")
    game.add_argument("--beta-1", type=float, help="of both Adam optimisers; without it, 0.5")
    text = "Trains a Wasserstein GAN with clipped weights (chapter 05)."
    game = _add_adversarial(models.add_parser("wgan", help="chapter 05", description=text, **style))
    game.add_argument("--clip", type=float, default=0.01, help="bound of the critic's weights")
    text = "Trains a Wasserstein GAN with gradient penalty (chapter 06)."
    game = _add_adversarial(models.add_parser("wgan_gp", help="chapter 06", description=text, **style))
    game.add_argument("--gp-weight", type=float, default=10.0, help="weight of the gradient penalty")
    game.add_argument("--beta-1", type=float, help="of both Adam optimisers; without it, 0.5")
    text = "Trains a classifier of the attributes of faces (chapter 08). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("classifier", help="chapter 08", description=text, **style)
    _add_training(model, makes_images=False)
    model.add_argument("--attributes", nargs="+", metavar="NAME", help="which to tell; without it, all that the data set has")
    for name, recipe in RECIPES.items():
        models.choices[name].set_defaults(**recipe)
    command.set_defaults(command=train)

    text = "Writes a picture of what a trained model makes: images of random codes, or reconstructions of a data set's test images."
    command = commands.add_parser("sample", help="a picture of what a trained model makes", description=text, **style)
    command.add_argument("run", help="folder that training wrote, or a model that comes with the course: vae-celeba64 or gan-celeba64")
    command.add_argument("--out", default="samples.png", help="the PNG file to write")
    command.add_argument("--n", type=int, default=64, help="how many images")
    command.add_argument("--seed", type=int, default=0, help="of the random codes")
    command.add_argument("--reconstruct", metavar="DATA", help="reconstruct test images of this data set instead (as --data of train)")
    command.set_defaults(command=sample)

    text = "Compares images that a trained model makes with those of a data set: FID, KID, precision, recall, and how well a model with an encoder copies."
    command = commands.add_parser("fid", help="how good a trained model's images are, in numbers", description=text, **style)
    command.add_argument("run", help="folder that training wrote, or a model that comes with the course: vae-celeba64 or gan-celeba64")
    command.add_argument("--data", help=DATA_HELP)
    command.add_argument("--crop", type=int, default=140, help="side of the centre square cut out of CelebA's 178x218 pixels")
    command.add_argument("--split", choices=("train", "val", "test"), default="train", help="of the data set, to compare with")
    command.add_argument("--n", type=int, default=5000, help="how many images the model makes; compare only values of the same n")
    command.add_argument("--seed", type=int, default=0, help="of the random codes")
    command.add_argument(
        "--codes",
        choices=("prior", "mixture"),
        default="prior",
        help="codes from a standard normal, or for a VAE from a mixture fitted to the codes of the training images",
    )
    command.add_argument("--interval", action="store_true", help="tell a 95 %% interval of the FID too")
    command.add_argument(
        "--network", choices=("inception", "stand_in"), default="inception", help="stand_in is a quick offline stand-in: its distance is no FID"
    )
    command.set_defaults(command=fid)

    text = (
        "Trains and measures what an experiment's file describes and its folder lacks. Stopped at any moment, the same command goes on. "
        "Example: python -m gdl experiment experiments/vae_beta.toml --data data/celeba --out runs/vae_beta"
    )
    command = commands.add_parser("experiment", help="train and compare a grid of models", description=text)
    command.add_argument("file", help="what to compare, such as experiments/vae_beta.toml")
    command.add_argument("--out", required=True, help="folder of the experiment: a run for each cell, table.csv, table.md, figure.png")
    command.add_argument("--small", action="store_true", help="the file's small version, for two processor cores")
    command.add_argument("--data", help=DATA_HELP)
    for name in ("size", "crop", "n"):
        command.add_argument(f"--{name}", type=int, help="as in train; without it, what the file says")
    command.add_argument("--precision", choices=PRECISIONS, help="as in train; without it, what the file says")
    command.set_defaults(command=experiment)

    text = (
        "For instructors: grades a folder of notebooks, or its zip, as a learning platform exports it. Every notebook runs in a sandbox "
        "(Linux with bubblewrap). Stopped at any moment, the same command goes on. "
        "Example: python -m gdl grade submissions --out marks"
    )
    command = commands.add_parser("grade", help="grade a folder of students' notebooks", description=text, **style)
    command.add_argument("submissions", help="folder or zip of the notebooks that were handed in")
    command.add_argument("--out", required=True, help="folder for the tables, the feedback pages and the results")
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument(
        "--exercise",
        metavar="NAME",
        help="the exercise that all notebooks are of, such as 02_vae, whatever they say themselves (no filter); without it, the notebooks tell",
    )
    command.add_argument("--marks", metavar="CSV", help="points for what is marked by hand: marks/person.csv, filled in")
    command.add_argument("--seconds", type=float, default=30.0, help="for one cell or one call; a notebook may take twenty times that")
    command.add_argument(
        "--unsafe", action="store_true", help="without a sandbox: a notebook can then do whatever you can; every result is marked so"
    )
    command.set_defaults(command=grade)

    text = (
        "For instructors: makes the exercises from the solutions, and a folder and a zip file to hand to students, "
        "with the exercises, the package as a wheel, and a page on how to begin. Needs the extra: pip install 'gdl[instructor]'"
    )
    command = commands.add_parser("release", help="make the exercises from the solutions, and a bundle for students", description=text, **style)
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument("--exercises", default="exercises", help="folder of the notebooks that are made from them")
    command.add_argument("--out", default="dist/students", help="folder for students; beside it comes the same as a .zip")
    command.add_argument("--address", metavar="URL", help="where students' notebooks find the wheel: a folder's address, ending in /, or the file's")
    command.set_defaults(command=release)
    return top


def _add_training(command, makes_images=True):
    """The options that the trainings of all models share, and those of the models that make images."""
    _add_data(command)
    command.add_argument("--out", required=True, help="folder of the run: settings, history, pictures, weights")
    command.add_argument("--epochs", type=int, default=5, help="epochs in all, those of earlier sittings included")
    command.add_argument(
        "--patience",
        type=int,
        metavar="EPOCHS",
        default=0,
        help="stop when the validation loss has not fallen for so many epochs, and keep the best weights; 0 trains to the end",
    )
    command.add_argument("--batch-size", type=int, default=128, help="images in a batch")
    command.add_argument("--steps-per-epoch", type=int, metavar="STEPS", help="batches in an epoch; without it, the whole training set")
    command.add_argument("--learning-rate", type=float, default=1e-3, help="of the Adam optimiser")
    command.add_argument("--halve-every", type=int, metavar="EPOCHS", help="halve the learning rate every so many epochs; 0 never")
    command.add_argument("--flip", action=argparse.BooleanOptionalAction, default=False, help="mirror half of the images, anew in each epoch")
    command.add_argument("--precision", choices=PRECISIONS, default="float32", help="of the computation; weights are float32 in any case")
    command.add_argument("--seed", type=int, default=0, help="of weights, order and flips: same seed, same result")
    network = command.add_argument_group("network")
    if makes_images:
        command.add_argument(
            "--fid-every", type=int, metavar="EPOCHS", help="FID against the validation images every so many epochs; the weights of the best are kept"
        )
        command.add_argument("--fid-samples", type=int, metavar="N", default=1000, help="how many images the model makes for it")
        network.add_argument("--z-dim", type=int, default=256, help="length of the code z")
        network.add_argument("--upsampling", choices=("transpose", "resize", "pixel_shuffle"), default="transpose", help="how the decoder doubles")
    network.add_argument("--filters", type=int, nargs="+", default=[32, 64, 128, 256], help="channels after each halving")
    network.add_argument("--kernel-sizes", type=int, nargs="+", default=[3], help="one for all convolutions, or one for each filter")
    network.add_argument("--downsampling", choices=("stride", "dilation"), default="stride", help="how the encoder halves")
    network.add_argument(
        "--residual", nargs="?", choices=("block", "resnet18"), const="block", default=None,
        help="add a residual block to each stage, or with resnet18 take the shape of ResNet-18",
    )  # fmt: skip
    network.add_argument("--no-residual", dest="residual", action="store_const", const=None, help="no residual blocks")
    network.add_argument("--batch-norm", action=argparse.BooleanOptionalAction, default=True, help="batch normalisation")
    network.add_argument("--layer-norm", action=argparse.BooleanOptionalAction, default=False, help="layer normalisation, with --no-batch-norm")
    network.add_argument("--dropout", type=float, default=0.0, help="share of values dropped after each stage")
    network.add_argument("--pixel-range", type=int, nargs=2, default=[0, 1], metavar=("LOW", "HIGH"), help="0 1 or -1 1")


def _add_adversarial(command):
    """The options that the trainings of all adversarial models share. Returns the group of them, for more."""
    _add_training(command)
    game = command.add_argument_group("adversarial network")
    game.add_argument("--critic-steps", type=int, default=1, help="steps of the critic for each step of the generator, each with a batch of its own")
    game.add_argument("--critic-norm", choices=("batch", "layer", "none"), default="none", help="normalisation in the critic")
    game.add_argument("--critic-learning-rate", dest="second_learning_rate", type=float, help="without it, the generator's")
    game.add_argument("--ema", type=float, help="decay of a moving average of the generator, which makes the pictures; without it, none")
    return game


def _add_data(command):
    command.add_argument("--data", help=DATA_HELP)
    command.add_argument("--size", type=int, default=64, help="height and width of the images in pixels")
    command.add_argument("--crop", type=int, default=140, help="side of the centre square cut out of CelebA's 178x218 pixels")
    command.add_argument("--n", type=int, help="at most so many images, drawn at random from each split")


def open_faces(options):
    import gdl

    return gdl.faces(options.data, size=options.size, n=options.n, crop=options.crop)


def prepare(options):
    """`gdl prepare`"""
    faces = open_faces(options)
    for name in ("train", "val", "test"):
        print(f"{name}: {len(getattr(faces, name)):,} images")


def train(options):
    """`gdl train`"""
    # first what can be told at once, before images are decoded and TensorFlow has started
    names = ("epochs", "batch_size", "steps_per_epoch", "halve_every", "patience", "seed", "learning_rate")
    check_training(*(getattr(options, name) for name in names))
    if getattr(options, "second_learning_rate", None) is not None:
        number("the second learning rate", options.second_learning_rate)
    Architecture(**{name: value for name, value in _model_options(options).items() if name not in OWN_OPTIONS[options.model]})
    faces = open_faces(options)
    start_tensorflow()
    from gdl.training.callbacks import summary

    if options.model == "classifier" and options.attributes is None:
        options.attributes = list(faces.train.attributes.columns)
    model = build(options)
    print(f"{options.model}: {model.count_params():,} weights")
    history = fit(model, faces, options)
    kept = kept_epoch(history, options)
    best = options.patience or getattr(options, "fid_every", None)
    which = f"epoch {kept}" + (f", the best of {len(history)}, whose weights are kept" if best else "")
    row = history.loc[kept].dropna()
    metrics = row.drop(["learning_rate", "seconds", "images_per_second"])
    print(
        f"{options.out}: {which}, {summary(metrics.to_dict())}, "
        f"{row['images_per_second']:.0f} images/s, {history['seconds'].sum() / 60:.1f} minutes of training"
    )


def build(options):
    """The model that the options of `train` describe, at the start of its training."""
    import keras

    import gdl

    keras.utils.set_random_seed(options.seed)
    keras.config.set_dtype_policy(options.precision)
    model = getattr(gdl, MODELS[options.model])(**_model_options(options))
    second_rate, beta_1 = (getattr(options, name, None) for name in ("second_learning_rate", "beta_1"))
    if second_rate is not None or beta_1 is not None:  # else gdl.train makes the usual optimisers
        first, *_ = model.default_optimizers(options.learning_rate)
        *_, second = model.default_optimizers(options.learning_rate if second_rate is None else second_rate)
        own = {} if beta_1 is None else {"beta_1": beta_1}
        model.compile(*(type(optimizer).from_config({**optimizer.get_config(), **own}) for optimizer in (first, second)))
    return model


def fit(model, faces, options, callbacks=()):
    """Trains a model with the options of `train`. Returns its history, and leaves the model with the weights to keep."""
    import gdl
    from gdl.training.run_folder import RunFolder

    best = RunFolder(options.out).best
    fid_every = getattr(options, "fid_every", None)
    if fid_every:
        if options.patience:
            raise CourseError(
                "--fid-every and --patience both keep the best weights, each by its own measure: choose one, and say --patience 0 for the FID."
            )
        callbacks = [*callbacks, gdl.metrics.BestFID(faces.val, n=options.fid_samples, every=fid_every, file=best)]
    history = gdl.train(
        model,
        faces,
        epochs=options.epochs,
        run=options.out,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        halve_every=options.halve_every,
        steps_per_epoch=options.steps_per_epoch,
        flip=options.flip,
        patience=options.patience or None,
        seed=options.seed,
        callbacks=callbacks,
    )
    if fid_every and best.is_file():
        model.load_weights(best)
    return history


def kept_epoch(history, options):
    """The epoch whose weights `fit` leaves in the model, out of the history that it returns."""
    from gdl.training.callbacks import best_epoch

    if options.patience:
        return best_epoch(history.reset_index().to_dict("records"))
    if getattr(options, "fid_every", None) and "fid" in history:
        return history["fid"].idxmin()
    return len(history)


def _model_options(options):
    """The options of the model's constructor, out of those of the command."""
    chosen = {
        "image_size": options.size,
        "filters": options.filters,
        "kernel_sizes": options.kernel_sizes[0] if len(options.kernel_sizes) == 1 else options.kernel_sizes,
        "downsampling": options.downsampling,
        "residual": {None: False, "block": True, "resnet18": "resnet18"}[options.residual],
        "batch_norm": options.batch_norm,
        "layer_norm": options.layer_norm,
        "dropout": options.dropout,
        "pixel_range": options.pixel_range,
    }
    if options.model != "classifier":
        chosen |= {"z_dim": options.z_dim, "upsampling": options.upsampling}
    chosen |= {name: getattr(options, name) for name in OWN_OPTIONS[options.model]}
    if chosen.get("critic_norm") == "none":
        chosen["critic_norm"] = None
    return chosen


def open_model(run):
    """The model of a run folder, or one that comes with the course, by its name."""
    import gdl
    from gdl.shipped import SHA256

    return gdl.pretrained(run) if run in SHA256 else gdl.load(run)


def sample(options):
    """`gdl sample`"""
    start_tensorflow()
    import gdl
    from gdl.data.pixels import to_float
    from gdl.pictures.plots import save_grid

    if Path(options.out).suffix.lower() != ".png":
        raise CourseError(f"--out {options.out} does not end in .png: the picture is written as PNG.")
    whole_number("--n", options.n)
    whole_number("--seed", options.seed, 0)
    model = open_model(options.run)
    pixel_range = model.architecture.pixel_range
    if options.reconstruct:
        images = gdl.faces(options.reconstruct, size=model.architecture.image_size).test.images[: options.n]
        again = model.reconstruct(images)
        rows = {}  # eight images, and below them what the model makes of them
        for i in range(0, len(images), 8):
            rows |= {f"image {i}": to_float(images[i : i + 8], pixel_range), f"reconstruction {i}": again[i : i + 8]}
        save_grid(options.out, rows, pixel_range)
    else:
        save_grid(options.out, model.generate(options.n, seed=options.seed), pixel_range)
    print(f"Wrote {options.out}")


def fid(options):
    """`gdl fid`"""
    start_tensorflow()
    import gdl
    from gdl.experiments.measure import measure

    model = open_model(options.run)
    faces = gdl.faces(options.data, size=model.architecture.image_size, crop=options.crop)
    chosen = dict(against=[options.split], codes=[options.codes], network=options.network)
    scores = measure(model, faces, options.n, **chosen, copies=options.split, seed=options.seed, interval=options.interval)
    print(f"{options.run}: {options.n:,} images against the split {options.split} of {faces.name}")
    for name, value in scores.items():
        print(f"{name:>32}  {value:.4g}")


def experiment(options):
    """`gdl experiment`"""
    start_tensorflow()
    from gdl.experiments.experiment import run

    given = {name: value for name in ("data", "size", "crop", "n", "precision") if (value := getattr(options, name)) is not None}
    run(options.file, options.out, options.small, given)


def grade(options):
    """`gdl grade`"""
    import gdl.instructor.grading.grade

    if options.unsafe:
        print("gdl: WITHOUT A SANDBOX: each notebook can read, change and send whatever you can. Every result is marked so.", file=sys.stderr)
    given = {name: getattr(options, name) for name in ("solutions", "exercise", "marks", "unsafe", "seconds")}
    results = gdl.instructor.grading.grade.grade(options.submissions, options.out, **given)
    waiting = sum(question["points"] is None for result in results for question in result["questions"])
    print(f"{len(results)} notebooks are graded: {Path(options.out) / 'summary.html'}. Answers to mark by hand: {waiting}, in person.csv.")


def release(options):
    """`gdl release`"""
    import gdl.instructor.release

    gdl.instructor.release.release(options.solutions, options.exercises, options.out, options.address)
