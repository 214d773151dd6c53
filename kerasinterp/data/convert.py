"""The two doors between stored images (uint8) and the images that networks see (float32 in [-1, 1])."""

import io
import operator
from collections.abc import Iterator

import numpy as np
import tensorflow as tf
from PIL import Image

from kerasinterp.errors import InputError

_TOLERANCE = 1e-3  # tanh outputs and resized images may pass the bounds by rounding
_LIGHT = 0.5  # images in [0, 1] have darker pixels than this; images in [-1, 1] without any are of white paper
_LONGEST = 16_384  # pixels a side
_PIECE, _PIECE_BYTES = 1000, 2**24  # images, and bytes, that are decoded before they are passed on
EMPTY = "The dataset has no images: check its name, split and classes."


def to_float(images: np.ndarray | tf.Tensor) -> np.ndarray | tf.Tensor:
    """uint8 in [0, 255] -> float32 in [-1, 1], of any shape; a tensor gives a tensor."""
    if tf.is_tensor(images):
        return tf.cast(images, tf.float32) / 127.5 - 1.0
    return np.asarray(images, np.float32) / np.float32(127.5) - np.float32(1.0)


def to_uint8(images: np.ndarray | tf.Tensor) -> np.ndarray | tf.Tensor:
    """Float in [-1, 1] -> uint8 in [0, 255], rounded; values beyond the range are clipped. A tensor gives a tensor."""
    if tf.is_tensor(images):
        return tf.cast(tf.clip_by_value(tf.round((tf.cast(images, tf.float32) + 1.0) * 127.5), 0.0, 255.0), tf.uint8)
    return np.clip(np.rint((np.asarray(images, np.float32) + 1.0) * 127.5), 0, 255).astype(np.uint8)


def from_array(images: np.ndarray, labels: np.ndarray | None = None) -> tf.data.Dataset:
    """A dataset of the images of an array, in order.

    Args:
        images: (N, H, W) or (N, H, W, C), C being 1 or 3: uint8 in [0, 255] or float in [-1, 1].
        labels: integers (N,); the dataset then gives (image, label).

    Returns:
        float32 (H, W, C) in [-1, 1].

    Raises:
        InputError: for another rank, type, range or number.
    """
    images = checked_array(images)
    dataset = tf.data.Dataset.from_tensor_slices(images).map(to_float)
    if labels is None:
        return dataset
    labels = np.asarray(labels)
    if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
        raise InputError(f"labels are {labels.dtype} {labels.shape}: give an integer for each of {len(images)} images.")
    return tf.data.Dataset.zip((dataset, tf.data.Dataset.from_tensor_slices(labels.astype(np.int64))))


def checked_array(images: np.ndarray) -> np.ndarray:
    """The images as uint8 (N, H, W, C); errors as `from_array`."""
    return as_stored(checked_form(images))


def checked_form(images: np.ndarray) -> np.ndarray:
    """The images (N, H, W, C) of the type that they have; errors as `from_array`."""
    try:
        images = images if isinstance(images, np.memmap) else np.asarray(images)
    except ValueError as error:
        raise InputError("images differ in shape: resize them to one shape first.") from error
    shape = images.shape
    if images.ndim == 3 and shape[-1] in (1, 3):
        raise InputError(f"images have shape {shape}, which looks like one image: pass images[np.newaxis].")
    if images.ndim == 4 and shape[-1] not in (1, 3) and shape[1] in (1, 3):
        raise InputError(f"images have shape {shape}: put the channels last, images.transpose(0, 2, 3, 1).")
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or not images.size:
        raise InputError(f"images have shape {shape}: give (N, H, W), or (N, H, W, C) with 1 or 3 channels.")
    check_values(images)
    return images


def as_stored(images: np.ndarray) -> np.ndarray:
    """uint8 in [0, 255], of that or of float in [-1, 1]."""
    return images if images.dtype == np.uint8 else to_uint8(images)


def check_values(images: np.ndarray, name: str = "images", *, drawn: bool = False) -> None:
    """Raises InputError unless images are uint8 in [0, 255] or float in [-1, 1]: the one rule of every door.

    Args:
        images: an array with at least one value.
        name: what to call them in an error.
        drawn: as `check_range`.
    """
    if images.dtype == np.uint8:
        if not drawn and images.max() == 1:
            raise InputError(f"{name} hold 0 and 1 only, which is black, as uint8: give 0 and 255 for black and white.")
    elif images.dtype.kind != "f":
        raise InputError(f"{name} are {images.dtype}: give uint8 in [0, 255] or float32 in [-1, 1].")
    else:
        check_range(images.min(), images.max(), name, drawn=drawn)


