"""Tiny images, objectives and interpolations for the tests of this folder."""

import types

import keras
import numpy as np

from kerasinterp.ops import mixing


def images(seed: int, count: int = 60, angle: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """uint8 (count, 12, 12, 1) and labels of two classes, a bar near one edge or the other, turned by `angle`."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    pictures = random.integers(0, 60, (count, 12, 12, 1), dtype=np.uint8)
    for picture, label in zip(pictures, labels, strict=True):
        picture[:, 2 + 6 * label : 4 + 6 * label] = 230
    return np.rot90(pictures, angle, axes=(1, 2)).copy(), labels


def identity() -> types.SimpleNamespace:
    """A model whose codes are the pixels: its mixes are pixel fades, its reconstructions the images."""
    return types.SimpleNamespace(
        encode=keras.Sequential([keras.Input((12, 12, 1)), keras.layers.Flatten()]),
        decode=keras.Sequential([keras.Input((144,)), keras.layers.Reshape((12, 12, 1))]),
        mixing=mixing.Linear(),
        image_shape=(12, 12, 1),
        latent_size=144,
    )


def scaled(factor: float) -> types.SimpleNamespace:
    """A model that decodes everything to `factor` times what it was."""
    model = identity()
    model.decode = keras.Sequential(
        [keras.Input((144,)), keras.layers.Rescaling(factor), keras.layers.Reshape((12, 12, 1))]
    )
    return model


def blank() -> types.SimpleNamespace:
    """A model that decodes everything to the middle grey."""
    return scaled(0.0)


def blurred() -> types.SimpleNamespace:
    """A model whose codes are the means of each pixel with its neighbours."""
    model = identity()
    pooled = keras.layers.AveragePooling2D(3, strides=1, padding="same")
    model.encode = keras.Sequential([keras.Input((12, 12, 1)), pooled, keras.layers.Flatten()])
    return model


def coarse() -> types.SimpleNamespace:
    """A model whose codes are the means of squares of pixels, which it decodes a little paler."""
    model, layers = identity(), keras.layers
    model.encode = keras.Sequential([keras.Input((12, 12, 1)), layers.AveragePooling2D(3), layers.Flatten()])
    model.decode = keras.Sequential(
        [keras.Input((16,)), layers.Rescaling(0.9), layers.Reshape((4, 4, 1)), layers.UpSampling2D(3)]
    )
    return model


def moving() -> types.SimpleNamespace:
    """A model of points, which it moves a little."""
    way = [keras.Sequential([keras.Input((2,)), keras.layers.Rescaling(*by)]) for by in ((2.0, 0.1), (0.49, 0.0))]
    return types.SimpleNamespace(encode=way[0], decode=way[1], mixing=mixing.Linear(), image_shape=(2,), latent_size=2)


def fixed(probabilities: list[float]) -> keras.Model:
    """A classifier's network that gives these probabilities whatever it sees; its features are the pixels."""
    images = keras.Input((12, 12, 1))
    output = keras.layers.Dense(len(probabilities), "softmax", kernel_initializer="zeros", name="output")
    model = keras.Model(images, output(keras.layers.Flatten()(images)))
    output.bias.assign(np.log(probabilities))
    return model


def fade(a: np.ndarray, b: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Paths of blended pixels."""
    weight = alphas.reshape(1, -1, 1, 1, 1)
    return (1 - weight) * a[:, np.newaxis] + weight * b[:, np.newaxis]


def switch(a: np.ndarray, b: np.ndarray, alphas: np.ndarray) -> np.ndarray:
    """Paths that stay at `a` before the middle and at `b` from it on."""
    return np.where(alphas.reshape(1, -1, 1, 1, 1) < 0.5, a[:, np.newaxis], b[:, np.newaxis])
