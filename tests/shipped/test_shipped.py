"""The models that come with the course: whole, finite, varied, in half precision, and packed from the run they are said to be."""

import hashlib
import json
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from conftest import REAL_CELEBA
from pack_model import main as pack
from PIL import Image

import gdl
from gdl import shipped
from gdl.cli import main as command_line
from gdl.pictures.plots import grid
from gdl.shipped import FOLDER, SHA256

GENERATORS = [
    "conditional_gan-celeba64",
    "conditional_gan-drawn64",
    "gan-celeba64",
    "gan-drawn64",
    "vae-celeba64",
    "vae-drawn64",
    "wgan-drawn64",
    "wgan_gp-celeba64",
    "wgan_gp-drawn64",
]
AUTOENCODERS = ["autoencoder-drawn64", "autoencoder-z256-celeba64", "vae_gan-celeba64", "vae_gan-drawn64"]
FLOWS = ["latent_flow-celeba64", "latent_flow-drawn64"]


@pytest.fixture(scope="module", params=GENERATORS)
def generator(request):
    return request.param, gdl.pretrained(request.param)


@pytest.fixture(scope="module")
def classifier(generator):
    """The one for the faces that the generator has learned from."""
    return gdl.pretrained(f"classifier-{pictures(generator[0])}")


def pictures(name):
    return name.split("-")[-1]


