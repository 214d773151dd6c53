"""Keras, after a look at the settings that it starts with: the rooms that need it import this first.

Importing it raises InputError where Keras is set to a backend, a layout of images or a type that this package cannot
use; with another backend, Keras itself would fail while it is imported, or later, in a traceback.
"""

import json
import os
import sys
from pathlib import Path

from kerasinterp.errors import InputError
from kerasinterp.files import read_text

_NEEDED = {"backend": "tensorflow", "image_data_format": "channels_last", "floatx": "float32"}


def check(settings: dict[str, object], place: str) -> None:
    """Compares what Keras is set to with what this package needs.

    Args:
        settings: the values by the names that keras.json has; what is missing is at Keras's default.
        place: where they are set, for the message.

    Raises:
        InputError: another backend than TensorFlow, images with the channels first, or another type than float32.
    """
    for name, needed in _NEEDED.items():
        if (found := settings.get(name, needed)) != needed:
            raise InputError(f"kerasinterp needs Keras' {name} {needed!r}, not {found!r}: change it in {place}.")


def check_before_import() -> None:
    """As `check`, from the environment and keras.json alone, as Keras reads them (keras/src/backend/config.py).

    Raises:
        InputError: as `check`; keras.json cannot be read.
    """
    backend = os.environ.get("KERAS_BACKEND") or None
    if backend not in (None, _NEEDED["backend"]):
        raise InputError(
            f"kerasinterp needs Keras' TensorFlow backend: unset KERAS_BACKEND (now {backend}) or set it to tensorflow."
        )
    home = Path.home() if os.access(Path.home(), os.W_OK) else Path("/tmp")
    path = Path(os.environ.get("KERAS_HOME", home / ".keras")).expanduser() / "keras.json"
    if not path.exists():
        return
    try:
        settings = json.loads(read_text(path))
    except OSError as error:
        raise InputError(f"Keras' settings {path} cannot be read ({error.strerror}): mend or remove it.") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        return  # Keras passes over it, too
    if not isinstance(settings, dict):
        raise InputError(f"Keras' settings {path} are no dictionary: mend or remove the file.")
    check(settings | ({"backend": backend} if backend else {}), str(path))


if "keras" not in sys.modules:
    check_before_import()

try:
    import keras
except ValueError as error:  # of its own settings, such as an epsilon that is no float
    raise InputError(
        f"Keras cannot start ({error}): mend keras.json, or the variables KERAS_... that are set."
    ) from error

check(
    {
        "backend": keras.config.backend(),
        "image_data_format": keras.config.image_data_format(),
        "floatx": keras.config.floatx(),
    },
    "KERAS_BACKEND, keras.json or keras.config, before kerasinterp is imported",
)
