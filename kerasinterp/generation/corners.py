"""Bilinear grids between four images, a block a model."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images
from kerasinterp.generation.grid import _Sheet, _write_png
from kerasinterp.generation.interpolate import encode, mix, pictures
from kerasinterp.objectives import Objective


def bilinear(model: Objective, corners: object, steps: int) -> np.ndarray:
    """Decodes a square of codes between those of four images: first mixed downwards, then across.

    Args:
        model: as `interpolate`.
        corners: (4, H, W, C), float in [-1, 1] or uint8: upper left, upper right, lower left, lower right.
        steps: images a side, the corners' reconstructions among them; at least 2.

    Returns:
        float32 (steps, steps, H, W, C), row by row.

    Raises:
        InputError: other than four images, of another shape or range than the model's, or fewer than two steps.

    Source: AEAI appendix A.
    """
    corners = as_images(corners, model.image_shape, "corners")
    if len(corners) != 4 or steps < 2:
        raise InputError(f"there are {len(corners)} corners and {steps} steps: give four images and at least 2 steps.")
    weights = np.linspace(0, 1, steps, dtype=np.float32)
    upper_left, upper_right, lower_left, lower_right = np.repeat(encode(model, corners)[:, np.newaxis], steps, axis=1)
    left, right = mix(model, upper_left, lower_left, weights), mix(model, upper_right, lower_right, weights)
    codes = mix(model, np.repeat(left, steps, axis=0), np.repeat(right, steps, axis=0), np.tile(weights, steps))
    return pictures(model, codes).reshape(steps, steps, *corners.shape[1:])


def save_corners(
    path: str | os.PathLike,
    corners: object,
    models: Mapping[str, Objective],
    steps: int = 6,
    *,
    columns: int = 3,
    scale: int | None = None,
) -> Path:
    """Draws the bilinear grids of models side by side, with the four given images, framed, in the corners.

    Args:
        path: a file ending in `.png`; its directory is made.
        corners: as `bilinear`.
        models: by heading, in the order of the blocks.
        steps: images a side.
        columns: blocks side by side, at most.
        scale: as in `save_grid`.

    Returns:
        The path.

    Raises:
        InputError: as `bilinear`; no models; `columns` below 1; another file type.
        OSError: as `save_grid`.

    Source: AEAI appendix A, figures 9 to 13.
    """
    if not models or columns < 1:
        raise InputError(f"there are {len(models)} models and {columns} columns: give at least one of each.")
    blocks = {heading: bilinear(model, corners, steps) for heading, model in models.items()}
    corners = as_images(corners, name="corners")
    sheet = _Sheet(corners.shape[1:], scale)
    columns, between = min(columns, len(blocks)), 5 * sheet.gap
    width = max(steps * sheet.step_x - sheet.gap, sheet.text_width(blocks, margin=0))
    height = sheet.line_height + steps * sheet.step_y - sheet.gap
    lines = -(-len(blocks) // columns)
    canvas = sheet.canvas(columns * (width + between) - between, lines * (height + between) - between)
    for number, (heading, images) in enumerate(blocks.items()):
        x, y = number % columns * (width + between), number // columns * (height + between)
        canvas.heading(heading, x, width, y)
        for r, row in enumerate(images):
            canvas.row(row, x, y + sheet.line_height + r * sheet.step_y)
        for corner, image in enumerate(corners):
            right, down = (corner % 2) * (steps - 1) * sheet.step_x, (corner // 2) * (steps - 1) * sheet.step_y
            canvas.image(image, x + right, y + sheet.line_height + down, framed=True)
    return _write_png(path, canvas.picture)
