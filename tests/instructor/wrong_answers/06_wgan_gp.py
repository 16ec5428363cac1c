"""Wrong answers to exercise 06: (question, the mistake, the points it still gets, the answer), and other right answers."""

BETWEEN = """def between(real, fake, seed):
    alpha = np.random.default_rng(seed).uniform(size=(len(real), 1, 1, 1))
    return alpha * real + (1 - alpha) * fake
"""

PENALTY = """def gradient_penalty(critic, real, fake, alpha):
    points = alpha * real + (1 - alpha) * fake
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = critic(points)
    gradients = tape.gradient(scores, points)
    norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)
    return tf.square(norms - 1)
"""

LINEAR = """def best_linear_critic(real, fake, gp_weight):
    difference = np.mean(real, axis=0) - np.mean(fake, axis=0)
    distance = np.linalg.norm(difference)
    return (1 + distance / (2 * gp_weight)) * difference / distance
"""

CRITIC = """def build_critic(size, filters):
    images = x = keras.Input((size, size, 3))
    for number, f in enumerate(filters):
        x = keras.layers.Conv2D(f, 3, strides=2, padding="same")(x)
        x = keras.layers.GroupNormalization(groups=1)(x) if number else x
        x = keras.layers.LeakyReLU(negative_slope=0.2)(x)
    score = keras.layers.Dense(1)(keras.layers.Flatten()(x))
    return keras.Model(images, keras.layers.Reshape(())(score))


def critic_losses(critic, real, fake, alpha, gp_weight):
    estimate = tf.reduce_mean(critic(real) - critic(fake))
    penalty = tf.reduce_mean(gdl.losses.gradient_penalty(critic, real, fake, alpha))
    return gp_weight * penalty - estimate, estimate
"""

DIAGNOSE = """def diagnose(run):
    estimate, late = np.array(run["estimate"]), np.array(run["estimate"][-8:])
    if np.mean(run["penalty"][-5:]) > 100:
        return "no penalty"
    if np.mean(np.abs(np.diff(late))) > 0.3 * np.mean(np.abs(late)):
        return "learning rate too large"
    return "learning rate too small" if late[-1] > 0.95 * estimate.max() else "healthy"
"""

