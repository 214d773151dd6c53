"""The embedding network of few-shot classification (Vinyals et al., 2016, section 4.1.1): a trunk, and a classifier.

3 x 3 convolutions, each halved by max pooling, so that it bears strokes that move; any height and width.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights

_DROPOUT = 0.3  # ours: there are some ten images a class


def trunk(
    image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 32, seed: int = 0, name: str = "trunk"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> representations (B, h w 4 * `width`), 0 or more, of what is left of the positions."""
    images, x, _ = _flat(image_shape, width, seed)
    return keras.Model(images, keras.layers.Activation("linear", dtype="float32", name="representations")(x), name=name)


def classifier(
    image_shape: tuple[int, int, int], num_classes: int, width: int = 32, seed: int = 0, name: str = "classifier"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> class probabilities (B, num_classes), after a dropout."""
    images, x, weights = _flat(image_shape, width, seed)
    x = keras.layers.Dropout(_DROPOUT, seed=seed, name="dropout")(x)
    return keras.Model(images, layers.head(x, num_classes, weights, "probability"), name=name)


def _flat(image_shape, width: int, seed: int) -> tuple[keras.KerasTensor, keras.KerasTensor, Weights]:
    """Levels until some 4 x 4 pixels are left (three at 28 x 28, where the paper has four); maps double, twice."""
    weights = Weights(seed, scale=2.0)  # He et al. (2015)
    x = images = keras.Input(tuple(image_shape), name="images")
    for level in range(1, layers.scales_to_4x4(image_shape) + 1):
        maps = width * min(2 ** (level - 1), 4)
        x = keras.layers.Conv2D(
            maps, 3, padding="same", use_bias=False, kernel_initializer=weights(), name=f"convolution_{level}"
        )(x)
        x = keras.layers.MaxPooling2D(2, name=f"pooling_{level}")(x)  # before the activation: the same, and quicker
        x = layers.normalised(x, "relu", level)
    return images, keras.layers.Flatten(name="flatten")(x), weights
