"""Principal components of images."""

import numpy as np

from kerasinterp.data.convert import to_float
from kerasinterp.data.stored import Stored, blocks

_MOST = 2000  # images that components are found from, spread over all; more tell little, and cost their number squared


def principal_components(images: np.ndarray | Stored, count: int) -> np.ndarray:
    """Each image's places along the `count` directions in which images vary most, float32 (N, count).

    The directions are those of at most 2,000 of the images. Where there are fewer directions than are asked for, the
    rest is 0.

    Args:
        images: uint8 (N, H, W, C), in memory or in a file; or points float32 (N, D).
    """
    some = _flat(images[np.unique(np.linspace(0, len(images) - 1, _MOST).astype(int))])
    mean = some.mean(axis=0)
    some -= mean
    values, vectors = np.linalg.eigh(some @ some.T)  # of images, not of pixels: there may be many more of those
    order = [n for n in np.argsort(-values)[:count] if values[n] > 1e-6 * values.max()]
    directions = some.T @ (vectors[:, order] / np.sqrt(values[order]))
    # A component and its opposite are equally good: the largest weight is made positive.
    directions *= np.sign(np.take_along_axis(directions, np.abs(directions).argmax(axis=0)[np.newaxis], axis=0))
    found = np.concatenate([(_flat(block) - mean) @ directions for block in blocks(images)])
    return np.pad(found, ((0, 0), (0, count - found.shape[1]))).astype(np.float32)


def _flat(images: np.ndarray) -> np.ndarray:
    floats = to_float(images) if images.dtype == np.uint8 else images
    return floats.reshape(len(images), -1).astype(np.float64)
