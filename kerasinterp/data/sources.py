"""Datasets by name, each in the form that the models need."""

import dataclasses
import importlib
import os
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import tensorflow as tf
import tensorflow_datasets as tfds

from kerasinterp.errors import InputError, suggest


@dataclasses.dataclass(frozen=True)
class Source:
    """What a dataset needs that its TFDS form does not say.

    Attributes:
        summary: one line for `kerasinterp list`.
        image_size: height and width that it is brought to, None to keep its own.
        channels: 1 (grey) or 3 (colour).
        invert: dark strokes on white are turned to white on black.
        transpose: rows and columns are swapped.
        label: the feature that `labels` gives and `classes` chooses by.
    """

    summary: str
    image_size: int | None
    channels: int
    invert: bool = False
    transpose: bool = False
    label: str = "label"


_EMNIST = "stored transposed; TFDS reads 88,800 of the letters split's 124,800 training images"
SOURCES: dict[str, Source] = {
    "glyphs": Source("digits and letters of matplotlib's fonts, generated here", 28, 1),
    "mnist": Source("handwritten digits", 28, 1),
    "emnist": Source(f"handwritten characters, e.g. emnist/letters ({_EMNIST})", 28, 1, transpose=True),
    "handwritten_az": Source("handwritten capitals (NIST SD19), read from the data folder", 28, 1),
    "omniglot": Source("1,623 handwritten characters of 50 alphabets, inverted", 28, 1, invert=True),
    "fashion_mnist": Source("clothes", 28, 1),
    "cifar10": Source("photographs of 10 classes", 64, 3),  # AugIntAE A.1: DCGAN's standard 64 x 64
    "cifar100": Source("photographs of 100 classes", 64, 3),
    "celeb_a": Source("faces with 40 attributes, e.g. where={'Male': True}; centre-cropped", 128, 3),  # A.1
    "coil100": Source("100 objects on a turntable", 128, 3, label="object_id"),
    "lines": Source("lines at every angle, 32 x 32 (lines/16: 16 x 16), generated here", None, 1),
    "pole": Source("a pole and its shadow, 64 x 64 (pole/32: 32 x 32), generated here", None, 3, label="altitude"),
}
# The datasets that are generated, each in a module of its name, by the builder's class.
_GENERATED = {"glyphs": "Glyphs", "lines": "Lines", "pole": "Pole", "spiral": "Spiral"}


def sources() -> dict[str, Source]:
    """The datasets with known form, by name; `load` takes any other image dataset of TFDS too."""
    return dict(SOURCES)


