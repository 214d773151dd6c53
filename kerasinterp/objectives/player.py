"""Who plays a system's game."""

import contextlib
import dataclasses
import functools
from collections.abc import Iterator

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Player:
    """Some networks, trained by one optimizer to minimise the weighted sum of some terms (each a mean over the batch).

    Attributes:
        every: acts on every n-th slice of a batch only (n generator steps to one of a critic's, or the other way).
        turn: (n, period), acts in the epochs whose number, from 0, leaves n when divided by the period; (1, 2) are the
            odd ones (RotNet before each epoch of MMDC's clustering).
    """

    name: str
    networks: tuple[str, ...]
    terms: tuple[str, ...]
    every: int = 1
    turn: tuple[int, int] = (0, 1)

    def acts_in(self, epoch: int) -> bool:
        return epoch % self.turn[1] == self.turn[0]


@contextlib.contextmanager
def at_share(optimizer: keras.optimizers.Optimizer, share: tf.Tensor | None) -> Iterator[None]:
    """Within it, the optimizer steps at that share of its learning rate, whether that is a number or a schedule."""
    if share is None:
        yield
        return
    whole = functools.partial(type(optimizer).update_step, optimizer)
    optimizer.update_step = lambda gradient, variable, rate: whole(
        gradient, variable, tf.cast(share, rate.dtype) * rate
    )
    try:
        yield
    finally:
        optimizer.__dict__.pop("update_step", None)  # another replica may have come and gone meanwhile


def mean_gradient(term: tf.Tensor) -> tf.Tensor:
    """The gradient of the mean of `term` at `term`."""
    return tf.fill(tf.shape(term), 1.0 / tf.cast(tf.size(term), term.dtype))
