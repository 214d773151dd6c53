"""Noise of a given frequency: what a model's reconstructions of it tell of the images that it expects."""

import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import IDEAL, from_zero, legend, look, panels, required, save
from kerasinterp.evaluation.pixels import l2_error
from kerasinterp.generation import decode, encode
from kerasinterp.generation.checks import check_seed
from kerasinterp.objectives import Objective

_POINTS = 14  # of a curve (ours)


def frequencies_of(image_shape: tuple[int, int, int]) -> list[int]:
    """Frequencies from 1 to the shorter side of images (H, W, C), about fourteen."""
    side = min(image_shape[:2])
    step = max(1, round(side / _POINTS))
    return sorted({1, *range(step, side + 1, step), side})


def noise(frequency: int, image_shape: tuple[int, int, int], count: int, seed: int = 0) -> np.ndarray:
    """Uniform noise on a coarse grid, enlarged to the images' size (bilinear: the paper does not say how).

    Args:
        frequency: cells along the shorter side, from 1 (images of one value) to the side's pixels (every pixel drawn).
        image_shape: (H, W, C).
        count: how many images.
        seed: 0 to 2**32 - 1.

    Returns:
        float32 (count, H, W, C) in [-1, 1].

    Raises:
        InputError: a frequency that such images cannot have, `count` below 1, `seed` out of range.

    Source: AugIntAE A.4.
    """
    height, width, channels = image_shape
    side = min(height, width)
    if not 1 <= frequency <= side:
        raise InputError(f"A frequency is from 1 to the shorter side, {side}, not {frequency}.")
    if count < 1:
        raise InputError(f"count is {count}: ask for at least one image.")
    check_seed(seed)
    cells = (count, *(max(1, round(frequency * one / side)) for one in (height, width)), channels)
    drawn = np.random.default_rng([seed, frequency]).uniform(-1.0, 1.0, cells).astype(np.float32)
    return tf.image.resize(drawn, (height, width)).numpy()


def noise_errors(model: Objective, frequencies: Sequence[int], trials: int = 1000, seed: int = 0) -> list[float]:
    """How far off a model reconstructs noise of each frequency.

    Args:
        model: with `encode`, `decode` and `image_shape`.
        frequencies: as `noise`.
        trials: images of each.
        seed: of the noise; equal for models that are compared.

    Returns:
        For each frequency the root mean squared error of an image's values in [0, 1], the mean over the images.

    Raises:
        InputError: as `noise`, or a model without an encoder.

    Source: AugIntAE A.4, figure 10: "L2 pixel reconstruction error, [0, 1]-scaled", averaged over 1,000 trials.
    """
    drawn = (noise(frequency, model.image_shape, trials, seed) for frequency in frequencies)
    return [l2_error(images, reconstructed_noise(model, images)) / 255.0 for images in drawn]


def reconstructed_noise(model: Objective, images: np.ndarray) -> np.ndarray:
    """What a model makes of noise (N, H, W, C), of which a few images may well lie in [0, 1]."""
    return decode(model, encode(model, images, made=True))


def draw_noise(
    curves: Mapping[str, Mapping[int, float]], domains: Mapping[str, Mapping[str, float]], path: str | os.PathLike
) -> pathlib.Path:
    """Draws error against frequency, a panel a model; dotted, the errors on images of other domains.

    Args:
        curves: by model, the error by frequency (`noise_errors`).
        domains: by model, the error by the name of what is reconstructed, likewise in [0, 1].
        path: a file ending in `.png`.

    Raises:
        InputError: no curves, or another file type.

    Source: AugIntAE figure 10.
    """
    figure, axes = panels(list(required(curves)), columns=3, sharey=True)
    for axis, (name, curve) in zip(axes, curves.items(), strict=True):
        axis.plot(*zip(*sorted(curve.items()), strict=True), **look(0), markersize=4, label="noise")
        for index, (domain, error) in enumerate(domains.get(name, {}).items(), 1):
            axis.axhline(error, **IDEAL | {"color": look(index)["color"]}, label=domain)
        axis.set_xlabel("frequency (cells a side)")
    from_zero(*axes)
    axes[0].set_ylabel("error of values in [0, 1]")
    legend(figure, axes[0])
    return save(figure, path)
