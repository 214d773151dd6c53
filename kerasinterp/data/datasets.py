"""Datasets by name, each in the form that the models need."""

import contextlib
import dataclasses
import importlib
import os
import pathlib
import re
import socket
import tempfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from kerasinterp.data.convert import height_and_width
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
        label: the feature that `labels` gives and `classes` chooses by; "" where there are no classes.
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
    "glyphs_scripts": Source("letters and signs of many scripts, none Latin, generated here", 28, 1),
    "mnist": Source("handwritten digits", 28, 1),
    "emnist": Source(f"handwritten characters, e.g. emnist/letters ({_EMNIST})", 28, 1, transpose=True),
    "handwritten_az": Source("handwritten capitals (NIST SD19), read from the data folder", 28, 1),
    "omniglot": Source("1,623 handwritten characters of 50 alphabets, inverted", 28, 1, invert=True),
    "fashion_mnist": Source("clothes", 28, 1),
    "cifar10": Source("photographs of 10 classes", 64, 3),  # AugIntAE A.1: DCGAN's standard 64 x 64
    "cifar100": Source("photographs of 100 classes", 64, 3),
    "celeb_a": Source("faces with 40 attributes, e.g. where={'Male': True}; centre-cropped", 128, 3, label=""),  # A.1
    "coil100": Source("100 objects on a turntable", 128, 3, label="object_id"),
    "lines": Source("lines at every angle, 32 x 32 (lines/16: 16 x 16), generated here", None, 1),
    "pole": Source("a pole and its shadow, 64 x 64 (pole/32: 32 x 32), generated here", None, 3, label="altitude"),
}
# The datasets that are generated, each in a module of its name, by the builder's class.
_GENERATED = {
    "glyphs": "Glyphs",
    "glyphs_scripts": "GlyphsScripts",
    "lines": "Lines",
    "pole": "Pole",
    "spiral": "Spiral",
}
_PATIENCE = 5.0  # seconds, until there is no network
# A dataset, a configuration, a version, as TFDS writes them; the names of folders in TFDS form are such, too.
_NAME = re.compile(r"[A-Za-z_][\w-]*(/[\w.+-]+)?(:[\w.*]+)?", re.ASCII)


def sources() -> dict[str, Source]:
    """The datasets with known form, by name; `load` takes any other image dataset of TFDS too."""
    return dict(SOURCES)


def load(
    name: str,
    split: str = "train",
    *,
    image_size: int | tuple[int, int] | None = None,
    channels: int | None = None,
    classes: Iterable[int | str] | None = None,
    where: Mapping[str, Any] | None = None,
    labels: bool | Sequence[str] = False,
    invert: bool = False,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
) -> tf.data.Dataset:
    """A dataset by its TFDS name, as images float32 (H, W, C) in [-1, 1], in a fixed order.

    Images of another aspect ratio are centre-cropped before they are resized. White strokes are on black, and
    characters upright, whatever the stored form.

    Args:
        name: of TFDS, a configuration after a slash (`emnist/letters`), or a folder in TFDS form under `data_dir`.
        split: TFDS's, e.g. `train`, `train+test`, `train[:1000]`; for glyphs `digits`, `letters`, ...
        image_size: height and width, a number for both; by default the dataset's own or the papers'.
        channels: 1 or 3; by default the dataset's own.
        classes: only these labels, by name or number.
        where: only images whose features are as said, e.g. `{"Male": True}` (Celeb-A's attributes) or, of glyphs,
            `{"weight": ["thin", "regular"]}`; a list means any of these.
        labels: give pairs (image, int64 label); or names of binary attributes (Celeb-A's): pairs (image, int64 (k,)).
        invert: turn dark and light round, once more than the stored form asks for.
        data_dir: where datasets are; by default the environment's TFDS_DATA_DIR, else ~/tensorflow_datasets.
        download: fetch what is missing.

    Raises:
        InputError: unknown name, split, class or attribute, or data that is not there and cannot be fetched.
    """
    choices = {"classes": classes, "where": where, "labels": labels, "data_dir": data_dir, "download": download}
    return load_named(name, split, image_size=image_size, channels=channels, invert=invert, **choices)[0]


