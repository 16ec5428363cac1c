"""Measures the models that come with the course, and writes their cards, gdl/shipped/NAME.md, and docs/models.md with samples of each.

    python tools/model_cards.py --data data/celeba              all of them
    python tools/model_cards.py --data data/celeba gan-celeba64
    python tools/model_cards.py --data data/celeba --without-inception gan-drawn64      minutes, where Inception takes an hour

What cannot be measured is in model_cards.toml. The scores are kept in results/shipped_models.csv, and what is there of a model whose
file is still the one that was measured is not measured again. The drawn faces are drawn.
"""

import argparse
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
from pack_model import without_history
from PIL import Image

import gdl
from gdl.experiments.scores import MIXTURE_IMAGES, SPLITS, model_scores
from gdl.latent.mixture import mixture_codes
from gdl.metrics.inception import default_precision
from gdl.metrics.scores import reconstruction_scores, scores
from gdl.pictures.plots import grid
from gdl.shipped import FOLDER, SHA256

ROOT = Path(__file__).resolve().parents[1]
SCORES, PICTURES, PAGE = ROOT / "results" / "shipped_models.csv", ROOT / "docs" / "models", ROOT / "docs" / "models.md"
TEXTS = Path(__file__).with_suffix(".toml")
SAMPLES, PAIRS = 5000, 1000  # images for the scores, and pairs of images for what packing costs
ASKED = 300  # images for each attribute that a conditional model is asked for
MEASURED = "Measured by `{}python tools/model_cards.py --data data/celeba {}`."
ROWS = {"": "codes from the prior", "mixture_": "codes from a mixture", "gaussian_": "codes from one Gaussian"}


def main():
    parser = argparse.ArgumentParser(description="Measures the models that come with the course, and writes their cards and their page.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as gan-celeba64; all of them if there is none")
    parser.add_argument("--data", required=True, help="folder of CelebA")
    parser.add_argument("--without-inception", action="store_true", help="leave out FID, KID, precision and recall, which may follow later")
    options = parser.parse_args()
    texts = tomllib.loads(TEXTS.read_text(encoding="utf-8"))
    table, opened = scores_so_far(), {}
    for name in options.names or [name for name in SHA256 if name in texts]:
        pictures = name.split("-")[-1]  # such as drawn64
        kind, size = pictures[:-2], int(pictures[-2:])
        if pictures not in opened:
            opened[pictures] = gdl.DrawnFaces(size=size) if kind == "drawn" else gdl.CelebA(options.data, size=size)
        model, faces, text = gdl.pretrained(name), opened[pictures], texts[name]
        if isinstance(model, gdl.AttributeClassifier):
            quality = accuracies(name, model, faces)
        else:
            row = table.loc[name].dropna().to_dict() if name in table.index else {}
            if row.get("sha256") != SHA256[name]:
                row = {"sha256": SHA256[name]} | face_scores(model, faces)
            if not seen_by_inception(row) and not options.without_inception:
                run = ROOT / text["run"]
                row |= inception_scores(model, faces) | {"bfloat16": float(default_precision() == "bfloat16")}
                row |= {"rounding": rounding(model, without_history(gdl.load(run)), faces)} if run.is_dir() else {}
            table = scores_so_far()  # others may have been measured meanwhile
            table = pd.concat([table.drop(index=name, errors="ignore"), pd.DataFrame(row, index=pd.Index([name], name="name"))]).sort_index()
            table.to_csv(SCORES)
            quality = distances(name, table.loc[name].dropna())
            if getattr(model, "conditions", ()):
                quality += "\n\n" + obedience(model, faces.val, gdl.pretrained(f"classifier-{kind}64"))
            PICTURES.mkdir(exist_ok=True)
            Image.fromarray(grid(model.decode(codes(model, faces, 64)), model.architecture.pixel_range, columns=8)).save(
                PICTURES / f"{name}.jpg", quality=88
            )
        (FOLDER / f"{name}.md").write_text(card(name, model, text, texts[kind], quality), encoding="utf-8")
        print(name)
    PAGE.write_text(page(texts, table), encoding="utf-8")


def scores_so_far():
    """The scores of the models that are measured, by their names."""
    return pd.read_csv(SCORES, index_col="name") if SCORES.is_file() else pd.DataFrame()


def has_prior(model):
    """Whether codes from a standard normal are meant to be images: not of an autoencoder, and hardly of a spatial code."""
    return not isinstance(model, gdl.Autoencoder) and not (isinstance(model, gdl.VAE) and model.architecture.spatial_code)


