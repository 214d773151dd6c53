"""Instance normalisation whose derivatives are right to every order."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class InstanceNormalization(keras.layers.GroupNormalization):
    """Each map of each image (B, H, W, C) normalised alone, with right derivatives of every order.

    Keras' layer behind a subtraction of the mean: what it holds constant (`ExactBatchNormalization`) is then zero.
    """

    def __init__(self, groups: int = -1, **kwargs):
        super().__init__(groups=groups, **kwargs)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return super().call(inputs - tf.reduce_mean(inputs, (1, 2), keepdims=True))
