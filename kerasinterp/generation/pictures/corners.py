"""Bilinear grids between four images, a block a model."""

import os
from collections.abc import Mapping
from pathlib import Path

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images
from kerasinterp.generation.paths import bilinear
from kerasinterp.generation.pictures.sheet import Sheet, write_picture
from kerasinterp.objectives import Objective


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
    corners = as_images(corners, name="corners")
    sheet = Sheet(corners.shape[1:], scale)
    columns, between = min(columns, len(models)), 5 * sheet.gap
    width = max(steps * sheet.step_x - sheet.gap, sheet.text_width(models, margin=0))
    height = sheet.line_height + steps * sheet.step_y - sheet.gap
    lines = -(-len(models) // columns)
    canvas = sheet.canvas(columns * (width + between) - between, lines * (height + between) - between)
    for number, (heading, model) in enumerate(models.items()):
        x, y = number % columns * (width + between), number // columns * (height + between)
        canvas.heading(heading, x, width, y)
        for r, row in enumerate(bilinear(model, corners, steps)):
            canvas.row(row, x, y + sheet.line_height + r * sheet.step_y)
        for corner, image in enumerate(corners):
            right, down = (corner % 2) * (steps - 1) * sheet.step_x, (corner // 2) * (steps - 1) * sheet.step_y
            canvas.image(image, x + right, y + sheet.line_height + down, framed=True)
    return write_picture(path, canvas.picture)
