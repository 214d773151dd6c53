"""The neural statistician's networks (Edwards and Storkey, 2017), as conormdurkan/neural-statistician has them.

An image encoder shared by the statistic and the inference network; `width`, 2 and 4 times `width` maps, 64, 128 and 256
there, and dense layers of 4 * `width` units. Batch normalisation and ELU after each learned layer but where an image's
features and a set's context meet, and but the last ones, whose outputs are normalised all together, as one feature.
Image sides are divisible by 4.
"""

import math

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.batch_normalization import BatchNormalization
from kerasinterp.nn.layers import Weights

_GAIN = 2.0  # Xavier-normal of gain sqrt 2: a variance of 2 over the mean of fan_in and fan_out (official code)
_BLOCK = 3  # layers of a residual block (official code)


def image_encoder(
    image_shape: tuple[int, int, int] = (28, 28, 1), width: int = 64, seed: int = 0, name: str = "image_encoder"
) -> keras.Model:
    """Images (B, H, W, C) in [-1, 1] -> their embeddings h (B, H / 8 * W / 8 * 4 `width`), sides rounded up."""
    _top(image_shape, width)
    weights = _weights(seed)
    x = images = keras.Input(tuple(image_shape), name="images")
    for level in range(3):
        for number, stride in enumerate((1, 1, 2), 3 * level + 1):
            x = _convolution(x, width << level, weights, number, stride)
    return keras.Model(images, keras.layers.Flatten(dtype="float32", name="embeddings")(x), name=name)


def statistic_network(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    width: int = 64,
    seed: int = 0,
    name: str = "statistic_network",
    outputs: int = 2,
    context_size: int = 512,
) -> keras.Model:
    """q(c|D): the embeddings of sets of any size (B, S, F) -> the statistics of c (B, `outputs` * `context_size`)."""
    weights = _weights(seed)
    x = embeddings = keras.Input((None, _features(image_shape, width)), name="embeddings")
    x = _dense(x, 4 * width, weights, "each")
    x = keras.layers.GlobalAveragePooling1D(name="mean")(x)
    for number in (1, 2):
        x = _dense(x, 4 * width, weights, number)
    return keras.Model(embeddings, _statistics(x, outputs * context_size, weights), name=name)


def inference_network(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 32,
    width: int = 64,
    seed: int = 0,
    name: str = "inference_network",
    context_size: int = 512,
) -> keras.Model:
    """q(z|h, c): embeddings (B, F) and contexts (B, `context_size`) -> `latent_size` statistics of z."""
    weights = _weights(seed)
    inputs = [keras.Input((_features(image_shape, width),), name="embeddings"), _contexts(context_size)]
    x = _block(_met(inputs, 4 * width, weights), weights)
    return keras.Model(inputs, _statistics(x, latent_size, weights), name=name)


def latent_decoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 32,
    width: int = 64,
    seed: int = 0,
    name: str = "latent_decoder",
    context_size: int = 512,
) -> keras.Model:
    """p(z|c): contexts (B, `context_size`) -> `latent_size` statistics of z."""
    weights = _weights(seed)
    contexts = _contexts(context_size)
    x = _block(_met([contexts], 4 * width, weights), weights)
    return keras.Model(contexts, _statistics(x, latent_size, weights), name=name)


