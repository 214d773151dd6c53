"""Trained models from `.keras` files, with a sentence for every file that is none."""

import copy
import errno
import json
import os
import re
import zipfile
from pathlib import Path

import keras

from kerasinterp.errors import InputError
from kerasinterp.files import regular
from kerasinterp.objectives import Objective

# Keras stores the parts of a file as they are, and trained weights hardly shrink when another program packs them again;
# an optimizer's zeros do, so what a file unpacks to may be some times its size. A small file may be mostly its config.
_EXPANSION, _SPARE = 16, 16 * 2**20


def load_model(path: str | os.PathLike) -> Objective:
    """Loads a trained objective for use (not for further training: its optimizers stay behind).

    Keras's safe mode stays on: a file that brings its own Python code is refused, never run. A file that unpacks to far
    more than its size is refused before it is unpacked.

    Args:
        path: a `.keras` file that this package wrote.

    Raises:
        InputError: no such file, not a Keras model, damaged, unsafe, or a model that makes no images of codes.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory: give the .keras file of a trained model.")
    if not path.exists():
        raise InputError(f"there is no model file {path}.")
    regular(path)
    try:
        _check_archive(path)
    except InputError:
        raise
    except Exception as error:  # zipfile raises anything from BadZipFile to struct.error for a damaged file
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # EINVAL: of a place that is not in the file
            raise InputError(f"{path} cannot be read ({error.strerror}): mend that, or give another file.") from error
        raise InputError(
            f"{path} is not a .keras file, or it is damaged: give the .keras file of a trained model."
        ) from error
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises anything from KeyError to BadZipFile for a foreign file
        raise InputError(_reason(path, error)) from error
    if not (hasattr(model, "decode") and (hasattr(model, "encode") or hasattr(model, "prior"))):
        raise InputError(
            f"{path} holds a {type(model).__name__}, which has no codes to encode to and decode: "
            "give a model that kerasinterp trained."
        )
    return model


def _check_archive(path: Path) -> None:
    """Raises InputError if the parts of the file are larger than a model's can be, or other than its directory says."""
    allowed = _EXPANSION * path.stat().st_size + _SPARE
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        # The directory first: it is cheap, and counts parts that share their bytes.
        size = sum(entry.file_size for entry in entries)
        sizes = [entry.file_size for entry in entries]
        if size <= allowed:
            sizes = [_size(archive, entry, allowed) for entry in entries]
            size = sum(sizes)
    if size > allowed:
        raise InputError(
            f"{path} would unpack to more than {allowed / 1e6:.0f} MB, which no model of its size does: "
            "give the .keras file of a trained model."
        )
    if sizes != [entry.file_size for entry in entries]:
        raise zipfile.BadZipFile("parts of other sizes than the directory's")


def _size(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> int:
    """How large an entry is, counted up to `most`: what the directory says may be less, and a reader believes it."""
    if entry.compress_type == zipfile.ZIP_STORED:
        return entry.compress_size
    if entry.compress_type != zipfile.ZIP_DEFLATED:  # others unpack a block at once, whatever its size
        raise zipfile.BadZipFile("packed by a method that Keras does not use")
    unbelieved = copy.copy(entry)
    unbelieved.file_size = 2**63
    size = 0
    with archive.open(unbelieved) as file:
        while size <= most and (block := file.read(2**20)):
            size += len(block)
    return size


def _reason(path: Path, error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return f"{path} cannot be used: {text}"
    if "safe_mode" in text or "unsafe" in text.lower() or "lambda" in text.lower():
        return (
            f"{path} brings Python code of its own, which Keras's safe mode refuses to run: use a model that you trust."
        )
    if written := _newer_keras(path):
        return f"{path} was written by Keras {written}, and this is Keras {keras.__version__}: update Keras."
    if unknown := re.search(r"Could not locate (?:class|function) '(\w+)'", text):
        return (
            f"{path} holds a {unknown[1]}, which is not known here: import what defines it first, or give a model that "
            "this version of kerasinterp trained."
        )
    first = text.rpartition("Exception encountered: ")[2].split(". ")[0].rstrip(".")
    return f"{path} cannot be loaded as a kerasinterp model ({type(error).__name__}: {first[:160]})."


def _newer_keras(path: Path) -> str:
    """The version of Keras that wrote the file, if it is newer than this one."""
    try:
        with zipfile.ZipFile(path) as archive:
            written = str(json.loads(archive.read("metadata.json"))["keras_version"])
        numbers = [tuple(map(int, re.findall(r"\d+", version)[:2])) for version in (written, keras.__version__)]
    except Exception:  # it is looked at to explain a failure, and may be as damaged
        return ""
    return written if numbers[0] > numbers[1] else ""
