"""Every network that a file of `kerasinterp.nn` builds for images, layer by layer, as `built.json` has it.

What the papers say of them is tested by hand beside this; here nothing of them changes unseen.
`python -m tests.nn.test_built` writes the file anew after a change that is meant.
"""

import importlib
import inspect
import pathlib
import pkgutil
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasinterp.nn
from tests import held

PATH = pathlib.Path(__file__).with_name("built.json")
# Two ways to ask for each network; what a builder does not take is left out, and what is not named is as by default.
WAYS = {
    "square": {"image_shape": (32, 32, 1), "seed": 1},
    "oblong": {"image_shape": (48, 32, 3), "seed": 2, "scales": 2, "outputs": 2, "normalised": True},
}
OTHERWISE = {"mlp": (5,), "inversion": (64, 64, 1)}  # image shapes of those that take no others
_SAID_OTHERWISE = ("name", "dtype", "trainable", "batch_shape", "sparse", "ragged", "data_format")
SIZES = {"latent_size": 7, "width": 4, "num_classes": 5, "classes": 5, "channels": 3}


def builders() -> dict[str, Callable[..., keras.Model]]:
    found = {}
    for name in sorted(module.name for module in pkgutil.iter_modules(kerasinterp.nn.__path__)):
        module = importlib.import_module(f"kerasinterp.nn.{name}")
        for kind, build in vars(module).items():
            own = inspect.isfunction(build) and build.__module__ == module.__name__ and not kind.startswith("_")
            if own and {"image_shape", "seed"} <= inspect.signature(build).parameters.keys():
                found[f"{name}.{kind}"] = build
    return found


BUILDERS = builders()


def told(layer: keras.layers.Layer) -> str:
    """Its kind, what it is told but for defaults, and its output's shape. Of initial weights `row` has the sum."""
    usual, shown = inspect.signature(type(layer)).parameters, []
    for key, value in layer.get_config().items():
        default = usual[key].default if key in usual else None
        if key not in _SAID_OTHERWISE and not key.endswith("_initializer") and value not in (default, None, "linear"):
            shown.append(f"{key}={value}")
    return f"{type(layer).__name__}({', '.join(shown)}) {tuple(layer.output.shape[1:])}"


def row(build: Callable[..., keras.Model], way: str) -> dict[str, Any]:
    asked = {**WAYS[way], **SIZES, "name": "built"}
    if other := OTHERWISE.get(build.__module__.rpartition(".")[-1]):
        asked["image_shape"] = other
    network = build(**{key: value for key, value in asked.items() if key in inspect.signature(build).parameters})
    layers = {layer.name: told(layer) for layer in network.layers}
    given = [_numbers(tuple(3 if side is None else side for side in one.shape)) for one in network.inputs]
    outputs = tf.nest.flatten(network(given if len(given) > 1 else given[0], training=False))
    gives = [np.ravel(one)[:: max(1, np.size(one) // 8)] for one in outputs]
    weights = sum(np.abs(value).sum() for value in network.get_weights())
    return layers | {"weights": weights, "gives": np.concatenate(gives)}


def _numbers(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(3).uniform(-1.0, 1.0, shape).astype(np.float32)


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize("way", WAYS)
def test_networks_are_what_they_were(name, way):
    held.check_numbers(PATH, f"{name}, {way}", row(BUILDERS[name], way), abs=1e-8)


if __name__ == "__main__":
    rows = {f"{name}, {way}": held.flat(row(build, way)) for name, build in BUILDERS.items() for way in WAYS}
    held.write(PATH, rows)
