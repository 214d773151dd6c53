"""Notes: what a user should know of data that is used nevertheless."""

import sys
import warnings


class Note(UserWarning):
    """One sentence on data that is used, but perhaps not as it was meant: what was left out, say."""


def note(text: str) -> None:
    """Warns of `text` at the line outside this package that led here."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == "kerasinterp":
        level, frame = level + 1, frame.f_back
    warnings.warn(text, Note, stacklevel=level)
