"""Batch normalisation whose scale and shift are those of each image's class."""

from typing import Any

import keras
import tensorflow as tf

from kerasinterp.nn.batch_normalization import BatchNormalization


@keras.saving.register_keras_serializable("kerasinterp")
class ConditionalBatchNormalization(keras.layers.Layer):
    """Maps (B, H, W, C), normalised over the batch, then gamma x + beta of each class (de Vries et al., 2017).

        gamma, beta = t W_gamma, t W_beta in R^C,  t the code's class part: a class's row for a one-hot t

    Mean and variance are the whole batch's, whatever its classes (as in sngan_projection and mimicry).

    Args:
        classes: K, how many numbers at a code's beginning are t.
        momentum, epsilon: as of `BatchNormalization`.

    Called on the list of maps and codes (B, K + d).
    """

    def __init__(self, classes: int, momentum: float = 0.9, epsilon: float = 1e-5, **kwargs: Any):
        super().__init__(**kwargs)
        self.classes, self.momentum, self.epsilon = int(classes), momentum, epsilon
        self.normalisation = BatchNormalization(
            momentum=momentum, epsilon=epsilon, center=False, scale=False, dtype=self.dtype_policy, name="normalisation"
        )

    def build(self, input_shape: list[tuple[int | None, ...]]) -> None:
        maps, _ = input_shape
        self.normalisation.build(maps)
        self.gamma, self.beta = (
            self.add_weight(shape=(self.classes, maps[-1]), initializer=start, name=name)
            for name, start in (("gamma", "ones"), ("beta", "zeros"))
        )

    def call(self, inputs: list[tf.Tensor], training: bool | None = None) -> tf.Tensor:
        maps, codes = inputs
        classes = codes[:, : self.classes]
        gamma, beta = (
            tf.matmul(classes, tf.convert_to_tensor(own))[:, tf.newaxis, tf.newaxis] for own in (self.gamma, self.beta)
        )
        return gamma * self.normalisation(maps, training=training) + beta

    def compute_output_shape(self, input_shape: list[tuple[int | None, ...]]) -> tuple[int | None, ...]:
        return tuple(input_shape[0])

    def get_config(self) -> dict:
        own = {"classes": self.classes, "momentum": self.momentum, "epsilon": self.epsilon}
        return super().get_config() | own
