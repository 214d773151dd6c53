"""Paths and squares between images, the pixel fade to compare them with, and reconstructions."""

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_alphas, as_images, as_pairs, check_memory, needs
from kerasinterp.generation.codes import decode, encode, mix
from kerasinterp.objectives import Objective


def interpolate(model: Objective, a: object, b: object, alphas: object, *, clip: bool = True) -> np.ndarray:
    """Decodes points on the latent paths from images `a` to images `b`; each image is encoded once.

    Args:
        model: an objective with `encode`, `decode`, `mixing` and `image_shape`, such as every autoencoder.
        a, b: (N, H, W, C) or (H, W, C), float in [-1, 1] or uint8.
        alphas: weights of the second image in [0, 1], (K,): 0 decodes the code of `a`, 1 that of `b`.
        clip: cut what an unbounded decoder (ACAI's is linear) gives beyond the range. The measures of paths do not.

    Returns:
        float32 (N, K, H, W, C) in [-1, 1] if clipped.

    Raises:
        InputError: a model without an encoder, images of another shape or range than the model's, unequal sides, alphas
            outside [0, 1], more images than memory holds.

    Source: AugIntAE section 4 and A.1 (SLERP of L2-normalised codes).
    """
    needs(model, "encode")
    a, b = as_pairs(a, b, model.image_shape)
    alphas = as_alphas(alphas)
    check_memory(len(a) * len(alphas), model.image_shape)
    codes = encode(model, np.concatenate([a, b]))
    first, second = (np.repeat(side, len(alphas), axis=0) for side in np.split(codes, 2))
    images = decode(model, mix(model, first, second, np.tile(alphas, len(a))), clip=clip)
    return images.reshape(len(a), len(alphas), *images.shape[1:])


def bilinear(model: Objective, corners: object, steps: int) -> np.ndarray:
    """Decodes a square of codes between those of four images: first mixed downwards, then across.

    Args:
        model: as for `interpolate`.
        corners: (4, H, W, C), float in [-1, 1] or uint8: upper left, upper right, lower left, lower right.
        steps: images a side, the corners' reconstructions among them; at least 2.

    Returns:
        float32 (steps, steps, H, W, C), row by row.

    Raises:
        InputError: other than four images, of another shape or range than the model's, or fewer than two steps.

    Source: AEAI appendix A.
    """
    needs(model, "encode")
    corners = as_images(corners, model.image_shape, "corners")
    if len(corners) != 4 or steps < 2:
        raise InputError(f"there are {len(corners)} corners and {steps} steps: give four images and at least 2 steps.")
    check_memory(steps * steps, model.image_shape)
    weights = np.linspace(0, 1, steps, dtype=np.float32)
    upper_left, upper_right, lower_left, lower_right = np.repeat(encode(model, corners)[:, np.newaxis], steps, axis=1)
    left, right = mix(model, upper_left, lower_left, weights), mix(model, upper_right, lower_right, weights)
    codes = mix(model, np.repeat(left, steps, axis=0), np.repeat(right, steps, axis=0), np.tile(weights, steps))
    return decode(model, codes).reshape(steps, steps, *corners.shape[1:])


def pixel_fade(a: object, b: object, alphas: object) -> np.ndarray:
    """Blends pairs of images pixel by pixel: the model-free row of the paper's figures.

    Args, returns and errors as `interpolate`, without a model.

    Source: AugIntAE A.6, figures 15 to 22.
    """
    a, b = as_pairs(a, b)
    weight = as_alphas(alphas).reshape(1, -1, 1, 1, 1)
    return (1.0 - weight) * a[:, np.newaxis] + weight * b[:, np.newaxis]


def reconstruct(model: Objective, images: object) -> np.ndarray:
    """Encodes and decodes images, (N, H, W, C) or (H, W, C), to float32 (N, H, W, C) in [-1, 1].

    Raises:
        InputError: a model without an encoder, images of another shape or range than the model's.
    """
    return decode(model, encode(model, images))
