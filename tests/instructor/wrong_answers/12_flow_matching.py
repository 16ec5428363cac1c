"""Wrong answers to exercise 12: (question, the mistake, the points it still gets, the answer)."""

VELOCITY = """def mean_velocity(x, t, images, shares):
    noise = (x[:, None] - t * images) / (1 - t)
    logs = np.log(shares) - np.sum(noise**2, axis=2) / 2
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights @ images - x) / (1 - t)
"""

LOSS = """def flow_loss(network, images, noise, t):
    times = t[:, None, None, None]
    velocity = network([(1 - times) * noise + times * images, t])
    return tf.reduce_sum(tf.square(images - noise - velocity), axis=(1, 2, 3))
"""

NETWORK = """def velocity_network(width, depth, frequencies):
    x, t = keras.Input((2,)), keras.Input(())
    angles = np.pi * 2.0 ** np.arange(frequencies)
    angles = keras.ops.expand_dims(t, 1) * angles.astype("float32")
    y = keras.layers.Concatenate()([x, keras.ops.cos(angles), keras.ops.sin(angles)])
    for _ in range(depth):
        y = keras.layers.Dense(width, activation="silu")(y)
    return keras.Model([x, t], keras.layers.Dense(2, kernel_initializer="zeros")(y))


def train_velocity(network, points, steps, seed):
    rng, weights = np.random.default_rng(seed), network.trainable_variables
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-2, steps))
    optimizer.build(weights)

    @tf.function(autograph=False)
    def step(end, start, t):
        with tf.GradientTape() as tape:
            velocity = network([start + t[:, None] * (end - start), t], training=True)
            loss = tf.reduce_mean(tf.reduce_sum(tf.square(end - start - velocity), axis=1))
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
        return loss

    losses = np.zeros(steps)
    for i in range(steps):
        end = points[rng.integers(len(points), size=256)]
        start, t = rng.standard_normal((256, 2)), rng.uniform(size=256)
        losses[i] = step(end, start.astype("float32"), t.astype("float32"))
    return losses
"""

CARRY = """def guided_carry(free, told, w, x, times):
    def velocity(x, t):
        unguided = free(x, t)
        return unguided + w * (told(x, t) - unguided)

    for t, after in zip(times, times[1:]):
        h = after - t
        trial = x + h / 2 * velocity(x, t)
        x = x + h * velocity(trial, t + h / 2)
    return x
"""

BRIDGE = """def as_flow(x, alpha_bar, noise):
    of_image, of_noise = np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)
    image = (x - of_noise * noise) / of_image
    total = of_image + of_noise
    return {"t": of_image / total, "points": x / total, "velocity": image - noise}
"""

DIAGNOSIS = """def diagnosis():
    return {"P": "a", "Q": "b", "R": "c"}
"""

