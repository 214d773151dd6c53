"""What a folder of images is, before they are read: its classes, how large they are, and whether they have colours."""

import collections
import contextlib
import os
import pathlib

import numpy as np
from PIL import Image

from kerasinterp.data.folder import _natural, files_of, upright_size
from kerasinterp.errors import InputError

_LOOKED_AT = 32  # files, from all over the folder
_SMALL = 64  # pixels a side that are enough to see colours
_COLOURED = 24  # of 255, between the channels of a pixel; JPEG's own noise is below
_SHARE = 0.01  # of the pixels that are coloured in a picture in colour


def looks(path: str | os.PathLike) -> tuple[tuple[int, int], bool] | None:
    """The median height and width of a folder's images, in pixels, and whether half of them or more have colours.

    Files that cannot be read are passed over; None if none can be. Reading the images themselves tells of these.

    Raises:
        InputError: there is no such path, or no image below it.
    """
    files = files_of(path)
    sizes, coloured = [], []
    for file in files[:: -(-len(files) // _LOOKED_AT)]:
        with contextlib.suppress(Exception), Image.open(file) as image:  # Pillow raises anything for a damaged file
            size = upright_size(image)
            image.draft("RGB", (_SMALL, _SMALL))  # JPEG: decodes no more than it must
            pixels = np.asarray(image.convert("RGB").resize((_SMALL, _SMALL)), np.int16)
            coloured.append(np.mean(np.ptp(pixels, axis=-1) > _COLOURED) > _SHARE)
            sizes.append(size)
    if not sizes:
        return None
    height, width = (int(side) for side in np.median(sizes, axis=0))
    return (height, width), bool(np.mean(coloured) >= 0.5)


def classes_of(path: str | os.PathLike) -> dict[str, int]:
    """How many image files each class of a folder has, its sub-folders, in the order of their labels.

    A folder without sub-folders is one class, of its own name.

    Raises:
        InputError: there is no such path, no image below it, or images beside its sub-folders.
    """
    path = pathlib.Path(path)
    parts = [file.relative_to(path).parts for file in files_of(path)] if path.is_dir() else [(path.name,)]
    counts = collections.Counter(part[0] if len(part) > 1 else "" for part in parts)
    if "" in counts and len(counts) > 1:
        raise InputError(
            f"{path} has {counts['']} images beside the folders of its classes: move each into its class's folder, "
            "or remove it."
        )
    folder = path if path.is_dir() else path.parent
    return {name or folder.absolute().name: counts[name] for name in sorted(counts, key=_natural)}
