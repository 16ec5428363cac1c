"""Networks and models that Keras has saved, copied or described give the same numbers wherever gdl is imported."""

import copy
import json
import pickle
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import run_program

import gdl
from gdl.models.fast_layers import BatchNormalization, Conv2D, Conv2DTranspose, LeakyReLU
from gdl.models.layers import PixelShuffle
from gdl.registration import CLASSES, registered_names

Z = np.random.default_rng(0).standard_normal((3, 2)).astype("float32")
X = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
MODELS = {
    "averaged": lambda: gdl.VAE(16, 2, (4, 8), ema=0.9, reconstruction="gaussian"),
    "plain": lambda: gdl.VAE(16, 2, (4, 8)),
    "residual": lambda: gdl.Autoencoder(16, 2, (4, 8), residual=True, dropout=0.2),
    "resnet18": lambda: gdl.VAE(16, 2, (4, 8), residual="resnet18", kernel_sizes=(5, 3), narrow_dense=8),
    "resize": lambda: gdl.VAE(16, 2, (4, 8), downsampling="dilation", upsampling="resize", pixel_range=(-1, 1)),
    "shuffle": lambda: gdl.VAE(16, 2, (4, 8), upsampling="pixel_shuffle", batch_norm=False),
    "layers": lambda: gdl.WGANGP(16, 2, (4, 8), batch_norm=False, layer_norm=True, critic_norm="layer"),
    "batch": lambda: gdl.GAN(16, 2, (4, 8), critic_norm="batch", ema=0.9),
    "clipped": lambda: gdl.WGAN(16, 2, (4,)),
    "classifier": lambda: gdl.AttributeClassifier(16, ["A", "B"], (4,)),
}
NETWORKS = ("encoder", "decoder", "averaged_encoder", "averaged_decoder", "generator", "critic", "network")


def shaken(model):
    """The model with weights of which none is 0 or 1."""
    rng = np.random.default_rng(1)
    for name in NETWORKS:
        if network := getattr(model, name, None):
            network.set_weights([weight + 0.1 * np.abs(rng.standard_normal(weight.shape)) for weight in network.get_weights()])
    return model


def outputs(network):
    return [np.asarray(output) for output in keras.tree.flatten(network(Z if len(network.input_shape) == 2 else X))]


def same_outputs(one, other):
    return all(np.array_equal(a, b) for a, b in zip(outputs(one), outputs(other), strict=True))


def with_weights_of(copied, original):
    copied.set_weights(original.get_weights())
    return copied


def saved(network, path):
    network.save(path)
    return keras.models.load_model(path)


COPIES = {
    "h5": lambda network, folder: saved(network, folder / "network.h5"),
    "keras": lambda network, folder: saved(network, folder / "network.keras"),
    "clone": lambda network, folder: with_weights_of(keras.models.clone_model(network), network),
    "json": lambda network, folder: with_weights_of(keras.models.model_from_json(network.to_json()), network),
    "config": lambda network, folder: with_weights_of(keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(network)), network),
    "deepcopy": lambda network, folder: copy.deepcopy(network),
    "pickle": lambda network, folder: pickle.loads(pickle.dumps(network)),
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", MODELS)
def test_every_network_is_the_same_after_each_kind_of_copy(kind, tmp_path):
    model = shaken(MODELS[kind]())
    networks = {name: network for name in NETWORKS if (network := getattr(model, name, None))}
    for how, copied in COPIES.items():
        for name, network in networks.items():
            assert same_outputs(network, copied(network, tmp_path)), (how, name)
        if how != "h5":
            whole = copied(model, tmp_path)
            assert type(whole) is type(model) and whole.get_config() == model.get_config()
            assert all(same_outputs(network, getattr(whole, name)) for name, network in networks.items()), how


@pytest.fixture(scope="module")
def saved_files(tmp_path_factory):
    """Networks and a whole model as files, each with its outputs beside it."""
    folder = tmp_path_factory.mktemp("saved")
    for kind in ("plain", "shuffle", "layers", "classifier"):
        model = shaken(MODELS[kind]())
        files = {f"{kind}-{name}.{ending}": getattr(model, name) for name in NETWORKS if getattr(model, name, None) for ending in ("keras", "h5")}
        for name, network in {**files, f"{kind}-whole.keras": model}.items():
            network.save(folder / name)
            np.save(folder / f"{name}.npy", np.stack(outputs(decoder_of(network))))
    np.save(folder / "z.npy", Z)
    np.save(folder / "x.npy", X)
    return folder


