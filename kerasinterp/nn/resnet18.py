"""ResNet-18 (He et al., 2016, table 1) for small images: its first convolution is 3 x 3, and nothing halves after it.

Four stages of `width` to 8 * `width` maps, of which all but the first halve the image; batch normalisation and ReLU.
Without their last dense layer networks end in the mean over the positions. Images of any size, 28 pixels and more say.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.residual import convolution, plain_block

_HE = 2.0  # He et al. (2015): the scale of the initial variance before a ReLU
_STAGES = 4


def trunk(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    width: int = 64,
    seed: int = 0,
    name: str = "trunk",
    blocks: int = 2,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> representations (B, 8 * width), 0 or more.

    `blocks` is the number of residual blocks a stage: 2 make ResNet-18, 1 makes ResNet-10.
    """
    images, x, _ = _pooled(image_shape, width, seed, blocks)
    return keras.Model(images, x, name=name)


def encoder(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_size: int = 10,
    width: int = 64,
    seed: int = 0,
    name: str = "encoder",
    blocks: int = 2,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> unbounded latents (B, latent_size); `blocks` as of `trunk`."""
    images, x, weights = _pooled(image_shape, width, seed, blocks)
    return keras.Model(images, layers.head(x, latent_size, weights, "code"), name=name)


def _pooled(image_shape, width: int, seed: int, blocks: int) -> tuple[keras.KerasTensor, keras.KerasTensor, Weights]:
    layers.check_image_shape(image_shape, 1, "ResNet-18")
    weights = Weights(seed, _HE)
    x = images = keras.Input(tuple(image_shape), name="images")
    x = layers.normalised(convolution(x, width, 3, 1, weights, "stem"), "relu", "stem")
    for stage in range(_STAGES):
        for block in range(blocks):
            x = plain_block(
                x, width << stage, 2 if stage and not block else 1, weights, f"block_{stage + 1}_{block + 1}"
            )
    return images, keras.layers.GlobalAveragePooling2D(dtype="float32", name="representations")(x), weights
