"""What Keras allows in `compile` and as callbacks: it continues bit for bit and is loaded again, or is refused before any training."""

import inspect

import keras
import numpy as np
import pandas as pd
import pytest

import gdl

SCHEDULES = keras.optimizers.schedules
NAMES = sorted(
    name for name, kind in vars(keras.optimizers).items()
    if inspect.isclass(kind) and issubclass(kind, keras.optimizers.Optimizer) and name not in ("Optimizer", "LossScaleOptimizer", "MultiOptimizer")
)  # fmt: skip
OPTIMIZERS = {name: lambda name=name: getattr(keras.optimizers, name)(1e-3) for name in NAMES} | {
    "clipnorm": lambda: keras.optimizers.Adam(1e-3, clipnorm=0.5),
    "global_clipnorm": lambda: keras.optimizers.SGD(1e-3, momentum=0.9, global_clipnorm=0.5),
    "weight_decay": lambda: keras.optimizers.AdamW(1e-3, weight_decay=0.1),
    "accumulation": lambda: keras.optimizers.Adam(1e-3, gradient_accumulation_steps=2),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(1e-3)),
    "no round rate": lambda: keras.optimizers.Adam(1e-3 / 7),
    "exponential": lambda: keras.optimizers.Adam(SCHEDULES.ExponentialDecay(1e-3 / 3, 2, 1 / 3)),
    "cosine": lambda: keras.optimizers.Adam(SCHEDULES.CosineDecay(1e-4, 4, warmup_target=1e-3, warmup_steps=2)),
    "restarts": lambda: keras.optimizers.Adam(SCHEDULES.CosineDecayRestarts(1e-3, 2)),
    "inverse": lambda: keras.optimizers.Adam(SCHEDULES.InverseTimeDecay(1e-3, 2, 0.5)),
    "pieces": lambda: keras.optimizers.SGD(SCHEDULES.PiecewiseConstantDecay([2, 4], [1e-3, 5e-4, 1e-4])),
    "polynomial": lambda: keras.optimizers.RMSprop(SCHEDULES.PolynomialDecay(1e-3, 5)),
}


@pytest.fixture(scope="module")
def faces():
    return gdl.DrawnFaces(60, 16)


def made(kind=gdl.Autoencoder, *optimizers):
    keras.utils.set_random_seed(1)
    model = kind(16, 2, (4,))
    if optimizers:
        model.compile(*optimizers)
    return model


def train(model, faces, epochs, run, **options):
    return gdl.train(model, faces, epochs, run=run, **{"batch_size": 16, "steps_per_epoch": 2, "seed": 1, "quiet": True, **options})


def state(model):
    variables = [*model.variables, *(variable for optimizer, _ in model.optimizer_groups for variable in optimizer.variables)]
    return [keras.ops.convert_to_numpy(variable) for variable in variables if not variable.path.endswith("seed_generator_state")]


def equal(one, two):
    return all(np.array_equal(*pair) for pair in zip(state(one), state(two), strict=True))


def refused(words, *arguments, **options):
    with pytest.raises(gdl.CourseError, match=words) as error:
        train(*arguments, **options)
    assert "\n" not in str(error.value)


@pytest.fixture
def no_fit(monkeypatch):
    for kind in (gdl.Autoencoder, gdl.GAN, gdl.VAE):
        monkeypatch.setattr(kind, "fit", lambda *arguments, **options: pytest.fail("it trains"))


@pytest.mark.slow
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_is_loaded_again_with_its_settings_and_its_state(tmp_path, faces, name):
    model = made(gdl.Autoencoder, OPTIMIZERS[name]())
    model.run_eagerly = True  # which is quicker than to build a graph for one step
    train(model, faces, 2, tmp_path / "run", steps_per_epoch=1)
    loaded = gdl.load(tmp_path / "run")
    assert equal(loaded, model) and int(loaded.optimizer.iterations) > 0
    one, two = ({**model.optimizer.get_config(), "name": "", "inner_optimizer": None} for model in (loaded, model))
    assert str(one) == str(two)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["accumulation", "exponential", "loss scale", "no round rate"])
