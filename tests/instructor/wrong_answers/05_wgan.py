"""Answers to exercise 05. WRONG: (question, the mistake, the points it still gets, the answer). RIGHT: (question, how it differs, the answer)."""

from wrong_answers import changed

JS = """def js(p, q):
    p, q = p / np.sum(p), q / np.sum(q)
    m = (p + q) / 2
    kl = lambda a: np.sum(a[a > 0] * np.log(a[a > 0] / m[a > 0]))
    return (kl(p) + kl(q)) / 2
"""

TURN = """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        weights = [np.clip(w - rate * g, -clip, clip) for w, g in zip(weights, gradients)]
    return weights
"""

IN_PLACE = """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        for w, g in zip(weights, gradients):
            w -= rate * g
            np.clip(w, -clip, clip, out=w)
    return weights
"""

SLOPE = """def steepest_possible(widths, clip):
    return float(np.prod([clip * np.sqrt(n * m) for n, m in zip(widths, widths[1:])]))


def clip_for(widths, slope):
    return (slope / steepest_possible(widths, 1.0)) ** (1 / (len(widths) - 1))
"""

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


WRONG = [
    ("q1", "the difference of the two means", 0, """def wasserstein(real, fake):
    return abs(np.mean(real) - np.mean(fake))
"""),
    ("q1", "the lists are not sorted", 0, """def wasserstein(real, fake):
    return np.mean(np.abs(np.asarray(real) - fake))
"""),
    ("q1", "sorted, but only for lists of equal length: the longer one is cut", 1, """def wasserstein(real, fake):
    n = min(len(real), len(fake))
    return np.mean(np.abs(np.sort(real)[:n] - np.sort(fake)[:n]))
"""),
    ("q1", "counts instead of shares on the left", 0, """def wasserstein(real, fake):
    places = np.sort(np.concatenate([real, fake]))
    left_real = np.searchsorted(np.sort(real), places[:-1], side="right")
    left_fake = np.searchsorted(np.sort(fake), places[:-1], side="right")
    return np.sum(np.abs(left_fake - left_real) * np.diff(places))
"""),
    ("q1", "right only for the lists of the visible checks", 0, """def wasserstein(real, fake):
    return {(3, 5.0): 5 / 3, (3, 1.0): 0.0}.get((len(real), real[0]), 2.0)
"""),
    ("q2", "the half is forgotten", 1, changed(JS, "(kl(p) + kl(q)) / 2", "kl(p) + kl(q)")),
    ("q2", "0 log 0 is not a number", 2, """def js(p, q):
    p, q = p / np.sum(p), q / np.sum(q)
    m = (p + q) / 2
    with np.errstate(all="ignore"):
        return (np.sum(p * np.log(p / m)) + np.sum(q * np.log(q / m))) / 2
"""),
    ("q2", "the counts are not divided by their sums", 2, changed(JS, "    p, q = p / np.sum(p), q / np.sum(q)\n", "")),
    ("q2", "the total variation distance", 1, """def js(p, q):
    return np.abs(p / np.sum(p) - q / np.sum(q)).sum() / 2
"""),
    ("q3", "the same points in all steps", 3, changed(TURN, "real[i::critic_steps], fake[i::critic_steps]", "real, fake")),
    ("q3", "clipped before the step", 3, """def critic_turn(weights, real, fake, critic_steps, rate, clip):
    for i in range(critic_steps):
        weights = [np.clip(w, -clip, clip) for w in weights]
        gradients = loss_gradients(weights, real[i::critic_steps], fake[i::critic_steps])
        weights = [w - rate * g for w, g in zip(weights, gradients)]
    return weights
"""),
    ("q3", "only the kernels are clipped", 3, changed(TURN, "np.clip(w - rate * g, -clip, clip) for", "np.clip(w - rate * g, -clip, clip) if w.ndim == 2 else w - rate * g for")),
    ("q3", "uphill", 3, changed(TURN, "w - rate * g", "w + rate * g")),
    ("q3", "the arrays that were given are changed in place", 3, IN_PLACE),
    ("q4", "the limit counts once, not once a layer", 1, """def steepest_possible(widths, clip):
    return clip * np.prod([np.sqrt(n * m) for n, m in zip(widths, widths[1:])])


def clip_for(widths, slope):
    return slope / steepest_possible(widths, 1.0)
"""),
    ("q4", "the weights of a layer are added up, without the root", 0, changed(SLOPE, "np.sqrt(n * m)", "n * m")),
    ("q4", "one path through the layers instead of all", 0, changed(SLOPE, "clip * np.sqrt(n * m)", "clip")),
    ("q4", "the limit is proportional to the slope", 2, changed(SLOPE, " ** (1 / (len(widths) - 1))", "")),
    ("q5", "no clipping", 1, changed(EXPERIMENT, "np.clip(w, -clip, clip)", "w")),
    ("q5", "uphill", 0, changed(EXPERIMENT, "gradients, clip / 20", "gradients, -clip / 20")),
    ("q5", "the loss is recorded, not the estimate", 2, changed(
        EXPERIMENT, "scores(weights, real[:, None]).mean() - scores(weights, fake[:, None]).mean()",
        "scores(weights, fake[:, None]).mean() - scores(weights, real[:, None]).mean()")),
    ("q5", "the critic's first weights are scored, not the trained ones", 0, changed(
        EXPERIMENT, "    return {", "    weights = new_critic((1, 16, 16, 1), clip, seed)\n    return {")),
]  # fmt: skip

RIGHT = [
    ("q1", "quantiles of both lists instead of cumulative distributions", """def wasserstein(real, fake):
    ends = np.unique(np.concatenate([np.arange(len(real) + 1) / len(real), np.arange(len(fake) + 1) / len(fake)]))
    middles = (ends[1:] + ends[:-1]) / 2
    quantile = lambda points: np.sort(points)[np.minimum((middles * len(points)).astype(int), len(points) - 1)]
    return float(np.diff(ends) @ np.abs(quantile(real) - quantile(fake)))
"""),
    ("q2", "the entropy of the mixture minus the mean entropy", """def js(p, q):
    p, q = np.asarray(p) / np.sum(p), np.asarray(q) / np.sum(q)
    entropy = lambda a: -np.sum(np.where(a > 0, a * np.log(np.where(a > 0, a, 1)), 0))
    return entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2
"""),
    ("q3", "changes in place, of copies", changed(IN_PLACE, "    for i in", "    weights = [w.copy() for w in weights]\n    for i in")),
    ("q4", "the slope of the critic with all weights at the limit, and a search for the limit", """def steepest_possible(widths, clip):
    x = np.full((1, widths[0]), 1.0)
    return slopes([np.full_like(w, clip) for w in new_critic(widths, 1, 0)], x)[0]


def clip_for(widths, slope):
    low, high = 1e-9, 1e9
    for _ in range(200):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if steepest_possible(widths, middle) < slope else (low, middle)
    return middle
"""),
    ("q5", "batches by shuffled indices", changed(
        EXPERIMENT, "(rng.choice(points, 64)[:, None] for points in (real, fake))", "(points[rng.permutation(len(points))[:64], None] for points in (real, fake))")),
]  # fmt: skip
