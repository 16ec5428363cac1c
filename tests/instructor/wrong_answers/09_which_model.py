"""Common wrong and other right answers to exercise 09: wrong ones with the mistake and the points that the question still gets."""

BIAS = """
def bias(d, ns, rounds, shift, seed):
    rng = np.random.default_rng(seed)
    distances = np.zeros((len(ns), rounds))
    for i, n in enumerate(ns):
        for j in range(rounds):
            x, y = rng.standard_normal((2, n, d))
            y[:, 0] += shift
            distances[i, j] = frechet_of_samples(x, y)
    return distances, np.polyfit(1 / np.array(ns), distances.mean(axis=1), 1)[1]
"""

WRONG = [
    ("q1", "the 2 before the root is missing", 0, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real.clip(0)
    trace = np.trace(covariance_1) + np.trace(covariance_2)
    return np.sum((mean_1 - mean_2) ** 2), trace - np.sqrt(eigenvalues).sum()
'''),
    ("q1", "the root of each entry instead of the matrix", 1, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    root = np.sqrt(np.abs(covariance_1 @ covariance_2))
    return np.sum((mean_1 - mean_2) ** 2), np.trace(covariance_1 + covariance_2 - 2 * root)
'''),
    ("q1", "the distance of the means is not squared", 2, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real.clip(0)
    trace = np.trace(covariance_1) + np.trace(covariance_2)
    return np.linalg.norm(mean_1 - mean_2), trace - 2 * np.sqrt(eigenvalues).sum()
'''),
    ("q1", "roots of eigenvalues below 0 are not caught", 2, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real
    trace = np.trace(covariance_1) + np.trace(covariance_2)
    return np.sum((mean_1 - mean_2) ** 2), trace - 2 * np.sqrt(eigenvalues).sum()
'''),
    ("q1", "right only for the visible inputs", 0, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    known = {3: (25.0, 0.0), 1: (0.0, 1.0), 2: (0.0, 10 - 2 * np.sqrt(20.5)), 30: (0.0, 0.0)}
    return known.get(len(mean_1), (0.0, 0.0))
'''),
    ("q2", "points are paired with themselves", 1, '''
def kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def kid(x, y):
    return kernel(x, x).mean() + kernel(y, y).mean() - 2 * kernel(x, y).mean()
'''),
    ("q2", "the product is not divided by the number of features", 2, '''
def kernel(a, b):
    return (a @ b.T + 1) ** 3


def kid(x, y):
    def others(k):
        return (k.sum() - np.trace(k)) / (len(k) * (len(k) - 1))

    return others(kernel(x, x)) + others(kernel(y, y)) - 2 * kernel(x, y).mean()
'''),
    ("q2", "pairs of a point with itself are left out across the sets too", 2, '''
def kernel(a, b):
    return (a @ b.T / a.shape[1] + 1) ** 3


def kid(x, y):
    def others(k):
        return (k.sum() - np.trace(k)) / (k.size - min(k.shape))

    return others(kernel(x, x)) + others(kernel(y, y)) - 2 * others(kernel(x, y))
'''),
    ("q3", "each point is taken for its own nearest neighbour", 2, '''
def reach(points, k):
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    return np.sort(distances, axis=1)[:, k - 1]


def precision_recall(real, fake, real_reach, fake_reach):
    distances = np.linalg.norm(fake[:, None] - real[None], axis=2)
    return (distances <= real_reach).any(axis=1).mean(), (distances <= fake_reach[:, None]).any(axis=0).mean()
'''),
    ("q3", "recall with the balls of the real points", 2, '''
def reach(points, k):
    return np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, k]


def precision_recall(real, fake, real_reach, fake_reach):
    inside = np.linalg.norm(fake[:, None] - real[None], axis=2) <= real_reach
    return inside.any(axis=1).mean(), inside.any(axis=0).mean()
'''),
    ("q3", "precision and recall are exchanged", 1, '''
def reach(points, k):
    return np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, k]


