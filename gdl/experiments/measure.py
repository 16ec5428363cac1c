"""What a trained model is worth in numbers: how far its images are from real ones, and how well it copies."""

from gdl import metrics
from gdl.errors import CourseError
from gdl.latent.vectors import mixture_codes

MIXTURE_IMAGES = 10_000  # to whose codes the mixture is fitted, at most


def measure(model, faces, samples=5000, against=("train",), codes=("prior",), network="inception", copies="val", seed=0, interval=False):
    """The scores of a model by their names, a flat dict of floats.

    samples: images that the model makes, and at most so many that it copies.
    against: splits of the faces. Their distances are called fid_train and so on; the other scores are against the first of them.
    codes: "prior" (a standard normal) or "mixture" (fitted to the codes of training images, for models with an encoder;
        see `gdl.latent.mixture_codes`), whose scores are called mixture_fid_train and so on.
    network, interval: see `gdl.metrics.scores`.
    copies: the split of which a model with an encoder gives images back.
    """
    can_copy = hasattr(model, "encoder")
    found = {}
    for kind in codes:
        if kind == "prior":
            images, start = model.generate(samples, seed=seed), ""
        elif can_copy:
            images, start = model.decode(mixture_codes(model, faces.train.images[:MIXTURE_IMAGES], samples, seed=seed)), "mixture_"
        else:
            continue
        features = metrics.features(images, network, model.architecture.pixel_range)
        first, *others = (getattr(faces, split) for split in against)
        scores = metrics.feature_scores(features, first, network, interval)
        distance = next(iter(scores))
        found[f"{start}{distance}_{against[0]}"] = scores.pop(distance)
        own = metrics.statistics(features)
        for name, split in zip(against[1:], others):
            real = metrics.reference(split, network)
            found[f"{start}{distance}_{name}"] = metrics.frechet_distance(*own, real.mean, real.covariance)
        found |= {f"{start}{name}": value for name, value in scores.items()}
    if not found:
        raise CourseError(f"A {type(model).__name__} has no encoder, so there are no codes to fit a mixture to: choose the codes of the prior.")
    if can_copy:
        split = getattr(faces, copies)
        found |= metrics.reconstruction_scores(model, split if len(split) <= samples else split.images[:samples], network)
    return found
