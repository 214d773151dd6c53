"""Batch normalisation whose derivatives are right to every order."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError


@keras.saving.register_keras_serializable("kerasinterp")
class ExactBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer over the last axis, with right derivatives of every order: for AEAI's smoothness.

    TensorFlow holds the mean constant within the variance (in `tf.nn.moments`, and in the gradient of the fused
    kernel's gradient). The first derivative does not notice, but the gradient of a Jacobian-vector product is off by
    some per cent, unless the direction has no mean.

    Raises:
        InputError: for another axis, or one of Keras' options that are not offered here.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.axis not in (-1, len(input_shape) - 1) or self.synchronized or self.renorm:
            raise InputError(
                "ExactBatchNormalization normalises the last axis on each device alone: leave out axis, synchronized "
                "and renorm, or use keras.layers.BatchNormalization."
            )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not (training and self.trainable) or mask is not None:  # a frozen layer runs in inference mode
            return super().call(inputs, training=training, mask=mask)
        axes = tuple(range(inputs.shape.rank - 1))
        x = tf.cast(inputs, self.variable_dtype)
        mean = tf.reduce_mean(x, axes)
        x -= mean
        variance = tf.reduce_mean(tf.square(x), axes)
        for average, found in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(self.momentum * average.value + (1.0 - self.momentum) * found)
        factor = tf.math.rsqrt(variance + self.epsilon)
        outputs = x * (self.gamma.value * factor if self.scale else factor)
        return tf.cast(outputs + self.beta.value if self.center else outputs, inputs.dtype)
