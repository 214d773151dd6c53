"""InfoGAN's networks for small images (Chen et al., 2016; the backbone of AugIntAE's handwritten characters, A.1).

Any height and width divisible by 4, for the classifier any at all; `width` is the first convolution's number of maps
(64 in the paper).
"""

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.convolution import Conv2D, Conv2DTranspose
from kerasinterp.nn.dense import Dense
from kerasinterp.nn.layers import Weights


def encoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 32,
    width: int = 64,
    seed: int = 0,
    name: str = "encoder",
    normalised: bool = True,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> latents (B, latent_size), L2-normalised unless `normalised` is false."""
    return _downward(image_shape, latent_size, width, seed, name, kind="latent" if normalised else "code")


def discriminator(
    image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 64, seed: int = 0, name: str = "discriminator"
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> an unbounded score (B, 1), large for real images; the encoder's architecture (A.1)."""
    return _downward(image_shape, 1, width, seed, name, kind="score")


def critic(
    image_shape: tuple[int, int, int] = (28, 28, 1),
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
    """(B, H, W, C) in [-1, 1] -> class probabilities (B, num_classes); the encoder's architecture (A.1).

    Images of other sizes than the encoder takes are first framed, up to the next one.
    """
    return _downward(image_shape, num_classes, width, seed, name, kind="probability")


def decoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 32,
    width: int = 64,
    seed: int = 0,
    name: str = "decoder",
    batch_normalised: bool = True,
) -> keras.Model:
    """Latents (B, latent_size) -> images (B, H, W, C) in [-1, 1].

    Without batch normalisation it has leaky rectifiers (GLO's generator of natural images in yedidh/glann).
    """
    height, columns, channels = layers.check_image_shape(image_shape, 4, "InfoGAN")
    plain = not batch_normalised
    weights = Weights(seed, 2.0 if plain else None)  # without normalisation small weights would let nothing through

    def through(x, number: int):
        return layers.activated(x, "leaky_relu", number) if plain else layers.normalised(x, "relu", number)

    x = latent = keras.Input((latent_size,), name="latent")
    x = through(Dense(16 * width, use_bias=plain, kernel_initializer=weights(), name="dense_1")(x), 1)
    units = height * columns // 16 * 2 * width
    x = through(Dense(units, use_bias=plain, kernel_initializer=weights(), name="dense_2")(x), 2)
    x = keras.layers.Reshape((height // 4, columns // 4, 2 * width), name="reshape")(x)
    x = Conv2DTranspose(width, 4, 2, "same", use_bias=plain, kernel_initializer=weights(), name="deconvolution_3")(x)
    x = through(x, 3)
    x = Conv2DTranspose(channels, 4, 2, "same", kernel_initializer=weights(), name="deconvolution_4")(x)
    return keras.Model(latent, layers.image(x), name=name)


def _downward(
    image_shape, units: int, width: int, seed: int, name: str, kind: str, batch_normalised: bool = True
) -> keras.Model:
    judges = kind == "probability"
    height, columns, _ = layers.check_image_shape(image_shape, 1 if judges else 4, "InfoGAN")
    weights, plain = Weights(seed), not batch_normalised
    through = layers.activated if plain else layers.normalised
    x = images = keras.Input(tuple(image_shape), name="images")
    if height % 4 or columns % 4:
        x = keras.layers.ZeroPadding2D(((0, -height % 4), (0, -columns % 4)), name="frame")(x)
    x = Conv2D(width, 4, 2, "same", kernel_initializer=weights(), name="convolution_1")(x)
    x = layers.activated(x, "leaky_relu", 1)
    x = Conv2D(2 * width, 4, 2, "same", use_bias=plain, kernel_initializer=weights(), name="convolution_2")(x)
    x = through(x, "leaky_relu", 2)
    x = keras.layers.Flatten(name="flatten")(x)
    x = Dense(16 * width, use_bias=plain, kernel_initializer=weights(), name="dense_3")(x)
    x = through(x, "leaky_relu", 3)
    return keras.Model(images, layers.head(x, units, weights, kind), name=name)