def test_optimizers_continue_bit_for_bit(tmp_path, faces, name):
    whole = made(gdl.Autoencoder, OPTIMIZERS[name]())
    train(whole, faces, 3, tmp_path / "whole")
    train(made(gdl.Autoencoder, OPTIMIZERS[name]()), faces, 1, tmp_path / "parts")
    loaded = gdl.load(tmp_path / "parts")
    train(loaded, faces, 3, tmp_path / "parts")
    assert equal(loaded, whole)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [gdl.GAN, gdl.VAE])
def test_two_optimizers_with_schedules(tmp_path, faces, kind):
    def both():
        return OPTIMIZERS["exponential"](), OPTIMIZERS["pieces"]()

    whole = made(kind, *both())
    train(whole, faces, 2, tmp_path / "whole")
    for _ in range(2):
        train(made(kind, *both()), faces, 1, tmp_path / "parts")
    loaded = gdl.load(tmp_path / "parts")
    history = train(loaded, faces, 2, tmp_path / "parts")
    assert equal(loaded, whole)
    rate = SCHEDULES.ExponentialDecay(1e-3 / 3, 2, 1 / 3)
    assert history["learning_rate"].tolist() == pytest.approx([float(rate(2)), float(rate(4))])


@pytest.mark.slow
def test_metrics_are_loaded_again_and_may_change(tmp_path, faces):
    model = made(gdl.Autoencoder)
    model.compile("sgd", metrics=["mae"])
    assert "mae" in train(model, faces, 1, tmp_path / "run")
    assert "mae" in train(gdl.load(tmp_path / "run"), faces, 2, tmp_path / "run").loc[2].dropna()
    assert len(train(made(gdl.Autoencoder, keras.optimizers.SGD()), faces, 3, tmp_path / "run")) == 3


class Constant(SCHEDULES.LearningRateSchedule):
    def __call__(self, step):
        return 1e-3

    def get_config(self):
        return {}


class Mine(keras.optimizers.SGD):
    pass


@pytest.mark.parametrize(
    "optimizer",
    [lambda: keras.optimizers.Adam(lambda: 1e-3), lambda: keras.optimizers.Adam(Constant()), lambda: Mine(1e-3)],
    ids=["function", "schedule of one's own", "optimiser of one's own"],
)
def test_what_gdl_load_could_not_make_again_is_refused_before_any_training(tmp_path, faces, no_fit, optimizer):
    words = r"cannot be written to run.json and made again .* @keras.saving.register_keras_serializable\(\)"
    refused(words, made(gdl.Autoencoder, optimizer()), faces, 1, tmp_path / "run")


@pytest.mark.slow
def test_without_a_run_folder_they_are_fine(faces):
    assert len(train(made(gdl.Autoencoder, Mine(Constant())), faces, 2, None)) == 2


@pytest.mark.slow
def test_an_optimizer_of_ones_own_is_loaded_where_it_is_registered(tmp_path, faces):
    with keras.saving.CustomObjectScope({"Mine": Mine, "Constant": Constant}):
        model = made(gdl.Autoencoder, Mine(Constant()))
        train(model, faces, 1, tmp_path / "run")
        assert equal(gdl.load(tmp_path / "run"), model)
    with pytest.raises(gdl.CourseError, match=r"run.json describes .* cannot be made here .*Mine.* run the cell that defines it first") as error:
        gdl.load(tmp_path / "run")
    assert "\n" not in str(error.value)


def test_an_average_that_replaces_the_weights_is_refused(tmp_path, faces, no_fit):
    average = keras.optimizers.Adam(1e-3, use_ema=True)
    refused("use_ema replaces the weights", made(gdl.Autoencoder, average), faces, 1, tmp_path / "run")
    refused("use_ema replaces", made(gdl.VAE, keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(use_ema=True))), faces, 1, tmp_path / "run")


@pytest.mark.parametrize("place", [0, 1])
def test_halving_a_scheduled_rate_is_refused(tmp_path, faces, no_fit, place):
    optimizers = [keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3)]
    optimizers[place] = OPTIMIZERS["cosine"]()
    refused("halve_every and the optimiser's LearningRateSchedule both", made(gdl.GAN, *optimizers), faces, 1, tmp_path / "run", halve_every=1)