def precision_recall(real, fake, real_reach, fake_reach):
    distances = np.linalg.norm(fake[:, None] - real[None], axis=2)
    return (distances <= fake_reach[:, None]).any(axis=0).mean(), (distances <= real_reach).any(axis=1).mean()
'''),
    ("q4", "the threshold comes from the training points, each its own nearest", 1, '''
def nearest(points, others):
    return np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=1)


def copied(made, train, held_out, share=0.01):
    return nearest(made, train) < np.quantile(nearest(train, train), share)
'''),
    ("q4", "the threshold comes from the made points themselves", 1, '''
def nearest(points, others):
    return np.linalg.norm(points[:, None] - others[None], axis=2).min(axis=1)


def copied(made, train, held_out, share=0.01):
    distances = nearest(made, train)
    return distances < np.quantile(distances, share)
'''),
    ("q4", "the distances are left as squares", 1, '''
def nearest(points, others):
    return ((points[:, None] - others[None]) ** 2).sum(axis=2).min(axis=1)


def copied(made, train, held_out, share=0.01):
    return nearest(made, train) < np.quantile(nearest(held_out, train), share)
'''),
    ("q5", "the generator is made anew in each round", 1, BIAS.replace("rng.standard_normal", "np.random.default_rng(seed).standard_normal")),
    ("q5", "the line is fitted to n", 1, BIAS.replace("np.polyfit(1 / np.array(ns)", "np.polyfit(ns")),
    ("q5", "one of the two sets is the truth instead of a sample", 1, '''
def bias(d, ns, rounds, shift, seed):
    rng = np.random.default_rng(seed)
    distances = np.zeros((len(ns), rounds))
    for i, n in enumerate(ns):
        for j in range(rounds):
            x = rng.standard_normal((n, d))
            mean, variances = x.mean(axis=0) - shift * np.eye(d)[0], np.linalg.eigvalsh(np.cov(x.T))
            distances[i, j] = np.sum(mean**2) + np.sum((np.sqrt(variances) - 1) ** 2)
    return distances, np.polyfit(1 / np.array(ns), distances.mean(axis=1), 1)[1]
'''),
    ("q5", "the shift is added to every feature", 1, '''
def bias(d, ns, rounds, shift, seed):
    rng = np.random.default_rng(seed)
    distances = np.array([[frechet_of_samples(rng.standard_normal((n, d)), shift + rng.standard_normal((n, d)))
                           for _ in range(rounds)] for n in ns])
    return distances, np.polyfit(1 / np.array(ns), distances.mean(axis=1), 1)[1]
'''),
    ("q6", "an equal share for each model", 1, '''
