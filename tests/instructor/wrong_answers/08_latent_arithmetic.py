"""Common wrong answers to exercise 08: cell, the mistake, the points that the question still gets, source of the cell."""

WRONG = [
    ("q1", "the mean of everybody is subtracted", 1, '''
def plain_vector(z, has):
    return z[has].mean(axis=0) - z.mean(axis=0)
'''),
    ("q1", "the wrong way round", 1, '''
def plain_vector(z, has):
    return z[~has].mean(axis=0) - z[has].mean(axis=0)
'''),
    ("q1", "nothing is subtracted", 0, '''
def plain_vector(z, has):
    return z[has].mean(axis=0)
'''),
    ("q1", "right only for the visible inputs", 0, '''
def plain_vector(z, has):
    return np.array([2, 0.6])
'''),
    ("q2", "each attribute by itself", 1, '''
def balanced_vectors(z, table):
    return np.stack([z[has].mean(axis=0) - z[~has].mean(axis=0) for has in table.T])
'''),
    ("q2", "the constant is missing", 3, '''
def balanced_vectors(z, table):
    return np.linalg.lstsq(table.astype(float), z, rcond=None)[0]
'''),
    ("q2", "the constant's row is handed over too", 0, '''
def balanced_vectors(z, table):
    return np.linalg.lstsq(np.column_stack([np.ones(len(z)), table]), z, rcond=None)[0]
'''),
    ("q3", "the formula without the cases in which it divides by 0", 2, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    length_1, length_2 = np.linalg.norm(z_1), np.linalg.norm(z_2)
    u_1, u_2 = z_1 / length_1, z_2 / length_2
    omega = np.arccos(u_1 @ u_2)
    u = (np.sin((1 - t) * omega) * u_1 + np.sin(t * omega) * u_2) / np.sin(omega)
    return ((1 - t) * length_1 + t * length_2) * u
'''),
    ("q3", "the formula on codes that are not divided by their lengths", 1, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    omega = np.arccos(np.clip(z_1 @ z_2 / np.linalg.norm(z_1) / np.linalg.norm(z_2), -1, 1))
    return (np.sin((1 - t) * omega) * z_1 + np.sin(t * omega) * z_2) / np.sin(omega)
'''),
    ("q3", "a straight line, stretched to the right length", 0, '''
def slerp(z_1, z_2, t):
    t = np.asarray(t)[:, None]
    length_1, length_2 = np.linalg.norm(z_1), np.linalg.norm(z_2)
    straight = (1 - t) * z_1 / length_1 + t * z_2 / length_2
    return ((1 - t) * length_1 + t * length_2) * straight / np.linalg.norm(straight, axis=1, keepdims=True)
'''),
    ("q3", "opposite codes are joined by a straight line", 3, '''
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
    ("q4", "all faces are counted", 2, '''
def flips(before, after, column):
    return (after[:, column] > 0.5).mean(), np.abs(np.delete(after - before, column, axis=1)).mean()
'''),
    ("q4", "the attribute itself is among the others", 2, '''
def flips(before, after, column):
    lacked = before[:, column] <= 0.5
    before, after = before[lacked], after[lacked]
    return (after[:, column] > 0.5).mean(), np.abs(after - before).mean()
'''),
    ("q4", "the mean before the absolute value", 2, '''
def flips(before, after, column):
    lacked = before[:, column] <= 0.5
    before, after = before[lacked], after[lacked]
    return (after[:, column] > 0.5).mean(), np.abs(np.delete(after - before, column, axis=1).mean())
'''),
    ("q5", "lipstick has nothing to do with the smile", 1, '''
def company(shares, n, rounds, seed):
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
    ("q5", "plain and balanced are exchanged", 1, '''
def company(shares, n, rounds, seed):
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
    ("q5", "the component is not in units of one lipstick", 2, '''
def company(shares, n, rounds, seed):
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
]  # fmt: skip