def observation_decoder(
    image_shape: tuple[int, int, int] = (28, 28, 1),
    latent_size: int = 16,
    width: int = 64,
    seed: int = 0,
    name: str = "observation_decoder",
    context_size: int = 512,
) -> keras.Model:
    """p(x|z, c): latents and contexts -> the logits of images' pixels (B, H, W, C), in [0, 1]."""
    top, channels = _top(image_shape, width), image_shape[-1]
    weights = _weights(seed)
    inputs = [keras.Input((latent_size,), name="latents"), _contexts(context_size)]
    x = _met(inputs, 4 * width, weights)
    x = keras.layers.Dense(top[0] * top[1] * top[2], kernel_initializer=weights(), name="maps")(x)
    x = keras.layers.Reshape(top, name="reshape")(x)
    for level, filters in enumerate((4 * width, 2 * width, width)):
        x = _convolution(x, filters, weights, 2 * level + 1)
        if level == 2:  # a convolution without padding takes 2 away, where rounding the sides up has added as many
            over = [4 * have - side // 2 for have, side in zip(top[:2], image_shape[:2], strict=True)]
            x = keras.layers.ZeroPadding2D([1 - one // 2 for one in over], name="padding")(x)
        x = _convolution(x, filters, weights, 2 * level + 2, padding="valid" if level == 2 else "same")
        x = keras.layers.Conv2DTranspose(
            filters, 2, 2, "same", use_bias=False, kernel_initializer=weights(), name=f"doubling_{level + 1}"
        )(x)
        x = _activated(layers.batch_normalised(x, f"doubling_{level + 1}"), f"doubling_{level + 1}")
    x = keras.layers.Conv2D(channels, 1, kernel_initializer=weights(), name="output")(x)
    return keras.Model(inputs, keras.layers.Activation("linear", dtype="float32", name="logits")(x), name=name)


def _weights(seed: int) -> Weights:
    return Weights(seed, _GAIN, "fan_avg")


def _top(image_shape: tuple[int, int, int], width: int) -> tuple[int, int, int]:
    """The shape of the maps that images are encoded to and decoded from."""
    height, columns, _ = layers.check_image_shape(image_shape, 4, "The neural statistician")
    return -(-height // 8), -(-columns // 8), 4 * width


def _features(image_shape: tuple[int, int, int], width: int) -> int:
    return math.prod(_top(image_shape, width))


def _contexts(size: int) -> keras.KerasTensor:
    return keras.Input((size,), name="contexts")


def _convolution(
    x: keras.KerasTensor, filters: int, weights: Weights, number: int, stride: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    layer = keras.layers.Conv2D(
        filters,
        3,
        stride,
        padding,
        use_bias=False,
        kernel_initializer=weights(),
        name=f"convolution_{number}",
    )
    return _activated(layers.batch_normalised(layer(x), number), number)


def _dense(x: keras.KerasTensor, units: int, weights: Weights, number: int | str) -> keras.KerasTensor:
    x = keras.layers.Dense(units, use_bias=False, kernel_initializer=weights(), name=f"dense_{number}")(x)
    return _activated(layers.batch_normalised(x, number), number)


def _met(inputs: list[keras.KerasTensor], units: int, weights: Weights) -> keras.KerasTensor:
    """The sum of what a dense layer makes of each."""
    parts = [
        keras.layers.Dense(units, kernel_initializer=weights(), name=f"{end.name}_{units}_units")(end) for end in inputs
    ]
    return _activated(keras.layers.Add(name="met")(parts) if len(parts) > 1 else parts[0], "met")


def _block(x: keras.KerasTensor, weights: Weights) -> keras.KerasTensor:
    """A residual block, whose last ELU follows the sum."""
    y = x
    for number in range(1, _BLOCK):
        y = _dense(y, x.shape[-1], weights, number)
    y = keras.layers.Dense(x.shape[-1], use_bias=False, kernel_initializer=weights(), name=f"dense_{_BLOCK}")(y)
    y = layers.batch_normalised(y, _BLOCK)
    return _activated(keras.layers.Add(name="block")([x, y]), "block")


def _statistics(x: keras.KerasTensor, units: int, weights: Weights) -> keras.KerasTensor:
    """Means and log variances, float32, all normalised as one feature; momentum and epsilon are the official code's."""
    x = keras.layers.Dense(units, kernel_initializer=weights(), name="output")(x)
    x = keras.layers.Reshape((units, 1), name="as_one")(x)
    x = BatchNormalization(momentum=0.99, epsilon=1e-3, name="normalisation")(x)
    return keras.layers.Reshape((units,), dtype="float32", name="statistics")(x)


def _activated(x: keras.KerasTensor, number: int | str) -> keras.KerasTensor:
    return keras.layers.ELU(name=f"elu_{number}")(x)