def spend(train, names, budget):
    measured = {name: train(name, budget // len(names)) for name in names}
    return min(measured, key=measured.get)
'''),
    ("q6", "a brief look, then everything for the best", 1, '''
def spend(train, names, budget):
    brief = budget // 10 // len(names)
    measured = {name: train(name, brief) for name in names}
    best = min(measured, key=measured.get)
    train(best, budget - brief * len(names))
    return best
'''),
    ("q6", "everything for one model", 1, '''
def spend(train, names, budget):
    train(names[0], budget)
    return names[0]
'''),
    ("q6", "half of the budget for all, and half for the best", 1, '''
def spend(train, names, budget):
    half = budget // 2 // len(names)
    measured = {name: train(name, half) for name in names}
    best = min(measured, key=measured.get)
    train(best, budget - half * len(names))
    return best
'''),
    ("q6", "each model gets the whole budget", 0, '''
def spend(train, names, budget):
    measured = {name: train(name, budget) for name in names}
    return min(measured, key=measured.get)
'''),
    ("q6", "a model that was not trained", 0, '''
def spend(train, names, budget):
    return names[0]
'''),
    ("q6", "measurements without training", 0, '''
def spend(train, names, budget):
    left, rounds = list(names), max(1, int(np.log2(len(names))))
    for _ in range(rounds):
        measured = {}
        for name in left:
            train(name, budget // rounds // len(left))
            measured[name] = np.mean([train(name, 0) for _ in range(100)])
        left = sorted(left, key=measured.get)[: max(1, len(left) // 2)]
    return left[0]
'''),
]  # fmt: skip

# Other right answers: cell, what is different, source of the cell. They get all points.
DISTANCES = """
def distances(a, b):
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))
"""

RIGHT = [
    ("q1", "SciPy's root of a matrix", '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    values, vectors = np.linalg.eigh(covariance_1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    middle = np.linalg.eigvalsh(root @ covariance_2 @ root).clip(0)
    means = np.linalg.norm(mean_1 - mean_2) ** 2
    return [means, np.trace(covariance_1 + covariance_2) - 2 * np.sum(np.sqrt(middle))]
'''),
    ("q2", "the pairs one by one", '''
def kernel(a, b):
    return np.array([[(np.dot(u, v) / len(u) + 1) ** 3 for v in b] for u in a])


def kid(x, y):
    def mean_of_others(k):
        return k[~np.eye(len(k), dtype=bool)].mean()

    return mean_of_others(kernel(x, x)) + mean_of_others(kernel(y, y)) - 2 * np.mean(kernel(x, y))
'''),
    ("q3", "distances by the formula |a|^2 + |b|^2 - 2ab", DISTANCES + '''

def reach(points, k):
    return np.partition(distances(points, points), k, axis=1)[:, k]


def precision_recall(real, fake, real_reach, fake_reach):
    table = distances(real, fake)
    return (table <= real_reach[:, None]).any(axis=0).mean(), (table <= fake_reach).any(axis=1).mean()
'''),
    ("q3", "distances by SciPy", '''
def reach(points, k):
    from scipy.spatial.distance import cdist

    return np.sort(cdist(points, points), axis=1)[:, k]


def precision_recall(real, fake, real_reach, fake_reach):
    from scipy.spatial.distance import cdist

    inside = cdist(fake, real)
    return np.any(inside <= real_reach, axis=1).mean(), np.any(inside <= fake_reach[:, None], axis=0).mean()
'''),
    ("q4", "distances by the formula |a|^2 + |b|^2 - 2ab", DISTANCES + '''

def nearest(points, others):
    return distances(points, others).min(axis=1)


def copied(made, train, held_out, share=0.01):
    return nearest(made, train) <= np.quantile(nearest(held_out, train), share)
'''),
    ("q5", "all sets of one size at once, and the line by least squares", '''
def bias(d, ns, rounds, shift, seed):
    rng, rows = np.random.default_rng(seed), []
    for n in ns:
        x, y = rng.normal(size=(rounds, n, d)), rng.normal(size=(rounds, n, d))
        y[..., 0] += shift
        rows.append([frechet_of_samples(a, b) for a, b in zip(x, y)])
    design = np.stack([np.ones(len(ns)), 1 / np.asarray(ns)], axis=1)
    return np.array(rows), np.linalg.lstsq(design, np.mean(rows, axis=1), rcond=None)[0][0]
'''),
    ("q6", "two stages: all models, then the best three", '''
def spend(train, names, budget):
    first = budget // 2 // len(names)
    measured = {name: train(name, first) for name in names}
    left = sorted(names, key=measured.get)[:3]
    rest = (budget - first * len(names)) // len(left)
    measured = {name: train(name, rest) for name in left}
    return min(measured, key=measured.get)
'''),
    ("q6", "three stages: 12, 6 and 2 models", '''
def spend(train, names, budget):
    left = list(names)
    for keep in (6, 2, 1):
        piece = budget // 3 // len(left)
        measured = {name: train(name, piece) for name in left}
        left = sorted(left, key=measured.get)[:keep]
    return left[0]
'''),
]  # fmt: skip
