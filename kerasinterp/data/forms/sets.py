"""Sets of images of one class."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.data.forms.numbered import as_examples, check_numbers, gathered, indices, numbered, on_host
from kerasinterp.data.stored import Stored
from kerasinterp.errors import InputError


def sets(
    images: Examples | np.ndarray | Stored,
    batch_size: int,
    size: int,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches `{"c", "labels"}` of sets: `size` different images of one class each.

    Every image leads one set a pass, in an order of the pass's own; the others of its set are drawn of its class. So
    classes come as often as they have images. Batch number n is a pure function of (seed, n), as `batches`.

    Args:
        images: examples; or as `batches`.
        batch_size: sets a batch.
        size: images a set.
        labels: of an array: integers (N,).
        start_step, steps: as `batches`.

    Returns:
        A dataset of dictionaries: `c` float32 (batch_size, size, H, W, C) in [-1, 1] or (batch_size, size, D), and
        `labels` int64 (batch_size,).

    Raises:
        InputError: no class labels, a class of fewer images than a set has, or arrays as `batches` refuses them.
    """
    check_numbers(batch_size, seed, start_step, steps)
    if not isinstance(size, int | np.integer) or size < 1:
        raise InputError(f"size is a whole number of images, 1 or more, not {size!r}.")
    examples = as_examples(images, labels)
    draw = of_one_class(examples, batch_size, int(size), seed)

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen, numbers = draw(step)
        return {"c": gathered(examples.images, chosen), "labels": numbers}

    return numbered(batch, start_step, steps)


def of_one_class(examples: Examples, batch_size: int, size: int, seed: int) -> Callable:
    """What gives, of a batch's number, the indices of its sets, int64 (batch_size, size), and their classes."""
    labels = examples.labels
    if labels is None or labels.ndim != 1:
        raise InputError("Images of one class are asked for, and the classes are not known: give integer labels (N,).")
    numbers, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    few = [int(number) for number, members in zip(numbers, sizes, strict=True) if members < size]
    if few:
        names = [examples.classes[number] if examples.classes else number for number in few]
        shown = ", ".join(map(repr, names[:3])) + (f" and {len(few) - 3} more" if len(few) > 3 else "")
        raise InputError(f"Sets of {size} images of a class, and these classes have fewer: {shown}. Leave them out.")
    # The images class by class: where each class begins, and at which place in it each image is.
    order = np.argsort(classes, kind="stable")
    begins = np.cumsum(sizes) - sizes
    place = np.empty(len(labels), np.int64)
    place[order] = np.arange(len(labels)) - begins[classes[order]]
    members, begins, sizes = (on_host(array) for array in (order, begins[classes], sizes[classes]))
    place, numbers, count = on_host(place), on_host(labels), len(labels)

    def draw(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        leads = indices(step, batch_size, count, seed)
        of_class, begin, first = (tf.repeat(tf.gather(array, leads), size - 1) for array in (sizes, begins, place))
        # The others are the first ones of a random order of the rest of the class: different, and never the lead.
        row = tf.repeat(step * batch_size + tf.range(batch_size, dtype=tf.int64), size - 1)
        order = tf.stack([tf.fill(tf.shape(row), tf.cast(seed, tf.int64)), row, tf.ones_like(row)], axis=1)
        rank = tf.tile(tf.range(size - 1, dtype=tf.int64), [batch_size])
        away = tf.raw_ops.RandomIndexShuffle(index=rank, seed=tf.cast(order, tf.uint32), max_index=of_class - 2)
        others = tf.gather(members, begin + (first + 1 + away) % of_class)
        chosen = tf.concat([leads[:, tf.newaxis], tf.reshape(others, [batch_size, size - 1])], axis=1)
        return chosen, tf.gather(numbers, leads)

    return draw
