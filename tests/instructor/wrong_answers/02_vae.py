"""Answers to exercise 02. WRONG: (question, the mistake, the points it still gets, the answer). RIGHT: (question, how it differs, the answer)."""

from wrong_answers import changed

KL = """
def kl_divergence(z_mean, z_log_var):
    return 0.5 * np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1)
"""

ESTIMATE = """
def kl_estimate(z_mean, z_log_var, epsilon):
    sigma = np.exp(z_log_var / 2)
    z = z_mean + sigma * epsilon
    terms = (stats.norm.logpdf(z, z_mean, sigma) - stats.norm.logpdf(z)).sum(axis=1)
    return terms.mean(), terms.std() / np.sqrt(len(terms))
"""

NETWORKS = """
def make_encoder(size, z_dim, filters):
    x = inputs = keras.Input((size, size, 3))
    for f in filters:
        x = layers.Conv2D(f, 4, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    x = layers.Flatten()(x)
    return keras.Model(inputs, [layers.Dense(z_dim)(x), layers.Dense(z_dim)(x)])


def make_decoder(size, z_dim, filters):
    side = size // 2 ** len(filters)
    z = keras.Input((z_dim,))
    x = layers.Reshape((side, side, filters[-1]))(layers.Dense(side * side * filters[-1])(z))
    for f in filters[-2::-1]:
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2DTranspose(f, 4, strides=2, padding="same")(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(z, layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="sigmoid")(x))
"""
HEADS = "[layers.Dense(z_dim)(x), layers.Dense(z_dim)(x)]"

TRAIN = """
def sample(z_mean, z_log_var, epsilon):
    return z_mean + ops.exp(z_log_var / 2) * epsilon


def train(encoder, decoder, images, z_dim, beta, steps, seed):
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(0.005)
    weights = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(weights)

    @tf.function
    def step(x, epsilon):
        with tf.GradientTape() as tape:
            z_mean, z_log_var = encoder(x)
            z = sample(z_mean, z_log_var, epsilon)
            reconstruction = tf.reduce_mean(squared_error(x, decoder(z)))
            kl = tf.reduce_mean(kl_of_course(z_mean, z_log_var))
            loss = reconstruction + beta * kl
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return reconstruction, kl

    losses = []
    for _ in range(steps):
        batch = images[rng.choice(len(images), 32)], rng.standard_normal((32, z_dim))
        losses.append(step(*(tf.constant(array, tf.float32) for array in batch)))
    return np.array(losses)
"""

GRADIENTS = """
def experiment(z_dims, n, seed):
    rng, v = np.random.default_rng(seed), np.exp(-1)
    found = {"trick": [], "score": [], "baseline": []}
    for d in z_dims:
        z = 1 + np.sqrt(v) * rng.standard_normal((n, d))
        loss, score = np.square(z - 3).sum(axis=1), (z[:, 0] - 1) / v
        base = loss.mean()
        for name, values in {"trick": 2 * (z[:, 0] - 3), "score": loss * score, "baseline": (loss - base) * score}.items():
            found[name].append([values.mean(), values.std()])
    return found
"""


