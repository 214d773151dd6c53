"""Generated images, a file each."""

import os
from pathlib import Path

from kerasinterp.generation.checks import as_images
from kerasinterp.generation.pictures.sheet import Sheet, write


def save_images(directory: str | os.PathLike, images: object, prefix: str = "generated") -> list[Path]:
    """Writes each image as a PNG of its own size: `PREFIX_0000.png`, `PREFIX_0001.png`, ...

    Args:
        directory: made if it is missing; files of the same names are replaced.
        images: (N, H, W, C), float in [-1, 1] or uint8.
        prefix: the start of the names.

    Returns:
        The paths, in order.

    Raises:
        InputError: images of a wrong shape or range.
        OSError: the directory cannot be written.
    """
    images = as_images(images)
    sheet, digits = Sheet(images.shape[1:], scale=1), max(4, len(str(len(images) - 1)))
    return [
        write(Path(directory, f"{prefix}_{number:0{digits}}.png"), sheet.render(image))
        for number, image in enumerate(images)
    ]
