"""Sentences for models that Keras does not load."""

import re
from pathlib import Path

import keras

from kerasinterp.errors import InputError


def why_unloadable(path: str | Path, error: Exception, written_by: str = "") -> str:
    """One sentence on why there is no model in a file or folder, and what to do.

    Args:
        path: what was to be loaded.
        error: what Keras raised.
        written_by: the version of Keras that wrote it; "" if that is not known.
    """
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return f"{path} cannot be used: {text}"
    if "safe_mode" in text or "unsafe" in text.lower() or "lambda" in text.lower():
        return (
            f"{path} brings Python code of its own, which Keras's safe mode refuses to run: use a model that you trust."
        )
    if _numbers(written_by) > _numbers(keras.__version__):
        return f"{path} was written by Keras {written_by}, and this is Keras {keras.__version__}: update Keras."
    if unknown := re.search(r"Could not locate (?:class|function) '(\w+)'", text):
        return (
            f"{path} holds a {unknown[1]}, which is not known here: import what defines it first, or give a model that "
            "this version of kerasinterp trained."
        )
    first = text.rpartition("Exception encountered: ")[2].split(". ")[0].rstrip(".")
    return f"{path} cannot be loaded as a kerasinterp model ({type(error).__name__}: {first[:160]})."


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)[:2]))
