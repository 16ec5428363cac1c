"""Wrong answers to exercise 03: (question, the mistake, the points it still gets, the answer cell)."""

STEP = """
def train_step(model, x):
    with tf.GradientTape() as tape:
        z_mean, z_log_var = model.encoder(x)
        x_hat = model.decoder(model.sampling(z_mean, z_log_var))
        reconstruction, kl = squared_error(x, x_hat), kl_divergence(z_mean, z_log_var)
        each = reconstruction + model.beta * kl
        loss = ops.mean(each)
    weights = model.trainable_variables
    model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    for name, value in {"loss": each, "reconstruction_loss": reconstruction, "kl_loss": kl}.items():
        model.trackers[name].update_state(value)
    return {name: tracker.result() for name, tracker in model.trackers.items()}
"""

SWEEP = """
def experiment(variances, beta, seed):
    rng, generator = np.random.default_rng(seed), keras.random.SeedGenerator(seed)
    x = tf.constant(rng.normal(0, np.sqrt(variances), (2000, len(variances))), tf.float32)
    m, a, w = (tf.Variable(tf.fill([len(variances)], value)) for value in (0.5, 0.0, 0.5))
    optimizer = keras.optimizers.Adam(0.02)
    optimizer.build([m, a, w])

    def both():
        z = m * x + tf.exp(a / 2) * keras.random.normal(x.shape, seed=generator)
        return tf.square(x - w * z), 0.5 * (tf.square(m * x) + tf.exp(a) - 1 - a)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            error, kl = both()
            loss = tf.reduce_mean(tf.reduce_sum(error + beta * kl, axis=1))
        optimizer.apply_gradients(zip(tape.gradient(loss, [m, a, w]), [m, a, w]))

    for _ in range(1000):
        step()
    error, kl = both()
    return {"kl": tf.reduce_mean(kl, axis=0), "error": tf.reduce_mean(error, axis=0)}
"""


def changed(source, old, new):
    assert old in source, old
    return source.replace(old, new)


WRONG = [
    ("q1", "the trackers are given the averages of the batches", 4, changed(STEP, "update_state(value)", "update_state(ops.mean(value))")),
    ("q1", "beta is left out of the loss", 2, changed(STEP, "reconstruction + model.beta * kl", "reconstruction + kl")),
    ("q1", "only the decoder's weights are trained", 3, changed(STEP, "weights = model", "weights = model.decoder")),
    ("q1", "the loss is summed over the batch", 2, changed(STEP, "ops.mean(each)", "ops.sum(each)")),
    (
        "q1",
        "the metrics of the last batch alone, without the trackers",
        4,
        changed(
            STEP,
            "return {name: tracker.result() for name, tracker in model.trackers.items()}",
            'return {"loss": loss, "reconstruction_loss": ops.mean(reconstruction), "kl_loss": ops.mean(kl)}',
        ),
    ),
    ("q2", "it grows on after the warm-up", 1, "def beta_at(step, beta, warm_up):\n    return beta * step / warm_up if warm_up else beta\n"),
    ("q2", "no warm-up divides by zero", 1, "def beta_at(step, beta, warm_up):\n    return beta * min(1.0, step / warm_up)\n"),
    (
        "q2",
        "the first step has a weight already",
        1,
        "def beta_at(step, beta, warm_up):\n    return beta * min(1.0, (step + 1) / warm_up) if warm_up else beta\n",
    ),
    (
        "q3",
        "upside down",
        0,
        """
def course_beta(a, errors, b, kls, shape, z_dim):
    batch, h, w, c = shape
    return a * {"sum": 1, "mean": 1 / (h * w * c), "total": batch}[errors] / (b * {"sum": 1, "mean": 1 / z_dim, "total": batch}[kls])
""",
    ),
    (
        "q3",
        "the three channels are forgotten",
        2,
        """
def course_beta(a, errors, b, kls, shape, z_dim):
    batch, h, w, c = shape
    return b * {"sum": 1, "mean": 1 / z_dim, "total": batch}[kls] / (a * {"sum": 1, "mean": 1 / (h * w), "total": batch}[errors])
""",
    ),
    (
        "q3",
        "a mean is divided by the batch once more",
        2,
        """
def course_beta(a, errors, b, kls, shape, z_dim):
    batch, h, w, c = shape
    kl = {"sum": 1, "mean": 1 / (z_dim * batch), "total": batch}[kls]
    return b * kl / (a * {"sum": 1, "mean": 1 / (h * w * c * batch), "total": batch}[errors])
""",
    ),
    (
        "q3",
        "right only for the visible inputs",
        0,
        """
def course_beta(a, errors, b, kls, shape, z_dim):
    return {"sum": 0.3, "mean": 1.2288, "total": 1 / 32}[errors]
""",
    ),
    (
        "q4",
        "the clouds are averaged before the KL",
        1,
        """
def alive(z_mean, z_log_var, threshold):
    m, a = z_mean.mean(axis=0), z_log_var.mean(axis=0)
    kl = 0.5 * (m**2 + np.exp(a) - 1 - a)
    each = 0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var)
    return kl, int((each.mean(axis=0) >= threshold).sum())
""",
    ),
    (
        "q4",
        "the KL of each image instead of each dimension",
        0,
        """
def alive(z_mean, z_log_var, threshold):
    kl = 0.5 * np.sum(z_mean**2 + np.exp(z_log_var) - 1 - z_log_var, axis=1)
    return kl, int((kl >= threshold).sum())
""",
    ),
    (
        "q4",
        "the dead are counted instead of the living",
        1,
        """
def alive(z_mean, z_log_var, threshold):
    kl = (0.5 * (z_mean**2 + np.exp(z_log_var) - 1 - z_log_var)).mean(axis=0)
    return kl, int((kl < threshold).sum())
""",
    ),
    (
        "q5",
        "no noise: z is z_mean",
        1,
        changed(SWEEP, "z = m * x + tf.exp(a / 2) * keras.random.normal(x.shape, seed=generator)", "z = m * x"),
    ),
    (
        "q5",
        "the error is averaged over the dimensions, the KL summed",
        2,
        changed(SWEEP, "error + beta * kl,", "error / len(variances) + beta * kl,"),
    ),
    ("q5", "beta is left out of the training", 1, changed(SWEEP, "error + beta * kl,", "error + kl,")),
    (
        "q5",
        "the formula instead of a training",
        3,
        """
def experiment(variances, beta, seed):
    variances = np.asarray(variances)
    return {"kl": np.maximum(0, 0.5 * np.log(2 * variances / beta)), "error": np.minimum(variances, beta / 2)}
""",
    ),
]
