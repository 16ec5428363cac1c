"""What `import gdl` says about a Keras that the course cannot use. That saved files load afterwards is in tests/models/test_saving.py."""

import os
import platform
import subprocess
import sys

import pytest

from gdl.errors import CourseError
from gdl.registration import check_keras, check_settings


@pytest.fixture
def keras_json(tmp_path, monkeypatch):
    """A function that writes a keras.json and makes it the one that counts."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return (tmp_path / "keras.json").write_text


@pytest.mark.parametrize("backend", ["jax", "torch", "numpy"])
def test_another_backend_in_the_environment_is_told(backend, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend)
    with pytest.raises(
        CourseError, match=f"^The environment variable KERAS_BACKEND is '{backend}', and the course needs TensorFlow: set KERAS_BACKEND"
    ):
        check_settings()


def test_the_settings_file_is_read(keras_json):
    for text in ('{"floatx": "float32", "image_data_format": "channels_last", "backend": "jax"}', "{}", "[]", "no JSON"):
        keras_json(text)
        check_settings()  # gdl chooses the backend itself, and Keras ignores what it cannot read
    keras_json('{"image_data_format": "channels_first"}')
    with pytest.raises(
        CourseError, match=r"^Keras's image_data_format is 'channels_first', and the course needs 'channels_last': set it in .*keras.json\.$"
    ):
        check_settings()
    keras_json('{"floatx": "float16"}')
    with pytest.raises(CourseError, match="^Keras's floatx is 'float16', and the course needs 'float32': set it in "):
        check_settings()


@pytest.mark.parametrize("start", [["-m", "gdl"], ["-c", "import gdl"]])
def test_import_says_it_before_anything_else(start):
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run([sys.executable, *start], capture_output=True, text=True, env=environment)
    assert done.returncode == 1 and "KERAS_BACKEND is 'torch'" in done.stderr.splitlines()[-1]
    if start[0] == "-m":
        assert done.stderr.count("\n") == 1, "the command line says the sentence alone"


def test_import_leaves_keras_and_tensorflow_alone():
    program = "import sys, gdl; print('keras' in sys.modules, 'tensorflow' in sys.modules, 'gdl.models' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False False False\n"


@pytest.mark.parametrize("chosen, on", [(None, "True"), ("0", "False")])
def test_import_switches_the_fast_convolutions_on_where_nobody_has_chosen(chosen, on):
    environment = {key: value for key, value in os.environ.items() if key != "TF_ENABLE_ONEDNN_OPTS"}
    environment |= {"TF_ENABLE_ONEDNN_OPTS": chosen} if chosen else {}
    program = "import gdl, tensorflow; from tensorflow.python.framework.test_util import IsMklEnabled; print(IsMklEnabled())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout == f"{on}\n" or platform.machine() not in ("x86_64", "AMD64"), done.stderr


def test_a_keras_that_was_imported_first_is_looked_at(monkeypatch):
    import keras

    check_keras()
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(
        CourseError, match="^Keras runs on jax, and the course needs TensorFlow: set the environment variable KERAS_BACKEND=tensorflow"
    ):
        check_keras()


def test_a_layout_or_precision_for_which_the_models_are_not_made_is_told_at_the_first_model(precision):
    import keras

    import gdl

    for policy in ("float64", "bfloat16", "float16"):
        precision(policy)
        with pytest.raises(CourseError, match=f"^Keras's dtype policy is {policy}, and the course works with float32, mixed_bfloat16, mixed_float16"):
            gdl.VAE(16, 2, (4,))
    for policy in ("mixed_bfloat16", "mixed_float16", "float32"):
        precision(policy)
        gdl.VAE(16, 2, (4,))
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(CourseError, match="call keras.config.set_image_data_format"):
            gdl.VAE(16, 2, (4,))
    finally:
        keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float64")
    try:
        with pytest.raises(CourseError, match=r"call keras.config.set_floatx\('float32'\)\.$"):
            gdl.GAN(16, 2, (4,))
    finally:
        keras.config.set_floatx("float32")
