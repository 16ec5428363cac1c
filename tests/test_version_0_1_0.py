"""Files that version 0.1.0 wrote are read: Keras's whole models, and run folders, which go on.

They were written before the package had rooms: the classes were registered as `gdl.vae>VAE`, and a GAN had the option
image_noise. The numbers below are what that version made of them.
"""

import json
import shutil
from pathlib import Path

import keras
import numpy as np
import pytest

import gdl
from gdl.models import readable_options

FILES = Path(__file__).parent / "version_0_1_0"


@pytest.mark.parametrize("name", ["VAE", "GAN"])
def test_keras_files_are_read(name, tmp_path):
    kind = getattr(gdl, name)
    model = keras.models.load_model(FILES / f"{name.lower()}.keras")
    made = np.load(FILES / "made.npz")
    assert type(model) is kind and "image_noise" not in model.get_config()
    assert np.allclose(model.generate(3), made[name.lower()], atol=1e-5)
    if name == "VAE":
        assert np.allclose(model.encode(made["x"]), made["vae_codes"], atol=1e-5)
    assert [int(optimizer.iterations) for optimizer, _ in model.optimizer_groups] == ([2] if name == "VAE" else [2, 2])
    model.save(tmp_path / "again.keras")
    assert np.array_equal(keras.models.load_model(tmp_path / "again.keras").generate(3), model.generate(3))
    assert keras.saving.get_registered_name(kind) == f"gdl>{name}", "where a class lies in the package is not written any more"


def test_a_run_folder_is_read_and_goes_on(tmp_path):
    shutil.copytree(FILES / "gan_run", tmp_path / "run")
    made = np.load(FILES / "made.npz")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["options"]["image_noise"] == 0
    assert np.allclose(gdl.load(tmp_path / "run").generate(3), made["run_after_2"], atol=1e-5)
    keras.utils.set_random_seed(1)
    model = gdl.GAN(16, 2, (4,), ema=0.9)
    history = gdl.train(model, gdl.DrawnFaces(60, 16), 3, run=tmp_path / "run", batch_size=16, halve_every=1, flip=True, quiet=True)
    assert history.index.tolist() == [1, 2, 3]
    assert np.allclose(model.generate(3), made["run_after_3"], atol=1e-4), "the third epoch is that of the version before"


def test_a_retired_option_that_did_something_is_one_sentence():
    assert readable_options({"z_dim": 2, "image_noise": 0.0}) == {"z_dim": 2}
    with pytest.raises(gdl.CourseError, match="made with image_noise=0.1, an option that the course no longer has") as error:
        readable_options({"image_noise": 0.1})
    assert "\n" not in str(error.value)