WRONG = [
    ("q1", "the half is forgotten", 1, changed(KL, "0.5 * ", "")),
    ("q1", "z_log_var is taken for log sigma", 2, changed(KL, "np.exp(z_log_var) - 1 - z_log_var", "np.exp(2 * z_log_var) - 1 - 2 * z_log_var")),
    ("q1", "averaged over the dimensions", 1, changed(KL, "np.sum", "np.mean")),
    ("q1", "one number for the whole batch", 0, changed(KL, ", axis=1", "")),
    ("q1", "zeros for everything", 0, "def kl_divergence(z_mean, z_log_var):\n    return np.zeros(len(z_mean))\n"),
    ("q1", "right only for the visible inputs", 0, """
def kl_divergence(z_mean, z_log_var):
    if len(z_mean) == 5:
        return np.zeros(5)
    return np.array([1.0]) if z_mean.shape[1] == 3 else np.array([0.567668])
"""),
    ("q2", "the standard deviation of the terms instead of the standard error", 2, changed(ESTIMATE, " / np.sqrt(len(terms))", "")),
    ("q2", "log q without the term - log v / 2", 1, """
def kl_estimate(z_mean, z_log_var, epsilon):
    z = z_mean + np.exp(z_log_var / 2) * epsilon
    terms = (-((z - z_mean) ** 2) / (2 * np.exp(z_log_var)) + z**2 / 2).sum(axis=1)
    return terms.mean(), terms.std() / np.sqrt(len(z))
"""),
    ("q2", "log p - log q", 1, changed(ESTIMATE, "stats.norm.logpdf(z, z_mean, sigma) - stats.norm.logpdf(z)", "stats.norm.logpdf(z) - stats.norm.logpdf(z, z_mean, sigma)")),
    ("q3", "one dense layer gives both outputs", 1, changed(NETWORKS, f"return keras.Model(inputs, {HEADS})", "out = layers.Dense(z_dim)(x)\n    return keras.Model(inputs, [out, out])")),
    ("q3", "an activation on the heads", 1, changed(NETWORKS, HEADS, HEADS.replace("(z_dim)", '(z_dim, activation="relu")'))),
    ("q3", "kernels of 3x3", 0, changed(NETWORKS, "(f, 4,", "(f, 3,")),
    ("q3", "the decoder has the filters in the encoder's order", 2, changed(NETWORKS, "for f in filters[-2::-1]:", "for f in filters[:-1]:")),
    ("q3", "no sigmoid at the end", 2, changed(NETWORKS, ', activation="sigmoid"', "")),
    ("q4", "exp(z_log_var) is taken for the standard deviation", 2, changed(TRAIN, "z_log_var / 2)", "z_log_var)")),
    ("q4", "NumPy, through which no gradient passes", 3, changed(TRAIN, "ops.exp(z_log_var / 2) * epsilon", "(np.exp(z_log_var / 2) if hasattr(z_log_var, 'numpy') else ops.exp(z_log_var / 2)) * epsilon")),
    ("q4", "the decoder gets z_mean, without noise", 2, changed(TRAIN, "z = sample(z_mean, z_log_var, epsilon)", "z = z_mean")),
    ("q4", "the KL is left out of the loss", 2, changed(TRAIN, "loss = reconstruction + beta * kl", "loss = reconstruction")),
    ("q4", "beta is left out of the loss", 3, changed(TRAIN, "beta * kl", "kl")),
    ("q4", "the reconstruction is averaged over the pixels", 2, changed(TRAIN, "squared_error(x, decoder(z))", "tf.square(x - decoder(z))")),
    ("q4", "the KL is returned with beta", 2, changed(TRAIN, "return reconstruction, kl", "return reconstruction, beta * kl")),
    ("q4", "only the decoder is trained", 3, changed(TRAIN, "encoder.trainable_variables + decoder.trainable_variables", "decoder.trainable_variables")),
    ("q5", "the score is divided by the standard deviation instead of the variance", 1, changed(GRADIENTS, "(z[:, 0] - 1) / v", "(z[:, 0] - 1) / np.sqrt(v)")),
    ("q5", "the score function sees the loss of the first dimension only", 1, changed(GRADIENTS, "np.square(z - 3).sum(axis=1)", "np.square(z[:, 0] - 3)")),
    ("q5", "the estimates are not centred by the mean loss but divided by it", 2, changed(GRADIENTS, "(loss - base) * score", "loss / base * score")),
    ("q5", "the baseline is the average of the score estimates", 2, changed(GRADIENTS, "(loss - base) * score", "loss * score - np.mean(loss * score)")),
    ("q5", "the seed is ignored", 2, changed(GRADIENTS, "default_rng(seed)", "default_rng(0)")),
]  # fmt: skip

