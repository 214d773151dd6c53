"""Endless batches of which each is a function of its number, so that training can stop and go on anywhere."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasinterp.data.convert import to_float
from kerasinterp.errors import InputError


def batches(
    images: np.ndarray,
    batch_size: int,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches `{"c"}` of images, or `{"c", "labels"}`.

    Each pass over the images has an order of its own. Batch number n is a pure function of (seed, n), so a dataset that
    starts at `start_step` goes on exactly where another one stopped.

    Args:
        images: uint8 (N, H, W, C), or points of the plane or of another space float32 (N, D), which stay as they are.
        batch_size: all batches are full; a batch may span two passes.
        labels: integers (N,), given as int64, or attributes (N, k) of any number type, given as float32.
        start_step: the number of the first batch.
        steps: how many batches; None for no end (then give `fit` its `steps_per_epoch`).

    Returns:
        A dataset of dictionaries: `c` float32 (batch_size, H, W, C) in [-1, 1] or (batch_size, D), `labels`
        (batch_size,) or (batch_size, k).

    Raises:
        InputError: if images or labels are no such arrays.
    """
    form = (images.dtype, images.ndim) if isinstance(images, np.ndarray) and len(images) else None
    if form not in ((np.uint8, 4), (np.float32, 2)):
        raise InputError(
            "batches takes uint8 images (N, H, W, C), see kerasinterp.data.images, or float32 points (N, D)."
        )
    check_batch_size(batch_size)
    count = len(images)
    # Tensors, captured by reference: arrays would be copied into the graph.
    arrays = {"c": tf.constant(images)}
    if labels is not None:
        arrays["labels"] = tf.constant(_checked_labels(labels, count))

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen = indices(step, batch_size, count, seed)
        drawn = {key: tf.gather(array, chosen) for key, array in arrays.items()}
        return drawn if images.ndim == 2 else drawn | {"c": to_float(drawn["c"])}

    return numbered(batch, start_step, steps)


def check_batch_size(batch_size: int) -> None:
    """Raises InputError for a batch size below 1."""
    if batch_size < 1:
        raise InputError(f"batch_size is 1 or more, not {batch_size}.")


def indices(step: tf.Tensor, batch_size: int, count: int, seed: int | tf.Tensor) -> tf.Tensor:
    """Which of `count` examples batch number `step` holds: int64 (batch_size,), each once in a pass."""
    index = step * batch_size + tf.range(batch_size, dtype=tf.int64)
    # A seed for each index, since a batch may span two passes; the public wrapper takes one for all.
    seeds = tf.fill([batch_size], tf.convert_to_tensor(seed, tf.int64))
    order = tf.cast(tf.stack([seeds, index // count, tf.zeros_like(index)], axis=1), tf.uint32)
    return tf.raw_ops.RandomIndexShuffle(index=index % count, seed=order, max_index=tf.constant(count - 1, tf.int64))


def numbered(batch: Callable[[tf.Tensor], dict], start_step: int, steps: int | None) -> tf.data.Dataset:
    """`batch(n)` for n = start_step, start_step + 1, ..., `steps` of them or without end."""
    end = np.iinfo(np.int64).max if steps is None else start_step + steps
    return without_autotuning(
        tf.data.Dataset.range(start_step, end)
        .map(batch, tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )


def without_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same examples; `fit` then does not wait, at its end, for a tuning thread that sleeps up to a minute."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)


def _checked_labels(labels: np.ndarray, count: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape == (count,) and labels.dtype.kind in "iu":
        return labels.astype(np.int64)
    if labels.ndim == 2 and len(labels) == count and labels.dtype.kind in "biuf":
        return labels.astype(np.float32)
    raise InputError(
        f"labels are {labels.dtype} {labels.shape}: give integers ({count},) or numbers ({count}, k), one row an image."
    )
