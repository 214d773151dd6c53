"""What every form is made of: batches that are functions of their number, so that training can stop and go on."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasinterp.data.convert import to_float
from kerasinterp.data.examples import Examples
from kerasinterp.data.stored import Stored
from kerasinterp.errors import InputError

_AHEAD = 8  # batches that are made before they are asked for; left to TensorFlow they grow to thousands, gigabytes


def as_examples(images: Examples | np.ndarray | Stored, labels: np.ndarray | None) -> Examples:
    """One `Examples` of either.

    Raises:
        InputError: as `Examples`; or labels are given beside examples, which bring their own.
    """
    if not isinstance(images, Examples):
        return Examples(images, labels)
    if labels is not None:
        raise InputError("Examples bring labels of their own: put others into them by dataclasses.replace.")
    return images


def check_numbers(batch_size: int, seed: int, start_step: int, steps: int | None) -> None:
    """Raises InputError for numbers that are not whole, or too small or too large."""
    for name, number, least, most in (
        ("batch_size", batch_size, 1, 2**31 - 1),
        ("seed", seed, -(2**63), 2**63 - 1),
        ("start_step", start_step, 0, 2**40),
        ("steps", 1 if steps is None else steps, 0, 2**40),
    ):
        if not isinstance(number, int | np.integer) or not least <= number <= most:
            raise InputError(f"{name} is a whole number from {least} to {most}, not {number!r}.")


def on_host(array: np.ndarray) -> tf.Tensor:
    """A tensor in the processor's memory, whatever the machine has: accelerators get the batches alone.

    Tensors are captured by reference: arrays would be copied into the graph.
    """
    with tf.device("CPU:0"):
        return tf.constant(array)


def gathered(images: np.ndarray | Stored, indices: tf.Tensor) -> tf.Tensor:
    """The images chosen, float32 in [-1, 1]; points as they are.

    They are taken from where they are: a tensor of all would be a copy, and two more while it is made.
    """
    take = images.read if isinstance(images, Stored) else images.__getitem__
    # Of what is stateful, deterministic pipelines would make one batch after another.
    drawn = tf.numpy_function(take, [indices], images.dtype, stateful=False)
    drawn = tf.ensure_shape(drawn, (*indices.shape, *images.shape[1:]))
    return to_float(drawn) if images.dtype == np.uint8 else drawn


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
        tf.data.Dataset.range(start_step, end).map(batch, tf.data.AUTOTUNE, deterministic=True).prefetch(_AHEAD)
    )


def without_autotuning(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """The same examples; `fit` then does not wait, at its end, for a tuning thread that sleeps up to a minute."""
    options = tf.data.Options()
    options.autotune.enabled = False
    return dataset.with_options(options)
