"""AEAI's four conditions of an admissible interpolation, as numbers."""

import os
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.paths import Interpolate, along, as_float, nearest
from kerasinterp.generation.checks import as_images, as_pairs

_ROUNDING = 1e-6  # a step back shorter than this is none
_NEIGHBOURS = 1000  # real images whose neighbours are looked for, at most


def pixel_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Root mean squared difference of images (N, H, W, C) in [-1, 1] on the scale [0, 1], float64 (N,)."""
    return np.sqrt(np.square((a - b) / 2).mean(axis=tuple(range(1, a.ndim)), dtype=np.float64))


def near(images: np.ndarray, tolerance: float = 1.0) -> Callable[[np.ndarray], np.ndarray]:
    """A judge of realness: is an image as near to some real image as real neighbours are to each other?

    Args:
        images: real ones (N, H, W, C), float in [-1, 1] or uint8; at least two that differ.
        tolerance: accepts distances up to so many times the median distance of a real image from its nearest other.

    Returns:
        A function of images float32 (M, H, W, C): bool (M,).

    Raises:
        InputError: fewer than two images, most of them copies of others, or a tolerance that is not positive.
    """
    images = as_images(images)
    if len(images) < 2 or tolerance <= 0:
        raise InputError(f"{len(images)} images and tolerance {tolerance}: give two or more images and above 0.")
    some = np.unique(np.linspace(0, len(images) - 1, _NEIGHBOURS, dtype=int))
    limit = tolerance**2 * np.median(nearest(images[some], images, leave_out=some)[1])
    if not limit:
        raise InputError("most images have an equal one, so neighbours have no distance: remove the copies.")
    return lambda made: nearest(made, images)[1] <= limit


def admissibility(
    interpolate: Interpolate,
    a: np.ndarray,
    b: np.ndarray,
    credible: Callable[[np.ndarray], np.ndarray] | np.ndarray,
    *,
    points: int = 17,
    distance: Callable[[np.ndarray, np.ndarray], np.ndarray] = pixel_distance,
) -> dict:
    """Measures the paths from images `a` to images `b` at evenly spaced alphas, the ends among them.

    Args:
        interpolate: (a, b, alphas) -> (N, K, H, W, C).
        a, b: (N, H, W, C), float in [-1, 1] or uint8; the two images of a pair differ.
        credible: accepts an image as real, (M, H, W, C) -> bool (M,); or the dataset's images, for `near` of them.
        points: images on each path.
        distance: the manifold's, of images (M, H, W, C) from images (M, H, W, C) -> (M,). Distances of pixels level
            off once what moves no longer overlaps, so where it is known give one that does not.

    Returns:
        - "boundary": the mean `pixel_distance` of a path's ends from `a` and `b`, 0 if they are met;
        - "monotonicity": the share of steps, in 0..1, that neither approach `a` nor depart from `b`;
        - "lipschitz", "lipschitz_max": the largest |x(alpha + t) - x(alpha)| / t of a path relative to |b - a|, the
          median and the largest over paths; 1 is the least that a path which meets its ends can have;
        - "credibility": the share of images, in 0..1, that `credible` accepts.

    Raises:
        InputError: fewer than two points, pairs that do not fit or are equal, or as `near` and `along`.

    Source: AEAI section 2, conditions 1 to 4.
    """
    if points < 2:
        raise InputError(f"points is {points}: ask for at least 2, the ends of the path.")
    a, b = as_pairs(a, b)
    span = pixel_distance(a, b)
    if not span.all():
        raise InputError("some pairs are of two equal images: there is no path between them, leave them out.")
    accepts = credible if callable(credible) else near(credible)
    ends, count = np.concatenate([a, b]), len(a)
    boundary, forward, speed, accepted = [], [], [], []
    for part, path in along(
        interpolate, ends, np.arange(count), np.arange(count, 2 * count), np.linspace(0, 1, points)
    ):
        here_a, here_b = as_float(a[part]), as_float(b[part])
        boundary.append((pixel_distance(path[:, 0], here_a) + pixel_distance(path[:, -1], here_b)) / 2)
        departs = np.diff(_apart(distance, path, here_a[:, np.newaxis])) >= -_ROUNDING
        approaches = np.diff(_apart(distance, path, here_b[:, np.newaxis])) <= _ROUNDING
        forward.append(departs & approaches)
        # Longer steps need no look: their speed is a mean of the short ones' at most.
        steps = _apart(pixel_distance, path[:, 1:], path[:, :-1])
        speed.append(steps.max(axis=1) * (points - 1) / span[part])
        accepted.append(np.asarray(accepts(path.reshape(-1, *path.shape[2:])), bool))
    boundary, forward, speed, accepted = map(np.concatenate, (boundary, forward, speed, accepted))
    return {
        "boundary": float(boundary.mean()),
        "monotonicity": float(forward.mean()),
        "lipschitz": float(np.median(speed)),
        "lipschitz_max": float(speed.max()),
        "credibility": float(accepted.mean()),
    }


def draw_admissibility(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws what `admissibility` returned as bars, into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    titles = {
        "boundary": "boundary: distance of the ends",
        "monotonicity": "monotonicity: steps forward",
        "lipschitz": "smoothness: Lipschitz (median)",
        "credibility": "credibility: accepted images",
    }
    return draw_bars(results_by_system, path, titles)


def _apart(distance: Callable, path: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distances (N, K) of the images of paths (N, K, H, W, C) from others, one an image or one a path."""
    flat = np.broadcast_to(others, path.shape).reshape(-1, *path.shape[2:])
    return np.asarray(distance(path.reshape(flat.shape), flat)).reshape(path.shape[:2])
