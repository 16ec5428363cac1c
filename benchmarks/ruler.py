"""python -m benchmarks ruler: does `gdl.metrics.face_distance` put models into the order of FID? 25 models of photographs, of mixed kinds."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.stats import bootstrap, spearmanr

import gdl
from gdl.data.pixels import to_uint8
from gdl.files import whole_file
from gdl.latent.mixture import mixture_codes
from gdl.metrics import classifier_features, frechet_distance, inception_features, kernel_distance, statistics

REAL = 600  # training photographs that everything is compared with
SHIPPED = 300  # features of a set that come with the course
REFERENCE, PHOTOGRAPHS = "training photographs", "validation photographs"


def add_options(command):
    command.add_argument("--data", required=True, help="folder of CelebA")
    command.add_argument("--n", type=int, default=300, help="images of each model")
    command.add_argument("--out", default="runs/ruler", help="folder of the features; a second call goes on where the first one stopped")


def main(options):
    faces, out = gdl.CelebA(options.data, size=64), Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    real = features(out, REFERENCE, lambda: faces.train.images[:REAL])
    rows = []
    for name, images in models(faces, options.n).items():
        inception, face = features(out, name, images)
        fid, face_distance = (frechet_distance(*statistics(mine), *statistics(its)) for mine, its in zip((inception, face), real))
        rows.append(dict(model=name, n=options.n, fid=fid, face_distance=face_distance, kid=kernel_distance(inception, real[0])[0]))
        print(f"{name:40} FID {fid:6.1f}   face distance {face_distance:6.2f}", flush=True)
    table = pd.DataFrame(rows).round(dict(fid=2, face_distance=3, kid=5))
    table.to_csv(out / "ruler.csv", index=False)
    ship(out)
    report(table[table["model"] != PHOTOGRAPHS])


def features(out, name, images):
    """Features of Inception and of the classifier of photographs, from the file of an earlier call or new. -> (n, 2048), (n, 256)"""
    path = out / f"{name}.npz"
    if not path.is_file():
        made = images()
        with whole_file(path) as part:
            np.savez(part, inception=inception_features(made), face=classifier_features(made, "classifier-celeba64"))
    with np.load(path) as both:
        return both["inception"], both["face"]


def models(faces, n):
    """Names, and functions that make (n, 64, 64, 3) uint8 images."""
    vae, autoencoder = gdl.pretrained("vae-celeba64"), gdl.pretrained("autoencoder-z256-celeba64")
    gan, wgan_gp = gdl.pretrained("gan-celeba64"), gdl.pretrained("wgan_gp-celeba64")
    photographs = faces.val.images[:n]

    def samples(model, width=1.0, n=n):
        z = width * np.random.default_rng(0).standard_normal((n, model.architecture.z_dim)).astype(np.float32)
        return to_uint8(model.decode(z), model.architecture.pixel_range)

    def fitted(model, components, width=1.0):
        z = mixture_codes(model, faces.train.images[:4000], n, components)
        return to_uint8(model.decode(z.mean(axis=0) + width * (z - z.mean(axis=0))))

    @cache
    def principal_components():
        """Mean, standard deviations and directions of the pixels."""
        images = faces.train.images[:4000]
        flat = images.reshape(len(images), -1).astype(np.float32)
        mean = flat.mean(axis=0)
        _, scale, directions = np.linalg.svd(flat[:2000] - mean, full_matrices=False)
        return mean, scale / np.sqrt(2000), directions

    def gaussian(rank):
        """Samples of the Gaussian of the first principal components of the pixels."""
        mean, scale, directions = principal_components()
        z = np.random.default_rng(0).standard_normal((n, rank)) * scale[:rank]
        return np.clip(mean + z @ directions[:rank], 0, 255).astype(np.uint8).reshape(n, 64, 64, 3)

    def blurred(images):
        return np.rint(gaussian_filter(images.astype(np.float32), (0, 1, 1, 0))).astype(np.uint8)

    def noisy(images):
        return np.clip(images + np.random.default_rng(0).normal(0, 15, images.shape), 0, 255).astype(np.uint8)

    found = {PHOTOGRAPHS: lambda: photographs}
    for name, model in (("VAE", vae), ("GAN", gan), ("WGAN-GP", wgan_gp)):
        found |= {f"{name}, z x {width:g}": lambda model=model, width=width: samples(model, width) for width in (0.5, 0.75, 1, 1.25)}
    return found | {
        "VAE, mixture of ten Gaussians": lambda: fitted(vae, 10),
        "VAE, sharpened": lambda: gdl.sharpen(samples(vae), 3),
        "VAE, reconstructions": lambda: to_uint8(vae.reconstruct(photographs)),
        "autoencoder, one Gaussian": lambda: fitted(autoencoder, 1),
        "autoencoder, one Gaussian x 0.5": lambda: fitted(autoencoder, 1, 0.5),
        "autoencoder, reconstructions": lambda: to_uint8(autoencoder.reconstruct(photographs)),
        "GAN, blurred": lambda: blurred(samples(gan)),
        "GAN, noisy": lambda: noisy(samples(gan)),
        "GAN, 50 images repeated": lambda: np.resize(samples(gan, n=50), (n, 64, 64, 3)),
        "Gaussian of 8 components": lambda: gaussian(8),
        "Gaussian of 32 components": lambda: gaussian(32),
        "Gaussian of 128 components": lambda: gaussian(128),
        "Gaussian of 512 components": lambda: gaussian(512),
    }


def ship(out):
    """Writes the first features of five sets as float16 into one file, for gdl.metrics.shipped_features."""
    sets = {"train": REFERENCE, "val": PHOTOGRAPHS}
    sets |= {f"{name}-celeba64": f"{kind}, z x 1" for name, kind in (("vae", "VAE"), ("gan", "GAN"), ("wgan_gp", "WGAN-GP"))}
    chosen = {name: features(out, file, None)[0][:SHIPPED].astype(np.float16) for name, file in sets.items()}
    with whole_file(out / "inception-celeba64.npz") as part:
        np.savez_compressed(part, **chosen)


def report(table):
    """Prints the table in the order of FID, and the rank correlations with it."""
    print(f"\n{table.sort_values('fid').to_string(index=False)}\n")
    for score in ("face_distance", "kid"):
        pair = table["fid"].to_numpy(), table[score].to_numpy()
        low, high = bootstrap(pair, lambda x, y: spearmanr(x, y).statistic, paired=True, vectorized=False, rng=0).confidence_interval
        print(f"rank correlation of FID and {score}: {spearmanr(*pair).statistic:.3f}, 95% of bootstraps {low:.3f} to {high:.3f}, n {len(table)}")
