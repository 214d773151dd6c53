"""The picture of several systems' paths between the same pairs."""

import functools
import pathlib
from collections.abc import Callable, Mapping

import numpy as np

from kerasinterp import generation
from kerasinterp.evaluation.figures import readable
from kerasinterp.objectives import Objective


def interpolation(model: Objective | None) -> Callable:
    """(a, b, alphas) -> images (N, K, H, W, C), by the model or, without one, by blending pixels.

    What a linear decoder gives beyond the range counts, as in ACAI's own measures.
    """
    return generation.pixel_fade if model is None else functools.partial(generation.interpolate, model, clip=False)


def fade(measure: Callable) -> Callable[[], dict[str, dict]]:
    """The row of blended pixels, by a measure that takes no model for it."""
    return lambda: {"pixel_fade": measure(None, None)}


def draw(
    first: np.ndarray,
    second: np.ndarray,
    known: Mapping[str, np.ndarray],
    points: int,
    models: Mapping[str, Objective],
    path: pathlib.Path,
) -> None:
    """A row a system: the paths from images `first` to `second` (N, H, W, C), one behind the other.

    Args:
        known: rows to stand above, (N, points, H, W, C).
    """
    alphas = np.linspace(0.0, 1.0, points)
    rows = dict(known) | {"pixel fade": generation.pixel_fade(first, second, alphas)}
    rows |= {name: generation.interpolate(model, first, second, alphas) for name, model in models.items()}
    flat = [made.reshape(-1, *made.shape[2:]) for made in rows.values()]
    generation.save_grid(path, flat, list(map(readable, rows)))
