"""Wrong answers to exercise 10: (question, the mistake, the points it still gets, the answer)."""

TOLD = """def partly_told(labels, seed):
    rng = np.random.default_rng(seed)
    share = rng.uniform(size=(len(labels), 1))
    told = rng.uniform(size=labels.shape) >= share
    return np.where(labels, 1, -1) * told
"""

MIXTURE = """def weights(counts, told):
    fits = np.ones((2, 2))
    if told[0]:
        fits[int(told[0] < 0)] = 0
    if told[1]:
        fits[:, int(told[1] < 0)] = 0
    left = counts * fits
    return left / left.sum()


def density(x, w, means):
    components = np.exp(-((x[:, None, None] - means) ** 2) / 2) / np.sqrt(2 * np.pi)
    return np.sum(w * components, axis=(1, 2))
"""

SCORE = """def best_parts(m, g):
    return {"psi": (g @ g - m @ m) / 2, "v": m - g}


def attribute_loss(x, v, told):
    logits = 2 * told * (x @ v.T)
    return np.sum(np.abs(told) * np.logaddexp(0, -logits), axis=1)
"""

GENERATOR = """def scale_shift(x, told):
    c = x.shape[-1]
    a, b = (layers.Dense(c, use_bias=False, kernel_initializer="zeros")(told) for _ in range(2))
    return x * (1 + layers.Reshape((1, 1, c))(a)) + layers.Reshape((1, 1, c))(b)


def conditional_generator(z_dim, k, filters):
    z, told = keras.Input((z_dim,)), keras.Input((k,))
    code = z

    def activated(x):
        x = scale_shift(layers.BatchNormalization(momentum=0.9)(x), told)
        return layers.LeakyReLU(negative_slope=0.2)(x)

    x = layers.Dense(4 * 4 * filters[0])(code)
    x = activated(layers.Reshape((4, 4, filters[0]))(x))
    for f in filters[1:]:
        x = activated(layers.Conv2DTranspose(f, 4, strides=2, padding="same", use_bias=False)(x))
    x = layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="sigmoid")(x)
    return keras.Model([z, told], x)


def train(generator, images, told, z_dim, steps, seed):
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(0.005)
    variables = generator.trainable_variables
    optimizer.build(variables)

    @tf.function
    def step(x, y, z):
        with tf.GradientTape() as tape:
            made = generator([z, y], training=True)
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(made - x), axis=(1, 2, 3)))
        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))
        return loss

    losses = np.zeros(steps)
    for i in range(steps):
        rows = rng.choice(len(images), 32)
        batch = images[rows], told[rows], rng.standard_normal((32, z_dim))
        losses[i] = step(*(tf.constant(array, tf.float32) for array in batch))
    return losses
"""

DIAGNOSIS = """def wilson(hits, n):
    share, z = hits / n, 1.96
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return middle - half, middle + half


def diagnose(run):
    asked, asked_not = np.asarray(run["asked"]), np.asarray(run["asked_not"])
    if ((asked >= 150) & (asked_not <= 50)).all():
        if run["spread"] < 0.3:
            return "collapsed"
        return "fooled" if (np.asarray(run["people"]) < 25).all() else "obeys"
    apart = [wilson(a, 200)[0] > wilson(b, 200)[1] for a, b in zip(asked, asked_not)]
    return "rare" if any(apart) else "ignored"
"""

SHARES = """def share_to_ask(t, hit, miss):
    return min(max((t - miss) / (hit - miss), 0.0), 1.0)


def effective_number(n, r, t):
    return n / (t**2 / r + (1 - t) ** 2 / (1 - r))
"""

BATCH_NORM = "scale_shift(layers.BatchNormalization(momentum=0.9)(x), told)"

