"""Interpolating autoencoders and few-shot image generation for Keras 3 on TensorFlow."""

import contextlib
import importlib
import importlib.machinery
import sys
import types
from typing import TYPE_CHECKING

from kerasinterp.errors import InputError

if TYPE_CHECKING:
    import os

    import keras

__version__ = "0.2.0"


def __getattr__(name: str) -> types.ModuleType:
    # Nothing is imported before it is asked for: `import kerasinterp` costs no TensorFlow.
    if not name.startswith("_"):
        full_name = f"{__name__}.{name}"
        try:
            return importlib.import_module(full_name)
        except ModuleNotFoundError as error:
            if error.name != full_name:
                raise
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def from_preset(preset: "str | os.PathLike") -> "keras.Model":
    """A trained model, whatever its class, by the name of a shipped preset or by a preset's folder.

    Raises:
        InputError: as `kerasinterp.objectives.Objective.from_preset`.
    """
    from kerasinterp.objectives import Objective

    return Objective.from_preset(preset)


def __dir__() -> list[str]:
    import pkgutil

    return sorted({*globals(), *(module.name for module in pkgutil.iter_modules(__path__) if module.name[0] != "_")})


def _register() -> None:
    """Makes our classes known to Keras, so that `keras.models.load_model` finds them."""
    with contextlib.suppress(InputError):  # a backend that we cannot use must not keep others from Keras
        importlib.import_module(f"{__name__}.objectives")


class _AfterKeras:
    """Finds Keras as Python does, and registers once it is imported: Python has no event for that."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> importlib.machinery.ModuleSpec | None:
        spec = importlib.machinery.PathFinder.find_spec(name) if name == "keras" else None
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def run_and_register(module: types.ModuleType) -> None:
            run(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            _register()

        spec.loader.exec_module = run_and_register
        return spec


if "keras" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _AfterKeras())
