"""The losses of all models: one number for each image, summed over its pixels or dimensions and never averaged over them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf
from keras import ops


def squared_error(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """Squared error summed over pixels and channels. Two (batch, h, w, 3) -> (batch,)

    >>> import numpy as np
    >>> squared_error(np.zeros((2, 4, 4, 3)), np.full((2, 4, 4, 3), 0.5)).numpy()
    array([12., 12.])
    """
    return ops.sum(ops.square(x - x_hat), axis=(1, 2, 3))


def gaussian_nll(x: tf.Tensor, x_hat: tf.Tensor, log_var: Any) -> tf.Tensor:
    """Negative log likelihood of images under N(x_hat, exp(log_var)), in nats, summed over pixels and channels. Two (batch, h, w, 3) -> (batch,)

    log_var: log of the variance, one number for all pixels (Rybkin, Daniilidis and Levine 2021) or an array like the images.
    The likelihood is a density, so the loss can be negative. A number is best at the log of the mean squared error.

    >>> import numpy as np
    >>> loss = gaussian_nll(np.zeros((1, 1, 1, 3), "float32"), np.ones((1, 1, 1, 3), "float32"), 0.0)
    >>> round(float(loss[0]), 3)  # 3 (1 + log 2 pi) / 2
    4.257
    """
    return 0.5 * ops.sum(ops.square(x - x_hat) / ops.exp(log_var) + log_var + np.log(2 * np.pi), axis=(1, 2, 3))


def binary_crossentropy(x: tf.Tensor, x_hat: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of pixels in [0, 1], in nats, summed over pixels and channels. Two (batch, h, w, 3) -> (batch,)

    Its smallest value is not 0 but the entropy of x, reached at x_hat = x.
    """
    return ops.sum(ops.binary_crossentropy(x, x_hat), axis=(1, 2, 3))


def kl_divergence(z_mean: tf.Tensor, z_log_var: tf.Tensor) -> tf.Tensor:
    """KL of N(z_mean, exp(z_log_var)) from N(0, 1), in nats, summed over dimensions. Two (batch, z_dim) -> (batch,)

    The closed form of Kingma and Welling 2014, appendix B. z_log_var is the log of the variance,
    not of the standard deviation.

    >>> import numpy as np
    >>> kl_divergence(np.array([[0.0, 0.0], [1.0, 2.0]]), np.zeros((2, 2))).numpy()
    array([0. , 2.5])
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - 1 - z_log_var, axis=1)


def discriminator_loss(real: tf.Tensor, fake: tf.Tensor, real_label: Any = 1.0, fake_label: Any = 0.0) -> tf.Tensor:
    """Cross-entropy of a discriminator that should classify real images as real and fakes as fake, in nats. Goodfellow et al. 2014.

    real, fake: its logits, two (batch,) -> (batch,)
    real_label, fake_label: the targets, numbers or (batch,). A real_label a little below 1 is one-sided label smoothing
        (Salimans et al. 2016).

    >>> import numpy as np
    >>> discriminator_loss(np.zeros(1), np.zeros(1)).numpy()  # a discriminator that guesses: 2 log 2
    array([1.38629436])
    """
    return (ops.softplus(real) - real_label * real) + (ops.softplus(fake) - fake_label * fake)


def generator_loss(fake: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of a generator whose fakes should be classified as real, in nats. Logits, (batch,) -> (batch,)

    The non-saturating loss of Goodfellow et al. 2014, section 3: -log D(fake) instead of log(1 - D(fake)).
    """
    return ops.softplus(-fake)


def hinge_critic_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """How far real scores lie below 1 and fake ones above -1; scores beyond these margins cost nothing. Two (batch,) -> (batch,)

    Lim and Ye 2017; Tran, Ranganath and Blei 2017. The generator's loss is `wasserstein_generator_loss`.

    >>> import numpy as np
    >>> hinge_critic_loss(np.array([1.0, 0.5]), np.array([-1.0, 2.0])).numpy()
    array([0. , 3.5])
    """
    return ops.relu(1 - real) + ops.relu(1 + fake)


def relativistic_critic_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of a critic that should score each real image higher than the fake one beside it. Two (batch,) -> (batch,)

    Only the difference of the two scores counts, so adding a number to all scores changes nothing. The generator's loss is the same
    with the two exchanged. Jolicoeur-Martineau 2019 (RpGAN); Huang et al. 2024.

    >>> import numpy as np
    >>> relativistic_critic_loss(np.array([7.0]), np.array([7.0])).numpy()  # a critic that sees no difference: log 2
    array([0.69314718])
    """
    return ops.softplus(fake - real)


def wasserstein_critic_loss(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """Score of the fake image minus score of the real image. Two (batch,) -> (batch,)

    The negative of its mean is the estimate of the Wasserstein distance (Arjovsky, Chintala and Bottou 2017).
    """
    return fake - real


def wasserstein_generator_loss(fake: tf.Tensor) -> tf.Tensor:
    """The negative of the critic's score, which the generator should increase. (batch,) -> (batch,)"""
    return -fake


def squared_gradient(critic: Callable, x: tf.Tensor) -> tf.Tensor:
    """|gradient of the critic|^2 at images, in float32: R1 at real images, R2 at fakes. (batch, h, w, 3) -> (batch,)

    critic: function of images that returns a score for each, (batch,).
    Mescheder, Geiger and Nowozin 2018, who add it to the critic's loss with a weight of gamma / 2.
    """
    x = ops.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        scores = critic(x)
    gradients = tf.cast(tape.gradient(scores, x), "float32")  # each score depends only on its own image
    return ops.sum(ops.square(gradients), axis=(1, 2, 3))


def gradient_penalty(critic: Callable, real: tf.Tensor, fake: tf.Tensor, alpha: tf.Tensor) -> tf.Tensor:
    """(|gradient of the critic| - 1)^2 at a point between each real image and a fake one, in float32.

    critic: function of images that returns a score for each, (batch,).
    real, fake: two (batch, h, w, 3).  alpha: the share of the real image in the point, (batch, 1, 1, 1) in [0, 1].
    -> (batch,). Gulrajani et al. 2017.
    """
    between = fake + alpha * (real - fake)
    # without the small number the derivative of the square root at 0 is infinite, and the weights would become NaN
    norms = ops.sqrt(squared_gradient(critic, between) + 1e-12)
    return ops.square(norms - 1)
