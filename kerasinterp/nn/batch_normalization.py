"""Batch normalisation in one fused kernel."""

import keras
import tensorflow as tf

from kerasinterp.nn.exact_batch_normalization import trained_exactly
from kerasinterp.ops import replicas


@keras.saving.register_keras_serializable("kerasinterp")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer, trained by TensorFlow's fused kernel; everything else is inherited.

    Keras computes mean and variance in operations of their own: the training step takes a fifth longer with them on a
    CPU. As in PyTorch, the moving variance follows the unbiased estimate. On several devices the statistics are
    those of the whole batch.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not training or mask is not None or not self._fuses(inputs.shape.rank):
            return super().call(inputs, training=training, mask=mask)
        if replicas.count() > 1:  # the kernel sees one device's share
            return trained_exactly(self, inputs, unbiased=True)
        maps = inputs if inputs.shape.rank == 4 else tf.reshape(inputs, [-1, 1, 1, inputs.shape[-1]])
        mean, variance = (tf.cast(v.value, tf.float32) for v in (self.moving_mean, self.moving_variance))
        scale = tf.cast(self.gamma.value, tf.float32) if self.scale else tf.ones_like(mean)
        offset = tf.cast(self.beta.value, tf.float32) if self.center else tf.zeros_like(mean)
        # The kernel also moves the averages: momentum * old + (1 - momentum) * the batch's.
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            maps, scale, offset, mean, variance, self.epsilon, exponential_avg_factor=1.0 - self.momentum
        )
        self.moving_mean.assign(mean)
        self.moving_variance.assign(variance)
        return outputs if inputs.shape.rank == 4 else tf.reshape(outputs, tf.shape(inputs))

    def _fuses(self, rank: int | None) -> bool:
        """Whether the kernel does all that was asked for; a frozen layer runs in inference mode."""
        last = rank is not None and self.axis in (-1, rank - 1)
        return last and self.trainable and not self.synchronized and not self.renorm
