"""Keras's own call, `model.export(path, format)`."""

import os
from pathlib import Path
from typing import Any

import keras

from kerasinterp.errors import InputError, suggest
from kerasinterp.exporting.saved_model import export_saved_model
from kerasinterp.exporting.tflite import export_tflite

_BY_FORMAT = {"tf_saved_model": export_saved_model, "litert": export_tflite, "tflite": export_tflite}


def export_as(model: keras.Model, filepath: str | os.PathLike, format: str = "tf_saved_model", **options: Any) -> Path:
    """Exports by Keras's name of the format.

    Args:
        model: a trained objective.
        filepath: the folder or file to make.
        format: `tf_saved_model` (`export_saved_model`), `litert` or `tflite` (`export_tflite`).
        options: of that function; `verbose` may be given too, for Keras's sake: nothing is printed.

    Returns:
        The path written.

    Raises:
        InputError: for another format or option, and as the function.
        OSError: as the function.
    """
    if format not in _BY_FORMAT:
        raise InputError(
            f"Unknown format {format!r}: choose one of {', '.join(_BY_FORMAT)}.{suggest(str(format), _BY_FORMAT)}"
        )
    export = _BY_FORMAT[format]
    options = {key: value for key, value in options.items() if key != "verbose" and value is not None}
    known = ("precision", "representative_images") if export is export_tflite else ()
    unknown = [key for key in options if key not in known]
    if unknown:
        raise InputError(
            f"{format} takes no {unknown[0]}: kerasinterp.exporting has signatures of its own; "
            + (f"its options are {', '.join(known)}." if known else "leave it out.")
        )
    return export(model, filepath, **options)
