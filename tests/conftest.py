"""Shared by all tests: a cache of their own, and small copies of CelebA to read."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]  # of the project
REAL_CELEBA = Path(os.environ.get("GDL_TEST_CELEBA") or ROOT.parent / "shared" / "celeba")
ATTRIBUTES = ("Bald", "Eyeglasses", "Male", "Smiling", "Young")


@pytest.fixture(scope="session", autouse=True)
def cache_folder(tmp_path_factory):
    """The cache and the data of whoever runs the tests are left alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDL_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("GDL_DATA", raising=False)
        yield Path(os.environ["GDL_CACHE"])


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    monkeypatch.setenv("GDL_CACHE", str(tmp_path / "own cache"))
    return tmp_path / "own cache"


@pytest.fixture(scope="session")
def drawn_celeba(tmp_path_factory):
    """Drawn faces in CelebA's official layout."""
    from gdl import drawn

    return drawn.write_celeba(tmp_path_factory.mktemp("drawn"), 10)


@pytest.fixture(params=["real", "drawn"])
def celeba(request):
    """A folder that holds CelebA: the real one where it is, and the drawn copy of its layout."""
    if request.param == "drawn":
        return request.getfixturevalue("drawn_celeba")
    if not REAL_CELEBA.is_dir():
        pytest.skip("CelebA is not there; GDL_TEST_CELEBA names its folder")
    return REAL_CELEBA


@pytest.fixture
def make_celeba(tmp_path):
    """A function that writes a small CelebA of coloured noise: every tenth photograph is val, every tenth test."""

    def make(name="celeba", n=30, layout="official", zipped=False, photos=None):
        root = tmp_path / name
        inner = "img_align_celeba/img_align_celeba" if layout == "kaggle" else "img_align_celeba"
        (root / inner).mkdir(parents=True)
        rng = np.random.default_rng(0)
        names = [f"{i:06d}.jpg" for i in range(1, n + 1)]
        for i, photo in enumerate(names):
            noise = Image.fromarray(rng.integers(0, 256, (7, 6, 3), np.uint8))
            image = (photos or {}).get(i) or noise.resize((178, 218), Image.Resampling.BICUBIC)
            image.save(root / inner / photo, quality=95, subsampling=0)
        values = rng.choice([-1, 1], (n, len(ATTRIBUTES)))
        parts = [{8: 1, 9: 2}.get(i % 10, 0) for i in range(n)]
        if layout == "official":
            rows = [f"{photo} " + " ".join(f"{v:2d}" for v in row) for photo, row in zip(names, values)]
            attributes = "\n".join([str(n), " ".join(ATTRIBUTES) + " ", *rows])
            partition = "\n".join(f"{photo} {part}" for photo, part in zip(names, parts))
            ending = "txt"
        else:
            rows = [",".join(map(str, [photo, *row])) for photo, row in zip(names, values)]
            attributes = "\n".join([",".join(["image_id", *ATTRIBUTES]), *rows])
            partition = "\n".join(["image_id,partition", *(f"{photo},{part}" for photo, part in zip(names, parts))])
            ending = "csv"
        (root / f"list_attr_celeba.{ending}").write_text(attributes + "\n")
        (root / f"list_eval_partition.{ending}").write_text(partition + "\n")
        if zipped:
            zip_photos(root)
        return root

    return make


def zip_photos(root):
    """Replace the folder img_align_celeba by a zip of the same files."""
    with zipfile.ZipFile(root / "img_align_celeba.zip", "w") as archive:
        for photo in sorted((root / "img_align_celeba").iterdir()):
            archive.write(photo, f"img_align_celeba/{photo.name}")
            photo.unlink()
    (root / "img_align_celeba").rmdir()


def step(model, x):
    """One training step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.train_on_batch(x, return_dict=True).items()}


def validate(model, x):
    """One validation step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.test_on_batch(x, return_dict=True).items()}
