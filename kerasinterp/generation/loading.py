"""Trained models from `.keras` files, with a sentence for every file that is none."""

import os
import zipfile
from pathlib import Path

import keras

from kerasinterp.errors import InputError
from kerasinterp.objectives import Objective

_NEEDED = ("encoder", "decoder", "mixing", "image_shape", "latent_size")


def load_model(path: str | os.PathLike) -> Objective:
    """Loads a trained objective for use (not for further training: its optimizers stay behind).

    Keras's safe mode stays on: a file that brings its own Python code is refused, never run.

    Args:
        path: a `.keras` file that this package wrote.

    Raises:
        InputError: no such file, not a Keras model, unsafe, or a model that has no encoder and decoder to mix between.
    """
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path} is a directory: give the .keras file of a trained model.")
    if not path.is_file():
        raise InputError(f"there is no model file {path}.")
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path} is not a .keras file, or it is damaged: give the .keras file of a trained model.")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises anything from KeyError to BadZipFile for a foreign file
        raise InputError(_reason(path, error)) from error
    missing = [name for name in _NEEDED if not hasattr(model, name)]
    if missing:
        raise InputError(
            f"{path} holds a {type(model).__name__} without {' and '.join(missing[:2])}: "
            "give a model that kerasinterp trained."
        )
    return model


def _reason(path: Path, error: Exception) -> str:
    text = " ".join(str(error).split())
    if "safe_mode" in text or "unsafe" in text.lower() or "lambda" in text.lower():
        return (
            f"{path} brings Python code of its own, which Keras's safe mode refuses to run: use a model that you trust."
        )
    first = text.split(". ")[0].rstrip(".")
    return f"{path} cannot be loaded as a kerasinterp model ({type(error).__name__}: {first[:160]})."
