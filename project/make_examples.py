"""Makes two small hand-ins of the final project, to look at and for the tests: a GAN of drawn faces, and a VAE of "own" images.

    python project/make_examples.py build/hand-ins
    python -m gdl project check build/hand-ins/a_gan --data drawn --n 300 --samples 64
    python -m gdl project leaderboard build/hand-ins --out build/leaderboard --data drawn --n 300 --samples 64

Both are trained for one epoch on faces of 16x16 pixels, and make no faces: they show the files.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

import gdl
from gdl.project.remake import make
from gdl.project.ruler import Ruler
from gdl.project.weights import pack

HERE = Path(__file__).resolve().parent
FACES, SIZE, SAMPLES = 300, 16, 64


def main() -> None:
    """Makes both in the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make_both(Path(sys.argv[1]))


def make_both(out):
    """Makes both in this folder."""
    faces = gdl.DrawnFaces(FACES, SIZE)
    gan = gdl.GAN(SIZE, z_dim=8, filters=(8, 16))
    write_hand_in(out / "a_gan", gan, faces, name="example 1", change="everything is cut down to one epoch", group="Young")
    vae = gdl.VAE(SIZE, z_dim=8, filters=(8, 16))
    write_hand_in(out / "a_vae", vae, faces, name="example 2", change="a VAE of images that stand for my own", task="own")


def write_hand_in(folder, model, faces, name, change, task="recipe", group=""):
    """Trains a model for one epoch and writes all files of a hand-in: the steps of project.ipynb without its explanations."""
    gdl.train(model, faces, epochs=1, run=folder / "run", quiet=True)
    if task == "own":  # the weights of the run folder, and the images, which nobody else has
        weights = "run/epoch-0001.weights.h5"
        np.savez_compressed(folder / "images.npz", train=faces.train.images, val=faces.val.images)
    else:  # without the state of the optimiser
        weights = "weights.npz"
        pack(model, folder / weights)
    gdl.plots.save_grid(folder / "samples.png", model.generate(64, seed=0), model.architecture.pixel_range)
    for page in ("card.md", "report.md"):
        shutil.copy(HERE / "examples" / page, folder / page)
    lines = [f'name = "{name}"', f'task = "{task}"', f'change = "{change}"', f'weights = "{weights}"', f'group = "{group}"']
    (folder / "project.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    numbers = Ruler("drawn", FACES, SAMPLES).measure(make(folder, SAMPLES), group)
    claims = [f'network = "{numbers["network"]}"', f"samples = {SAMPLES}"]
    claims += [f"{key} = {numbers[key]:.4g}" for key in ("distance", "copies", "share") if key in numbers]
    (folder / "project.toml").write_text("\n".join([*lines, "", "[claims]", *claims]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
