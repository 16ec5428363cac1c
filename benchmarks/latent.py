"""python -m benchmarks latent: do edits of codes work, and which groups of faces does the model generate?"""

import keras
import numpy as np
import pandas as pd

import gdl
from gdl.data.pixels import to_uint8
from gdl.latent.edits import flips
from gdl.latent.groups import group_table, resampled
from gdl.latent.truth import CHANGES, against_truth, pairs, true_vectors
from gdl.latent.vectors import code_vectors

ATTRIBUTES = (
    "Smiling", "Mouth_Slightly_Open", "Eyeglasses", "Male", "Young", "Blond_Hair", "Black_Hair", "Bangs",
    "Wearing_Lipstick", "Wearing_Hat", "Bald", "Pale_Skin",
)  # fmt: skip
TOGETHER = (("Smiling", "Wearing_Lipstick"), ("Smiling", "High_Cheekbones"), ("Male", "Wearing_Lipstick"), ("Young", "Gray_Hair"))
ALPHAS = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
KINDS = ("plain", "balanced")
GROUPS = ("Male", "Young", "Pale_Skin")


def add_options(command):
    command.add_argument("--data", required=True, help="folder of CelebA, or 'drawn', for which the models are trained if they do not exist")
    command.add_argument("--vae", metavar="RUN", help="instead of vae-celeba64")
    command.add_argument("--gan", metavar="RUN", help="instead of gan-celeba64")
    command.add_argument("--classifier", metavar="RUN", help="instead of classifier-celeba64")
    command.add_argument("--faces", type=int, default=600, help="number of validation images, and of random codes, that are edited")
    command.add_argument("--models", nargs="*", choices=("vae", "gan"), default=("vae", "gan"), help="models whose codes are edited")
    command.add_argument(
        "--remedy",
        metavar="ATTRIBUTE",
        nargs="+",
        default=(),
        help="train small VAEs on the images, and on images repeated until half have the attribute",
    )
    command.add_argument("--remedy-epochs", type=int, default=8)


def main(options):
    classifier = gdl.load(options.classifier) if options.classifier else None
    faces = gdl.faces(options.data, size=classifier.architecture.image_size if classifier else 64)
    drawn = faces.train.factors is not None
    if classifier is None:
        classifier = gdl.load_or_train("classifier", faces) if drawn else gdl.pretrained("classifier-celeba64")
    print_table("Classifier on the validation split", classifier.accuracy(faces.val))
    for name in options.models:
        run = getattr(options, name)
        model = gdl.load(run) if run else gdl.load_or_train(name, faces) if drawn else gdl.pretrained(f"{name}-celeba64")
        z, labels, vectors = codes(name, run or drawn, model, classifier, faces, options.faces)
        edits(name, model, classifier, z, vectors)
        correlations(name, labels, vectors)
        if drawn and name == "vae":
            against_drawings(model, faces, vectors)
        print_table(f"{name}: groups", group_table(model, classifier, faces, GROUPS), 4)
    if options.remedy:
        remedies(classifier, faces, options.remedy, options.remedy_epochs)


def codes(name, trained_here, model, classifier, faces, n):
    """Codes to edit, the attributes of the faces that the vectors are computed from, and the vectors, plain and balanced."""
    if name == "vae":
        z, labels, to_edit = None, faces.train.attributes, model.encode(faces.val.images[:n])
    else:  # random codes, whose images the classifier labels
        z, to_edit = (
            np.random.default_rng(seed).standard_normal((m, model.architecture.z_dim)).astype(np.float32) for seed, m in ((1, 5000), (2, n))
        )
        labels = classifier.predict_attributes(to_uint8(model.decode(z), model.architecture.pixel_range)) >= 0.5
    if trained_here:  # the models that come with the course have their vectors with them
        z = model.encode(faces.train.images) if z is None else z
        return to_edit, labels, {kind: code_vectors(z, labels, kind == "balanced") for kind in KINDS}
    return to_edit, labels, {kind: gdl.pretrained_vectors(f"{name}-celeba64", kind == "balanced") for kind in KINDS}


