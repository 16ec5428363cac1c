"""The losses of the autoencoders, each one number an image: summed, never averaged, over its pixels or dimensions."""

from keras import ops


def squared_error(x, x_hat):
    """Squared error summed over pixels and channels. Two (batch, h, w, 3) -> (batch,)"""
    return ops.sum(ops.square(x - x_hat), axis=(1, 2, 3))


def binary_crossentropy(x, x_hat):
    """Cross-entropy of pixels in [0, 1], in nats, summed over pixels and channels. Two (batch, h, w, 3) -> (batch,)

    Its smallest value is not 0 but the entropy of x, reached at x_hat = x.
    """
    return ops.sum(ops.binary_crossentropy(x, x_hat), axis=(1, 2, 3))


def kl_divergence(z_mean, z_log_var):
    """KL of N(z_mean, exp(z_log_var)) from N(0, 1), in nats, summed over dimensions. Two (batch, z_dim) -> (batch,)

    The closed form of Kingma and Welling 2014, appendix B. z_log_var is the log of the variance,
    not of the standard deviation.
    """
    return 0.5 * ops.sum(ops.square(z_mean) + ops.exp(z_log_var) - 1 - z_log_var, axis=1)
