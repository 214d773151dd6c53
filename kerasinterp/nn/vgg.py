"""AEAI's networks, VGG-like (section 2.3): four blocks of `width` to 8 * `width` maps, then fully connected layers.

Batch normalisation and ReLU after each learned layer but the last. The paper does not say, so ours: one 3 x 3
convolution a block (as VGG-11's first; a third of the cost of two), one hidden dense layer of 32 * `width` units, and
for the decoder's symmetry nearest upsampling, which like max-pooling learns nothing and leaves no checkerboard. Image
sides are divisible by 16.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights

_HE = 2.0  # He et al. (2015): the scale of the initial variance before a ReLU


def encoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 256,
    width: int = 16,
    seed: int = 0,
    name: str = "encoder",
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> unbounded latents (B, latent_size)."""
    return _downward(image_shape, latent_size, width, seed, name, "code")


def discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3), width: int = 16, seed: int = 0, name: str = "discriminator"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images.

    The encoder's architecture with leaky ReLUs and without normalisation: an image's score then does not depend on
    the real or decoded images that it comes with (ours; the paper does not describe its discriminator).
    """
    return _downward(image_shape, 1, width, seed, name, "score")


def decoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 256,
    width: int = 16,
    seed: int = 0,
    name: str = "decoder",
    fused: bool = False,
) -> keras.Model:
    """Latents (B, latent_size) -> images (B, H, W, C) in [-1, 1]; the encoder mirrored.

    `fused` takes the quicker batch normalisation, under which AEAI's smoothness term would have a wrong gradient
    (`kerasinterp.nn.layers.normalised`); every other system may have it.
    """
    height, columns, channels = layers.check_image_shape(image_shape, 16, "VGG")
    weights = Weights(seed, _HE)
    top = (height // 16, columns // 16, 8 * width)
    x = latent = keras.Input((latent_size,), name="latent")
    for number, units in ((1, 32 * width), (2, top[0] * top[1] * top[2])):
        x = keras.layers.Dense(units, use_bias=False, kernel_initializer=weights(), name=f"dense_{number}")(x)
        x = layers.normalised(x, "relu", number, fused)
    x = keras.layers.Reshape(top, name="reshape")(x)
    for block, filters in enumerate((4 * width, 2 * width, width)):
        x = keras.layers.UpSampling2D(2, name=f"upsampling_{block + 1}")(x)
        x = _convolution(x, filters, weights, block + 3, True, fused)
    x = keras.layers.UpSampling2D(2, name="upsampling_4")(x)
    x = keras.layers.Conv2D(channels, 3, padding="same", kernel_initializer=weights(), name="convolution")(x)
    return keras.Model(latent, layers.image(x), name=name)


def _downward(image_shape, units: int, width: int, seed: int, name: str, kind: str) -> keras.Model:
    layers.check_image_shape(image_shape, 16, "VGG")
    weights = Weights(seed, _HE)
    normalise = kind == "code"
    x = images = keras.Input(tuple(image_shape), name="images")
    for block in range(4):
        x = _convolution(x, width << block, weights, block + 1, normalise)
        x = keras.layers.MaxPooling2D(2, name=f"pooling_{block + 1}")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(32 * width, use_bias=not normalise, kernel_initializer=weights(), name="dense_5")(x)
    x = layers.normalised(x, "relu", 5) if normalise else layers.activated(x, "leaky_relu", 5)
    return keras.Model(images, layers.head(x, units, weights, kind), name=name)


def _convolution(
    x: keras.KerasTensor, filters: int, weights: Weights, number: int, normalise: bool, fused: bool = True
) -> keras.KerasTensor:
    x = keras.layers.Conv2D(
        filters,
        3,
        padding="same",
        use_bias=not normalise,
        kernel_initializer=weights(),
        name=f"convolution_{number}",
    )(x)
    return layers.normalised(x, "relu", number, fused) if normalise else layers.activated(x, "leaky_relu", number)