def load_named(
    name: str,
    split: str,
    *,
    image_size: int | tuple[int, int] | None,
    channels: int | None,
    labels: bool | Sequence[str],
    invert: bool,
    classes: Iterable[int | str] | None = None,
    where: Mapping[str, Any] | None = None,
    data_dir: str | os.PathLike | None = None,
    download: bool = True,
) -> tuple[tf.data.Dataset, tuple[str, ...], tfds.core.DatasetBuilder]:
    """As `load`, and the names of the labels in their order (of classes or attributes), and what builds the dataset."""
    source, size, channels = form(name, image_size, channels)
    builder = prepared_builder(name, data_dir, download)
    info = builder.info
    known = [*info.splits]
    for part in (part.split("[")[0].strip() for part in str(split).split("+")):
        if known and part not in (*known, "all"):
            raise InputError(f"{name} has no split {part!r}: choose of {', '.join(known)}.{suggest(part, known)}")
    image_key = next((key for key, feature in info.features.items() if _is_image(feature)), None)
    if image_key is None:
        raise InputError(f"{name} has no images: its features are {', '.join(info.features)}.")
    if size is None and not _has_size(info.features[image_key]):
        raise InputError(f"The images of {name} differ in size: give image_size.")
    chosen = () if isinstance(labels, bool) else tuple(labels)
    if (labels is True or classes is not None) and not source.label:
        raise InputError(f"{name} has no classes: choose by attributes (where), or name some as labels.")
    if (labels is True or classes is not None) and source.label not in info.features:
        raise InputError(f"{name} has no feature {source.label!r} to tell classes: it has {', '.join(info.features)}.")
    dataset = stored_examples(builder, name, split)
    if classes is not None:
        if not isinstance(classes, Iterable):
            raise InputError(f"classes is {classes!r}: give a list of names or numbers.")
        dataset = only(dataset, name, (source.label,), info.features[source.label], [*classes])
    attributes = dict(info.features.items()).get("attributes", {})
    if not isinstance(where or {}, Mapping):
        raise InputError(f"where is {where!r}: give features and their values, such as {{'Male': True}}.")
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
        if invert:
            image = -image
        if chosen:
            return image, tf.cast(tf.stack([example["attributes"][one] for one in chosen]), tf.int64)
        return (image, tf.cast(example[source.label], tf.int64)) if labels else image

    names = getattr(info.features[source.label], "names", None) if labels is True else chosen
    return dataset.map(prepare, tf.data.AUTOTUNE, deterministic=True), tuple(names or ()), builder


def has_classes(builder: tfds.core.DatasetBuilder, name: str) -> bool:
    """Whether `labels=True` gives the classes of the dataset."""
    features = builder.info.features
    label = form(name, None, None)[0].label
    return label in features and isinstance(features[label], tfds.features.ClassLabel)


def form(
    name: str, image_size: int | tuple[int, int] | None, channels: int | None
) -> tuple[Source, tuple[int, int] | None, int]:
    """What the dataset needs, and the height, width and channels that its images get (None and 0: their own)."""
    source = SOURCES.get(name.split("/")[0], Source("", None, channels or 0))
    channels = source.channels if channels is None else channels
    if channels not in (0, 1, 3):
        raise InputError(f"channels is 1 (grey) or 3 (colour), not {channels}.")
    return source, height_and_width(source.image_size if image_size is None else image_size), channels


def stored_examples(builder: tfds.core.DatasetBuilder, name: str, split: str) -> tf.data.Dataset:
    """The examples as they are stored, in a fixed order.

    Raises:
        InputError: there is no such split, or it is empty.
    """
    # Without TFDS's own cache: it complains of every dataset that is not read to its end.
    config = tfds.ReadConfig(try_autocache=False)
    try:
        dataset = builder.as_dataset(split=split, shuffle_files=False, read_config=config)
        # A slice that ends before it begins has less than no examples.
        empty = bool(builder.info.splits) and builder.info.splits[split].num_examples < 1
    except Exception as error:  # TFDS raises ValueError, AssertionError, KeyError and more for what it cannot parse
        raise InputError(
            f"{split!r} is no split of {name} ({_first_line(error)}): e.g. train or train[:1000]."
        ) from error
    if empty:
        raise InputError(f"The split {split!r} of {name} is empty: e.g. train or train[:1000].")
    return dataset


