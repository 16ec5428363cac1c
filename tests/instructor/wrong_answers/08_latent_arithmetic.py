"""Common wrong and other right answers to exercise 08: wrong ones with the mistake and the points that the question still gets."""

VECTORS = """
def plain_vector(z, has):
    return z[has].mean(axis=0) - z[~has].mean(axis=0)


def balanced_vectors(z, table):
    x = np.column_stack([np.ones(len(z)), table])
    return np.linalg.lstsq(x, z, rcond=None)[0][1:]
"""

CURVE = """
def flips(before, after, column):
    lacked = before[:, column] <= 0.5
    before, after = before[lacked], after[lacked]
    return (after[:, column] > 0.5).mean(), np.abs(np.delete(after - before, column, axis=1)).mean()


def others_at(gain, gains, others):
    return np.interp(gain, [0, *gains], [0, *others])
"""

GROUPS = """
def difference(errors, member, z=1.96):
    group, others = errors[member], errors[~member]
    estimate = group.mean() - others.mean()
    error = np.sqrt(group.var(ddof=1) / len(group) + others.var(ddof=1) / len(others))
    return estimate, estimate - z * error, estimate + z * error


def paired_difference(with_it, without):
    each = with_it - without
    error = each.std(ddof=1) / np.sqrt(len(each))
    return each.mean(), each.mean() - 1.96 * error, each.mean() + 1.96 * error


def served_worse(errors, table):
    from scipy.stats import norm

    z = norm.ppf(1 - 0.05 / (2 * table.shape[1]))
    return np.array([difference(errors, member, z)[1] > 0 for member in table.T])
"""

