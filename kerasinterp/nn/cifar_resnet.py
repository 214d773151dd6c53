"""Residual networks for small images: ResNet-20 and -32 (He et al., 2016, section 4.2) and wide ones (Zagoruyko, 2016).

A stem of `width` maps and three stages, of which the second and third halve the image and double the maps. Images of
any size, 28 pixels and more say.
"""

import keras

from kerasinterp.errors import InputError
from kerasinterp.nn import layers
from kerasinterp.nn.layers import Weights
from kerasinterp.nn.residual import convolution, plain_block

_HE = 2.0  # He et al. (2015): the scale of the initial variance before a ReLU
_STAGES = 3


def classifier(
    image_shape: tuple[int, int, int],
    num_classes: int,
    width: int = 16,
    seed: int = 0,
    name: str = "classifier",
    depth: int = 20,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> class probabilities (B, num_classes).

    ResNet-20 and -32 by `depth` (6 n + 2). Where a stage begins the shortcut is a 1 x 1 convolution (option B).
    """
    images, stages, weights = _plain(image_shape, width, seed, depth)
    return keras.Model(images, _verdict(stages[-1], num_classes, weights), name=name)


def stages(
    image_shape: tuple[int, int, int], width: int = 16, seed: int = 0, name: str = "stages", depth: int = 32
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> the features after the stem and after each stage, a list of four."""
    images, found, _ = _plain(image_shape, width, seed, depth)
    return keras.Model(images, found, name=name)


def wide_classifier(
    image_shape: tuple[int, int, int],
    num_classes: int,
    width: int = 16,
    seed: int = 0,
    name: str = "classifier",
    depth: int = 16,
    widening: int = 8,
) -> keras.Model:
    """(B, H, W, C) in [-1, 1] -> class probabilities (B, num_classes): WRN-`depth`-`widening` (depth 6 n + 4)."""
    blocks = _blocks(depth, 4)
    layers.check_image_shape(image_shape, 1, "WRN")
    weights = Weights(seed, _HE)
    x = images = keras.Input(tuple(image_shape), name="images")
    x = convolution(x, width, 3, 1, weights, "stem")
    for stage in range(_STAGES):
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            x = _wide_block(x, widening * width << stage, stride, weights, f"block_{stage + 1}_{block + 1}")
    return keras.Model(images, _verdict(layers.normalised(x, "relu", "last"), num_classes, weights), name=name)


def _plain(image_shape, width: int, seed: int, depth: int) -> tuple[keras.KerasTensor, list, Weights]:
    blocks = _blocks(depth, 2)
    layers.check_image_shape(image_shape, 1, "ResNet")
    weights = Weights(seed, _HE)
    x = images = keras.Input(tuple(image_shape), name="images")
    found = [layers.normalised(convolution(x, width, 3, 1, weights, "stem"), "relu", "stem")]
    for stage in range(_STAGES):
        x = found[-1]
        for block in range(blocks):
            stride = 2 if stage and not block else 1
            x = plain_block(x, width << stage, stride, weights, f"block_{stage + 1}_{block + 1}")
        found.append(x)
    return images, found, weights


def _blocks(depth: int, beside: int) -> int:
    if depth < 6 + beside or (depth - beside) % 6:
        raise InputError(f"The depth is 6 n + {beside}, {6 * 3 + beside} say, not {depth}.")
    return (depth - beside) // 6


def _wide_block(x: keras.KerasTensor, filters: int, stride: int, weights: Weights, name: str) -> keras.KerasTensor:
    """Two 3 x 3 convolutions, each after its activation, beside a shortcut; a 1 x 1 convolution where maps change."""
    active = layers.normalised(x, "relu", f"{name}_first")
    y = convolution(active, filters, 3, stride, weights, f"{name}_first")
    y = convolution(layers.normalised(y, "relu", f"{name}_second"), filters, 3, 1, weights, f"{name}_second")
    if stride > 1 or x.shape[-1] != filters:
        x = convolution(active, filters, 1, stride, weights, f"{name}_short")
    return keras.layers.Add(name=name)([x, y])


def _verdict(x: keras.KerasTensor, num_classes: int, weights: Weights) -> keras.KerasTensor:
    x = keras.layers.GlobalAveragePooling2D(dtype="float32", name="representations")(x)
    return layers.head(x, num_classes, weights, "probability")
