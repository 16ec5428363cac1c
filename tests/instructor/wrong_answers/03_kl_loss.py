"""Answers to exercise 03. WRONG: (question, the mistake, the points it still gets, the answer). RIGHT: (question, how it differs, the answer)."""

from wrong_answers import changed

STEP = """
def train_step(model, x):
    with tf.GradientTape() as tape:
        z_mean, z_log_var = model.encoder(x)
        x_hat = model.decoder(model.sampling(z_mean, z_log_var))
        reconstruction, kl = squared_error(x, x_hat), kl_divergence(z_mean, z_log_var)
        each = reconstruction + model.beta * kl
        loss = ops.mean(each)
    weights = model.trainable_variables
    model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights))
    for name, value in {"loss": each, "reconstruction_loss": reconstruction, "kl_loss": kl}.items():
        model.trackers[name].update_state(value)
    return {name: tracker.result() for name, tracker in model.trackers.items()}
"""
RESULTS = "return {name: tracker.result() for name, tracker in model.trackers.items()}"

BETA = """
def course_beta(a, errors, b, kls, shape, z_dim):
    batch, h, w, c = shape
    return b * {"sum": 1, "mean": 1 / z_dim, "total": batch}[kls] / (a * {"sum": 1, "mean": 1 / (h * w * c), "total": batch}[errors])
"""

DIED = """
def alive(kl, threshold):
    return int(np.sum(kl.mean(axis=0) >= threshold))


def diagnose(run):
    if run["kl"][-1] >= 1:
        return "alive"
    if run["reconstruction"][-1] < 0.1 * np.sum(run["variances"]):
        return "mean"
    return "stuck" if run["variances"][0] > run["beta"] / 2 else "price"


def beta_below(variances, k):
    return 2 * variances[k - 1]
"""

OPTIMUM = """
def expected(variance, m, a, w):
    error = (1 - w * m) ** 2 * variance + w**2 * np.exp(a)
    return error, (m**2 * variance + np.exp(a) - 1 - a) / 2


def optimum(variances, beta):
    error = np.minimum(variances, beta / 2)
    return {"error": error, "kl": np.log(variances / error) / 2}
"""
FORMULA = OPTIMUM[OPTIMUM.index("def optimum") :]