def shaped(image: tf.Tensor, size: tuple[int, int] | None, channels: int) -> tf.Tensor:
    """One image (H, W, C) float in [0, 255], brought to `size` and `channels` (0 and None keep its own), in [-1, 1]."""
    if size is not None:
        stored = tf.cast(tf.shape(image)[:2], tf.float64)
        crop = tf.reduce_min(stored / size) * tf.constant(size, tf.float64)
        height, width = tf.unstack(tf.maximum(tf.cast(tf.round(crop), tf.int32), 1))
        image = tf.image.resize_with_crop_or_pad(image, height, width)
        # Averaging where it shrinks, so that thin strokes do not vanish.
        image = tf.image.resize(image, size, antialias=True)
    if channels == 1 and image.shape[-1] == 3:
        image = tf.image.rgb_to_grayscale(image)
    elif channels == 3 and image.shape[-1] == 1:
        image = tf.image.grayscale_to_rgb(image)
    return tf.clip_by_value(image / 127.5 - 1.0, -1.0, 1.0)


def prepared_image(image: tf.Tensor, source: Source, size: tuple[int, int] | None, channels: int) -> tf.Tensor:
    """A stored image uint8 (H, W, C), upright, white on black, and as `shaped`."""
    stored = tuple(image.shape)
    image = tf.cast(image, tf.float32)
    if source.invert:
        image = 255.0 - image
    if source.transpose:
        image = tf.transpose(image, [1, 0, 2])
    unchanged = size is None or tuple(image.shape[:2]) == size
    image = shaped(image, None if unchanged else size, channels)
    if size is not None:
        image = tf.ensure_shape(image, (*size, channels or stored[-1]))
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

    try:
        return dataset.filter(chosen)
    except (TypeError, ValueError) as error:  # a text for a number, say
        raise InputError(f"{keys[-1]} of {name} cannot be {values!r}: choose by values of its own type.") from error


def number(name: str, key: str, feature: Any, value: Any) -> Any:
    """What the dataset stores for `value`: the number of a class's name, else the value itself."""
    if not isinstance(feature, tfds.features.ClassLabel):
        return value
    if isinstance(value, str):
        names = feature.names or []
        if value not in names:
            raise InputError(f"{name} has no {key} {value!r}.{suggest(value, names)}")
        return names.index(value)
    known = feature.num_classes or 1 << 62
    if not isinstance(value, int | np.integer) or not 0 <= value < known:
        raise InputError(f"{name} has no {key} {value!r}: they run from 0 to {known - 1}.")
    return int(value)


