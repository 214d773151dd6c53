"""Images from datasets, folders and arrays, and the triplets that AugIntAE learns from."""

import os
import pathlib

import numpy as np

from kerasinterp.data.convert import as_array, checked_array, from_array, to_float, to_uint8
from kerasinterp.data.folder import from_folder, read_folder, read_image
from kerasinterp.data.sources import Source, load, sources
from kerasinterp.data.triplets import HANDWRITTEN, NATURAL, Transformations, triplets

__all__ = [
    "HANDWRITTEN",
    "NATURAL",
    "Source",
    "Transformations",
    "as_array",
    "from_array",
    "from_folder",
    "images",
    "load",
    "read_image",
    "sources",
    "to_float",
    "to_uint8",
    "triplets",
]


def images(
    what: str | os.PathLike | np.ndarray,
    split: str = "train",
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: bool = False,
    **choices: object,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Images as uint8 (N, H, W, C), whatever they come from.

    Args:
        what: a dataset's name, the path of a folder of images, or an array.
        split: of a dataset.
        image_size, channels: as `load`; for a folder 28 and 1 unless given.
        labels: give (images, int64 labels); a folder's labels are its sub-folders.
        choices: further arguments of `load` (a name) or `from_folder` (a path).

    Raises:
        InputError: as `load`, `from_folder` and `from_array`.
    """
    if isinstance(what, np.ndarray):
        return checked_array(what)
    if pathlib.Path(what).is_dir() or isinstance(what, os.PathLike):
        found, numbers = read_folder(what, image_size or 28, channels or 1, **choices)
        return (found, numbers) if labels else found
    dataset = load(what, split, image_size=image_size, channels=channels, labels=labels, **choices)
    return as_array(dataset)
