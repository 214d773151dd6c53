"""Errors that a user can mend, each one clear sentence."""

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something that the caller gave cannot be used; the message says what is wrong and what to do."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Returns ` Did you mean 'x'?` with the known name nearest to `name`, or an empty string."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