def prepared_builder(name: str, data_dir: str | os.PathLike | None, download: bool) -> tfds.core.DatasetBuilder:
    """The dataset's builder, its data being there; errors as `load`."""
    root = pathlib.Path(data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets").expanduser()
    if not _NAME.fullmatch(name) or len(name) > 200:
        raise InputError(
            f"There is no dataset or folder {name[:100]!r}: give a name like mnist or emnist/letters, or a path."
        )
    if name.split("/")[0] in _GENERATED:
        return _generated(name, root)
    try:
        builder = tfds.builder(name, data_dir=root)
    except tfds.core.DatasetNotFoundError:
        versions = sorted(root.joinpath(name).glob("*/dataset_info.json"))
        if versions:
            return _from_directory(versions[-1].parent)
        if name in SOURCES:
            raise InputError(f"{name} is not in {root}: set TFDS_DATA_DIR to the folder that holds it.") from None
        known = [*SOURCES, *tfds.list_builders(with_community_datasets=False)]
        raise InputError(f"There is no dataset or folder {name!r}.{suggest(name, known)}") from None
    except Exception as error:  # TFDS raises ValueError, AssertionError, ImportError and more
        raise _unusable(name, error) from error
    try:
        prepared = builder.is_prepared()
    except Exception as error:
        raise _unusable(name, error) from error
    if prepared:
        return builder
    advice = "set TFDS_DATA_DIR to the folder that holds it"
    if not download:
        raise InputError(f"{name} is not in {root}: {advice}, or allow the download.")
    if not is_writable(root):
        raise InputError(f"{name} is not in {root}, which is read-only: {advice}, or to one that it can be put into.")
    prepare = f"or prepare it where there is one: tfds build {name} --data_dir {root}"
    _ask_for_network(builder, root)
    try:
        builder.download_and_prepare()
    except Exception as error:  # whatever network, disk and TFDS raise
        raise InputError(
            f"{name} is not in {root} and could not be downloaded ({_first_line(error)}): {advice}, connect to the "
            f"network, {prepare}."
        ) from error
    return builder


def _unusable(name: str, error: Exception) -> InputError:
    dataset, _, rest = name.partition("/")
    config = rest.split(":")[0]
    with contextlib.suppress(Exception):  # there is no such dataset, or no way to load it
        known = [f"{dataset}/{one}" for one in tfds.builder_cls(dataset).builder_configs]
        if config and f"{dataset}/{config}" not in known:
            choice = ", ".join(known[:10]) or dataset
            return InputError(f"There is no {name}: choose of {choice}.{suggest(name, known)}")
    reason = str(error).split('": ', 1)[-1].strip() or type(error).__name__
    return InputError(f"{name} cannot be used ({reason.splitlines()[0][:160]}): check its name and version.")


def _from_directory(folder: pathlib.Path) -> tfds.core.DatasetBuilder:
    try:
        return tfds.builder_from_directory(folder)
    except Exception as error:
        raise InputError(f"{folder} is no dataset in TFDS form ({_first_line(error)}): prepare it anew.") from error


def _ask_for_network(builder: tfds.core.DatasetBuilder, root: pathlib.Path) -> None:
    """Lets the builder find out that there is no network before it downloads, which it would try for minutes."""
    downloads = root / "downloads"
    cached = downloads.is_dir() and any(downloads.iterdir())
    begin = getattr(builder, "_make_download_manager", None)  # no public part of TFDS is called as late
    # A user's own builder may need no network.
    if begin is None or cached or not type(builder).__module__.startswith("tensorflow_datasets."):
        return

    def begin_with_network(*arguments, **options):
        if not _reachable(builder):
            raise ConnectionError("there is no network")
        return begin(*arguments, **options)

    builder._make_download_manager = begin_with_network


def _reachable(builder: tfds.core.DatasetBuilder) -> bool:
    """Whether the proxy, a place that TFDS fetches from, or the dataset's own home answers within some seconds."""
    proxies = [urllib.parse.urlsplit(proxy) for kind, proxy in urllib.request.getproxies().items() if kind != "no"]
    homes = [urllib.parse.urlsplit(page) for page in ("https://storage.googleapis.com", str(builder.info.homepage))]
    answered = threading.Event()

    def ask(host: str, port: int) -> None:
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=_PATIENCE):
            answered.set()

    asked = []
    for place in proxies or homes:
        with contextlib.suppress(ValueError):  # a port that is no number
            address = (place.hostname, place.port or (443 if place.scheme == "https" else 80))
            # A thread, as looking up a name has no time limit of its own; a daemon, so that nobody waits for it.
            asked.append(threading.Thread(target=ask, args=address, daemon=True))
    for thread in asked:
        thread.start()
    end = time.monotonic() + _PATIENCE
    while not answered.wait(0.05) and time.monotonic() < end and any(thread.is_alive() for thread in asked):
        pass
    return answered.is_set()


def _generated(name: str, root: pathlib.Path) -> tfds.core.DatasetBuilder:
    """A dataset generated on first use; in a temporary folder where the data folder cannot be written."""
    module, _, config = name.partition("/")
    builder_class = getattr(importlib.import_module(f"kerasinterp.data.generated.{module}"), _GENERATED[module])
    if config and config not in builder_class.builder_configs:
        known = [f"{module}/{one}" for one in builder_class.builder_configs] or [module]
        raise InputError(f"There is no {name}: choose of {', '.join(known)}.{suggest(name, known)}")
    try:
        builder = builder_class(config=config or None, data_dir=root)
        if builder.is_prepared():
            return builder
        if not is_writable(root):
            user = os.getuid() if hasattr(os, "getuid") else "user"
            root = pathlib.Path(tempfile.gettempdir(), f"kerasinterp-{user}")
            builder = builder_class(config=config or None, data_dir=root)
        tfds.disable_progress_bar()
        builder.download_and_prepare()
    except Exception as error:
        reason = _of_the_disk(error)
        if reason is None:
            raise
        raise InputError(
            f"{name} cannot be written to {root} ({reason}): free some space there, or set TFDS_DATA_DIR to another "
            "folder."
        ) from error
    return builder


def _of_the_disk(error: BaseException | None) -> str | None:
    """What the system said, if it is behind the error: TFDS writes through TensorFlow, and wraps what that raises."""
    while error is not None:
        if isinstance(error, OSError):
            return error.strerror or str(error)
        if isinstance(error, tf.errors.OpError):
            return error.message.rpartition("; ")[2][:160]
        error = error.__cause__ or error.__context__
    return None


def is_writable(folder: pathlib.Path) -> bool:
    """Whether this process may make files in the folder, or in the nearest one above it that there is."""
    while not folder.exists():
        folder = folder.parent
    # The mode is looked at too: the system lets its administrator write into folders marked as read-only.
    return bool(folder.stat().st_mode & 0o222) and os.access(folder, os.W_OK)
