"""Wrong answers to exercise 04: (question, the mistake, the points it still gets, the answer)."""

LOSSES = """def loss_of_d(real, fake, real_label=1.0):
    of_real = real_label * np.logaddexp(0, -real) + (1 - real_label) * np.logaddexp(0, real)
    return of_real + np.logaddexp(0, fake)


def loss_of_g(fake):
    return np.logaddexp(0, -fake)
"""

BEST = """def best_discriminator(log_p, log_q):
    return np.exp(-np.logaddexp(0, log_q - log_p))


def loss_of_best(log_p, log_q, dx):
    logit = log_p - log_q
    return np.sum(np.exp(log_p) * np.logaddexp(0, -logit) + np.exp(log_q) * np.logaddexp(0, logit)) * dx
"""

PULLS = """def pulls(theta, z):
    logit = theta**2 / 2 - theta * (theta + z)
    D = 1 / (1 + np.exp(-logit))
    return {"minimax": np.mean(D * theta), "non_saturating": np.mean((1 - D) * theta)}
"""

TURNS = """def discriminator_turn(generator, discriminator, optimizer, real, z):
    fake = generator(z)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(discriminator_loss(discriminator(real), discriminator(fake)))
    weights = discriminator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss


def generator_turn(generator, discriminator, optimizer, z):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(generator_loss(discriminator(generator(z))))
    weights = generator.trainable_variables
    optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    return loss
"""
OUTSIDE = """    fake = generator(z)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(generator_loss(discriminator(fake)))
"""
INSIDE = """    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(generator_loss(discriminator(generator(z))))
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

PLAY = """def experiment(way, rate, theta, psi, rounds):
    path = [(theta, psi)]
    for _ in range(rounds):
        if way == "together":
            theta, psi = theta + rate * psi, psi - rate * theta
        elif way == "in turn":
            psi = psi - rate * theta
            theta = theta + rate * psi
        else:
            trial_theta, trial_psi = theta + rate * psi, psi - rate * theta
            theta, psi = theta + rate * trial_psi, psi - rate * trial_theta
        path.append((theta, psi))
    return np.array(path)
"""

WRONG = [
    ("q1", "the generator's loss saturates: log(1 - D)", 2, LOSSES.replace("return np.logaddexp(0, -fake)", "return -np.logaddexp(0, fake)")),
    ("q1", "the labels of the fakes are smoothed as well", 2, LOSSES.replace(
        "return of_real + np.logaddexp(0, fake)",
        "return of_real + real_label * np.logaddexp(0, fake) + (1 - real_label) * np.logaddexp(0, -fake)")),
    ("q1", "logarithms of a rounded D", 2, '''def loss_of_d(real, fake, real_label=1.0):
    a, b = 1 / (1 + np.exp(-real)), 1 / (1 + np.exp(-fake))
    return -real_label * np.log(a) - (1 - real_label) * np.log(1 - a) - np.log(1 - b)


def loss_of_g(fake):
    return -np.log(1 / (1 + np.exp(-fake)))
'''),
    ("q1", "D is clipped before the logarithm", 2, '''def loss_of_d(real, fake, real_label=1.0):
    a, b = (np.clip(1 / (1 + np.exp(-np.clip(l, -500, 500))), 1e-12, 1 - 1e-12) for l in (real, fake))
    return -real_label * np.log(a) - (1 - real_label) * np.log(1 - a) - np.log(1 - b)


def loss_of_g(fake):
    return -np.log(np.clip(1 / (1 + np.exp(-np.clip(fake, -500, 500))), 1e-12, 1 - 1e-12))
'''),
    ("q1", "right only for the logits of the visible checks", 0, '''def loss_of_d(real, fake, real_label=1.0):
    if len(real) == 2:
        return np.array([1.386294, 0.361849 if real_label == 1 else 0.661849])
    return np.array([0.0, 1000.0, 1000.0, 2000.0])


def loss_of_g(fake):
    return np.array([0.693147, 3.048587]) if len(fake) == 2 else np.array([0.0, 0.0, 1000.0, 1000.0])
'''),
    ("q2", "the densities are computed first: 0 / 0 far out", 1, BEST.replace(
        "return np.exp(-np.logaddexp(0, log_q - log_p))", "return np.exp(log_p) / (np.exp(log_p) + np.exp(log_q))")),
    ("q2", "the share of the fakes", 1, BEST.replace("log_q - log_p", "log_p - log_q")),
    ("q2", "the spacing of the grid is forgotten", 1, BEST.replace(" * dx", "")),
    ("q2", "half the loss: the mixture's density counts once", 1, BEST.replace("np.sum(np.exp", "0.5 * np.sum(np.exp")),
    ("q3", "D and 1 - D are exchanged", 0, PULLS.replace("np.mean(D * theta)", "np.mean(#)").replace("np.mean((1 - D) * theta)", "np.mean(D * theta)").replace("#", "(1 - D) * theta")),
    ("q3", "the discriminator moves along", 0, PULLS.replace("* theta)", "* (theta + z))")),
    ("q3", "the slope by the logit, without the rest of the chain", 0, PULLS.replace("* theta)", "* -1)")),
    ("q3", "the wrong sign for -log D", 1, PULLS.replace("np.mean((1 - D)", "-np.mean((1 - D)")),
    ("q4", "in the generator's turn the discriminator learns too", 2, TURNS.replace(
        "weights = generator.trainable_variables", "weights = generator.trainable_variables + discriminator.trainable_variables")),
    ("q4", "the generator's fakes are made outside the tape", 1, TURNS.replace(INSIDE, OUTSIDE)),
    ("q4", "real and fake are swapped in the discriminator's turn", 2, TURNS.replace(
        "discriminator_loss(discriminator(real), discriminator(fake))", "discriminator_loss(discriminator(fake), discriminator(real))")),
    ("q4", "nothing is returned", 2, TURNS.replace("    return loss\n", "")),
    ("q5", "a mode counts as reached by a single point", 2, COUNT.replace("inside.mean(axis=0) >= 0.01", "inside.any(axis=0)")),
    ("q5", "1% of the good points, not of all", 2, COUNT.replace("inside.mean(axis=0) >= 0.01", "inside.sum(axis=0) >= 0.01 * good.sum()")),
    ("q5", "a point in two circles counts twice", 2, COUNT.replace('"good": good.mean()', '"good": inside.mean(axis=0).sum()')),
    ("q5", "0 log 0 is not a number", 2, COUNT.replace("counts[counts > 0]", "counts")),
    ("q5", "the evenness is not divided by log k", 2, COUNT.replace(" / np.log(len(centres))", "")),
    ("q6", "one after the other when both should move together", 2, PLAY.replace(
        "theta, psi = theta + rate * psi, psi - rate * theta\n        elif", "psi = psi - rate * theta\n            theta = theta + rate * psi\n        elif")),
    ("q6", "the generator moves first", 2, PLAY.replace(
        "            psi = psi - rate * theta\n            theta = theta + rate * psi\n", "            theta = theta + rate * psi\n            psi = psi - rate * theta\n")),
    ("q6", "the second step begins at the trial point", 2, PLAY.replace(
        "theta, psi = theta + rate * trial_psi, psi - rate * trial_theta", "theta, psi = trial_theta + rate * trial_psi, trial_psi - rate * trial_theta")),
    ("q6", "both minimise the same", 0, PLAY.replace("theta + rate * psi", "theta - rate * psi").replace("theta + rate * trial_psi", "theta - rate * trial_psi")),
]  # fmt: skip
