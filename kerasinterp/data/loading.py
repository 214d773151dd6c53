"""Examples from whatever holds images: a dataset, a folder, files or arrays."""

import functools
import hashlib
import math
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from kerasinterp import progress
from kerasinterp.data import cache
from kerasinterp.data.convert import (
    EMPTY,
    as_stored,
    checked_form,
    height_and_width,
    pieces,
    single_shape,
    to_float,
)
from kerasinterp.data.datasets import has_classes, load_named, shaped, sources
from kerasinterp.data.examples import Examples
from kerasinterp.data.folder import read_files, read_folder
from kerasinterp.data.memory import bytes_of
from kerasinterp.data.stored import Stored, blocks
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
    memory: int | str | None = None,
    **choices: object,
) -> Examples:
    """Images, with labels and the labels' names if they are asked for, whatever they come from.

    A `Note` says which files of a folder are left out. Images that would take more than `memory` are decoded once, a
    part after another, into a file in the cache (`data.cache`), and read from there: the examples' `images` then are a
    `Stored`. The batches are the same, to the byte.

    Args:
        what: a dataset's name; the path of a folder of images or of one image; an array, see `from_array`; or a list of
            images' paths, or of arrays of one shape.
        split: of a dataset.
        image_size: height and width, a number for both. By default a dataset's or an array's own, of files 28.
        channels: 1 or 3. By default a dataset's or an array's own, of files 1.
        labels: give labels too: a dataset's, or a folder's, which are its sub-folders; or names of attributes, as
            `load`.
        invert: turn dark and light round: for dark drawings on white, when a model learned white on black.
        memory: the most that the images may hold, bytes or a text such as `2GB`; None for all that there is.
        choices: further arguments of `load` (a name: classes, where, data_dir, download) or `from_folder` (a path:
            skip_unreadable; classes: only these sub-folders, by name).

    Raises:
        InputError: as `load`, `from_folder`, `read_image` and `from_array`; a choice that has no effect here; or a
            cache that cannot be written.
    """
    memory = None if memory is None else bytes_of(memory)
    if isinstance(what, str | os.PathLike):
        if is_dataset(what):
            _check_choices(choices, _OF_DATASETS, "dataset")
            form = {"image_size": image_size, "channels": channels, "labels": labels, "invert": invert}
            return _of_dataset(what, split, memory, form, choices)
        _check_choices(choices, _OF_FOLDERS, "folder")
        if not isinstance(labels, bool):
            raise InputError(f"{what} is a folder, which has no attributes: its labels are its sub-folders.")
        size, channels = _of_files(image_size, channels)
        chosen = choices.pop("classes", None)
        found, numbers, names = read_folder(
            what, size, channels, invert=invert, labels=labels or chosen is not None, memory=memory, **choices
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
        return Examples(read_files(what, size, channels, invert=invert, memory=memory))
    return Examples(_of_array(checked_form(what), image_size, channels, invert, memory))


def _of_dataset(name: str, split: str, memory: int | None, form: dict, choices: dict) -> Examples:
    choices = {key: [*value] if isinstance(value, Iterator) else value for key, value in choices.items()}
    dataset, names, builder = load_named(name, split, **form, **choices)
    shape = single_shape(dataset)
    count = builder.info.splits[split].num_examples if builder.info.splits else None
    filtered = any(choices.get(key) for key in ("classes", "where"))
    if count is None and (known := int(dataset.cardinality())) >= 0:
        count = known
    wanted = form["labels"]
    larger = memory is not None and (count is None or count * int(np.prod(shape)) > memory)
    if larger and not wanted and has_classes(builder, name):
        # Decoded with them, the images are kept once for those who want labels and those who do not.
        dataset, form = load_named(name, split, **choices, **form | {"labels": True})[0], form | {"labels": True}

    def origin() -> cache.Origin:
        settings = {"dataset": builder.info.full_name, "folder": os.path.realpath(builder.data_path), "split": split}
        own = {"shape": shape, "labels": form["labels"], "invert": form["invert"]}
        own |= {key: _plain(choices.get(key)) for key in ("classes", "where")}
        return cache.Origin(f"{name} ({split})", settings | own, functools.partial(_state, builder.data_path))

    parts = _counted(pieces(dataset), f"Decoding {name}", None if filtered else count)
    held = cache.hold(parts, shape, count, exact=not filtered, memory=memory, origin=origin)
    if not len(held.images):
        raise InputError(EMPTY)
    return Examples(held.images, held.labels, names) if wanted else Examples(held.images)


def _state(folder: os.PathLike) -> list:
    """What differs if the dataset was prepared anew, or is read by another TensorFlow."""
    files = [(path.name, path.stat()) for path in sorted(pathlib.Path(folder).glob("*"))]
    return [tf.__version__, [(name, found.st_size, found.st_mtime_ns) for name, found in files]]


def _of_array(
    images: np.ndarray,
    image_size: int | tuple[int, int] | None,
    channels: int | None,
    invert: bool,
    memory: int | None,
) -> np.ndarray | Stored:
    size = height_and_width(image_size)
    if channels not in (None, 1, 3):
        raise InputError(f"channels is 1 (grey) or 3 (colour), not {channels}.")
    resized = image_size is not None or channels is not None
    shape = (*(size or images.shape[1:3]), channels or images.shape[3])
    if memory is not None and math.prod((len(images), *shape)) <= memory:
        memory = None
    if not resized and memory is None:
        found = as_stored(images)
        return 255 - found if invert else found

    def stored() -> Iterator[np.ndarray]:
        return map(as_stored, blocks(images))

    def parts() -> Iterator[tuple[np.ndarray, None]]:
        found = stored()
        if resized:
            spec = tf.TensorSpec((None, *images.shape[1:]), tf.uint8)
            dataset = tf.data.Dataset.from_generator(stored, output_signature=spec).unbatch().map(to_float)
            dataset = dataset.map(lambda image: shaped(image * 127.5 + 127.5, size, channels or 0))
            found = (part for part, _ in pieces(dataset))
        for part in found:
            yield (255 - part if invert else part), None

    def origin() -> cache.Origin:
        digest = hashlib.sha256(f"{images.dtype.str}{images.shape}".encode())
        for part in blocks(images):
            digest.update(np.ascontiguousarray(part).data)
        settings = {"array": digest.hexdigest(), "shape": shape, "invert": invert}
        return cache.Origin(f"an array of {len(images):,} images", settings, lambda: tf.__version__)

    counted = _counted(parts(), "Converting images", len(images))
    return cache.hold(counted, shape, len(images), memory=memory, origin=origin).images


def _counted(parts: Iterator[tuple[np.ndarray, Any]], what: str, total: int | None) -> Iterator[tuple[np.ndarray, Any]]:
    with progress.bar(total, what, "images") as told:
        for part in parts:
            yield part
            told.update(len(part[0]))


def _plain(value: object) -> object:
    """Choices as JSON has them, in an order of their own."""
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, str) or not isinstance(value, Iterable):
        return repr(value)
    found = [_plain(one) for one in value]
    return sorted(found, key=repr) if isinstance(value, set | frozenset) else found


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


def is_dataset(what: str | os.PathLike) -> bool:
    """Whether it names a dataset: a known one's name does, even where a folder of that name happens to be."""
    return isinstance(what, str) and (not what or what in sources() or not _exists(what))


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
