"""Files that are there whole or not at all."""

import contextlib
import os
import pathlib
from collections.abc import Iterator


@contextlib.contextmanager
def written_whole(path: str | os.PathLike) -> Iterator[pathlib.Path]:
    """Yields a place beside `path` to write to, which is moved there at the end, or removed when something is raised.

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
        partial.replace(path)
    except OSError as error:
        if error.filename in (None, str(partial)):
            error.filename = str(path)
        raise
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