def codes(model, faces, n):
    """n codes of the prior; of a model without one, from one Gaussian fitted to the codes of training images."""
    if not has_prior(model):
        return mixture_codes(model, faces.train.images[:MIXTURE_IMAGES], n, components=1)
    return np.random.default_rng(0).standard_normal((n, model.architecture.z_dim)).astype(np.float32)


def seen_by_inception(row):
    return any(key.endswith("fid_train") for key in row)


def inception_scores(model, faces):
    """FID, KID, precision and recall of a packed model."""
    if has_prior(model):
        return model_scores(model, faces, SAMPLES, SPLITS, ("prior", "mixture") if isinstance(model, gdl.VAE) else ("prior",))
    values = scores(model.decode(codes(model, faces, SAMPLES)), faces.train, pixel_range=model.architecture.pixel_range)
    values = {f"gaussian_{key.replace('fid', 'fid_train')}": value for key, value in values.items()}
    return values | reconstruction_scores(model, faces.val, "inception")


def rounding(model, run, faces):
    """By how much the FID of a packed model differs from that of its run, whose weights are not rounded to float16."""
    z, pixel_range = codes(model, faces, PAIRS), model.architecture.pixel_range
    packed, original = (gdl.metrics.fid(either.decode(z), faces.train, pixel_range) for either in (model, run))
    return packed - original


def face_scores(model, faces):
    """The distance on the classifier of such faces, for each of the kinds of codes of ROWS; and the errors of the reconstructions."""
    kinds = {"" if has_prior(model) else "gaussian_": codes(model, faces, SAMPLES)}
    if isinstance(model, gdl.VAE) and has_prior(model):
        kinds["mixture_"] = mixture_codes(model, faces.train.images[:MIXTURE_IMAGES], SAMPLES)
    pixel_range = model.architecture.pixel_range
    values = {f"{kind}face_distance": gdl.metrics.face_distance(model.decode(z), faces.train, pixel_range) for kind, z in kinds.items()}
    return values | (reconstruction_scores(model, faces.val) if isinstance(model, gdl.Autoencoder | gdl.VAE) else {})


