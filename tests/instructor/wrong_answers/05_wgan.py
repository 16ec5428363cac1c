"""Wrong answers to exercise 05: (question, the mistake, the points it still gets, the answer)."""

WRONG = [
    (
        "q1",
        "the difference of the two means",
        0,
        """def wasserstein(real, fake):
    return abs(np.mean(real) - np.mean(fake))
""",
    ),
    (
        "q1",
        "the lists are not sorted",
        0,
        """def wasserstein(real, fake):
    return np.mean(np.abs(np.asarray(real) - fake))
""",
    ),
    (
        "q1",
        "sorted, but only for lists of equal length: the longer one is cut",
        1,
        """def wasserstein(real, fake):
    n = min(len(real), len(fake))
    return np.mean(np.abs(np.sort(real)[:n] - np.sort(fake)[:n]))
""",
    ),
    (
        "q1",
        "counts instead of shares on the left",
        0,
        """def wasserstein(real, fake):
    places = np.sort(np.concatenate([real, fake]))
    left_real = np.searchsorted(np.sort(real), places[:-1], side="right")
    left_fake = np.searchsorted(np.sort(fake), places[:-1], side="right")
    return np.sum(np.abs(left_fake - left_real) * np.diff(places))
""",
    ),
    (
        "q1",
        "right only for the lists of the visible checks",
        0,
        """def wasserstein(real, fake):
    return {(3, 5.0): 5 / 3, (3, 1.0): 0.0}.get((len(real), real[0]), 2.0)
""",
    ),
    (
        "q2",
        "the half is forgotten",
        2,
        """def js(p, q):
    p, q = p / np.sum(p), q / np.sum(q)
    m = (p + q) / 2
    kl = lambda a: np.sum(a[a > 0] * np.log(a[a > 0] / m[a > 0]))
    return kl(p) + kl(q)
""",
    ),
    (
        "q2",
        "0 log 0 is not a number",
        2,
        """def js(p, q):
    p, q = p / np.sum(p), q / np.sum(q)
    m = (p + q) / 2
    with np.errstate(all="ignore"):
        return (np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m))) / 2
""",
    ),
    (
        "q2",
        "the counts are not divided by their sums",
        2,
        """def js(p, q):
    m = (p + q) / 2
    kl = lambda a: np.sum(a[a > 0] * np.log(a[a > 0] / m[a > 0]))
    return (kl(p) + kl(q)) / 2
""",
    ),
    (
        "q3",
        "the critic minimises real less fake",
        1,
        """def losses(score_real, score_fake):
    estimate = np.mean(score_real) - np.mean(score_fake)
    return {"critic": estimate, "wasserstein": estimate, "generator": -np.mean(score_fake)}
""",
    ),
    (
        "q3",
        "the generator minimises its score",
        1,
        """def losses(score_real, score_fake):
    critic = np.mean(score_fake) - np.mean(score_real)
    return {"critic": critic, "wasserstein": -critic, "generator": np.mean(score_fake)}
""",
    ),
    (
        "q3",
        "one mean over real and fake scores together",
        1,
        """def losses(score_real, score_fake):
    critic = np.mean(np.concatenate([score_fake, -score_real]))
    return {"critic": critic, "wasserstein": -critic, "generator": -np.mean(score_fake)}
""",
    ),
    (
        "q4",
        "the same points in all steps",
        2,
        """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        gradients = loss_gradients(weights, real, fake)
        weights = [np.clip(w - rate * g, -clip, clip) for w, g in zip(weights, gradients)]
    return weights
""",
    ),
    (
        "q4",
        "clipped before the step",
        2,
        """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        weights = [np.clip(w, -clip, clip) for w in weights]
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        weights = [w - rate * g for w, g in zip(weights, gradients)]
    return weights
""",
    ),
    (
        "q4",
        "only the kernels are clipped",
        2,
        """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        weights = [w - rate * g for w, g in zip(weights, gradients)]
        weights = [np.clip(w, -clip, clip) if w.ndim == 2 else w for w in weights]
    return weights
""",
    ),
    (
        "q4",
        "uphill",
        2,
        """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        weights = [np.clip(w + rate * g, -clip, clip) for w, g in zip(weights, gradients)]
    return weights
""",
    ),
    (
        "q5",
        "the limit counts once, not once a layer",
        1,
        """def steepest_possible(widths, clip):
    return clip * np.prod([np.sqrt(n * m) for n, m in zip(widths, widths[1:])])
""",
    ),
    (
        "q5",
        "the weights of a layer are added up, without the root",
        0,
        """def steepest_possible(widths, clip):
    return np.prod([clip * n * m for n, m in zip(widths, widths[1:])])
""",
    ),
    (
        "q5",
        "one path through the layers instead of all",
        0,
        """def steepest_possible(widths, clip):
    return clip ** (len(widths) - 1)
""",
    ),
]

EXPERIMENT = """def experiment(real, fake, clip, seed, steps=300):
    rng = np.random.default_rng(seed)
    weights = new_critic((1, 16, 16, 1), clip, seed)
    estimates = np.zeros(steps)
    for step in range(steps):
        real_batch, fake_batch = (rng.choice(points, 64)[:, None] for points in (real, fake))
        gradients = loss_gradients(weights, real_batch, fake_batch)
        weights = [np.clip(w, -clip, clip) for w in downhill(weights, gradients, clip / 20)]
        estimates[step] = scores(weights, real[:, None]).mean() - scores(weights, fake[:, None]).mean()
    return {"estimates": estimates, "scores": scores(weights, grid[:, None])}
"""
WRONG += [
    ("q6", "no clipping", 1, EXPERIMENT.replace("np.clip(w, -clip, clip)", "w")),
    ("q6", "uphill", 0, EXPERIMENT.replace("gradients, clip / 20", "gradients, -clip / 20")),
    ("q6", "the loss is noted, not the estimate", 2, EXPERIMENT.replace("estimates[step] =", "estimates[step] = -1 *").replace(
        "scores(weights, real[:, None]).mean() - scores(weights, fake[:, None]).mean()",
        "(scores(weights, real[:, None]).mean() - scores(weights, fake[:, None]).mean())")),
    ("q6", "the critic's first weights are scored, not the trained ones", 0, EXPERIMENT.replace(
        "    return {", "    weights = new_critic((1, 16, 16, 1), clip, seed)\n    return {")),
]  # fmt: skip
