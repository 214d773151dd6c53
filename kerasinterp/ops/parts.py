"""Many rows through a function, some at a time."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

AT_ONCE = 256  # rows; bounds memory


def in_parts(function: Callable[..., tf.Tensor], *rows: np.ndarray | tf.Tensor, size: int = AT_ONCE) -> np.ndarray:
    """`function(*rows)`, a row each (N, ...), of at most `size` rows at a time."""
    starts = range(0, len(rows[0]), size)
    return np.concatenate([np.asarray(function(*(one[start : start + size] for one in rows))) for start in starts])