WRONG = [
    ("q1", "each attribute is hidden with probability 1/2", 1, TOLD.replace(">= share", ">= 0.5")),
    ("q1", "one share for the whole batch", 1, TOLD.replace("size=(len(labels), 1)", "size=(1, 1)")),
    ("q1", "an image hides all of its attributes or none", 1, TOLD.replace("rng.uniform(size=labels.shape)", "rng.uniform(size=(len(labels), 1))")),
    ("q1", "absent and hidden are both 0", 0, TOLD.replace("np.where(labels, 1, -1)", "labels")),
    ("q1", "hidden attributes are told as absent", 0, TOLD.replace("np.where(labels, 1, -1) * told", "np.where(labels & told, 1, -1)")),
    ("q2", "not divided by the sum of the counts that fit", 1, MIXTURE.replace("left / left.sum()", "left / counts.sum()")),
    ("q2", "the attribute that is not told keeps its share of all faces", 1, MIXTURE.replace(
        "    left = counts * fits\n    return left / left.sum()",
        "    shares = counts / counts.sum()\n    left = np.outer(shares.sum(1), shares.sum(0)) * fits\n    return left / left.sum()")),
    ("q2", "-1 is taken for nothing told", 1, MIXTURE.replace("if told[0]:", "if told[0] > 0:").replace("if told[1]:", "if told[1] > 0:")),
    ("q2", "the means are averaged instead of the densities", 1, MIXTURE.replace(
        "    return np.sum(w * components, axis=(1, 2))", "    return np.exp(-((x - np.sum(w * means)) ** 2) / 2) / np.sqrt(2 * np.pi)")),
    ("q2", "the factor of the normal density is missing", 1, MIXTURE.replace(" / np.sqrt(2 * np.pi)", "")),
    ("q3", "v does not depend on the generator", 1, SCORE.replace('"v": m - g', '"v": m')),
    ("q3", "real images and fakes are exchanged", 1, SCORE.replace('(g @ g - m @ m) / 2, "v": m - g', '(m @ m - g @ g) / 2, "v": g - m')),
    ("q3", "psi is left out", 1, SCORE.replace("(g @ g - m @ m) / 2", "0.0")),
    ("q3", "a hidden attribute adds log 2", 1, SCORE.replace("np.abs(told) * ", "")),
    ("q3", "the 2 of the logit is missing", 1, SCORE.replace("2 * told", "told")),
    ("q3", "the exponential overflows", 1, SCORE.replace("np.logaddexp(0, -logits)", "np.log(1 + np.exp(-logits))")),
    ("q3", "averaged over the attributes", 1, SCORE.replace("np.sum(np.abs", "np.mean(np.abs")),
    ("q4", "scale and shift have a bias", 3, GENERATOR.replace("use_bias=False, kernel_initializer", "kernel_initializer")),
    ("q4", "the scale is a instead of 1 + a", 2, GENERATOR.replace("(1 + layers.Reshape((1, 1, c))(a))", "layers.Reshape((1, 1, c))(a)")),
    ("q4", "scale and shift do not begin at 0", 3, GENERATOR.replace(', kernel_initializer="zeros"', "")),
    ("q4", "scale and shift use the same weights", 3, GENERATOR.replace(
        "a, b = (layers.Dense(c, use_bias=False, kernel_initializer=\"zeros\")(told) for _ in range(2))",
        "a = b = layers.Dense(c, use_bias=False, kernel_initializer=\"zeros\")(told)")),
    ("q4", "scale and shift stand before the normalisation", 4, GENERATOR.replace(
        BATCH_NORM, "layers.BatchNormalization(momentum=0.9)(scale_shift(x, told))")),
    ("q4", "what is told goes into the dense layer as well", 3, GENERATOR.replace("code = z\n", "code = layers.Concatenate()([z, told])\n")),
    ("q4", "the generator is not told the condition", 2, GENERATOR.replace(BATCH_NORM, "layers.BatchNormalization(momentum=0.9)(x)")),
    ("q4", "no sigmoid at the end", 3, GENERATOR.replace(', activation="sigmoid"', "")),
    ("q4", "the loss is averaged over the pixels", 4, GENERATOR.replace("tf.reduce_sum(tf.square(made - x), axis=(1, 2, 3))", "tf.square(made - x)")),
    ("q4", "batch normalisation is not in training mode", 4, GENERATOR.replace("training=True", "training=False")),
    ("q4", "images and what is told are drawn separately", 4, GENERATOR.replace("told[rows]", "told[rng.choice(len(images), 32)]")),
    ("q4", "the weights never change", 4, GENERATOR.replace("        optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables))\n", "")),
    ("q5", "the standard error of the observed share", 2, DIAGNOSIS.replace(
        DIAGNOSIS[: DIAGNOSIS.index("def diagnose")],
        "def wilson(hits, n):\n    share = hits / n\n    half = 1.96 * np.sqrt(share * (1 - share) / n)\n    return share - half, share + half\n\n\n")),
    ("q5", "any difference counts as obeying", 2, DIAGNOSIS.replace("wilson(a, 200)[0] > wilson(b, 200)[1]", "a > b")),
    ("q5", "people are not asked", 2, DIAGNOSIS.replace('"fooled" if (np.asarray(run["people"]) < 25).all() else "obeys"', '"obeys"')),
    ("q5", "the spread is not looked at", 2, DIAGNOSIS.replace('run["spread"] < 0.3', "False")),
    ("q5", "every run with a rare attribute is taken for rare", 1, DIAGNOSIS.replace(
        "    asked, asked_not", "    if np.min(run[\"share\"]) < 0.02:\n        return \"rare\"\n    asked, asked_not", 1)),
    ("q5", "right only for the runs A, B and C", 1, DIAGNOSIS[: DIAGNOSIS.index("def diagnose")] + '''def diagnose(run):
    return {"Bald": "ignored", "Mustache": "rare", "Bangs": "fooled"}.get(run["attributes"][-1], "obeys")
'''),
    ("q6", "images asked for the others are forgotten", 1, SHARES.replace("(t - miss) / (hit - miss)", "t / hit")),
    ("q6", "shares below 0 and above 1", 1, SHARES.replace("min(max((t - miss) / (hit - miss), 0.0), 1.0)", "(t - miss) / (hit - miss)")),
    ("q6", "a share instead of a number", 1, SHARES.replace("return n / (", "return 1 / (")),
    ("q6", "weighting costs nothing", 1, SHARES.replace("return n / (t**2 / r + (1 - t) ** 2 / (1 - r))", "return n")),
    ("q6", "twice the faces of the group", 1, SHARES.replace("return n / (t**2 / r + (1 - t) ** 2 / (1 - r))", "return min(r / t, 1) * n")),
]  # fmt: skip
