"""ACAI's networks (Berthelot et al., 2019; official `acai.py` and `lib/layers.py`): a convolutional latent.

3 x 3 convolutions, average pooling, nearest upsampling, no normalisation; `width` is the source's depth. `scales`, the
number of halvings, is by default the one that leaves 4 x 4 positions; any image side divisible by 2**scales.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.mlp import latent_discriminator as latent_discriminator

_SCALE = 1.0 / (1.0 + 0.2**2)  # of the initial variance: the source's, half of He's for this leaky ReLU


def encoder(
    image_shape: tuple[int, int, int] = (32, 32, 1),
    latent_size: int = 16,
    width: int = 16,
    seed: int = 0,
    name: str = "encoder",
    scales: int | None = None,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> unbounded latents (B, H / 2**scales, W / 2**scales, latent_size)."""
    images, x = _downward(image_shape, latent_size, width, seed, scales)
    return keras.Model(images, layers.code(x), name=name)


def critic(
    image_shape: tuple[int, int, int] = (32, 32, 1),
    width: int = 16,
    seed: int = 0,
    name: str = "critic",
    scales: int | None = None,
    channels: int = 16,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded estimate of the mixing coefficient (B, 1).

    The encoder's architecture; the score is the mean over its outputs, `channels` at each position (the source takes
    its latent size).
    """
    images, x = _downward(image_shape, channels, width, seed, scales)
    x = keras.layers.Reshape((-1, 1), dtype="float32", name="outputs")(x)
    return keras.Model(images, keras.layers.GlobalAveragePooling1D(dtype="float32", name="score")(x), name=name)


def discriminator(
    image_shape: tuple[int, int, int] = (32, 32, 1),
    width: int = 16,
    seed: int = 0,
    name: str = "discriminator",
    scales: int | None = None,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images; the critic with one channel."""
    return critic(image_shape, width, seed, name, scales, channels=1)


def decoder(
    image_shape: tuple[int, int, int] = (32, 32, 1),
    latent_size: int = 16,
    width: int = 16,
    seed: int = 0,
    name: str = "decoder",
    scales: int | None = None,
    activation: str = "linear",
) -> keras.Model:
    """Latents (B, H / 2**scales, W / 2**scales, latent_size) -> images (B, H, W, C).

    `activation` is that of the images: `linear`, as the source has it, is unbounded; `tanh` keeps them in [-1, 1].
    """
    height, columns, channels, scales = _check(image_shape, scales)
    weights = Weights(seed, _SCALE)
    x = latent = keras.Input((height >> scales, columns >> scales, latent_size), name="latent")
    for scale in reversed(range(scales)):
        x = _twice(x, width << scale, weights, 2 * (scales - scale) - 1)
        x = keras.layers.UpSampling2D(2, name=f"upsampling_{scales - scale}")(x)
    x = layers.activated(_convolution(x, width, weights, 2 * scales + 1), "leaky_relu", 2 * scales + 1)
    x = _convolution(x, channels, weights, 2 * scales + 2)
    return keras.Model(latent, layers.image(x, activation), name=name)


def _downward(image_shape, units: int, width: int, seed: int, scales: int | None):
    *_, scales = _check(image_shape, scales)
    weights = Weights(seed, _SCALE)
    x = images = keras.Input(tuple(image_shape), name="images")
    x = keras.layers.Conv2D(width, 1, kernel_initializer=weights(), name="colours")(x)
    for scale in range(scales):
        x = _twice(x, width << scale, weights, 2 * scale + 1)
        x = keras.layers.AveragePooling2D(2, name=f"pooling_{scale + 1}")(x)
    x = layers.activated(_convolution(x, width << scales, weights, 2 * scales + 1), "leaky_relu", 2 * scales + 1)
    return images, _convolution(x, units, weights, 2 * scales + 2)


def _check(image_shape, scales: int | None) -> tuple[int, int, int, int]:
    scales = layers.scales_to_4x4(image_shape) if scales is None else int(scales)
    return (*layers.check_image_shape(image_shape, 2**scales, f"ACAI of {scales} scales"), scales)


def _twice(x: keras.KerasTensor, filters: int, weights: Weights, number: int) -> keras.KerasTensor:
    for one in (number, number + 1):
        x = layers.activated(_convolution(x, filters, weights, one), "leaky_relu", one)
    return x


def _convolution(x: keras.KerasTensor, filters: int, weights: Weights, number: int) -> keras.KerasTensor:
    return keras.layers.Conv2D(filters, 3, padding="same", kernel_initializer=weights(), name=f"convolution_{number}")(
        x
    )
