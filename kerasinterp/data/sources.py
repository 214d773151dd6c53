"""Datasets by name, each in the form that the models need."""

import dataclasses
import os
import pathlib
import tempfile
from collections.abc import Iterable, Mapping

import tensorflow as tf

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
}


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
    where: Mapping[str, bool] | None = None,
    labels: bool = False,
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
        where: only images whose attributes are as said (Celeb-A).
        labels: give pairs (image, int64 label).
        data_dir: where datasets are; by default the environment's TFDS_DATA_DIR, else ~/tensorflow_datasets.
        download: fetch what is missing.

    Raises:
        InputError: unknown name, split, class or attribute, or data that is not there and cannot be fetched.
    """
    source = SOURCES.get(name.split("/")[0], Source("", image_size, channels or 0))
    channels = source.channels if channels is None else channels
    if channels not in (0, 1, 3):
        raise InputError(f"channels is 1 (grey) or 3 (colour), not {channels}.")
    builder = _builder(name, data_dir, download)
    info = builder.info
    known = [*info.splits]
    base = [part.split("[")[0].strip() for part in str(split).split("+")]
    for part in base:
        if part not in known and part != "all":
            raise InputError(f"{name} has no split {part!r}: choose of {', '.join(known)}.{suggest(part, known)}")
    image_key = next((key for key, feature in info.features.items() if _is_image(feature)), None)
    if image_key is None:
        raise InputError(f"{name} has no images: its features are {', '.join(info.features)}.")
    if labels and source.label not in info.features:
        raise InputError(f"{name} has no feature {source.label!r} for labels: its features are {', '.join(info.features)}.")
    dataset = builder.as_dataset(split=split, shuffle_files=False)
    if classes is not None:
        wanted = tf.constant([_class_number(info, name, source.label, value) for value in classes], tf.int64)
        dataset = dataset.filter(lambda example: tf.reduce_any(tf.equal(example[source.label], wanted)))
    for attribute, value in (where or {}).items():
        attributes = info.features.get("attributes", {})
        if attribute not in attributes:
            raise InputError(f"{name} has no attribute {attribute!r}.{suggest(attribute, attributes)}")
        dataset = dataset.filter(lambda example, a=attribute, v=value: tf.equal(example["attributes"][a], v))
    size = image_size or source.image_size

    def prepare(example):
        image = _prepare(example[image_key], source, size, channels)
        return (image, tf.cast(example[source.label], tf.int64)) if labels else image

    return dataset.map(prepare, tf.data.AUTOTUNE, deterministic=True)


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


def _prepare(image: tf.Tensor, source: Source, size: int | None, channels: int) -> tf.Tensor:
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
    import tensorflow_datasets as tfds

    return isinstance(feature, tfds.features.Image)


def _class_number(info, name: str, label: str, value: int | str) -> int:
    feature = info.features[label]
    if isinstance(value, str):
        names = getattr(feature, "names", None) or []
        if value not in names:
            raise InputError(f"{name} has no class {value!r}.{suggest(value, names)}")
        return names.index(value)
    if not 0 <= int(value) < getattr(feature, "num_classes", 1 << 62):
        raise InputError(f"{name} has no class {value}: they run from 0 to {feature.num_classes - 1}.")
    return int(value)


def _builder(name: str, data_dir: str | os.PathLike | None, download: bool):
    import tensorflow_datasets as tfds

    root = pathlib.Path(data_dir or os.environ.get("TFDS_DATA_DIR") or pathlib.Path("~/tensorflow_datasets").expanduser())
    if name == "glyphs":
        from kerasinterp.data.glyphs import Glyphs

        return _generated(Glyphs, root)
    try:
        builder = tfds.builder(name, data_dir=root)
    except tfds.core.DatasetNotFoundError:
        versions = sorted(root.joinpath(name).glob("*/dataset_info.json"))
        if versions:
            return tfds.builder_from_directory(versions[-1].parent)
        if name in SOURCES:
            raise InputError(f"{name} is not in {root}: set TFDS_DATA_DIR to the folder that holds it.") from None
        known = [*SOURCES, *tfds.list_builders(with_community_datasets=False)]
        raise InputError(f"No dataset or folder {name!r}.{suggest(name, known)}") from None
    except ValueError as error:
        raise InputError(f"{name}: {str(error).splitlines()[0]}") from error
    if not builder.data_path.exists():
        if not download:
            raise InputError(f"{name} is not in {root}: set TFDS_DATA_DIR to the folder that holds it, or allow download.")
        try:
            builder.download_and_prepare()
        except Exception as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(
                f"{name} is not in {root} and could not be downloaded ({first[:120]}): set TFDS_DATA_DIR to the folder "
                "that holds it, or connect to the network."
            ) from error
    return builder


def _generated(cls: type, root: pathlib.Path):
    """A builder of ours, generated on first use; in a temporary folder where the data folder cannot be written."""
    import tensorflow_datasets as tfds

    builder = cls(data_dir=root)
    if builder.data_path.exists():
        return builder
    tfds.disable_progress_bar()
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError:
        user = os.getuid() if hasattr(os, "getuid") else "user"
        builder = cls(data_dir=pathlib.Path(tempfile.gettempdir(), f"kerasinterp-{user}"))
    builder.download_and_prepare()
    return builder
