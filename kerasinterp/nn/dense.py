"""Keras' dense layer, quick on processors at every width."""

import keras
import tensorflow as tf

_ALIASED = 1024  # float32 values in 4096 bytes
_APART = 16  # float32 values in a cache line of 64 bytes


@keras.saving.register_keras_serializable("kerasinterp")
class Dense(keras.layers.Dense):
    """`keras.layers.Dense`; a multiple of 1024 units is as quick as any other number when training on a CPU."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if (
            not training
            or inputs.dtype != tf.float32
            or inputs.shape.rank != 2
            or self.units % _ALIASED
            or self.quantization_mode is not None
            or tf.config.list_physical_devices("GPU")
        ):
            return super().call(inputs, training=training)
        outputs = _product(inputs, tf.convert_to_tensor(self.kernel))
        if self.use_bias:
            outputs = tf.nn.bias_add(outputs, tf.convert_to_tensor(self.bias))
        return self.activation(outputs) if self.activation is not None else outputs


@tf.custom_gradient
def _product(inputs: tf.Tensor, kernel: tf.Tensor):
    """(B, K) and (K, N) -> (B, N).

    Rows of a multiple of 4096 bytes fall on one set of the first cache each, and the product runs at half its speed;
    moving them a line apart costs a tenth of what it saves. The two products of the gradient do not suffer.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.matmul(upstream, kernel, transpose_b=True), tf.matmul(inputs, upstream, transpose_a=True)

    return tf.matmul(inputs, tf.pad(kernel, [[0, 0], [0, _APART]]))[:, : kernel.shape[1]], gradient
