"""Answers to exercise 04. WRONG: (question, the mistake, the points it still gets, the answer). RIGHT: (question, how it differs, the answer)."""

from wrong_answers import changed

BEST = """def best_discriminator(log_p, log_q):
    return np.exp(-np.logaddexp(0, log_q - log_p))


def loss_of_best(log_p, log_q, dx):
    logit = log_p - log_q
    return np.sum(np.exp(log_p) * np.logaddexp(0, -logit) + np.exp(log_q) * np.logaddexp(0, logit)) * dx
"""
LOSS = BEST[BEST.index("def loss_of_best") :]

PULLS = """def pulls(theta, z):
    logit = theta**2 / 2 - theta * (theta + z)
    D = 1 / (1 + np.exp(-logit))
    return {"minimax": np.mean(D * theta), "non_saturating": np.mean((1 - D) * theta)}
"""

NETWORKS = """def make_generator(z_dim, filters):
    x = z = keras.Input((z_dim,))
    x = layers.Dense(4 * 4 * filters[0])(x)
    x = layers.Reshape((4, 4, filters[0]))(x)
    x = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization(momentum=0.9)(x))
    for f in filters[1:]:
        x = layers.Conv2DTranspose(f, 4, strides=2, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(z, layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="sigmoid")(x))


def make_discriminator(size, filters):
    x = images = keras.Input((size, size, 3))
    for f in filters:
        x = layers.LeakyReLU(negative_slope=0.2)(layers.Conv2D(f, 4, strides=2, padding="same")(x))
    return keras.Model(images, layers.Dense(1)(layers.Flatten()(x)))
"""

TURNS = """def discriminator_turn(generator, discriminator, optimizer, real, z):
    fake = generator(z, training=True)
    with tf.GradientTape() as tape:
        of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-of_real) + tf.nn.softplus(of_fake))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


def generator_turn(generator, discriminator, optimizer, z):
    with tf.GradientTape() as tape:
        fake = generator(z, training=True)
        loss = tf.reduce_mean(tf.nn.softplus(-discriminator(fake, training=True)))
    weights = generator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss
"""

COUNT = """def count_modes(points, centres, radius):
    distances = np.linalg.norm(points[:, None] - centres, axis=2)
    inside = distances <= radius
    good = inside.any(axis=1)
    counts = np.bincount(distances[good].argmin(axis=1), minlength=len(centres))
    shares = counts[counts > 0] / max(good.sum(), 1)
    evenness = -np.sum(shares * np.log(shares)) / np.log(len(centres))
    reached = np.sum(inside.mean(axis=0) >= 0.01)
    return {"reached": int(reached), "good": good.mean(), "evenness": evenness}
"""

DIAGNOSIS = """def diagnose(run):
    near = np.linalg.norm(run["samples"][:, None] - CENTRES, axis=2) <= 0.3
    if near.any(axis=0).sum() >= 6 and near.any(axis=1).mean() >= 0.5:
        return "healthy"
    if np.mean(run["loss_g"][-3:]) < 0.1:
        return "frozen"
    return "too strong" if np.mean(run["loss_d"][-3:]) < 0.3 else "collapsed"
"""


