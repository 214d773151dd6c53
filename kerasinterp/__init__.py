"""Interpolating autoencoders and few-shot image generation for Keras 3 on TensorFlow."""

import importlib

__version__ = "0.1.0"

_PACKAGES = ("data", "evaluation", "exporting", "generation", "nn", "objectives", "ops", "recipe", "training")


def __getattr__(name: str):
    # Nothing is imported before it is asked for: `import kerasinterp` costs no TensorFlow.
    if name in _PACKAGES:
        return importlib.import_module(f"kerasinterp.{name}")
    raise AttributeError(f"module 'kerasinterp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PACKAGES])
