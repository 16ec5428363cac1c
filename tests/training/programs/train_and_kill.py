"""Trains a small model, and can kill its own process. Arguments: run folder, epochs, class of the model, and where to die:

never; in_epoch_2, after some of its batches; writing_epoch_2, with half of its weights written.

Everything that draws random numbers or changes from epoch to epoch is on: flips, dropout, halved learning rates, in an
adversarial model also codes, interpolation, a moving average and a second optimiser.
"""

import os
import signal
import sys
from pathlib import Path

import keras

import gdl


def train(run, epochs, callbacks=(), kind="Autoencoder"):
    keras.utils.set_random_seed(1)
    if kind == "Autoencoder":
        model, batch_size = gdl.Autoencoder(image_size=32, z_dim=8, filters=(8, 16), dropout=0.2), 16
    else:
        model, batch_size = gdl.WGANGP(image_size=32, z_dim=4, filters=(4, 8), dropout=0.2, critic_steps=2, ema=0.9), 8
        model.compile(keras.optimizers.Adam(3e-3, beta_1=0.5), keras.optimizers.Adam(1e-3, beta_1=0.5))
    return gdl.train(
        model, gdl.DrawnFaces(n=100, size=32), epochs, run=run, batch_size=batch_size,
        learning_rate=3e-3, halve_every=1, flip=True, seed=1, callbacks=callbacks,
    )  # fmt: skip


class KillInEpoch2(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 2:
            os.kill(os.getpid(), signal.SIGKILL)


def write_half_and_die(self, content):
    if "epoch-0002" in self.name:
        write_bytes(self, content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return write_bytes(self, content)


write_bytes = Path.write_bytes

if __name__ == "__main__":
    run, epochs, kind, death = sys.argv[1:]
    if death == "writing_epoch_2":
        Path.write_bytes = write_half_and_die
    train(run, int(epochs), [KillInEpoch2()] * (death == "in_epoch_2"), kind)
