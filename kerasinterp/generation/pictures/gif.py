"""Paths as animations."""

import os
from pathlib import Path

from kerasinterp.errors import InputError
from kerasinterp.generation.checks import as_images
from kerasinterp.generation.pictures.sheet import TILE, Sheet, write_picture


def save_gif(path: str | os.PathLike, frames: object, fps: float = 15.0, *, scale: int | None = None) -> Path:
    """Writes frames as an endless animation that runs to the end and back.

    Args:
        path: a file ending in `.gif`; its directory is made.
        frames: (T, H, W, C), float in [-1, 1] or uint8. Grey levels are kept; colours are reduced to 256.
        fps: frames a second, 1 to 50 (GIF counts time in hundredths of a second).
        scale: as in `save_grid`; by default small images grow to about 144 pixels.

    Returns:
        The path.

    Raises:
        InputError: frames of a wrong shape or range, `fps` out of range, another file type.
        OSError: as `save_grid`.
    """
    frames = as_images(frames, name="frames")
    if not 1 <= fps <= 50:
        raise InputError(f"fps is {fps:g}: give 1 to 50 frames a second.")
    sheet = Sheet(frames.shape[1:], scale, tile=2 * TILE)
    images = [sheet.render(frame) for frame in frames]
    images += images[-2:0:-1]
    duration = round(100 / fps) * 10
    return write_picture(path, images[0], "GIF", save_all=True, append_images=images[1:], duration=duration, loop=0)
