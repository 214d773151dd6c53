"""A batch on its way into a step: images brought to their range, and slices."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf

from kerasinterp.data.convert import to_float
from kerasinterp.errors import InputError
from kerasinterp.ops import replicas

_RANGE = "images range beyond [-1, 1], look like [0, 1], or are not finite: give uint8, or float in [-1, 1]"
_CLASSES = "labels are not all from 0 to the number of classes less 1: build the networks for as many classes"


def as_images(value: Any) -> Any:
    """Images (B, ..., H, W, C) as float32 in [-1, 1], of uint8 or of floats, whose range is looked at; others as given.

    Raises:
        InputError: integers of another type.
    """
    if len(value.shape) < 4:
        return value
    if value.dtype == tf.uint8:
        return to_float(value)
    if not tf.as_dtype(value.dtype).is_floating:
        raise InputError(f"images are {tf.as_dtype(value.dtype).name}: give uint8 in [0, 255] or float in [-1, 1].")
    low, high = tf.reduce_min(value), tf.reduce_max(value)
    # One bright image may have no value below 0; several hardly.
    from_zero = (low >= 0.0) & (high > 0.0) & (tf.shape(value)[0] > 1)
    right = (low >= -1.001) & (high <= 1.001) & ~from_zero  # not for NaN either
    with tf.control_dependencies([tf.debugging.Assert(right, [_RANGE])]):
        return tf.identity(tf.cast(value, tf.float32))


def one_hot(labels: tf.Tensor | None, classes: int, kind: str) -> tf.Tensor:
    """The classes (B,), integers from 0, as rows (B, classes) of Keras' floatx.

    Raises:
        InputError: there are none, or they are no classes.
        tf.errors.InvalidArgumentError: with `_CLASSES`, when it runs: one that there is not.
    """
    if labels is None or labels.shape.rank != 1 or not labels.dtype.is_integer:
        raise InputError(
            f"{kind} learns from classes: pass kerasinterp.data.batches of labelled examples to fit, or integers (B,)."
        )
    known = tf.reduce_all((labels >= 0) & (labels < classes))
    with tf.control_dependencies([tf.debugging.Assert(known, [_CLASSES])]):
        return tf.one_hot(labels, classes, dtype=keras.config.floatx())


@contextlib.contextmanager
def in_one_sentence() -> Iterator[None]:
    """What a step finds out about a batch, as InputError."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        for known in (_RANGE, _CLASSES, replicas.UNEQUAL):
            if known in error.message:
                raise InputError(f"{known}.") from None
        raise


def weigh_nothing(kind: str, *weights: Any) -> None:
    """Raises InputError if a step is given weights of samples or classes."""
    if any(weight is not None for weight in weights):
        raise InputError(f"{kind} weighs all images alike: leave sample_weight and class_weight out.")


def needs_places(batch: dict[str, tf.Tensor], model: Any) -> None:
    """Raises InputError if the batch does not say which images of the dataset it holds."""
    if "place" not in batch:
        raise InputError(
            f"{type(model).__name__} learns something for each image: pass kerasinterp.data.batches(..., places=True) "
            "to fit."
        )


def slices(batch: dict[str, tf.Tensor], count: int) -> list[dict[str, tf.Tensor]]:
    """The batch cut into `count` equal ones; on several devices each is a share of a slice of the whole batch.

    Raises:
        InputError: its size is no multiple of `count`.
    """
    if count == 1:
        return [batch]
    size = next(iter(batch.values())).shape[0]
    if size is not None and size % count:
        raise InputError(f"A batch of {size} cannot be cut into {count} equal slices: choose another batch_size.")
    parts = {key: tf.split(replicas.redealt(value, count), count) for key, value in batch.items()}
    return [{key: part[number] for key, part in parts.items()} for number in range(count)]
