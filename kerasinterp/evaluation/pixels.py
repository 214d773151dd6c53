"""Reconstruction errors of pixels, in grey levels of 0 to 255."""

import numpy as np

from kerasinterp.generation.checks import as_pairs


def l2_error(images: np.ndarray, reconstructions: np.ndarray) -> float:
    """Root mean squared error of each image's values, in [0, 255], averaged over the images.

    Args:
        images, reconstructions: (N, H, W, C), float in [-1, 1] or uint8.

    Raises:
        InputError: other shapes, ranges or types.

    Source: AugIntAE table 1, "per-pixel L2 reconstruction error (normalized to [0, 255])". The paper gives no formula;
    see `squared_error_255`, whose values are nearer to the table's.
    """
    return float(np.mean(255.0 * np.sqrt(_squared_errors(images, reconstructions))))


def squared_error_255(images: np.ndarray, reconstructions: np.ndarray) -> float:
    """Mean squared error of values in [0, 1], times 255: the other reading of table 1.

    Args, errors and source: as `l2_error`.
    """
    return float(np.mean(255.0 * _squared_errors(images, reconstructions)))


def _squared_errors(images: np.ndarray, reconstructions: np.ndarray) -> np.ndarray:
    """Mean squared error of each image on the scale [0, 1], float64 (N,)."""
    images, reconstructions = as_pairs(images, reconstructions, name="images")
    difference = (images - reconstructions).reshape(len(images), -1) / 2.0
    return np.mean(np.square(difference), axis=1, dtype=np.float64)