def edits(name, model, classifier, z, vectors):
    """Prints the effects of plain and balanced vectors: at the same alpha, and at the alpha where a half of the faces has flipped.

    Plain vectors are longer, so the second comparison is the fair one: at equal success, how much do other attributes change?
    """
    half = {}
    for kind, table in vectors.items():
        table = table.loc[[attribute for attribute in ATTRIBUTES if attribute in table.index]].dropna()
        by_alpha = {alpha: flips(model, classifier, z, table, alpha) for alpha in ALPHAS}
        rows = {attribute: at_half({alpha: flipped.loc[attribute] for alpha, flipped in by_alpha.items()}) for attribute in table.index}
        half[kind] = pd.DataFrame(rows).T
        print_table(f"{name}, {kind} vectors, alpha 1, {len(z)} faces", by_alpha[1.0].assign(length=np.linalg.norm(table, axis=1)))
    print_table(f"{name}: where a half of the faces without the attribute gain it (NaN: not up to alpha {ALPHAS[-1]:g})", pd.concat(half, axis=1))


def at_half(rows):
    """The alpha at which a half gains the attribute, and the change of the others there, both interpolated between two measured alphas."""
    alphas, gains, others = [0.0, *rows], [0.0], [0.0]
    for row in rows.values():
        gains.append(row["gains"])
        others.append(row["others"])
    above = np.flatnonzero(np.array(gains) >= 0.5)
    if not len(above):
        return {"alpha": np.nan, "others": np.nan}
    i = above[0]
    t = (0.5 - gains[i - 1]) / (gains[i] - gains[i - 1])
    return {"alpha": alphas[i - 1] + t * (alphas[i] - alphas[i - 1]), "others": others[i - 1] + t * (others[i] - others[i - 1])}


def correlations(name, labels, vectors):
    """Prints how often attributes occur together, and whether their vectors have the same direction."""
    rows = {}
    for first, second in TOGETHER:
        if not all({first, second} <= set(table.index) for table in vectors.values()):
            continue
        has = labels[first].to_numpy()
        rows[f"{first}, {second}"] = {
            "second where first": labels[second][has].mean(),
            "second elsewhere": labels[second][~has].mean(),
            **{f"cosine, {kind}": cosine(table.loc[first], table.loc[second]) for kind, table in vectors.items()},
        }
    print_table(f"{name}: what goes together", pd.DataFrame(rows).T)


def against_drawings(model, faces, vectors):
    """Prints how much the vectors and their edits agree with the true ones, from drawn faces that differ in one factor."""
    some = {name: pairs(faces.test, name, 100) for name in CHANGES if all(name in table.index for table in vectors.values())}
    for kind, table in {**vectors, "true": true_vectors(model, some)}.items():
        print_table(f"Drawn test faces, {kind} vectors, alpha 1, against the same faces drawn with the attribute", against_truth(model, some, table))


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def remedies(classifier, faces, attributes, epochs):
    """Prints the group tables of small VAEs, trained with the same number of steps on the images and on repeated images."""
    for name in ("", *attributes):
        keras.utils.set_random_seed(0)
        model = gdl.VAE(faces.size, 64, (16, 32, 64, 128), kernel_sizes=4, reconstruction="mse", beta=0.5)
        images, steps = resampled(faces, name) if name else faces, len(faces.train) // 64
        recipe = dict(batch_size=64, learning_rate=2e-3, halve_every=max(1, epochs // 2), flip=True)
        gdl.train(model, images, epochs, steps_per_epoch=steps, quiet=True, **recipe)
        title = f"images repeated until a half has {name}" if name else "images as they are"
        print_table(f"Small VAE, {title}, {epochs} epochs of {steps} steps", group_table(model, classifier, faces, attributes), 4)


def print_table(title, table, digits=3):
    print(f"\n{title}\n\n{table.round(digits).to_string()}", flush=True)
