"""TensorFlow's own messages, kept off the terminal unless they are asked for: TF_CPP_MIN_LOG_LEVEL is 0 or 1."""

import contextlib
import importlib
import logging
import os
import pathlib
import sys
from collections.abc import Iterator


def messages_are_wanted() -> bool:
    """Whether the environment asks for them."""
    return os.environ.get("TF_CPP_MIN_LOG_LEVEL") in ("0", "1")


def import_tensorflow() -> None:
    """Imports TensorFlow, for a script: it then tells neither what it starts with nor how it traces."""
    # It reports a machine without a GPU as an error.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with importing():
        importlib.import_module("tensorflow")
    if not messages_are_wanted():
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Keeps off the terminal what TensorFlow's C++ writes while it is imported within, if it was not before."""
    if "tensorflow" in sys.modules or messages_are_wanted():
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with pathlib.Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
