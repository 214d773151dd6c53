"""How far a long step is: a bar on a terminal, in a log file a line a minute; nothing of what is soon done."""

import sys
from typing import TextIO

import tqdm

_LINE = "{desc}: {n_fmt} of {total_fmt}{unit} ({percentage:.0f}%), {rate_fmt}, {remaining} left{postfix}"
_ENDLESS = "{desc}: {n_fmt}{unit}, {rate_fmt}"
_EVERY = 60.0  # seconds, between two lines of a log
_FIRST = 10.0  # seconds, until the first of them
_SOON = 2.0  # seconds: what takes no longer has no bar


def bar(total: int | None, what: str, unit: str, *, done: int = 0, file: TextIO | None = None) -> tqdm.tqdm:
    """What is told of a step, with its rate and the time left; a context manager, to be moved by `update(n)`.

    Args:
        total: how many units the step has; None if that is not known.
        what: the step's name.
        unit: in the plural.
        done: units that were done before.
        file: where to; by default the standard error.
    """
    file = file or sys.stderr
    many = total is None or total >= 10_000
    common = {"total": total, "desc": what, "initial": done, "unit_scale": many, "smoothing": 0.1}
    if file.isatty():
        return tqdm.tqdm(**common, unit=unit, file=file, mininterval=0.5, delay=_SOON)
    lines, form = _Lines(file), {"bar_format": _ENDLESS if total is None else _LINE, "ncols": 10_000, "position": 0}
    pauses = {"delay": _FIRST, "mininterval": _FIRST, "maxinterval": _FIRST}
    lines.bar = tqdm.tqdm(**common, **form, **pauses, file=lines, unit=f" {unit}")
    return lines.bar


class _Lines:
    """A text file to which a bar writes lines, not carriage returns."""

    def __init__(self, file: TextIO):
        self._file, self._last, self.bar = file, "", None

    def write(self, text: str) -> None:
        line = text.strip().replace("s/ ", "s/")  # of what takes seconds each
        place = line.partition("%")[0]
        if line and place != self._last:  # a bar that ends says the last one again
            self._file.write(f"{line}\n")
            self._last = place
            if self.bar is not None:  # the first of them came earlier
                self.bar.mininterval = self.bar.maxinterval = _EVERY

    def flush(self) -> None:
        self._file.flush()
