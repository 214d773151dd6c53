"""Grids in the paper's layout."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images, as_pairs
from kerasinterp.generation.paths import interpolate, pixel_fade
from kerasinterp.generation.pictures.sheet import Sheet, write_picture
from kerasinterp.objectives import Objective


def save_grid(
    path: str | os.PathLike,
    rows: Sequence[np.ndarray],
    labels: Sequence[str] | None = None,
    *,
    scale: int | None = None,
) -> Path:
    """Writes images as a PNG, one list a row.

    Args:
        path: a file ending in `.png`; its directory is made.
        rows: arrays (N, H, W, C), float in [-1, 1] or uint8; N may differ from row to row, (H, W, C) may not.
        labels: a text to the left of each row.
        scale: a whole factor of enlargement (pixels repeated); by default small images grow to about 72 pixels.

    Returns:
        The path.

    Raises:
        InputError: no rows, rows of different image shapes, a number of labels other than rows, another file type.
        OSError: the file cannot be written; a picture that was there before stays.
    """
    rows = [as_images(row, name="images of a row") for row in rows]
    if not rows:
        raise InputError("there are no rows to draw.")
    if labels is not None and len(labels) != len(rows):
        raise InputError(f"{len(labels)} labels for {len(rows)} rows: give one a row.")
    if len({row.shape[1:] for row in rows}) > 1:
        raise InputError("the rows hold images of different shapes: draw them in separate grids.")
    sheet = Sheet(rows[0].shape[1:], scale)
    left = sheet.text_width(labels) if labels else 0
    width = left + max(map(len, rows)) * sheet.step_x - sheet.gap
    canvas = sheet.canvas(width, len(rows) * sheet.step_y - sheet.gap)
    for r, row in enumerate(rows):
        y = r * sheet.step_y
        if labels:
            canvas.row_label(labels[r], left, y)
        canvas.row(row, left, y)
    return write_picture(path, canvas.picture)


def save_interpolations(
    path: str | os.PathLike,
    seeds_a: object,
    seeds_b: object,
    models: Mapping[str, Objective],
    steps: int = 9,
    *,
    columns: int | None = None,
    fade: bool = True,
    scale: int | None = None,
) -> Path:
    """Draws interpolations in the paper's layout: the seeds at the ends, pixel fade and each model as a row between.

    Args:
        path: a file ending in `.png`; its directory is made.
        seeds_a, seeds_b: the ends of the paths (N, H, W, C), float in [-1, 1] or uint8: a block a pair.
        models: by row label, in the order of the rows.
        steps: images between the seeds, evenly spaced, the ends left out (alpha = 1/(steps+1), 2/(steps+1), ...).
        columns: blocks side by side; by default two from five pairs on.
        fade: draw the pixel fade as the first row.
        scale: as in `save_grid`.

    Returns:
        The path.

    Raises:
        InputError: as `interpolate`; `steps` or `columns` below 1; nothing to draw; another file type.
        OSError: as `save_grid`.

    Source: AugIntAE figures 5 and 15 to 22.
    """
    a, b = as_pairs(seeds_a, seeds_b, name="seeds")
    columns = columns if columns is not None else (1 if len(a) < 5 else 2)
    if steps < 1 or columns < 1:
        raise InputError(f"steps and columns must be at least 1, got {steps} and {columns}.")
    labels = list(dict.fromkeys([*(["pixel fade"] if fade else []), *models]))
    if not labels:
        raise InputError("there is no row to draw: give a model, or fade=True.")

    sheet = Sheet(a.shape[1:], scale)
    columns = min(columns, len(a))
    left, between = sheet.text_width(labels), 5 * sheet.gap
    aside = 4 * between
    end = sheet.step_x + 2 * sheet.gap  # a seed stands off a little from its path
    block_width = 2 * end + steps * sheet.step_x - sheet.gap
    block_height = len(labels) * sheet.step_y - sheet.gap
    lines = -(-len(a) // columns)
    canvas = sheet.canvas(left + columns * (block_width + aside) - aside, lines * (block_height + between) - between)
    alphas = np.arange(1, steps + 1, dtype=np.float32) / (steps + 1)
    paths = {"pixel fade": pixel_fade(a, b, alphas)} if fade else {}
    paths |= {label: interpolate(model, a, b, alphas) for label, model in models.items()}
    for pair in range(len(a)):
        x = left + pair % columns * (block_width + aside)
        top = pair // columns * (block_height + between)
        middle = top + (block_height - sheet.tile_y) // 2
        canvas.image(a[pair], x, middle, framed=True)
        canvas.image(b[pair], x + block_width - sheet.tile_x, middle, framed=True)
        for r, (label, images) in enumerate(paths.items()):
            y = top + r * sheet.step_y
            if pair % columns == 0:
                canvas.row_label(label, left, y)
            canvas.row(images[pair], x + end, y)
    return write_picture(path, canvas.picture)


def save_few_shot(
    path: str | os.PathLike,
    seeds: object,
    generated: Mapping[str, object],
    *,
    columns: int | None = None,
    heading: str = "seeds",
    scale: int | None = None,
) -> Path:
    """Draws few-shot generation: the seeds to the left, then what each model made of them, a panel each.

    Args:
        path: a file ending in `.png`; its directory is made.
        seeds: one set of seed images (S, H, W, C), or several sets (K, S, H, W, C), which are drawn a row each.
        generated: by heading, images (n, H, W, C) for one set, or (K, n, H, W, C) for several.
        columns: panels of a line, beside the seeds, which stand at the left of each; None for all on one line.
        heading: what the seeds are called.
        scale: as in `save_grid`.

    Returns:
        The path.

    Raises:
        InputError: no images, images of different shapes, sets that differ in number, `columns` below 1, another file
            type.
        OSError: as `save_grid`.

    Source: AugIntAE figures 6, 7 and 9.
    """
    if not generated:
        raise InputError("there are no generated images to draw.")
    if columns is not None and columns < 1:
        raise InputError(f"columns must be at least 1, got {columns}.")
    if heading in generated:
        raise InputError(f"the heading {heading!r} is taken: name the generated images otherwise.")
    panels = {heading: seeds, **generated}
    ranks = {np.ndim(images) for images in panels.values()}
    if ranks == {5}:
        rows = {name: [as_images(row, name=name) for row in images] for name, images in panels.items()}
        if len({len(panel) for panel in rows.values()}) > 1:
            raise InputError("seeds and images hold different numbers of sets: give one of each for every set.")
    elif ranks == {4}:
        height = max(1, round(max(len(images) for images in generated.values()) ** 0.5))
        rows = {name: _wrap(as_images(images, name=name), height) for name, images in panels.items()}
    else:
        raise InputError("give seeds and images as (n, H, W, C) each, or as (sets, n, H, W, C) each.")
    shapes = {row.shape[1:] for panel in rows.values() for row in panel}
    if len(shapes) > 1:
        raise InputError("seeds and images have different shapes: draw images of one shape.")

    sheet = Sheet(shapes.pop(), scale)
    between, top = 5 * sheet.gap, sheet.line_height
    widths = {
        name: max(max(map(len, panel)) * sheet.step_x - sheet.gap, sheet.text_width([name], margin=0))
        for name, panel in rows.items()
    }
    height = top + max(map(len, rows.values())) * sheet.step_y - sheet.gap
    names, columns = list(generated), columns or len(generated)
    lines = [[heading, *names[start : start + columns]] for start in range(0, len(names), columns)]
    width = max(sum(widths[name] + between for name in line) for line in lines) - between
    canvas = sheet.canvas(width, len(lines) * (height + between) - between)
    for number, line in enumerate(lines):
        x, y = 0, number * (height + between)
        for name in line:
            canvas.heading(name, x, widths[name], y)
            for r, row in enumerate(rows[name]):
                canvas.row(row, x, y + top + r * sheet.step_y, framed=name == heading)
            x += widths[name] + between
    return write_picture(path, canvas.picture)


def _wrap(images: np.ndarray, rows: int) -> list[np.ndarray]:
    columns = -(-len(images) // rows)
    return [images[start : start + columns] for start in range(0, len(images), columns)]
