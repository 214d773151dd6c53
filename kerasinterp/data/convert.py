"""The two doors between stored images (uint8) and the images that networks see (float32 in [-1, 1])."""

import io

import numpy as np
import tensorflow as tf
from PIL import Image

from kerasinterp.errors import InputError


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
    try:
        images = np.asarray(images)
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
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise InputError(f"images are {images.dtype}: give uint8 in [0, 255] or float in [-1, 1].")
    if not np.isfinite(images).all():
        raise InputError("images hold NaN or infinite values: remove them first.")
    low, high = float(images.min()), float(images.max())
    if low < -1.001 or high > 1.001:
        raise InputError(f"float images range from {low:.3g} to {high:.3g}: scale them to [-1, 1], or give uint8.")
    if low >= 0.0 and high > 0.0:
        raise InputError(
            f"float images go from {low:.3g} to {high:.3g}, which looks like [0, 1]: pass 2 * images - 1, in [-1, 1]."
        )
    return to_uint8(images)


def as_array(dataset: tf.data.Dataset, limit: int | None = None) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
    """The dataset's images as uint8 (N, H, W, C), or with their labels if it has them.

    Args:
        dataset: images float32 (H, W, C) in [-1, 1], or pairs (image, label); all of one size, not batched.
        limit: at most so many.

    Raises:
        InputError: if there are none.
    """
    if limit is not None:
        dataset = dataset.take(limit)
    labelled = isinstance(dataset.element_spec, tuple)
    image_shape = (dataset.element_spec[0] if labelled else dataset.element_spec).shape
    if image_shape.rank != 3 or not image_shape.is_fully_defined():
        raise InputError(f"The dataset's images have shape {image_shape}: give single images (H, W, C) of one size.")

    def stored(image, *label):
        return (to_uint8(image), *label)

    parts = list(dataset.map(stored, tf.data.AUTOTUNE).batch(1000).as_numpy_iterator())
    if not parts:
        raise InputError("The dataset has no images: check its name, split and classes.")
    images = np.concatenate([part[0] for part in parts])
    return (images, np.concatenate([part[1] for part in parts])) if labelled else images


def png_file(image: np.ndarray) -> io.BytesIO:
    """A uint8 image (H, W) or (H, W, 3) as a PNG file in memory; TFDS takes it, and its own encoder is much slower."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    file.seek(0)
    return file