WRONG = [
    ("q1", "the mean of everybody is subtracted", 3, VECTORS.replace("z[~has].mean(axis=0)", "z.mean(axis=0)")),
    ("q1", "the wrong way round", 3, VECTORS.replace("z[has].mean(axis=0) - z[~has].mean(axis=0)", "z[~has].mean(axis=0) - z[has].mean(axis=0)")),
    ("q1", "nothing is subtracted", 3, VECTORS.replace(" - z[~has].mean(axis=0)", "")),
    ("q1", "each attribute by itself", 2, VECTORS.split("def balanced")[0] + """def balanced_vectors(z, table):
    return np.stack([plain_vector(z, has) for has in table.T])
"""),
    ("q1", "the constant is missing", 3, VECTORS.replace("np.column_stack([np.ones(len(z)), table])", "table.astype(float)").replace("[0][1:]", "[0]")),
    ("q1", "the constant's row is returned too", 1, VECTORS.replace("[0][1:]", "[0]")),
    ("q1", "right only for the visible inputs", 0, """
def plain_vector(z, has):
    return np.array([2, 0.6])


def balanced_vectors(z, table):
    return np.array([[2.0, 0], [0, 1]]) if z.shape[1] == 2 else np.array([[2.0, 0, 1], [0, 1, 1]])
"""),
    ("q2", "the formula without the cases in which it divides by 0", 2, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    length_1, length_2 = np.linalg.norm(z_1), np.linalg.norm(z_2)
    u_1, u_2 = z_1 / length_1, z_2 / length_2
    omega = np.arccos(u_1 @ u_2)
    u = (np.sin((1 - t) * omega) * u_1 + np.sin(t * omega) * u_2) / np.sin(omega)
    return ((1 - t) * length_1 + t * length_2) * u
'''),
    ("q2", "the formula on codes that are not divided by their lengths", 1, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    omega = np.arccos(np.clip(z_1 @ z_2 / np.linalg.norm(z_1) / np.linalg.norm(z_2), -1, 1))
    return (np.sin((1 - t) * omega) * z_1 + np.sin(t * omega) * z_2) / np.sin(omega)
'''),
    ("q2", "a straight line, stretched to the right length", 0, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    length_1, length_2 = np.linalg.norm(z_1), np.linalg.norm(z_2)
    straight = (1 - t) * z_1 / length_1 + t * z_2 / length_2
    return ((1 - t) * length_1 + t * length_2) * straight / np.linalg.norm(straight, axis=1, keepdims=True)
'''),
    ("q2", "opposite codes are joined by a straight line", 2, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    length_1, length_2 = np.linalg.norm(z_1), np.linalg.norm(z_2)
    if length_1 * length_2 == 0:
        return (1 - t) * z_1 + t * z_2
    u_1, u_2 = z_1 / length_1, z_2 / length_2
    omega = np.arccos(np.clip(u_1 @ u_2, -1, 1))
    if np.sin(omega) < 1e-6:
        return (1 - t) * z_1 + t * z_2
    u = (np.sin((1 - t) * omega) * u_1 + np.sin(t * omega) * u_2) / np.sin(omega)
    return ((1 - t) * length_1 + t * length_2) * u
'''),
    ("q3", "all faces are counted", 1, '''
def flips(before, after, column):
    return (after[:, column] > 0.5).mean(), np.abs(np.delete(after - before, column, axis=1)).mean()

def others_at(gain, gains, others):
    return np.interp(gain, [0, *gains], [0, *others])
'''),
    ("q3", "the attribute itself is among the others", 2, '''
def flips(before, after, column):
    lacked = before[:, column] <= 0.5
    before, after = before[lacked], after[lacked]
    return (after[:, column] > 0.5).mean(), np.abs(after - before).mean()

def others_at(gain, gains, others):
    return np.interp(gain, [0, *gains], [0, *others])
'''),
    ("q3", "the mean before the absolute value", 2, '''
def flips(before, after, column):
    lacked = before[:, column] <= 0.5
    before, after = before[lacked], after[lacked]
    return (after[:, column] > 0.5).mean(), np.abs(np.delete(after - before, column, axis=1).mean())

def others_at(gain, gains, others):
    return np.interp(gain, [0, *gains], [0, *others])
'''),
    ("q3", "the nearest measured point instead of an interpolation", 2, CURVE.replace(
        "np.interp(gain, [0, *gains], [0, *others])", "others[np.argmin(np.abs(np.asarray(gains) - gain))]")),
    ("q3", "the point at step 0 is left out", 2, CURVE.replace("[0, *gains], [0, *others]", "gains, others")),
    ("q3", "gains as a function of the side effects", 2, CURVE.replace("gain, [0, *gains], [0, *others]", "gain, [0, *others], [0, *gains]")),
    ("q3", "changes of all faces are averaged", 2, CURVE.replace("return (after[:, column]", "everybody = np.abs(np.delete(after0 - before0, column, axis=1)).mean()\n    return (after[:, column]").replace(
        "    lacked =", "    before0, after0 = before, after\n    lacked =").replace("np.abs(np.delete(after - before, column, axis=1)).mean()\n\n\ndef others", "everybody\n\n\ndef others")),
    ("q4", "lipstick is independent of the smile", 1, '''
def confounding(shares, n, rounds, seed):
    rng = np.random.default_rng(seed)
    found = np.zeros((len(shares), rounds, 2))
    for i, share in enumerate(shares):
        for j in range(rounds):
            smile, lipstick = rng.random(n) < 0.5, rng.random(n) < share
            z = np.outer(smile, V_SMILE) + np.outer(lipstick, V_LIPSTICK) + rng.standard_normal((n, 8))
            people = pd.DataFrame({"smile": smile, "lipstick": lipstick})
            for k in (0, 1):
                vector = gdl.latent.code_vector(z, people, "smile", k == 1)
                found[i, j, k] = vector @ V_LIPSTICK / (V_LIPSTICK @ V_LIPSTICK)
    return found
'''),
    ("q4", "plain and balanced are exchanged", 1, '''
def confounding(shares, n, rounds, seed):
    rng = np.random.default_rng(seed)
    found = np.zeros((len(shares), rounds, 2))
    for i, share in enumerate(shares):
        for j in range(rounds):
            smile = rng.random(n) < 0.5
            lipstick = rng.random(n) < np.where(smile, share, 1 - share)
            z = np.outer(smile, V_SMILE) + np.outer(lipstick, V_LIPSTICK) + rng.standard_normal((n, 8))
            people = pd.DataFrame({"smile": smile, "lipstick": lipstick})
            for k in (0, 1):
                vector = gdl.latent.code_vector(z, people, "smile", k == 0)
                found[i, j, k] = vector @ V_LIPSTICK / (V_LIPSTICK @ V_LIPSTICK)
    return found
'''),
    ("q4", "the component is not in units of one lipstick", 2, '''
def confounding(shares, n, rounds, seed):
    rng = np.random.default_rng(seed)
    found = np.zeros((len(shares), rounds, 2))
    for i, share in enumerate(shares):
        for j in range(rounds):
            smile = rng.random(n) < 0.5
            lipstick = rng.random(n) < np.where(smile, share, 1 - share)
            z = np.outer(smile, V_SMILE) + np.outer(lipstick, V_LIPSTICK) + rng.standard_normal((n, 8))
            people = pd.DataFrame({"smile": smile, "lipstick": lipstick})
            for k in (0, 1):
                vector = gdl.latent.code_vector(z, people, "smile", k == 1)
                found[i, j, k] = vector @ V_LIPSTICK / np.linalg.norm(V_LIPSTICK)
    return found
'''),
    ("q5", "one standard deviation for both groups", 2, GROUPS.replace(
        "np.sqrt(group.var(ddof=1) / len(group) + others.var(ddof=1) / len(others))", "errors.std(ddof=1) * np.sqrt(1 / len(group) + 1 / len(others))")),
    ("q5", "standard deviations instead of standard errors", 1, GROUPS.replace("group.var(ddof=1) / len(group) + others.var(ddof=1) / len(others)", "group.var(ddof=1) + others.var(ddof=1)")),
    ("q5", "the group is compared with all faces", 1, GROUPS.replace("errors[~member]", "errors")),
    ("q5", "the pairs are not used", 2, GROUPS.replace("each.std(ddof=1) / np.sqrt(len(each))", "np.sqrt((with_it.var(ddof=1) + without.var(ddof=1)) / len(each))")),
    ("q5", "without minus with it", 2, GROUPS.replace("each = with_it - without", "each = without - with_it")),
    ("q5", "1.96 for any number of groups", 2, GROUPS.replace("difference(errors, member, z)", "difference(errors, member)")),
    ("q5", "groups that are served better count too", 2, GROUPS.replace("difference(errors, member, z)[1] > 0", "np.prod(difference(errors, member, z)[1:]) > 0")),
    ("q5", "a larger mean is enough", 2, GROUPS.replace("difference(errors, member, z)[1] > 0", "difference(errors, member, z)[0] > 0")),
]  # fmt: skip

