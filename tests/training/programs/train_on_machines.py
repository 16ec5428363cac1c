"""Trains a VAE and a GAN on the devices of TF_CONFIG, and can kill its own process in the GAN's second epoch.

Arguments: the folder of the runs, "dies" or "lives". Without TF_CONFIG it trains on one device.
"""

import os
import signal
import sys

from gdl.training.devices import open_strategy

strategy = open_strategy("all")  # before Keras starts TensorFlow

import keras  # noqa: E402

import gdl  # noqa: E402
from gdl.errors import CourseError  # noqa: E402


class KillInEpoch2(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1 and batch == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def main(folder, end):
    faces = gdl.DrawnFaces(n=70, size=16)  # 56 for training: the last of four batches is smaller
    with strategy.scope():
        keras.utils.set_random_seed(1)
        vae = gdl.VAE(image_size=16, z_dim=4, filters=(4,), dropout=0.2)
        vae.compile(keras.optimizers.SGD(1e-3, momentum=0.9))
        gan = gdl.GAN(image_size=16, z_dim=4, filters=(4,), dropout=0.2, ema=0.5)
        gan.compile(keras.optimizers.SGD(0.02, momentum=0.9), keras.optimizers.SGD(0.01, momentum=0.9))
    for model, callbacks in ((vae, []), (gan, [KillInEpoch2()] * (end == "dies"))):
        gdl.train(model, faces, 2, run=f"{folder}/{type(model).__name__}", batch_size=16, flip=True, seed=1, pictures=False, callbacks=callbacks)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except CourseError as error:
        sys.exit(f"gdl: {error}")