@pytest.mark.parametrize("name", SHA256)
def test_each_is_small_has_its_checksum_and_a_card(name):
    content = (FOLDER / f"{name}.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256[name] and len(content) <= (6e6 if name == "vae-celeba64" else 4e6)
    card = (FOLDER / f"{name}.md").read_text()
    assert SHA256[name] in card and f"--data {'drawn' if pictures(name) == 'drawn64' else 'data/celeba'}" in card
    licence = ("CC BY 4.0",) if pictures(name) == "drawn64" else ("Non-commercial research only", "Liu")
    assert all(words in card for words in licence) and "python -m gdl train" in card
    with np.load(FOLDER / f"{name}.npz", allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        assert all(arrays[f"weight {i}"].dtype == np.float16 for i in range(about["weights"]))


def test_what_is_there_is_what_is_listed_and_small_together():
    assert {file.stem for file in FOLDER.glob("*.npz")} == {file.stem for file in FOLDER.glob("*.md")} == set(SHA256)
    assert set(SHA256) == {*GENERATORS, *AUTOENCODERS, *FLOWS, "classifier-celeba64", "classifier-drawn64"}
    sizes = {file.stem: file.stat().st_size for file in FOLDER.glob("*.npz")}
    later = {name for name in sizes if name.startswith(("conditional", "vae_gan", "latent_flow"))}  # of chapters 10 to 12
    assert sum(sizes[name] for name in later) < 16e6 and sum(sizes[name] for name in set(sizes) - later) < 30e6
    assert list(SHA256) == sorted(SHA256)


def test_samples_are_finite_varied_and_faces_of_many_kinds(generator, classifier):
    name, model = generator
    low, high = model.architecture.pixel_range
    images = model.generate(128, seed=3)
    assert images.shape == (128, 64, 64, 3) and np.isfinite(images).all() and images.min() >= low and images.max() <= high
    unit = (images - low) / (high - low)
    assert unit.std(axis=0).mean() > 0.12, "the same picture again and again has none"
    pairs = np.square(unit[:64] - unit[64:]).sum(axis=(1, 2, 3))
    assert np.median(pairs) > 200, "two photographs of CelebA are about 800 apart"
    seen = classifier.predict_attributes(unit) > 0.5
    for attribute in ("Male", "Smiling", "Young", "Mouth_Slightly_Open"):
        assert 0.1 < seen[attribute].mean() < 0.95, attribute
    assert np.array_equal(model.generate(4, seed=3), gdl.pretrained(name).generate(4, seed=3))


def test_the_conditional_gan_does_as_it_is_told():
    model, classifier = gdl.pretrained("conditional_gan-drawn64"), gdl.pretrained("classifier-drawn64")
    for attribute in ("Smiling", "Wearing_Lipstick", "Blond_Hair", "Bangs"):
        shares = [
            classifier.predict_attributes(model.unit_range(model.generate(64, **{attribute: v})))[attribute].gt(0.5).mean() for v in (True, False)
        ]
        assert shares[0] > 0.8 and shares[1] < 0.2, (attribute, shares)


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOWS)
def test_flows_make_faces_that_show_what_is_asked(name):
    model, classifier = gdl.pretrained(name), gdl.pretrained(f"classifier-{pictures(name)}")
    model.steps = 8
    seen = {value: classifier.predict_attributes(model.generate(48, seed=1, Smiling=value)).gt(0.5).mean() for value in (True, False)}
    assert seen[True].Smiling > 0.8 and seen[False].Smiling < 0.3
    assert 0.1 < seen[True].Male < 0.9, "nothing was said about it"


@pytest.mark.parametrize("name", AUTOENCODERS)
def test_reconstructions_are_like_the_images(name):
    """No photograph is here: the model of photographs, too, gets drawn faces, which it has never seen."""
    model, vectors = gdl.pretrained(name), gdl.pretrained_vectors(name)
    x = gdl.DrawnFaces(40, size=64, seed=5).train.images
    assert gdl.metrics.mean_squared_error(x, model.reconstruct(x)).mean() < 0.1 * (x / 255).var(axis=0).mean()
    assert vectors.shape[1] == model.architecture.z_dim and len(vectors) >= 30 and np.isfinite(vectors.to_numpy()).all()


@pytest.mark.slow
@pytest.mark.parametrize("balanced", [False, True])
def test_vectors_do_what_they_say(generator, classifier, balanced):
    name, model = generator
    vectors = gdl.pretrained_vectors(name, balanced)
    assert vectors.shape[1] == model.architecture.z_dim and np.isfinite(vectors.to_numpy()).all()
    assert set(vectors.index) <= set(classifier.attributes) and len(vectors) >= 30
    low, high = model.architecture.pixel_range
    z = np.random.default_rng(0).standard_normal((64, model.architecture.z_dim))

    def seen(codes):
        return classifier.predict_attributes((model.decode(codes) - low) / (high - low)).mean()

    least = 0.1 if getattr(model, "conditions", ()) else 0.3  # what a model can be told, its codes need not say
    for attribute in ("Smiling", "Male", "Blond_Hair"):
        vector = vectors.loc[attribute].to_numpy()
        assert seen(z + 1.5 * vector)[attribute] > seen(z - 1.5 * vector)[attribute] + least


def test_the_discriminator_that_comes_with_the_gan_distinguishes_photographs_from_its_samples():
    if not REAL_CELEBA.is_dir():
        pytest.skip("CelebA is not there; GDL_TEST_CELEBA names its folder")
    gan = gdl.pretrained("gan-celeba64")
    photographs = gdl.CelebA(REAL_CELEBA, size=64, n=600).test.images
    assert np.median(gan.score(photographs)) > np.median(gan.score(gan.generate(64))) + 0.3


def test_the_command_line_takes_their_names(tmp_path):
    command_line(["sample", "gan-celeba64", "--n", "8", "--seed", "3", "--out", str(tmp_path / "faces.png")])
    gan = gdl.pretrained("gan-celeba64")
    with Image.open(tmp_path / "faces.png") as picture:
        assert np.array_equal(np.asarray(picture), grid(gan.generate(8, seed=3), (-1, 1)))


def test_an_unknown_missing_or_damaged_model_is_one_sentence(monkeypatch, tmp_path):
    with pytest.raises(
        gdl.CourseError,
        match="No model 'vae-celeba' comes with the course: choose from autoencoder-drawn64, autoencoder-z256-celeba64, "
        + ", ".join(list(SHA256)[2:]),
    ):
        gdl.pretrained("vae-celeba")
    with pytest.raises(gdl.CourseError, match="comes without attribute vectors"):
        gdl.pretrained_vectors("classifier-celeba64")
    content = bytearray((FOLDER / "gan-celeba64.npz").read_bytes())
    monkeypatch.setattr(shipped, "FOLDER", tmp_path)
    with pytest.raises(gdl.CourseError, match="is missing: install the course again"):
        gdl.pretrained("gan-celeba64")
    content[len(content) // 2] ^= 1
    (tmp_path / "gan-celeba64.npz").write_bytes(content)
    with pytest.raises(gdl.CourseError, match="is damaged"):
        gdl.pretrained("gan-celeba64")


def packed(monkeypatch, capsys, folder, *arguments):
    """Packs a run as the module's command does, and makes its checksum known. Returns the name."""
    monkeypatch.setattr(shipped, "FOLDER", folder)
    monkeypatch.setitem(pack.__globals__, "FOLDER", folder)
    monkeypatch.setattr(sys, "argv", ["pack_model.py", "tiny", *map(str, arguments)])
    capsys.readouterr()
    pack()
    name, checksum = capsys.readouterr().out.splitlines()[-1].split(",")[0].replace('"', "").split(": ")
    monkeypatch.setitem(SHA256, name, checksum)
    return name


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(200, size=32)


@pytest.mark.slow
def test_a_packed_vae_makes_the_same_images_and_brings_its_vectors(monkeypatch, capsys, tmp_path, faces, drawn_celeba):
    keras.utils.set_random_seed(0)
    gdl.train(gdl.VAE(32, 4, (8, 16)), faces, epochs=1, run=tmp_path / "run", quiet=True)
    name = packed(monkeypatch, capsys, tmp_path, tmp_path / "run", "--data", drawn_celeba)
    model, original = gdl.pretrained(name), gdl.load(tmp_path / "run")
    np.testing.assert_allclose(model.generate(4), original.generate(4), atol=5e-3)
    data = gdl.CelebA(drawn_celeba, size=32).train
    smile = data.attributes["Smiling"].to_numpy()
    codes = original.encode(data.images)
    expected = codes[smile].mean(axis=0) - codes[~smile].mean(axis=0)
    np.testing.assert_allclose(gdl.pretrained_vectors(name).loc["Smiling"], expected, atol=2e-3)


@pytest.mark.slow
def test_a_packed_vae_has_its_averaged_networks_and_its_variance(monkeypatch, capsys, tmp_path, faces):
    keras.utils.set_random_seed(0)
    gdl.train(gdl.VAE(32, 4, (8, 16), ema=0.9, reconstruction="gaussian"), faces, epochs=1, run=tmp_path / "run", quiet=True)
    model, original = gdl.pretrained(packed(monkeypatch, capsys, tmp_path, tmp_path / "run")), gdl.load(tmp_path / "run")
    assert model.ema is None and original.ema == 0.9 and float(model.log_var) == pytest.approx(float(original.log_var), rel=1e-3) != 0
    np.testing.assert_allclose(model.generate(4), original.generate(4), atol=5e-3)
    np.testing.assert_allclose(model.encode(faces.val.images), original.encode(faces.val.images), atol=1e-2)


@pytest.mark.slow
def test_a_packed_gan_has_its_averaged_generator_and_vectors_by_a_classifier(monkeypatch, capsys, tmp_path, faces):
    keras.utils.set_random_seed(0)
    gdl.train(gdl.GAN(32, 4, (8, 16), ema=0.5, pixel_range=(-1, 1)), faces, epochs=1, run=tmp_path / "gan", quiet=True)
    judge = gdl.AttributeClassifier(32, ("Smiling", "Male", "Young"), (8, 16))
    gdl.train(judge, faces, epochs=1, run=tmp_path / "judge", quiet=True)
    monkeypatch.setitem(pack.__globals__, "SAMPLES", 400)

    def coin(images):  # the tiny classifier may see the same in all samples
        return pd.DataFrame({"Bright": images.mean(axis=(1, 2, 3)) > np.median(images.mean(axis=(1, 2, 3))), "Never": np.zeros(len(images))})

    monkeypatch.setattr(gdl.AttributeClassifier, "predict_attributes", lambda self, images: coin(images))
    name = packed(monkeypatch, capsys, tmp_path, tmp_path / "gan", "--classifier", tmp_path / "judge")
    model, original = gdl.pretrained(name), gdl.load(tmp_path / "gan")
    assert model.ema is None and original.ema == 0.5
    np.testing.assert_allclose(model.generate(4), original.generate(4), atol=1e-2)
    x = original.generate(4)
    np.testing.assert_allclose(model.score(x), original.score(x), rtol=2e-2, atol=1e-3)
    vectors = gdl.pretrained_vectors(name)
    assert list(vectors.index) == ["Bright"], "what no sample has, has no vector"
    monkeypatch.setattr(sys, "argv", ["pack_model.py", "tiny", str(tmp_path / "gan"), "--data", "somewhere"])
    with pytest.raises(gdl.CourseError, match="A GAN has no encoder"):
        pack()
    monkeypatch.setattr(sys, "argv", ["pack_model.py", "tiny", str(tmp_path / "gan"), "--classifier", str(tmp_path / "gan")])
    with pytest.raises(gdl.CourseError, match="contains a GAN: give the folder of a trained classifier"):
        pack()


@pytest.mark.slow
def test_a_packed_vae_gan_and_a_packed_flow_on_its_codes_have_all_their_parts(monkeypatch, capsys, tmp_path, faces):
    keras.utils.set_random_seed(0)
    judge = gdl.AttributeClassifier(32, ("Smiling", "Male"), (8, 16))
    options = dict(spatial_code=True, perceptual=1.0, classifier=judge, ema=0.5)
    gdl.train(gdl.VAEGAN(32, 64 * 2, (8, 16), **options), faces, epochs=1, run=tmp_path / "vae_gan", quiet=True)
    original = gdl.load(tmp_path / "vae_gan")
    model = gdl.pretrained(packed(monkeypatch, capsys, tmp_path, tmp_path / "vae_gan"))
    x = faces.val.images
    np.testing.assert_allclose(model.reconstruct(x), original.reconstruct(x), atol=1e-2)
    np.testing.assert_allclose(model.score(x), original.score(x), rtol=2e-2, atol=1e-3)
    for mine, its in zip(model.classifier.get_weights(), original.classifier.get_weights()):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=1e-6)

    flow = gdl.LatentFlow(32, original, conditions=["Smiling"], filters=(8, 16), steps=2, ema=0.5)
    gdl.train(flow, faces, epochs=1, run=tmp_path / "flow", quiet=True)
    model, original = gdl.pretrained(packed(monkeypatch, capsys, tmp_path, tmp_path / "flow")), gdl.load(tmp_path / "flow")
    assert model.ema is None and original.ema == 0.5
    np.testing.assert_allclose(model.generate(4, Smiling=True), original.generate(4, Smiling=True), atol=1e-2)
    for mine, its in zip(model.network.get_weights(), original.network_for(training=False).get_weights()):
        np.testing.assert_allclose(mine, its, rtol=1e-3, atol=1e-6)
    differences = [np.abs(mine - its).max() for mine, its in zip(model.network.get_weights(), original.network.get_weights())]
    assert max(differences) > 1e-4, "the average was packed, and not what was trained"