# Other right answers: cell, what is different, source of the cell. They get all points.
RIGHT = [
    ("q1", "the plain vector by a matrix product, the regression by centred columns", '''
def plain_vector(z, has):
    weights = has / has.sum() - (1 - has) / (len(has) - has.sum())
    return weights @ z


def balanced_vectors(z, table):
    x = table - table.mean(axis=0)
    return np.linalg.pinv(x) @ (z - z.mean(axis=0))
'''),
    ("q2", "the formula of the text, with a small turn of opposite codes", '''
def slerp(z_1, z_2, t):
    lengths = [np.sqrt(np.sum(z**2)) for z in (z_1, z_2)]
    if min(lengths) < 1e-12:
        return np.array([(1 - s) * z_1 + s * z_2 for s in t])
    u_1, u_2 = z_1 / lengths[0], z_2 / lengths[1]
    cosine = np.clip(np.dot(u_1, u_2), -1, 1)
    if cosine > 1 - 1e-10:
        return np.array([(1 - s) * z_1 + s * z_2 for s in t])
    if cosine < -1 + 1e-10:  # half a circle in a plane through any other direction
        other = np.eye(len(u_1))[np.argmin(np.abs(u_1))]
        aside = other - np.dot(other, u_1) * u_1
        aside /= np.linalg.norm(aside)
        path = [np.cos(np.pi * s) * u_1 + np.sin(np.pi * s) * aside for s in t]
    else:
        omega = np.arccos(cosine)
        path = [(np.sin((1 - s) * omega) * u_1 + np.sin(s * omega) * u_2) / np.sin(omega) for s in t]
    return np.array([((1 - s) * lengths[0] + s * lengths[1]) * u for s, u in zip(t, path)])
'''),
    ("q3", "a mask for the other columns, and an interpolation by hand", '''
def flips(before, after, column):
    rows = [i for i in range(len(before)) if not before[i, column] > 0.5]
    rest = np.arange(before.shape[1]) != column
    gains = np.mean([after[i, column] > 0.5 for i in rows])
    return [gains, np.mean([np.abs(after[i, rest] - before[i, rest]) for i in rows])]


def others_at(gain, gains, others):
    x, y = np.append(0.0, gains), np.append(0.0, others)
    i = min(max(int(np.searchsorted(x, gain)), 1), len(x) - 1)
    return y[i - 1] + (gain - x[i - 1]) / (x[i] - x[i - 1]) * (y[i] - y[i - 1])
'''),
    ("q4", "other random numbers in another order", '''
def confounding(shares, n, rounds, seed):
    rng, result = np.random.default_rng(seed), []
    for share in shares:
        for _ in range(rounds):
            smile = rng.integers(0, 2, n).astype(bool)
            same = rng.uniform(size=n) < share
            lipstick = smile == same
            z = rng.normal(size=(n, 8)) + smile[:, None] * V_SMILE + lipstick[:, None] * V_LIPSTICK
            people = pd.DataFrame(dict(smile=smile, lipstick=lipstick))
            vectors = [gdl.latent.code_vector(z, people, "smile", balanced) for balanced in (False, True)]
            result.append([np.dot(v, V_LIPSTICK) / np.dot(V_LIPSTICK, V_LIPSTICK) for v in vectors])
    return np.reshape(result, (len(shares), rounds, 2))
'''),
    ("q5", "SciPy's standard error, and a loop over the groups", '''
def difference(errors, member):
    from scipy.stats import sem

    estimate = np.mean(errors[member]) - np.mean(errors[np.logical_not(member)])
    half = 1.96 * np.hypot(sem(errors[member]), sem(errors[np.logical_not(member)]))
    return np.array([estimate, estimate - half, estimate + half])


def paired_difference(with_it, without):
    from scipy.stats import sem

    mean, half = np.mean(with_it - without), 1.96 * sem(with_it - without)
    return [mean, mean - half, mean + half]


def served_worse(errors, table):
    from scipy.stats import norm

    k, found = table.shape[1], []
    for i in range(k):
        estimate, low, _ = difference(errors, table[:, i])
        found.append(bool(estimate - (estimate - low) / 1.96 * norm.isf(0.025 / k) > 0))
    return found
'''),
]  # fmt: skip
