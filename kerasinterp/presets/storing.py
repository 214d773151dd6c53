"""A trained model as a preset's folder, and back."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

import kerasinterp
from kerasinterp._unloadable import why_unloadable
from kerasinterp.errors import InputError
from kerasinterp.files import regular, written_whole
from kerasinterp.presets import cards
from kerasinterp.presets.finding import CARD, CONFIG, TEXT, WEIGHTS, find

LARGEST = 5_000_000  # bytes of each file: a preset is a small model, which a wheel can carry
_FORMAT = 1
_SERIALISED = ("module", "class_name", "registered_name", "config")  # and no optimizers


def save(model: keras.Model, folder: str | os.PathLike, card: Mapping[str, Any] | None = None) -> Path:
    """Writes a model's preset into `folder`, in place of one that is there.

    Args:
        model: an objective; its optimizers and the state of its random draws are left out.
        card: what is known of it, beside what the model says itself.

    Returns:
        The folder.

    Raises:
        InputError: a folder with anything but a preset in it; weights that are not finite, that float16 cannot hold, or
            that are more than 5 MB.
    """
    folder = Path(folder)
    check_folder(folder)
    content = _packed(model)
    serialised = keras.saving.serialize_keras_object(model)
    config = {
        "format": _FORMAT,
        "kerasinterp": kerasinterp.__version__,
        "keras": keras.__version__,
        "weights_sha256": hashlib.sha256(content).hexdigest(),  # files of two presets do not go together
        "model": {key: serialised[key] for key in _SERIALISED},
    }
    own = {
        "name": folder.absolute().name,
        "class": type(model).__name__,
        "image_shape": list(model.image_shape),
        "latent_shape": list(model.latent_shape),
        "parameters": sum(int(np.prod(variable.shape)) for variable in model.weights),
    }
    card = own | dict(card or {})
    written = {
        WEIGHTS: content,
        CARD: (json.dumps(card, indent=1) + "\n").encode(),
        TEXT: cards.text(card).encode(),
        CONFIG: (json.dumps(config) + "\n").encode(),
    }
    for name, part in written.items():
        with written_whole(folder / name) as partial:
            partial.write_bytes(part)
    return folder


def check_folder(folder: Path) -> None:
    """Raises InputError if a preset cannot be written there, because something else is."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, and a preset is a folder: choose another.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / CONFIG).exists():
        raise InputError(f"{folder} holds other files than a preset's: choose another folder, or an empty one.")


def load(preset: str | os.PathLike, cls: type) -> Any:
    """The model of a preset, ready for use.

    Keras's safe mode stays on: a preset that brings its own Python code is refused, never run.

    Args:
        preset: the name of a shipped preset, or a preset's folder.
        cls: the class, or a base of it, that is expected.

    Raises:
        InputError: no such preset, incomplete, damaged, unsafe, of another format, or a model of another class.
    """
    folder = find(preset)
    config = _config(folder)
    system, name = _class_of(config), config["model"]["class_name"]
    if system is None:
        raise InputError(
            f"{folder} holds a {name}, which is not known here: import what defines it first, or give another preset."
        )
    if not (isinstance(system, type) and issubclass(system, cls)):
        instead = f"call {name}.from_preset" if hasattr(system, "from_preset") else "it is no model of kerasinterp"
        raise InputError(f"{folder} is a preset of {name}, not of {cls.__name__}: {instead}.")
    content = _read(folder, WEIGHTS)
    if hashlib.sha256(content).hexdigest() != config["weights_sha256"]:
        raise InputError(_damaged(folder, WEIGHTS, "it is not the file that was written with config.json"))
    try:
        model = keras.saving.deserialize_keras_object(config["model"], safe_mode=True)
    except Exception as error:  # Keras raises anything for a configuration that is not one
        raise InputError(why_unloadable(folder, error, config["keras"])) from error
    _fill(model, _unpacked(folder, content), folder)
    return model


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads(_read(folder, CONFIG).decode())
    except (ValueError, RecursionError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(_damaged(folder, CONFIG, "it is not JSON")) from error
    if not isinstance(config, dict) or type(config.get("format")) is not int:
        raise InputError(_damaged(folder, CONFIG, "it is no preset's"))
    if config["format"] != _FORMAT:
        raise InputError(
            f"{folder} is a preset of format {config['format']}, of kerasinterp {config.get('kerasinterp')}, and this "
            f"is kerasinterp {kerasinterp.__version__}, which reads format {_FORMAT}: update the older of the two."
        )
    model = config.get("model")
    if not (
        all(isinstance(config.get(key), str) for key in ("kerasinterp", "keras", "weights_sha256"))
        and isinstance(model, dict)
        and set(model) == set(_SERIALISED)
        and isinstance(model["config"], dict)
        and all(isinstance(model[key], str) for key in ("class_name", "registered_name"))
    ):
        raise InputError(_damaged(folder, CONFIG, "parts of it are missing"))
    return config


def _class_of(config: dict[str, Any]) -> Any:
    return keras.saving.get_registered_object(config["model"]["registered_name"])


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    try:
        if regular(path).stat().st_size > LARGEST:
            raise InputError(_damaged(folder, name, f"it is larger than {LARGEST / 1e6:g} MB"))
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{folder} is incomplete: it has no {name}; bring it back, or give another preset.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): mend that, or give another preset.") from error


def _damaged(folder: Path, name: str, why: str) -> str:
    return f"{folder} is damaged: of its {name}, {why}; bring the folder back as it was, or give another preset."


# Weights


def _named(model: keras.Model) -> dict[str, keras.Variable]:
    return {f"{number}_{variable.name}": variable for number, variable in enumerate(model.weights)}


def _packed(model: keras.Model) -> bytes:
    parts = {}
    for name, variable in _named(model).items():
        value = variable.numpy()
        if not keras.backend.is_float_dtype(variable.dtype):  # a counter
            parts[name] = value
            continue
        if not np.isfinite(value.astype(np.float32)).all():
            raise InputError("The model has weights that are not finite: train it anew.")
        with np.errstate(over="ignore"):
            parts[name] = value.astype(np.float16)
        if not np.isfinite(parts[name]).all():
            raise InputError("The model has weights beyond 65,504, which float16 cannot hold: use model.save.")
    buffer = io.BytesIO()
    np.savez(buffer, **parts)  # packed, weights hardly shrink
    if (size := buffer.tell()) > LARGEST:
        raise InputError(
            f"The model's weights are {size / 1e6:.1f} MB in float16, and a preset has at most {LARGEST / 1e6:g} MB: "
            "use model.save."
        )
    return buffer.getvalue()


def _unpacked(folder: Path, content: bytes) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # No entry is read beyond what the directory says.
            if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
                raise ValueError("larger than weights are")
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except Exception as error:  # numpy and zipfile raise anything for a damaged file
        raise InputError(_damaged(folder, WEIGHTS, "parts cannot be read")) from error


def _fill(model: keras.Model, values: dict[str, np.ndarray], folder: Path) -> None:
    variables = _named(model)
    if {name: tuple(variable.shape) for name, variable in variables.items()} != {
        name: value.shape for name, value in values.items()
    }:
        raise InputError(_damaged(folder, WEIGHTS, "weights are of other names or shapes than those of the model"))
    for name, variable in variables.items():
        value = values[name]
        if value.dtype.kind not in "fiub" or not np.isfinite(value).all():
            raise InputError(_damaged(folder, WEIGHTS, "weights are not finite numbers"))
        variable.assign(value.astype(variable.dtype))
