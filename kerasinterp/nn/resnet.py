"""AMR's residual networks (appendix 5.1; the discriminator as in christopher-beckham/amr): a convolutional latent.

The paper says no more of its autoencoder than "residual". Ours has pre-activation blocks (He et al., 2016), maps
doubling from `width` up to 8 * `width`, and the instance normalisation of the released autoencoder. `scales`, the
number of halvings, is by default the one that leaves 4 x 4 positions; any image side divisible by 2**scales.
"""

from collections.abc import Callable

import keras

from kerasinterp.errors import InputError
from kerasinterp.nn import layers
from kerasinterp.nn.instance_normalization import InstanceNormalization
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.residual import block, convolutions, head, relu
from kerasinterp.nn.spectral_convolution import SpectralConv2D


def encoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 512,
    width: int = 64,
    seed: int = 0,
    name: str = "encoder",
    scales: int | None = None,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> unbounded latents (B, H / 2**scales, W / 2**scales, latent_size)."""
    *_, scales = _check(image_shape, scales)
    convolve = _convolutions(seed)
    x = images = keras.Input(tuple(image_shape), name="images")
    x = convolve(x, width, 3, "colours")
    for scale in range(1, scales + 1):
        x = block(x, width * min(2**scale, 8), f"block_{scale}", convolve, _normalise, "down")
    x = convolve(_normalise(x, "last"), latent_size, 3, "output", use_bias=True)
    return keras.Model(images, layers.code(x), name=name)


def decoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 512,
    width: int = 64,
    seed: int = 0,
    name: str = "decoder",
    scales: int | None = None,
) -> keras.Model:
    """Latents (B, H / 2**scales, W / 2**scales, latent_size) -> images (B, H, W, C) in [-1, 1]."""
    height, columns, channels, scales = _check(image_shape, scales)
    convolve = _convolutions(seed)
    x = latent = keras.Input((height >> scales, columns >> scales, latent_size), name="latent")
    x = convolve(x, width * min(2**scales, 8), 3, "maps")
    for scale in reversed(range(scales)):
        x = block(x, width * min(2**scale, 8), f"block_{scales - scale}", convolve, _normalise, "up")
    x = convolve(_normalise(x, "last"), channels, 3, "output", use_bias=True)
    return keras.Model(latent, layers.image(x), name=name)


def discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    width: int = 64,
    seed: int = 0,
    name: str = "discriminator",
    classes: int = 0,
    halvings: int = 4,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images; every layer spectrally normalised.

    Blocks of `width`, 2, 4 and 8 * `width` maps that halve the image, one more that does not, and the mean over the
    positions. Image sides are divisible by 2**halvings.

    Args:
        classes: if not 0, an auxiliary classifier branches off the end (AMR 2.1): the outputs are then the list of the
            score (B, 1) and the logits (B, classes).
    """
    layers.check_image_shape(image_shape, 2**halvings, f"The residual discriminator of {halvings} scales")
    convolve = _convolutions(seed, SpectralConv2D, scale=1.0, use_bias=True)
    maps = [width * min(2**scale, 8) for scale in range(halvings)]
    x = images = keras.Input(tuple(image_shape), name="images")
    for number, filters in enumerate(maps, 1):
        x = block(x, filters, f"block_{number}", convolve, relu, "down", of_images=number == 1)
    x = block(x, maps[-1], f"block_{halvings + 1}", convolve, relu)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="positions")(relu(x, "last"))
    outputs = [head(convolve, x, 1, "score")]
    if classes:
        outputs.append(head(convolve, x, classes, "classes"))
    return keras.Model(images, outputs if classes else outputs[0], name=name)


def _convolutions(seed: int, layer: type = keras.layers.Conv2D, scale: float = 2.0, use_bias: bool = False) -> Callable:
    """Those of one network; without bias, which the instance normalisation would take away."""
    weights = Weights(seed, scale)
    return convolutions(lambda size: weights(), layer, use_bias=use_bias)


def _normalise(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Instance normalisation, then a ReLU."""
    x = InstanceNormalization(epsilon=1e-5, name=f"{name}_normalisation")(x)
    return relu(x, name)


def _check(image_shape, scales: int | None) -> tuple[int, int, int, int]:
    scales = layers.scales_to_4x4(image_shape) if scales is None else int(scales)
    height, columns, channels = layers.check_image_shape(image_shape, 2**scales, f"ResNet of {scales} scales")
    if height * columns <= 4**scales:
        raise InputError(
            f"{scales} scales leave one position of {height} x {columns} pixels, where instance normalisation gives "
            "zero: take fewer scales or larger images."
        )
    return height, columns, channels, scales
