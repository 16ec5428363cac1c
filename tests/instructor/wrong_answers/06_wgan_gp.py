"""Wrong answers to exercise 06: (question, the mistake, the points it still gets, the answer)."""

BETWEEN = """def between(real, fake, seed):
    alpha = np.random.default_rng(seed).uniform(size=(len(real), 1, 1, 1))
    return alpha * real + (1 - alpha) * fake
"""

PENALTY = """def gradient_penalty(critic, real, fake, alpha, one_sided=False):
    points = alpha * real + (1 - alpha) * fake
    with tf.GradientTape() as tape:
        tape.watch(points)
        scores = critic(points)
    gradients = tape.gradient(scores, points)
    norms = tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)
    excess = tf.maximum(norms - 1, 0) if one_sided else norms - 1
    return tf.square(excess)
"""

TABLE = """def cross_talk(critic, images):
    rows = []
    for i in range(len(images)):
        with tf.GradientTape() as tape:
            tape.watch(images)
            score = critic(images)[i]
        squares = tf.square(tape.gradient(score, images))
        rows.append(tf.sqrt(tf.reduce_sum(squares, axis=(1, 2, 3))))
    return tf.stack(rows)
"""

LINEAR = """def best_linear_critic(real, fake, gp_weight):
    difference = np.mean(real, axis=0) - np.mean(fake, axis=0)
    distance = np.linalg.norm(difference)
    return (1 + distance / (2 * gp_weight)) * difference / distance
"""

EXPERIMENT = """def experiment(real, fake, gp_weight, seed, places, steps=300):
    critic, rng = new_critic(seed), np.random.default_rng(seed)
    optimizer, weights = new_optimizer(critic), critic.trainable_variables

    @tf.function(autograph=False)
    def step(x, y, alpha):
        with tf.GradientTape() as tape:
            difference = critic(y) - critic(x)
            penalty = gdl.losses.gradient_penalty(critic, x, y, alpha)
            loss = tf.reduce_mean(difference + gp_weight * penalty)
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return -tf.reduce_mean(difference)

    estimates = np.zeros(steps)
    for i in range(steps):
        x, y = (as_images(rng.choice(points, 64)) for points in (real, fake))
        estimates[i] = step(x, y, rng.uniform(size=(64, 1, 1, 1)).astype("float32"))
    return {"estimates": estimates, "scores": critic(as_images(places)).numpy()}
"""

WRONG = [
    ("q1", "alpha from a normal distribution", 1, BETWEEN.replace("uniform(size=", "normal(size=")),
    ("q1", "one alpha for the whole batch", 1, BETWEEN.replace("size=(len(real), 1, 1, 1)", "size=(1, 1, 1, 1)")),
    ("q1", "an alpha for each number of the image", 1, BETWEEN.replace("size=(len(real), 1, 1, 1)", "size=real.shape")),
    ("q1", "alpha is always one half", 0, BETWEEN.replace("np.random.default_rng(seed).uniform(size=(len(real), 1, 1, 1))", "0.5")),
    ("q2", "the norm goes over the whole batch", 3, PENALTY.replace(", axis=(1, 2, 3)", "")),
    ("q2", "no guard under the root", 4, PENALTY.replace(" + 1e-12", "")),
    ("q2", "averaged over the batch already", 3, PENALTY.replace("return tf.square(excess)", "return tf.reduce_mean(tf.square(excess))")),
    ("q2", "the norm is computed in NumPy, where the derivative is lost", 3, PENALTY.replace(
        "norms = tf.sqrt(", "norms = np.sqrt(").replace("tf.reduce_sum(tf.square(gradients)", "np.sum(np.square(gradients)")),
    ("q2", "real and fake are exchanged", 4, PENALTY.replace("alpha * real + (1 - alpha) * fake", "alpha * fake + (1 - alpha) * real")),
    ("q2", "the square of the norm is compared with one", 3, PENALTY.replace(
        "tf.sqrt(tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3)) + 1e-12)", "tf.reduce_sum(tf.square(gradients), axis=(1, 2, 3))")),
    ("q2", "the penalty is always two-sided", 4, PENALTY.replace("tf.maximum(norms - 1, 0) if one_sided else norms - 1", "norms - 1")),
    ("q2", "right only for the critic of the first visible check", 0, '''def gradient_penalty(critic, real, fake, alpha, one_sided=False):
    return 36 * tf.ones(len(real))
'''),
    ("q3", "the gradient of all scores together", 1, '''def cross_talk(critic, images):
    with tf.GradientTape() as tape:
        tape.watch(images)
        scores = critic(images)
    norms = tf.sqrt(tf.reduce_sum(tf.square(tape.gradient(scores, images)), axis=(1, 2, 3)))
    return tf.linalg.diag(norms)
'''),
    ("q3", "rows and columns are exchanged", 2, TABLE.replace("tf.stack(rows)", "tf.stack(rows, axis=1)")),
    ("q3", "squares of the norms", 1, TABLE.replace("tf.sqrt(tf.reduce_sum(squares, axis=(1, 2, 3)))", "tf.reduce_sum(squares, axis=(1, 2, 3))")),
    ("q4", "a length of one: no overshoot", 1, LINEAR.replace("(1 + distance / (2 * gp_weight)) * ", "")),
    ("q4", "the overshoot is twice too large", 1, LINEAR.replace("2 * gp_weight", "gp_weight")),
    ("q4", "from the real images to the fakes", 1, LINEAR.replace(
        "np.mean(real, axis=0) - np.mean(fake, axis=0)", "np.mean(fake, axis=0) - np.mean(real, axis=0)")),
    ("q5", "the penalty is left out", 1, EXPERIMENT.replace("difference + gp_weight * penalty", "difference")),
    ("q5", "the penalty's weight is left out", 1, EXPERIMENT.replace("gp_weight * penalty", "penalty")),
    ("q5", "real less fake is made small", 0, EXPERIMENT.replace("difference = critic(y) - critic(x)", "difference = critic(x) - critic(y)")),
    ("q5", "the estimates are those of the whole loss", 3, EXPERIMENT.replace("return -tf.reduce_mean(difference)", "return -loss")),
    ("q5", "the estimates have the sign of the loss", 3, EXPERIMENT.replace("return -tf.reduce_mean(difference)", "return tf.reduce_mean(difference)")),
]  # fmt: skip