WRONG = [
    ("q1", "alpha from a normal distribution", 1, BETWEEN.replace("uniform(size=", "normal(size=")),
    ("q1", "one alpha for the whole batch", 1, BETWEEN.replace("size=(len(real), 1, 1, 1)", "size=(1, 1, 1, 1)")),
    ("q1", "an alpha for each number of the image", 1, BETWEEN.replace("size=(len(real), 1, 1, 1)", "size=real.shape")),
    ("q1", "alpha is always one half", 0, BETWEEN.replace("np.random.default_rng(seed).uniform(size=(len(real), 1, 1, 1))", "0.5")),
    ("q2", "the norm goes over the whole batch", 2, PENALTY.replace(", axis=(1, 2, 3)", "")),
    ("q2", "no guard under the root", 3, PENALTY.replace(" + 1e-12", "")),
    ("q2", "averaged over the batch already", 2, PENALTY.replace("return tf.square(norms - 1)", "return tf.reduce_mean(tf.square(norms - 1))")),
    ("q2", "the norm is computed in NumPy, where the derivative is lost", 2, PENALTY.replace(
        "norms = tf.sqrt(", "norms = np.sqrt(").replace("tf.reduce_sum(tf.square(gradients)", "np.sum(np.square(gradients)")),
    ("q2", "real and fake are exchanged", 3, PENALTY.replace("alpha * real + (1 - alpha) * fake", "alpha * fake + (1 - alpha) * real")),
    ("q2", "the square of the norm is compared with one", 2, PENALTY.replace(
        "tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)", "tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3))")),
    ("q2", "right only for the critic of the first visible check", 0, '''def gradient_penalty(critic, real, fake, alpha):
    return 36 * tf.ones(len(real))
'''),
    ("q3", "a length of one: no overshoot", 1, LINEAR.replace("(1 + distance / (2 * gp_weight)) * ", "")),
    ("q3", "the overshoot is twice too large", 1, LINEAR.replace("2 * gp_weight", "gp_weight")),
    ("q3", "from the real images to the fakes", 1, LINEAR.replace(
        "np.mean(real, axis=0) - np.mean(fake, axis=0)", "np.mean(fake, axis=0) - np.mean(real, axis=0)")),
    ("q1", "the numbers of the batch and of the image of the first check", 0, BETWEEN.replace("(len(real), 1, 1, 1)", "(4, 1, 1, 1)")),
    ("q4", "batch normalisation", 3, CRITIC.replace("GroupNormalization(groups=1)", "BatchNormalization()")),
    ("q4", "no normalisation", 3, CRITIC.replace("keras.layers.GroupNormalization(groups=1)(x) if number else x", "x")),
    ("q4", "ReLU instead of leaky ReLU", 4, CRITIC.replace("keras.layers.LeakyReLU(negative_slope=0.2)", "keras.layers.ReLU()")),
    ("q4", "scores of shape (batch, 1)", 1, CRITIC.replace("keras.layers.Reshape(())(score)", "score")),
    ("q4", "the penalty is left out", 2, CRITIC.replace("gp_weight * penalty - estimate", "-estimate")),
    ("q4", "the weight of the penalty is always 10", 3, CRITIC.replace("gp_weight * penalty", "10 * penalty")),
    ("q4", "the loss is small where fakes have the higher scores", 2, CRITIC.replace("penalty - estimate", "penalty + estimate")),
    ("q4", "the estimate is the negative of the loss", 4, CRITIC.replace("- estimate, estimate", "- estimate, estimate - gp_weight * penalty")),
    ("q4", "three lines of the formula on paper, no network and no training", 1, """def build_critic(size, filters):
    images = keras.Input((size, size, 3))
    return keras.Model(images, keras.layers.Lambda(lambda x: tf.reduce_sum(x, axis=(1, 2, 3)))(images))


def critic_losses(critic, real, fake, alpha, gp_weight):
    estimate = tf.reduce_mean(critic(real) - critic(fake))
    return gp_weight * tf.reduce_mean(gdl.losses.gradient_penalty(critic, real, fake, alpha)) - estimate, estimate
"""),
    ("q5", "right only for the four runs", 0, """def diagnose(run):
    names = dict(zip("ABCD", ("learning rate too small", "no penalty", "healthy", "learning rate too large")))
    return next((names[letter] for letter, other in RUNS.items() if list(run["penalty"]) == other["penalty"]), "none of them")
"""),
    ("q5", "a penalty above 0.5 is taken for a missing penalty", 1, DIAGNOSE.replace("> 100", "> 0.5")),
    ("q5", "the penalty alone is looked at", 1, """def diagnose(run):
    penalty = np.mean(run["penalty"][-5:])
    if penalty > 100:
        return "no penalty"
    return "healthy" if penalty < 0.1 else "learning rate too small" if penalty < 0.4 else "learning rate too large"
"""),
    ("q5", "a fixed bound of the estimate, which the same run in another size exceeds", 1, DIAGNOSE.replace("late[-1] > 0.95 * estimate.max()", "late[-1] < 0.1")),
    ("q5", "large and small learning rates are exchanged", 1, DIAGNOSE.replace("too large", "TOO").replace("too small", "too large").replace("TOO", "too small")),
]  # fmt: skip

