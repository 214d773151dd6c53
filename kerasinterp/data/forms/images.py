"""Single images, or points."""

import numpy as np
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.data.forms.numbered import as_examples, check_numbers, gathered, indices, numbered, on_host
from kerasinterp.data.stored import Stored


def batches(
    images: Examples | np.ndarray | Stored,
    batch_size: int,
    *,
    labels: np.ndarray | None = None,
    places: bool = False,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches `{"c"}` of images, or `{"c", "labels"}`.

    Each pass over the images has an order of its own. Batch number n is a pure function of (seed, n), so a dataset that
    starts at `start_step` goes on exactly where another one stopped.

    Args:
        images: examples; or uint8 (N, H, W, C), or points of the plane or of another space float32 (N, D), which stay
            as they are.
        batch_size: all batches are full; a batch may span two passes.
        labels: of an array: integers (N,), given as int64, or attributes (N, k) of any number type, given as float32.
        places: give each image's place among `images` too, for systems that learn something for each.
        start_step: the number of the first batch.
        steps: how many batches; None for no end (then give `fit` its `steps_per_epoch`).

    Returns:
        A dataset of dictionaries: `c` float32 (batch_size, H, W, C) in [-1, 1] or (batch_size, D), and, if there are
        labels, `labels` (batch_size,) or (batch_size, k); and, if asked for, `place` int64 (batch_size,).

    Raises:
        InputError: if images or labels are no such arrays.
    """
    check_numbers(batch_size, seed, start_step, steps)
    examples = as_examples(images, labels)
    count = len(examples)
    labels = None if examples.labels is None else on_host(examples.labels)

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen = indices(step, batch_size, count, seed)
        drawn = {"c": gathered(examples.images, chosen)}
        if places:
            drawn["place"] = chosen
        return drawn if labels is None else drawn | {"labels": tf.gather(labels, chosen)}

    return numbered(batch, start_step, steps)
