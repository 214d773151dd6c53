"""A model whose code is the image itself, normalised: a test can follow it with NumPy."""

import keras
import numpy as np
import tensorflow as tf

from kerasinterp.ops.mixing import Spherical

SHAPE = (4, 4, 1)


@keras.saving.register_keras_serializable("kerasinterp_tests")
class CountTraces(keras.layers.Layer):
    """Counts how often the network is traced, and scales its input by a variable."""

    traces = 0

    def build(self, input_shape: tuple) -> None:
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        CountTraces.traces += 1
        return self.scale * inputs


class StandIn:
    image_shape, latent_size, mixing = SHAPE, int(np.prod(SHAPE)), Spherical()

    def __init__(self):
        images, codes = keras.Input(SHAPE), keras.Input((self.latent_size,))
        self.encoder = keras.Model(
            images, keras.layers.UnitNormalization()(CountTraces()(keras.layers.Flatten()(images)))
        )
        self.decoder = keras.Model(codes, CountTraces()(keras.layers.Reshape(SHAPE)(codes)))

    def encode(self, images: tf.Tensor) -> tf.Tensor:
        return self.encoder(images, training=False)

    def decode(self, latents: tf.Tensor) -> tf.Tensor:
        return self.decoder(latents, training=False)


class Generator:
    """A model without an encoder; its prior draws the images themselves, and a label inverts them."""

    image_shape = SHAPE

    def prior(self, count: int, seed: int) -> tf.Tensor:
        return tf.random.stateless_uniform((count, int(np.prod(SHAPE))), (seed, 0), -1.0, 1.0)

    def decode(self, latents: tf.Tensor, labels: tf.Tensor | None = None) -> tf.Tensor:
        images = tf.reshape(latents, (-1, *SHAPE))
        return images if labels is None else images * tf.cast(1 - 2 * labels, tf.float32)[:, None, None, None]


def images(count: int, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (count, *shape)).astype(np.float32)


def unit(x: np.ndarray) -> np.ndarray:
    flat = x.reshape(len(x), -1).astype(np.float64)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def slerp(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
    """Shoemake (1985) in float64, of unit vectors (N, L)."""
    angle = np.arccos(np.sum(a * b, axis=1, keepdims=True))
    return (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle)
