"""What Keras allows in `compile` works and is kept by `save`, or is refused in one sentence; and classes derived from the course's."""

import keras
import numpy as np
import pytest
from keras import optimizers

import gdl
from gdl.models import model_class

X = np.random.default_rng(0).random((8, 16, 16, 3), np.float32)
Y = np.random.default_rng(0).integers(0, 2, (8, 2))
MODELS = {
    "vae": lambda: gdl.VAE(16, 2, (4,)),
    "autoencoder": lambda: gdl.Autoencoder(16, 2, (4,)),
    "gan": lambda: gdl.GAN(16, 2, (4,)),
    "classifier": lambda: gdl.AttributeClassifier(16, ["A", "B"], (4,)),
}
OPTIMIZERS = {
    "word": lambda: "sgd",
    "schedule": lambda: optimizers.Adam(optimizers.schedules.ExponentialDecay(1e-3, 10, 0.9)),
    "clipped": lambda: optimizers.Adam(1e-3, clipnorm=1.0, weight_decay=1e-4),
    "accumulating": lambda: optimizers.SGD(1e-3, gradient_accumulation_steps=2),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.Adam()),
}


def sentence(function, *arguments, **options):
    with pytest.raises(gdl.CourseError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value) and caught.value.__cause__ is None
    return str(caught.value)


def described(model):
    return [{**optimizer.get_config(), "name": ""} for optimizer, _ in model.optimizer_groups]


@pytest.mark.slow
@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_optimizers_work_and_are_kept(optimizer, kind, tmp_path):
    model = MODELS[kind]()
    model.compile(OPTIMIZERS[optimizer](), run_eagerly=True, steps_per_execution=2)
    data = (X, Y) if kind == "classifier" else (X,)
    model.fit(*data, batch_size=4, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert described(again) == described(model) and (again.run_eagerly, again.steps_per_execution) == (True, 2)
    again.fit(*data, batch_size=4, verbose=0)


@pytest.mark.parametrize("wrong", ["adamm", optimizers.Adam, 5, ["adam"], len])
def test_what_is_no_optimizer_is_refused(wrong):
    model = MODELS["vae"]()
    assert sentence(model.compile, wrong).endswith("give one of Keras's, such as 'adam' or keras.optimizers.Adam(1e-3).")
    assert sentence(model.compile, "adam", wrong).startswith("The optimiser is ")
    assert sentence(MODELS["gan"]().compile, wrong).startswith("The optimiser is ")


def test_what_would_have_no_effect_is_refused():
    for kind, made in MODELS.items():
        model = made()
        assert "loss_weights has no effect" in sentence(model.compile, "adam", loss_weights=[1.0])
        assert "weighted_metrics has no effect" in sentence(model.compile, "adam", weighted_metrics=["mse"])
        assert "has a loss of its own" in sentence(model.compile, "adam", loss="mse")
        if kind in ("vae", "gan"):
            assert "has metrics of its own" in sentence(model.compile, "adam", metrics=["mae"])
    averaging = optimizers.Adam(use_ema=True)
    assert "adversarial models have the option ema" in sentence(MODELS["gan"]().compile, averaging)


def test_an_optimizer_trains_one_model():
    optimizer, model = optimizers.Adam(), MODELS["vae"]()
    model.compile(optimizer)
    model.compile(optimizer)
    assert "already trains another model" in sentence(MODELS["vae"]().compile, optimizer)
    optimizer = optimizers.Adam()
    assert "Both networks have the same optimiser" in sentence(MODELS["gan"]().compile, optimizer, optimizer)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_metrics_of_keras_are_computed_and_kept(tmp_path):
    model = MODELS["autoencoder"]()
    model.compile("adam", metrics=["mae"], run_eagerly=True)
    error = model.evaluate(X, verbose=0, return_dict=True)["mae"]
    assert error == pytest.approx(np.abs(model.reconstruct(X) - X).mean(), rel=1e-4), "the target is the image itself"
    assert model.evaluate(X, 0 * X, verbose=0, return_dict=True)["mae"] == pytest.approx(model.reconstruct(X).mean(), rel=1e-4)
    classifier = MODELS["classifier"]()
    for metrics, names in ((None, ["accuracy", "loss"]), ([keras.metrics.AUC(name="auc", from_logits=True)], ["auc", "loss"])):
        classifier.compile("adam", run_eagerly=True, **({} if metrics is None else {"metrics": metrics}))
        classifier.save(tmp_path / "classifier.keras")
        again = keras.models.load_model(tmp_path / "classifier.keras")
        assert sorted(again.evaluate(X, Y, verbose=0, return_dict=True)) == names
    classifier.compile("adam", metrics=[lambda present, logits: 1.0])  # which no file can hold
    with pytest.warns(UserWarning):
        classifier.save(tmp_path / "classifier.keras")
    assert keras.models.load_model(tmp_path / "classifier.keras").compiled


class Sharp(gdl.VAE):
    def __init__(self, image_size=16, z_dim=2, filters=(4,), gamma=1.0, **options):
        super().__init__(image_size, z_dim, filters, **options)
        self.gamma = gamma

    def get_config(self):
        return {**super().get_config(), "gamma": self.gamma}


def made_fixed(z_dim):
    class Fixed(gdl.VAE):
        def __init__(self):
            super().__init__(16, z_dim, (4,))

    return Fixed


def test_classes_of_ones_own_are_found_and_made_again(tmp_path):
    model = Sharp(gamma=3.0)
    model.save(tmp_path / "sharp.keras")
    again = keras.models.load_model(tmp_path / "sharp.keras")
    assert type(again) is model_class("Sharp") is Sharp and again.gamma == 3.0 and again.get_config() == model.get_config()
    first, second = made_fixed(3), made_fixed(3)
    assert model_class("Fixed") is second is not first, "the newest of a name"
    assert second.from_config(first().get_config()).architecture.z_dim == 3
    changed = made_fixed(5)
    assert "its z_dim was 3 and is 5; run the cell with the old definition first" in sentence(changed.from_config, first().get_config())


def test_a_class_that_is_not_defined_is_told():
    assert "a class NeverDefined, which is not defined here: run the cell that defines it" in sentence(model_class, "NeverDefined")
    assert "choose from autoencoder, vae" in sentence(model_class, "vaee")
