"""ACAI's two measures of interpolated lines: do they look like lines, and do they turn evenly?"""

import os
import pathlib
from collections.abc import Mapping

import numpy as np

from kerasinterp.data.generated.lines import render
from kerasinterp.errors import InputError
from kerasinterp.evaluation.figures import draw_bars
from kerasinterp.evaluation.paths import Interpolate, along, nearest

_LEAST_TURN = 1e-4  # radians between a path's ends; the official script's


def lines(
    interpolate: Interpolate,
    size: int = 32,
    width: float = 2.0,
    paths: int = 256,
    points: int = 16,
    references: int = 10_000,
    seed: int = 0,
) -> dict:
    """Compares interpolations between random lines with rendered lines.

    Each image gets the angle of the rendered line at the smallest cosine distance (pixels in [-1, 1]).

    Args:
        interpolate: (a, b, alphas) -> (N, K, size, size, 1).
        size, width: of the lines, in pixels.
        paths: interpolations, between lines at angles drawn from `seed`.
        points: images on each, the ends' reconstructions among them.
        references: rendered lines, at evenly spaced angles of the whole turn.

    Returns:
        - "mean_distance": those cosine distances' mean, 0 for perfect lines;
        - "smoothness": a path's largest turn from image to image as a share of its whole turn, less 1 / (points - 1);
          0 for an even turn, and the mean over paths. Paths of no turn are left out; None if all are;
        - "smoothness_official": the same sum divided by the number of all paths, so that a model that turns nothing
          looks smooth;
        - "paths_left_out": how many turn by less than 1e-4 radians.

    Raises:
        InputError: a number below its least (paths 1, points 2, references 2), or as `along`.

    Source: ACAI (Berthelot et al., 2019), section 4.1; its official script.
    """
    if paths < 1 or points < 2 or references < 2:
        raise InputError(
            f"paths ({paths}) must be 1 or more, points ({points}) and references ({references}) 2 or more."
        )
    ends = render(np.random.default_rng(seed).uniform(0, 2 * np.pi, 2 * paths), size, width)
    known = _unit(render(np.linspace(0, 2 * np.pi, references, endpoint=False), size, width) / 127.5 - 1.0)
    first, second = np.arange(2 * paths).reshape(2, paths)
    found = []
    for _, images in along(interpolate, ends, first, second, np.linspace(0, 1, points)):
        found.append(nearest(_unit(images.reshape(-1, *images.shape[2:])), known))
    index, squared = (np.concatenate(values) for values in zip(*found, strict=True))

    angles = np.unwrap(2 * np.pi / references * index.reshape(paths, points))
    turn = np.abs(angles[:, -1] - angles[:, 0])
    turns = turn > _LEAST_TURN
    uneven = np.abs(np.diff(angles[turns])).max(axis=1) / turn[turns] - 1 / (points - 1)
    return {
        "mean_distance": float(squared.mean() / 2),  # of unit vectors, 1 - cos = |u - v|^2 / 2
        "smoothness": float(uneven.mean()) if turns.any() else None,
        "smoothness_official": float(uneven.sum() / paths),
        "paths_left_out": int(paths - turns.sum()),
    }


def draw_lines(results_by_system: Mapping[str, Mapping], path: str | os.PathLike) -> pathlib.Path:
    """Draws what `lines` returned as bars, into a PNG.

    Raises:
        InputError: nothing to draw, or another file type.
    """
    titles = {
        "mean_distance": "mean distance",
        "smoothness": "smoothness (corrected)",
        "smoothness_official": "smoothness (official)",
        "paths_left_out": "paths that do not turn",
    }
    return draw_bars(results_by_system, path, titles)


def _unit(images: np.ndarray) -> np.ndarray:
    """Flat vectors of length 1, float64; zero stays zero."""
    flat = images.reshape(len(images), -1).astype(np.float64)
    return flat / np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
