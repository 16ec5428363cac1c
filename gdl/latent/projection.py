"""The codes of given images for a model without an encoder, found by optimising them."""

import keras
import numpy as np
import tensorflow as tf

from gdl.arguments import number, whole_number
from gdl.models.base import DecoderModel, check_decoder

STARTS = 512  # random codes, the nearest of which is where the search for an image begins


def project(model: DecoderModel, images: np.ndarray, steps: int = 300, learning_rate: float = 0.05, beta: float = 0.5, seed: int = 0) -> np.ndarray:
    """Codes whose images are near the given ones. Zhu et al. 2016; Creswell and Bharath 2018. (n, size, size, 3) -> (n, z_dim) float32

    Minimises the squared error, summed over pixels in [0, 1], plus beta / 2 times the squared length of the code: with
    beta = 2 sigma squared, the most probable code under a standard normal prior and a decoder with noise of deviation sigma.
    images: uint8, or floats in the model's pixel range; the weights of the model do not change.
    steps, learning_rate: of Adam, which begins at the nearest of 512 random codes for each image.
    The result is a local minimum: an image that the model cannot make has no near code.
    Raises CourseError for a model that makes no images, and for other images.

    >>> import gdl
    >>> gan, faces = gdl.GAN(image_size=32, z_dim=4, filters=(4, 8)), gdl.DrawnFaces(n=10, size=32)
    >>> project(gan, faces.val.images, steps=3).shape
    (1, 4)
    """
    check_decoder(model)
    target = model.unit_range(model.check_images(images))  # (n, size, size, 3) in [0, 1]
    steps, beta = whole_number("steps", steps), number("beta", beta)
    starts = np.random.default_rng(whole_number("seed", seed, least=0)).standard_normal((STARTS, model.architecture.z_dim)).astype(np.float32)
    known = model.unit_range(model.decode(starts)).reshape(STARTS, -1)
    nearest = [np.argmin(np.square(known - x.ravel()).sum(axis=1)) for x in target]
    z = tf.Variable(starts[nearest])
    optimizer = keras.optimizers.Adam(number("learning_rate", learning_rate))
    optimizer.build([z])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            error = tf.reduce_sum(tf.square(target - model.unit_range(model.image_decoder(z, training=False))), axis=(1, 2, 3))  # (n,)
            loss = tf.reduce_sum(error + beta / 2 * tf.reduce_sum(tf.square(z), axis=1))
        optimizer.apply_gradients([(tape.gradient(loss, z), z)])

    for _ in range(steps if len(nearest) else 0):  # oneDNN fails on the gradient of no images
        step()
    return z.numpy()
