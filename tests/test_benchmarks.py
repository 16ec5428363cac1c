"""The benchmark compares like with like: the plain recipe is the same network, loss and step."""

import keras
import numpy as np
import pytest

import gdl
from benchmarks.__main__ import flops_of_a_step
from benchmarks.plain_vae import PlainVAE, jpeg_batches
from gdl import drawn


def test_the_plain_recipe_takes_the_same_step():
    keras.utils.set_random_seed(0)
    ours = gdl.VAE(32, 8, (4, 8), kernel_sizes=4, reconstruction="mse", beta=0.5)
    plain = PlainVAE(32, 8, (4, 8), 4, beta=0.5)
    x = np.random.default_rng(0).random((16, 32, 32, 3), np.float32)
    weights = ours.encoder.get_weights(), ours.decoder.get_weights()
    losses = []
    for model, noise in ((ours, ours.sampling.seed_generator), (plain, plain.seed_generator)):
        model.encoder.set_weights(weights[0])
        model.decoder.set_weights(weights[1])
        noise.state.assign([1, 2])
        model.compile(keras.optimizers.SGD(1e-3))
        losses.append(model.fit(x, batch_size=16, epochs=8, shuffle=False, verbose=0).history["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert losses[0][-1] < losses[0][0]
    for a, b in zip(ours.encoder.get_weights() + ours.decoder.get_weights(), plain.encoder.get_weights() + plain.decoder.get_weights()):
        assert np.allclose(a, b, atol=1e-5)


def test_operations_are_counted_by_hand():
    model = gdl.VAE(32, 8, (4, 8), kernel_sizes=4)
    convolutions = [16 * 3 * 4 * 16**2, 16 * 4 * 8 * 8**2]  # kernel area x channels in x channels out x pixels
    dense = [2 * (8 * 8 * 8) * 8, 8 * (8 * 8 * 8)]  # z_mean and z_log_var, and the decoder's
    forward = 2 * (2 * sum(convolutions) + sum(dense))
    assert flops_of_a_step(model) == 3 * forward - 2 * convolutions[0]  # the image needs no gradient


def test_the_plain_input_decodes_and_resizes(tmp_path):
    folder = drawn.write_celeba(tmp_path, 10)
    (batch,) = jpeg_batches(folder, 64, 16)
    assert batch.shape == (10, 64, 64, 3) and 0 <= batch.numpy().min() and 0.2 < batch.numpy().mean() < 0.8 and batch.numpy().max() <= 1
