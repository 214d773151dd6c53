"""Examples from whatever holds images: a dataset, a folder, files or arrays."""

import os
import pathlib
from collections.abc import Iterable, Sequence

import numpy as np

from kerasinterp.data.convert import as_array, checked_array, from_array, height_and_width
from kerasinterp.data.datasets import load_named, shaped, sources
from kerasinterp.data.examples import Examples
from kerasinterp.data.folder import read_files, read_folder
from kerasinterp.errors import InputError, suggest

_OF_FOLDERS, _OF_DATASETS = ("skip_unreadable", "classes"), ("classes", "where", "data_dir", "download")


def load_examples(
    what: str | os.PathLike | np.ndarray | Sequence,
    split: str = "train",
    *,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    labels: bool | Sequence[str] = False,
    invert: bool = False,
    **choices: object,
) -> Examples:
    """Images, with labels and the labels' names if they are asked for, whatever they come from.

    A `Note` says which files of a folder are left out.

    Args:
        what: a dataset's name; the path of a folder of images or of one image; an array, see `from_array`; or a list of
            images' paths, or of arrays of one shape.
        split: of a dataset.
        image_size: height and width, a number for both. By default a dataset's or an array's own, of files 28.
        channels: 1 or 3. By default a dataset's or an array's own, of files 1.
        labels: give labels too: a dataset's, or a folder's, which are its sub-folders; or names of attributes, as
            `load`.
        invert: turn dark and light round: for dark drawings on white, when a model learned white on black.
        choices: further arguments of `load` (a name: classes, where, data_dir, download) or `from_folder` (a path:
            skip_unreadable; classes: only these sub-folders, by name).

    Raises:
        InputError: as `load`, `from_folder`, `read_image` and `from_array`; or a choice that has no effect here.
    """
    if isinstance(what, str | os.PathLike):
        # A dataset's name means the dataset, even where a folder of that name happens to be.
        if isinstance(what, str) and (not what or what in sources() or not _exists(what)):
            _check_choices(choices, _OF_DATASETS, "dataset")
            form = {"image_size": image_size, "channels": channels, "labels": labels, "invert": invert}
            dataset, names = load_named(what, split, **form, **choices)
            found, numbers = as_array(dataset) if labels else (as_array(dataset), None)
            return Examples(found, numbers, names)
        _check_choices(choices, _OF_FOLDERS, "folder")
        if not isinstance(labels, bool):
            raise InputError(f"{what} is a folder, which has no attributes: its labels are its sub-folders.")
        size, channels = _of_files(image_size, channels)
        chosen = choices.pop("classes", None)
        found, numbers, names = read_folder(
            what, size, channels, invert=invert, labels=labels or chosen is not None, **choices
        )
        if chosen is None:
            return Examples(found, numbers, names) if labels else Examples(found)
        examples = Examples(found, numbers, names).select(_of_classes(chosen, numbers, names, what))
        return examples if labels else Examples(examples.images)
    if labels:
        raise InputError("Arrays and lists of files have no labels: pass their labels yourself.")
    _check_choices(choices, (), "array or list of files")
    if isinstance(what, list | tuple) and what and all(isinstance(one, str | os.PathLike) for one in what):
        size, channels = _of_files(image_size, channels)
        return Examples(read_files(what, size, channels, invert=invert))
    found = checked_array(what)
    if image_size is not None or channels is not None:
        size = height_and_width(image_size)
        if channels not in (None, 1, 3):
            raise InputError(f"channels is 1 (grey) or 3 (colour), not {channels}.")
        found = as_array(from_array(found).map(lambda image: shaped(image * 127.5 + 127.5, size, channels or 0)))
    return Examples(255 - found if invert else found)


def images(
    what: str | os.PathLike | np.ndarray | Sequence,
    split: str = "train",
    *,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    labels: bool | Sequence[str] = False,
    invert: bool = False,
    **choices: object,
) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """As `load_examples`, as arrays: uint8 (N, H, W, C), or with labels these and int64 (N,) or (N, k)."""
    found = load_examples(
        what, split, image_size=image_size, channels=channels, labels=labels, invert=invert, **choices
    )
    return (found.images, found.labels.astype(np.int64)) if labels else found.images


def _of_classes(
    chosen: Iterable[str], numbers: np.ndarray, names: Sequence[str], what: str | os.PathLike
) -> np.ndarray:
    """Which of a folder's images are of the chosen classes, bool (N,)."""
    if not isinstance(chosen, Iterable) or isinstance(chosen, str):
        raise InputError(f"classes is {chosen!r}: give a list of names.")
    places = {name: number for number, name in enumerate(names)}
    for name in chosen:
        if name not in places:
            raise InputError(f"{what} has no class {name!r}.{suggest(str(name), names)}")
    return np.isin(numbers, [places[name] for name in chosen])


def _of_files(image_size: int | tuple[int, int] | None, channels: int | None) -> tuple[int | tuple[int, int], int]:
    return 28 if image_size is None else image_size, 1 if channels is None else channels


def _exists(path: str) -> bool:
    try:
        return pathlib.Path(path).exists()
    except (OSError, ValueError):  # a NUL, or a name too long: no path
        return False


def _check_choices(choices: dict, known: Sequence[str], kind: str) -> None:
    for name in choices:
        if name not in known:
            options = f"of its own it has {', '.join(known)}" if known else "it has none of its own"
            raise InputError(f"{name!r} is no option of a {kind}: {options}.{suggest(name, known)}")
