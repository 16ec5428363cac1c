"""Answers to exercise 01. WRONG: (question, the mistake, the points it still gets, the answer). RIGHT: (question, how it differs, the answer)."""

from wrong_answers import changed

PCA_BY_HAND = """
def pca_reconstruct(train, x, z_dim):
    rows = train.reshape(len(train), -1)
    mean = rows.mean(axis=0)
    _, _, components = np.linalg.svd(rows - mean, full_matrices=False)
    components = components[:z_dim]
    codes = (x.reshape(len(x), -1) - mean) @ components.T
    return (codes @ components + mean).reshape(x.shape)
"""

NETWORKS = """
def make_encoder(size, z_dim, filters):
    x = inputs = keras.Input((size, size, 3))
    for f in filters:
        x = layers.Conv2D(f, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(inputs, layers.Dense(z_dim)(layers.Flatten()(x)))


def make_decoder(size, z_dim, filters):
    side = size // 2 ** len(filters)
    z = keras.Input((z_dim,))
    x = layers.Reshape((side, side, filters[-1]))(layers.Dense(side * side * filters[-1])(z))
    for f in filters[-2::-1]:
        x = layers.LeakyReLU(negative_slope=0.2)(x)
        x = layers.Conv2DTranspose(f, 3, strides=2, padding="same")(x)
    x = layers.LeakyReLU(negative_slope=0.2)(x)
    return keras.Model(z, layers.Conv2DTranspose(3, 3, strides=2, padding="same", activation="sigmoid")(x))
"""
TRAIN = """

def train_networks(encoder, decoder, inputs, targets, steps, seed):
    rng, optimizer = np.random.default_rng(seed), keras.optimizers.Adam(0.005)
    weights = encoder.trainable_variables + decoder.trainable_variables
    optimizer.build(weights)

    @tf.function
    def step(x, target):
        with tf.GradientTape() as tape:
            made = decoder(encoder(x))
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(target - made), axis=(1, 2, 3)))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    losses = []
    for _ in range(steps):
        rows = rng.choice(len(inputs), 32)
        losses.append(step(tf.constant(inputs[rows], tf.float32), tf.constant(targets[rows], tf.float32)))
    return np.array(losses)
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


WRONG = [
    ("q1", "the mean is not added again", 0, changed(PCA_BY_HAND, "codes @ components + mean", "codes @ components")),
    ("q1", "the mean is not subtracted at all", 1, changed(PCA_BY_HAND, "mean = rows.mean(axis=0)", "mean = 0")),
    ("q1", "the mean of x instead of the training images'", 2, changed(PCA_BY_HAND, "codes = (", "mean = x.reshape(len(x), -1).mean(axis=0)\n    codes = (")),
    ("q1", "the last components instead of the first", 1, changed(PCA_BY_HAND, "components[:z_dim]", "components[-z_dim:]")),
    ("q1", "x is returned as it is", 0, "def pca_reconstruct(train, x, z_dim):\n    return x\n"),
    ("q2", "kernels of 4x4 in the encoder", 2, changed(NETWORKS, "Conv2D(f, 3,", "Conv2D(f, 4,")),
    ("q2", "ReLU instead of leaky ReLU", 0, changed(NETWORKS, "layers.LeakyReLU(negative_slope=0.2)", "layers.ReLU()")),
    ("q2", "an activation on the code", 2, changed(NETWORKS, "layers.Dense(z_dim)", 'layers.Dense(z_dim, activation="tanh")')),
    ("q2", "the decoder has the filters in the encoder's order", 1, changed(NETWORKS, "for f in filters[-2::-1]:", "for f in filters[:-1]:")),
    ("q2", "no sigmoid at the end", 1, changed(NETWORKS, ', activation="sigmoid"', "")),
    ("q2", "no leaky ReLU before the last layer of the decoder", 1, changed(
        NETWORKS, "    x = layers.LeakyReLU(negative_slope=0.2)(x)\n    return keras.Model(z", "    return keras.Model(z")),
    ("q3", "the loss is averaged over the pixels", 2, changed(TRAIN, "tf.reduce_sum(tf.square(target - made), axis=(1, 2, 3))", "tf.square(target - made)")),
    ("q3", "the loss is summed over the batch", 2, changed(TRAIN, "tf.reduce_mean(tf.reduce_sum", "tf.reduce_sum(tf.reduce_sum")),
    ("q3", "the output is compared with the input", 0, changed(TRAIN, "tf.square(target - made)", "tf.square(x - made)")),
    ("q3", "inputs and targets are drawn separately", 1, changed(TRAIN, "targets[rows]", "targets[rng.choice(len(inputs), 32)]")),
    ("q3", "only the decoder is trained", 1, changed(TRAIN, "encoder.trainable_variables + decoder.trainable_variables", "decoder.trainable_variables")),
    ("q3", "the weights never change", 1, changed(TRAIN, "        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))\n", "")),
    ("q4", "the corrupted image is its own target", 2, changed(PAIR, "return noisy * seen, x", "return noisy * seen, noisy * seen")),
    ("q4", "the holes hide single channels", 2, changed(PAIR, "(*x.shape[:3], 1)", "x.shape")),
    ("q4", "the noise is not clipped", 2, changed(PAIR, "np.clip(x + sigma * rng.standard_normal(x.shape), 0, 1)", "x + sigma * rng.standard_normal(x.shape)")),
    ("q4", "the noise is added after the holes", 2, """