def check_range(low: float, high: float, name: str = "images", *, drawn: bool = False) -> None:
    """Raises InputError for float images that are not in [-1, 1], or that look like [0, 1].

    Args:
        low, high: the least and the greatest value, numbers or tensors with a value; NaN for images that hold one.
        name: what to call the images in an error.
        drawn: they only go into a picture. What a model makes of nothing may look like [0, 1], and is drawn as it is.
    """
    low, high = float(low), float(high)
    if not np.isfinite([low, high]).all():
        raise InputError(f"{name} hold values that are not finite (NaN or infinity): remove them first.")
    if low < -1.0 - _TOLERANCE or high > 1.0 + _TOLERANCE:
        raise InputError(
            f"{name} range from {low:.4g} to {high:.4g}: scale them to [-1, 1] (x / 127.5 - 1), or give uint8."
        )
    if not drawn and 0.0 <= low < _LIGHT and high > 0.0:
        raise InputError(
            f"{name} range from {low:.4g} to {high:.4g}, which looks like [0, 1]: pass 2 * x - 1, in [-1, 1]."
        )


def height_and_width(image_size: int | tuple[int, int] | None) -> tuple[int, int] | None:
    """The size asked for, one number meaning a square; None stays None.

    Raises:
        InputError: no whole numbers from 1 to 16,384.
    """
    if image_size is None:
        return None
    sides = image_size if isinstance(image_size, tuple | list) else (image_size, image_size)
    try:
        if len(sides) != 2 or any(isinstance(side, bool) for side in sides):
            raise TypeError
        height, width = (operator.index(side) for side in sides)
    except TypeError:
        raise InputError(f"image_size is a whole number, or (height, width), not {image_size!r}.") from None
    if not (1 <= height <= _LONGEST and 1 <= width <= _LONGEST):
        raise InputError(f"image_size is 1 or more, and at most {_LONGEST:,}, not {image_size}.")
    return height, width


def as_array(dataset: tf.data.Dataset, limit: int | None = None) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The dataset's images as uint8 (N, H, W, C), or with their labels if it has them.

    Args:
        dataset: images float32 (H, W, C) in [-1, 1], or pairs (image, label); all of one size, not batched.
        limit: at most so many.

    Raises:
        InputError: if there are none, or their files are damaged.
    """
    if limit is not None:
        dataset = dataset.take(limit)
    parts = list(pieces(dataset))
    if not parts:
        raise InputError(EMPTY)
    images = np.concatenate([images for images, _ in parts])
    labelled = isinstance(dataset.element_spec, tuple)
    return (images, np.concatenate([labels for _, labels in parts])) if labelled else images


def single_shape(dataset: tf.data.Dataset) -> tuple[int, int, int]:
    """The (H, W, C) of a dataset's images.

    Raises:
        InputError: they are batches, or differ in size.
    """
    spec = dataset.element_spec
    shape = (spec[0] if isinstance(spec, tuple) else spec).shape
    if shape.rank != 3 or not shape.is_fully_defined():
        raise InputError(f"The dataset's images have shape {shape}: give single images (H, W, C) of one size.")
    return tuple(shape)


def pieces(dataset: tf.data.Dataset) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """The images of a dataset as `as_array` takes it, as uint8 (n, H, W, C), with their labels or None; part by part.

    Raises:
        InputError: as `single_shape`, or its files are damaged.
    """
    size = int(np.prod(single_shape(dataset)))
    labelled = isinstance(dataset.element_spec, tuple)

    def stored(image, *label):
        return (to_uint8(image), *label)

    batches = dataset.map(stored, tf.data.AUTOTUNE).batch(max(1, min(_PIECE, _PIECE_BYTES // size)))
    try:
        for images, *labels in batches.as_numpy_iterator():
            yield images, labels[0] if labelled else None
    except tf.errors.OpError as error:
        reason = (error.message.rpartition("}} ")[2].strip().splitlines() or [type(error).__name__])[0][:160]
        raise InputError(f"The dataset cannot be read ({reason}): prepare it anew.") from error


def png_file(image: np.ndarray) -> io.BytesIO:
    """A uint8 image (H, W) or (H, W, 3) as a PNG file in memory; TFDS takes it, and its own encoder is much slower."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    file.seek(0)
    return file
