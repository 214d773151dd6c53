"""Fully convolutional networks whose latent is maps, for quick training on a processor (ours).

Convolutions of stride 2 lead to a few positions, where residual blocks (He et al., 2016) see the whole image; latents
are maps of `latent_size` channels there, so no bottleneck of dense layers loses what an unseen class looks like. The
way back ends in sub-pixel convolutions (Shi et al., 2016). `width` is the first convolution's number of maps; `scales`,
the number of halvings, is by default the one that leaves 7 x 7 or 8 x 8 positions; any image side divisible by
2**scales. Mix these latents linearly.
"""

import math

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.convolution import Conv2D
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.sub_pixel import SubPixel

_SCALE = 2.0 / (1.0 + 0.2**2)  # of the initial variance: He's for this leaky ReLU
_MOST = 8  # times `width`: maps double up to it, as in AMR's residual networks


def encoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 4,
    width: int = 32,
    seed: int = 0,
    name: str = "encoder",
    scales: int | None = None,
    blocks: int = 2,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> unbounded latents (B, H / 2**scales, W / 2**scales, latent_size).

    `blocks` is the number of residual blocks in the encoder, and in the decoder.
    """
    images, x, weights = _downward(image_shape, width, seed, scales, blocks)
    x = _convolution(x, latent_size, weights, "output", use_bias=True)
    return keras.Model(images, layers.code(x), name=name)


def decoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 4,
    width: int = 32,
    seed: int = 0,
    name: str = "decoder",
    scales: int | None = None,
    blocks: int = 2,
) -> keras.Model:
    """Latents (B, H / 2**scales, W / 2**scales, latent_size) -> images (B, H, W, C) in [-1, 1]."""
    height, columns, channels, maps = _maps(image_shape, width, scales)
    scales = len(maps)
    weights = Weights(seed, _SCALE)
    x = latent = keras.Input((height >> scales, columns >> scales, latent_size), name="latent")
    x = layers.normalised(_convolution(x, maps[-1], weights, "maps"), "leaky_relu", "maps")
    x = _blocks(x, blocks, weights)
    for number, filters in enumerate(reversed(maps[:-1]), 1):
        x = SubPixel(2, name=f"upward_{number}")(_convolution(x, 4 * filters, weights, f"upward_convolution_{number}"))
        x = layers.normalised(x, "leaky_relu", f"upward_{number}")
    x = SubPixel(2, name="pixels")(_convolution(x, 4 * channels, weights, "output", use_bias=True))
    return keras.Model(latent, layers.image(x), name=name)


def discriminator(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    width: int = 32,
    seed: int = 0,
    name: str = "discriminator",
    scales: int | None = None,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images: the encoder's way down, without its
    residual blocks, and one dense layer."""
    return critic(image_shape, width, seed, name, scales, batch_normalised=True)


def critic(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    width: int = 32,
    seed: int = 0,
    name: str = "critic",
    scales: int | None = None,
    batch_normalised: bool = False,
) -> keras.Model:
    """The discriminator, which without batch normalisation judges each image alone, as WGAN-GP's penalty wants it."""
    images, x, weights = _downward(image_shape, width, seed, scales, 0, batch_normalised)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, layers.head(x, 1, weights, "score"), name=name)


def _downward(image_shape, width: int, seed: int, scales: int | None, blocks: int, batch_normalised: bool = True):
    *_, maps = _maps(image_shape, width, scales)
    weights = Weights(seed, _SCALE)
    x = images = keras.Input(tuple(image_shape), name="images")
    for number, filters in enumerate(maps, 1):
        plain = number == 1 or not batch_normalised
        x = Conv2D(filters, 4, 2, "same", use_bias=plain, kernel_initializer=weights(), name=f"convolution_{number}")(x)
        x = (layers.activated if plain else layers.normalised)(x, "leaky_relu", number)
    return images, _blocks(x, blocks, weights), weights


def _blocks(x: keras.KerasTensor, count: int, weights: Weights) -> keras.KerasTensor:
    """Residual blocks of two convolutions each."""
    for number in range(1, count + 1):
        name, filters = f"block_{number}", x.shape[-1]
        y = layers.normalised(_convolution(x, filters, weights, f"{name}_first"), "leaky_relu", f"{name}_first")
        y = layers.batch_normalised(_convolution(y, filters, weights, f"{name}_second"), f"{name}_second")
        x = layers.activated(keras.layers.Add(name=name)([x, y]), "leaky_relu", name)
    return x


def _maps(image_shape, width: int, scales: int | None) -> tuple[int, int, int, list[int]]:
    """Height, width and channels of the images, and the number of maps after each halving."""
    if scales is None:
        scales = max(1, round(math.log2(max(1, min(image_shape[:2])) / 8)))
    shape = layers.check_image_shape(image_shape, 2**scales, f"The convolutional network of {scales} scales")
    return (*shape, [width * min(2**scale, _MOST) for scale in range(scales)])


def _convolution(
    x: keras.KerasTensor, filters: int, weights: Weights, name: str, use_bias: bool = False
) -> keras.KerasTensor:
    return keras.layers.Conv2D(filters, 3, padding="same", use_bias=use_bias, kernel_initializer=weights(), name=name)(
        x
    )