class Losses(keras.callbacks.Callback):
    """Gives the validation losses that a test wants."""

    def __init__(self, *losses):
        super().__init__()
        self.losses = losses

    def on_epoch_end(self, epoch, logs=None):
        logs["val_loss"] = self.losses[epoch]


@pytest.mark.slow
def test_a_rate_that_falls_on_a_plateau_falls_in_the_same_epoch_after_a_restart(tmp_path, faces):
    def callbacks():
        return [Losses(5.0, 6.0, 7.0, 4.0, 8.0, 9.0), keras.callbacks.ReduceLROnPlateau(patience=2, factor=0.5, cooldown=1)]

    whole = made()
    history = train(whole, faces, 6, tmp_path / "whole", callbacks=callbacks())
    for epochs in (2, 3, 5, 6):
        parts = made()
        again = train(parts, faces, epochs, tmp_path / "parts", callbacks=callbacks())
    assert again["learning_rate"].tolist() == history["learning_rate"].tolist()
    assert len(set(history["learning_rate"])) == 3 and equal(parts, whole)


@pytest.mark.slow
def test_early_stopping_stops_in_the_same_epoch_after_a_restart_and_stays_stopped(tmp_path, faces, capsys):
    def callbacks(patience=2):
        return [Losses(5.0, 4.0, 7.0, 6.0, 3.0, 1.0), keras.callbacks.EarlyStopping(patience=patience)]

    whole = made()
    assert train(whole, faces, 6, tmp_path / "whole", callbacks=callbacks()).index.tolist() == [1, 2, 3, 4]
    for epochs in (2, 3, 6, 6):
        parts = made()
        history = train(parts, faces, epochs, tmp_path / "parts", callbacks=callbacks())
    assert history.index.tolist() == [1, 2, 3, 4] and equal(parts, whole)
    assert "has 4 finished epochs already; its validation loss has stopped falling." in capsys.readouterr().out
    assert train(made(), faces, 6, tmp_path / "parts", callbacks=callbacks(3)).index.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_the_best_checkpoint_stays_the_best_after_a_restart(tmp_path, faces):
    def callbacks():
        file = tmp_path / "best.weights.h5"
        return [Losses(5.0, 2.0, 4.0, 3.0), keras.callbacks.ModelCheckpoint(file, save_best_only=True, save_weights_only=True)]

    model = made()
    train(model, faces, 2, tmp_path / "run", callbacks=callbacks())
    before = (tmp_path / "best.weights.h5").read_bytes()
    train(made(), faces, 4, tmp_path / "run", callbacks=callbacks())
    assert (tmp_path / "best.weights.h5").read_bytes() == before


@pytest.mark.slow
def test_a_rate_from_a_function_of_the_epoch_continues(tmp_path, faces):
    def callbacks():
        return keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.5)  # a single one, as in Keras

    whole = made()
    history = train(whole, faces, 3, tmp_path / "whole", callbacks=callbacks())
    train(made(), faces, 1, tmp_path / "parts", callbacks=callbacks())
    parts = gdl.load(tmp_path / "parts")
    again = train(parts, faces, 3, tmp_path / "parts", callbacks=callbacks())
    assert again["learning_rate"].tolist() == history["learning_rate"].tolist() == pytest.approx([5e-4, 2.5e-4, 1.25e-4])
    assert equal(parts, whole)


REFUSED = {
    "BackupAndRestore": lambda: keras.callbacks.BackupAndRestore("unused"),
    "SwapEMAWeights": keras.callbacks.SwapEMAWeights,
    "restore_best_weights": lambda: keras.callbacks.EarlyStopping(restore_best_weights=True),
    "mode='min'": lambda: keras.callbacks.EarlyStopping("val_kl_loss"),
    "callbacks is a function": lambda: refused,
    "callbacks is a str": lambda: "EarlyStopping",
    "callbacks is the class EarlyStopping": lambda: keras.callbacks.EarlyStopping,
    "callbacks contains the class EarlyStopping": lambda: [keras.callbacks.EarlyStopping],
    "callbacks contains a str": lambda: [keras.callbacks.EarlyStopping(), "val_loss"],
    "callbacks contains a NoneType": lambda: [None],
    "callbacks contains a list": lambda: [[keras.callbacks.EarlyStopping()]],
    "callbacks contains a CallbackList": lambda: keras.callbacks.CallbackList([]),
    "callbacks is an int": lambda: 3,
}


