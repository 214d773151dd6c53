"""Progress of long steps: a bar on a terminal, and a line a minute in a log file."""

import sys
import time
from types import TracebackType

import tqdm

_PATIENCE = 3.0  # seconds: of what is done sooner nothing is shown
_PAUSE = 60.0  # seconds between two lines of a log file


class Progress:
    """How far a step is, at what rate, and how long it will take; on stderr.

    Args:
        what: a word or two on the step, `decoding` say.
        total: of the step; None if it is not known.
        unit: what is counted.
    """

    def __init__(self, what: str, total: int | None, unit: str = "images"):
        self.what, self.total, self.unit, self.done = what, total, unit, 0
        self._began = self._said = time.monotonic()
        self._bar = None
        if sys.stderr.isatty():
            self._bar = tqdm.tqdm(total=total, desc=what, unit=f" {unit}", unit_scale=True, delay=_PATIENCE)

    def update(self, count: int = 1) -> None:
        """So many more are done."""
        self.done += count
        if self._bar is not None:
            self._bar.update(count)
        elif (now := time.monotonic()) - self._said >= _PAUSE:
            self._said = now
            print(self._line(now - self._began), file=sys.stderr, flush=True)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def _line(self, seconds: float) -> str:
        rate = self.done / seconds
        if not self.total:
            return f"{self.what}: {self.done:,} {self.unit}, {rate:,.3g} a second"
        left = tqdm.tqdm.format_interval((self.total - self.done) / rate) if rate else "?"
        return f"{self.what}: {self.done:,} of {self.total:,} {self.unit}, {rate:,.3g} a second, {left} left"