WRONG = [
    ("q1", "the densities are computed first: 0 / 0 far out", 1, changed(
        BEST, "return np.exp(-np.logaddexp(0, log_q - log_p))", "return np.exp(log_p) / (np.exp(log_p) + np.exp(log_q))")),
    ("q1", "the share of the fakes", 1, changed(BEST, "log_q - log_p", "log_p - log_q")),
    ("q1", "the formula of the loss as it is printed, with logarithms of 0", 1, changed(BEST, LOSS, """def loss_of_best(log_p, log_q, dx):
    p, q, D = np.exp(log_p), np.exp(log_q), best_discriminator(log_p, log_q)
    return np.sum(-p * np.log(D) - q * np.log(1 - D)) * dx
""")),
    ("q1", "the spacing of the grid is forgotten", 1, changed(BEST, " * dx", "")),
    ("q1", "half the loss: the mixture's density counts once", 1, changed(BEST, "np.sum(np.exp", "0.5 * np.sum(np.exp")),
    ("q2", "D and 1 - D are exchanged", 0, changed(changed(PULLS, "np.mean(D * theta)", "np.mean((1 - D) * theta)"), '"non_saturating": np.mean((1 - D)', '"non_saturating": np.mean(D')),
    ("q2", "the discriminator moves along", 0, changed(PULLS, "* theta)", "* (theta + z))")),
    ("q2", "the derivative by the logit, without the rest of the chain", 0, changed(PULLS, "* theta)", "* -1)")),
    ("q2", "the wrong sign for -log D", 1, changed(PULLS, "np.mean((1 - D)", "-np.mean((1 - D)")),
    ("q3", "the transposed convolutions have a bias", 1, changed(NETWORKS, ", use_bias=False", "")),
    ("q3", "no batch normalisation", 1, changed(NETWORKS, "layers.BatchNormalization(momentum=0.9)(x)", "x")),
    ("q3", "leaky ReLU before batch normalisation", 1, changed(
        NETWORKS, "layers.LeakyReLU(negative_slope=0.2)(layers.BatchNormalization(momentum=0.9)(x))", "layers.BatchNormalization(momentum=0.9)(layers.LeakyReLU(negative_slope=0.2)(x))")),
    ("q3", "tanh at the end of the generator", 1, changed(NETWORKS, 'activation="sigmoid"', 'activation="tanh"')),
    ("q3", "a sigmoid at the end of the discriminator", 1, changed(NETWORKS, "layers.Dense(1)", 'layers.Dense(1, activation="sigmoid")')),
    ("q3", "batch normalisation in the discriminator", 1, changed(NETWORKS, "(layers.Conv2D(f, 4", "(layers.BatchNormalization()(layers.Conv2D(f, 4").replace('padding="same")(x))\n    return keras.Model(images', 'padding="same")(x)))\n    return keras.Model(images')),
    ("q4", "in the generator's step the discriminator learns too", 2, changed(
        TURNS, "weights = generator.trainable_variables", "weights = generator.trainable_variables + discriminator.trainable_variables")),
    ("q4", "the generator's fakes are made outside the tape", 1, changed(
        TURNS, "    with tf.GradientTape() as tape:\n        fake = generator(z, training=True)\n", "    fake = generator(z, training=True)\n    with tf.GradientTape() as tape:\n")),
    ("q4", "real and fake are swapped in the discriminator's step", 1, changed(TURNS, "tf.nn.softplus(-of_real) + tf.nn.softplus(of_fake)", "tf.nn.softplus(of_real) + tf.nn.softplus(-of_fake)")),
    ("q4", "the generator's loss saturates: log(1 - D)", 2, changed(
        TURNS, "tf.reduce_mean(tf.nn.softplus(-discriminator(fake, training=True)))", "-tf.reduce_mean(tf.nn.softplus(discriminator(fake, training=True)))")),
    ("q4", "logarithms of a rounded D", 3, changed(changed(
        TURNS, "tf.nn.softplus(-of_real) + tf.nn.softplus(of_fake)", "-tf.math.log(tf.sigmoid(of_real)) - tf.math.log(1 - tf.sigmoid(of_fake))"),
        "tf.nn.softplus(-discriminator(fake, training=True))", "-tf.math.log(tf.sigmoid(discriminator(fake, training=True)))")),
    ("q4", "half of the discriminator's loss", 2, changed(TURNS, "tf.reduce_mean(tf.nn.softplus(-of_real)", "0.5 * tf.reduce_mean(tf.nn.softplus(-of_real)")),
    ("q4", "nothing is returned", 2, changed(TURNS, "    return loss\n", "")),
    ("q4", "the loss is returned by float()", 3, changed(TURNS, "return loss\n", "return float(loss)\n")),
    ("q5", "a mode counts as reached by a single point", 2, changed(COUNT, "inside.mean(axis=0) >= 0.01", "inside.any(axis=0)")),
    ("q5", "1% of the good points, not of all", 2, changed(COUNT, "inside.mean(axis=0) >= 0.01", "inside.sum(axis=0) >= 0.01 * good.sum()")),
    ("q5", "a point in two circles counts twice", 2, changed(COUNT, '"good": good.mean()', '"good": inside.mean(axis=0).sum()')),
    ("q5", "points exactly at the radius do not count", 2, changed(COUNT, "distances <= radius", "distances < radius")),
    ("q5", "0 log 0 is not a number", 2, changed(COUNT, "counts[counts > 0]", "counts")),
    ("q5", "the evenness is not divided by log k", 2, changed(COUNT, " / np.log(len(centres))", "")),
    ("q6", "losses near log 4 and log 2 are taken for healthy", 2, """def diagnose(run):
    if np.mean(run["loss_g"][-3:]) < 0.1:
        return "frozen"
    if np.mean(run["loss_d"][-3:]) < 0.3:
        return "too strong"
    return "healthy" if abs(run["loss_d"][-1] - 1.386) < 0.1 else "collapsed"
"""),
    ("q6", "only the samples are looked at", 1, """def diagnose(run):
    near = np.linalg.norm(run["samples"][:, None] - CENTRES, axis=2) <= 0.3
    if near.any(axis=0).sum() >= 6 and near.any(axis=1).mean() >= 0.5:
        return "healthy"
    return "collapsed" if run["samples"].std(axis=0).max() < 0.3 or near.any(axis=1).all() else "too strong"
"""),
    ("q6", "the network that is ahead is confused with the other", 1, changed(changed(DIAGNOSIS, 'return "frozen"', 'return "too strong"'), '"too strong" if np.mean(run["loss_d"]', '"frozen" if np.mean(run["loss_d"]')),
    ("q6", "one mode that is reached is enough for healthy", 2, changed(DIAGNOSIS, ">= 6", ">= 1")),
    ("q6", "right only for the runs A to D", 0, """def diagnose(run):
    return {RUNS[name]["loss_d"][0]: cause for name, cause in zip("ABCD", ("healthy", "collapsed", "too strong", "frozen"))}.get(run["loss_d"][0], "healthy")
"""),
]  # fmt: skip

