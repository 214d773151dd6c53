"""Maps into pixels: the rearrangement at the end of a sub-pixel convolution."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable("kerasinterp")
class SubPixel(keras.layers.Layer):
    """(B, H, W, block^2 C) -> (B, block H, block W, C): the channels of a position become a block of pixels.

    Source: Shi et al. (2016), section 3.2 ("periodic shuffling").
    """

    def __init__(self, block: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.block = block

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.nn.depth_to_space(inputs, self.block)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        return batch, self.block * height, self.block * width, channels // self.block**2

    def get_config(self) -> dict:
        return super().get_config() | {"block": self.block}
