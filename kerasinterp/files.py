"""Files that are written whole or not at all, and files that are read at once or not at all."""

import contextlib
import csv
import io
import os
import pathlib
import stat
from collections.abc import Iterable, Iterator, Sequence

from kerasinterp.errors import InputError


@contextlib.contextmanager
def written_whole(path: str | os.PathLike, *, trial: bool = False) -> Iterator[pathlib.Path]:
    """Yields a place beside `path` to write to, which is moved there at the end, or removed when something is raised.

    A `trial` is removed in any case: it shows that the file can be written.

    A reader, or what is left after a kill or on a full disk, is the file as it was or the whole new one. The place's
    name begins with ".partial-" and ends as `path`'s; the directory is made.

    Raises:
        OSError: the file cannot be written; it names `path`.
    """
    path = pathlib.Path(path)
    # Processes may write the same file at once, as two of a comparison do their classifiers.
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        if not trial:
            partial.replace(path)
    except OSError as error:
        if error.errno is not None and (error.filename is None or str(partial) in (error.filename, error.filename2)):
            error.filename = str(path)
            del error.filename2  # a copy's error names both files
        raise
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def write_text(path: str | os.PathLike, text: str) -> None:
    """Writes a text, as `written_whole` does, in UTF-8."""
    with written_whole(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_rows(path: str | os.PathLike, rows: Iterable[Sequence[object]]) -> None:
    """Writes a table, its header first, as comma-separated values, as `write_text` does."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    write_text(path, text.getvalue())


def regular(path: str | os.PathLike) -> pathlib.Path:
    """Returns `path` if it is a file, which can be read at once; of a pipe, say, a reader might wait for ever.

    Raises:
        InputError: it is something else.
        FileNotFoundError: there is nothing.
    """
    path = pathlib.Path(path)
    if not stat.S_ISREG(path.stat().st_mode):
        raise InputError(f"{path} is a {'folder' if path.is_dir() else 'pipe or device'}, not a file: give a file.")
    return path


def read_text(path: str | os.PathLike) -> str:
    """The text of a `regular` file, in UTF-8; errors as there, and OSError where it cannot be read."""
    return regular(path).read_text(encoding="utf-8")
