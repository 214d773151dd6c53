"""Errors that a user can mend, each one clear sentence."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something that the caller gave cannot be used; the message says what is wrong and what to do."""


class SizeError(InputError):
    """Images of a size that a network cannot make.

    Attributes:
        network: what it is called.
        divisor: of both sides that it can make.
        size: the height and width that were asked for, in pixels.
        nearest: those nearest to them that it can make.
    """

    def __init__(self, network: str, divisor: int, size: tuple[int, int], nearest: tuple[int, int] | None = None):
        self.network, self.divisor, self.size = network, divisor, size
        # Halves are rounded up.
        self.nearest = nearest or tuple(max(1, (2 * side + divisor) // (2 * divisor)) * divisor for side in size)
        super().__init__(
            "{} needs image sides divisible by {}, got {} x {} pixels: {} x {} is the nearest (height x width).".format(
                network, divisor, *size, *self.nearest
            )
        )


def suggest(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean 'x'?` with the known name nearest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