def load(
    name: str,
    split: str = "train",
    *,
    image_size: int | None = None,
    channels: int | None = None,
    classes: Iterable[int | str] | None = None,
    where: Mapping[str, Any] | None = None,
    labels: bool | Sequence[str] = False,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
) -> tf.data.Dataset:
    """A dataset by its TFDS name, as images float32 (H, W, C) in [-1, 1], in a fixed order.

    Images that are not square are centre-cropped before they are resized. White strokes are on black, and characters
    upright, whatever the stored form.

    Args:
        name: of TFDS, a configuration after a slash (`emnist/letters`), or a folder in TFDS form under `data_dir`.
        split: TFDS's, e.g. `train`, `train+test`, `train[:1000]`; for glyphs `digits`, `letters`, ...
        image_size: height and width; by default the dataset's own or the papers'.
        channels: 1 or 3; by default the dataset's own.
        classes: only these labels, by name or number.
        where: only images whose features are as said, e.g. `{"Male": True}` (Celeb-A's attributes) or, of glyphs,
            `{"weight": ["thin", "regular"]}`; a list means any of these.
        labels: give pairs (image, int64 label); or names of binary attributes (Celeb-A's): pairs (image, int64 (k,)).
        data_dir: where datasets are; by default the environment's TFDS_DATA_DIR, else ~/tensorflow_datasets.
        download: fetch what is missing.

    Raises:
        InputError: unknown name, split, class or attribute, or data that is not there and cannot be fetched.
    """
    source, size, channels = form(name, image_size, channels)
    builder = prepared_builder(name, data_dir, download)
    info = builder.info
    known = [*info.splits]
    for part in (part.split("[")[0].strip() for part in split.split("+")):
        if known and part not in (*known, "all"):
            raise InputError(f"{name} has no split {part!r}: choose of {', '.join(known)}.{suggest(part, known)}")
    image_key = next((key for key, feature in info.features.items() if _is_image(feature)), None)
    if image_key is None:
        raise InputError(f"{name} has no images: its features are {', '.join(info.features)}.")
    if size is None and not _has_size(info.features[image_key]):
        raise InputError(f"The images of {name} differ in size: give image_size.")
    chosen = () if isinstance(labels, bool) else tuple(labels)
    if (labels is True or classes is not None) and source.label not in info.features:
        raise InputError(f"{name} has no feature {source.label!r} to tell classes: it has {', '.join(info.features)}.")
    try:
        dataset = examples(builder, split)
    except ValueError as error:
        raise InputError(
            f"{split!r} is no split of {name} ({_first_line(error)}): e.g. train or train[:1000]."
        ) from error
    if classes is not None:
        dataset = only(dataset, name, (source.label,), info.features[source.label], [*classes])
    attributes = dict(info.features.items()).get("attributes", {})
    for key, value in (where or {}).items():
        nested = key in attributes
        if not nested and key not in info.features:
            known = [*attributes, *info.features]
            raise InputError(f"{name} has no feature {key!r} to choose by.{suggest(key, known)}")
        keys = ("attributes", key) if nested else (key,)
        feature = attributes[key] if nested else info.features[key]
        dataset = only(dataset, name, keys, feature, value if isinstance(value, list | tuple | set) else [value])

    for unknown in set(chosen) - set(attributes):
        raise InputError(f"{name} has no attribute {unknown!r}.{suggest(unknown, attributes)}")

    def prepare(example):
        image = prepared_image(example[image_key], source, size, channels)
        if chosen:
            return image, tf.cast(tf.stack([example["attributes"][one] for one in chosen]), tf.int64)
        return (image, tf.cast(example[source.label], tf.int64)) if labels else image

    return dataset.map(prepare, tf.data.AUTOTUNE, deterministic=True)


def form(name: str, image_size: int | None, channels: int | None) -> tuple[Source, int | None, int]:
    """What the dataset needs, and the size and channels that its images get (None and 0: their own)."""
    source = SOURCES.get(name.split("/")[0], Source("", image_size, channels or 0))
    channels = source.channels if channels is None else channels
    if channels not in (0, 1, 3):
        raise InputError(f"channels is 1 (grey) or 3 (colour), not {channels}.")
    size = image_size or source.image_size
    if size is not None and size < 1:
        raise InputError(f"image_size is 1 or more, not {size}.")
    return source, size, channels


def examples(builder: tfds.core.DatasetBuilder, split: str) -> tf.data.Dataset:
    """The examples as they are stored, in a fixed order."""
    # Without TFDS's own cache: it complains of every dataset that is not read to its end.
    config = tfds.ReadConfig(try_autocache=False)
    return builder.as_dataset(split=split, shuffle_files=False, read_config=config)


def shaped(image: tf.Tensor, size: int | None, channels: int) -> tf.Tensor:
    """One image (H, W, C) float in [0, 255], brought to `size` and `channels` (0 and None keep its own), in [-1, 1]."""
    if size is not None:
        side = tf.reduce_min(tf.shape(image)[:2])
        image = tf.image.resize_with_crop_or_pad(image, side, side)
        # Averaging where it shrinks, so that thin strokes do not vanish.
        image = tf.image.resize(image, (size, size), antialias=True)
    if channels == 1 and image.shape[-1] == 3:
        image = tf.image.rgb_to_grayscale(image)
    elif channels == 3 and image.shape[-1] == 1:
        image = tf.image.grayscale_to_rgb(image)
    return tf.clip_by_value(image / 127.5 - 1.0, -1.0, 1.0)


def prepared_image(image: tf.Tensor, source: Source, size: int | None, channels: int) -> tf.Tensor:
    """A stored image uint8 (H, W, C), upright, white on black, and as `shaped`."""
    stored = tuple(image.shape)
    image = tf.cast(image, tf.float32)
    if source.invert:
        image = 255.0 - image
    if source.transpose:
        image = tf.transpose(image, [1, 0, 2])
    unchanged = size is None or stored[:2] == (size, size)
    image = shaped(image, None if unchanged else size, channels)
    if size is not None:
        image = tf.ensure_shape(image, (size, size, channels or stored[-1]))
    return image


