"""The options of the command line, with their help texts. `gdl.cli` carries the commands out."""

import argparse

from gdl.experiments.job import NETWORKS, PRECISIONS, Job
from gdl.models.architecture import DOWNSAMPLING, UPSAMPLING, Architecture
from gdl.project.rules import FACES, MEASURED, MINUTES
from gdl.shipped import SHA256
from gdl.training.recipes import PHOTOGRAPHS
from gdl.training.training_options import TrainingOptions

DATA = (
    "folder of photographs: CelebA (images or zip, with its two tables), Food-101, COCO, or any folder of images; "
    "'drawn' is the course's own drawn faces. Without this option: the folder in the environment variable GDL_DATA, else data/celeba, "
    "else the drawn faces"
)
RUN = f"run folder of a trained model, or the name of a model that comes with the course: {', '.join(SHA256)}"


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of each option that has one."""

    def _get_help_string(self, action):
        return action.help if action.default is None else super()._get_help_string(action)


STYLE = dict(formatter_class=Help)


def parser() -> argparse.ArgumentParser:
    """The parser of `python -m gdl`. Its result has the name of the command as `command`, and of a training's model as `model`.

    >>> parser().parse_args(["train", "vae", "--out", "runs/vae", "--z-dim", "64"]).z_dim
    64
    """
    top = argparse.ArgumentParser(
        prog="python -m gdl",
        description="Generative deep learning with faces: prepare a data set, train a model, look at its images and measure them.",
        epilog="python -m gdl COMMAND --help lists the options of a command.",
    )
    commands = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)
    for add in (_prepare, _train, _sample, _fid, _experiment, _project, _grade, _mark, _similar, _release):
        add(commands)
    return top


def _prepare(commands):
    text = "Decodes, crops and resizes a data set once and stores it in the cache that training reads. Training does this itself where it is missing."
    command = commands.add_parser("prepare", help="decode a data set into the cache", description=text, **STYLE)
    _add_data(command)


def _train(commands):
    text = (
        "Trains a model. Can be stopped at any moment; the same command continues after the last finished epoch. "
        "Example: python -m gdl train vae --data data/celeba --out runs/vae"
    )
    command = commands.add_parser("train", help="train a model, or continue its training", description=text)
    models = command.add_subparsers(title="models", metavar="MODEL", dest="model", required=True)

    text = "Trains an autoencoder (chapter 01)."
    _add_face_model(models.add_parser("autoencoder", help="chapter 01", description=text, **STYLE))

    text = "Trains a variational autoencoder (chapters 02 and 03). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("vae", help="chapters 02 and 03", description=text, **STYLE)
    _add_face_model(model)
    _add_decoder_rate(_add_variational(model))

    text = "Trains a generative adversarial network (chapter 04). The defaults are the course's recipe for 64x64 pixels."
    own = _add_adversarial(models.add_parser("gan", help="chapter 04", description=text, **STYLE))
    own.add_argument("--loss", choices=("cross_entropy", "hinge", "relativistic"), default="cross_entropy", help="loss of the two networks")
    own.add_argument("--r1", type=float, default=0.0, help="weight of half the squared gradient of the discriminator at real images")
    own.add_argument("--r2", type=float, default=0.0, help="the same at generated images")
    own.add_argument("--label-smoothing", type=float, default=0.0, help="the label of real images is 1 minus this value")
    own.add_argument("--label-noise", type=float, default=0.0, help="largest random amount by which each label moves towards the other label")
    _add_betas(own)

    text = "Trains a Wasserstein GAN with clipped weights (chapter 05)."
    own = _add_adversarial(models.add_parser("wgan", help="chapter 05", description=text, **STYLE))
    own.add_argument("--clip", type=float, default=0.01, help="bound on the absolute value of the critic's weights")

    text = "Trains a Wasserstein GAN with gradient penalty (chapter 06)."
    own = _add_adversarial(models.add_parser("wgan_gp", help="chapter 06", description=text, **STYLE))
    own.add_argument("--gp-weight", type=float, default=10.0, help="weight of the gradient penalty")
    _add_betas(own)

    text = "Trains a conditional VAE, which is told attributes (chapter 10)."
    model = models.add_parser("conditional_vae", help="chapter 10", description=text, **STYLE)
    _add_face_model(model)
    own = _add_variational(model)
    _add_conditions(own)
    _add_decoder_rate(own)

    text = "Trains a conditional GAN, which is told attributes (chapter 10). The defaults are the course's recipe for CelebA at 64x64 pixels."
    own = _add_adversarial(models.add_parser("conditional_gan", help="chapter 10", description=text, **STYLE))
    own.add_argument("--classify", type=float, default=0.0, metavar="WEIGHT", help="weight of the loss of the discriminator as a classifier")
    _add_conditions(own)
    _add_betas(own)

    text = "Trains a VAE-GAN (chapter 11). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("vae_gan", help="chapter 11", description=text, **STYLE)
    _add_face_model(model)
    own = _add_variational(model)
    own.add_argument("--adversarial", type=float, default=1.0, metavar="WEIGHT", help="weight of the generator's loss in the loss of the decoder")
    own.add_argument("--perceptual", type=float, default=0.0, metavar="WEIGHT", help="weight of the distance of a classifier's features")
    own.add_argument("--classifier", metavar="RUN", help="the classifier whose features are compared: a run folder, or the name of a shipped one")
    _add_critic(own)
    _add_betas(own)

    text = "Trains a flow from noise to images (chapter 12). The defaults are the course's recipe for CelebA at 32x32 pixels."
    model = models.add_parser("flow", help="chapter 12", description=text, **STYLE)
    own = _add_flow(model)
    own.add_argument("--pixel-range", type=int, nargs=2, default=(-1, 1), metavar=("LOW", "HIGH"), help="of the images that it makes, 0 1 or -1 1")
    own.add_argument("--patch", type=int, default=1, metavar="N", help="squares of NxN pixels that the network sees as one pixel with more channels")

    text = "Trains a flow from noise to the codes of an autoencoder (chapter 12). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("latent_flow", help="chapter 12", description=text, **STYLE)
    own = _add_flow(model)
    own.add_argument("--autoencoder", metavar="RUN", help="the VAE or VAE-GAN whose codes are learned: a run folder, or the name of a shipped one")

    text = "Trains a classifier of the attributes of faces (chapter 08). The defaults are the course's recipe for CelebA at 64x64 pixels."
    model = models.add_parser("classifier", help="chapter 08", description=text, **STYLE)
    _add_training(model)
    _add_network(model)
    model.add_argument("--attributes", nargs="+", metavar="NAME", help="attributes to learn; without it, all that the data set has")

    for name, recipe in PHOTOGRAPHS.items():
        models.choices[name].set_defaults(**recipe)


def _sample(commands):
    text = "Writes a picture of the images that a trained model generates from random codes, or of its reconstructions of test images."
    command = commands.add_parser("sample", help="write a picture of a trained model's images", description=text, **STYLE)
    command.add_argument("run", help=RUN)
    command.add_argument("--out", default="samples.png", help="the PNG file to write")
    command.add_argument("--n", type=int, default=64, help="number of images")
    command.add_argument("--seed", type=int, default=0, help="seed of the random codes")
    command.add_argument("--reconstruct", metavar="DATA", help="reconstruct test images of this data set instead; see --data of train")


def _fid(commands):
    text = (
        "Compares the images that a trained model generates with those of a data set: FID, KID, precision and recall. "
        "For a model with an encoder it also measures the reconstructions."
    )
    command = commands.add_parser("fid", help="measure how good a trained model's images are", description=text, **STYLE)
    command.add_argument("run", help=RUN)
    command.add_argument("--data", help=DATA)
    command.add_argument("--crop", type=int, default=Job.crop, help="side of the centre square cut out of CelebA's 178x218 pixels")
    command.add_argument("--split", choices=("train", "val", "test"), default="train", help="split of the data set to compare with")
    command.add_argument("--n", type=int, default=5000, help="number of images that the model generates; compare only values of the same n")
    command.add_argument("--seed", type=int, default=0, help="seed of the random codes")
    command.add_argument(
        "--codes",
        choices=("prior", "mixture"),
        default="prior",
        help="prior: codes from a standard normal; mixture: codes from a Gaussian mixture fitted to the codes of the training images",
    )
    command.add_argument("--interval", action="store_true", help="add a 95%% interval of the FID")
    command.add_argument(
        "--network",
        choices=NETWORKS,
        default="inception",
        help="network whose features are compared: the Inception of FID, a classifier of photographs or of drawn faces, "
        "or stand_in for quick trials. The distances of the last three are not FIDs",
    )


def _experiment(commands):
    text = (
        "Trains and measures those models of an experiment that its folder does not have yet. Can be stopped at any moment; the same command "
        "continues. If it is started several times, on one machine or on several that share the folder, the processes share the work. "
        "Example: python -m gdl experiment experiments/vae_beta.toml --data data/celeba --out runs/vae_beta"
    )
    command = commands.add_parser("experiment", help="train and compare a grid of models", description=text)
    command.add_argument("file", help="file of the experiment, such as experiments/vae_beta.toml")
    command.add_argument("--out", required=True, help="folder of the experiment: a run for each cell, table.csv, table.md, figure.png")
    command.add_argument("--small", action="store_true", help="run the file's small version, for two processor cores")
    command.add_argument("--data", help=DATA)
    for name in ("size", "crop", "n"):
        command.add_argument(f"--{name}", type=int, help="as in train; without it, as in the file")
    command.add_argument("--precision", choices=PRECISIONS, help="as in train; without it, as in the file")


def _project(commands):
    text = "The final project (folder project/): checks a hand-in, or makes the leaderboard of a class."
    command = commands.add_parser("project", help="check a hand-in of the final project, or make a leaderboard", description=text)
    actions = command.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)

    text = (
        "Checks a hand-in of the final project: its images are made anew from its weights and measured, and compared with what it claims. "
        "Prints what is missing and how to mend it. Exit status 0: nothing is missing. Example: python -m gdl project check hand-in"
    )
    check = actions.add_parser("check", help="check a hand-in, your own or another's", description=text, **STYLE)
    check.add_argument("folder", help="folder or zip of the hand-in, with its project.toml")

    text = (
        "For instructors: computes the numbers of every hand-in anew from its weights, in the grader's sandbox (Linux with bubblewrap), and "
        "writes a page and a CSV file. Can be stopped at any moment; the same command continues. "
        "Example: python -m gdl project leaderboard hand-ins --out page"
    )
    board = actions.add_parser("leaderboard", help="make the leaderboard of a class", description=text, **STYLE)
    board.add_argument("folder", help="folder of all hand-ins, each a folder or a zip")
    board.add_argument("--out", required=True, help="folder for index.html, leaderboard.csv and the results, from which the command continues")
    for action in (check, board):
        action.add_argument("--data", help=DATA)
        action.add_argument("--n", type=int, default=FACES, help="compare with at most this many faces, drawn at random from each split")
        action.add_argument("--samples", type=int, default=MEASURED, help="number of images of each model that are measured")
        action.add_argument(
            "--network", choices=NETWORKS, help="network whose features are compared; without it, the classifier that comes with the course"
        )
        action.add_argument("--minutes", type=float, default=MINUTES, help="budget of training in minutes, as the history counts them")
    board.add_argument("--seconds", type=float, default=300.0, help="time limit for making the images of one hand-in")
    board.add_argument("--unsafe", action="store_true", help="run without a sandbox; the page says so")


def _grade(commands):
    text = (
        "For instructors: grades a folder of notebooks, or its zip, as a learning platform exports it. Every notebook runs in a sandbox "
        "(Linux with bubblewrap). Can be stopped at any moment; the same command continues. "
        "Example: python -m gdl grade submissions --out marks"
    )
    command = commands.add_parser("grade", help="grade a folder of students' notebooks", description=text, **STYLE)
    command.add_argument("submissions", help="folder or zip of the notebooks that were handed in")
    command.add_argument("--out", required=True, help="folder for the tables, the feedback pages and the results")
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument(
        "--exercise", metavar="NAME", help="the exercise of all notebooks, such as 02_vae; without it, each notebook says which exercise it is"
    )
    command.add_argument("--marks", metavar="CSV", help="filled-in copy of person.csv, with the points of the answers that are marked by hand")
    command.add_argument(
        "--seconds", type=float, default=30.0, help="time limit of one cell or one call; a whole notebook may take twenty times as long"
    )
    command.add_argument(
        "--students", metavar="CSV", help="list of the class with pairs and late days; then those who handed in nothing have a row in grades.csv"
    )
    command.add_argument(
        "--late-percent",
        type=float,
        default=0.0,
        metavar="PERCENT",
        help="deducted for each late day, of the points of the exercise; with --students",
    )
    command.add_argument("--free-days", type=float, default=0.0, metavar="DAYS", help="late days in the whole term that cost nothing")
    command.add_argument(
        "--unsafe", action="store_true", help="run without a sandbox: a notebook can then do whatever you can; every result is marked as unsafe"
    )


def _mark(commands):
    text = (
        "For instructors: shows the answers that a person marks, one at a time in a browser, with the question, the model answer and the rubric, "
        "and without names. Points and comments are saved in person.csv at once. Works offline. Example: python -m gdl mark marks"
    )
    command = commands.add_parser("mark", help="mark open answers in a browser", description=text, **STYLE)
    command.add_argument("marks", help="folder of gdl grade --out")
    command.add_argument("--submissions", help="folder or zip that was graded; with it, the page shows the pictures in the notebooks")
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument("--port", type=int, default=0, help="port of the page on this machine; 0 chooses a free one")
    command.add_argument("--browser", action=argparse.BooleanOptionalAction, default=True, help="open the page in a browser")


def _similar(commands):
    text = (
        "For instructors: lists the pairs of students whose answers have most in common that few others have, without names of variables, comments "
        "and layout, and without what the solution and the given code contain. A person judges. Example: python -m gdl similar marks"
    )
    command = commands.add_parser("similar", help="list answers that are alike", description=text, **STYLE)
    command.add_argument("marks", help="folder of gdl grade --out")
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument("--students", metavar="CSV", help="list of the class; students of one pair in it are not compared")
    command.add_argument("--pairs", type=int, default=20, help="number of pairs to list for each exercise")


def _release(commands):
    text = (
        "For instructors: makes the exercises from the solutions, and a folder and a zip file to hand to students, "
        "with the exercises, the package as a wheel, and a page on how to begin. Needs pip install 'gdl[instructor]'"
    )
    command = commands.add_parser("release", help="make the exercises from the solutions, and a bundle for students", description=text, **STYLE)
    command.add_argument("--solutions", default="solutions", help="folder of the solution notebooks")
    command.add_argument("--exercises", default="exercises", help="folder of the notebooks that are made from them")
    command.add_argument("--out", default="dist/students", help="folder to hand to students; a .zip file of it is written beside it")
    command.add_argument(
        "--address", metavar="URL", help="address of the wheel for students' notebooks: that of its folder, ending in /, or of the file"
    )
    command.add_argument(
        "--seed", type=int, help="also write solutions-SEED beside --out, whose hidden tests draw other numbers, for gdl grade --solutions"
    )


def _add_training(command):
    """The training options that all models share."""
    _add_data(command)
    command.add_argument("--out", required=True, help="folder of the run: settings, history, pictures, weights")
    command.add_argument("--epochs", type=int, help="total number of epochs, including those of earlier calls")
    command.add_argument(
        "--patience",
        type=int,
        metavar="EPOCHS",
        default=0,
        help="stop when the validation loss has not fallen for this many epochs, and keep the best weights; 0 trains to the end",
    )
    command.add_argument("--batch-size", type=int, default=TrainingOptions.batch_size, help="images in a batch")
    command.add_argument("--steps-per-epoch", type=int, metavar="STEPS", help="batches in an epoch; without it, the whole training set")
    command.add_argument("--learning-rate", type=float, help="learning rate of the optimiser")
    command.add_argument("--halve-every", type=int, metavar="EPOCHS", help="halve the learning rate every EPOCHS epochs; 0 never halves it")
    command.add_argument(
        "--flip", action=argparse.BooleanOptionalAction, default=TrainingOptions.flip, help="mirror half of the images, anew in each epoch"
    )
    command.add_argument(
        "--precision", choices=PRECISIONS, default=Job.precision, help="precision of the computation; weights are float32 in any case"
    )
    command.add_argument(
        "--seed",
        type=int,
        default=TrainingOptions.seed,
        help="seed of the initial weights, the order and the flips; the same seed gives the same result",
    )
    command.add_argument(
        "--devices", metavar="all|N", help="train on all GPUs of the machine, or on N of them; with TF_CONFIG, on those of each machine"
    )


def _add_fid(command):
    """The options of training of the models that make images."""
    command.add_argument(
        "--fid-every",
        type=int,
        metavar="EPOCHS",
        help="measure the FID against the validation images every EPOCHS epochs, and keep the weights with the lowest FID",
    )
    command.add_argument(
        "--fid-samples", type=int, metavar="N", default=Job.fid_samples, help="number of images that the model generates for --fid-every"
    )


def _add_network(command):
    """The options of the convolutional encoder and decoder. Returns their group, to which further options can be added."""
    group = command.add_argument_group("network")
    group.add_argument("--filters", type=int, nargs="+", default=Architecture.filters, help="channels after each halving")
    group.add_argument(
        "--kernel-sizes",
        type=int,
        nargs="+",
        default=Architecture.kernel_sizes,
        help="one kernel size for all convolutions, or one for each entry of --filters",
    )
    group.add_argument("--downsampling", choices=DOWNSAMPLING, default=Architecture.downsampling, help="how the encoder halves the size")
    group.add_argument(
        "--residual", nargs="?", choices=("block", "resnet18"), const="block",
        help="add a residual block to each stage; resnet18 instead uses the structure of ResNet-18",
    )  # fmt: skip
    group.add_argument("--no-residual", dest="residual", action="store_const", const=None, help="no residual blocks")
    group.add_argument("--batch-norm", action=argparse.BooleanOptionalAction, default=Architecture.batch_norm, help="batch normalisation")
    group.add_argument(
        "--layer-norm", action=argparse.BooleanOptionalAction, default=Architecture.layer_norm, help="layer normalisation, with --no-batch-norm"
    )
    group.add_argument("--dropout", type=float, default=Architecture.dropout, help="share of values dropped after each stage")
    group.add_argument("--pixel-range", type=int, nargs=2, default=Architecture.pixel_range, metavar=("LOW", "HIGH"), help="0 1 or -1 1")
    return group


def _add_face_model(command):
    """The options of a model of convolutions that makes images."""
    _add_training(command)
    _add_fid(command)
    group = _add_network(command)
    group.add_argument("--z-dim", type=int, default=Architecture.z_dim, help="length of the code z")
    group.add_argument("--upsampling", choices=UPSAMPLING, default=Architecture.upsampling, help="how the decoder doubles the size")
    group.add_argument(
        "--spatial-code", action=argparse.BooleanOptionalAction, default=Architecture.spatial_code, help="the code is a small feature map"
    )


def _add_variational(command):
    """The options of a VAE. Returns their group, to which further options can be added."""
    group = command.add_argument_group("variational autoencoder")
    group.add_argument("--beta", type=float, default=1.0, help="weight of the KL")
    group.add_argument(
        "--reconstruction", choices=("bce", "mse", "gaussian"), default="bce",
        help="binary cross-entropy, squared error, or likelihood of a normal distribution whose variance is trained",
    )  # fmt: skip
    group.add_argument(
        "--warm-up", type=int, default=0, metavar="STEPS", help="number of first training steps in which the weight of the KL grows from 0 to beta"
    )
    group.add_argument("--narrow-dense", type=int, metavar="UNITS", help="a dense layer of this many units before z_mean and z_log_var")
    group.add_argument("--ema", type=float, help="decay of a moving average of the weights, used for codes and images; without it, no average")
    return group


def _add_decoder_rate(group):
    group.add_argument(
        "--decoder-learning-rate", type=float, metavar="RATE",
        help="learning rate of a second Adam for the decoder; without it, one Adam trains both networks",
    )  # fmt: skip


def _add_critic(group):
    """The options of a network that is trained against the others."""
    group.add_argument("--critic-norm", choices=("batch", "layer", "spectral", "none"), default="none", help="normalisation in the critic")
    group.add_argument(
        "--critic-learning-rate", type=float, metavar="RATE", help="learning rate of the critic; without it, that of the other networks"
    )


def _add_adversarial(command):
    """The training options that all adversarial models share. Returns their group, to which further options can be added."""
    _add_face_model(command)
    group = command.add_argument_group("adversarial network")
    group.add_argument("--critic-steps", type=int, default=1, help="steps of the critic for each step of the generator, each with a batch of its own")
    _add_critic(group)
    group.add_argument(
        "--augment", nargs="*", choices=("colour", "translation", "cutout"), default=[],
        help="random changes of all images that the critic sees, real or generated; --augment without values: no changes",
    )  # fmt: skip
    group.add_argument("--penalty-every", type=int, default=1, metavar="N", help="compute a penalty only for every N-th image of a batch")
    group.add_argument(
        "--ema", type=float, help="decay of a moving average of the generator's weights, used to generate images; without it, no average"
    )
    return group


def _add_conditions(group):
    group.add_argument("--conditions", nargs="*", metavar="NAME", default=[], help="attributes that the model is told, such as Smiling Male")


def _add_flow(command):
    """The options of a flow. Returns their group, to which further options can be added."""
    _add_training(command)
    _add_fid(command)
    group = command.add_argument_group("flow")
    group.add_argument("--filters", type=int, nargs="+", help="channels of the feature maps, from the largest map to the smallest")
    group.add_argument("--dropout", type=float, default=0.0, help="share of values dropped in each block")
    _add_conditions(group)
    group.add_argument("--steps", type=int, default=20, help="steps from noise to image")
    group.add_argument("--guidance", type=float, default=1.0, metavar="WEIGHT", help="how much the images are pushed towards what is asked; 1: not")
    group.add_argument("--ema", type=float, default=0.999, help="decay of a moving average of the weights, used for everything but training")
    return group


def _add_betas(group):
    group.add_argument("--beta-1", type=float, help="decay of the moving average of the gradients, in both Adam optimisers")
    group.add_argument("--beta-2", type=float, help="decay of the moving average of their squares")


def _add_data(command):
    command.add_argument("--data", help=DATA)
    command.add_argument("--size", type=int, default=Job.size, help="height and width of the images in pixels")
    command.add_argument("--crop", type=int, default=Job.crop, help="side of the centre square cut out of CelebA's 178x218 pixels")
    command.add_argument("--n", type=int, help="use at most this many images, drawn at random from each split")
