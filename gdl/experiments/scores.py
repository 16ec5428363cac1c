"""How good a trained model is, in numbers: how far its images are from real ones, and how well it reconstructs."""

from collections.abc import Sequence

from gdl.arguments import whole_number
from gdl.data.splits import Faces
from gdl.errors import CourseError
from gdl.latent.mixture import mixture_codes
from gdl.metrics.common import FEWEST
from gdl.metrics.frechet import frechet_distance, statistics
from gdl.metrics.reference import check_network, reference
from gdl.metrics.scores import feature_scores, features, reconstruction_scores
from gdl.models.base import EncoderDecoderModel, FaceModel, check_decoder
from gdl.pictures.spectrum import checkerboard

SPLITS = ("train", "val", "test")
MIXTURE_IMAGES = 10_000  # images to whose codes the mixture is fitted, at most


def model_scores(
    model: FaceModel,
    faces: Faces,
    samples: int = 5000,
    against: Sequence[str] = ("train",),
    codes: Sequence[str] = ("prior",),
    network: str = "inception",
    copies: str = "val",
    seed: int = 0,
    interval: bool = False,
) -> dict[str, float]:
    """The scores of a model by their names.

    samples: number of images that the model makes, and the largest number of images that it reconstructs.
    against: splits of the faces. The distances to them are called fid_train and so on; the other scores compare with the first split.
    codes: "prior" (a standard normal) or "mixture" (fitted to the codes of training images, for models with an encoder;
        see `gdl.latent.mixture_codes`), whose scores are called mixture_fid_train and so on.
    network, interval: see `gdl.metrics.scores`.
    copies: the split that a model with an encoder reconstructs.
    Raises CourseError for fewer than 4 samples, other splits, codes or networks,
    for a model that makes no images, and for the codes of a mixture alone without an encoder.
    """
    check_decoder(model)
    whole_number("samples", samples, FEWEST)
    for name, chosen, known in (("against", against, SPLITS), ("codes", codes, ("prior", "mixture")), ("copies", [copies], SPLITS)):
        if isinstance(chosen, str) or not chosen or any(one not in known for one in chosen):
            raise CourseError(f"{name} is {chosen!r}: choose from {', '.join(known)}.")
    check_network(network)
    has_encoder = isinstance(model, EncoderDecoderModel)
    if not has_encoder and "prior" not in codes:
        raise CourseError(f"A {type(model).__name__} has no encoder, so there are no codes to fit a mixture to: choose the codes of the prior.")
    scores = {}
    for kind in codes:
        if kind == "prior":
            scores |= _distances(model.generate(samples, seed=seed), model, faces, against, network, interval)
        elif has_encoder:
            z = mixture_codes(model, faces.train.images[:MIXTURE_IMAGES], samples, seed=seed)
            distances = _distances(model.decode(z), model, faces, against, network, interval)
            scores |= {f"mixture_{name}": value for name, value in distances.items()}
    if has_encoder:
        split = getattr(faces, copies)
        scores |= reconstruction_scores(model, split if len(split) <= samples else split.images[:samples], network)
    return scores


def _distances(images, model, faces, against, network, interval):
    """The scores of generated images: the distance to each split, all others against the first, and `checkerboard`."""
    generated = features(images, network, model.architecture.pixel_range)
    first, *others = (getattr(faces, split) for split in against)
    scores = feature_scores(generated, first, network, interval)
    distance = next(iter(scores))
    distances = {f"{distance}_{against[0]}": scores.pop(distance)}
    own = statistics(generated)
    for name, split in zip(against[1:], others):
        real = reference(split, network)
        distances[f"{distance}_{name}"] = frechet_distance(*own, real.mean, real.covariance)
    return distances | scores | {"checkerboard": checkerboard(images, model.architecture.pixel_range)}
