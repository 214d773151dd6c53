"""Pairs of images of one class."""

import numpy as np
import tensorflow as tf

from kerasinterp.data.examples import Examples
from kerasinterp.data.forms.numbered import as_examples, check_numbers, gathered, numbered
from kerasinterp.data.forms.sets import of_one_class
from kerasinterp.data.stored import Stored


def pairs(
    images: Examples | np.ndarray | Stored,
    batch_size: int,
    *,
    labels: np.ndarray | None = None,
    seed: int = 0,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Batches `{"c", "other", "labels"}`: every image once a pass, and another one of its class, drawn at random.

    Arguments and errors as `sets` (of two). `c` and `other` are float32 (batch_size, H, W, C) in [-1, 1], or
    (batch_size, D); `labels` is int64 (batch_size,).
    """
    check_numbers(batch_size, seed, start_step, steps)
    examples = as_examples(images, labels)
    images, draw = examples.images, of_one_class(examples, batch_size, 2, seed)

    def batch(step: tf.Tensor) -> dict[str, tf.Tensor]:
        chosen, numbers = draw(step)
        first, second = tf.unstack(chosen, axis=1)
        return {"c": gathered(images, first), "other": gathered(images, second), "labels": numbers}

    return numbered(batch, start_step, steps)
