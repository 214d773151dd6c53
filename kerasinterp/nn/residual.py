"""Residual blocks: He et al.'s (2016), and the pre-activation block and head of AMR's and SNGAN's networks."""

from collections.abc import Callable

import keras

from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights


def block(
    x: keras.KerasTensor,
    filters: int,
    name: str,
    convolve: Callable,
    activate: Callable,
    resize: str = "",
    of_images: bool = False,
    learned_shortcut: bool = False,
    interpolation: str = "nearest",
) -> keras.KerasTensor:
    """Two 3 x 3 convolutions, each after its activation (the first not, if it is `of_images`), beside a shortcut.

    A 1 x 1 convolution commutes with every way to resize, so the shortcut's stands where there are fewer positions.

    Args:
        convolve: as of `convolutions`.
        activate: (x, name) -> x.
        resize: `up`, `down`, or not at all.
        learned_shortcut: it has a convolution even where the maps are as many after the block as before.
        interpolation: of `up`.
    """
    main = x if of_images else activate(x, f"{name}_first")
    if resize == "up":
        main = keras.layers.UpSampling2D(2, interpolation=interpolation, name=f"{name}_upsampling")(main)
    main = convolve(main, filters, 3, f"{name}_convolution_1")
    main = convolve(activate(main, f"{name}_second"), filters, 3, f"{name}_convolution_2")
    if resize == "down":
        main = keras.layers.AveragePooling2D(2, name=f"{name}_pooling")(main)
        x = keras.layers.AveragePooling2D(2, name=f"{name}_shortcut_pooling")(x)
    if learned_shortcut or x.shape[-1] != filters:
        x = convolve(x, filters, 1, f"{name}_shortcut")
    if resize == "up":
        x = keras.layers.UpSampling2D(2, interpolation=interpolation, name=f"{name}_shortcut_upsampling")(x)
    return keras.layers.Add(name=name)([main, x])


def convolutions(draw: Callable, layer: type = keras.layers.Conv2D, **defaults: bool) -> Callable:
    """Makes one network's convolutions: (x, filters, size, name, **options) -> x.

    Args:
        draw: the side of a kernel -> its initialiser.
    """

    def convolve(x: keras.KerasTensor, filters: int, size: int, name: str, **options: bool) -> keras.KerasTensor:
        options = {"kernel_initializer": draw(size), **defaults, **options}
        return layer(filters, size, padding="same", name=name, **options)(x)

    return convolve


def relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def head(convolve: Callable, x: keras.KerasTensor, units: int, name: str, **options: bool) -> keras.KerasTensor:
    """A dense layer, as a convolution of the one position (B, 1, 1, maps); its result is float32."""
    x = convolve(x, units, 1, f"{name}_output", **options)
    return keras.layers.Reshape((units,), dtype="float32", name=name)(x)


def plain_block(x: keras.KerasTensor, filters: int, stride: int, weights: Weights, name: str) -> keras.KerasTensor:
    """Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where the shape changes (option B)."""
    y = layers.normalised(convolution(x, filters, 3, stride, weights, f"{name}_first"), "relu", f"{name}_first")
    y = layers.batch_normalised(convolution(y, filters, 3, 1, weights, f"{name}_second"), f"{name}_second")
    if stride > 1 or x.shape[-1] != filters:
        x = layers.batch_normalised(convolution(x, filters, 1, stride, weights, f"{name}_short"), f"{name}_short")
    return layers.activated(keras.layers.Add(name=name)([x, y]), "relu", name)


def convolution(
    x: keras.KerasTensor, filters: int, size: int, stride: int, weights: Weights, name: str
) -> keras.KerasTensor:
    """Without a bias, as batch normalisation follows or goes before it."""
    layer = keras.layers.Conv2D(
        filters, size, stride, "same", use_bias=False, kernel_initializer=weights(), name=f"{name}_convolution"
    )
    return layer(x)
