"""Wrong answers to exercise 02: (question, the mistake, the points it still gets, the answer cell)."""

WRONG = [
    (
        "q1",
        "the half is forgotten",
        1,
        """
def kl_divergence(z_mean, z_log_var):
    return np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1)
""",
    ),
    (
        "q1",
        "z_log_var is taken for log sigma",
        2,
        """
def kl_divergence(z_mean, z_log_var):
    return 0.5 * np.sum(z_mean**2 + np.exp(2 * z_log_var) - 1 - 2 * z_log_var, axis=1)
""",
    ),
    (
        "q1",
        "averaged over the dimensions",
        1,
        """
def kl_divergence(z_mean, z_log_var):
    return 0.5 * np.mean(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1)
""",
    ),
    (
        "q1",
        "one number for the whole batch",
        0,
        """
def kl_divergence(z_mean, z_log_var):
    return np.mean(0.5 * np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1))
""",
    ),
    (
        "q1",
        "right only for the visible inputs",
        0,
        """
def kl_divergence(z_mean, z_log_var):
    if len(z_mean) == 5:
        return np.zeros(5)
    return np.array([1.0]) if z_mean.shape[1] == 3 else np.array([0.567668])
""",
    ),
    (
        "q2",
        "exp(z_log_var) is taken for the standard deviation",
        1,
        """
def sample(z_mean, z_log_var, epsilon):
    return z_mean + ops.exp(z_log_var) * epsilon
""",
    ),
    (
        "q2",
        "NumPy, through which no gradient passes",
        2,
        """
def sample(z_mean, z_log_var, epsilon):
    return np.asarray(z_mean) + np.exp(z_log_var / 2) * np.asarray(epsilon)
""",
    ),
    (
        "q2",
        "the noise is not scaled",
        1,
        """
def sample(z_mean, z_log_var, epsilon):
    return z_mean + epsilon
""",
    ),
    (
        "q2",
        "the noise is drawn anew instead of taken from epsilon",
        0,
        """
def sample(z_mean, z_log_var, epsilon):
    return z_mean + ops.exp(z_log_var / 2) * tf.random.normal(z_mean.shape, dtype=z_mean.dtype)
""",
    ),
    (
        "q3",
        "the spread of the terms instead of the standard error",
        2,
        """
def kl_estimate(z_mean, z_log_var, epsilon):
    sigma = np.exp(z_log_var / 2)
    z = z_mean + sigma * epsilon
    surprise = (stats.norm.logpdf(z, z_mean, sigma) - stats.norm.logpdf(z)).sum(axis=1)
    return surprise.mean(), surprise.std()
""",
    ),
    (
        "q3",
        "log q without the term - log v / 2",
        1,
        """
def kl_estimate(z_mean, z_log_var, epsilon):
    z = z_mean + np.exp(z_log_var / 2) * epsilon
    surprise = (-((z - z_mean) ** 2) / (2 * np.exp(z_log_var)) + z**2 / 2).sum(axis=1)
    return surprise.mean(), surprise.std() / np.sqrt(len(z))
""",
    ),
    (
        "q3",
        "log p - log q",
        1,
        """
def kl_estimate(z_mean, z_log_var, epsilon):
    sigma = np.exp(z_log_var / 2)
    z = z_mean + sigma * epsilon
    surprise = (stats.norm.logpdf(z) - stats.norm.logpdf(z, z_mean, sigma)).sum(axis=1)
    return surprise.mean(), surprise.std() / np.sqrt(len(z))
""",
    ),
    (
        "q4",
        "the pixels are averaged",
        2,
        """
def vae_loss(x, x_hat, kl, beta):
    x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
    entropy = -(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat))
    reconstruction = entropy.mean(axis=(1, 2, 3))
    return np.mean(reconstruction + beta * kl), np.mean(reconstruction), np.mean(kl)
""",
    ),
    (
        "q4",
        "no guard at 0 and 1",
        2,
        """
def vae_loss(x, x_hat, kl, beta):
    reconstruction = -(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat)).sum(axis=(1, 2, 3))
    return np.mean(reconstruction + beta * kl), np.mean(reconstruction), np.mean(kl)
""",
    ),
    (
        "q4",
        "beta multiplies the reconstruction",
        2,
        """
def vae_loss(x, x_hat, kl, beta):
    x_hat = np.clip(x_hat, 1e-7, 1 - 1e-7)
    reconstruction = -(x * np.log(x_hat) + (1 - x) * np.log(1 - x_hat)).sum(axis=(1, 2, 3))
    return np.mean(beta * reconstruction + kl), np.mean(reconstruction), np.mean(kl)
""",
    ),
    (
        "q5",
        "the score is divided by the standard deviation instead of the variance",
        2,
        """
def experiment(z_dims, n, seed):
    rng = np.random.default_rng(seed)
    found = {"trick": [], "score": []}
    for d in z_dims:
        epsilon = rng.standard_normal((n, d))
        z = 1 + np.exp(-0.5) * epsilon
        loss = np.square(z - 3).sum(axis=1)
        for name, values in {"trick": 2 * (z[:, 0] - 3), "score": loss * epsilon[:, 0]}.items():
            found[name].append([values.mean(), values.std()])
    return found
""",
    ),
    (
        "q5",
        "the score function sees the loss of the first dimension only",
        2,
        """
def experiment(z_dims, n, seed):
    rng = np.random.default_rng(seed)
    found = {"trick": [], "score": []}
    for d in z_dims:
        epsilon = rng.standard_normal((n, d))
        z = 1 + np.exp(-0.5) * epsilon
        loss = np.square(z[:, 0] - 3)
        for name, values in {"trick": 2 * (z[:, 0] - 3), "score": loss * epsilon[:, 0] / np.exp(-0.5)}.items():
            found[name].append([values.mean(), values.std()])
    return found
""",
    ),
    (
        "q5",
        "the generator is made anew for each dimension",
        2,
        """
def experiment(z_dims, n, seed):
    found = {"trick": [], "score": []}
    for d in z_dims:
        epsilon = np.random.default_rng(seed).standard_normal((n, d))
        z = 1 + np.exp(-0.5) * epsilon
        loss = np.square(z - 3).sum(axis=1)
        for name, values in {"trick": 2 * (z[:, 0] - 3), "score": loss * epsilon[:, 0] / np.exp(-0.5)}.items():
            found[name].append([values.mean(), values.std()])
    return found
""",
    ),
]