def test_tensorboard_without_its_package_is_said_before_any_training(tmp_path, faces, no_fit, monkeypatch):
    monkeypatch.setattr("gdl.training.check_call.find_spec", lambda name: None)
    refused("pip install tensorboard", made(), faces, 1, tmp_path / "run", callbacks=keras.callbacks.TensorBoard(tmp_path))


@pytest.mark.parametrize("words", REFUSED)
def test_callbacks_that_cannot_work_are_refused_before_any_training(tmp_path, faces, no_fit, words):
    refused(words.replace("(", r"\("), made(), faces, 1, tmp_path / "run", callbacks=REFUSED[words]())


@pytest.mark.parametrize("kind", [keras.callbacks.ReduceLROnPlateau, lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 1e-3)])
def test_two_ways_to_set_one_rate_are_refused(tmp_path, faces, no_fit, kind):
    refused("halve_every and .* both set the learning rate", made(), faces, 1, tmp_path / "run", callbacks=kind(), halve_every=2)
    refused("has a LearningRateSchedule", made(gdl.Autoencoder, OPTIMIZERS["pieces"]()), faces, 1, tmp_path / "run", callbacks=kind())


@pytest.mark.slow
def test_other_callbacks_of_keras_work_as_in_keras(tmp_path, faces):
    callbacks = (
        keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(double=2 * logs["loss"], text="a,b;c", array=np.ones(2))),
        keras.callbacks.ModelCheckpoint(tmp_path / "model-{epoch}.keras"),
        keras.callbacks.EarlyStopping("double", mode="min", patience=5),
        keras.callbacks.History(),
        keras.callbacks.ProgbarLogger(),
    )
    history = train(made(), faces, 2, tmp_path / "run", callbacks=callbacks)
    assert history["double"].tolist() == (2 * history["loss"]).tolist()
    again = train(made(), faces, 2, tmp_path / "run", callbacks=None)
    names = ["loss", "val_loss", "double", "text"]
    pd.testing.assert_frame_equal(again[names], history[names], check_exact=True)
    assert pd.read_csv(tmp_path / "log.csv")["epoch"].tolist() == [0, 1]
    assert keras.models.load_model(tmp_path / "model-2.keras").generate(1).shape == (1, 16, 16, 3)


@pytest.mark.slow
def test_an_epoch_that_a_callback_ends_early_is_not_saved(tmp_path, faces, capsys):
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if self.epoch == 1:
                self.model.stop_training = True

    whole = made()
    train(whole, faces, 3, tmp_path / "whole")
    history = train(made(), faces, 3, tmp_path / "parts", callbacks=[Stop()])
    assert history.index.tolist() == [1]
    assert "Epoch 2 ended early, and is not saved: the same call continues after epoch 1." in capsys.readouterr().out
    parts = made()
    train(parts, faces, 3, tmp_path / "parts")
    assert equal(parts, whole)
    assert train(made(), faces, 3, None, callbacks=[Stop()]).index.tolist() == [1, 2], "without a run folder, the history is Keras's"


@pytest.mark.slow
def test_a_callback_that_stops_after_an_epoch_and_one_that_fails(tmp_path, faces):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    class Fail(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                raise ZeroDivisionError("of a student's own")

    whole = made()
    train(whole, faces, 3, tmp_path / "whole")
    assert train(made(), faces, 3, tmp_path / "parts", callbacks=[Stop()]).index.tolist() == [1]
    with pytest.raises(ZeroDivisionError, match="of a student's own"):
        train(made(), faces, 3, tmp_path / "parts", callbacks=[Fail()])
    parts = gdl.load(tmp_path / "parts")
    train(parts, faces, 3, tmp_path / "parts")
    assert equal(parts, whole)
