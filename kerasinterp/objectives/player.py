"""Who plays a system's game."""

import contextlib
import dataclasses
import functools
import math
from collections.abc import Iterator

import keras
import tensorflow as tf

from kerasinterp.errors import InputError, suggest


@dataclasses.dataclass(frozen=True)
class Player:
    """Some networks, trained by one optimizer to minimise the weighted sum of some terms (each a mean over the batch).

    Attributes:
        every: acts on every n-th slice of a batch only (n generator steps to one of a critic's, or the other way).
        turn: (n, period), acts in the epochs whose number, from 0, leaves n when divided by the period; (1, 2) are the
            odd ones (MMDC's clustering, after an epoch of RotNet each), (0, 1) all, and (1, 1) none.
    """

    name: str
    networks: tuple[str, ...]
    terms: tuple[str, ...]
    every: int = 1
    turn: tuple[int, int] = (0, 1)

    def acts_in(self, epoch: int) -> bool:
        return epoch % self.turn[1] == self.turn[0]


def in_turns(players: tuple[Player, ...], turns: dict[str, tuple[int, int]]) -> tuple[Player, ...]:
    """The players with other turns, by name.

    Raises:
        InputError: no such player, no such turn, or an epoch in which nobody would act.
    """
    names = [player.name for player in players]
    for name, turn in turns.items():
        if name not in names:
            raise InputError(f"There is no player {name!r}: choose of {', '.join(names)}.{suggest(name, names)}")
        if len(turn) != 2 or turn[0] < 0 or turn[1] < 1:
            raise InputError(f"The turn of {name} is (n, period), 0 or more and 1 or more, not {tuple(turn)}.")
    found = tuple(
        dataclasses.replace(one, turn=tuple(turns[one.name])) if one.name in turns else one for one in players
    )
    for epoch in range(math.lcm(*(player.turn[1] for player in found))):
        if not any(player.acts_in(epoch) for player in found):
            raise InputError(f"In epoch {epoch}, counted from 0, no player acts: give turns that fill every epoch.")
    return found


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
