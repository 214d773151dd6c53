"""SNGAN's residual networks (Miyato et al., 2018) with classes (Miyato and Koyama, 2018): COLA's "CGAN".

As mimicry (kwotsin/mimicry) builds them for 32 x 32: three blocks of 2 `width` maps that double 4 x 4 positions, and
four of `width` that judge, 256 and 128 there. For other sizes the generator begins with as few positions as leave four
on each side (7 x 7 for 28, 6 x 6 for 48, 4 x 4 for 64). If that takes fewer than three doublings, the first blocks do
not double (those of 28 x 28 have sides of 7, 14, 28); if more, there are more blocks. The discriminator halves once
less than the generator doubles, at least twice, and ends in two blocks that do not. Height and width divisible by 4.
"""

from collections.abc import Callable

import keras

from kerasinterp.errors import InputError
from kerasinterp.nn import layers
from kerasinterp.nn.conditional_batch_normalization import ConditionalBatchNormalization
from kerasinterp.nn.dense import Dense
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.residual import block, convolutions, head, relu
from kerasinterp.nn.spectral_convolution import SpectralConv2D

_TOP = 4  # positions on a side
_GAIN = 2.0  # of the 3 x 3 kernels' variance, Glorot's uniform one (sngan_projection, mimicry)


def decoder(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_size: int = 128,
    width: int = 128,
    seed: int = 0,
    name: str = "decoder",
    classes: int = 0,
    conditional: bool = True,
) -> keras.Model:
    """Codes (B, latent_size) -> images (B, H, W, C) in [-1, 1].

    Args:
        latent_size: of the whole code, whose class part comes first.
        classes: numbers of the class part, which choose the scale and shift of each normalisation in a block; 0 for
            codes without one.
        conditional: false for ordinary batch normalisation, whose class part is part of the code alone (table 4.2's
            "DCGAN").

    Raises:
        InputError: a code that is shorter than its class part.
    """
    if latent_size < classes:
        raise InputError(f"A code of {latent_size} values has no room for {classes} classes: give a longer one.")
    height, columns, channels = layers.check_image_shape(image_shape, 4, "SNGAN")
    doublings = _doublings(height, columns)
    weights, maps = _weights(seed), 2 * width
    convolve = _convolutions(weights)
    latent = keras.Input((latent_size,), name="latent")
    top = (height >> doublings, columns >> doublings, maps)
    x = Dense(top[0] * top[1] * maps, kernel_initializer=weights(), name="maps")(latent)
    x = keras.layers.Reshape(top, name="reshape")(x)

    def activate(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        if not (classes and conditional):
            return layers.normalised(x, "relu", name)
        return relu(ConditionalBatchNormalization(classes, name=f"normalisation_{name}")([x, latent]), name)

    blocks = max(3, doublings)
    for number in range(1, blocks + 1):
        doubles = number > blocks - doublings
        resize = {"resize": "up", "learned_shortcut": True, "interpolation": "bilinear"} if doubles else {}
        x = block(x, maps, f"block_{number}", convolve, activate, **resize)
    x = layers.normalised(x, "relu", "last")
    x = convolve(x, channels, 3, "output", kernel_initializer=weights())
    return keras.Model(latent, layers.image(x), name=name)


def projection_discriminator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    width: int = 128,
    seed: int = 0,
    name: str = "projection_discriminator",
) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] and classes (B, K), one-hot -> unbounded scores (B, 1), large for real images.

    <w, f> + b + <W t, f>, f the sum over positions (Miyato and Koyama, 2018); each layer, W too, spectrally normalised.
    """
    height, columns, _ = layers.check_image_shape(image_shape, 4, "SNGAN")
    halvings = max(2, _doublings(height, columns) - 1)
    convolve = _convolutions(_weights(seed), SpectralConv2D)
    x = images = keras.Input(tuple(image_shape), name="images")
    labels = keras.Input((classes,), name="labels")
    for number in range(1, halvings + 3):
        resize = {"resize": "down", "learned_shortcut": True} if number <= halvings else {}
        x = block(x, width, f"block_{number}", convolve, relu, of_images=number == 1, **resize)
    positions = x.shape[1] * x.shape[2]
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="positions")(relu(x, "last"))
    x = keras.layers.Rescaling(float(positions), name="sum")(x)
    one_position = keras.layers.Reshape((1, 1, classes), name="labels_position")(labels)
    embedded = head(convolve, one_position, width, "embedding", use_bias=False)
    features = keras.layers.Reshape((width,), dtype="float32", name="features")(x)
    projected = keras.layers.Dot(1, dtype="float32", name="projection")([embedded, features])
    score = keras.layers.Add(dtype="float32", name="score")([head(convolve, x, 1, "linear"), projected])
    return keras.Model([images, labels], score, name=name)


def _doublings(height: int, columns: int) -> int:
    """How many halvings leave whole numbers of positions, at least four on each side."""
    count = 0
    while not (height >> count) % 2 and not (columns >> count) % 2 and min(height, columns) >> count >= 2 * _TOP:
        count += 1
    return count


def _weights(seed: int) -> Weights:
    return Weights(seed, 1.0, "fan_avg", "uniform")


def _convolutions(weights: Weights, layer: type = keras.layers.Conv2D) -> Callable:
    return convolutions(lambda size: weights(_GAIN if size == 3 else 1.0), layer)
