"""Shared by all tests: a cache of their own, small copies of CelebA to read, and which test may be skipped."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]  # of the project
REAL_CELEBA = Path(os.environ.get("GDL_TEST_CELEBA") or ROOT.parent / "shared" / "celeba")
ATTRIBUTES = ("Bald", "Eyeglasses", "Male", "Smiling", "Young")


# In continuous integration (CI=true) a skipped test fails, except for these reasons: what the reason begins with -> when it holds.
ALLOWED_SKIPS = {
    "CelebA is not there": not os.environ.get("GDL_TEST_CELEBA") and not (ROOT.parent / "shared").is_dir(),
    "This needs the real weights, and there is no network": True,  # of Inception, 81 MB
    "whoever may read everything is refused nothing": os.name == "nt" or os.geteuid() == 0,
    "only root can start it so": os.name != "nt" and os.geteuid() != 0,
}


def fail_silent_skip(report):
    """Turns the report of a skipped test into a failure where the reason is not on the list."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not any(reason.startswith(begin) for begin, holds in ALLOWED_SKIPS.items() if holds):
            report.outcome = "failed"
            report.longrepr = f"Skipped in continuous integration, which must not happen: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return fail_silent_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return fail_silent_skip((yield))


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    """One cache for all tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", autouse=True)
def cache_folder(session_cache):
    """The cache, the data and the settings of whoever runs the tests are left alone, and those of notebooks that the same process tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GDL_CACHE", str(session_cache))
        for name in ("GDL_CHECKS", "GDL_DATA", "GDL_RUNS"):
            patch.delenv(name, raising=False)
        yield session_cache


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


def refused(said, function, *options, **more):
    """The call must end in a DataError of one line that says so, without a cause to read through."""
    from gdl.errors import DataError

    with pytest.raises(DataError, match=said) as caught:
        function(*options, **more)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def step(model, x):
    """One training step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.train_on_batch(x, return_dict=True).items()}


def validate(model, x):
    """One validation step. Returns the metrics of this batch alone."""
    model.reset_metrics()
    return {name: float(value) for name, value in model.test_on_batch(x, return_dict=True).items()}


def values(variables):
    """Copies of variables as NumPy arrays."""
    import keras

    return [np.copy(keras.ops.convert_to_numpy(variable)) for variable in variables]


def states(model):
    """All weights and the state of all optimisers."""
    return values(model.weights) + [array for optimizer, _ in model.optimizer_groups for array in values(optimizer.variables)]


def draw_alike(*models):
    """Sets all that draws, dropout too, as gdl.train does at each epoch."""
    for model in models:
        for variable in model.variables:
            if variable.path.endswith("seed_generator_state"):
                variable.assign([3, 3])


def same(before, after):
    """For each pair of arrays, whether they are equal bit for bit."""
    return [np.array_equal(a, b) for a, b in zip(before, after, strict=True)]


@pytest.fixture
def precision():
    """A function that sets the global precision, which is float32 again after the test."""
    import keras

    before = keras.config.dtype_policy()
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy(before)


def run_program(path, *arguments, timeout=300):
    """Runs a Python file in a process of its own. Returns what it printed; fails with its last words if it failed."""
    done = subprocess.run([sys.executable, str(path), *map(str, arguments)], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout
