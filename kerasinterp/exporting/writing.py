"""Outputs that appear under their name only when they are whole."""

import contextlib
import errno
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from kerasinterp.errors import InputError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def checked_path(path: str | os.PathLike) -> Path:
    """The path of an output or of a directory for it.

    Raises:
        InputError: if it is empty, or no text that a file can be named by.
    """
    if not isinstance(path, str | os.PathLike) or not os.fspath(path):
        raise InputError(f"The output is {path!r}: give the path of a file or folder to make.")
    text = os.fsdecode(path)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"The output {text!a} is not UTF-8, which TensorFlow needs: choose another name.") from None
    if "\0" in text:
        raise InputError(f"The output {text!r} holds a zero byte: choose another name.")
    return Path(text)


def new_path(path: str | os.PathLike) -> Path:
    """As `checked_path`, of what does not exist yet.

    Raises:
        InputError: as there, or if there is something of that name.
        OSError: if its folder cannot be searched.
    """
    path = checked_path(path)
    with _told_of(path):
        if path.is_symlink() and not path.exists():
            raise InputError(f"{path} is a link to what does not exist: remove it or choose another place.")
        if path.exists():
            raise InputError(f"{path} exists: remove it or choose another place.")
    return path


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yields a place on the same disk to write to, which is renamed to `path` at the end or removed on failure.

    Raises:
        OSError: if it cannot be written; one sentence that names `path`.
    """
    with _told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name[:100]}.", dir=path.parent) as staging:
            staged = Path(staging) / path.name
            yield staged
            staged.rename(path)


@contextlib.contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Makes of what the system or TensorFlow says one sentence that names `path`, the reason and a way out."""
    try:
        yield
    except (OSError, tf.errors.OpError) as error:
        # TensorFlow tells a full disk as one of several errors of its own.
        full = not isinstance(error, OSError) or error.errno in _FULL
        reason = error.strerror if isinstance(error, OSError) else _without_internals(error.message)
        if isinstance(error, FileExistsError | NotADirectoryError):
            (blocking, *_) = [part for part in path.parents if os.path.lexists(part)]
            reason = f"{blocking} is no folder"
        remedy = "free space or choose another place" if full else "choose another place"
        raise OSError(f"{path} cannot be written ({reason}): {remedy}.") from error


def _without_internals(message: str) -> str:
    """TensorFlow's `{{node ...}} /a/temporary/file; No space left on device [Op:SaveV2]`: what the user needs of it."""
    return re.sub(r"\{\{.*?\}\}|\[Op:.*?\]", "", message).strip().splitlines()[0].rsplit("; ", 1)[-1].strip()
