"""The leaky ReLU, with a gradient that leaves TensorFlow free to fuse it."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class LeakyReLU(keras.layers.LeakyReLU):
    """Keras' layer, whose gradient reads the output instead of the input: the two have the same sign.

    Nothing then needs the input again, and TensorFlow fuses convolution, bias and activation. With the input in use its
    optimiser tries the same, fails, and gives up every other fusion of the step as well.
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        slope = self.negative_slope
        if slope <= 0.0:
            return super().call(inputs)

        @tf.custom_gradient
        def leaky_relu(x: tf.Tensor):
            y = tf.nn.leaky_relu(x, slope)
            return y, lambda upstream: tf.raw_ops.LeakyReluGrad(gradients=upstream, features=y, alpha=slope)

        return leaky_relu(inputs)
