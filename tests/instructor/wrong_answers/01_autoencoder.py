"""Wrong answers to exercise 01: (question, the mistake, the points it still gets, the answer cell)."""

PCA_BY_HAND = """
def pca_reconstruct(train, x, z_dim):
    rows = train.reshape(len(train), -1)
    mean = rows.mean(axis=0)
    _, _, components = np.linalg.svd(rows - mean, full_matrices=False)
    components = components[:z_dim]
    codes = (x.reshape(len(x), -1) - mean) @ components.T
    return (codes @ components + mean).reshape(x.shape)
"""

ERROR = """
def training_error(train, z_dims):
    rows = train.reshape(len(train), -1)
    singular = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False)
    return np.array([np.square(singular[z_dim:]).sum() / len(train) for z_dim in z_dims])
"""

PAIR = """
def training_pair(x, sigma, hidden, seed):
    rng = np.random.default_rng(seed)
    noisy = np.clip(x + sigma * rng.standard_normal(x.shape), 0, 1)
    seen = rng.uniform(size=(*x.shape[:3], 1)) >= hidden
    return noisy * seen, x
"""

CLEANED = """
def experiment(train, x, z_dims, sigma, seed):
    rows, clean = train.reshape(len(train), -1), x.reshape(len(x), -1)
    noisy = clean + sigma * np.random.default_rng(seed).standard_normal(clean.shape)
    errors = []
    for z_dim in z_dims:
        pca = PCA(z_dim, svd_solver="full").fit(rows)
        x_hat = pca.inverse_transform(pca.transform(noisy))
        errors.append(np.square(clean - x_hat).sum(axis=1).mean())
    return np.array(errors)
"""


def changed(source, old, new):
    assert old in source, old
    return source.replace(old, new)


WRONG = [
    ("q1", "the mean is not added again", 0, changed(PCA_BY_HAND, "codes @ components + mean", "codes @ components")),
    ("q1", "the mean is not subtracted at all", 1, changed(PCA_BY_HAND, "mean = rows.mean(axis=0)", "mean = 0")),
    (
        "q1",
        "the mean of x instead of the training images'",
        3,
        changed(PCA_BY_HAND, "codes = (", "mean = x.reshape(len(x), -1).mean(axis=0)\n    codes = ("),
    ),
    ("q1", "the last components instead of the first", 1, changed(PCA_BY_HAND, "components[:z_dim]", "components[-z_dim:]")),
    ("q2", "the singular values are not squared", 1, changed(ERROR, "np.square(singular[z_dim:])", "singular[z_dim:]")),
    ("q2", "the sum over all images instead of their average", 1, changed(ERROR, " / len(train)", "")),
    ("q2", "what is kept instead of what is discarded", 0, changed(ERROR, "singular[z_dim:]", "singular[:z_dim]")),
    (
        "q2",
        "right only for the visible inputs",
        0,
        """
def training_error(train, z_dims):
    return np.array([0.625, 0.125]) if len(train) == 4 else np.array([3.0, 2.0, 1.0, 0.0])
""",
    ),
    (
        "q3",
        "bytes are subtracted from bytes",
        1,
        """
def squared_error(x, x_hat):
    return np.square(x - x_hat).sum(axis=(1, 2, 3))
""",
    ),
    (
        "q3",
        "averaged over the pixels",
        1,
        """
def squared_error(x, x_hat):
    x, x_hat = (a / 255 if a.dtype == np.uint8 else a for a in (x, x_hat))
    return np.square(x - x_hat).mean(axis=(1, 2, 3))
""",
    ),
    (
        "q3",
        "everything is divided by 255",
        0,
        """
def squared_error(x, x_hat):
    return np.square(x / 255 - x_hat / 255).sum(axis=(1, 2, 3))
""",
    ),
    ("q4", "the spoilt image is its own target", 2, changed(PAIR, "return noisy * seen, x", "return noisy * seen, noisy * seen")),
    ("q4", "the holes hide single channels", 2, changed(PAIR, "(*x.shape[:3], 1)", "x.shape")),
    (
        "q4",
        "the noise is not clipped",
        2,
        changed(PAIR, "np.clip(x + sigma * rng.standard_normal(x.shape), 0, 1)", "x + sigma * rng.standard_normal(x.shape)"),
    ),
    ("q5", "compared with the noisy images", 0, changed(CLEANED, "np.square(clean - x_hat)", "np.square(noisy - x_hat)")),
    ("q5", "the error is averaged over the values", 1, changed(CLEANED, ".sum(axis=1)", ".mean(axis=1)")),
    ("q5", "the PCA is that of the noisy images", 2, changed(CLEANED, ".fit(rows)", ".fit(noisy)")),
    ("q5", "the seed is ignored", 3, changed(CLEANED, "default_rng(seed)", "default_rng(0)")),
]
