"""Batch normalisation whose derivatives are right to every order."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class ExactBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer over the last axis, with right derivatives of every order: for AEAI's smoothness.

    TensorFlow holds the mean constant within the variance (in `tf.nn.moments`, and in the gradient of the fused
    kernel's gradient). The first derivative does not notice, but the gradient of a Jacobian-vector product is off by
    some per cent, unless the direction has no mean.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not training or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        axes = tuple(range(inputs.shape.rank - 1))
        gamma, beta = self.gamma.value, self.beta.value
        x = tf.cast(inputs, gamma.dtype)
        mean = tf.reduce_mean(x, axes)
        x -= mean
        variance = tf.reduce_mean(tf.square(x), axes)
        for average, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(self.momentum * average.value + (1.0 - self.momentum) * found)
        return tf.cast(x * (gamma * tf.math.rsqrt(variance + self.epsilon)) + beta, inputs.dtype)