def decoder_of(model):
    return getattr(model, "decoder", getattr(model, "network", model))


@pytest.mark.slow
@pytest.mark.parametrize("order", ["gdl keras", "keras gdl", "keras"])
def test_saved_files_load_wherever_gdl_is_imported(order, saved_files):
    found = json.loads(run_program(Path(__file__).parent / "programs" / "load_anywhere.py", order, saved_files))
    assert len(found) == 20
    if "gdl" in order:
        assert set(found.values()) == {0.0}
    else:  # where nothing knows the course's layers, no file is read with Keras's own
        assert set(found.values()) <= {"ValueError", "TypeError"}


def test_every_layer_has_a_name_of_its_own_and_its_numbers_in_its_config():
    for layer in (LeakyReLU, BatchNormalization, Conv2D, Conv2DTranspose, PixelShuffle, gdl.Sampling):
        name = keras.saving.get_registered_name(layer)
        package, _, own = name.partition(">")
        assert package == "gdl" and not hasattr(keras.layers, own), name
    assert LeakyReLU().get_config()["negative_slope"] == 0.2
    assert np.allclose(keras.layers.LeakyReLU.from_config(LeakyReLU().get_config())(np.array([-1.0])), -0.2), "even Keras's own would take them"
    assert LeakyReLU.from_config(LeakyReLU(0.1).get_config())(np.array([-1.0])).numpy() == np.float32(-0.1)
    assert LeakyReLU.from_config({"name": "of version 0.1.0"})(np.array([-1.0])).numpy() == np.float32(-0.2)
    assert BatchNormalization.from_config(BatchNormalization(momentum=0.7, epsilon=0.1).get_config()).momentum == 0.7
    seeded = gdl.Sampling.from_config(gdl.Sampling(seed=3).get_config())
    assert np.array_equal(seeded(Z, Z), gdl.Sampling(seed=3)(Z, Z))


def test_the_names_that_files_may_have_all_lead_to_the_class():
    known = keras.saving.get_custom_objects()
    for name in CLASSES:
        for alias in registered_names(name):
            assert alias in known
    assert registered_names("FastConv2D") == ["gdl>FastConv2D", "gdl>Conv2D"]
    layer = known["gdl>LeakyReLU"].from_config({"name": "a", "negative_slope": 0.5})
    assert type(layer) is LeakyReLU and layer.negative_slope == 0.5
    assert "VAE" not in known and "LeakyReLU" not in known, "a plain name could take the place of somebody else's class"


def test_weights_are_named_as_before(tmp_path):
    import h5py

    gdl.VAE(16, 2, (4, 8)).save_weights(tmp_path / "vae.weights.h5")
    with h5py.File(tmp_path / "vae.weights.h5") as file:
        assert {"leaky_re_lu", "batch_normalization", "conv2d", "conv2d_1"} <= set(file["encoder/layers"])


def test_a_whole_model_is_no_hdf5(tmp_path):
    with pytest.raises(gdl.CourseError, match=r"vae\.h5: HDF5 cannot hold a whole VAE: save it as \.keras") as error:
        MODELS["plain"]().save(tmp_path / "vae.h5")
    assert "\n" not in str(error.value) and not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_model_and_a_network_can_be_exported(tmp_path):
    model = shaken(MODELS["batch"]())
    model.export(tmp_path / "model", verbose=False)
    model.generator.export(tmp_path / "generator", verbose=False)
    assert np.allclose(tf.saved_model.load(tmp_path / "model").serve(Z), model.decoder(Z), atol=1e-6)
    assert np.allclose(tf.saved_model.load(tmp_path / "generator").serve(Z), model.generator(Z), atol=1e-6)
    vae = MODELS["plain"]()
    vae.export(tmp_path / "vae", verbose=False)
    assert tf.saved_model.load(tmp_path / "vae").serve(X).shape == X.shape