def training_pair(x, sigma, hidden, seed):
    rng = np.random.default_rng(seed)
    seen = rng.uniform(size=(*x.shape[:3], 1)) >= hidden
    return np.clip(x * seen + sigma * rng.standard_normal(x.shape), 0, 1), x
"""),
    ("q4", "one noise value for each row of pixels", 2, changed(PAIR, "standard_normal(x.shape)", "standard_normal((len(x), x.shape[1], 1, 3))")),
    ("q5", "compared with the noisy images", 0, changed(CLEANED, "np.square(clean - x_hat)", "np.square(noisy - x_hat)")),
    ("q5", "the error is averaged over the values", 1, changed(CLEANED, ".sum(axis=1)", ".mean(axis=1)")),
    ("q5", "the PCA is that of the noisy images", 2, changed(CLEANED, ".fit(rows)", ".fit(noisy)")),
    ("q5", "the seed is ignored", 3, changed(CLEANED, "default_rng(seed)", "default_rng(0)")),
]  # fmt: skip

RIGHT = [
    ("q1", "scikit-learn's PCA", """
def pca_reconstruct(train, x, z_dim):
    pca = PCA(n_components=z_dim, svd_solver="full").fit(train.reshape(len(train), -1))
    return pca.inverse_transform(pca.transform(x.reshape(len(x), -1))).reshape(x.shape)
"""),
    ("q1", "the eigenvectors of the covariance matrix", """
def pca_reconstruct(train, x, z_dim):
    rows = train.reshape(len(train), -1)
    mean = rows.mean(axis=0)
    axes = np.linalg.eigh((rows - mean).T @ (rows - mean))[1][:, ::-1][:, :z_dim]
    return (mean + (x.reshape(len(x), -1) - mean) @ axes @ axes.T).reshape(x.shape)
"""),
    ("q2", "Sequential models", """
def make_encoder(size, z_dim, filters):
    convolutions = [keras.layers.Conv2D(f, (3, 3), (2, 2), "same", activation=keras.layers.LeakyReLU(negative_slope=0.2)) for f in filters]
    return keras.Sequential([keras.Input((size, size, 3)), *convolutions, keras.layers.Flatten(), keras.layers.Dense(z_dim)])


def make_decoder(size, z_dim, filters):
    side, leaky = size // 2 ** len(filters), lambda: keras.layers.LeakyReLU(negative_slope=0.2)
    model = keras.Sequential([keras.Input((z_dim,)), keras.layers.Dense(side**2 * filters[-1]), keras.layers.Reshape((side, side, filters[-1]))])
    for f in [*filters[:-1][::-1], 3]:
        model.add(leaky())
        model.add(keras.layers.Conv2DTranspose(f, 3, 2, "same"))
    model.add(keras.layers.Activation("sigmoid"))
    return model
"""),
    ("q3", "a Sequential model trained by train_on_batch", """
def train_networks(encoder, decoder, inputs, targets, steps, seed):
    model = keras.Sequential([encoder, decoder])
    loss = lambda target, made: keras.ops.sum(keras.ops.square(target - made), axis=(1, 2, 3))
    model.compile(keras.optimizers.Adam(0.005), loss)
    rng, losses = np.random.default_rng(seed), []
    for _ in range(steps):
        rows = rng.integers(0, len(inputs), 32)
        model.reset_metrics()
        losses.append(float(model.train_on_batch(inputs[rows].astype("float32"), targets[rows].astype("float32"))))
    return losses
"""),
    ("q4", "holes first drawn, then the noise, and np.where", """
def training_pair(x, sigma, hidden, seed):
    rng = np.random.default_rng(seed)
    hole = rng.random(x.shape[:3]) < hidden
    noisy = (x + rng.normal(0, sigma, x.shape)).clip(0, 1)
    return np.where(hole[..., None], 0.0, noisy), x.copy()
"""),
    ("q5", "one PCA of all components, cut at each length", """
def experiment(train, x, z_dims, sigma, seed):
    pca = PCA().fit(train.reshape(len(train), -1))
    noisy = x + np.random.default_rng(seed).normal(0, sigma, x.shape)
    codes = pca.transform(noisy.reshape(len(x), -1))
    errors = [codes[:, :k] @ pca.components_[:k] + pca.mean_ - x.reshape(len(x), -1) for k in z_dims]
    return [np.sum(error**2) / len(x) for error in errors]
"""),
]  # fmt: skip
