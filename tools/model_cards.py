"""Measures the models that come with the course, and writes their cards, gdl/shipped/NAME.md, and docs/models.md with samples of each.

    python tools/model_cards.py --data data/celeba              all of them
    python tools/model_cards.py --data data/celeba gan-celeba64

What cannot be measured is in model_cards.toml. The scores are kept in results/shipped_models.csv, and a model whose file is still
the one that was measured is not measured again. The drawn faces are drawn.
"""

import argparse
import tomllib
from pathlib import Path

import pandas as pd
from PIL import Image

import gdl
from gdl.experiments.scores import SPLITS, model_scores
from gdl.latent.mixture import mixture_codes
from gdl.pictures.plots import grid
from gdl.shipped import FOLDER, SHA256

ROOT = Path(__file__).resolve().parents[1]
SCORES, PICTURES, PAGE = ROOT / "results" / "shipped_models.csv", ROOT / "docs" / "models", ROOT / "docs" / "models.md"
SAMPLES = 5000
COLUMNS = {f"fid_{split}": f"FID {split}" for split in SPLITS} | {"kid": "KID", "precision": "precision", "recall": "recall"}


def main():
    parser = argparse.ArgumentParser(description="Measures the models that come with the course, and writes their cards and their page.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as gan-celeba64; all of them if there is none")
    parser.add_argument("--data", required=True, help="folder of CelebA")
    options = parser.parse_args()
    texts = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    scores = pd.read_csv(SCORES, index_col="name") if SCORES.is_file() else pd.DataFrame()
    opened = {}
    for name in options.names or SHA256:
        kind = "drawn64" if name.endswith("drawn64") else "celeba64"
        if kind not in opened:
            opened[kind] = gdl.DrawnFaces(12_000) if kind == "drawn64" else gdl.CelebA(options.data, size=64)
        model, faces, text = gdl.pretrained(name), opened[kind], texts[name]
        if name.startswith("classifier"):
            quality = accuracies(model, faces)
        else:
            if name not in scores.index or scores.loc[name, "sha256"] != SHA256[name]:
                row = pd.DataFrame({"sha256": SHA256[name], **measured(model, faces, kind, ROOT / text["run"])}, index=pd.Index([name], name="name"))
                scores = pd.concat([scores.drop(index=name, errors="ignore"), row]).sort_index()
                scores.to_csv(SCORES)
            quality = distances(name, scores.loc[name], kind)
            picture(name, model, faces)
        card = write_card(name, model, text, texts[kind], quality)
        (FOLDER / f"{name}.md").write_text(card, encoding="utf-8")
        print(name)
    write_page(texts, scores)


def measured(model, faces, kind, run):
    """The scores of a packed model, and the FID of its run, from which it differs by its rounding to float16."""
    codes = {"Autoencoder": ("mixture",), "VAE": ("prior", "mixture")}.get(type(model).__name__, ("prior",))
    values = model_scores(model, faces, SAMPLES, SPLITS, codes)
    if kind == "drawn64":
        values |= model_scores(model, faces, SAMPLES, ("train",), codes, network="stand_in")
    if run.is_dir():
        original = gdl.load(run)
        images = original.generate(SAMPLES) if "prior" in codes else original.decode(mixture_codes(original, faces.train.images[:10_000], SAMPLES))
        values["fid_train_of_the_run"] = gdl.metrics.fid(images, faces.train, original.architecture.pixel_range)
    return values


def picture(name, model, faces):
    """64 images from codes of the prior; those of an autoencoder, which has none, from a mixture fitted to the codes of photographs."""
    if isinstance(model, gdl.Autoencoder):
        images = model.decode(mixture_codes(model, faces.train.images[:10_000], 64))
    else:
        images = model.generate(64, seed=0)
    PICTURES.mkdir(exist_ok=True)
    Image.fromarray(grid(images, model.architecture.pixel_range, columns=16)).save(PICTURES / f"{name}.jpg", quality=88)