RIGHT = [
    ("q1", "with the standard deviation and einsum", """
def kl_divergence(z_mean, z_log_var):
    sigma = np.exp(0.5 * z_log_var)
    return np.einsum("nd->n", 0.5 * (z_mean * z_mean + sigma * sigma) - 0.5 - np.log(sigma))
"""),
    ("q2", "the formula written out, with n - 1 in the standard deviation", """
def kl_estimate(z_mean, z_log_var, epsilon):
    z = z_mean + np.sqrt(np.exp(z_log_var)) * epsilon
    terms = 0.5 * np.sum(z**2 - epsilon**2 - z_log_var, axis=1)
    return np.mean(terms), np.std(terms, ddof=1) / len(terms) ** 0.5
"""),
    ("q3", "leaky ReLU as an activation, and the decoder as a Sequential model", """
def make_encoder(size, z_dim, filters):
    inputs = keras.Input((size, size, 3))
    x = inputs
    for f in filters:
        x = layers.Conv2D(f, 4, 2, "same", activation=layers.LeakyReLU(negative_slope=0.2))(x)
    x = layers.Flatten()(x)
    z_log_var = layers.Dense(z_dim, name="z_log_var")(x)
    z_mean = layers.Dense(z_dim, name="z_mean")(x)
    return keras.Model(inputs=inputs, outputs=[z_mean, z_log_var])


def make_decoder(size, z_dim, filters):
    side = size // 2 ** len(filters)
    model = keras.Sequential([keras.Input((z_dim,)), layers.Dense(side * side * filters[-1]), layers.Reshape((side, side, filters[-1]))])
    for f in [*filters[:-1][::-1], 3]:
        model.add(layers.LeakyReLU(negative_slope=0.2))
        model.add(layers.Conv2DTranspose(f, 4, 2, "same"))
    model.add(layers.Activation("sigmoid"))
    return model
"""),
    ("q4", "one model of both networks, an eager loop, sums divided by 32", """
def sample(z_mean, z_log_var, epsilon):
    return tf.exp(0.5 * z_log_var) * epsilon + z_mean


def train(encoder, decoder, images, z_dim, beta, steps, seed):
    optimizer = keras.optimizers.Adam(learning_rate=0.005)
    rng, history = np.random.default_rng(seed), []
    for _ in range(steps):
        x = tf.cast(images[rng.integers(len(images), size=32)], tf.float32)
        with tf.GradientTape() as tape:
            z_mean, z_log_var = encoder(x)
            x_hat = decoder(sample(z_mean, z_log_var, tf.cast(rng.normal(size=(32, z_dim)), tf.float32)))
            reconstruction = tf.reduce_sum((x - x_hat) ** 2) / 32
            kl = tf.reduce_sum(z_mean**2 + tf.exp(z_log_var) - 1 - z_log_var) / 64
            loss = reconstruction + beta * kl
        variables = encoder.trainable_weights + decoder.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        history.append([float(reconstruction), float(kl)])
    return history
"""),
    ("q5", "a generator of its own for each dimension, from the seed and d", changed(changed(
        GRADIENTS, "rng, v = np.random.default_rng(seed), np.exp(-1)", "v = np.exp(-1)"), "        z = 1 +", "        rng = np.random.default_rng([seed, d])\n        z = 1 +")),
    ("q5", "one large draw, cut to the first d columns", changed(changed(
        GRADIENTS, 'found = {"trick"', 'noise = rng.standard_normal((n, max(z_dims)))\n    found = {"trick"'), "rng.standard_normal((n, d))", "noise[:, :d]")),
    ("q5", "the same noise for each dimension of the list", changed(GRADIENTS, "    for d in z_dims:\n", "    for d in z_dims:\n        rng = np.random.default_rng(seed)\n")),
]  # fmt: skip