WRONG = [
    ("q1", "the trackers are given the averages of the batches", 4, changed(STEP, "update_state(value)", "update_state(ops.mean(value))")),
    ("q1", "only the loss is averaged over batches", 4, changed(STEP, '{"loss": each,', '{"loss": loss,')),
    ("q1", "the loss is that of the last batch", 4, changed(STEP, RESULTS, 'return {name: tracker.result() for name, tracker in model.trackers.items()} | {"loss": loss}')),
    ("q1", "beta is left out of the loss", 1, changed(STEP, "reconstruction + model.beta * kl", "reconstruction + kl")),
    ("q1", "only the decoder's weights are trained", 3, changed(STEP, "weights = model", "weights = model.decoder")),
    ("q1", "the loss is summed over the batch", 2, changed(STEP, "ops.mean(each)", "ops.sum(each)")),
    ("q1", "the metrics of the last batch alone, without the trackers", 4, changed(
        STEP, RESULTS, 'return {"loss": loss, "reconstruction_loss": ops.mean(reconstruction), "kl_loss": ops.mean(kl)}')),
    ("q2", "upside down", 0, changed(BETA, "return b *", "return 1 / (b *") + "    )\n"),
    ("q2", "the three channels are forgotten", 2, changed(BETA, "h * w * c", "h * w")),
    ("q2", "a mean is divided by the batch once more", 2, changed(changed(BETA, "1 / z_dim", "1 / (z_dim * batch)"), "h * w * c", "h * w * c * batch")),
    ("q2", "right only for the visible inputs", 0, """
def course_beta(a, errors, b, kls, shape, z_dim):
    return {"sum": 0.3, "mean": 1.2288, "total": 1 / 32}[errors]
"""),
    ("q3", "one image with a large KL is enough", 3, changed(DIED, "kl.mean(axis=0)", "kl.max(axis=0)")),
    ("q3", "the dead dimensions are counted", 3, changed(DIED, ">= threshold", "< threshold")),
    ("q3", "every run without a code is stuck", 2, changed(changed(DIED, ' if run["variances"][0] > run["beta"] / 2 else "price"', ""), 'return "mean"', 'return "stuck"')),
    ("q3", "beta / 2 is compared with the sum of the variances", 3, changed(DIED, 'run["variances"][0] >', 'np.sum(run["variances"]) >')),
    ("q3", "the largest KL of the curve, not the last", 2, changed(DIED, 'run["kl"][-1]', 'np.max(run["kl"])')),
    ("q3", "a large beta is always the price", 3, changed(DIED, 'run["variances"][0] > run["beta"] / 2', 'run["beta"] < 36')),
    ("q3", "the unit of the reconstruction is not looked at", 3, changed(DIED, "< 0.1 *", "< 0 *")),
    ("q3", "the half is forgotten in beta_below", 3, changed(DIED, "2 * variances[k - 1]", "variances[k - 1]")),
    ("q3", "one direction too many in beta_below", 3, changed(DIED, "variances[k - 1]", "variances[min(k, len(variances) - 1)]")),
    ("q4", "the noise does not add to the error", 3, changed(OPTIMUM, " + w**2 * np.exp(a)", "")),
    ("q4", "a is taken for the log of the standard deviation", 2, changed(changed(OPTIMUM, "w**2 * np.exp(a)", "w**2 * np.exp(2 * a)"), "np.exp(a) - 1 - a", "np.exp(2 * a) - 1 - 2 * a")),
    ("q4", "the variance of x is missing in the KL", 3, changed(OPTIMUM, "m**2 * variance +", "m**2 +")),
    ("q4", "an error of beta instead of beta / 2", 3, changed(OPTIMUM, "beta / 2", "beta")),
    ("q4", "every dimension gets a code", 3, changed(OPTIMUM, "np.minimum(variances, beta / 2)", "beta / 2 + 0 * variances")),
    ("q4", "no dimension gets a code", 3, changed(OPTIMUM, "np.minimum(variances, beta / 2)", "variances + 0.0")),
]  # fmt: skip

RIGHT = [
    ("q1", "the idiom of keras.io: a tracker for each metric, updated with sample weights", changed(
        STEP, "model.trackers[name].update_state(value)", "model.trackers[name].update_state(ops.mean(value), sample_weight=float(len(x)))")),
    ("q2", "by measuring the factors with arrays of ones", """
def course_beta(a, errors, b, kls, shape, z_dim):
    takes = {"sum": lambda x: x.sum() / len(x), "mean": np.mean, "total": np.sum}
    e, k = np.ones(shape), np.ones((shape[0], z_dim))
    return b * takes[kls](k) / takes["sum"](k) / (a * takes[errors](e) / takes["sum"](e))
"""),
    ("q3", "the distance to both errors of the mean image, and sorted variances", """
def alive(kl, threshold):
    return np.count_nonzero(np.mean(kl, axis=0) >= threshold)


def diagnose(run):
    if run["kl"][-1] >= 1:
        return "alive"
    total, last = sum(run["variances"]), run["reconstruction"][-1]
    if abs(last - total / run["values"]) < abs(last - total):
        return "mean"
    return "price" if max(run["variances"]) <= run["beta"] / 2 else "stuck"


def beta_below(variances, k):
    return sorted(2 * np.asarray(variances), reverse=True)[k - 1]
"""),
    ("q4", "a numerical search over the KL", changed(OPTIMUM, FORMULA, """def optimum(variances, beta):
    kl = np.linspace(0, 6, 200_001)[:, None]
    error = np.asarray(variances) * np.exp(-2 * kl)
    best = np.argmin(error + beta * kl, axis=0)
    return {"error": error[best, np.arange(len(best))], "kl": kl[best, 0]}
""")),
]  # fmt: skip
