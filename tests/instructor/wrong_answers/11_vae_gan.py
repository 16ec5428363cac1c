"""Wrong answers to exercise 11: (question, the mistake, the points it still gets, the answer)."""

BEST = """def best_image(images, probabilities, power):
    images, probabilities = np.asarray(images, float), np.asarray(probabilities, float)
    if power == 2:
        return np.tensordot(probabilities, images, axes=1)
    order = np.argsort(images, axis=0)
    ordered = np.take_along_axis(images, order, axis=0)
    reached = np.cumsum(probabilities[order], axis=0) >= 0.5 - 1e-12
    return np.take_along_axis(ordered, np.argmax(reached, axis=0)[None], axis=0)[0]
"""

PERCEPTUAL = """def perceptual(maps, maps_hat, weights):
    distance = 0
    for f, f_hat, weight in zip(maps, maps_hat, weights):
        u, u_hat = (g / np.sqrt(np.sum(np.square(g), axis=3, keepdims=True) + 1e-8) for g in (f, f_hat))
        distance = distance + weight * np.mean(np.sum(np.square(u - u_hat), axis=3), axis=(1, 2))
    return distance
"""

BUILD = """def build_encoder(size, channels, filters):
    x = features = keras.Input((size, size, 3))
    for f in filters:
        features = keras.layers.Conv2D(f, 3, strides=2, padding="same", activation="leaky_relu")(features)
    return keras.Model(x, [keras.layers.Conv2D(channels, 1, name=name)(features) for name in ("z_mean", "z_log_var")])


def build_decoder(size, channels, filters):
    side = size // 2 ** len(filters)
    z = keras.Input((side, side, channels))
    x = keras.layers.Conv2D(filters[-1], 3, padding="same", activation="leaky_relu")(z)
    for f in filters[-2::-1]:
        x = keras.layers.Conv2DTranspose(f, 4, strides=2, padding="same", activation="leaky_relu")(x)
    return keras.Model(z, keras.layers.Conv2DTranspose(3, 4, strides=2, padding="same", activation="sigmoid")(x))


def losses(encoder, decoder, x, epsilon):
    z_mean, z_log_var = encoder(x)
    x_hat = decoder(z_mean + tf.exp(z_log_var / 2) * epsilon)
    kl = 0.5 * (tf.square(z_mean) + tf.exp(z_log_var) - 1 - z_log_var)
    return tf.reduce_sum(tf.square(x - x_hat), axis=(1, 2, 3)), tf.reduce_sum(kl, axis=(1, 2, 3))


def my_settings():
    return MY_SETTINGS
"""
ENCODER_HEADS = 'return keras.Model(x, [keras.layers.Conv2D(channels, 1, name=name)(features) for name in ("z_mean", "z_log_var")])'
DENSE_HEADS = """side = size // 2 ** len(filters)
    heads = [keras.layers.Dense(side * side * channels)(keras.layers.Flatten()(features)) for _ in range(2)]
    return keras.Model(x, [keras.layers.Reshape((side, side, channels))(head) for head in heads])"""

GRADIENTS = """def three_gradients(encoder, decoder, critic, x, epsilon, beta, adversarial):
    with tf.GradientTape(persistent=True) as tape:
        z_mean, z_log_var = encoder(x)
        x_hat = decoder(z_mean + tf.exp(z_log_var / 2) * epsilon)
        reconstruction = tf.reduce_sum(tf.square(x - x_hat), axis=(1, 2, 3))
        kl = 0.5 * tf.reduce_sum(tf.square(z_mean) + tf.exp(z_log_var) - 1 - z_log_var, axis=(1, 2, 3))
        realism = tf.nn.softplus(-critic(x_hat))
        critic_loss = tf.nn.softplus(-critic(x)) + tf.nn.softplus(critic(x_hat))
        of_encoder = tf.reduce_mean(reconstruction + beta * kl)
        of_decoder = tf.reduce_mean(reconstruction + adversarial * realism)
        of_critic = tf.reduce_mean(critic_loss)
    return {
        "encoder": tape.gradient(of_encoder, encoder.trainable_variables),
        "decoder": tape.gradient(of_decoder, decoder.trainable_variables),
        "critic": tape.gradient(of_critic, critic.trainable_variables),
    }
"""

