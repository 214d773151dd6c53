"""Convolution with spectral normalisation."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class SpectralConv2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D` whose kernel is divided by its largest singular value (Miyato et al., 2018, eq. 8).

    One power iteration a training call, none while the layer is frozen. The kernel itself stays as the optimizer left
    it, and its gradient passes through the division. `keras.layers.SpectralNormalization` overwrites the kernel at each
    call instead (in mixed precision rounded to bfloat16, which loses small updates), and draws its vector without a
    seed.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        super().build(input_shape)
        self.direction = self.add_weight(
            shape=(self.filters, 1),
            initializer=keras.initializers.Constant(self.filters**-0.5),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
            name="direction",
        )

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        if training and self.trainable:
            matrix = _matrix(self.kernel)
            self.direction.assign(tf.math.l2_normalize(tf.matmul(matrix, matrix @ self.direction.value, True)))
        return super().call(inputs)

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        # The gradient of |W u| at a constant u is that of u' W v, as the paper has it.
        norm = tf.norm(_matrix(kernel) @ tf.stop_gradient(tf.convert_to_tensor(self.direction.value)))
        return super().convolution_op(inputs, kernel / tf.cast(norm, kernel.dtype))

    # Conv2D's own know of a kernel and a bias only.
    def save_own_variables(self, store: dict) -> None:
        keras.Layer.save_own_variables(self, store)

    def load_own_variables(self, store: dict) -> None:
        keras.Layer.load_own_variables(self, store)


def _matrix(kernel: tf.Tensor) -> tf.Tensor:
    """A kernel (..., filters) as a float32 matrix."""
    return tf.cast(tf.reshape(kernel, [-1, kernel.shape[-1]]), tf.float32)
