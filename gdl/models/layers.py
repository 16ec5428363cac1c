"""The one layer that the networks need and Keras does not have."""

import keras
import tensorflow as tf
from keras import layers


@keras.saving.register_keras_serializable("gdl")
class PixelShuffle(layers.Layer):
    """Rearranges channels into pixels: (batch, h, w, 4 c) -> (batch, 2 h, 2 w, c). Shi et al. 2016."""

    def call(self, x):
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, shape):
        batch, height, width, channels = shape
        return batch, 2 * height, 2 * width, channels // 4
