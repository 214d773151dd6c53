"""DCGAN's networks for natural images (Radford et al., 2016; AugIntAE A.1: 64 x 64, and 128 x 128 with one more layer).

5 x 5 kernels, stride 2, maps doubling up to 8 * `width`. From 128 pixels on, a half-width layer stands at the bottom
of the encoder and at the top of the decoder. Sizes are divisible by 16 (below 128) or 32.
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights


def encoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 512,
    width: int = 64,
    seed: int = 0,
    name: str = "encoder",
    normalised: bool = True,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> latents (B, latent_size), L2-normalised unless `normalised` is false."""
    return _downward(image_shape, latent_size, width, seed, name, kind="latent" if normalised else "code")


def discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3), width: int = 64, seed: int = 0, name: str = "discriminator"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images; the encoder's architecture (A.1)."""
    return _downward(image_shape, 1, width, seed, name, kind="score")


def critic(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    width: int = 64,
    seed: int = 0,
    name: str = "critic",
    batch_normalised: bool = False,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images; the encoder's architecture (A.1).

    Without batch normalisation it judges each image alone, as WGAN-GP's penalty wants it (Gulrajani et al., section 4).
    """
    return _downward(image_shape, 1, width, seed, name, "score", batch_normalised)


def classifier(
    image_shape: tuple[int, int, int], num_classes: int, width: int = 64, seed: int = 0, name: str = "classifier"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> class probabilities (B, num_classes); the encoder's architecture (A.1)."""
    return _downward(image_shape, num_classes, width, seed, name, kind="probability")


def decoder(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_size: int = 512,
    width: int = 64,
    seed: int = 0,
    name: str = "decoder",
) -> keras.Model:
    """Latents (B, latent_size) -> images (B, H, W, C) in [-1, 1]."""
    maps = _maps(image_shape, width)
    height, columns, channels = image_shape
    scale = 2 ** len(maps)
    weights = Weights(seed)
    x = latent = keras.Input((latent_size,), name="latent")
    units = height * columns // scale**2 * maps[-1]
    x = keras.layers.Dense(units, use_bias=False, kernel_initializer=weights(), name="dense_1")(x)
    x = keras.layers.Reshape((height // scale, columns // scale, maps[-1]), name="reshape")(x)
    x = layers.normalised(x, "relu", 1)
    for number, filters in enumerate(reversed(maps[:-1]), 2):
        x = keras.layers.Conv2DTranspose(
            filters, 5, 2, "same", use_bias=False, kernel_initializer=weights(), name=f"deconvolution_{number}"
        )(x)
        x = layers.normalised(x, "relu", number)
    x = keras.layers.Conv2DTranspose(channels, 5, 2, "same", kernel_initializer=weights(), name="deconvolution")(x)
    return keras.Model(latent, layers.image(x), name=name)


def _maps(image_shape: tuple[int, int, int], width: int) -> list[int]:
    maps = [width, 2 * width, 4 * width, 8 * width]
    if min(image_shape[:2]) >= 128:
        maps.insert(0, width // 2)
    layers.check_image_shape(image_shape, 2 ** len(maps), "DCGAN")
    return maps


def _downward(
    image_shape, units: int, width: int, seed: int, name: str, kind: str, batch_normalised: bool = True
) -> keras.Model:
    maps = _maps(image_shape, width)
    weights, plain = Weights(seed), not batch_normalised
    through = layers.activated if plain else layers.normalised
    x = images = keras.Input(tuple(image_shape), name="images")
    x = keras.layers.Conv2D(maps[0], 5, 2, "same", kernel_initializer=weights(), name="convolution_1")(x)
    x = layers.activated(x, "leaky_relu", 1)
    for number, filters in enumerate(maps[1:], 2):
        x = keras.layers.Conv2D(
            filters, 5, 2, "same", use_bias=plain, kernel_initializer=weights(), name=f"convolution_{number}"
        )(x)
        x = through(x, "leaky_relu", number)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(images, layers.head(x, units, weights, kind), name=name)