WRONG = [
    ("q1", "the shares are left out", 1, VELOCITY.replace("np.log(shares)", "0")),
    ("q1", "densities instead of their logarithms", 1, VELOCITY.replace("logs - logs.max(axis=1, keepdims=True)", "logs")),
    ("q1", "only the most probable line", 0, VELOCITY.replace(
        "weights = weights / weights.sum(axis=1, keepdims=True)", "weights = 1.0 * (weights == 1)")),
    ("q1", "not divided by 1 - t", 0, VELOCITY.replace("return (weights @ images - x) / (1 - t)", "return weights @ images - x")),
    ("q1", "the images are not multiplied by the time", 0, VELOCITY.replace("t * images", "images")),
    ("q2", "the mean over the numbers of an image instead of the sum", 2, LOSS.replace("reduce_sum", "reduce_mean")),
    ("q2", "the velocity from the image to the noise", 2, LOSS.replace("images - noise - velocity", "noise - images - velocity")),
    ("q2", "at time 0 a point is at its image", 2, LOSS.replace("(1 - times) * noise + times * images", "times * noise + (1 - times) * images")),
    ("q2", "one time for the whole batch", 2, LOSS.replace("times = t[:, None, None, None]", "times = t[0]")),
    ("q2", "averaged over the batch already", 1, LOSS.replace(", axis=(1, 2, 3))", ") / len(images)")),
    ("q2", "own noise instead of the given one", 0, LOSS.replace(
        "    times = t[", "    noise = tf.random.normal(tf.shape(images))\n    times = t[")),
    ("q2", "the error is computed in NumPy, where the derivative is lost", 2, LOSS.replace(
        "tf.reduce_sum(tf.square(images - noise - velocity)", "np.sum(np.square(images - noise - velocity)")),
    ("q3", "the time is an input without cosines and sines", 2, NETWORK.replace(
        "[x, keras.ops.cos(angles), keras.ops.sin(angles)]", "[x, keras.ops.expand_dims(t, 1)]")),
    ("q3", "the time is left out", 1, NETWORK.replace("keras.ops.expand_dims(t, 1) *", "0 * keras.ops.expand_dims(t, 1) *")),
    ("q3", "the last kernel does not start with zeros", 3, NETWORK.replace(', kernel_initializer="zeros"', "")),
    ("q3", "another activation", 3, NETWORK.replace('"silu"', '"relu"')),
    ("q3", "the mean over the coordinates instead of the sum", 3, NETWORK.replace(
        "tf.reduce_mean(tf.reduce_sum(tf.square(end - start - velocity), axis=1))", "tf.reduce_mean(tf.square(end - start - velocity))")),
    ("q3", "the velocity from the data to the noise", 3, NETWORK.replace("tf.square(end - start - velocity)", "tf.square(start - end - velocity)")),
    ("q3", "the network predicts the data", 2, NETWORK.replace("tf.square(end - start - velocity)", "tf.square(end - velocity)")),
    ("q3", "the time is always 0", 3, NETWORK.replace("rng.uniform(size=256)", "np.zeros(256)")),
    ("q3", "the network is not trained", 2, NETWORK.replace("        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))\n", "")),
    ("q4", "w = 0 is taken for the conditional flow", 1, CARRY.replace("+ w * (told", "+ (1 + w) * (told")),
    ("q4", "Heun's method", 1, CARRY.replace("trial = x + h / 2 *", "trial = x + h *").replace(
        "h * velocity(trial, t + h / 2)", "h * (velocity(x, t) + velocity(trial, after)) / 2")),
    ("q4", "Euler's method", 1, CARRY.replace("velocity(trial, t + h / 2)", "velocity(x, t)")),
    ("q4", "the trial point has the time of the beginning", 1, CARRY.replace("velocity(trial, t + h / 2)", "velocity(trial, t)")),
    ("q4", "steps of equal length", 1, CARRY.replace("    for t,", "    times = np.linspace(times[0], times[-1], len(times))\n    for t,")),
    ("q4", "the given array is changed", 1, CARRY.replace("x = x + h * velocity(trial, t + h / 2)", "x += h * velocity(trial, t + h / 2)")),
    ("q5", "alpha_bar is taken for the weight of the image", 0, BRIDGE.replace(
        "np.sqrt(alpha_bar), np.sqrt(1 - alpha_bar)", "alpha_bar, 1 - alpha_bar")),
    ("q5", "not divided by the sum of the weights", 1, BRIDGE.replace("total = of_image + of_noise", "total = 1")),
    ("q5", "the weight of the noise is taken for the time", 1, BRIDGE.replace('"t": of_image / total', '"t": of_noise / total')),
    ("q5", "the velocity from the image to the noise", 1, BRIDGE.replace("image - noise", "noise - image")),
    ("q5", "the velocity is the point less the noise", 1, BRIDGE.replace('"velocity": image - noise', '"velocity": x - noise')),
    ("q6", "the run with a large weight is taken for a flow with few steps, and the other way round", 1, DIAGNOSIS.replace('"b"', '"X"').replace('"a"', '"b"').replace('"X"', '"a"')),
    ("q6", "the run backwards in time is taken for one that stops early", 2, DIAGNOSIS.replace('"c"', '"f"')),
    ("q6", "the run with few steps is taken for one with less noise", 2, DIAGNOSIS.replace('"a"', '"d"')),
    ("q6", "the same cause for all runs", 1, DIAGNOSIS.replace('"b"', '"a"').replace('"c"', '"a"')),
]  # fmt: skip
