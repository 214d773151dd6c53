"""What the measures of interpolation share: generated paths, block by block, and the nearest of many images."""

from collections.abc import Callable, Iterator

import numpy as np

from kerasinterp.data.convert import to_float
from kerasinterp.errors import InputError

# (a, b, alphas) -> images (N, K, H, W, C) at the weights `alphas` (K,) of b; a, b float32 (N, H, W, C) in [-1, 1].
Interpolate = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

_VALUES = 2**24  # generated at once: 64 MB
_ROWS = 512  # compared at once


def along(
    interpolate: Interpolate, images: np.ndarray, first: np.ndarray, second: np.ndarray, alphas: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yields blocks of the paths from `images[first]` to `images[second]`: which paths, and their images.

    Args:
        interpolate: the model; it may leave [-1, 1].
        images: (M, H, W, C), float32 in [-1, 1] or uint8.
        first, second: integers (N,).
        alphas: (K,) in [0, 1].

    Raises:
        InputError: the model gives images of another shape, or values that are not finite.
    """
    alphas = np.asarray(alphas, np.float32)
    block = max(1, _VALUES // (len(alphas) * images[0].size))
    for start in range(0, len(first), block):
        part = slice(start, start + block)
        a, b = as_float(images[first[part]]), as_float(images[second[part]])
        made = np.asarray(interpolate(a, b, alphas), np.float32)
        expected = (len(a), len(alphas), *a.shape[1:])
        if made.shape != expected:
            raise InputError(f"interpolate gave shape {made.shape}: it must give (paths, alphas, H, W, C), {expected}.")
        yield part, finite(made, "interpolated images")


def as_float(images: np.ndarray) -> np.ndarray:
    """float32; uint8 is scaled to [-1, 1], other values are kept."""
    images = np.asarray(images)
    return to_float(images) if images.dtype == np.uint8 else images.astype(np.float32, copy=False)


def finite(values: np.ndarray, name: str) -> np.ndarray:
    """`values` themselves, if all of them are finite.

    Raises:
        InputError: some are not.
    """
    if not np.isfinite(values).all():
        raise InputError(f"{name} hold values that are not finite: the model's training diverged, train it anew.")
    return values


def nearest(images: np.ndarray, pool: np.ndarray, leave_out: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of `pool` by Euclidean distance: its index (N,), and the squared distance, float64 (N,).

    Args:
        images, pool: (N, ...) and (M, ...), floating.
        leave_out: integers (N,), for each image the index of one of `pool` that is not looked at: itself, say.
    """
    images, pool = images.reshape(len(images), -1), pool.reshape(len(pool), -1)
    # |x - y|^2 = |x|^2 - 2 (x y - |y|^2 / 2). What all of the pool share (a background) is taken off first: else it
    # fills float32's digits.
    centre = pool.mean(axis=0)
    others = (pool - centre).astype(np.float32)
    half = np.square(others).sum(axis=1) / 2
    found = np.empty(len(images), np.int64)
    for start in range(0, len(images), _ROWS):
        rows = slice(start, start + _ROWS)
        closeness = (images[rows] - centre).astype(np.float32) @ others.T - half
        if leave_out is not None:
            closeness[np.arange(len(closeness)), leave_out[rows]] = -np.inf
        found[rows] = closeness.argmax(axis=1)
    rest = images - pool[found]
    return found, np.einsum("nd,nd->n", rest, rest, dtype=np.float64)