def _is_image(feature: object) -> bool:
    return isinstance(feature, tfds.features.Image)


def _has_size(feature: tfds.features.Image) -> bool:
    return None not in feature.shape[:2]


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]


def only(dataset: tf.data.Dataset, name: str, keys: tuple[str, ...], feature: Any, values: list) -> tf.data.Dataset:
    """The examples whose feature, found by `keys` one after another, is one of `values`."""
    numbers = [number(name, keys[-1], feature, value) for value in values]
    if not numbers:
        raise InputError(f"No {keys[-1]} of {name} is chosen: name at least one.")

    def chosen(example):
        for key in keys:
            example = example[key]
        return tf.reduce_any(tf.equal(example, tf.constant(numbers, example.dtype)))

    return dataset.filter(chosen)


def number(name: str, key: str, feature: Any, value: Any) -> Any:
    """What the dataset stores for `value`: the number of a class's name, else the value itself."""
    if not isinstance(feature, tfds.features.ClassLabel):
        return value
    if isinstance(value, str):
        names = feature.names or []
        if value not in names:
            raise InputError(f"{name} has no {key} {value!r}.{suggest(value, names)}")
        return names.index(value)
    if not 0 <= int(value) < (feature.num_classes or 1 << 62):
        raise InputError(f"{name} has no {key} {value}: they run from 0 to {feature.num_classes - 1}.")
    return int(value)


def prepared_builder(name: str, data_dir: str | os.PathLike | None, download: bool) -> tfds.core.DatasetBuilder:
    """The dataset's builder, its data being there; errors as `load`."""
    root = pathlib.Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    if name.split("/")[0] in _GENERATED:
        return _generated(name, root)
    try:
        builder = tfds.builder(name, data_dir=root)
    except tfds.core.DatasetNotFoundError:
        versions = sorted(root.joinpath(name).glob("*/dataset_info.json"))
        if versions:
            return tfds.builder_from_directory(versions[-1].parent)
        if name in SOURCES:
            raise InputError(f"{name} is not in {root}: set TFDS_DATA_DIR to the folder that holds it.") from None
        known = [*SOURCES, *tfds.list_builders(with_community_datasets=False)]
        raise InputError(f"There is no dataset or folder {name!r}.{suggest(name, known)}") from None
    except ValueError as error:
        dataset, _, config = name.partition("/")
        known = [f"{dataset}/{one}" for one in tfds.builder_cls(dataset).builder_configs]
        if config and name not in known:
            choice = ", ".join(known[:10]) or dataset
            raise InputError(f"There is no {name}: choose of {choice}.{suggest(name, known)}") from error
        raise InputError(f"{name} cannot be used ({_first_line(error)}): check its name.") from error
    if builder.is_prepared():
        return builder
    advice = "set TFDS_DATA_DIR to the folder that holds it"
    if not download:
        raise InputError(f"{name} is not in {root}: {advice}, or allow the download.")
    if not _writable(root):
        raise InputError(f"{name} is not in {root}, which is read-only: {advice}, or to one that it can be put into.")
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever network, disk and TFDS raise
        raise InputError(
            f"{name} is not in {root} and could not be downloaded ({_first_line(error)}): {advice}, or connect to the "
            "network."
        ) from error
    return builder


def _generated(name: str, root: pathlib.Path) -> tfds.core.DatasetBuilder:
    """A dataset generated on first use; in a temporary folder where the data folder cannot be written."""
    module, _, config = name.partition("/")
    builder_class = getattr(importlib.import_module(f"kerasinterp.data.{module}"), _GENERATED[module])
    if config and config not in builder_class.builder_configs:
        known = [f"{module}/{one}" for one in builder_class.builder_configs] or [module]
        raise InputError(f"There is no {name}: choose of {', '.join(known)}.{suggest(name, known)}")
    builder = builder_class(config=config or None, data_dir=root)
    if builder.is_prepared():
        return builder
    if not _writable(root):
        user = os.getuid() if hasattr(os, "getuid") else "user"
        root = pathlib.Path(tempfile.gettempdir(), f"kerasinterp-{user}")
        builder = builder_class(config=config or None, data_dir=root)
    tfds.disable_progress_bar()
    builder.download_and_prepare()
    return builder


def _writable(folder: pathlib.Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    # The mode is looked at too: the system lets its administrator write into folders marked as read-only.
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)