RIGHT = [
    ("q1", "a stable sigmoid of SciPy, and xlogy-like sums over the places that have a density", """def best_discriminator(log_p, log_q):
    from scipy.special import expit
    return expit(np.asarray(log_p) - log_q)


def loss_of_best(log_p, log_q, dx):
    log_both = np.logaddexp(log_p, log_q)
    return dx * float(np.exp(log_p) @ (log_both - log_p) + np.exp(log_q) @ (log_both - log_q))
"""),
    ("q2", "with a tape and a stopped theta", """def pulls(theta, z):
    found = {}
    for name, loss in (("minimax", lambda l: -tf.nn.softplus(l)), ("non_saturating", lambda l: tf.nn.softplus(-l))):
        moved = tf.Variable(float(theta), dtype=tf.float64)
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(theta**2 / 2 - theta * (moved + tf.constant(z, tf.float64))))
        found[name] = float(tape.gradient(value, moved))
    return found
"""),
    ("q3", "Sequential models", """def make_generator(z_dim, filters):
    model = keras.Sequential([keras.Input((z_dim,)), layers.Dense(16 * filters[0]), layers.Reshape((4, 4, filters[0]))])
    for f in filters[1:]:
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.LeakyReLU(negative_slope=0.2))
        model.add(layers.Conv2DTranspose(f, 4, 2, "same", use_bias=False))
    model.add(layers.BatchNormalization(momentum=0.9))
    model.add(layers.LeakyReLU(negative_slope=0.2))
    model.add(layers.Conv2DTranspose(3, 4, 2, "same"))
    model.add(layers.Activation("sigmoid"))
    return model


def make_discriminator(size, filters):
    convolutions = [layers.Conv2D(f, 4, 2, "same", activation=layers.LeakyReLU(negative_slope=0.2)) for f in filters]
    return keras.Sequential([keras.Input((size, size, 3)), *convolutions, layers.Flatten(), layers.Dense(1)])
"""),
    ("q4", "losses of Keras from logits, both batches in one tape", """def discriminator_turn(generator, discriminator, optimizer, real, z):
    entropy = keras.losses.BinaryCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        fake = tf.stop_gradient(generator(z, training=True))
        of_real, of_fake = discriminator(real, training=True), discriminator(fake, training=True)
        loss = entropy(tf.ones_like(of_real), of_real) + entropy(tf.zeros_like(of_fake), of_fake)
    gradients = tape.gradient(loss, discriminator.trainable_weights)
    optimizer.apply_gradients(zip(gradients, discriminator.trainable_weights))
    return loss


def generator_turn(generator, discriminator, optimizer, z):
    with tf.GradientTape() as tape:
        logits = discriminator(generator(z, training=True), training=True)
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(tf.ones_like(logits), logits))
    optimizer.apply(tape.gradient(loss, generator.trainable_weights), generator.trainable_weights)
    return loss
"""),
    ("q5", "loops over points and modes", """def count_modes(points, centres, radius):
    found, good = np.zeros(len(centres)), np.zeros(len(centres))
    for point in points:
        distances = np.sqrt(((centres - point) ** 2).sum(axis=1))
        found += distances <= radius
        if distances.min() <= radius:
            good[distances.argmin()] += 1
    shares = good[good > 0] / max(good.sum(), 1)
    evenness = float(-(shares * np.log(shares)).sum() / np.log(len(centres)))
    return {"reached": int((found / len(points) >= 0.01).sum()), "good": good.sum() / len(points), "evenness": abs(evenness)}
"""),
    ("q6", "counts in a loop, and which of the two losses is larger", """def diagnose(run):
    counts = [np.sum(np.hypot(*(run["samples"] - centre).T) <= 0.3) for centre in CENTRES]
    if np.count_nonzero(counts) >= 6 and np.sum(counts) >= len(run["samples"]) / 2:
        return "healthy"
    d, g = run["loss_d"][-1], run["loss_g"][-1]
    return "too strong" if g > 10 * d else "frozen" if d > 10 * g else "collapsed"
"""),
    ("q6", "other bounds of the losses, at the ends of the range that the text names", changed(changed(DIAGNOSIS, "< 0.1", "< 0.4"), "< 0.3", "< 0.2")),
]  # fmt: skip