def distances(name, row, kind):
    """The section on quality of a model that makes images."""
    lines = ["| 5,000 images | " + " | ".join(COLUMNS.values()) + " |", "| --- |" + " ---: |" * len(COLUMNS)]
    for codes, prefix in (("codes from the prior", ""), ("codes from a mixture", "mixture_")):
        if pd.notna(row.get(f"{prefix}fid_train")):
            values = [f"{row[f'{prefix}fid_{split}']:.1f}" for split in SPLITS]
            values.append(f"{row[f'{prefix}kid']:.4f} ± {row[f'{prefix}kid_error']:.4f}")
            values += [f"{row[prefix + key]:.3f}" for key in ("precision", "recall")]
            lines.append(f"| {codes} | {' | '.join(values)} |")
    said = ["KID, precision and recall are against the training images."]
    if pd.notna(row.get("mse")):
        said.append(
            f"Reconstructions of validation images: squared error {row.mse:.4f} a pixel, SSIM {row.ssim:.3f}, "
            f"Pearson {row.pearson:.3f}, FID {row.reconstruction_fid:.1f}."
        )
    key = "fid_train" if pd.notna(row.get("fid_train")) else "mixture_fid_train"
    if kind == "drawn64":
        ruler = row[key.replace("fid", "stand_in_distance")]
        said.append(f"Inception was trained on photographs, so its distances of drawn faces rank models and mean little else. Stand-in: {ruler:.3f}.")
    if pd.notna(row.get("fid_train_of_the_run")):
        said.append(f"Before the weights were rounded to float16, FID train was {row.fid_train_of_the_run:.2f}; after it, {row[key]:.2f}.")
    data = "data/celeba" if kind == "celeba64" else "drawn"
    said.append(f"Measured with the packed weights by `python tools/model_cards.py --data data/celeba {name}`; ")
    said[-1] += "Inception is the original of 2015."
    if key == "fid_train":
        said[-1] += f" The first column alone: `python -m gdl fid {name} --data {data}{' --n 12000' * (data == 'drawn')}`."
    return "\n".join(lines) + "\n\n" + " ".join(said)


def accuracies(model, faces):
    """The section on quality of a classifier."""
    table = model.accuracy(faces.test)
    lines = ["| attribute | accuracy | share | guess | balanced |", "| --- | ---: | ---: | ---: | ---: |"]
    for attribute, row in table.iterrows():
        lines.append(f"| {attribute} | " + " | ".join(f"{value:.3f}" for value in row) + " |")
    lines.append(f"| **mean of the {len(table)}** | " + " | ".join(f"{value:.3f}" for value in table.mean()) + " |")
    said = "Accuracy on the 1,200 test images; *guess* is that of always giving the more frequent answer, *balanced* the mean of the accuracies on "
    return said + "the images with the attribute and on those without.\n\n" + "\n".join(lines)


def write_card(name, model, text, common, quality):
    file = FOLDER / f"{name}.npz"
    size = f"{model.count_params() / 1e6:.1f} million weights, float16, {file.stat().st_size / 1e6:.1f} MB."
    parts = [
        f"# {name}",
        f'{text["what"]} `gdl.pretrained("{name}")`. {size}',
        f"## Data\n\n{common['data']}",
        "## Recipe\n\n```\n" + "\n".join(text["commands"]) + f"\n```\n\n{text['training']}",
        f"## Quality\n\n{quality}",
    ]
    if "seen" in text:
        parts.append(f"![64 images, not chosen](../../docs/models/{name}.jpg)\n\n{text['seen']}")
    parts += [f"## Limits\n\n{text['limits']} {common['limits']}", f"## Licence\n\n{common['licence']}", f"sha256 of `{name}.npz`: `{SHA256[name]}`"]
    return "\n\n".join(parts) + "\n"


def write_page(texts, scores):
    lines = [
        "# The models that come with the course",
        "64 images of each, from the seed 0, not chosen. FID is of 5,000 images against the training images, from codes of the prior, or of a "
        "mixture fitted to the codes of the training images; distances of drawn faces and of photographs are not to be compared. "
        "Each name leads to the model's card: data, commands, all numbers, limits, licence.",
        "| model | FID train | mixture | MB |\n| --- | ---: | ---: | ---: |",
    ]
    for name in SHA256:
        row = scores.loc[name] if name in scores.index else {}
        cells = [f"{row[key]:.1f}" if pd.notna(row.get(key)) else "" for key in ("fid_train", "mixture_fid_train")]
        megabytes = (FOLDER / f"{name}.npz").stat().st_size / 1e6
        lines[-1] += f"\n| [{name}](../gdl/shipped/{name}.md) | {' | '.join(cells)} | {megabytes:.1f} |"
    for name in SHA256:
        if name in scores.index:
            lines += [f"## {name}", f"![64 images](models/{name}.jpg)", texts[name]["seen"]]
    PAGE.write_text("\n\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