RIGHT = [
    ("q1", "a number for each pair, in another order", """def between(real, fake, seed):
    rng = np.random.default_rng(seed)
    return np.array([b + rng.random() * (a - b) for a, b in zip(real, fake)])
"""),
    ("q2", "flat gradients, and the mean of the scores", """def gradient_penalty(critic, real, fake, alpha):
    points = fake + alpha * (real - fake)
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(points)
        score = tf.reduce_sum(critic(points))
    flat = tf.reshape(tape.gradient(score, points), (len(real), -1))
    return (tf.sqrt(tf.reduce_sum(flat**2, axis=1) + 1e-10) - 1.0) ** 2
"""),
    ("q2", "the jacobian of all scores", """def gradient_penalty(critic, real, fake, alpha):
    x = alpha * real + (1 - alpha) * fake
    with tf.GradientTape() as tape:
        tape.watch(x)
        scores = critic(x)
    jacobian = tape.jacobian(scores, x)  # (batch, batch, h, w, c)
    own = tf.stack([jacobian[i, i] for i in range(x.shape[0])])
    squares = tf.reduce_sum(own * own, axis=[1, 2, 3])
    return tf.math.squared_difference(tf.sqrt(tf.maximum(squares, 1e-12)), 1.0)
"""),
    ("q3", "a sum of two vectors", """def best_linear_critic(real, fake, gp_weight):
    m = real.mean(0) - fake.mean(0)
    return m / np.sqrt((m**2).sum()) + m / (2 * gp_weight)
"""),
    ("q4", "a Sequential, ops of Keras, and a penalty with a tape of one's own", """def build_critic(size, filters):
    model = keras.Sequential([keras.Input((size, size, 3))])
    for i, f in enumerate(filters):
        model.add(keras.layers.Conv2D(f, (3, 3), 2, "same"))
        if i > 0:
            model.add(keras.layers.GroupNormalization(1))
        model.add(keras.layers.LeakyReLU(0.2))
    for layer in (keras.layers.Flatten(), keras.layers.Dense(1), keras.layers.Reshape(())):
        model.add(layer)
    return model


def critic_losses(critic, real, fake, alpha, gp_weight):
    x = fake + alpha * (real - fake)
    with tf.GradientTape() as tape:
        tape.watch(x)
        scores = critic(x, training=True)
    norms = tf.sqrt(tf.reduce_sum(tape.gradient(scores, x) ** 2, axis=(1, 2, 3)) + 1e-12)
    difference = critic(fake, training=True) - critic(real, training=True)
    return tf.reduce_mean(difference + gp_weight * (norms - 1) ** 2), -keras.ops.mean(difference)
"""),
    ("q4", "layer normalisation over all numbers of an image, a model of one's own", """class Critic(keras.Model):
    def __init__(self, filters):
        super().__init__()
        self.convolutions = [keras.layers.Conv2D(f, 3, 2, "same") for f in filters]
        self.norms = [keras.layers.GroupNormalization(groups=1) for _ in filters[1:]]
        self.dense = keras.layers.Dense(1)

    def call(self, x, training=False):
        for i, convolution in enumerate(self.convolutions):
            x = convolution(x)
            if i:
                x = self.norms[i - 1](x)
            x = keras.activations.leaky_relu(x, 0.2)
        return self.dense(keras.ops.reshape(x, (-1, x.shape[1] * x.shape[2] * x.shape[3])))[:, 0]


def build_critic(size, filters):
    critic = Critic(filters)
    critic(np.zeros((1, size, size, 3), "float32"))
    return critic


def critic_losses(critic, real, fake, alpha, gp_weight):
    a, b = tf.reduce_mean(critic(real)), tf.reduce_mean(critic(fake))
    return b - a + tf.reduce_mean(gp_weight * gdl.losses.gradient_penalty(critic, real, fake, alpha)), a - b
"""),
    ("q5", "the signs of the changes, and the held-out estimate", """def diagnose(run):
    penalty, held_out = np.array(run["penalty"]), np.array(run["held_out"])
    if penalty[-1] > 1000:
        return "no penalty"
    changes = np.diff(held_out[-8:])
    if (changes > 0).sum() in (2, 3, 4, 5) and np.abs(changes).max() > 0.5:
        return "learning rate too large"
    return "learning rate too small" if (np.diff(held_out) > 0).mean() > 0.8 else "healthy"
"""),
]  # fmt: skip