DIAGNOSE = """def diagnose(run):
    late = {term: np.mean(values[-6:]) for term, values in run.items()}
    if late["kl"] < 10:
        return "kl died"
    if late["realism"] > 2:
        return "critic too strong"
    return "adversarial too large" if late["critic"] > 1.4 else "healthy"
"""

QUANTISE = """def quantise(z, codebook):
    distances = tf.reduce_sum(tf.square(z[:, None] - codebook), axis=2)
    index = tf.argmin(distances, axis=1)
    nearest = tf.gather(codebook, index)
    return z + tf.stop_gradient(nearest - z), index
"""

WRONG = [
    ("q1", "the probabilities are not used", 0, """def best_image(images, probabilities, power):
    return np.mean(images, axis=0) if power == 2 else np.median(images, axis=0)
"""),
    ("q1", "the mean for both errors", 1, BEST.replace("if power == 2:", "if True:")),
    ("q1", "the median for both errors", 1, BEST.replace("if power == 2:", "if False:")),
    ("q1", "the median without probabilities", 1, BEST.replace("order = np", "return np.median(images, axis=0)\n    order = np")),
    ("q1", "the most probable candidate", 0, """def best_image(images, probabilities, power):
    return images[int(np.argmax(probabilities))]
"""),
    ("q2", "the features are not divided by their lengths", 0, PERCEPTUAL.replace("g / np.sqrt(np.sum(np.square(g), axis=3, keepdims=True) + 1e-8)", "g")),
    ("q2", "the length goes over the whole map", 0, PERCEPTUAL.replace("axis=3, keepdims=True", "axis=(1, 2, 3), keepdims=True")),
    ("q2", "summed over the places", 0, PERCEPTUAL.replace("np.mean(np.sum(np.square(u - u_hat), axis=3), axis=(1, 2))", "np.sum(np.square(u - u_hat), axis=(1, 2, 3))")),
    ("q2", "the weights are not used", 1, PERCEPTUAL.replace("weight * np", "np")),
    ("q2", "division by 0 where there are no features", 1, PERCEPTUAL.replace(" + 1e-8", "")),
    ("q2", "averaged over the images", 0, PERCEPTUAL.replace("axis=(1, 2))\n", "axis=(0, 1, 2))\n")),
    ("q3", "a dense layer makes the code", 3, BUILD.replace(ENCODER_HEADS, DENSE_HEADS)),
    ("q3", "the two heads share their weights", 3, BUILD.replace(ENCODER_HEADS, "head = keras.layers.Conv2D(channels, 1)(features)\n    return keras.Model(x, [head, head])")),
    ("q3", "ReLU in the encoder", 3, BUILD.replace('strides=2, padding="same", activation="leaky_relu")(features)', 'strides=2, padding="same", activation="relu")(features)')),
    ("q3", "no sigmoid at the end", 3, BUILD.replace(', activation="sigmoid"', "")),
    ("q3", "kernels of 3 in the decoder", 3, BUILD.replace("Conv2DTranspose(f, 4", "Conv2DTranspose(f, 3").replace("Conv2DTranspose(3, 4", "Conv2DTranspose(3, 3")),
    ("q3", "the filters of the decoder in the encoder's order", 3, BUILD.replace("filters[-2::-1]", "filters[:-1]")),
    ("q3", "the noise is multiplied by the variance", 3, BUILD.replace("tf.exp(z_log_var / 2) * epsilon", "tf.exp(z_log_var) * epsilon")),
    ("q3", "the KL is averaged over places and channels", 2, BUILD.replace("tf.reduce_sum(kl", "tf.reduce_mean(kl")),
    ("q3", "beta is too large", 3, BUILD.replace("MY_SETTINGS", '{"channels": 4, "beta": 5.0, "learning_rate": 3e-3}')),
    ("q3", "beta is too small", 3, BUILD.replace("MY_SETTINGS", '{"channels": 4, "beta": 0.001, "learning_rate": 3e-3}')),
    ("q3", "too few channels", 3, BUILD.replace("MY_SETTINGS", '{"channels": 1, "beta": 0.05, "learning_rate": 3e-3}')),
    ("q3", "the learning rate is too small", 3, BUILD.replace("MY_SETTINGS", '{"channels": 4, "beta": 0.2, "learning_rate": 1e-4}')),
    ("q4", "the encoder learns from the critic too", 2, GRADIENTS.replace("reconstruction + beta * kl)", "reconstruction + beta * kl + adversarial * realism)")),
    ("q4", "one loss for all three networks", 0, GRADIENTS.replace("reconstruction + beta * kl)", "reconstruction + beta * kl + adversarial * realism + critic_loss)").replace(
        "tape.gradient(of_decoder", "tape.gradient(of_encoder").replace("tape.gradient(of_critic", "tape.gradient(of_encoder")),
    ("q4", "beta is left out", 2, GRADIENTS.replace("beta * kl", "kl")),
    ("q4", "the reconstruction is stopped before the decoder", 2, GRADIENTS.replace("reconstruction + adversarial * realism", "adversarial * realism")),
    ("q4", "the weight of the realism is left out", 2, GRADIENTS.replace("adversarial * realism", "realism")),
    ("q4", "the realism has the sign of the critic's loss", 2, GRADIENTS.replace("realism = tf.nn.softplus(-critic(x_hat))", "realism = tf.nn.softplus(critic(x_hat))")),
    ("q4", "the critic's labels are exchanged", 2, GRADIENTS.replace(
        "tf.nn.softplus(-critic(x)) + tf.nn.softplus(critic(x_hat))", "tf.nn.softplus(critic(x)) + tf.nn.softplus(-critic(x_hat))")),
    ("q4", "gradients are stopped at the reconstruction", 1, GRADIENTS.replace("critic(x_hat)", "critic(tf.stop_gradient(x_hat))").replace("beta * kl)", "beta * kl + 0 * realism)").replace(
        "square(x - x_hat)", "square(x - tf.stop_gradient(x_hat))")),
    ("q4", "summed over the batch", 0, GRADIENTS.replace("tf.reduce_mean", "tf.reduce_sum")),
    ("q5", "the same name for all runs", 0, 'def diagnose(run):\n    return "kl died"\n'),
    ("q5", "a strong critic and a large weight are exchanged", 1, DIAGNOSE.replace('"critic too strong"', '"x"').replace('"adversarial too large"', '"critic too strong"').replace('"x"', '"adversarial too large"')),
    ("q5", "the healthy run and the strong critic are exchanged", 2, """def diagnose(run):
    if run["kl"][-1] < 10:
        return "kl died"
    if run["realism"][-1] > 2:
        return "healthy"
    return "adversarial too large" if run["reconstruction"][-1] > 40 else "critic too strong"
"""),
    ("q5", "a strong critic is recognised by the reconstruction", 2, DIAGNOSE.replace('late["realism"] > 2', '21 < late["reconstruction"] < 30')),
    ("q5", "names that are not in the list", 0, DIAGNOSE.replace('"kl died"', '"KL"')),
    ("q6", "no straight-through gradient", 1, QUANTISE.replace("return z + tf.stop_gradient(nearest - z), index", "return nearest, index")),
    ("q6", "the codebook gets the gradient too", 1, QUANTISE.replace("z + tf.stop_gradient(nearest - z)", "nearest + z - tf.stop_gradient(z)")),
    ("q6", "the farthest entry", 1, QUANTISE.replace("argmin", "argmax")),
    ("q6", "the largest inner product", 1, QUANTISE.replace("distances = tf.reduce_sum(tf.square(z[:, None] - codebook), axis=2)", "distances = -tf.matmul(z, codebook, transpose_b=True)")),
    ("q6", "the codes are not quantised", 0, QUANTISE.replace("return z + tf.stop_gradient(nearest - z), index", "return z, index")),
]  # fmt: skip
WRONG = [
    (question, mistake, points, source.replace("MY_SETTINGS", '{"channels": 4, "beta": 0.2, "learning_rate": 3e-3}'))
    for question, mistake, points, source in WRONG
]
