"""Batch normalisation whose derivatives are right to every order."""

import keras
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.ops import replicas


@keras.saving.register_keras_serializable("kerasinterp")
class ExactBatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer over the last axis, with right derivatives of every order: for AEAI's smoothness.

    On several devices the statistics are those of the whole batch.

    TensorFlow holds the mean constant within the variance (in `tf.nn.moments`, and in the gradient of the fused
    kernel's gradient). The first derivative does not notice, but the gradient of a Jacobian-vector product is off by
    some per cent, unless the direction has no mean.

    Raises:
        InputError: for another axis, or one of Keras' options that are not offered here.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if self.axis not in (-1, len(input_shape) - 1) or self.synchronized or self.renorm:
            raise InputError(
                "ExactBatchNormalization normalises the last axis, over all devices: leave out axis, synchronized and "
                "renorm, or use keras.layers.BatchNormalization."
            )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not (training and self.trainable) or mask is not None:  # a frozen layer runs in inference mode
            return super().call(inputs, training=training, mask=mask)
        return trained_exactly(self, inputs)


def trained_exactly(layer: keras.layers.BatchNormalization, inputs: tf.Tensor, unbiased: bool = False) -> tf.Tensor:
    """What a training call of `layer` over the last axis gives, by the statistics of the batch on all devices.

    Args:
        unbiased: the moving variance follows the unbiased estimate.
    """
    axes = tuple(range(inputs.shape.rank - 1))
    x = tf.cast(inputs, layer.variable_dtype)
    mean = replicas.mean(tf.reduce_mean(x, axes))
    x -= mean
    variance = replicas.mean(tf.reduce_mean(tf.square(x), axes))
    seen = variance
    if unbiased:
        number = tf.cast(replicas.count() * (tf.size(inputs) // inputs.shape[-1]), variance.dtype)
        seen *= number / tf.maximum(number - 1.0, 1.0)
    for average, found in ((layer.moving_mean, mean), (layer.moving_variance, seen)):
        average.assign(layer.momentum * average.value + (1.0 - layer.momentum) * found)
    factor = tf.math.rsqrt(variance + layer.epsilon)
    outputs = x * (layer.gamma.value * factor if layer.scale else factor)
    return tf.cast(outputs + layer.beta.value if layer.center else outputs, inputs.dtype)
