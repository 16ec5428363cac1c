"""Common wrong answers to exercise 09: cell, the mistake, the points that the question still gets, source of the cell."""

WRONG = [
    ("q1", "the 2 before the root is missing", 1, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real.clip(0)
    trace = np.trace(covariance_1) + np.trace(covariance_2)
    return np.sum((mean_1 - mean_2) ** 2), trace - np.sqrt(eigenvalues).sum()
'''),
    ("q1", "the root of each entry instead of the matrix", 2, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    root = np.sqrt(np.abs(covariance_1 @ covariance_2))
    return np.sum((mean_1 - mean_2) ** 2), np.trace(covariance_1 + covariance_2 - 2 * root)
'''),
    ("q1", "the distance of the means is not squared", 3, '''
def frechet_parts(mean_1, covariance_1, mean_2, covariance_2):
    eigenvalues = np.linalg.eigvals(covariance_1 @ covariance_2).real.clip(0)
    trace = np.trace(covariance_1) + np.trace(covariance_2)
    return np.linalg.norm(mean_1 - mean_2), trace - 2 * np.sqrt(eigenvalues).sum()
'''),
    ("q1", "roots of eigenvalues below 0 are not caught", 3, '''
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
    ("q4", "the distances are left as squares", 2, '''
def nearest(points, others):
    return ((points[:, None] - others[None]) ** 2).sum(axis=2).min(axis=1)


def copied(made, train, held_out, share=0.01):
    return nearest(made, train) < np.quantile(nearest(held_out, train), share)
'''),
    ("q5", "the generator is made anew in each round", 2, '''
def bias(d, ns, rounds, shift, seed):
    distances = np.zeros((len(ns), rounds))
    for i, n in enumerate(ns):
        for j in range(rounds):
            x, y = np.random.default_rng(seed).standard_normal((2, n, d))
            y[:, 0] += shift
            distances[i, j] = frechet_of_samples(x, y)
    return distances, np.polyfit(1 / np.array(ns), distances.mean(axis=1), 1)[1]
'''),
    ("q5", "the line is laid against n", 2, '''
def bias(d, ns, rounds, shift, seed):
    rng = np.random.default_rng(seed)
    distances = np.zeros((len(ns), rounds))
    for i, n in enumerate(ns):
        for j in range(rounds):
            x, y = rng.standard_normal((2, n, d))
            y[:, 0] += shift
            distances[i, j] = frechet_of_samples(x, y)
    return distances, np.polyfit(ns, distances.mean(axis=1), 1)[1]
'''),
    ("q5", "one of the two sets is the truth instead of a sample", 2, '''
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
]  # fmt: skip
