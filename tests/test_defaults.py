"""Every default of a public function or class as `defaults.json` has it: many are the papers', all are users'.

`python -m tests.test_defaults` writes the file anew after a change that is meant.
"""

import importlib
import inspect
import pathlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import kerasinterp
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


def defaults() -> dict[str, dict[str, str]]:
    """By place, `kerasinterp.data.turns.Views.__init__` say; those that have some."""
    found = {}
    for one in pkgutil.walk_packages(kerasinterp.__path__, "kerasinterp."):
        if one.name.startswith("kerasinterp.recipes"):  # scripts
            continue
        module = importlib.import_module(one.name)
        for name, value in public(vars(module), one.name):
            if not inspect.isclass(value):
                found[f"{one.name}.{name}"] = defaults_of(value)
                continue
            for method, function in public(vars(value), one.name):
                found[f"{one.name}.{name}.{method}"] = defaults_of(function)
    return {place: own for place, own in sorted(found.items()) if own}


def test_defaults_are_as_they_were():
    assert not held.changed(PATH, defaults())


def test_they_are_found():
    found = defaults()
    assert found["kerasinterp.data.turns.Views.__init__"] == {"step": "5.0", "places": "None"}
    assert len(found) > 200


if __name__ == "__main__":
    held.write(PATH, defaults())
