"""How good are the images? FID and KID with the original Inception, precision and recall, and scores of reconstructions."""

from gdl.metrics.callback import BestFID
from gdl.metrics.classifier import classifier_features
from gdl.metrics.frechet import frechet_distance, frechet_interval, statistics
from gdl.metrics.inception import inception_features
from gdl.metrics.kernel import kernel_distance
from gdl.metrics.neighbours import precision_recall
from gdl.metrics.offline import shipped_features
from gdl.metrics.reconstruction import mean_squared_error, pearson, ssim
from gdl.metrics.reference import Reference, reference
from gdl.metrics.scores import face_distance, face_network, feature_scores, features, fid, kid, reconstruction_scores, scores, stand_in_distance
from gdl.metrics.stand_in import stand_in_features
from gdl.metrics.weights import weights_file

__all__ = [
    "BestFID", "Reference", "classifier_features", "face_distance", "face_network", "feature_scores", "features", "fid", "frechet_distance",
    "frechet_interval", "inception_features", "kernel_distance", "kid", "mean_squared_error", "pearson", "precision_recall",
    "reconstruction_scores", "reference", "scores", "shipped_features", "ssim", "stand_in_distance", "stand_in_features", "statistics",
    "weights_file",
]  # fmt: skip
