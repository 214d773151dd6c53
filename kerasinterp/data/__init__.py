"""Images from datasets, folders and arrays, data with known in-betweens, and the batches that objectives learn from."""

import os
import pathlib
from collections.abc import Sequence

import numpy as np

from kerasinterp.data import lines, pole, spiral
from kerasinterp.data.batches import batches
from kerasinterp.data.convert import as_array, checked_array, from_array, to_float, to_uint8
from kerasinterp.data.folder import from_folder, read_folder, read_image
from kerasinterp.data.sources import Source, load, shaped, sources
from kerasinterp.data.triplets import HANDWRITTEN, NATURAL, Transformations, triplets
from kerasinterp.data.views import Views, views
from kerasinterp.errors import InputError

__all__ = [
    "HANDWRITTEN",
    "NATURAL",
    "Source",
    "Transformations",
    "Views",
    "as_array",
    "batches",
    "from_array",
    "from_folder",
    "images",
    "lines",
    "load",
    "pole",
    "read_image",
    "sources",
    "spiral",
    "to_float",
    "to_uint8",
    "triplets",
    "views",
]


def images(
    what: str | os.PathLike | np.ndarray,
    split: str = "train",
    *,
    image_size: int | None = None,
    channels: int | None = None,
    labels: bool | Sequence[str] = False,
    **choices: object,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """Images as uint8 (N, H, W, C), whatever they come from.

    Args:
        what: a dataset's name, the path of a folder of images or of one image, or an array.
        split: of a dataset.
        image_size, channels: as `load`; for a folder 28 and 1 unless given.
        labels: give (images, int64 labels); a folder's labels are its sub-folders; names of attributes as `load`.
        choices: further arguments of `load` (a name) or `from_folder` (a path).

    Raises:
        InputError: as `load`, `from_folder` and `from_array`.
    """
    if isinstance(what, np.ndarray):
        found = checked_array(what)
        if labels or choices:
            raise InputError("An array has no labels and nothing to choose by: pass its labels yourself.")
        if image_size or channels:
            found = as_array(
                from_array(found).map(lambda image: shaped(image * 127.5 + 127.5, image_size, channels or 0))
            )
        return found
    # A dataset's name means the dataset, even where a folder of that name happens to be.
    if isinstance(what, os.PathLike) or (what not in sources() and pathlib.Path(what).exists()):
        found, numbers = read_folder(what, image_size or 28, channels or 1, **choices)
        return (found, numbers) if labels else found
    dataset = load(what, split, image_size=image_size, channels=channels, labels=labels, **choices)
    return as_array(dataset)
