"""Every default of a public function or class, and every number with a name, as `defaults.json` has them.

Many are the papers', others were measured, all decide what users get.

`python -m tests.test_defaults` writes the file anew after a change that is meant.
"""

import ast
import dataclasses
import importlib
import inspect
import pathlib
import pkgutil
import types
from collections.abc import Iterator
from typing import Any

import numpy as np

import kerasinterp
from kerasinterp import recipes
from kerasinterp.recipe import Recipe
from tests import held

PATH = pathlib.Path(__file__).with_name("defaults.json")


def public(members: dict[str, Any], module: str) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if not name.startswith("_") or name == "__init__":
            value = inspect.unwrap(getattr(value, "__func__", value))
            if (inspect.isfunction(value) or inspect.isclass(value)) and value.__module__ == module:
                yield name, value


def defaults_of(function: Any) -> dict[str, str]:
    given = {one.name: one.default for one in inspect.signature(function).parameters.values()}
    shown = {
        name: getattr(one, "__name__", repr(one)) for name, one in given.items() if one is not inspect.Parameter.empty
    }
    return {name: text for name, text in shown.items() if " at 0x" not in text}


def of_numbers(value: Any) -> bool:
    if isinstance(value, dict | tuple):
        return all(map(of_numbers, value.values() if isinstance(value, dict) else value))
    if dataclasses.is_dataclass(value):
        return not isinstance(value, Recipe)  # `settings.json` has those
    return type(value) in (int, float) or isinstance(value, np.ndarray | np.number)


def numbers_of(module: types.ModuleType) -> dict[str, str]:
    """What it names in capitals itself and writes as numbers: what a system or a processor tells is left out."""
    found = {}
    for line in ast.parse(inspect.getsource(module)).body:
        nodes = list(ast.walk(line)) if isinstance(line, ast.Assign) else []
        stored = [one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)]
        if any(isinstance(one, ast.Constant) and type(one.value) in (int, float) for one in nodes):
            found |= {name: vars(module)[name] for name in stored if name.isupper()}
    plain = {name: one.tolist() if isinstance(one, np.ndarray | np.number) else one for name, one in found.items()}
    return {name: repr(plain[name]) for name, one in found.items() if of_numbers(one)}


def modules() -> Iterator[str]:
    """The package's, and the recipes', whose folders are no packages."""
    yield from (one.name for one in pkgutil.walk_packages(kerasinterp.__path__, "kerasinterp."))
    for file in sorted(pathlib.Path(recipes.__path__[0]).glob("*/*.py")):
        yield f"kerasinterp.recipes.{file.parent.name}.{file.stem}"


def defaults() -> dict[str, dict[str, str]]:
    """By place, `kerasinterp.data.turns.Views.__init__` say; those that have some."""
    found = {}
    for place in modules():
        module = importlib.import_module(place)
        found[place] = numbers_of(module)
        if place.startswith("kerasinterp.recipes"):  # scripts: nothing else calls their functions
            continue
        for name, value in public(vars(module), place):
            if not inspect.isclass(value):
                found[f"{place}.{name}"] = defaults_of(value)
                continue
            for method, function in public(vars(value), place):
                found[f"{place}.{name}.{method}"] = defaults_of(function)
    return {place: own for place, own in sorted(found.items()) if own}


def test_defaults_are_as_they_were():
    assert not held.changed(PATH, defaults())


def test_they_are_found():
    found = defaults()
    assert found["kerasinterp.data.turns.Views.__init__"] == {"step": "5.0", "places": "None"}
    assert found["kerasinterp.ops.colour"] == {"_LUMA": "(0.2989, 0.587, 0.114)"}
    assert found["kerasinterp.recipes.cola.figure_4_1"]["_CLUSTERS"] == "10"
    assert len(found) > 290


if __name__ == "__main__":
    held.write(PATH, defaults())