def distances(name, row):
    """The section on quality of a model that makes images."""
    digits = dict(fid_train=1, fid_val=1, fid_test=1, kid=4, kid_error=4, precision=3, recall=3, face_distance=2)
    with_inception = seen_by_inception(dict(row))
    columns = list(digits) if with_inception else ["face_distance"]
    titles = [key.replace("_", " ").replace("fid", "FID").replace("kid", "KID").replace("val", "validation") for key in columns]
    lines = ["| 5,000 images | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(columns)]
    for prefix, codes in ROWS.items():
        if f"{prefix}face_distance" in row:
            values = [f"{row[prefix + key]:.{digits[key]}f}" if prefix + key in row else "" for key in columns]
            lines.append(f"| {codes} | {' | '.join(values)} |")
    compared = "KID, precision, recall and `gdl.metrics.face_distance` compare" if with_inception else "`gdl.metrics.face_distance` compares"
    said = [f"{compared} with the training images."]
    if with_inception:
        rough = ", in bfloat16, which is within one per cent of float32" if row.get("bfloat16") else ""
        said.insert(0, f"FID is that of the original Inception of 2015{rough}.")
    if "mse" in row:
        errors = f"squared error {row.mse:.4f} a pixel, SSIM {row.ssim:.3f}, Pearson {row.pearson:.3f}"
        distance = f", FID {row.reconstruction_fid:.1f}" if "reconstruction_fid" in row else ""
        said.append(f"Reconstructions of the 1,200 validation images: {errors}{distance}.")
    if "drawn" in name:
        said.append("Distances of drawn faces compare models of drawn faces; they cannot be compared with those of photographs.")
    if "rounding" in row:
        said.append(f"Rounding the weights to float16 changes the FID of {PAIRS:,} images by {row.rounding:+.2f}.")
    precision = "GDL_FID_PRECISION=bfloat16 " if row.get("bfloat16") else ""
    said.append(MEASURED.format(precision, name if with_inception else f"--without-inception {name}"))
    return "\n".join(lines) + "\n\n" + " ".join(said)


def obedience(model, split, classifier):
    """Whether what is asked is seen by a classifier: for each condition, in images told all of a real face, and told the condition alone."""
    known, rows = split.attributes[list(model.conditions)], {}
    for name in model.conditions:
        row = {"share": known[name].mean()}
        for value, column in ((True, "present"), (False, "absent")):
            alike = np.flatnonzero(known[name] == value)[:ASKED]
            told = {condition: known[condition].to_numpy()[alike] for condition in known}
            images = {
                f"real, {column}": split.images[alike],
                f"{column}, with all else": model.generate(len(alike), **told),
                f"{column}, alone": model.generate(ASKED, **{name: value}),
            }
            for key, shown in images.items():
                shown = shown if shown.dtype == np.uint8 else model.unit_range(shown)
                row[key] = (classifier.predict_attributes(shown)[name] > 0.5).mean()
        rows[name] = row
    table = pd.DataFrame(rows).T
    lines = ["| asked | " + " | ".join(table) + " |", "| --- |" + " ---: |" * table.shape[1]]
    lines += [f"| {name} | " + " | ".join(f"{value:.2f}" for value in row) + " |" for name, row in table.iterrows()]
    said = f"Share of images in which the classifier sees the attribute. *share*: of the validation images that have it. *real*: up to {ASKED} "
    said += "validation images with it (*present*) and without it (*absent*). *with all else*: as many samples that were told all conditions of "
    said += f"those images. *alone*: {ASKED} samples that were told this condition and nothing else."
    return said + "\n\n" + "\n".join(lines)


def accuracies(name, model, faces):
    """The section on quality of a classifier."""
    table = model.accuracy(faces.test)
    lines = ["| attribute | accuracy | share | guess | balanced |", "| --- | ---: | ---: | ---: | ---: |"]
    for attribute, row in [*table.iterrows(), (f"**mean of the {len(table)}**", table.mean())]:
        lines.append(f"| {attribute} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    said = "Accuracy on the 1,200 test images. *guess*: accuracy of always giving the more frequent answer. *balanced*: mean of the accuracies on "
    said += f"the images with the attribute and on those without. {MEASURED.format('', name)}"
    return said + "\n\n" + "\n".join(lines)


def card(name, model, text, common, quality):
    megabytes, size = (FOLDER / f"{name}.npz").stat().st_size / 1e6, model.architecture.image_size
    parts = [
        f"# {name}",
        f'{text["what"]} `gdl.pretrained("{name}")`. {model.count_params() / 1e6:.1f} million weights, float16, {megabytes:.1f} MB.',
        f"## Data\n\n{common['data'].replace('SIZE', f'{size}x{size}')}",
        "## Recipe\n\n```\n" + "\n".join(text["commands"]) + f"\n```\n\n{text['training']}",
        f"## Quality\n\n{quality}",
    ]
    if "seen" in text:
        parts.append(f"![64 images, not chosen](../../docs/models/{name}.jpg)\n\n{text['seen']}")
    parts += [f"## Limits\n\n{text['limits']} {common['limits']}", f"## Licence\n\n{common['licence']}", f"sha256 of `{name}.npz`: `{SHA256[name]}`"]
    return "\n\n".join(parts) + "\n"


def page(texts, table):
    """docs/models.md"""
    lines = [
        "# The models that come with the course",
        "64 images of each, from the seed 0, not chosen. The codes of an autoencoder and of a VAE-GAN are from a Gaussian fitted to "
        "those of the training images, because neither makes faces of codes from a prior. FID and the face distance are of 5,000 images "
        "against the training images; those of drawn faces and of photographs "
        "cannot be compared, and no FID is given where it has not been measured. "
        "Each name leads to the model's card: data, commands, all numbers, limits, licence.",
        "| model | FID | face distance | MB |\n| --- | ---: | ---: | ---: |",
    ]
    for name in SHA256:
        row = table.loc[name].dropna() if name in table.index else {}
        values = [(row.get(key, row.get(f"gaussian_{key}")), digits) for key, digits in (("fid_train", 1), ("face_distance", 2))]
        measured = " | ".join("" if value is None else f"{value:.{digits}f}" for value, digits in values)
        megabytes = (FOLDER / f"{name}.npz").stat().st_size / 1e6
        lines[-1] += f"\n| [{name}](../gdl/shipped/{name}.md) | {measured} | {megabytes:.1f} |"
    for name in SHA256:
        if name in table.index:
            lines += [f"## {name}", f'<img src="models/{name}.jpg" width="800" alt="64 images">', texts[name]["seen"]]
    return "\n\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
