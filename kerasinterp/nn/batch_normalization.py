"""Batch normalisation in one fused kernel."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' layer, trained on feature maps by TensorFlow's fused kernel; everything else is inherited.

    Keras computes mean and variance in operations of their own: the training step takes a fifth longer with them on a
    CPU. As in PyTorch, the moving variance follows the unbiased estimate.
    """

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        if not training or inputs.shape.rank != 4 or self.axis not in (-1, 3):
            return super().call(inputs, training=training, mask=mask)
        scale, offset = (tf.cast(v.value, tf.float32) for v in (self.gamma, self.beta))
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(inputs, scale, offset, epsilon=self.epsilon)
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1.0 - self.momentum))
        self.moving_variance.assign(self.moving_variance * self.momentum + variance * (1.0 - self.momentum))
        return outputs
