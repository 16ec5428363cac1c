"""python -m benchmarks inception: speed of the network behind FID in float32 and bfloat16, and how far their scores of ten pairs of sets differ."""

import time

import numpy as np
import pandas as pd
from scipy.ndimage import gaussian_filter

import gdl
from gdl.data.pixels import to_uint8
from gdl.metrics import frechet_distance, inception_features, kernel_distance, precision_recall, statistics
from gdl.metrics.inception import PRECISIONS


def add_options(command):
    command.add_argument("--data", required=True, help="folder of CelebA")
    command.add_argument("--n", type=int, default=1000, help="images of each set, at most as many as there are test photographs")
    command.add_argument("--rounds", type=int, default=5, help="times that the speed of each precision is measured, in turn")


def main(options):
    faces = gdl.CelebA(options.data, size=64)
    print(f"{speeds(faces.train.images[:100], options.rounds).to_string()}\n", flush=True)
    real = features(faces.train.images[: options.n])
    rows = {}
    for name, images in sets(faces, options.n):
        rows[name] = differences(real, features(images))
        print(pd.DataFrame({name: rows[name]}).T.to_string(), flush=True)
    print(f"\n{options.n:,} images of each set against as many training photographs\n\n{pd.DataFrame(rows).T.to_string()}")


def speeds(images, rounds):
    """Images per second, and per second of processor time, which other work on the machine changes less: medians."""
    rows = []
    for turn in range(rounds + 1):
        for precision in PRECISIONS:
            start, processor = time.perf_counter(), time.process_time()
            inception_features(images, precision)
            row = {"images/s": len(images) / (time.perf_counter() - start), "images/CPU s": len(images) / (time.process_time() - processor)}
            if turn:  # the first turn builds the networks
                rows.append({"precision": precision, **row})
    table = pd.DataFrame(rows).groupby("precision", sort=False).median()
    table.loc["ratio"] = table.loc["bfloat16"] / table.loc["float32"]
    return table.round(2)


def sets(faces, n):
    """Pairs of a name and (n, 64, 64, 3) uint8 images, to compare with the first n training photographs."""
    photographs = faces.test.images[:n]
    vae, gan = gdl.pretrained("vae-celeba64"), gdl.pretrained("gan-celeba64")
    noise = np.random.default_rng(0).normal(0, 20, photographs.shape)
    blurred = gaussian_filter(photographs.astype(np.float32), (0, 1, 1, 0))
    yield "test photographs", photographs
    yield "other training photographs", faces.train.images[n : 2 * n]
    yield "gan-celeba64", to_uint8(gan.generate(n, seed=0), gan.architecture.pixel_range)
    yield "vae-celeba64", to_uint8(vae.generate(n, seed=0), vae.architecture.pixel_range)
    yield "reconstructions by vae-celeba64", to_uint8(vae.reconstruct(photographs), vae.architecture.pixel_range)
    yield "test photographs, sharpened", gdl.sharpen(photographs, 3)
    yield "test photographs, blurred", np.rint(blurred).astype(np.uint8)
    yield "test photographs, noisy", np.clip(photographs + noise, 0, 255).astype(np.uint8)
    yield "test photographs, upside down", photographs[:, ::-1]
    yield "drawn faces", gdl.DrawnFaces(n=2 * n, size=64).train.images[:n]


def features(images):
    """The features of the images in each precision, (n, 2048)."""
    return {precision: inception_features(np.ascontiguousarray(images), precision) for precision in PRECISIONS}


def differences(real, generated):
    """FID in both precisions, the difference of each score, and the error of FID if the two sets are computed in different precisions."""
    float32, bfloat16 = (scores(real[precision], generated[precision]) for precision in PRECISIONS)
    mixed = frechet_distance(*statistics(real["float32"]), *statistics(generated["bfloat16"]))
    row = {"FID float32": float32["FID"], "FID bfloat16": bfloat16["FID"]}
    row |= {f"{name} difference": bfloat16[name] - float32[name] for name in float32}
    return {name: round(value, 4) for name, value in (row | {"mixed FID difference": mixed - float32["FID"]}).items()}


def scores(real, generated):
    precision, recall = precision_recall(real, generated)
    distance = frechet_distance(*statistics(real), *statistics(generated))
    return {"FID": distance, "KID": kernel_distance(real, generated)[0], "precision": precision, "recall": recall}
