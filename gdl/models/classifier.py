"""A classifier of attributes, which judges the images of the other models: smiling or not, glasses or not (chapter 08)."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers, ops

from gdl.data.pixels import to_float
from gdl.data.splits import Split
from gdl.errors import CourseError
from gdl.models.base import FaceModel, in_batches
from gdl.models.networks import image_features


class AttributeClassifier(FaceModel):
    """A convolutional network with one logit for each attribute of a face. A face can have several attributes.

    attributes: their names, such as `faces.train.attributes.columns`; training takes the labels from the faces.
    Further options: see `gdl.models.architecture.Architecture`; z_dim and upsampling have no effect here.
    The loss is the binary cross-entropy, averaged over the attributes and over the images. Rare attributes have no larger
    weight, so that the probabilities are calibrated: of the faces with probability 0.2, a fifth have the attribute. The price is that
    the probability of a rare attribute seldom exceeds 1/2, the threshold from which it counts as present.
    `fit` takes batches of pairs (images, attributes as 0 or 1), as from `batches(labels=True)`.
    Raises CourseError for attributes that are missing or named twice.

    >>> import gdl
    >>> classifier = gdl.AttributeClassifier(16, attributes=["Smiling", "Male"], filters=(4, 8))
    >>> classifier.predict_attributes(np.zeros((3, 16, 16, 3), np.uint8)).shape
    (3, 2)
    """

    def __init__(self, image_size: int = 64, attributes: Any = (), filters: tuple = (32, 64, 128, 256), **options: Any):
        if isinstance(attributes, (str, Mapping)) or not (attributes is None or hasattr(attributes, "__iter__")):
            raise CourseError(f"attributes is {attributes!r}: give a list of names, such as ['Smiling', 'Male'].")
        attributes = () if attributes is None else tuple(map(str, attributes))
        if not attributes:
            raise CourseError(
                "A classifier needs faces with attributes: give attributes=faces.train.attributes.columns, of CelebA or of the drawn faces."
            )
        if len(set(attributes)) < len(attributes):
            raise CourseError(f"The attributes {', '.join(attributes)} contain one of them twice: give each once.")
        super().__init__(image_size, len(attributes), filters, **options)
        self.attributes = attributes
        x = keras.Input((image_size, image_size, 3))
        logits = layers.Dense(len(attributes), dtype="float32", name="logits")(image_features(x, self.architecture))
        self.network = keras.Model(x, logits, name="classifier")
        self.build((None, image_size, image_size, 3))

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the attributes that training needs beside the images."""
        return self.attributes

    def call(self, x: tf.Tensor, training: bool = False) -> tf.Tensor:
        return self.network(x, training=training)  # (batch, attributes)

    def compute_loss(self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True) -> tf.Tensor:
        # log(1 + exp(logit)) minus the logit where the attribute is present
        return ops.mean(ops.softplus(y_pred) - ops.cast(y, "float32") * y_pred)

    def compile(self, optimizer: Any = "adam", **options: Any) -> None:
        """As in Keras. The loss is the model's own, and the metric `accuracy` is the share of right answers."""
        super().compile(optimizer, **{"metrics": [keras.metrics.MeanMetricWrapper(_right, name="accuracy")], **options})

    def predict_attributes(self, images: np.ndarray) -> pd.DataFrame:
        """The probability of each attribute. (n, size, size, 3), uint8 or float32 in the pixel range -> DataFrame, n rows, float32 in [0, 1]"""
        logits = in_batches(self.network, self.check_images(images))
        return pd.DataFrame(1 / (1 + np.exp(-logits)), columns=list(self.attributes))

    def accuracy(self, split: Split) -> pd.DataFrame:
        """How often the classifier is right on a split. -> DataFrame, one row per attribute, shares in [0, 1]

        accuracy: share of right answers; an attribute counts as present from a probability of 1/2.
        share: how often it is present.  always_guess: accuracy of always giving the more frequent answer.
        balanced_accuracy: mean of the accuracy on the images with it and on those without; guessing gives 0.5. NaN if
            there are no images of one kind.
        """
        present = split.labels(self.attributes) > 0.5  # (n, attributes)
        parts = [self.predict_attributes(split.images[i : i + 4096]) for i in range(0, len(split), 4096)]
        right = (pd.concat(parts).to_numpy() >= 0.5) == present
        share = present.mean(axis=0)
        with np.errstate(invalid="ignore"):
            on_each = [(right & side).sum(axis=0) / side.sum(axis=0) for side in (present, ~present)]
        columns = dict(
            accuracy=right.mean(axis=0), share=share, always_guess=np.maximum(share, 1 - share), balanced_accuracy=np.mean(on_each, axis=0)
        )
        return pd.DataFrame(columns, index=pd.Index(self.attributes, name="attribute"))

    def preview(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """The images sorted by the probabilities of up to three attributes, the smallest first."""
        chosen = [name for name in ("Smiling", "Male", "Young") if name in self.attributes] or self.attributes[:3]
        answers, images = self.predict_attributes(x), to_float(x, self.architecture.pixel_range)
        return {f"{name}: less to more": images[np.argsort(answers[name])] for name in chosen}

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "attributes": self.attributes}
        del config["z_dim"]  # the number of attributes
        return config


@keras.saving.register_keras_serializable("gdl")
def _right(present, logits):
    """1 where the more probable answer is right, else 0. Two (batch, attributes) -> the same"""
    return ops.cast(ops.equal(ops.cast(present, "float32") > 0.5, logits >= 0), "float32")


def check_classifier(classifier: Any) -> None:
    """CourseError unless it gives the attributes of images."""
    if not hasattr(classifier, "predict_attributes"):
        raise CourseError(f"classifier is {type(classifier).__name__}: give an AttributeClassifier, such as gdl.pretrained('classifier-celeba64').")
