"""Trained models from `.keras` files and presets, with a sentence for every file that is none."""

import copy
import errno
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import keras

from kerasinterp import presets
from kerasinterp._unloadable import why_unloadable
from kerasinterp.errors import InputError
from kerasinterp.files import regular
from kerasinterp.generation.inversion import as_model
from kerasinterp.objectives import Objective
from kerasinterp.presets.finding import CONFIG, no_preset

# Keras stores the parts of a file as they are, and trained weights hardly shrink when another program packs them again;
# an optimizer's zeros do, so what a file unpacks to may be some times its size. A small file may be mostly its config.
_EXPANSION, _SPARE = 16, 16 * 2**20


def load_model(path: str | os.PathLike) -> Objective:
    """Loads a trained objective for use (not for further training: its optimizers stay behind).

    Keras's safe mode stays on: a file that brings its own Python code is refused, never run. A file that unpacks to far
    more than its size is refused before it is unpacked.

    Args:
        path: a `.keras` file that this package wrote; or a preset's folder or, where there is no such file or folder,
            its name (`kerasinterp.presets`).

    Raises:
        InputError: no such file or preset, not a Keras model, damaged, unsafe, or a model that neither makes images of
            codes nor clusters images.
    """
    model = _load(path)
    decodes = hasattr(model, "decode") and (hasattr(model, "encode") or hasattr(model, "prior"))
    if not (decodes or hasattr(model, "few_shot") or hasattr(model, "clusters_of")):
        raise InputError(
            f"{path} holds a {type(model).__name__}, which has no codes to encode to and decode: "
            "give a model that kerasinterp trained."
        )
    return model


def load_generator(path: str | os.PathLike) -> Any:
    """As `load_model`, for inversion: whatever makes images of codes will do, any Keras model from codes to images too.

    Raises:
        InputError: as `load_model`; a model that makes no images.
    """
    return as_model(_load(path))


def _load(path: str | os.PathLike) -> keras.Model:
    path = Path(path)
    return Objective.from_preset(path) if presets.folder_of(path) else _of_file(path)


def _of_file(path: Path) -> keras.Model:
    if path.is_dir():
        raise InputError(
            f"{path} is a directory, and no preset's, for want of {CONFIG}: give the .keras file of a trained model, "
            "or a preset."
        )
    if not path.exists():
        may_be_a_preset = not path.suffix and len(path.parts) == 1
        raise InputError(
            no_preset(path, "model file or preset") if may_be_a_preset else f"there is no model file {path}."
        )
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
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises anything from KeyError to BadZipFile for a foreign file
        raise InputError(why_unloadable(path, error, _written_by(path))) from error


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


def _written_by(path: Path) -> str:
    """The version of Keras that wrote the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return str(json.loads(archive.read("metadata.json"))["keras_version"])
    except Exception:  # it is looked at to explain a failure, and may be as damaged
        return ""
